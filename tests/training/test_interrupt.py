"""Ctrl-C and other exceptions in the middle of fit: variables whole, the line ended, no worker left, fit goes on."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

import hornbeam as keras
from hornbeam._interrupts import interrupts_held
from hornbeam.backend import active as backend
from tests.needs import needs_gradients

pytestmark = needs_gradients

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
Y = X[:, :1] * 2


def compiled(**arguments):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, "tanh"), keras.layers.Dropout(0.1), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.03), "mse", **arguments)
    return model


def assert_usable(model):
    """All variables can be read and hold numbers, and training goes on and learns."""
    for variable in [*model.variables, *model.optimizer.variables, *model.metrics_variables]:
        assert np.isfinite(np.asarray(variable.numpy(), "float64")).all(), variable.path
    losses = model.fit(X, Y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * float(np.mean(Y**2))


class RaisesAt(keras.callbacks.Callback):
    """Raises at one hook, the second time it is called."""

    def __init__(self, hook, problem):
        super().__init__()
        calls = []

        def raising(*args, **kwargs):
            calls.append(0)
            if len(calls) == 2:
                raise problem

        self.__class__ = type("RaisesAt", (keras.callbacks.Callback,), {hook: staticmethod(raising)})


HOOKS = [
    "on_epoch_begin",
    "on_epoch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_batch_end",
    "on_test_end",
]


@pytest.mark.parametrize(
    ("hook", "problem"), [*((hook, KeyboardInterrupt) for hook in HOOKS), ("on_train_batch_end", RuntimeError)]
)
def test_exception_in_a_callback(hook, problem):
    model = compiled()
    with pytest.raises(problem):
        model.fit(
            X,
            Y,
            batch_size=16,
            epochs=3,
            verbose=0,
            validation_data=(X, Y),
            callbacks=[RaisesAt(hook, problem("stop"))],
        )
    assert_usable(model)


def test_variables_are_those_of_the_last_batch_done():
    model = compiled()
    seen = []

    class Stops(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.get_weights())
            if len(seen) == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=16, verbose=0, callbacks=[Stops()])
    for mine, theirs in zip(model.get_weights(), seen[-1], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert int(model.optimizer.iterations) == 3


@pytest.mark.parametrize("verbose", [1, 2])
def test_the_line_of_the_progress_bar_is_ended(verbose, capsys):
    model = compiled()
    with pytest.raises(KeyboardInterrupt):
        model.fit(
            X,
            Y,
            batch_size=8,
            epochs=2,
            verbose=verbose,
            callbacks=[RaisesAt("on_train_batch_end", KeyboardInterrupt())],
        )
    text = capsys.readouterr().out
    assert text.startswith("Epoch 1/2") and text.endswith("\n")


def test_history_keeps_the_epochs_that_were_done():
    model = compiled()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=5, verbose=0, callbacks=[RaisesAt("on_epoch_begin", KeyboardInterrupt())])
    assert model.history.epoch == [0] and len(model.history.history["loss"]) == 1


class Rows(keras.utils.PyDataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return X[index * 8 : index * 8 + 8], Y[index * 8 : index * 8 + 8]


def endless():
    while True:
        yield X[:8], Y[:8]


def a_loader():
    torch = pytest.importorskip("torch", reason="a DataLoader needs torch")
    return torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), batch_size=8
    )


def a_table(folder, **how):
    """The same rows from a file, read in blocks, its columns put together by workers."""
    pytest.importorskip("pyarrow", reason="the data extra")
    lines = [",".join(map(str, [*row, target[0]])) for row, target in zip(X.tolist(), Y.tolist(), strict=True)]
    path = folder / "rows.csv"
    path.write_text("\n".join(["a,b,c,d,target", *lines]) + "\n")
    data = keras.data.table_dataset(path, "target", batch_size=8, memory=400, seed=1, verbose=False)
    return data.map(_columns_together, workers=2, **how)


def _columns_together(columns, target):
    return np.stack([columns[name] for name in "abcd"], 1), np.asarray(target).reshape(-1, 1)


SOURCES = {
    "threads": (lambda: Rows(workers=3, max_queue_size=4), {}),
    "processes": (lambda: Rows(workers=2, use_multiprocessing=True), {}),
    "generator": (endless, {"steps_per_epoch": 8}),
    "torch": (a_loader, {}),
    "table, threads": (a_table, {}),
    "table, processes": (lambda folder: a_table(folder, processes=True), {}),
}


@pytest.mark.parametrize("source", SOURCES)
def test_no_worker_is_left(source, tmp_path):
    import multiprocessing

    make, arguments = SOURCES[source]
    model = compiled()
    before = set(threading.enumerate())
    data = make(tmp_path) if source.startswith("table") else make()
    with pytest.raises(KeyboardInterrupt):
        model.fit(
            data, epochs=2, verbose=0, callbacks=[RaisesAt("on_train_batch_end", KeyboardInterrupt())], **arguments
        )
    started = {one for one in set(threading.enumerate()) - before if "hornbeam-table" not in one.name}
    for thread in started:  # that of a table waits for more as long as there is the table
        thread.join(5.0)
    left = [one for one in started if one.is_alive() and (not one.daemon or "hornbeam" in one.name)]
    assert not left and not multiprocessing.active_children()
    assert_usable(model)
    assert len(model.fit(data, epochs=2, verbose=0, **arguments).epoch) == 2


def failing_after(count):
    def batches():
        for _ in range(count):
            yield X[:8], Y[:8]
        raise OSError("the disk is gone")

    return batches()


class FailingRows(Rows):
    def __getitem__(self, index):
        if index == 5:
            raise OSError("the disk is gone")
        return super().__getitem__(index)


@pytest.mark.parametrize(
    "source",
    [lambda: failing_after(5), FailingRows, lambda: FailingRows(workers=2)],
    ids=["generator", "dataset", "workers"],
)
@pytest.mark.parametrize("arguments", [{}, {"steps_per_execution": 4}], ids=["single", "fused"])
def test_a_source_that_fails_within_an_epoch(source, arguments):
    model = compiled(**arguments)
    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(source(), epochs=2, verbose=0)
    assert_usable(model)


@pytest.mark.skipif(not backend.compile_default, reason="steps run eagerly here, and what they did before stays done")
def test_train_step_that_raises_changes_nothing():
    class Breaks(keras.Model):
        broken = True

        def train_step(self, data):
            logs = super().train_step(data)
            if self.broken:
                raise RuntimeError("inside train_step")
            return logs

    inputs = keras.Input((4,))
    model = Breaks(inputs, keras.layers.Dense(1)(inputs))
    model.compile(keras.optimizers.Adam(0.1), "mse")
    before = model.get_weights()
    for _ in range(2):  # the second time it is not compiled either
        with pytest.raises(RuntimeError, match="inside train_step"):
            model.fit(X, Y, verbose=0)
        for mine, theirs in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    assert int(model.optimizer.iterations) == 0
    model.broken = False
    assert_usable(model)


# --- real signals -----------------------------------------------------------------------------------------------------

_PROGRAM = """
import os, random, signal, sys, threading, time
import numpy as np
import hornbeam as keras

