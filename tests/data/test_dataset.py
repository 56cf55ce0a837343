"""Dataset: one table of pipelines, and for each of them order, length, workers, places, and what is refused."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

import hornbeam
from hornbeam.data.dataset import Dataset
from hornbeam.data.elements import ArraySpec
from hornbeam.training.data import open_source
from tests.training.data_cases import no_thread_left

pytestmark = pytest.mark.backend_free

X = np.arange(10)


def letters():
    yield from "abcdefg"


def plain(element):
    """Elements in a form that can be compared."""
    if isinstance(element, (tuple, list)):
        return tuple(plain(part) for part in element)
    if isinstance(element, dict):
        return {key: plain(part) for key, part in element.items()}
    return np.asarray(element).tolist() if hasattr(element, "__array__") else element


def all_of(dataset):
    return [plain(element) for element in dataset]


def noise(x, rng):
    return int(x) * 1000 + int(rng.integers(1000))


NUMBERS = Dataset.range
STREAM = lambda count: Dataset.range(count).filter(lambda x: True)  # noqa: E731

# name: (how it is made, what it gives, its length or None); `base` is range or the same behind a filter
PIPELINES = {
    "range": (lambda base: base(4), [0, 1, 2, 3], 4),
    "map": (lambda base: base(3).map(lambda x: x * 10), [0, 10, 20], 3),
    "map in threads": (lambda base: base(5).map(lambda x: x + 1, workers=3), [1, 2, 3, 4, 5], 5),
    "filter": (lambda base: base(7).filter(lambda x: x % 3 == 0), [0, 3, 6], None),
    "batch": (lambda base: base(5).batch(2), [[0, 1], [2, 3], [4]], 3),
    "batch, whole ones": (lambda base: base(5).batch(2, drop_remainder=True), [[0, 1], [2, 3]], 2),
    "batch of batches": (lambda base: base(4).batch(2).batch(2), [[[0, 1], [2, 3]]], 1),
    "unbatch": (lambda base: base(5).batch(2).unbatch(), [0, 1, 2, 3, 4], None),
    "take": (lambda base: base(9).take(2), [0, 1], 2),
    "take all": (lambda base: base(3).take(-1), [0, 1, 2], 3),
    "take more": (lambda base: base(3).take(8), [0, 1, 2], 3),
    "skip": (lambda base: base(5).skip(3), [3, 4], 2),
    "skip more": (lambda base: base(3).skip(8), [], 0),
    "shard": (lambda base: base(8).shard(3, 1), [1, 4, 7], 3),
    "shard of a shard": (lambda base: base(12).shard(2, 1).shard(3, 2), [5, 11], 2),
    "skip, take": (lambda base: base(9).skip(2).take(3), [2, 3, 4], 3),
    "repeat": (lambda base: base(2).repeat(3), [0, 1, 0, 1, 0, 1], 6),
    "repeat for ever, take": (lambda base: base(2).repeat().take(5), [0, 1, 0, 1, 0], 5),
    "repeat, batch": (lambda base: base(3).repeat(2).batch(4), [[0, 1, 2, 0], [1, 2]], 2),
    "concatenate": (lambda base: base(2).concatenate(base(3)).map(lambda x: -x), [0, -1, 0, -1, -2], 5),
    "zip": (lambda base: Dataset.zip(base(3), base(2).map(lambda x: x + 5)), [(0, 5), (1, 6)], 2),
    "zip with itself": (lambda base: (lambda one: Dataset.zip(one, one))(base(2)), [(0, 0), (1, 1)], 2),
    "prefetch": (lambda base: base(4).prefetch(2), [0, 1, 2, 3], 4),
    "cache": (lambda base: base(4).map(lambda x: x * x).cache(), [0, 1, 4, 9], 4),
    "cache, repeat": (lambda base: base(2).cache().repeat(2), [0, 1, 0, 1], 4),
    "much at once": (
        lambda base: base(20).skip(1).filter(lambda x: x % 2).map(lambda x: x * 2, workers=2).batch(3).prefetch(1)
        .take(2),
        [[2, 6, 10], [14, 18, 22]],
        None,
    ),
}  # fmt: skip
# Orders are random here; what is asked is that they are the same again.
SHUFFLED = {
    "shuffle": lambda base: base(10).shuffle(3),
    "shuffle, batch": lambda base: base(10).shuffle(3).batch(4),
    "shuffle in windows": lambda base: base(10).shuffle(3, buffer_size=4),
    "shuffle, repeat": lambda base: base(5).shuffle(3).repeat(2),
    "repeat, shuffle": lambda base: base(5).repeat(2).shuffle(3),
    "shuffle, take": lambda base: base(10).shuffle(3).take(4),
    "shuffle, cache": lambda base: base(6).shuffle(3).cache(),
    "cache, shuffle": lambda base: base(6).cache().shuffle(3),
    "random map": lambda base: base(6).map(noise, seed=1, workers=2),
    "random map, shuffle": lambda base: base(6).map(noise, seed=1).shuffle(4).batch(2),
}
BASES = {"numbers": NUMBERS, "stream": STREAM}
EVERY = {**{name: row[0] for name, row in PIPELINES.items()}, **SHUFFLED}


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", PIPELINES)
def test_elements_and_length(name, base):
    make, expected, size = PIPELINES[name]
    dataset = make(BASES[base])
    assert all_of(dataset) == expected
    assert all_of(dataset) == expected, "the second pass"
    if base == "numbers" and size is not None:
        assert len(dataset) == size
    if name == "filter":
        with pytest.raises(TypeError, match="known"):
            len(dataset)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", EVERY)
def test_a_place_is_found_again_exactly(name, base):
    def fresh():
        return EVERY[name](BASES[base])

    whole = fresh()
    passes = [all_of(whole), all_of(whole)]
    for used in range(len(passes[0]) + 1):
        for number in (0, 1):
            first = fresh()
            for _ in range(number):
                all_of(first)
            iterator = iter(first)
            begun = [plain(one) for one in itertools.islice(iterator, used)]
            state = json.loads(json.dumps(iterator.state()))
            assert json.loads(json.dumps(first.state())) == state
            second = fresh()
            second.restore(state)
            assert begun + all_of(second) == passes[number], (used, number)
            if number == 0:
                assert all_of(second) == passes[1], "the pass after the rest"


@pytest.mark.parametrize("name", SHUFFLED)
def test_shuffles_are_whole_and_differ_between_passes(name):
    dataset = SHUFFLED[name](NUMBERS)
    first, second = all_of(dataset), all_of(dataset)
    flat = lambda passed: [x for one in passed for x in (one if isinstance(one, list) else [one])]  # noqa: E731
    if "take" not in name and "random" not in name:
        assert sorted(flat(first)) == sorted(flat(second))
    assert (first == second) == (name == "shuffle, cache")


@pytest.mark.parametrize(("workers", "processes"), [(0, False), (1, False), (3, False), (1, True), (3, True)])
def test_order_does_not_depend_on_workers(workers, processes):
    def uneven(x, rng):
        time.sleep(0.002 * (int(x) % 3))
        return noise(x, rng)

    for base in BASES.values():
        dataset = base(12).shuffle(1).map(uneven, workers, processes=processes, seed=5)
        expected = base(12).shuffle(1).map(noise, seed=5)
        assert all_of(dataset) == all_of(expected)
    assert no_thread_left()


# ---- arrays --------------------------------------------------------------------------------------------------------


def test_rows_of_any_nesting():
    data = {"a": X[:4] / 2, "b": (["w", "x", "y", "z"], None)}
    first = next(iter(Dataset.from_arrays(data)))
    assert first == {"a": 0.0, "b": ("w", None)}
    batch = next(iter(Dataset.from_arrays(data).shuffle(0).batch(4)))
    order = [int(a * 2) for a in batch["a"]]
    assert sorted(order) == [0, 1, 2, 3] and "".join(batch["b"][0]) == "".join("wxyz"[one] for one in order)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data,
        lambda data: data.shuffle(2),
        lambda data: data.skip(3).shard(2, 1),
        lambda data: data.shuffle(2).skip(1),
        lambda data: data.shuffle(2).repeat(3),
        lambda data: data.repeat(2).shard(3, 1),
        lambda data: data.prefetch(1),
    ],
)  # fmt: skip
def test_gathered_batches_are_those_of_single_rows(change):
    quick = change(Dataset.from_arrays((X, X * 2.0))).batch(4)
    slow = change(Dataset.from_items([(int(x), float(x * 2)) for x in X])).batch(4)
    assert all_of(quick) == all_of(slow)


def test_batches_are_memory_of_their_own():
    x = np.zeros((4, 2))
    for batch in (*Dataset.from_arrays(x).batch(2), *Dataset.from_arrays(x)):
        batch += 1
    assert not x.any()


def test_frames_and_files(tmp_path):
    pandas = pytest.importorskip("pandas", reason="frames")
    frame = pandas.DataFrame({"age": [1, 2], "name": ["a", None]})
    assert all_of(Dataset.from_arrays(frame))[0] == {"age": 1, "name": "a"}
    h5py = pytest.importorskip("h5py", reason="a core dependency")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        rows = file.create_dataset("x", data=X)
        from_file, from_memory = (all_of(Dataset.from_arrays(one).shuffle(1).batch(3)) for one in (rows, X))
        assert from_file == from_memory


def test_element_spec():
    data = Dataset.from_arrays((np.zeros((5, 2), "float32"), ["a"] * 5))
    assert data.element_spec == (ArraySpec((2,), "float32"), ArraySpec((), "string"))
    assert data.batch(2).element_spec == (ArraySpec((None, 2), "float32"), ArraySpec((None,), "string"))
    assert data.batch(2, drop_remainder=True).element_spec[0].shape == (2, 2)
    assert STREAM(3).batch(2).map(lambda x: {"a": x}).element_spec == {"a": ArraySpec((2,), "int64")}


# ---- cache ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("disk", [False, True])
def test_cache_makes_each_element_once(base, disk, tmp_path):
    made = []

    def make(x):
        made.append(int(x))
        return {"x": np.full(2, x, "float32"), "name": f"n{x}", "pair": (np.array(["a", "b"], object), None, int(x))}

    def dataset():
        return BASES[base](4).map(make).cache(tmp_path / "kept" if disk else None)

    data = dataset()
    first = all_of(data)
    assert all_of(data) == first and sorted(made) == [0, 1, 2, 3]
    assert isinstance(next(iter(data))["pair"], tuple)
    if disk:
        assert all_of(dataset()) == first and len(made) == 4
        (tmp_path / "kept" / "00000002.npz").write_bytes(b"damaged")
        with pytest.raises(OSError, match=r"00000002.npz"):
            all_of(dataset())


def test_cache_holds_what_processes_made():
    data = Dataset.range(4).map(lambda x: (x, os.getpid()), workers=2, processes=True).cache()
    first = all_of(data)
    assert all(pid != os.getpid() for _, pid in first) and all_of(data) == first


def test_processes_see_what_memory_holds():
    data = Dataset.range(4).map(lambda x: x + 1).cache().map(lambda x: x * 10, workers=2, processes=True)
    assert all_of(data) == all_of(data) == [10, 20, 30, 40]


# ---- faults --------------------------------------------------------------------------------------------------------


def fail(x):
    if x == 5:
        raise KeyError("the original")
    return x


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("how", [{}, {"workers": 2}, {"workers": 2, "processes": True}])
def test_the_original_error_with_the_element(base, how):
    begin = time.monotonic()
    with pytest.raises(KeyError, match="the original") as caught:
        all_of(BASES[base](9).map(fail, **how).batch(2))
    assert time.monotonic() - begin < 5
    notes = "\n".join(caught.value.__notes__)
    assert "Dataset.map(fail)" in notes and "element 5" in notes
    assert no_thread_left()


def test_a_killed_worker_is_an_error_at_once():
    def dies(x):
        if x == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return x

    begin = time.monotonic()
    with pytest.raises(RuntimeError, match="exit code -9"):
        all_of(Dataset.range(9).map(dies, workers=2, processes=True))
    assert time.monotonic() - begin < 5 and no_thread_left()


def test_a_failing_filter_and_a_failing_generator():
    def bad():
        yield 1
        raise OSError("disk")

    with pytest.raises(KeyError) as caught:
        all_of(Dataset.range(9).filter(fail))
    assert "Dataset.filter(fail)" in caught.value.__notes__[0]
    for workers in (0, 2):
        with pytest.raises(OSError, match="disk"):
            all_of(Dataset.from_generator(bad).map(lambda x: x, workers=workers))


PROGRAM = r"""
import sys, time
from hornbeam.data.dataset import Dataset
def slow(x):
    sys.stdout.write(f"at {x}\n")
    sys.stdout.flush()
    time.sleep(0.05)
    return x
