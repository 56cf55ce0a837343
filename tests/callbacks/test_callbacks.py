"""Callbacks: against Keras by made-up results, and in real runs."""

import json
from pathlib import Path

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import callbacks
from tests.callbacks import cases
from tests.needs import needs_gradients

ORACLE = json.loads(Path(__file__).with_name("oracle.json").read_text(encoding="utf-8"))
# where this library differs on purpose
GAPS = {
    "stopping/NaN": "in Keras a NaN in the first epoch is the best for ever",
    "stopping/NaN first": "in Keras a NaN in the first epoch is the best for ever",
}
ROWS = [(group, name) for group, (_, table) in cases.GROUPS.items() for name in table]
FILE_ROWS = [(group, name) for group, (_, table) in cases.FILE_GROUPS.items() for name in table]

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X[:, :1]


def plain(found):
    return json.loads(json.dumps(found))


@pytest.mark.parametrize(("group", "name"), ROWS)
def test_as_keras(group, name):
    found = plain(cases.GROUPS[group][0](keras, name))
    assert (found == ORACLE[f"{group}/{name}"]) is (f"{group}/{name}" not in GAPS), found


@pytest.mark.parametrize(("group", "name"), FILE_ROWS)
def test_files_as_keras(group, name, tmp_path):
    assert plain(cases.FILE_GROUPS[group][0](keras, name, tmp_path)) == ORACLE[f"{group}/{name}"]


def compiled(optimizer="sgd", **arguments):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(optimizer, "mse", **arguments)
    return model


def test_nan_is_no_improvement():
    row = cases.stopping(keras, "NaN")
    assert row["weight"] == 4.0 and row["best"] == 2.0


# --- the base and the list --------------------------------------------------------------------------------------------


class Records(callbacks.Callback):
    def __init__(self, calls, name):
        super().__init__()
        self.calls, self.name = calls, name

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append((self.name, epoch, dict(logs)))
        logs[self.name] = epoch


def test_order_and_logs_handed_on():
    calls = []
    many = callbacks.CallbackList([Records(calls, "a"), [Records(calls, "b")]], model=compiled(), epochs=3, verbose=0)
    logs = {"loss": 1.0}
    many.on_epoch_end(2, logs)
    assert calls == [("a", 2, {"loss": 1.0}), ("b", 2, {"loss": 1.0, "a": 2})]
    assert logs == {"loss": 1.0, "a": 2, "b": 2}
    assert all(one.params == {"epochs": 3, "verbose": 0} and one.model is not None for one in many.callbacks)


@needs_gradients
def test_what_callbacks_add_is_recorded():
    model = compiled()
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[Records([], "mine"), callbacks.History()])
    assert history.history["mine"] == [0, 1]
    assert model.history is history


def test_which_callbacks_want_each_batch():
    class Old(callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            pass

    class Tests(callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            pass

    def wants(*given):
        many = callbacks.CallbackList(list(given), add_progbar=True, add_history=True)
        return [many.need_every_batch(phase) for phase in ("train", "test", "predict")]

    assert wants() == [False] * 3
    assert wants(Old()) == [True, False, False]
    assert wants(Tests()) == [False, True, False]
    assert wants(callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: 0)) == [True, False, False]
    assert wants(callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: 0)) == [False] * 3
    assert wants(callbacks.ModelCheckpoint("a.keras")) == [False] * 3
    assert wants(callbacks.ModelCheckpoint("a.keras", save_freq=2)) == [True, False, False]
    assert wants(callbacks.TerminateOnNaN(), callbacks.EarlyStopping()) == [False] * 3


