"""fit against Keras, and what Keras does not promise: fused steps equal single ones, memory stays flat, runs repeat."""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from tests.needs import needs_gradients
from tests.training import cases

pytestmark = needs_gradients

ORACLE = json.loads(Path(__file__).with_name("oracle.json").read_text(encoding="utf-8"))
# Keras lists a metric that is given both with and without weights three times
LISTED_TWICE = {"fit/sample_weight", "fit/masked"}


def assert_equal(mine, theirs, path="", atol=2e-5):
    """Nested results with the same names, in the same order, and the same numbers."""
    if isinstance(theirs, dict):
        assert list(mine) == list(theirs), path
        for name in theirs:
            assert_equal(mine[name], theirs[name], f"{path}/{name}", atol)
    elif isinstance(theirs, list) and any(isinstance(one, (dict, list, str)) for one in theirs):
        assert len(mine) == len(theirs), path
        for index, (left, right) in enumerate(zip(mine, theirs, strict=True)):
            assert_equal(left, right, f"{path}[{index}]", atol)
    elif isinstance(theirs, str):
        assert mine == theirs, path
    else:
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=atol, err_msg=path)


@pytest.mark.parametrize("name", cases.FIT)
def test_as_keras(name):
    found, wanted = cases.fit(keras, name), dict(ORACLE[f"fit/{name}"])
    if f"fit/{name}" in LISTED_TWICE:
        assert len(wanted.pop("evaluate")) == len(found.pop("evaluate")) + 1
    if isinstance(found["predict"], dict):  # JAX gives dicts with sorted keys
        found["predict"] = {key: found["predict"][key] for key in wanted["predict"]}
    assert_equal(found, wanted)


@pytest.mark.parametrize("name", [*cases.PROGRAMS])
def test_program_as_keras(name):
    assert_equal(cases.PROGRAMS[name](keras), ORACLE[name])


@pytest.mark.skipif(backend.name != "jax", reason="programs in JAX's form run on JAX")
@pytest.mark.parametrize("name", [*cases.JAX_PROGRAMS])
def test_jax_program_as_keras(name):
    import jax

    assert_equal(cases.JAX_PROGRAMS[name](keras, jax), ORACLE[name])


# --- ways of running that must not matter -----------------------------------------------------------------------------


class EachBatch(keras.callbacks.Callback):
    """Wants every batch, so steps are not fused."""

    def on_train_batch_end(self, batch, logs=None):
        pass


