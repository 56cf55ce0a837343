"""What each kind of data becomes as batches; what goes on over epochs; what is refused.

Expectations marked "as Keras" are what a `train_step` of PyPI's keras 3.15.1 was seen to get with shuffle=False.
"""

import itertools
import json
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from hornbeam import _config, tree
from hornbeam.data.dataset import Dataset
from hornbeam.data.py_dataset import PyDataset
from hornbeam.training.data import ArraySource, open_source, split_validation
from hornbeam.training.unpack import pack_x_y_sample_weight, unpack_x_y_sample_weight

X = np.arange(6.0).reshape(3, 2)
Y = np.arange(3)


def describe(data):
    return tree.map_structure(
        lambda leaf: None if leaf is None else f"{leaf.dtype}{list(leaf.shape)}", data
    )


def read(*args, **kwargs):
    source = open_source(*args, **kwargs)
    try:
        return list(source.batches())
    finally:
        source.close()


def first_values(batches):
    return [int(np.ravel(tree.flatten(batch)[0])[0]) for batch in batches]


def no_thread_left():
    until = time.monotonic() + 5
    while any(thread.name == "hornbeam-data" for thread in threading.enumerate()):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


# ---- arrays: what goes in, and the first batch of two that comes out ----------------------------------------------

ARRAYS = {
    "float64 and rank 1 targets": (lambda: (X, np.arange(3.0)), ("float32[2, 2]", "float32[2]")),
    "rank 1 inputs": (lambda: (np.arange(3.0), Y), ("float32[2]", "int64[2]")),
    "float16": (lambda: (np.ones((3, 1), "float16"), np.ones(3, "int8")), ("float32[2, 1]", "int8[2]")),
    "kept dtypes": (lambda: (np.ones((3, 1), "uint8"), np.ones(3, "complex128")), ("uint8[2, 1]", "complex128[2]")),
    "bool and str": (lambda: (np.ones(3, bool), np.array(["a", "b", "c"])), ("bool[2]", "<U1[2]")),
    "object strings": (lambda: (np.array(["a", "b", "c"], object), Y), ("object[2]", "int64[2]")),
    "big endian": (lambda: (X.astype(">f4"), Y.astype(">i4")), ("float32[2, 2]", "int32[2]")),
    "subclass": (lambda: (X.view(np.recarray), Y), ("float32[2, 2]", "int64[2]")),
    "several inputs": (lambda: ([X, X], [Y]), (["float32[2, 2]", "float32[2, 2]"], ["int64[2]"])),
    "tuple of inputs": (lambda: ((X, X), Y), (("float32[2, 2]", "float32[2, 2]"), "int64[2]")),
    "dicts": (lambda: ({"b": X, "a": Y}, {"o": Y}), ({"b": "float32[2, 2]", "a": "int64[2]"}, {"o": "int64[2]"})),
    "a part that is None": (lambda: ([X, None], Y), (["float32[2, 2]", None], "int64[2]")),
    "x alone": (lambda: (X,), ("float32[2, 2]",)),
    "list of x alone": (lambda: ([X, X],), (["float32[2, 2]", "float32[2, 2]"],)),
    # Keras refuses lists of numbers; here they are arrays.
    "numbers": (lambda: ([[1, 2], [3, 4], [5, 6]], (1.0, 0.5, 0)), ("int64[2, 2]", "float32[2]")),
    "numbers in a dict": (lambda: ({"a": [1, 2, 3]}, range(3)), ({"a": "int64[2]"}, "int64[2]")),
    "NumPy scalars": (lambda: ([np.float64(1), np.float64(2), np.float64(3)], Y), ("float32[2]", "int64[2]")),
    "strings in a list": (lambda: (["a", "bc", "d"], Y), ("<U2[2]", "int64[2]")),
    "weights": (lambda: (X, Y, [1, 2, 3]), ("float32[2, 2]", "int64[2]", "int64[2]")),
    "one weight for two outputs": (
        lambda: (X, [Y, Y], np.ones(3)),
        ("float32[2, 2]", ["int64[2]", "int64[2]"], ["float32[2]", "float32[2]"]),
    ),
    "weights for one of two": (
        lambda: (X, [Y, Y], [None, np.ones(3)]),
        ("float32[2, 2]", ["int64[2]", "int64[2]"], [None, "float32[2]"]),
    ),
    "weights without targets": (lambda: (X, None, np.ones(3)), ("float32[2, 2]", None, "float32[2]")),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name):
    make, expected = ARRAYS[name]
    batches = read(*make(), batch_size=2)
    assert len(batches) == 2
    assert describe(batches[0]) == expected


