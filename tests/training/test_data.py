"""What each kind of data becomes as batches, in which order, and how a part is kept for validation.

Expectations marked "as Keras" are what a `train_step` of PyPI's keras 3.15.1 was seen to get with shuffle=False.
"""

import warnings

import numpy as np
import pytest

from hornbeam import _config
from hornbeam.training.data import ArraySource, open_source, split_validation
from hornbeam.training.unpack import pack_x_y_sample_weight, unpack_x_y_sample_weight
from tests.training.data_cases import Counted, X, Y, describe, no_thread_left, read

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
