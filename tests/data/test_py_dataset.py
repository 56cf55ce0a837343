"""PyDataset: its arguments, its order of calls, and its workers, in threads and in processes."""

import contextlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from hornbeam.data.py_dataset import PyDataset, Sequence
from hornbeam.training.data import open_source

pytestmark = pytest.mark.backend_free

WORKERS = [
    pytest.param({"workers": 0}, id="no worker"),
    pytest.param({"workers": 1}, id="one thread"),
    pytest.param({"workers": 3, "max_queue_size": 2}, id="three threads"),
    pytest.param({"workers": 2, "use_multiprocessing": True}, id="two processes"),
]
AHEAD = WORKERS[1:]
PROCESSES = {"workers": 2, "use_multiprocessing": True}


class Items(PyDataset):
    """Batches of the squares of their numbers; `fault` makes the one with number 2 fail in some way."""

    def __init__(self, count=8, fault=None, **kwargs):
        super().__init__(**kwargs)
        self.count, self.fault = count, fault

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if index == 2:
            match self.fault:
                case "raise":
                    raise KeyError("the original")
                case "unpicklable":
                    raise Unpicklable(threading.Lock())
                case "exit":
                    os._exit(3)
                case "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "stop":
                    raise StopIteration("inside")
                case "hang":
                    time.sleep(60)
                case "result":
                    return (lambda: 0,)
        return np.full((2, 3), index), np.full(2, index**2)


class Unpicklable(Exception):
    pass


@pytest.fixture(params=["fork", "spawn", "forkserver"])
def start_method(request):
    if request.param not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this platform has no start method {request.param!r}")
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method(request.param, force=True)
    yield request.param
    multiprocessing.set_start_method(before, force=True)


def all_gone():
    until = time.monotonic() + 5
    while multiprocessing.active_children() or any(one.name == "hornbeam-data" for one in threading.enumerate()):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def run(dataset, epochs=1, **kwargs):
    source = open_source(dataset, **kwargs)
    seen = []
    try:
        for epoch in range(epochs):
            source.begin_epoch(epoch)
            seen.append(list(source.batches()))
            source.end_epoch()
    finally:
        source.close()
    return seen


# ---- the class -----------------------------------------------------------------------------------------------------


def test_defaults_and_setters():
    dataset = Items()
    assert (dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size) == (1, False, 10)
    dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size = 4, True, 3
    assert (dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size) == (4, True, 3)
    assert Sequence is PyDataset


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"workers": -1}, ValueError), ({"workers": "2"}, TypeError), ({"workers": 1.5}, TypeError),
     ({"workers": True}, TypeError), ({"max_queue_size": 0}, ValueError), ({"max_queue_size": None}, TypeError),
     ({"use_multiprocessing": "yes"}, TypeError)],
)  # fmt: skip
def test_bad_arguments(options, kind):
    with pytest.raises(kind, match=f"PyDataset.{next(iter(options))}"):
        Items(**options)


def test_what_a_subclass_must_define():
    class Empty(PyDataset):
        pass

    with pytest.raises(NotImplementedError, match="Empty to define __getitem__"):
        Empty()[0]
    with pytest.raises(NotImplementedError, match="Empty to define __len__"):
        _ = Empty().num_batches
    with pytest.raises(NotImplementedError, match="steps_per_epoch"):
        open_source(Empty())
    with pytest.raises(TypeError):
        len(Empty())


def test_iterating_gives_one_pass():
    assert [int(x[0, 0]) for x, _ in Items(3)] == [0, 1, 2]
    assert Items(3).num_batches == 3


def test_num_batches_alone_is_enough():
    class Three(PyDataset):
        num_batches = 3

        def __getitem__(self, index):
            return (np.full(1, index),)

    source = open_source(Three())
    assert source.steps == 3 and len(list(source.batches())) == 3
    source.close()


def test_a_subclass_may_forget_the_constructor():
    class Forgetful(PyDataset):
        def __init__(self):
            self.two = 2

        def __len__(self):
            return self.two

        def __getitem__(self, index):
            return (np.full(1, index),)

    assert len(run(Forgetful())[0]) == 2


def test_look_alikes_serve_as_well():
    class Old:  # as keras.utils.Sequence of Keras 2 was
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return np.full(1, index), np.full(1, index)

        def on_epoch_end(self):
            self.ended = True

    old = Old()
    assert len(run(old)[0]) == 2 and old.ended


# ---- workers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", WORKERS)
def test_batches_come_in_order_and_whole(options):
    epochs = run(Items(20, **options), epochs=2)
    for epoch in epochs:
        assert [int(x[0, 0]) for x, _ in epoch] == list(range(20))
        assert all(x.shape == (2, 3) and (y == x[:, 0] ** 2).all() for x, y in epoch)
        assert all(x.flags.writeable for x, _ in epoch)
    assert all_gone()