def test_foreign_arrays_are_standardised():
    torch, tf, jnp, pd = (
        pytest.importorskip(one) for one in ("torch", "tensorflow", "jax.numpy", "pandas")
    )
    table = [
        (torch.ones((3, 2), dtype=torch.float64, requires_grad=True), "float32[2, 2]"),
        (torch.ones((3, 2), dtype=torch.bfloat16), "float32[2, 2]"),
        (torch.ones(3, dtype=torch.int64), "int64[2]"),
        (tf.ones((3, 2), tf.float64), "float32[2, 2]"),
        (tf.Variable([1, 2, 3]), "int32[2]"),
        (jnp.ones((3, 2), "bfloat16"), "float32[2, 2]"),
        (jnp.ones(3, "int32"), "int32[2]"),
        (pd.DataFrame({"a": [1, 2, 3], "b": [1.0, 2, 3]}), "float32[2, 2]"),
        (pd.DataFrame({"a": [1, 2, 3]}), "int64[2, 1]"),
        (pd.Series([True, False, True]), "bool[2, 1]"),  # as Keras: a series is a column
        (pd.DataFrame({"a": [True, False, True], "b": [1.5, 2, 3]}), "float32[2, 2]"),
        (pd.DataFrame({"a": pd.array([1, 2, 3], dtype="Int64")}), "int64[2, 1]"),
        (pd.DataFrame({"a": pd.array([1, None, 3], dtype="Int64")}), "float32[2, 1]"),
        (pd.Series(["a", "b", "c"]), "object[2, 1]"),
    ]
    for value, expected in table:
        assert describe(read(value, batch_size=2)[0]) == (expected,), value
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [1.5, 2, 3]})
    (batch,) = read(dict(frame), frame["a"], batch_size=3)
    assert describe(batch) == ({"a": "int64[3, 1]", "b": "float32[3, 1]"}, "int64[3, 1]")
    missing = read(pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}))[0][0]
    assert np.isnan(missing[1, 0]) and missing[0, 0] == 1


@pytest.mark.parametrize("floatx", ["float16", "bfloat16", "float64"])
def test_floats_become_the_default_float_type(floatx):
    before = _config.floatx()
    _config.set_floatx(floatx)
    try:
        assert read(np.ones((2, 1), "float32"))[0][0].dtype.name == floatx
    finally:
        _config.set_floatx(before)


def test_default_batch_size_and_counts():
    source = open_source(np.zeros((70, 1)))
    assert (source.batch_size, source.steps, source.sample_count) == (32, 3, 70)
    assert [len(x) for (x,) in source.batches()] == [32, 32, 6]


def test_array_source_offers_whole_arrays_without_copying():
    x = np.zeros((10, 2), "float32")
    source = open_source({"a": x}, Y[:1].repeat(10), batch_size=4)
    assert isinstance(source, ArraySource)
    assert source.arrays[0]["a"] is x and source.order() is None
    assert next(source.batches())[0]["a"].base is x  # a slice, not a copy


BARE = [
    (lambda: open_source(X), True),
    (lambda: open_source({"a": X}), True),
    (lambda: open_source([X]), False),
    (lambda: open_source(X, Y), False),
    (lambda: open_source(X, None, np.ones(3)), False),
    (lambda: open_source(Counted(lambda i: X)), True),
    (lambda: open_source(Counted(lambda i: {"a": X})), True),
    (lambda: open_source(Counted(lambda i: (X,))), False),
    (lambda: open_source((X,) for _ in range(2)), False),
]


@pytest.mark.parametrize("row", range(len(BARE)))
def test_bare_tells_what_a_train_step_expects(row):
    make, expected = BARE[row]
    source = make()
    for _ in source.batches():
        pass
    source.close()
    assert source.bare is expected


# ---- data that are read when needed --------------------------------------------------------------------------------