fused = sys.argv[1] == "fused"
model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(64, "tanh"), keras.layers.BatchNormalization(),
                          keras.layers.Dropout(0.2), keras.layers.Dense(1)])
model.compile("adam", "mse")
x = np.random.default_rng(0).normal(size=(4096, 16)).astype("float32")
y = x[:, :1]

class EachBatch(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass

callbacks = [] if fused else [EachBatch()]
model.fit(x, y, epochs=2, verbose=0, callbacks=callbacks)  # compiled
random.seed(0)
for number in range(25):
    before = int(model.optimizer.iterations)
    timer = threading.Timer(random.uniform(0.005, 0.08), lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        model.fit(x, y, epochs=10**6, verbose=0, callbacks=callbacks)
    except KeyboardInterrupt:
        pass
    timer.join()
    for variable in [*model.variables, *model.optimizer.variables, *model.metrics_variables]:
        assert np.isfinite(variable.numpy().astype("float64")).all(), variable.path
    assert int(model.optimizer.iterations) > before or number < 25
losses = model.fit(x, y, epochs=2, verbose=0, callbacks=callbacks).history["loss"]
assert np.isfinite(losses).all()
left = [one for one in threading.enumerate() if one is not threading.main_thread() and not one.daemon]
assert not left, left

print("Now on a terminal's last line:")
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
model.fit(x, y, epochs=10**6)
"""


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_PROGRAM), *arguments], capture_output=True, text=True, timeout=120,
        cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("steps", ["fused", "single"])
def test_real_signals(steps):
    done = run(steps)
    assert "Now on a terminal's last line:" in done.stdout, done.stderr[-2000:]
    assert done.stdout.endswith("\n") and done.stderr.rstrip().endswith("KeyboardInterrupt")
    assert done.returncode in (130, -signal.SIGINT)


def test_a_signal_waits_until_state_is_whole():
    steps = []
    with pytest.raises(KeyboardInterrupt):
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            steps.append("inside")
        steps.append("never")
    assert steps == ["inside"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_signals_are_left_alone_where_they_are_not_ours():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts_held():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(interrupts_held().__enter__()))
    thread.start()
    thread.join()
    assert seen == [None] and signal.getsignal(signal.SIGINT) is before