try:
    for x in Dataset.range(10**6).map(slow, workers=2, processes=sys.argv[1] == "processes").batch(2):
        pass
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_ctrl_c_leaves_no_process(kind, tmp_path):
    environment = {**os.environ, "HORNBEAM_BACKEND": "numpy"}
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, kind], stdout=subprocess.PIPE, text=True, env=environment,
        start_new_session=True,
    )  # fmt: skip
    for _ in range(4):
        assert child.stdout.readline().startswith("at")
    os.killpg(child.pid, signal.SIGINT)  # as a terminal sends it: to the whole group
    out, _ = child.communicate(timeout=10)
    assert "interrupted" in out and child.returncode == 0
    with pytest.raises(ProcessLookupError):  # nobody is left in the group
        os.killpg(child.pid, 0)


def test_leaving_a_loop_stops_the_workers():
    for _ in Dataset.range(1000).map(lambda x: x, workers=3).batch(2).prefetch(2):
        break
    assert no_thread_left()


REFUSED = {
    "shapes in a batch": (
        lambda: all_of(Dataset.from_items([np.zeros((3, 4)), np.zeros((5, 4))]).batch(2)),
        ValueError, r"\(5, 4\).*Resize"),
    "nesting in a batch": (lambda: all_of(Dataset.from_items([(1, 2), (1,)]).batch(2)), ValueError, "one nesting"),
    "keys in a batch": (lambda: all_of(Dataset.from_items([{"a": 1}, {"b": 1}]).batch(2)), ValueError, "one nesting"),
    "lengths of arrays": (lambda: Dataset.from_arrays((X, X[:3])), ValueError, r"\[10, 3\]"),
    "no rows": (lambda: Dataset.from_arrays(X[:0]), ValueError, "at least one"),
    "ragged rows": (lambda: Dataset.from_arrays([[1], [1, 2]]), ValueError, "pad_sequences"),
    "a scalar": (lambda: Dataset.from_arrays(3), ValueError, "first axis"),
    "an iterator": (lambda: Dataset.from_generator(letters()), TypeError, "generator function itself"),
    "size of a batch": (lambda: NUMBERS(3).batch(0), ValueError, "at least 1"),
    "size of a batch, type": (lambda: NUMBERS(3).batch(2.5), TypeError, "an int"),
    "no function": (lambda: NUMBERS(3).map(3), TypeError, "a function"),
    "processes without workers": (lambda: NUMBERS(3).map(fail, processes=True), ValueError, "workers"),
    "shard": (lambda: NUMBERS(3).shard(2, 2), ValueError, "below 2"),
    "zip of others": (lambda: Dataset.zip(NUMBERS(2), [1]), TypeError, "a Dataset"),
    "cache for ever": (lambda: NUMBERS(2).repeat().cache(), ValueError, "Cache, then repeat"),
    "length for ever": (lambda: len(NUMBERS(2).repeat()), TypeError, "without end"),
    "spec of nothing": (lambda: NUMBERS(0).element_spec, RuntimeError, "at least one element"),
    "another state": (lambda: NUMBERS(3).restore({}), ValueError, "Dataset.state"),
    "a state of others": (lambda: NUMBERS(3).restore(NUMBERS(4).state()), ValueError, r"range\(0, 4\)"),
    "endless training": (lambda: open_source(NUMBERS(3).batch(1).repeat()), ValueError, "steps_per_epoch"),
    "training on nothing": (lambda: open_source(NUMBERS(0).batch(1)), ValueError, "at least one batch"),
    "targets beside it": (lambda: open_source(NUMBERS(3).batch(1), X), ValueError, "no y beside"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    make, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        make()


def test_drawn_seeds_travel_in_the_state():
    first = Dataset.range(50).shuffle()
    order = all_of(first)
    second = Dataset.range(50).shuffle()
    fresh = Dataset.range(50).shuffle()
    fresh.restore(json.loads(json.dumps({**second.state(), "seeds": first.state()["seeds"]})))
    assert all_of(fresh) == order
    hornbeam.utils.set_random_seed(1)
    one = all_of(Dataset.range(50).shuffle())
    hornbeam.utils.set_random_seed(1)
    assert all_of(Dataset.range(50).shuffle()) == one


# ---- training ------------------------------------------------------------------------------------------------------


@pytest.mark.backend_free(False)
def test_fit_evaluate_predict():
    model = hornbeam.Sequential([hornbeam.Input((2,)), hornbeam.layers.Dense(1)])
    model.compile(loss="mse")
    data = Dataset.from_arrays((np.ones((10, 2), "float32"), np.ones((10, 1), "float32"))).batch(4)
    assert np.isfinite(model.evaluate(data, verbose=0))
    assert model.predict(data.map(lambda x, y: x), verbose=0).shape == (10, 1)
    if "gradients" in hornbeam.backend.active.features:
        history = model.fit(data, epochs=2, validation_data=data, verbose=0, class_weight=None)
        assert len(history.history["val_loss"]) == 2


@pytest.mark.backend_free(False)
@pytest.mark.parametrize("workers", [0, 2])
def test_layers_in_a_map(workers):
    layer = hornbeam.layers.Rescaling(0.5)
    data = Dataset.from_arrays((np.full((4, 2), 4.0, "float32"), X[:4])).batch(2)
    made = all_of(data.map(lambda x, y: (layer(x), y), workers=workers))
    assert made[0][0] == [[2.0, 2.0], [2.0, 2.0]]


@pytest.mark.backend_free(False)
def test_layers_in_a_torch_collate_function():
    torch = pytest.importorskip("torch", reason="its DataLoader")
    layer = hornbeam.layers.Rescaling(0.5)

    def collate(rows):
        return layer(np.stack([x for x, _ in rows])), np.array([y for _, y in rows])

    items = [(np.full(2, 4.0, "float32"), number) for number in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loader = torch.utils.data.DataLoader(items, batch_size=2, collate_fn=collate)
        x, y = next(iter(loader))
    assert plain(x) == ((2.0, 2.0), (2.0, 2.0)) or plain(x) == [[2.0, 2.0], [2.0, 2.0]]
    assert plain(y) == [0, 1]