@pytest.fixture(params=["h5py", "memmap", "sparse"])
def lazy(request, tmp_path):
    values = np.arange(46.0).reshape(23, 2)
    if request.param == "h5py":
        h5py = pytest.importorskip("h5py")
        with h5py.File(tmp_path / "data.h5", "w") as file:
            file["x"] = values
            yield file["x"], values
    elif request.param == "memmap":
        data = np.memmap(tmp_path / "data", dtype="float64", mode="w+", shape=values.shape)
        data[:] = values
        yield data, values
    else:
        yield pytest.importorskip("scipy.sparse").coo_matrix(values), values


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_rows_on_disk_are_read_by_batch(lazy, shuffle):
    data, values = lazy
    source = open_source(data, np.arange(23), batch_size=5, shuffle=shuffle, rng=np.random.default_rng(0))
    assert not isinstance(source, ArraySource)
    batches = list(source.batches())
    source.close()
    assert [len(x) for x, _ in batches] == [5, 5, 5, 5, 3]
    rows = np.concatenate([y for _, y in batches])
    assert sorted(rows) == list(range(23)) and (list(rows) == list(range(23))) == (shuffle is False)
    for x, y in batches:
        assert x.dtype == np.float32
        np.testing.assert_array_equal(x, values[y])
    assert no_thread_left()


def test_rows_on_disk_are_split_without_reading(lazy):
    data, values = lazy
    train, validation = split_validation((data, np.arange(23), None), 0.25)
    for part, rows in ((train, values[:17]), (validation, values[17:])):
        np.testing.assert_array_equal(np.concatenate([x for x, _ in read(*part, batch_size=4)]), rows)


# ---- order ---------------------------------------------------------------------------------------------------------


def epochs(source, count):
    """The first values of the batches, epoch by epoch, as the loop reads them; then how many warnings came."""
    seen = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for epoch in range(count):
            source.begin_epoch(epoch)
            seen.append(first_values(source.batches()))
            source.end_epoch()
    source.close()
    assert all("ran out of data" in str(one.message) and one.category is UserWarning for one in caught)
    return seen, len(caught)


def test_shuffle_true_draws_anew_for_each_pass_and_is_deterministic():
    def run(seed):
        source = open_source(np.arange(20), batch_size=20, shuffle=True, rng=np.random.default_rng(seed))
        return [next(iter(list(source.batches())))[0].tolist() for _ in range(3)]

    one, two, three = run(0)
    assert sorted(one) == sorted(two) == sorted(three) == list(range(20))
    assert len({tuple(one), tuple(two), tuple(three), tuple(range(20))}) == 4
    assert run(0) == [one, two, three] != run(1)


def test_shuffle_batch_stays_within_each_batch():  # as Keras
    batches = read(np.arange(26), batch_size=4, shuffle="batch", rng=np.random.default_rng(0))
    assert [sorted(x) for (x,) in batches] == [list(range(26))[low : low + 4] for low in range(0, 26, 4)]
    assert sum(list(x) != sorted(x) for (x,) in batches) > 3


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
@pytest.mark.parametrize("steps", [None, 1, 2, 3, 5])
def test_order_says_what_batches_gives(shuffle, steps):
    def open_it():
        return open_source(
            np.arange(5), batch_size=2, shuffle=shuffle, steps=steps, rng=np.random.default_rng(3)
        )

    by_batches, by_order = open_it(), open_it()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for epoch in range(5):
            by_batches.begin_epoch(epoch)
            expected = [x.tolist() for (x,) in by_batches.batches()]
            by_batches.end_epoch()
            by_order.begin_epoch(epoch)
            order = by_order.order()
            assert order is None or order.dtype == np.int32
            again = by_order.order()
            assert order is again or (order == again).all()
            rows = np.arange(5) if order is None else order
            by_order.end_epoch()
            assert [rows[low : low + 2].tolist() for low in range(0, len(rows), 2)] == expected


# ---- epochs: three batches 0, 1, 2; as Keras -----------------------------------------------------------------------


class Counted(PyDataset):
    def __init__(self, item=lambda i: (np.full((2, 1), i),), count=3, **kwargs):
        super().__init__(**kwargs)
        self.item, self.count = item, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return self.item(index)


