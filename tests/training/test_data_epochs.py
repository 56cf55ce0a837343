"""What goes on over epochs of data, and at which batch training goes on that was interrupted.

Expectations marked "as Keras" are what a `train_step` of PyPI's keras 3.15.1 was seen to get with shuffle=False.
"""

import itertools
import json
import threading
import time

import numpy as np
import pytest

from hornbeam.data.dataset import Dataset
from hornbeam.training.data import open_source
from tests.training.data_cases import Counted, X, epochs, first_values, loader, no_thread_left, read, tf_dataset

# ---- epochs: three batches 0, 1, 2; as Keras -----------------------------------------------------------------------


class Again:
    def __iter__(self):
        return ((np.full((2, 1), i),) for i in range(3))


KINDS = {
    "arrays": (lambda: np.arange(3).repeat(2), {"batch_size": 2}),
    "PyDataset": (Counted, {}),
    "PyDataset workers=0": (lambda: Counted(workers=0), {}),
    "PyDataset workers=3": (lambda: Counted(workers=3), {}),
    "iterable": (Again, {}),
    "DataLoader": (loader, {}),
    "tf.data": (tf_dataset, {}),
}
EPOCHS = {
    None: ([[0, 1, 2], [0, 1, 2], [0, 1, 2]], 0),
    1: ([[0], [1], [2], [0]], 0),
    2: ([[0, 1], [2], [0, 1], [2]], 2),
    3: ([[0, 1, 2], [0, 1, 2]], 0),
    4: ([[0, 1, 2], [0, 1, 2]], 2),
}


@pytest.mark.parametrize("steps", EPOCHS)
@pytest.mark.parametrize("kind", KINDS)
def test_epochs_of_data_that_start_again(kind, steps):
    make, options = KINDS[kind]
    source = open_source(make(), steps=steps, **options)
    expected, ran_out = EPOCHS[steps]
    assert source.steps == (steps or (None if kind == "iterable" else 3))
    assert epochs(source, len(expected)) == (expected, ran_out)
    assert no_thread_left()


@pytest.mark.parametrize(
    ("steps", "expected", "ran_out"),
    [
        (None, [[0, 1, 2], []], 1),
        (1, [[0], [1], [2], []], 1),
        (2, [[0, 1], [2], []], 2),
        (4, [[0, 1, 2], []], 2),
    ],
)
@pytest.mark.parametrize("wrap", [lambda generator: generator, lambda generator: iter(list(generator))])
def test_epochs_of_what_can_be_read_once(steps, expected, ran_out, wrap):
    source = open_source(wrap((np.full((2, 1), i),) for i in range(3)), steps=steps)
    assert epochs(source, len(expected)) == (expected, ran_out)


@pytest.mark.parametrize("kind", KINDS)
def test_reset_starts_again(kind):  # as each validation run of Keras does
    make, options = KINDS[kind]
    source = open_source(make(), steps=1, **options)
    seen = []
    for _ in range(3):
        source.reset()
        source.begin_epoch(0)
        seen += first_values(source.batches())
        source.end_epoch()
    source.close()
    assert seen == [0, 0, 0]


def test_endless_data():
    assert epochs(open_source(((np.full(1, i),) for i in itertools.count()), steps=2), 3)[0] == [[0, 1], [2, 3], [4, 5]]

    class Endless(Counted):
        num_batches = None

    assert epochs(open_source(Endless(), steps=2), 2)[0] == [[0, 1], [2, 3]]
    tf = pytest.importorskip("tensorflow")
    assert epochs(open_source(tf_dataset().repeat(), steps=4), 2)[0] == [[0, 1, 2, 0], [1, 2, 0, 1]]
    with pytest.raises(ValueError, match="Give steps_per_epoch"):
        open_source(Endless())
    with pytest.raises(ValueError, match="Give steps_per_epoch"):
        open_source(tf.data.Dataset.range(3).repeat())


