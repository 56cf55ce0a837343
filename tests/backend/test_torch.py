"""What holds on torch alone: layers are modules, values are parameters, modules of torch are layers."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend

if backend.name != "torch":
    pytest.skip("about the torch backend", allow_module_level=True)
torch = pytest.importorskip("torch", reason="the torch backend needs torch")

L = keras.layers
X = torch.linspace(-1, 1, 24).reshape(8, 3)
Y = X[:, :1] * 2


def small() -> keras.Model:
    return keras.Sequential([keras.Input((3,)), L.Dense(4, activation="relu", name="a"), L.Dense(1, name="b")])


class Mixed(keras.Model):
    """A model of a module of torch, a parameter of torch, layers and a list of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.lin = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
        self.scale = torch.nn.Parameter(torch.ones(4))
        self.blocks = [L.Dense(4, name="first"), L.Dense(4, name="second")]
        self.head = L.Dense(1)

    def call(self, x):
        x = self.lin(x) * self.scale
        for block in self.blocks:
            x = block(x)
        return self.head(x)


# --- layers are modules ------------------------------------------------------------------------------------------


def test_parameters_have_the_names_of_attributes() -> None:
    model = Mixed()
    model(X)
    names = [name for name, _ in model.named_parameters()]
    assert names == [
        "scale", "lin.module.0.weight", "lin.module.0.bias", "lin.module.1.weight", "lin.module.1.bias",
        "blocks.0.kernel", "blocks.0.bias", "blocks.1.kernel", "blocks.1.bias", "head.kernel", "head.bias",
    ]  # fmt: skip
    assert len(model.weights) == len(names) and all(one.trainable for one in model.weights)
    assert {id(one.value) for one in model.weights} == {id(one) for one in model.parameters()}
    assert [name for name, _ in small().named_parameters()] == ["a.kernel", "a.bias", "b.kernel", "b.bias"]
    model.blocks.append(L.Dense(2))
    model.blocks[-1].build((None, 4))
    assert "blocks.2.kernel" in dict(model.named_parameters())


def test_state_dict_round_trip() -> None:
    model, other = Mixed(), Mixed()
    model(X), other(X)
    state = copy.deepcopy(model.state_dict())
    assert "lin.module.1.running_mean" in state
    other.load_state_dict(state)
    assert torch.equal(model(X, training=False), other(X, training=False))
    with pytest.raises(RuntimeError, match=r"head\.kernel"):
        other.load_state_dict({name: value for name, value in state.items() if name != "head.kernel"})


def test_native_loop() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = float(torch.nn.functional.mse_loss(model(X), Y).detach())
    for _ in range(20):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(X), Y).backward()
        optimizer.step()
    assert float(torch.nn.functional.mse_loss(model(X), Y).detach()) < before / 2
    assert model.weights[0].value.grad is not None
    model.zero_grad()
    assert model.weights[0].value.grad is None


def test_train_and_eval_are_the_default_of_training() -> None:
    layer = L.Dropout(0.5, seed=1)
    ones = torch.ones(100)
    assert torch.equal(layer(ones), ones)
    layer.train()
    assert not torch.equal(layer(ones), ones) and torch.equal(layer(ones, training=False), ones)
    layer.eval()
    assert torch.equal(layer(ones), ones) and not torch.equal(layer(ones, training=True), ones)
    outer = torch.nn.Sequential(L.Dropout(0.5, seed=1), torch.nn.Identity())
    outer.train()
    assert not torch.equal(outer(ones), ones)
    assert torch.equal(outer.eval()(ones), ones)


def test_hooks_fire_once() -> None:
    layer = L.Dense(2)
    seen = []
    layer.register_forward_pre_hook(lambda module, args: seen.append("before"))
    layer.register_forward_hook(lambda module, args, output: seen.append(tuple(output.shape)))
    layer.register_full_backward_hook(lambda module, into, out: seen.append("backward"))
    layer(X.clone().requires_grad_()).sum().backward()
    assert seen == ["before", (8, 2), "backward"]
    seen.clear()
    keras.Sequential([layer])(X)
    assert seen == ["before", (8, 2)]