def noisy(seed=3):
    """A model with everything that keeps state: dropout, batch normalisation, an optimizer with slots."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential([
        keras.Input((5,)), keras.layers.Dense(8, "tanh"), keras.layers.Dropout(0.3), keras.layers.BatchNormalization(),
        keras.layers.Dense(1),
    ])  # fmt: skip


def state(model):
    return [one.numpy() for one in [*model.variables, *model.optimizer.variables]]


def trained(fit=None, callbacks=(), data=None, **compile_arguments):
    model = noisy()
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"], **compile_arguments)
    x, y = cases.data("plain") if data is None else data
    history = model.fit(x, y, verbose=0, callbacks=list(callbacks), **{"batch_size": 6, "epochs": 3, **(fit or {})})
    return history.history, state(model)


WAYS = {
    "single": {"callbacks": [EachBatch()]},
    "two": {"steps_per_execution": 2},
    "three": {"steps_per_execution": 3},
    "more than there are": {"steps_per_execution": 50},
    "two and every batch": {"steps_per_execution": 2, "callbacks": [EachBatch()]},
    "not compiled": {"jit_compile": False},
    "eager": {"run_eagerly": True},
}


@pytest.mark.parametrize("way", WAYS)
def test_steps_fused_or_not_give_the_same(way):
    reference, weights = trained()
    found, mine = trained(**WAYS[way])
    for name in reference:
        np.testing.assert_allclose(found[name], reference[name], rtol=2e-5, err_msg=name)
    for left, right in zip(mine, weights, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-6)


def batches(sizes=(6, 6, 6, 4)):
    """A generator without an end; one pass has batches of these sizes."""
    x, y = cases.data("plain")
    while True:
        start = 0
        for size in sizes:
            yield x[start : start + size], y[start : start + size]
            start += size


@pytest.mark.parametrize("steps", [1, 2, 3, 8])
@pytest.mark.parametrize("sizes", [(6, 6, 6, 4), (4, 6, 4, 6)], ids=["partial", "alternating"])
def test_steps_per_execution_with_a_generator(steps, sizes):
    def run(steps):
        model = noisy()
        model.compile("adam", "mse", steps_per_execution=steps)
        history = model.fit(batches(sizes), steps_per_epoch=4, epochs=2, verbose=0)
        return history.history["loss"], state(model)

    found, reference = run(steps), run(1)
    np.testing.assert_allclose(found[0], reference[0], rtol=1e-5)
    for left, right in zip(found[1], reference[1], strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-6)


def test_a_seed_makes_runs_equal_bit_by_bit():
    first, second = trained(), trained()
    assert first[0] == second[0]
    for left, right in zip(first[1], second[1], strict=True):
        np.testing.assert_array_equal(left, right)


def test_other_seeds_give_other_runs():
    model = noisy(seed=4)
    model.compile("adam", "mse")
    x, y = cases.data("plain")
    other = model.fit(x, y, batch_size=6, verbose=0).history["loss"]
    assert other[0] != trained()[0]["loss"][0]


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
@pytest.mark.parametrize("fused", [True, False])
def test_shuffle(shuffle, fused):
    """Which rows come together in a batch, as the model sees them."""
    seen = []

    class Sees(keras.Model):
        def __init__(self):
            super().__init__()
            self.sums = self.add_weight(shape=(6,), initializer="zeros", trainable=False)
            self.scale = self.add_weight(shape=(), initializer="ones")

        def call(self, inputs):
            return inputs * self.scale

        def train_step(self, data):
            x, _ = data
            self.sums.assign(x[:, 0])
            return {"loss": keras.ops.mean(x)}

    class Looks(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.sums.numpy().astype(int).tolist())

    x = np.arange(24, dtype="float32")[:, None]
    model = Sees()
    model.compile("sgd", "mse", steps_per_execution=1 if not fused else 2)
    model.fit(x, x, batch_size=6, epochs=2, shuffle=shuffle, verbose=0, callbacks=[Looks()])
    flat = [sorted(one) for one in seen]
    blocks = [list(range(start, start + 6)) for start in (0, 6, 12, 18)]
    if fused:  # after each second batch
        blocks = blocks[1::2]
    if shuffle is False:
        assert seen == blocks * 2
    elif shuffle == "batch":
        assert flat == blocks * 2 and seen != blocks * 2
    else:
        half = len(seen) // 2
        assert flat != blocks * 2 and seen[:half] != seen[half:]
        if not fused:
            assert sorted(np.ravel(seen[:half])) == sorted(np.ravel(seen[half:])) == list(range(24))


def test_frozen_layers_between_fits():
    """trainable=False takes effect without compile; going back and forth does not compile anew."""
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, name="a"), keras.layers.Dense(1, name="b")])
    traces = []
    call = model.call
    model.call = lambda *args, **kwargs: traces.append(0) or call(*args, **kwargs)
    model.compile(keras.optimizers.Adam(0.1), "mse")
    x, y = cases.data("plain")
    model.fit(x, y, batch_size=11, verbose=0)
    frozen = model.get_layer("a").get_weights()[0]
    model.get_layer("a").trainable = False
    before = model.get_layer("b").get_weights()[0]
    model.fit(x, y, batch_size=11, verbose=0)
    np.testing.assert_array_equal(model.get_layer("a").get_weights()[0], frozen)
    assert not np.array_equal(model.get_layer("b").get_weights()[0], before)
    model.get_layer("a").trainable = True
    count = len(traces)
    model.fit(x, y, batch_size=11, verbose=0)
    assert not np.array_equal(model.get_layer("a").get_weights()[0], frozen)
    model.get_layer("a").trainable = False
    model.fit(x, y, batch_size=11, verbose=0)
    assert len(traces) == count or not backend.compile_default


# --- what callbacks may do --------------------------------------------------------------------------------------------


def test_a_callback_may_save_set_and_read_between_batches(tmp_path):
    x, y = cases.data("plain")
    rates = []

    class Meddles(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.save(tmp_path / f"{batch}.keras")
            loaded = keras.saving.load_model(tmp_path / f"{batch}.keras")
            np.testing.assert_array_equal(loaded.predict(x, verbose=0), self.model.predict(x, verbose=0))
            self.model.optimizer.learning_rate = 0.5 ** (batch + 1)
            rates.append(float(self.model.optimizer.learning_rate))
            if batch == 1:
                self.model.set_weights([np.zeros_like(one) for one in self.model.get_weights()])
            if batch == 2:
                kernel = self.model.get_weights()[2]
                assert np.abs(kernel).max() == 0  # zero activations give the last kernel no gradient

    model = cases.compiled(keras, "plain")
    history = model.fit(x, y, batch_size=6, verbose=0, shuffle=False, callbacks=[Meddles()])
    assert rates == [0.5, 0.25, 0.125, 0.0625] and math.isfinite(history.history["loss"][0])


def test_steps_seen_by_callbacks_with_steps_per_execution():
    seen = []

    class Records(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch))

        def on_train_batch_end(self, batch, logs=None):
            seen.append(("end", batch))

    x, y = cases.data("plain")
    model = noisy()
    model.compile("sgd", "mse", steps_per_execution=3)
    model.fit(x, y, batch_size=6, verbose=0, callbacks=[Records()])
    assert seen == [("begin", 0), ("end", 2), ("begin", 3), ("end", 3)]


def test_history_across_calls():
    model = cases.compiled(keras, "plain")
    x, y = cases.data("plain")
    first = model.fit(x, y, epochs=2, verbose=0)
    second = model.fit(x, y, epochs=4, initial_epoch=2, verbose=0)
    assert first.epoch == [0, 1] and second.epoch == [2, 3] and model.history is second
    assert len(first.history["loss"]) == 2 and len(second.history["loss"]) == 2 and first.model is model
    assert model.fit(x, y, epochs=0, verbose=0).history == {}


@pytest.mark.parametrize("verbose", [0, 1, 2, "auto"])
def test_verbose(verbose, capsys):
    model = cases.compiled(keras, "plain")
    x, y = cases.data("plain")
    model.fit(x, y, epochs=2, verbose=verbose, validation_split=0.3)
    model.evaluate(x, y, verbose=verbose)
    text = capsys.readouterr().out
    if verbose == 0:
        assert text == ""
    else:
        assert text.startswith("Epoch 1/2\n") and "Epoch 2/2" in text and "val_loss" in text
        assert not any(ord(one) < 32 and one != "\n" for one in text)


# --- settings of the process ------------------------------------------------------------------------------------------


def test_limits_of_the_process():
    model = cases.compiled(keras, "plain")
    x, y = cases.data("plain")
    try:
        keras.config.set_max_epochs(2)
        keras.config.set_max_steps_per_epoch(3)
        assert model.fit(x, y, batch_size=6, epochs=9, verbose=0).epoch == [0, 1]
        assert int(model.optimizer.iterations) == 6
        assert model.predict(x, batch_size=6, verbose=0).shape == (18, 1)
        model.fit(batches(), steps_per_epoch=4, epochs=1, verbose=0)
        assert int(model.optimizer.iterations) == 9
    finally:
        keras.config.set_max_epochs(None)
        keras.config.set_max_steps_per_epoch(None)


def test_metric_objects_are_listed_once():
    model = cases.model(keras, "plain")
    model.compile("sgd", "mse", metrics=[keras.metrics.MeanAbsoluteError(name="own")])
    model.fit(*cases.data("plain"), verbose=0)
    assert model.metrics_names == ["loss", "compile_metrics"]  # Keras's own answer


# --- precision --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
def test_policies_learn(policy):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="float32"),
            keras.layers.Dense(16, "relu", dtype=policy),
            keras.layers.Dense(1, dtype=policy),
        ]
    )
    if policy == "mixed_float16":
        model.dtype_policy = keras.dtype_policies.DTypePolicy(policy)
    model.compile(keras.optimizers.Adam(0.02, epsilon=1e-3), "mse")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 5)).astype("float32")
    y = x[:, :1] - x[:, 1:2]
    losses = model.fit(x, y, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    dtype = "float32" if policy.startswith("mixed") else policy
    assert {one.dtype for one in model.trainable_variables} == {dtype}
    assert str(model.predict(x[:2], verbose=0).dtype) == policy.removeprefix("mixed_")


def test_global_policy_of_float16_scales_the_loss():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = keras.Sequential(
            [keras.Input((5,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1, dtype="float32")]
        )
        model.compile("adam", "mse")
        assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
        x, y = cases.data("plain")
        losses = model.fit(x, y, epochs=8, batch_size=6, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        model.compile("adam", "mse", auto_scale_loss=False)
        assert isinstance(model.optimizer, keras.optimizers.Adam)
    finally:
        keras.config.set_dtype_policy("float32")


# --- kinds of models --------------------------------------------------------------------------------------------------


class Deep(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.blocks = [keras.layers.Dense(units, "tanh") for _ in range(2)]
        self.named = {"out": keras.layers.Dense(1)}

    def call(self, inputs, training=None):
        for block in self.blocks:
            inputs = block(inputs)
        return self.named["out"](inputs)


class OwnWeights(keras.Model):
    """Makes its own variables in build, and has layers that are built already."""

    def __init__(self):
        super().__init__()
        self.inner = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])

    def build(self, input_shape):
        self.w = self.add_weight(shape=(3, 1), initializer="ones", name="w")

    def call(self, inputs):
        return self.inner(inputs) @ self.w


MODELS = {
    "deferred": (lambda: keras.Sequential([keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)]), 4),
    "subclassed": (lambda: Deep(4), 6),
    "own weights": (OwnWeights, 3),
    "functional": (lambda: cases.model(keras, "nested"), 4),
}


@pytest.mark.parametrize("first", ["fit", "evaluate", "predict", "train_on_batch"])
@pytest.mark.parametrize("kind", MODELS)
def test_models_build_as_data_come(kind, first):
    make, count = MODELS[kind]
    model = make()
    model.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"])
    x, y = cases.data("plain")
    getattr(model, first)(*((x,) if first == "predict" else (x, y)), **({} if "batch" in first else {"verbose": 0}))
    assert len(model.trainable_variables) == count
    before = model.get_weights()
    losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert all(not np.array_equal(left, right) for left, right in zip(model.get_weights(), before, strict=True))


# --- sources ----------------------------------------------------------------------------------------------------------

X, Y = cases.data("plain")


class Rows(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        part = slice(index * 6, index * 6 + 6)
        return X[part], Y[part]


def pandas_frames():
    pandas = pytest.importorskip("pandas", reason="frames need pandas")
    return (pandas.DataFrame(X), pandas.Series(Y[:, 0])), {"batch_size": 6, "shuffle": False}


def torch_loader():
    torch = pytest.importorskip("torch", reason="a DataLoader needs torch")
    rows = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    return (torch.utils.data.DataLoader(rows, batch_size=6),), {}


def tf_dataset():
    tf = pytest.importorskip("tensorflow", reason="a tf.data.Dataset needs tensorflow")
    return (tf.data.Dataset.from_tensor_slices((X, Y)).batch(6).prefetch(2),), {}


ARRAYS = {"batch_size": 6, "shuffle": False}
SOURCES = {
    "numpy": lambda: ((X, Y), ARRAYS),
    "backend": lambda: ((keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(Y)), ARRAYS),
    "lists": lambda: ((X.tolist(), Y.tolist()), ARRAYS),
    "float64": lambda: ((X.astype("float64"), Y.astype("float64")), ARRAYS),
    "fortran": lambda: ((np.asfortranarray(X), Y), ARRAYS),
    "list of one": lambda: (([X], [Y]), ARRAYS),
    "pandas": pandas_frames,
    "generator": lambda: ((batches(),), {"steps_per_epoch": 4}),
    "list of batches": lambda: (([(X[i : i + 6], Y[i : i + 6]) for i in range(0, 22, 6)],), {}),
    "dataset": lambda: ((Rows(),), {"shuffle": False}),
    "threads": lambda: ((Rows(workers=2),), {"shuffle": False}),
    "processes": lambda: ((Rows(workers=2, use_multiprocessing=True),), {"shuffle": False}),
    "torch": torch_loader,
    "tensorflow": tf_dataset,
}


@pytest.mark.parametrize("kind", SOURCES)
def test_sources_give_the_same_training(kind):
    (x, *y), arguments = SOURCES[kind]()
    if kind == "list of batches":
        x = iter(x * 2)
        arguments = {"steps_per_epoch": 4}
    model = cases.compiled(keras, "metrics")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = model.fit(x, *y, epochs=2, verbose=0, **arguments)
    wanted = cases.compiled(keras, "metrics").fit(X, Y, epochs=2, verbose=0, **ARRAYS).history
    for name in wanted:
        np.testing.assert_allclose(history.history[name], wanted[name], rtol=1e-5, err_msg=name)
    if kind not in ("generator", "list of batches"):
        x, *y = SOURCES[kind]()[0]
        again = {name: value for name, value in arguments.items() if name == "batch_size"}
        np.testing.assert_allclose(
            model.evaluate(x, *y, verbose=0, **again), model.evaluate(X, Y, batch_size=6, verbose=0), rtol=1e-5
        )
        np.testing.assert_allclose(
            model.predict(x, verbose=0, **again), model.predict(X, batch_size=6, verbose=0), rtol=1e-5
        )


def test_dicts_and_validation_from_other_sources():
    model = cases.compiled(keras, "dict")
    x, y = cases.data("dict")
    history = model.fit(x, y, batch_size=6, verbose=0, validation_data=(x, y))
    assert {"val_label_accuracy", "val_value_mae"} <= set(history.history)
    plain = cases.compiled(keras, "plain")
    history = plain.fit(X, Y, epochs=2, verbose=0, validation_data=Rows())
    assert len(history.history["val_loss"]) == 2
    history = plain.fit(X, Y, epochs=2, verbose=0, validation_data=batches(), validation_steps=3)
    assert len(history.history["val_loss"]) == 2


# --- memory -----------------------------------------------------------------------------------------------------------


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of the process is read from /proc")
@pytest.mark.parametrize("way", ["fused", "single", "generator"])
def test_memory_stays_flat(way):
    model = cases.compiled(keras, "normalized")
    x, y = np.tile(X, (40, 1)), np.tile(Y, (40, 1))
    callbacks = [EachBatch()] if way == "single" else []

    def run(steps):
        if way == "generator":
            model.fit(batches((6,)), steps_per_epoch=steps, verbose=0)
        else:
            model.fit(x, y, batch_size=4, epochs=steps // 220, verbose=0, callbacks=callbacks)

    run(2200)  # more than after which a backend compiles what ran often
    before = resident()
    run(4400)
    assert resident() - before < 24e6