@needs_gradients
def test_older_names_of_batch_hooks():
    calls = []

    class Old(callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            calls.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            calls.append(("end", batch, sorted(logs)))

    compiled().fit(X, Y, batch_size=12, verbose=0, callbacks=[Old()])
    assert calls == [("begin", 0), ("end", 0, ["loss"]), ("begin", 1), ("end", 1, ["loss"])]


@needs_gradients
def test_lambda_callback():
    calls = []
    one = callbacks.LambdaCallback(
        on_train_begin=lambda logs: calls.append("train"),
        on_epoch_begin=lambda epoch, logs: calls.append(epoch),
        on_epoch_end=lambda epoch, logs: calls.append(sorted(logs)),
        on_train_batch_end=lambda batch, logs: calls.append(type(logs["loss"])),
        on_train_end=lambda logs: calls.append("end"),
        on_test_end=lambda logs: calls.append("test"),
    )
    compiled().fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[one])
    assert calls == ["train", 0, float, "test", ["loss", "val_loss"], "end"]


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: callbacks.LambdaCallback(on_epoch_ends=print), TypeError, "on_epoch_ends"),
        (lambda: callbacks.LambdaCallback(on_epoch_end=3), TypeError, "on_epoch_end"),
        (lambda: callbacks.EarlyStopping(mode="up"), ValueError, "'up'"),
        (lambda: callbacks.ReduceLROnPlateau(factor=1.5), ValueError, "1.5"),
        (lambda: callbacks.ModelCheckpoint("a.h5", save_weights_only=True), ValueError, r"\.weights\.h5"),
        (lambda: callbacks.ModelCheckpoint("a.keras", save_freq=0), ValueError, "save_freq=0"),
        (lambda: callbacks.ModelCheckpoint("a.keras", keep=0), ValueError, "keep=0"),
        (lambda: callbacks.CallbackList([3]), TypeError, "callbacks"),
        (lambda: callbacks.CallbackList([callbacks.History]), TypeError, "instance"),
    ],
)
def test_errors(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


def test_a_number_that_is_not_there():
    model = compiled()
    for one in (
        callbacks.EarlyStopping(),
        callbacks.ReduceLROnPlateau(),
        callbacks.ModelCheckpoint("a.keras", save_best_only=True),
    ):
        one.set_model(model)
        one.set_params({})
        one.on_train_begin()
        one.on_epoch_begin(0)
        with pytest.warns(UserWarning, match="'val_loss', which is not in the logs.*loss"):
            one.on_epoch_end(0, {"loss": 1.0})
        one.on_epoch_end(1, {"loss": 1.0})  # once is enough


# --- in real runs -----------------------------------------------------------------------------------------------------


@needs_gradients
@pytest.mark.parametrize("fused", [True, False])
def test_terminate_on_nan(fused):
    x = X.copy()
    x[13] = np.nan
    model = compiled()
    each = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    seen = []
    with pytest.warns(UserWarning, match="invalid loss nan"):
        history = model.fit(
            x,
            Y,
            batch_size=6,
            epochs=5,
            shuffle=False,
            verbose=0,
            callbacks=[callbacks.TerminateOnNaN(), *([] if fused else [each])],
        )
    assert history.epoch == [0] and np.isnan(history.history["loss"][0])
    assert fused or seen == [0, 1, 2]
    with pytest.raises(RuntimeError, match="nan"):
        compiled().fit(x, Y, verbose=0, callbacks=[callbacks.TerminateOnNaN(raise_error=True)])


@needs_gradients
def test_early_stopping_restores():
    model = compiled(keras.optimizers.SGD(2.0))  # diverges
    history = model.fit(
        X,
        Y,
        epochs=9,
        verbose=0,
        validation_data=(X, Y),
        callbacks=[callbacks.EarlyStopping(patience=2, restore_best_weights=True)],
    )
    best = min(history.history["val_loss"])
    assert len(history.epoch) < 9 and model.evaluate(X, Y, verbose=0) == pytest.approx(best, rel=1e-5)


@needs_gradients
def test_messages(capsys):
    model = compiled(keras.optimizers.SGD(2.0))
    model.fit(
        X, Y, epochs=4, verbose=0, validation_data=(X, Y),
        callbacks=[
            callbacks.EarlyStopping(patience=1, restore_best_weights=True, verbose=1),
            callbacks.ReduceLROnPlateau(patience=1, verbose=1),
            callbacks.LearningRateScheduler(lambda epoch, rate: rate, verbose=1),
        ],
    )  # fmt: skip
    lines = capsys.readouterr().out.splitlines()
    assert "Epoch 1: LearningRateScheduler setting learning rate to 2.0." in lines
    assert any(one.startswith("Epoch 2: ReduceLROnPlateau reducing learning rate to 0.2") for one in lines)
    assert any(one.endswith("early stopping") for one in lines)
    assert "Restoring model weights from the end of the best epoch: 1." in lines


@needs_gradients
def test_learning_rate_in_history_and_in_force():
    model = compiled(keras.optimizers.SGD(0.5))
    history = model.fit(
        X, Y, epochs=3, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: [0.5, 0.0, 0.25][epoch])]
    )
    assert history.history["learning_rate"] == [0.5, 0.0, 0.25]
    frozen = compiled(keras.optimizers.SGD(0.5))
    before = frozen.get_weights()
    frozen.fit(X, Y, epochs=2, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: 0.0)])
    for mine, theirs in zip(frozen.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(ValueError, match="float"):
        model.fit(X, Y, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: "fast")])