class Again:
    def __iter__(self):
        return ((np.full((2, 1), i),) for i in range(3))


def loader():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.arange(3).repeat_interleave(2))
    return torch.utils.data.DataLoader(data, batch_size=2)


def tf_dataset():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices(np.arange(3).repeat(2)).batch(2)


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


# ---- what a batch may be -------------------------------------------------------------------------------------------

ITEMS = {
    "float64": (lambda: (X, Y), ("float32[3, 2]", "int64[3]")),
    "float16 stays": (lambda: (X.astype("float16"),), ("float16[3, 2]",)),
    "nested": (lambda: ({"a": X}, [Y, Y]), ({"a": "float32[3, 2]"}, ["int64[3]", "int64[3]"])),
    "numbers": (lambda: ([[1.0], [2.0]], [1, 0]), ("float32[2, 1]", "int64[2]")),
    "a scalar": (lambda: (X, np.float64(1)), ("float32[3, 2]", "float32[]")),
    "no targets": (lambda: (X, None), ("float32[3, 2]", None)),
    "only weights": (lambda: (X, None, np.ones(3)), ("float32[3, 2]", None, "float32[3]")),
    "strings": (lambda: (np.array(["a", "b"]), Y), ("<U1[2]", "int64[3]")),
}


@pytest.mark.parametrize("through", ["generator", "PyDataset"])
@pytest.mark.parametrize("name", ITEMS)
def test_items(name, through):
    make, expected = ITEMS[name]
    data = (make() for _ in range(1)) if through == "generator" else Counted(lambda i: make(), 1)
    (batch,) = read(data)
    assert describe(batch) == expected


def test_items_of_other_frameworks():
    torch, tf, jax, pd = (pytest.importorskip(one) for one in ("torch", "tensorflow", "jax", "pandas"))
    (batch,) = read((one,) for one in [[torch.ones(2, dtype=torch.float64), tf.ones(2), pd.Series([1, 2])]])
    assert describe(batch) == (["float32[2]", "float32[2]", "int64[2, 1]"],)
    array = jax.numpy.ones(2)
    ((same,),) = read((one,) for one in [array])
    assert same is array


def test_batch_shapes_may_change():
    sizes = [len(x) for (x,) in read((np.ones((i + 1, 2)),) for i in range(4))]
    assert sizes == [1, 2, 3, 4]