@pytest.mark.parametrize("options", WORKERS)
def test_shuffle_orders_the_batches_anew_and_deterministically(options):
    def order(seed):
        epochs = run(Items(20, **options), epochs=2, shuffle=True, rng=np.random.default_rng(seed))
        return [[int(x[0, 0]) for x, _ in epoch] for epoch in epochs]

    one, two = order(0)
    assert sorted(one) == sorted(two) == list(range(20)) and one != two and list(range(20)) not in (one, two)
    assert order(0) == [one, two] != order(1)


def test_slow_batches_are_made_at_the_same_time():
    class Slow(Items):
        def __getitem__(self, index):
            time.sleep(0.05)
            return super().__getitem__(index)

    start = time.monotonic()
    run(Slow(16, workers=8))
    assert time.monotonic() - start < 0.5  # one after the other they take 0.8


def test_no_more_than_max_queue_size_are_made_ahead():
    made = []

    class Seen(Items):
        def __getitem__(self, index):
            made.append(index)
            return super().__getitem__(index)

    source = open_source(Seen(50, workers=2, max_queue_size=4))
    batches = source.batches()
    next(batches)
    time.sleep(0.1)
    assert 4 <= len(made) <= 5
    source.close()
    assert all_gone()


@pytest.mark.parametrize("options", WORKERS)
def test_order_of_calls(options):
    calls = []

    class Told(Items):
        def on_epoch_begin(self):
            calls.append("begin")

        def on_epoch_end(self):
            calls.append("end")

        def __getitem__(self, index):
            calls.append(index)
            return super().__getitem__(index)

    run(Told(2, **options), epochs=2)
    if options.get("use_multiprocessing"):
        assert calls == ["begin", "end"] * 2  # the items are made elsewhere
    else:
        for part in (calls[:4], calls[4:]):
            assert part[0] == "begin" and part[3] == "end" and sorted(part[1:3]) == [0, 1]


class Reshuffled(PyDataset):
    """What `on_epoch_end` and a callback change must reach the workers of the next epoch."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.offset = 0

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return (np.full(1, index + self.offset),)

    def on_epoch_end(self):
        self.offset += 10


@pytest.mark.parametrize("options", WORKERS)
def test_workers_see_what_changed_between_epochs(options):
    seen = [[int(x[0]) for (x,) in epoch] for epoch in run(Reshuffled(**options), epochs=3)]
    assert seen == [[0, 1, 2], [10, 11, 12], [20, 21, 22]]


class Draws(Items):
    def __getitem__(self, index):
        return np.random.rand(1), np.array([random.random()]), np.array([os.getpid()])


# ---- processes -----------------------------------------------------------------------------------------------------


def test_every_start_method_works(start_method):
    epochs = run(Reshuffled(**PROCESSES), epochs=2)
    assert [[int(x[0]) for (x,) in epoch] for epoch in epochs] == [[0, 1, 2], [10, 11, 12]]
    assert all_gone()


def test_global_random_numbers_differ_between_batches_and_repeat_with_the_seed():
    before = np.random.get_state()[1].tolist()

    def draw(seed, workers):
        epochs = run(Draws(6, use_multiprocessing=True, workers=workers), epochs=2, rng=np.random.default_rng(seed))
        batches = [batch for epoch in epochs for batch in epoch]
        assert os.getpid() not in {int(pid[0]) for _, _, pid in batches}
        return [(float(x[0]), float(y[0])) for x, y, _ in batches]

    draws = draw(0, 2)
    assert len(set(draws)) == 12
    assert draw(0, 3) == draws != draw(1, 2)
    assert np.random.get_state()[1].tolist() == before


def test_large_and_odd_arrays_pass_through_the_pipe():
    class Odd(Items):
        def __getitem__(self, index):
            big = np.arange(500_000, dtype="float32").reshape(1000, 500)
            return {"big": big, "turned": big.T, "cut": big[::2], "empty": np.zeros((0, 3)), "text": ["a", "bc"]}, None

    for x, y in run(Odd(3, **PROCESSES))[0]:
        assert y is None and x["empty"].shape == (0, 3) and x["text"].tolist() == ["a", "bc"]
        np.testing.assert_array_equal(x["turned"].T, x["big"])
        np.testing.assert_array_equal(x["cut"], x["big"][::2])


def test_unpicklable_dataset_needs_fork(start_method):
    dataset = Items(4, **PROCESSES)
    dataset.lock = threading.Lock()
    if start_method == "fork":
        assert len(run(dataset)[0]) == 4
    else:
        with pytest.raises(TypeError, match="a dataset that can be pickled"):
            run(dataset)
    assert all_gone()


# ---- failures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", WORKERS)
def test_the_original_error_comes_with_its_index_after_the_batches_before_it(options):
    source = open_source(Items(fault="raise", **options))
    batches = source.batches()
    assert [int(x[0, 0]) for x, _ in (next(batches), next(batches))] == [0, 1]
    start = time.monotonic()
    with pytest.raises(KeyError, match="the original") as caught:
        next(batches)
    assert time.monotonic() - start < 5
    assert "Items[2]" in "".join(caught.value.__notes__)
    source.close()
    assert all_gone()


@pytest.mark.parametrize("options", WORKERS)
def test_stop_iteration_inside_an_item_does_not_end_the_epoch(options):
    with pytest.raises(RuntimeError, match="batch 2, got StopIteration"):
        run(Items(fault="stop", **options))
    assert all_gone()


@pytest.mark.parametrize("fault", ["exit", "kill"])
def test_a_dead_process_is_noticed(fault):
    start = time.monotonic()
    code = "3" if fault == "exit" else "-9"
    with pytest.raises(RuntimeError, match=rf"batch 2 from a worker process.*exit code {code}\)"):
        run(Items(fault=fault, **PROCESSES))
    assert time.monotonic() - start < 5
    assert all_gone()


@pytest.mark.parametrize(("fault", "text"), [("unpicklable", "raise Unpicklable"), ("result", "ickle")])
def test_what_cannot_be_pickled_comes_as_text(fault, text):
    with pytest.raises(RuntimeError, match=text):
        run(Items(fault=fault, **PROCESSES))
    assert all_gone()


@pytest.mark.parametrize("options", AHEAD)
def test_leaving_early_stops_the_workers(options):
    source = open_source(Items(1000, **options))
    batches = source.batches()
    next(batches)
    del batches
    source.close()
    assert all_gone()


def test_closing_ends_processes_that_hang():
    source = open_source(Items(fault="hang", **PROCESSES))
    batches = source.batches()
    next(batches)
    time.sleep(0.1)
    start = time.monotonic()
    source.close()
    source.close()
    assert time.monotonic() - start < 3
    assert all_gone()


SCRIPT = r"""
import os, sys, time
import multiprocessing
import numpy as np
from hornbeam.data.py_dataset import PyDataset
from hornbeam.training.data import open_source