def test_generator_is_never_read_beyond_the_epoch():
    read_so_far = []

    def generator():
        for i in itertools.count():
            read_so_far.append(i)
            yield (np.full(1, i),)

    endless = generator()
    assert epochs(open_source(endless, steps=3), 2)[0] == [[0, 1, 2], [3, 4, 5]]
    assert read_so_far == [0, 1, 2, 3, 4, 5]
    assert epochs(open_source(endless, steps=2), 1)[0] == [[6, 7]]  # a second fit goes on


def test_generator_left_early_loses_nothing():
    source = open_source(((np.full(1, i),) for i in range(6)), steps=6)
    batches = source.batches()
    assert first_values([next(batches)]) == [0]
    time.sleep(0.05)  # the thread reads ahead
    batches.close()
    assert no_thread_left()
    with pytest.warns(UserWarning, match="ran out of data after 5 of 6"):
        assert first_values(source.batches()) == [1, 2, 3, 4, 5]


def test_generator_runs_ahead_but_not_far():
    made = []

    def generator():
        for i in range(50):
            made.append(i)
            yield (np.full(1, i),)

    source = open_source(generator())
    batches = source.batches()
    next(batches)
    until = time.monotonic() + 5
    while len(made) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.05)
    assert 2 <= len(made) <= 4
    source.close()
    assert no_thread_left()


def test_a_buffer_that_is_filled_again_is_copied():
    buffer = np.zeros((2, 1), "float32")

    def generator():
        for i in range(6):
            buffer[:] = i
            yield buffer, buffer[:, 0]

    batches = read(generator())
    assert [x[0, 0] for x, _ in batches] == [y[1] for _, y in batches] == [0, 1, 2, 3, 4, 5]


def test_generator_error_comes_at_its_place():
    def generator():
        yield (X,)
        raise KeyError("boom")

    source = open_source(generator())
    batches = source.batches()
    next(batches)
    with pytest.raises(KeyError, match="boom") as caught:
        next(batches)
    assert caught.traceback[-1].name == "generator"
    assert no_thread_left()


def test_close_does_not_wait_for_a_stuck_generator():
    stuck = threading.Event()

    def generator():
        yield (X,)
        stuck.wait(20)

    source = open_source(generator())
    batches = source.batches()
    next(batches)
    start = time.monotonic()
    source.close()
    source.close()
    assert time.monotonic() - start < 3
    stuck.set()
    assert no_thread_left()


# ---- exact positions -----------------------------------------------------------------------------------------------

RESUMABLE = {
    "arrays": lambda: (np.arange(14), {"batch_size": 2, "shuffle": True}),
    "arrays in order": lambda: (np.arange(14), {"batch_size": 2}),
    "arrays, steps": lambda: (np.arange(14), {"batch_size": 2, "shuffle": True, "steps": 3}),
    "PyDataset": lambda: (Counted(count=7, workers=2), {"shuffle": True}),
    "PyDataset, steps": lambda: (Counted(count=7), {"shuffle": True, "steps": 3}),
    "grain": lambda: (GrainLike(), {}),
    "grain, steps": lambda: (GrainLike(), {"steps": 3}),
    "Dataset": lambda: (Dataset.range(14).shuffle(1).batch(2).map(lambda x: (x,), workers=2), {}),
    "Dataset, steps": lambda: (Dataset.range(14).shuffle(1).map(np.asarray).batch(2).prefetch(1), {"steps": 3}),
    "loader with a state": lambda: (Stateful(), {}),
    "loader with a state, steps": lambda: (Stateful(), {"steps": 3}),
}


