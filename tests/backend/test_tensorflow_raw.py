"""TensorFlow's own functions take our variables as they take tensors: alone, in lists, in graphs and on tapes."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active

if active.name != "tensorflow":
    pytest.skip("needs the tensorflow backend", allow_module_level=True)

import tensorflow as tf

MATRIX = np.array([[1.0, 2.0], [3.0, 5.0]], "float32")
OTHER = np.array([[0.5, -2.0], [4.0, 1.0]], "float32")
INTEGERS = np.array([1, 0], "int32")
BOOLS = np.array([True, False])
SCALAR = np.float32(2.0)


def loop(condition, body, values):
    return tf.while_loop(condition, body, values)


# what is done with a matrix, another one, integers, bools and a scalar
ROWS = {
    "stack": lambda m, o, i, b, s: tf.stack([m, o], 1),
    "stack with a tensor": lambda m, o, i, b, s: tf.stack([m, tf.ones((2, 2)), o]),
    "stack of scalars": lambda m, o, i, b, s: tf.stack([s, 1.0, s]),
    "concat": lambda m, o, i, b, s: tf.concat([m, o], 0),
    "add_n": lambda m, o, i, b, s: tf.add_n([m, o]),
    "tuple": lambda m, o, i, b, s: tf.tuple([m, o]),
    "identity": lambda m, o, i, b, s: tf.identity(m),
    "identity_n": lambda m, o, i, b, s: tf.identity_n([m, o]),
    "convert_to_tensor": lambda m, o, i, b, s: tf.convert_to_tensor(m),
    "convert_to_tensor, dtype": lambda m, o, i, b, s: tf.convert_to_tensor(m, tf.float32),
    "convert_to_tensor, hint": lambda m, o, i, b, s: tf.convert_to_tensor(m, dtype_hint=tf.float32),
    "convert_to_tensor, list": lambda m, o, i, b, s: tf.convert_to_tensor([m, o]),
    "convert_to_tensor, nested": lambda m, o, i, b, s: tf.convert_to_tensor([[s, 1.0], [2.0, s]]),
    "cast": lambda m, o, i, b, s: tf.cast(m, tf.int32),
    "cast of bools": lambda m, o, i, b, s: tf.cast(b, "float32"),
    "bitcast": lambda m, o, i, b, s: tf.bitcast(m, tf.int32),
    "saturate_cast": lambda m, o, i, b, s: tf.saturate_cast(m * 100.0, tf.uint8),
    "matmul": lambda m, o, i, b, s: tf.matmul(m, o, transpose_b=True),
    "matvec": lambda m, o, i, b, s: tf.linalg.matvec(m, o[0]),
    "operators": lambda m, o, i, b, s: (tf.ones((2, 2)) + m) @ o - m / o * s,
    "comparison": lambda m, o, i, b, s: [m > o, tf.equal(m, m), tf.logical_not(b)],
    "inv": lambda m, o, i, b, s: tf.linalg.inv(m),
    "einsum": lambda m, o, i, b, s: tf.einsum("ij,jk->ik", m, o),
    "tensordot": lambda m, o, i, b, s: tf.tensordot(m, o, 1),
    "norm": lambda m, o, i, b, s: tf.norm(m),
    "global_norm": lambda m, o, i, b, s: tf.linalg.global_norm([m, o]),
    "clip_by_global_norm": lambda m, o, i, b, s: tf.clip_by_global_norm([m, o], s)[0],
    "clip_by_value": lambda m, o, i, b, s: tf.clip_by_value(m, 1.5, s),
    "reduce_sum": lambda m, o, i, b, s: tf.reduce_sum(m, axis=0, keepdims=True),
    "reduce_mean": lambda m, o, i, b, s: tf.reduce_mean(m),
    "reduce_max": lambda m, o, i, b, s: tf.reduce_max(m, i[0]),
    "reduce_any": lambda m, o, i, b, s: tf.reduce_any(b),
    "reduce_prod": lambda m, o, i, b, s: tf.reduce_prod(m, 1),
    "reduce_logsumexp": lambda m, o, i, b, s: tf.reduce_logsumexp(m),
    "reduce_std": lambda m, o, i, b, s: tf.math.reduce_std(m, 0),
    "argmax": lambda m, o, i, b, s: tf.argmax(m, 1),
    "math": lambda m, o, i, b, s: tf.math.log(tf.exp(tf.sqrt(m))) + tf.sin(o) * tf.pow(m, s) + tf.sign(o),
    "maximum": lambda m, o, i, b, s: tf.maximum(m, o),
    "divide_no_nan": lambda m, o, i, b, s: tf.math.divide_no_nan(m, o),
    "cumsum": lambda m, o, i, b, s: tf.cumsum(m, 1),
    "complex": lambda m, o, i, b, s: tf.complex(m, o),
    "where": lambda m, o, i, b, s: tf.where(m > 2.0, m, o),
    "where, variable condition": lambda m, o, i, b, s: tf.where(b, m, o),
    "gather": lambda m, o, i, b, s: tf.gather(m, i),
    "gather_nd": lambda m, o, i, b, s: tf.gather_nd(m, [i]),
    "embedding_lookup": lambda m, o, i, b, s: tf.nn.embedding_lookup(m, i),
    "scatter": lambda m, o, i, b, s: tf.tensor_scatter_nd_update(m, [[1]], [o[0]]),
    "boolean_mask": lambda m, o, i, b, s: tf.boolean_mask(m, b),
    "one_hot": lambda m, o, i, b, s: tf.one_hot(i, 3),
    "unique": lambda m, o, i, b, s: tf.unique(i)[0],
    "sort": lambda m, o, i, b, s: tf.sort(o),
    "top_k": lambda m, o, i, b, s: tf.math.top_k(m, 1).values,
    "searchsorted": lambda m, o, i, b, s: tf.searchsorted([1.5, 2.5], m[0]),
    "reshape": lambda m, o, i, b, s: tf.reshape(m, [4]),
    "transpose": lambda m, o, i, b, s: tf.transpose(m),
    "slice": lambda m, o, i, b, s: tf.slice(m, i, [1, 1]),
    "index": lambda m, o, i, b, s: [m[0], m[:, 1:], m[i[0]], m[..., tf.newaxis]],
    "expand_dims, squeeze, tile": lambda m, o, i, b, s: tf.tile(tf.squeeze(tf.expand_dims(m, 0)), [1, 2]),
    "pad": lambda m, o, i, b, s: tf.pad(m, [[1, 1], [0, 0]]),
    "broadcast_to": lambda m, o, i, b, s: tf.broadcast_to(m, [3, 2, 2]),
    "roll, reverse, repeat": lambda m, o, i, b, s: tf.repeat(tf.reverse(tf.roll(m, 1, 0), [1]), 2, 0),
    "split, unstack": lambda m, o, i, b, s: [*tf.split(m, 2), *tf.unstack(o)],
    "shape, size, rank": lambda m, o, i, b, s: [tf.shape(m), tf.size(m), tf.rank(m)],
    "zeros_like, ones_like": lambda m, o, i, b, s: [tf.zeros_like(m), tf.ones_like(m)],
    "fill, range, linspace": lambda m, o, i, b, s: [tf.fill([2], s), tf.range(s), tf.linspace(s, 3.0, 3)],
    "meshgrid": lambda m, o, i, b, s: tf.meshgrid(m[0], o[1]),
    "ensure_shape": lambda m, o, i, b, s: tf.ensure_shape(m, (2, 2)),
    "histogram_fixed_width": lambda m, o, i, b, s: tf.histogram_fixed_width(m, [0.0, s]),
    "dynamic_partition": lambda m, o, i, b, s: tf.dynamic_partition(m, i, 2),
    "dynamic_stitch": lambda m, o, i, b, s: tf.dynamic_stitch([[0], [1]], [m[:1], o[:1]]),
    "segment_sum": lambda m, o, i, b, s: tf.math.unsorted_segment_sum(m, i, 2),
    "tf.nn": lambda m, o, i, b, s: tf.nn.softmax(tf.nn.relu(tf.nn.bias_add(m, o[0]))),
    "cross entropy": lambda m, o, i, b, s: tf.nn.sparse_softmax_cross_entropy_with_logits(i, m),
    "conv2d": lambda m, o, i, b, s: tf.nn.conv2d(tf.ones((1, 3, 3, 2)), m[tf.newaxis, tf.newaxis], 1, "SAME"),
    "stop_gradient": lambda m, o, i, b, s: m * tf.stop_gradient(o),
    "cond": lambda m, o, i, b, s: tf.cond(s > 1.0, lambda: m, lambda: o),
    "cond, variable predicate": lambda m, o, i, b, s: tf.cond(b[1], lambda: m * 2.0, lambda: tf.stack([o[0], m[1]])),
    "case": lambda m, o, i, b, s: tf.case([(s > 3.0, lambda: m)], default=lambda: tf.identity(o)),
    "switch_case": lambda m, o, i, b, s: tf.switch_case(i[0], [lambda: m, lambda: o]),
    "while_loop": lambda m, o, i, b, s: loop(lambda n, a: n < 3, lambda n, a: (n + 1, a * s + m), [0, m]),
    "while_loop over a variable": lambda m, o, i, b, s: loop(lambda n: n < 9.0, lambda n: [n + s], [s]),
    "TensorArray": lambda m, o, i, b, s: tf.TensorArray(tf.float32, 2).write(0, m).write(1, o).stack(),
    "map_fn": lambda m, o, i, b, s: tf.map_fn(lambda row: row * s, m),
    "scan": lambda m, o, i, b, s: tf.scan(lambda a, row: a + row, m),
    "vectorized_map": lambda m, o, i, b, s: tf.vectorized_map(lambda row: row * 2.0, m),
    "nest": lambda m, o, i, b, s: tf.nest.map_structure(lambda one: one * 2.0, {"a": m, "b": [o]}),
    "py_function": lambda m, o, i, b, s: tf.py_function(lambda one: one * 2.0, [m], tf.float32),
    "numpy_function": lambda m, o, i, b, s: tf.numpy_function(lambda one: one * 2.0, [m], tf.float32),
    "sparse": lambda m, o, i, b, s: tf.sparse.to_dense(tf.sparse.from_dense(m)),
    "ragged": lambda m, o, i, b, s: tf.RaggedTensor.from_row_lengths(m, [0, 2]).to_tensor(),
    "as_string": lambda m, o, i, b, s: tf.strings.as_string(i),
    "tf.experimental.numpy": lambda m, o, i, b, s: tf.experimental.numpy.add(m, o),
    "assert_equal": lambda m, o, i, b, s: tf.debugging.assert_equal(m, m),
    "assert_less": lambda m, o, i, b, s: tf.debugging.assert_less(o, s + 3.0),
    "assert_near": lambda m, o, i, b, s: tf.debugging.assert_near(m, m),
    "assert_positive": lambda m, o, i, b, s: tf.debugging.assert_positive(m, message="x"),
    "assert_rank": lambda m, o, i, b, s: tf.debugging.assert_rank(m, 2),
    "assert_integer": lambda m, o, i, b, s: tf.debugging.assert_integer(i),
    "assert_type": lambda m, o, i, b, s: tf.debugging.assert_type(m, tf.float32),
    "assert_shapes": lambda m, o, i, b, s: tf.debugging.assert_shapes([(m, ("a", "b")), (o, ("b", "a")), (i, ("a",))]),
    "assert_all_finite": lambda m, o, i, b, s: tf.debugging.assert_all_finite(m, "x"),
    "check_numerics": lambda m, o, i, b, s: tf.debugging.check_numerics(m, "x"),
    "Assert": lambda m, o, i, b, s: tf.debugging.Assert(s > 1.0, [m, i]),
    "print": lambda m, o, i, b, s: tf.print("m", m, [o, {"s": s}], output_stream="file:///dev/null"),
    "dtype and shape": lambda m, o, i, b, s: [
        tf.zeros(m.shape, m.dtype), tf.constant([m.dtype.is_floating, i.dtype.is_integer, m.shape.rank == 2]),
    ],
}  # fmt: skip

# in a graph these give operations, and so nothing
OPERATIONS = ("assert", "Assert", "print")


def plain(result):
    """The results as NumPy arrays; operations of a graph and None are nothing."""
    return [one.numpy() for one in tf.nest.flatten(result) if tf.is_tensor(one)]


@pytest.fixture(scope="module")
def given():
    arrays = (MATRIX, OTHER, INTEGERS, BOOLS, SCALAR)
    return [keras.Variable(one, trainable=one.dtype == "float32") for one in arrays], [tf.constant(a) for a in arrays]


@pytest.mark.parametrize("where", ["eager", "as arguments of a graph", "as what a graph closes over"])
@pytest.mark.parametrize("row", ROWS)
def test_functions_take_variables_as_tensors(given, row, where):
    variables, tensors = given
    expected = plain(ROWS[row](*tensors))

    def run(*values):
        result = ROWS[row](*values)
        return None if row.startswith(OPERATIONS) else result

    if where == "eager":
        found = plain(ROWS[row](*variables))
    elif where == "as arguments of a graph":
        found = plain(tf.function(run, autograph=False)(*variables))
    else:
        found = plain(tf.function(lambda: run(*variables), autograph=False)())
    if where != "eager" and row.startswith(OPERATIONS):
        return
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        if one.dtype.kind in "OSUb":
            np.testing.assert_array_equal(one, other)
        else:
            np.testing.assert_allclose(one, other, rtol=1e-6)


def test_failing_checks_still_fail(given):
    (m, _, _, _, _), _ = given
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.debugging.assert_negative(m)
    with pytest.raises(TypeError):
        tf.debugging.assert_type(m, tf.int32)


def test_gradients_through_lists_of_variables(given):
    (m, o, _, _, s), (tm, to, _, _, ts) = given

    def value(m, o, s):
        return tf.reduce_sum(tf.stack([m, o * s]) ** 2) + tf.reduce_sum(tf.concat([m, o], 0) * s)

    with tf.GradientTape() as tape:
        found = value(m, o, s)
    with tf.GradientTape() as other:
        other.watch([tm, to, ts])
        expected = value(tm, to, ts)
    for one, true in zip(tape.gradient(found, [m, o, s]), other.gradient(expected, [tm, to, ts]), strict=True):
        np.testing.assert_allclose(one, true, rtol=1e-6)


def test_forward_derivative(given):
    (m, *_), (tensor, *_) = given
    with tf.autodiff.ForwardAccumulator(m, tf.ones((2, 2))) as forward:
        y = m * m
    np.testing.assert_allclose(forward.jvp(y), 2 * tensor)


def test_summaries_take_variables(given, tmp_path):
    (m, _, _, _, s), _ = given
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        tf.summary.scalar("s", s, step=0)
        tf.summary.histogram("m", m, step=0)
        tf.summary.image("m", tf.reshape(m, (1, 2, 2, 1)) / 5.0, step=0)
        tf.summary.text("m", tf.strings.as_string(m), step=0)
    (file,) = tmp_path.iterdir()
    events = [one for event in tf.compat.v1.train.summary_iterator(str(file)) for one in event.summary.value]
    assert [one.tag for one in events] == ["s", "m", "m", "m"]
    assert tf.make_ndarray(events[0].tensor) == 2.0


def test_datasets_of_variables(given):
    (m, o, _, _, _), _ = given
    rows = list(tf.data.Dataset.from_tensor_slices((m, o)).as_numpy_iterator())
    np.testing.assert_array_equal([a for a, _ in rows], MATRIX)
    np.testing.assert_array_equal([b for _, b in rows], OTHER)
    picked = list(tf.data.Dataset.range(2).map(lambda place: tf.gather(tf.stack([m, o]), place)).as_numpy_iterator())
    np.testing.assert_array_equal(picked, [MATRIX, OTHER])


def test_variables_in_a_checkpoint(tmp_path):
    one, other = keras.Variable([1.0, 2.0]), keras.Variable([0.0, 0.0])
    path = tf.train.Checkpoint(mine=one).save(str(tmp_path / "c"))
    tf.train.Checkpoint(mine=other).restore(path).assert_consumed()
    assert other.numpy().tolist() == [1.0, 2.0]


def test_facts_of_variables_are_names_and_tuples():
    v = keras.Variable([[1.0, 2.0]])
    assert isinstance(v.dtype, str) and v.dtype == "float32" == keras.backend.standardize_dtype(v.dtype)
    assert v.dtype == tf.float32 and {"float32": 1}[v.dtype] == 1
    assert isinstance(v.shape, tuple) and v.shape == (1, 2) and v.shape.as_list() == [1, 2]
    with pytest.raises(AttributeError):
        v.dtype.no_such_attribute  # noqa: B018