class Slow(PyDataset):
    def __len__(self):
        return 100
    def __getitem__(self, index):
        os.write(1, b"%d\n" % os.getpid())
        time.sleep(0.2)
        return (np.zeros(1),)

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    source = open_source(Slow(workers=2, use_multiprocessing=True))
    try:
        for batch in source.batches():
            os.write(1, b"batch\n")
    finally:
        if sys.argv[2] == "close":
            source.close()
"""


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # a process that has ended but whose new parent has not looked yet
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to a whole console, this test's too")
@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize(("ending", "sent"), [("close", "SIGINT"), ("leave", "SIGINT"), ("leave", "SIGKILL")])
def test_no_process_outlives_the_program(tmp_path, method, ending, sent):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with (tmp_path / "errors").open("w+") as errors:
        program = subprocess.Popen(
            [sys.executable, str(script), method, ending],
            stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )  # fmt: skip
        pids, batches = set(), 0
        try:
            while batches < 3:
                line = program.stdout.readline()
                assert line, (tmp_path / "errors").read_text()
                if line == "batch\n":
                    batches += 1
                else:
                    pids.add(int(line))
            assert len(pids) == 2
            if sent == "SIGINT":
                os.killpg(program.pid, signal.SIGINT)  # as a terminal does: to all of the group
            else:
                program.kill()
            program.wait(10)
            until = time.monotonic() + 5
            while any(alive(pid) for pid in pids) and time.monotonic() < until:
                time.sleep(0.02)
            assert not [pid for pid in pids if alive(pid)]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait(10)
            program.stdout.close()
    text = (tmp_path / "errors").read_text()
    if sent == "SIGINT":
        assert text.rstrip().endswith("KeyboardInterrupt") and text.count("Traceback") == 1, text


def test_an_unguarded_program_is_told_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        SCRIPT.replace('if __name__ == "__main__":', "if True:").replace(
            "multiprocessing.set_start_method(sys.argv[1])", 'multiprocessing.set_start_method("spawn", force=True)'
        )
    )
    program = subprocess.run(
        [sys.executable, str(script), "spawn", "close"], capture_output=True, text=True, timeout=30, check=False,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert program.returncode == 1
    assert "guarded by `if __name__" in program.stderr