class Stateful:
    """Batches 0 to 6 in an order of its own, from where `load_state_dict` says."""

    batch_size = 1

    def __init__(self):
        self.place, self.passes = 0, 0

    def __iter__(self):
        order = np.random.default_rng(self.passes).permutation(7)
        while self.place < 7:
            self.place += 1
            yield (np.array([order[self.place - 1]]),)
        self.place, self.passes = 0, self.passes + 1

    def state_dict(self):
        return {"place": self.place, "passes": np.int64(self.passes), "token": b"\x00\xff"}

    def load_state_dict(self, state):
        assert state["token"] == b"\x00\xff"
        self.place, self.passes = state["place"], state["passes"]


class GrainLike:
    """A loader with grain's way of telling its place: the iterator has it."""

    def __iter__(self):
        return GrainLikeIterator()


GrainLike.__module__ = "grain.like"


class GrainLikeIterator:
    def __init__(self):
        self.place = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.place == 7:
            raise StopIteration
        self.place += 1
        return (np.array([self.place - 1]),)

    def get_state(self):
        return str(self.place).encode()

    def set_state(self, state):
        self.place = int(state)


@pytest.mark.parametrize("ahead", [0, 2])  # how many batches the loop had taken beyond those it trained on
@pytest.mark.parametrize("used", [0, 1, 2])
@pytest.mark.parametrize("kind", RESUMABLE)
@pytest.mark.filterwarnings("ignore:.*ran out of data")
def test_interrupted_training_goes_on_at_the_exact_batch(kind, used, ahead):
    def open_it(seed):
        data, options = RESUMABLE[kind]()
        source = open_source(data, rng=np.random.default_rng(seed), **options)
        assert source.exact
        return source

    def epoch(source, number):
        source.begin_epoch(number)
        values = first_values(source.batches())
        source.end_epoch()
        return values

    whole = open_it(0)
    expected = [epoch(whole, number) for number in range(4)]
    whole.close()

    first = open_it(0)
    assert epoch(first, 0) == expected[0]
    first.begin_epoch(1)
    batches = first.batches()
    seen = first_values(list(itertools.islice(batches, used + ahead)))
    state = json.loads(json.dumps(first.state(used)))
    batches.close()
    first.close()

    second = open_it(1)
    second.restore(state)
    second.begin_epoch(1)
    rest = first_values(second.batches())
    second.end_epoch()
    assert seen[:used] + rest == expected[1]
    assert [epoch(second, number) for number in (2, 3)] == expected[2:]
    second.close()


def test_state_between_epochs():
    source = open_source(np.arange(6), batch_size=2, shuffle=True, rng=np.random.default_rng(0))
    source.begin_epoch(0)
    first = first_values(source.batches())
    late = source.state(1)  # the loop may be behind when the last batch is handed out
    source.end_epoch()
    state = source.state()
    expected = first_values(source.batches())
    other = open_source(np.arange(6), batch_size=2, shuffle=True)
    other.restore(state)
    assert first_values(other.batches()) == expected
    other.restore(late)
    assert first_values(other.batches()) == first[1:]


def test_order_after_restore_holds_the_rest():
    source = open_source(np.arange(8), batch_size=2, shuffle=True, rng=np.random.default_rng(0))
    source.begin_epoch(0)
    order = source.order().copy()
    other = open_source(np.arange(8), batch_size=2, shuffle=True)
    other.restore(source.state(3))
    other.begin_epoch(0)
    assert other.order().tolist() == order[6:].tolist()


@pytest.mark.parametrize(
    "state", [{}, None, {"seed": 0, "pass": 0, "start": 0, "used": 0}, {"count": 4}, {"start": -1}, {"seed": "a"}]
)
def test_restore_refuses_other_states(state):
    source = open_source(np.arange(6), batch_size=2)
    good = source.state()
    if state and len(state) == 1:
        state = good | state
    with pytest.raises(ValueError, match="restore arrays"):
        source.restore(state)
    assert source.state() == good


def test_kinds_without_a_position_say_so():
    source = open_source((X,) for _ in range(2))
    assert not source.exact and source.state() == {}
    source.restore({})
    source.close()