@needs_gradients
def test_checkpoint_of_each_epoch_loads(tmp_path):
    model = compiled("adam")
    seen = []

    class Notes(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.predict(X, verbose=0))

    checkpoint = callbacks.ModelCheckpoint(tmp_path / "deep" / "{epoch}.keras", keep=2)
    model.fit(X, Y, epochs=4, verbose=0, callbacks=[Notes(), checkpoint])
    assert [one.name for one in checkpoint.checkpoints()] == ["3.keras", "4.keras"]
    loaded = keras.saving.load_model(tmp_path / "deep" / "3.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), seen[2])
    assert int(loaded.optimizer.iterations) == 3
    assert len(loaded.fit(X, Y, initial_epoch=3, epochs=4, verbose=0).epoch) == 1


@needs_gradients
def test_checkpoint_says_what_it_does(tmp_path, capsys):
    model = compiled()
    path = tmp_path / "best.keras"
    model.fit(
        X,
        Y,
        epochs=2,
        verbose=0,
        validation_data=(X, Y),
        callbacks=[callbacks.ModelCheckpoint(path, save_best_only=True, verbose=1)],
    )
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Epoch 1: val_loss improved from inf to ") and first.endswith(f"saving model to {path}")
    assert second.startswith("Epoch 2: val_loss improved from ") and "inf" not in second
    with pytest.raises(ValueError, match="val_los"):
        model.fit(X, Y, verbose=0, callbacks=[callbacks.ModelCheckpoint(tmp_path / "{val_los}.keras")])


@needs_gradients
def test_csv_of_a_run(tmp_path):
    path = tmp_path / "log.csv"
    history = compiled(metrics=["mae"]).fit(
        X, Y, epochs=3, verbose=0, validation_data=(X, Y), validation_freq=2, callbacks=[callbacks.CSVLogger(path)]
    )
    lines = [one.split(",") for one in path.read_text(encoding="utf-8").splitlines()]
    assert lines[0] == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [one[0] for one in lines[1:]] == ["0", "1", "2"] and lines[1][3:] == ["NA", "NA"]
    assert [float(one[1]) for one in lines[1:]] == pytest.approx(history.history["loss"])


@needs_gradients
def test_csv_is_closed_when_interrupted(tmp_path):
    path = tmp_path / "log.csv"

    class Stops(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    one = callbacks.CSVLogger(path)
    with pytest.raises(KeyboardInterrupt):
        compiled().fit(X, Y, epochs=3, verbose=0, callbacks=[one, Stops()])
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2
    assert one._file is None


@needs_gradients
@pytest.mark.parametrize("at_epochs", [False, True])
def test_averages_stand_in_for_evaluation(at_epochs):
    model = compiled(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9))
    seen = {}

    class Looks(callbacks.Callback):
        def on_test_end(self, logs=None):
            seen["test"] = self.model.get_weights()

        def on_epoch_end(self, epoch, logs=None):
            seen["epoch"] = self.model.get_weights()

        def on_train_batch_end(self, batch, logs=None):
            seen["train"] = self.model.get_weights()
            seen["average"] = [one.numpy() for one in self.model.optimizer.variables if "average" in one.path]

    swap = callbacks.SwapEMAWeights(swap_on_epoch=at_epochs)
    model.fit(X, Y, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[Looks(), swap, Looks()])
    np.testing.assert_allclose(seen["epoch"][0], seen["average" if at_epochs else "train"][0])
    model.evaluate(X, Y, verbose=0, callbacks=[swap])
    with pytest.raises(ValueError, match="use_ema=True"):
        compiled().evaluate(X, Y, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