def test_a_layer_in_a_module() -> None:
    module = torch.nn.Sequential(L.Dense(4), torch.nn.ReLU(), L.Dense(1))
    module(X)
    assert [name for name, _ in module.named_parameters()] == ["0.kernel", "0.bias", "2.kernel", "2.bias"]
    module.double()
    assert module[0].kernel.dtype == "float64" and module[0].dtype_policy.name == "float64"
    assert module(X).dtype == torch.float64
    assert all(one.dtype == torch.float64 for one in module.state_dict().values())


def test_trainable_and_requires_grad_are_one() -> None:
    layer = L.Dense(2)
    layer.build((None, 3))
    assert layer.kernel.value.requires_grad
    layer.trainable = False
    assert not layer.kernel.value.requires_grad
    layer.requires_grad_()
    assert layer.kernel.trainable and layer.kernel.value.requires_grad
    norm = L.BatchNormalization()
    norm.build((None, 3))
    assert [one.value.requires_grad for one in norm.weights] == [True, True, False, False]


def test_names_of_modules_do_not_stand_in_the_way() -> None:
    class Own(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.children, self.half, self.type, self.buffers = L.Dense(2), 1, "own", [L.Dense(3)]

        def call(self, x):
            return self.children(x)

    own = Own()
    own(X)
    own.buffers[0].build((None, 3))
    assert own.half == 1 and own.type == "own" and len(own.weights) == 4 and len(list(own.parameters())) == 4
    layer = copy.deepcopy(own)
    assert layer.children.kernel is not own.children.kernel and torch.equal(layer(X), own(X))
    assert repr(L.Dense(2, name="d")) == "<Dense name=d, built=False>"
    del own.children
    assert len(list(own.parameters())) == 2


# --- modules of torch as layers ----------------------------------------------------------------------------------


def test_a_module_trains_in_a_model() -> None:
    keras.utils.set_random_seed(1)
    torch.manual_seed(1)
    model = Mixed()
    model.compile(keras.optimizers.Adam(0.05), "mse")
    model(X)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    history = model.fit(X.numpy(), Y.numpy(), epochs=30, batch_size=4, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2
    after = model.state_dict()
    assert all(not torch.equal(before[name], after[name]) for name in after)  # statistics of batches as well
    steady = model.predict(X.numpy(), verbose=0)
    np.testing.assert_array_equal(steady, model.predict(X.numpy(), verbose=0))


def test_a_wrapper_in_a_graph_and_in_a_file(tmp_path) -> None:
    inner = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    model = keras.Sequential([keras.Input((3,)), L.TorchModuleWrapper(inner, name="inner")])
    assert model.output_shape == (None, 2)
    inner[1].running_mean.fill_(0.5)
    path = tmp_path / "model.keras"
    model.save(path)
    with pytest.raises(ValueError, match="safe_mode=False"):
        keras.models.load_model(path)
    loaded = keras.models.load_model(path, safe_mode=False)
    assert torch.equal(model(X, training=False), loaded(X, training=False))
    model.save_weights(tmp_path / "w.weights.h5")
    inner[0].weight.data.zero_()
    model.load_weights(tmp_path / "w.weights.h5")
    assert torch.equal(model(X, training=False), loaded(X, training=False))


def test_a_wrapper_keeps_the_mode_of_its_module() -> None:
    wrapper = L.TorchModuleWrapper(torch.nn.Dropout(0.5))
    ones = torch.ones(50)
    assert not torch.equal(wrapper(ones), ones)
    assert torch.equal(wrapper(ones, training=False), ones) and wrapper.module.training
    with pytest.raises(TypeError, match=r"torch.nn.Module"):
        L.TorchModuleWrapper(3)


# --- training in torch's own words -------------------------------------------------------------------------------


def test_a_train_step_with_backward() -> None:
    class Own(keras.Model):
        def train_step(self, data):
            x, y = data
            self.zero_grad()
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            loss.backward()
            weights = list(self.trainable_weights)
            gradients = [one.value.grad for one in weights]
            with torch.no_grad():
                self.optimizer.apply(gradients, weights)
            return {"loss": loss}

    inputs = keras.Input((3,))
    own, plain = Own(inputs, L.Dense(1)(inputs)), small()
    own.compile(keras.optimizers.Adam(0.1), "mse")
    history = own.fit(X.numpy(), Y.numpy(), epochs=20, batch_size=4, verbose=0, shuffle=False).history["loss"]
    assert history[-1] < history[0] / 2
    plain = keras.Sequential([keras.Input((3,)), L.Dense(1)])
    theirs = Own(inputs, L.Dense(1)(inputs))
    theirs.set_weights(plain.get_weights())
    for model in (plain, theirs):
        model.compile(keras.optimizers.Adam(0.1), "mse")
        model.fit(X.numpy(), Y.numpy(), epochs=3, batch_size=4, verbose=0, shuffle=False)
    for a, b in zip(plain.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_variables_in_functions_of_torch() -> None:
    v = keras.Variable([1.0, 2.0])
    assert torch.add(v, 1).tolist() == [2.0, 3.0] and (torch.ones(2) + v).tolist() == [2.0, 3.0]
    assert isinstance(v.value, torch.nn.Parameter) and v.value is v.value
    with pytest.raises(TypeError, match="symbolic"):
        torch.sin(keras.KerasTensor((2,)))


def test_assignments_may_read_the_variable() -> None:
    v = keras.Variable([[1.0, 2.0], [3.0, 4.0]])
    v.assign(v.value.T)
    assert v.numpy().tolist() == [[1.0, 3.0], [2.0, 4.0]]
    value = keras.ops.convert_to_numpy(v.value)
    v.assign_add(1.0)
    assert value.tolist() == [[1.0, 3.0], [2.0, 4.0]]


def test_prediction_records_no_gradients() -> None:
    model = small()
    model.compile("sgd", "mse")
    seen = []
    call = model.layers[0].call
    model.layers[0].call = lambda *a, **k: seen.append(torch.is_grad_enabled()) or call(*a, **k)
    model.predict(X.numpy(), verbose=0)
    model.evaluate(X.numpy(), Y.numpy(), verbose=0)
    assert seen and not any(seen)
    seen.clear()
    model.fit(X.numpy(), Y.numpy(), verbose=0)
    assert seen[-1]


def test_a_captured_value_counts_as_a_constant_in_nested_gradients() -> None:
    # d/dx [x * d/dy (x + y)] = 1, as long as the x inside is not taken for y
    outer = keras.grad(lambda x: x * keras.grad(lambda y: x + y)(x))
    assert float(outer(torch.tensor(3.0))) == 1.0


# --- programs ----------------------------------------------------------------------------------------------------


def test_a_function_that_goes_by_values_runs_step_by_step() -> None:
    @keras.jit
    def halved(x):
        while bool(keras.ops.max(x) > 1):
            x = x / 2
        return x

    with pytest.warns(UserWarning, match="goes by values.*eager speed"):
        assert halved(torch.tensor([8.0, 2.0])).tolist() == [1.0, 0.25]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert halved(torch.tensor([4.0, 2.0])).tolist() == [1.0, 0.5]


@pytest.fixture
def equal_random():
    """The same random numbers step by step and in programs."""
    keras.config.set_reproducible_random(True)
    yield
    keras.config.set_reproducible_random(None)


@pytest.mark.usefixtures("equal_random")
@pytest.mark.parametrize("compiler", ["inductor", "nothing_of_this_name"])
def test_jit_compile_is_as_eager(compiler, monkeypatch) -> None:
    monkeypatch.setenv("HORNBEAM_TORCH_COMPILER", compiler)
    results = []
    for jit in (False, True):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([
            keras.Input((3,)), L.Dense(4, activation="tanh"), L.BatchNormalization(), L.Dropout(0.2), L.Dense(1),
        ])  # fmt: skip
        model.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"], jit_compile=jit)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history = model.fit(X.numpy(), Y.numpy(), epochs=3, batch_size=4, verbose=0).history
        loud = any("could not compile" in str(one.message) for one in caught)
        assert loud == (jit and compiler != "inductor")
        results.append((history, model.get_weights()))
    for name in results[0][0]:
        np.testing.assert_allclose(results[0][0][name], results[1][0][name], rtol=1e-4)
    for a, b in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def _transformer() -> keras.Model:
    inputs = keras.Input((6,), dtype="int32")
    hidden = L.Embedding(20, 8)(inputs)
    hidden = L.LayerNormalization()(L.Add()([hidden, L.MultiHeadAttention(2, 4)(hidden, hidden)]))
    return keras.Model(inputs, L.Dense(3)(L.GlobalAveragePooling1D()(hidden)))


MODELS = {
    "mlp": (small, (8, 3)),
    "convolutions": (
        lambda: keras.Sequential([
            keras.Input((9, 9, 2)), L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(2), L.BatchNormalization(),
            L.AveragePooling2D(2), L.Flatten(), L.Dropout(0.3), L.Dense(2, activation="softmax"),
        ]),
        (4, 9, 9, 2),
    ),
    "transformer": (_transformer, (2, 6)),
    "subclass": (Mixed, (8, 3)),
}  # fmt: skip


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`")
@pytest.mark.usefixtures("equal_random")
def test_torch_compile_follows_models_as_a_whole(name, training) -> None:
    make, shape = MODELS[name]
    x = torch.ones(shape, dtype=torch.int32) if name == "transformer" else torch.linspace(-1, 1, 648)[: np.prod(shape)]
    model, x = make(), x.reshape(shape)
    model(x)
    states = [one.numpy() for one in model.variables]
    wanted = model(x, training=training)
    after = [one.numpy() for one in model.variables]
    for variable, state in zip(model.variables, states, strict=True):
        variable.assign(state)
    torch._dynamo.reset()
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x, training=training), wanted)
    for variable, state in zip(model.variables, after, strict=True):
        np.testing.assert_allclose(variable.numpy(), state, rtol=1e-6)


# --- updates of all variables at once ----------------------------------------------------------------------------


def steps_of(optimizer: keras.optimizers.Optimizer, together: bool) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    variables = [keras.Variable(rng.normal(size=size).astype("float32")) for size in ((3, 4), (4,), (2, 2, 3), ())]
    if not together:
        optimizer._apart = True
        optimizer._kernel = lambda: None
    for _ in range(4):
        optimizer.apply([rng.normal(size=tuple(one.shape)).astype("float32") for one in variables], variables)
    return [one.numpy() for one in (*variables, *optimizer.variables)]


OPTIMIZERS = {
    "Adam": {}, "Adam/amsgrad": {"amsgrad": True}, "Adam/clipnorm": {"clipnorm": 0.5}, "AdamW": {},
    "Adam/schedule": {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)},
    "SGD": {}, "SGD/momentum": {"momentum": 0.9}, "SGD/nesterov": {"momentum": 0.9, "nesterov": True},
    "SGD/decay": {"weight_decay": 0.1}, "Adam/ema": {"use_ema": True}, "Adam/accumulation": {
        "gradient_accumulation_steps": 2}, "RMSprop": {"momentum": 0.5, "centered": True}, "Adagrad": {},
    "Adadelta": {}, "Adamax": {}, "Nadam": {}, "Lion": {}, "Ftrl": {"l1_regularization_strength": 0.01},
    "Adafactor": {}, "Lamb": {},
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates_together_are_those_one_by_one(name) -> None:
    make = getattr(keras.optimizers, name.split("/")[0])
    found, wanted = (steps_of(make(**OPTIMIZERS[name]), together) for together in (True, False))
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "apart"), [("Adagrad", False), ("RMSprop", False), ("Lion", False), ("Lamb", True)])
def test_which_updates_are_made_together(name, apart) -> None:
    optimizer = getattr(keras.optimizers, name)()
    values = [torch.ones(2, 2), torch.ones(3)]
    optimizer.apply(values, [keras.Variable(one) for one in values])
    assert optimizer._apart is apart


def test_an_update_of_ones_own_runs_together() -> None:
    class Own(keras.optimizers.Optimizer):
        calls = 0

        def update_step(self, gradient, variable, learning_rate):
            type(self).calls += 1
            variable.assign_sub(learning_rate * keras.ops.sign(gradient))

    variables = [keras.Variable([1.0, 1.0]), keras.Variable([[2.0]])]
    Own(0.5).apply([torch.tensor([3.0, -3.0]), torch.tensor([[1.0]])], variables)
    assert [one.numpy().tolist() for one in variables] == [[0.5, 1.5], [[1.5]]]


@pytest.mark.parametrize("rows", [2, 20_000])  # few are looked at, many are clamped
def test_probabilities_beyond_their_bounds_have_a_bounded_loss_and_no_gradient(rows: int) -> None:
    logits = torch.zeros(rows, 2, requires_grad=True)
    with torch.no_grad():
        logits[0] = torch.tensor([100.0, -100.0])
    loss = keras.ops.sparse_categorical_crossentropy(torch.ones(rows, dtype=torch.int64), keras.ops.softmax(logits))
    np.testing.assert_allclose(loss[:2].detach(), [-np.log(1e-7), np.log(2.0)], rtol=1e-5)
    loss.sum().backward()
    assert logits.grad is not None
    np.testing.assert_allclose(logits.grad[:2], [[0.0, 0.0], [0.5, -0.5]], atol=1e-6)
    nothing = torch.full((rows, 2), float("nan"), requires_grad=True)
    labels = torch.ones(rows, dtype=torch.int64)
    assert keras.ops.sparse_categorical_crossentropy(labels, keras.ops.softmax(nothing)).isnan().all()


# --- placement ---------------------------------------------------------------------------------------------------


def test_devices() -> None:
    assert "cpu:0" in keras.devices() if hasattr(keras, "devices") else backend.devices()
    with backend.device("cpu"):
        assert keras.ops.zeros((2,)).device.type == "cpu"
    with backend.device("meta"):
        assert keras.ops.zeros((2,)).device.type == "meta"
    with pytest.raises(ValueError, match="one of the devices"):
        backend.device("cuda:99").__enter__()


_DRAWS = {
    "normal": lambda seed: keras.random.normal((3,), mean=1.0, stddev=2.0, seed=seed),
    "truncated_normal": lambda seed: keras.random.truncated_normal((3,), stddev=2.0, seed=seed),
    "uniform": lambda seed: keras.random.uniform((3,), 1.0, 2.0, seed=seed),
    "randint": lambda seed: keras.random.randint((3,), 0, 9, seed=seed),
    "dropout": lambda seed: keras.random.dropout(keras.ops.ones((3,)), 0.5, seed=seed),
    "shuffle": lambda seed: keras.random.shuffle(keras.ops.ones((3,)), seed=seed),
    "categorical": lambda seed: keras.random.categorical(keras.ops.ones((1, 3)), 3, seed=seed),
}


@pytest.mark.parametrize("name", _DRAWS)
def test_numbers_drawn_on_one_device_leave_nothing_behind_for_others(name: str) -> None:
    _DRAWS[name](None)  # the global generator has its state here
    for seed in (1, None):
        with backend.device("meta"):
            assert _DRAWS[name](seed).device.type == "meta"
        assert _DRAWS[name](seed).device.type == "cpu"


def test_numbers_lie_where_the_state_of_their_generator_lies() -> None:
    generator = keras.random.SeedGenerator(3)
    with backend.device("meta"):
        for draw in (keras.random.normal, keras.random.uniform, keras.random.truncated_normal):
            assert draw((3,), seed=generator).device.type == "cpu"
