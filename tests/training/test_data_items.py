"""What a batch may be, the weights of its classes, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest

from hornbeam.training.data import open_source, split_validation
from tests.training.data_cases import Counted, X, Y, describe, loader, no_thread_left, read, tf_dataset

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