def test_lists_stand_for_tuples_where_libraries_make_them():
    expected = ("float32[3, 2]", "int64[3]")
    assert describe(read(Counted(lambda i: [X, Y], 1))[0]) == expected
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.as_tensor(X), torch.as_tensor(Y))
    assert describe(read(torch.utils.data.DataLoader(data, batch_size=3))[0]) == expected

    class Dicts(torch.utils.data.Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return {"a": torch.ones(2), "b": torch.ones(1)}, index

    source = open_source(torch.utils.data.DataLoader(Dicts(), batch_size=2))
    assert (source.steps, source.batch_size) == (1, 2)
    assert describe(list(source.batches())) == [({"a": "float32[2, 2]", "b": "float32[2, 1]"}, "int64[2]")]


def test_tf_dataset():
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices(({"a": X, "s": np.array(["a", "b", "c"])}, Y)).batch(2)
    source = open_source(data)
    assert source.steps == 2
    assert describe(next(source.batches())) == ({"a": "float32[2, 2]", "s": "object[2]"}, "int64[2]")
    source.close()
    assert open_source(data.filter(lambda x, y: True)).steps is None


def test_grain():
    grain = pytest.importorskip("grain", reason="the package grain is an extra")
    data = grain.MapDataset.range(5).map(lambda i: (np.full(2, i, "float64"), i)).batch(2)
    for one, steps in ((data, 3), (data.to_iter_dataset(), None)):
        source = open_source(one)
        assert source.exact and source.steps == steps
        assert describe(next(source.batches())) == ("float32[2, 2]", "int64[2]")
        source.close()


def test_nothing_foreign_is_imported():
    script = """
import sys
import numpy as np
from hornbeam.training.data import open_source
for data in ((np.ones((3, 2)), [1, 2, 3]), (((np.ones(2),) for _ in range(2)),)):
    assert list(open_source(*data).batches())
foreign = {"jax", "torch", "tensorflow", "pandas", "h5py", "grain", "scipy", "keras"}
sys.exit(", ".join(foreign & set(sys.modules)) or 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ---- class_weight --------------------------------------------------------------------------------------------------

WEIGHED = [
    (Y, {0: 0.5, 1: 2.0, 2: 3.0}, [0.5, 2, 3]),
    (Y, {0: 0.5}, [0.5, 1, 1]),  # as Keras: a class that is not there weighs 1
    (Y, {}, None),
    (Y, {0.0: 0.5, np.int64(1): 2}, [0.5, 2, 1]),
    (np.array([0.0, 1.0, 2.0]), {0: 0.5, 1: 7}, [0.5, 7, 1]),
    (np.array([0.5, 1.0, 1.5]), {0: 0.5, 1: 7}, [1, 7, 1]),
    (np.array([0, -1, 1]), {0: 0.5, 1: 7}, [0.5, 1, 7]),
    (np.eye(3), {0: 0.5, 1: 2.0, 2: 3.0}, [0.5, 2, 3]),
    (Y[:, None], {0: 0.5, 2: 3.0}, [0.5, 1, 3]),
    (np.array([True, False, True]), {0: 0.5, 1: 2.0}, [2, 0.5, 2]),
]


@pytest.mark.parametrize("through", ["arrays", "generator", "PyDataset"])
@pytest.mark.parametrize("row", range(len(WEIGHED)))
def test_class_weight(row, through):
    y, class_weight, expected = WEIGHED[row]
    args = {"arrays": (X, y), "generator": ((one for one in [(X, y)]),), "PyDataset": (Counted(lambda i: (X, y), 1),)}
    (batch,) = read(*args[through], class_weight=class_weight)
    if expected is None:
        assert len(batch) == 2
    else:
        assert batch[2].dtype == np.float32 and batch[2].tolist() == expected


@pytest.mark.parametrize("through", ["arrays", "generator"])
@pytest.mark.parametrize("weights", [np.array([1.0, 10, 100]), np.array([[1.0], [10], [100]])])
def test_class_weight_and_sample_weight_multiply(through, weights):  # Keras refuses both together
    data = (X, Y, weights) if through == "arrays" else ((one for one in [(X, Y, weights)]),)
    (batch,) = read(*data, class_weight={0: 0.5, 1: 2})
    assert batch[2].shape == weights.shape and batch[2].ravel().tolist() == [0.5, 20, 100]


# ---- split_validation ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "fraction", "kept"), [(10, 0.25, 7), (10, 0.05, 9), (7, 0.3, 4), (3, 0.5, 1), (3, 0.34, 1), (3, 0.01, 2)]
)
def test_split_validation_takes_the_last(count, fraction, kept):  # as Keras
    train, validation = split_validation((np.arange(count), [np.arange(count), None], None), fraction)
    assert train[0].tolist() == list(range(kept)) and validation[0].tolist() == list(range(kept, count))
    assert train[1][1] is None and validation[1][0].tolist() == validation[0].tolist() and validation[2] is None


def test_split_validation_standardises():
    pd = pytest.importorskip("pandas")
    train, validation = split_validation((pd.DataFrame({"a": [1.0, 2, 3]}), [1, 2, 3], [1, 2, 3]), 0.34)
    assert describe(train) == ("float32[1, 1]", "int64[1]", "int64[1]")
    assert describe(read(*validation)[0]) == ("float32[2, 1]", "int64[2]", "int64[2]")


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


# ---- bad input -----------------------------------------------------------------------------------------------------


def numbers(count=2):
    return ((X, Y) for _ in range(count))


BAD = {
    "x is None": (lambda: read(None), ValueError, "at least one array as x|generator"),
    "scalar": (lambda: read(3.0, 1.0), ValueError, "first axis of one"),
    "array of rank 0": (lambda: read(np.array(3.0)), ValueError, "first axis of one"),
    "a string": (lambda: read("abc"), ValueError, "a generator, a PyDataset"),
    "an object": (lambda: read(object()), ValueError, "a generator, a PyDataset"),
    "a function": (lambda: read(numbers), ValueError, "call it"),
    "object array": (lambda: read(np.array([1, None], object)), ValueError, "dtype=object"),
    "times": (lambda: read(np.array(["2020-01-01"], "M8[D]")), ValueError, "Turn times into numbers"),
    "masked": (lambda: read(np.ma.masked_array([1, 2], [0, 1])), ValueError, "filled"),
    "ragged": (lambda: read([[1, 2], [3]]), ValueError, "ragged"),
    "mixed list": (lambda: read(["a", 1]), ValueError, "only numbers or only strings"),
    "set": (lambda: read({1, 2}), ValueError, "a generator"),
    "object in a dict": (lambda: read({"a": object()}), TypeError, r"x\['a'\]"),
    "empty": (lambda: read(np.zeros((0, 2)), np.zeros(0)), ValueError, r"one sample, got x of shape \(0, 2\)"),
    "empty list": (lambda: read([]), ValueError, "at least one array as x"),
    "empty dict": (lambda: read({}), ValueError, "at least one array as x"),
    "lengths": (lambda: read(X, np.zeros(4)), ValueError, r"x of shape \(3, 2\), y of shape \(4,\)"),
    "lengths in a dict": (lambda: read({"a": X, "b": np.zeros(4)}, Y), ValueError, r"x\['b'\] of shape \(4,\)"),
    "lengths of weights": (lambda: read(X, Y, np.ones(2)), ValueError, r"sample_weight of shape \(2,\)"),
    "list of samples": (lambda: read([np.ones(4)] * 3, Y), ValueError, "np.stack"),
    "weights nested": (lambda: read(X, Y, [Y, Y]), ValueError, "as y is one array"),
    "weights for other outputs": (lambda: read(X, {"a": Y, "b": Y}, {"a": Y}), ValueError, "for each output"),
    "batch_size 0": (lambda: read(X, batch_size=0), ValueError, "batch_size: expected a positive int"),
    "batch_size -1": (lambda: read(X, batch_size=-1), ValueError, "got -1"),
    "batch_size 2.0": (lambda: read(X, batch_size=2.0), TypeError, "got 2.0"),
    "batch_size True": (lambda: read(X, batch_size=True), TypeError, "got True"),
    "steps 0": (lambda: read(X, steps=0), ValueError, "steps: expected a positive int"),
    "steps 2.5": (lambda: read(X, steps=2.5), TypeError, "got 2.5"),
    "shuffle": (lambda: read(X, shuffle="all"), ValueError, "batch"),
    "y with a generator": (lambda: read(numbers(), Y), ValueError, "no y beside a generator"),
    "weights with a generator": (lambda: read(numbers(), None, Y), ValueError, "no sample_weight beside a generator"),
    "y with a PyDataset": (lambda: read(Counted(), Y), ValueError, "no y beside a PyDataset"),
    "y with a DataLoader": (lambda: read(loader(), Y), ValueError, "no y beside a torch DataLoader"),
    "y with tf.data": (lambda: read(tf_dataset(), Y), ValueError, "no y beside a tf.data.Dataset"),
    "generator as y": (lambda: read(X, numbers()), TypeError, "^y: "),
    "empty generator": (lambda: read(numbers(0)), ValueError, "at least one batch"),
    "empty PyDataset": (lambda: read(Counted(count=0)), ValueError, "at least one batch"),
    "generator of arrays": (lambda: read(one for one in [X]), ValueError, r"yield \(x,\)"),
    "generator of lists": (lambda: read(one for one in [[X, Y]]), ValueError, "yield x, y"),
    "generator of None": (lambda: read(one for one in [None]), ValueError, "a tuple"),
    "generator of 4": (lambda: read(one for one in [(X, X, X, X)]), ValueError, "4 parts"),
    "generator of nothing": (lambda: read(one for one in [()]), ValueError, "0 parts"),
    "generator of None as x": (lambda: read(one for one in [(None, Y)]), ValueError, "None as x"),
    "generator of objects": (lambda: read(one for one in [(object(),)]), TypeError, "batch of the generator: x"),
    "PyDataset of strings": (lambda: read(Counted(lambda i: "x")), ValueError, "a tuple"),
    "PyDataset of 4": (lambda: read(Counted(lambda i: (1, 2, 3, 4))), ValueError, "4 parts"),
    "weight list": (lambda: read(X, Y, class_weight=[1, 2]), TypeError, "a dict from class number"),
    "weight keys": (lambda: read(X, Y, class_weight={"0": 1.0}), ValueError, "the key '0'"),
    "weight key 0.5": (lambda: read(X, Y, class_weight={0.5: 1.0}), ValueError, "the key 0.5"),
    "weight NaN": (lambda: read(X, Y, class_weight={0: float("nan")}), ValueError, "finite"),
    "weight text": (lambda: read(X, Y, class_weight={0: "1"}), ValueError, "finite numbers"),
    "weight per output": (lambda: read(X, {"a": Y}, class_weight={"a": {0: 1}}), ValueError, "several outputs"),
    "weight, two outputs": (lambda: read(X, [Y, Y], class_weight={0: 1}), ValueError, "several outputs"),
    "weight, no labels": (lambda: read(X, class_weight={0: 1}), ValueError, "no labels"),
    "weight, images": (lambda: read(X, np.zeros((3, 2, 2)), class_weight={0: 1}), ValueError, "one-hot"),
    "weight, NaN label": (lambda: read(X, [0, np.nan, 1], class_weight={0: 1}), ValueError, "NaN in row 1"),
    "weight, generator": (lambda: read(((X,) for _ in "a"), class_weight={0: 1}), ValueError, "no labels"),
    "split 0": (lambda: split_validation((X, Y, None), 0), ValueError, "above 0 and below 1"),
    "split 1.0": (lambda: split_validation((X, Y, None), 1.0), ValueError, "above 0 and below 1"),
    "split 1.5": (lambda: split_validation((X, Y, None), 1.5), ValueError, "above 0 and below 1"),
    "split text": (lambda: split_validation((X, Y, None), "a"), TypeError, "a fraction"),
    "split of one": (lambda: split_validation((X[:1], Y[:1], None), 0.5), ValueError, "0.5 of 1 samples"),
    "split lengths": (lambda: split_validation((X, Y[:2], None), 0.5), ValueError, r"y of shape \(2,\)"),
    "split of a generator": (lambda: split_validation((numbers(), None, None), 0.5), ValueError, "validation_data"),
    "split of a PyDataset": (lambda: split_validation((Counted(), None, None), 0.5), ValueError, "validation_data"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    call, kind, text = BAD[name]
    with pytest.raises(kind, match=text):
        call()
    assert no_thread_left()


def test_bad_frames():
    pd = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match=r"others: a.*dict\(frame\)"):
        read(pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}))
    with pytest.raises(ValueError, match=r"cat\.codes"):
        read(pd.Series(pd.Categorical(["a", "b"])))
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match="DataLoader"):
        read(torch.utils.data.TensorDataset(torch.ones(2)))
    with pytest.raises(TypeError, match="to_dense"):
        read(torch.eye(2).to_sparse())
    tf = pytest.importorskip("tensorflow")
    with pytest.raises((ValueError, TypeError)):
        read(tf.ragged.constant([[1], [2, 3]]))


# ---- pack and unpack -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [(5, (5, None, None)), ((1,), (1, None, None)), ((1, 2), (1, 2, None)), ([1, 2, 3], (1, 2, 3)),
     ({"a": 1}, ({"a": 1}, None, None)), (None, (None, None, None))],
)  # fmt: skip
def test_unpack(data, expected):
    assert unpack_x_y_sample_weight(data) == expected


@pytest.mark.parametrize("data", [(), (1, 2, 3, 4)])
def test_unpack_refuses(data):
    with pytest.raises(ValueError, match="parts"):
        unpack_x_y_sample_weight(data)


@pytest.mark.parametrize(
    ("args", "expected"),
    [((1,), 1), (({"a": 1},), {"a": 1}), (([1, 2],), ([1, 2],)), (((1, 2),), ((1, 2),)), ((1, 2), (1, 2)),
     ((1, 2, 3), (1, 2, 3)), ((1, None, 3), (1, None, 3))],
)  # fmt: skip
def test_pack(args, expected):
    packed = pack_x_y_sample_weight(*args)
    assert packed == expected
    assert unpack_x_y_sample_weight(packed) == tuple([*args, None, None][:3])
