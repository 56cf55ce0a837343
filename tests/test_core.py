"""The core: `Variable`, `KerasTensor`, `Trace`, and the transforms `jit`, `grad`, `value_and_grad`, `remat`,
`custom_gradient`."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import scope
from hornbeam.backend import active as backend
from hornbeam.errors import HornbeamError
from hornbeam.graph import Function
from hornbeam.scope import Trace, context
from tests.needs import needs_gradients

needs_compile = pytest.mark.skipif("compile" not in backend.features, reason="this backend does not compile")


def numpy(value: Any) -> Any:
    return np.asarray(keras.ops.convert_to_numpy(value))


def tensor(value: Any, dtype: str = "float32") -> Any:
    return keras.ops.convert_to_tensor(value, dtype)


# --- Variable ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "dtype", "shape", "expected"),
    [
        (1.0, None, (), "float32"),
        (3, None, (), "int32"),
        (True, None, (), "bool"),
        ([1.0, 2.0], None, (2,), "float32"),
        (np.ones((2, 3), "float64"), None, (2, 3), "float64"),
        (np.ones((2, 3), "float64"), "float16", (2, 3), "float16"),
        ([1, 2], "bfloat16", (2,), "bfloat16"),
        (np.zeros((0, 2), "int32"), None, (0, 2), "int32"),
    ],
)
def test_variables(value: Any, dtype: Any, shape: tuple, expected: str) -> None:
    if expected == "float64" and backend.name == "jax":
        expected = "float32"  # JAX has no wider floats unless it is told to
    variable = keras.Variable(value, dtype=dtype)
    assert (variable.shape, variable.dtype, variable.ndim) == (shape, expected, len(shape))
    assert variable.numpy().shape == shape


def test_assignments() -> None:
    variable = keras.Variable([1.0, 2.0], name="v")
    assert variable.assign([3, 4]) is variable
    assert variable.assign_add(1.0).numpy().tolist() == [4, 5]
    assert variable.assign_sub([1.0, 2.0]).numpy().tolist() == [3, 3]
    assert variable.assign(keras.Variable([7.0, 8.0])).numpy().tolist() == [7, 8]
    assert variable.assign(np.array([1, 2], "int64")).dtype == "float32"


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        ([1.0, 2.0, 3.0], ValueError, r"shape=\(2,\), got shape=\(3,\)"),
        (1.0, ValueError, r"got shape=\(\)"),
        (["a", "b"], TypeError, "'v'"),
        (None, TypeError, "'v'"),
    ],
)
def test_bad_assignments_change_nothing(value: Any, error: type, says: str) -> None:
    variable = keras.Variable([1.0, 2.0], name="v")
    with pytest.raises(error, match=says) as caught:
        variable.assign(value)
    assert isinstance(caught.value, HornbeamError)
    assert variable.numpy().tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "arguments",
    [
        {"initializer": lambda shape, dtype: np.ones(shape, dtype)},
        {"initializer": 1.0, "name": "a/b"},
        {"initializer": 1.0, "aggregation": "some"},
        {"initializer": 1.0, "trainable": "yes"},
        {"initializer": [1.0], "shape": (2,)},
        {"initializer": 1.0, "dtype": "float31"},
        {"initializer": 1.0, "nmae": "x"},
    ],
)
def test_bad_variables(arguments: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        keras.Variable(**arguments)
    assert isinstance(caught.value, HornbeamError)


def test_variables_stand_for_tensors() -> None:
    v, x = keras.Variable([1.0, 4.0]), tensor([2.0, 2.0])
    for got, wanted in (
        (v + x, [3, 6]),
        (x + v, [3, 6]),
        (v - 1, [0, 3]),
        (1 - v, [0, -3]),
        (v * v, [1, 16]),
        (v / 2, [0.5, 2]),
        (2 / v, [2, 0.5]),
        (v**2, [1, 16]),
        (-v, [-1, -4]),
        (abs(-v), [1, 4]),
        (v // 3, [0, 1]),
        (v % 3, [1, 1]),
        (np.ones(2, "float32") + v, [2, 5]),
        (v[1:], [4]),
        (keras.ops.sqrt(v), [1, 2]),
        (v @ x, 10),
    ):
        np.testing.assert_allclose(numpy(got), wanted)
    assert numpy(v > 2).tolist() == [False, True] and numpy(v <= 1).tolist() == [True, False]
    assert len(v) == 2 and [float(one) for one in v] == [1.0, 4.0]
    assert float(keras.Variable(2.0)) == 2.0 and int(keras.Variable(3)) == 3 and bool(keras.Variable(1.0))
    assert np.asarray(v).tolist() == [1.0, 4.0] and len({v, v}) == 1


@pytest.mark.skipif("live" in backend.features, reason="a value that was handed out lives on with its variable")
def test_a_value_handed_out_is_a_snapshot() -> None:
    variable = keras.Variable([1.0, 2.0])
    value, array = variable.value, variable.numpy()
    variable.assign([5.0, 6.0])
    assert numpy(value).tolist() == [1.0, 2.0] and array.tolist() == [1.0, 2.0]
    array[0] = 9
    assert variable.numpy().tolist() == [5.0, 6.0]


def test_what_a_variable_was_made_of_stays_apart() -> None:
    array = np.ones(2, "float32")
    variable = keras.Variable(array)
    array[0] = 7
    assert variable.numpy().tolist() == [1.0, 1.0]


def test_paths_of_variables() -> None:
    with keras.name_scope("outer"), keras.name_scope("inner"):
        assert keras.Variable(1.0, name="v").path == "outer/inner/v"
    assert keras.Variable(1.0, name="v").path == "v"


# --- KerasTensor and Function ---------------------------------------------------------------------------------------


def test_keras_tensors() -> None:
    x = keras.KerasTensor((None, 3), "int32", name="x")
    assert (x.shape, x.dtype, x.ndim, x.name) == ((None, 3), "int32", 2, "x")
    y = keras.KerasTensor((2, 3))
    assert len(y) == 2 and (y + 1).shape == (2, 3) and (y @ y[0]).shape == (2,) and (2 / y).dtype == "float32"
    for use in (
        lambda: bool(y),
        lambda: float(y),
        lambda: list(y),
        lambda: np.asarray(y),
        lambda: len(x),
        lambda: int(y),
    ):
        with pytest.raises(TypeError, match="symbolic"):
            use()
    with pytest.raises(ValueError):
        keras.KerasTensor((-1,))
    with pytest.raises(ValueError):
        keras.KerasTensor((2,), "float33")


def test_functions() -> None:
    a, b = keras.KerasTensor((None, 2), name="a"), keras.KerasTensor((None, 2), name="b")
    function = Function({"a": a, "b": [b]}, [a + b, {"x": (a * b, a)}])
    x, y = tensor([[1.0, 2.0]]), tensor([[3.0, 4.0]])
    total, rest = function({"a": x, "b": [y]})
    assert numpy(total).tolist() == [[4, 6]] and numpy(rest["x"][0]).tolist() == [[3, 8]]
    assert numpy(rest["x"][1]).tolist() == [[1, 2]]
    assert function.compute_output_shape({"a": (5, 2), "b": [(5, 2)]})[0] == (5, 2)
    with pytest.raises(ValueError, match=r"no input|not among"):
        Function(a, a + b)
    with pytest.raises(TypeError):
        Function(a, 3)


# --- Trace ----------------------------------------------------------------------------------------------------------


def test_a_trace_keeps_writes_to_itself() -> None:
    v, w = keras.Variable(1.0), keras.Variable(2.0)
    with Trace([(v, tensor(10.0))]) as outer:
        assert float(v) == 10.0 and float(w) == 2.0
        v.assign_add(1.0)
        with Trace() as inner:
            assert float(v) == 11.0
            w.assign(5.0)
            assert float(w) == 5.0
        assert float(w) == 2.0
        assert [one for one, _ in inner.updates()] == [w]
    assert (float(v), float(w)) == (1.0, 2.0)
    assert [one for one, _ in outer.updates()] == [v] and list(outer.read.values()) == [w]


def test_a_trace_that_raises_leaves_nothing() -> None:
    v = keras.Variable(1.0)
    with pytest.raises(RuntimeError), Trace():
        v.assign(2.0)
        raise RuntimeError
    assert float(v) == 1.0 and context.trace is None and context.reader is None


def test_threads_do_not_see_each_other() -> None:
    v, seen = keras.Variable(1.0), []
    with Trace([(v, tensor(9.0))]):
        thread = threading.Thread(target=lambda: seen.append(float(v)))
        thread.start()
        thread.join()
    assert seen == [1.0]


def test_masks_live_as_long_as_their_tensor() -> None:
    x = tensor(np.arange(3.0))
    scope.set_mask(x, "mask")
    assert scope.get_mask(x) == "mask"
    count = len(scope._masks)
    del x
    gc.collect()
    assert len(scope._masks) == count - 1


# --- gradients ------------------------------------------------------------------------------------------------------


@needs_gradients
def test_gradients_by_variables() -> None:
    v, w, counter = keras.Variable(3.0), keras.Variable([1.0, 2.0]), keras.Variable(0, trainable=False)

    def loss() -> Any:
        counter.assign_add(1)
        return v * v * keras.ops.sum(w), {"w": w * 1.0, "text": "aux", "none": None}

    (value, aux), gradients = keras.value_and_grad(loss, {"v": v, "all": [w]}, has_aux=True)
    assert float(value) == 27.0 and float(gradients["v"]) == 18.0 and numpy(gradients["all"][0]).tolist() == [9, 9]
    assert aux["text"] == "aux" and aux["none"] is None and numpy(aux["w"]).tolist() == [1, 2]
    assert int(counter) == 1
    assert float(keras.grad(lambda: v**3, v)) == 27.0
    assert [float(one) for one in keras.grad(lambda: v * 1.0, [v, keras.Variable(1.0)])] == [1.0, 0.0]
    value, gradients = keras.value_and_grad(lambda: v * 1.0, {"none": []})
    assert float(value) == 3.0 and gradients == {"none": []}
    (_, shape), _ = keras.value_and_grad(lambda: (v * 1.0, w.value.shape), v, has_aux=True)
    assert tuple(shape) == (2,)


@needs_gradients
def test_gradients_by_arguments() -> None:
    v = keras.Variable(2.0)

    def function(x: Any, y: Any, scale: float = 1.0) -> Any:
        v.assign_add(1.0)
        return keras.ops.sum(x["a"] * y) * scale

    value, gradient = keras.value_and_grad(function)({"a": tensor([1.0, 2.0])}, tensor([3.0, 4.0]), scale=2.0)
    assert float(value) == 22.0 and numpy(gradient["a"]).tolist() == [6, 8] and float(v) == 3.0
    first, second = keras.grad(function, argnums=(0, 1))({"a": tensor([1.0, 2.0])}, tensor([3.0, 4.0]))
    assert numpy(first["a"]).tolist() == [3, 4] and numpy(second).tolist() == [1, 2]
    assert float(keras.grad(keras.grad(lambda x: x**3))(tensor(2.0))) == 12.0


@needs_gradients
@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda v: keras.value_and_grad(lambda: v * tensor([1.0, 2.0]), v), ValueError, r"scalar.*shape=\(2,\)"),
        (lambda v: keras.value_and_grad(lambda: v * 1.0, v, has_aux=True), ValueError, r"\(value, aux\)"),
        (lambda v: keras.value_and_grad(lambda: v * 1.0, [v, 3.0]), TypeError, "variables"),
        (lambda v: keras.grad(lambda x: x, argnums=1)(tensor(1.0)), ValueError, "argnums"),
    ],
)
def test_gradients_that_cannot_be(make: Any, error: type, says: str) -> None:
    v = keras.Variable(1.0)
    with pytest.raises(error, match=says):
        make(v)
    assert float(v) == 1.0 and context.trace is None


@needs_gradients
def test_a_failing_loss_changes_nothing() -> None:
    v = keras.Variable(1.0)

    def loss() -> Any:
        v.assign(5.0)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        keras.value_and_grad(loss, v)
    assert float(v) == 1.0 and context.trace is None


@needs_gradients
def test_stop_gradient_custom_gradient_and_remat() -> None:
    x = tensor(2.0)
    assert float(keras.grad(lambda x: keras.ops.stop_gradient(x) * x)(x)) == 2.0

    @keras.ops.custom_gradient
    def odd(x: Any, y: Any) -> Any:
        return x * y, lambda upstream: (upstream * 100.0, upstream * 7.0)

    assert float(odd(x, tensor(3.0))) == 6.0
    assert [float(one) for one in keras.grad(odd, argnums=(0, 1))(x, tensor(3.0))] == [100.0, 7.0]
    v, count = keras.Variable(3.0), keras.Variable(0.0, trainable=False)

    def step(x: Any) -> Any:
        count.assign_add(1.0)
        return keras.ops.sin(x * v)

    again = keras.remat(step)
    value, gradient = keras.value_and_grad(lambda: again(x) * 2.0, v)
    assert float(value) == pytest.approx(2 * np.sin(6.0)) and float(gradient) == pytest.approx(
        4 * np.cos(6.0), rel=1e-5
    )
    assert float(count) == 1.0


# --- jit ------------------------------------------------------------------------------------------------------------


@needs_compile
def test_jit_finds_variables() -> None:
    v, w, traced = keras.Variable(1.0), keras.Variable(10.0), []

    @keras.jit
    def step(x: Any) -> Any:
        traced.append(1)
        v.assign_add(x)
        return {"sum": v + w, "text": "fixed", "none": None}

    for count in range(1, 5):
        result = step(tensor(2.0))
        assert float(v) == 1.0 + 2.0 * count and float(result["sum"]) == 11.0 + 2.0 * count
        assert result["text"] == "fixed" and result["none"] is None
    w.assign(20.0)  # seen by the compiled function
    assert float(step(tensor(0.0))["sum"]) == 29.0
    assert len(traced) <= 3


@needs_compile
def test_jit_compiles_anew_for_other_shapes_and_settings() -> None:
    traced = []

    @keras.jit
    def function(x: Any, power: int = 1, flip: bool = False) -> Any:
        traced.append((x.shape, power))
        return keras.ops.flip(x**power) if flip else x**power

    assert numpy(function(tensor([1.0, 2.0]))).tolist() == [1, 2]
    count = len(traced)
    function(tensor([3.0, 4.0]))
    assert len(traced) == count
    assert numpy(function(tensor([1.0, 2.0]), power=2)).tolist() == [1, 4]
    assert numpy(function(tensor([1.0, 2.0]), power=2, flip=True)).tolist() == [4, 1]
    assert numpy(function(tensor([1.0, 2.0, 3.0]), 2)).tolist() == [1, 4, 9]
    assert len(traced) > count
    assert numpy(function(np.array([1, 2], "int32"), 2)).tolist() == [1, 4]


@pytest.mark.skipif("live" in backend.features, reason="a value that was handed out lives on with its variable")
@needs_compile
def test_values_handed_out_before_stay_valid() -> None:
    v = keras.Variable(np.arange(4.0))

    @keras.jit
    def step() -> Any:
        v.assign(v * 2.0)
        return v.value

    before = v.value
    results = [step() for _ in range(4)]
    middle = v.value
    step()
    assert numpy(before).tolist() == [0, 1, 2, 3]
    assert numpy(middle).tolist() == [0, 16, 32, 48]
    assert [numpy(one).tolist()[1] for one in results] == [2, 4, 8, 16]
    assert v.numpy().tolist() == [0, 32, 64, 96]


@needs_compile
def test_two_variables_of_one_tensor() -> None:
    shared = tensor([1.0, 2.0])
    v, w = keras.Variable(shared), keras.Variable(shared)

    @keras.jit
    def swap() -> None:
        a, b = v * 1.0, w * 1.0
        v.assign(b + 1.0)
        w.assign(a)

    for _ in range(3):
        swap()
    v.assign(w)
    swap()
    assert numpy(shared).tolist() == [1.0, 2.0]
    assert v.numpy().tolist() == [3.0, 4.0] and w.numpy().tolist() == [2.0, 3.0]


@needs_compile
def test_a_failing_function_leaves_variables_whole() -> None:
    v = keras.Variable([1.0, 2.0])
    fail = [True]

    @keras.jit
    def step(x: Any) -> Any:
        v.assign_add(x)
        if fail[0]:
            raise RuntimeError("while tracing")
        return v.value

    for _ in range(2):
        with pytest.raises(RuntimeError, match="while tracing"):
            step(tensor([1.0, 1.0]))
        assert v.numpy().tolist() == [1.0, 2.0] and context.trace is None
    fail[0] = False
    assert numpy(step(tensor([1.0, 1.0]))).tolist() == [2.0, 3.0]
    with pytest.raises((ValueError, TypeError)):
        step(tensor([1.0, 1.0, 1.0]))
    assert v.numpy().tolist() == [2.0, 3.0]
    assert numpy(step(tensor([1.0, 1.0]))).tolist() == [3.0, 4.0]


@needs_compile
def test_jit_inside_jit_and_inside_gradients() -> None:
    v = keras.Variable(2.0)
    inner = keras.jit(lambda x: (v.assign_add(1.0), x * v)[1])
    outer = keras.jit(lambda x: inner(x) + inner(x))
    assert float(outer(tensor(1.0))) == 3.0 + 4.0
    assert float(v) == 4.0
    value, gradient = keras.value_and_grad(lambda: inner(tensor(3.0)), v)
    assert float(value) == 15.0 and float(gradient) == 3.0 and float(v) == 5.0
    step = keras.jit(lambda x: keras.value_and_grad(lambda: v * v * x, v))
    assert [float(one) for one in step(tensor(2.0))] == [50.0, 20.0]


@needs_compile
def test_methods_and_layers_under_jit() -> None:
    class Holder:
        def __init__(self, start: float) -> None:
            self.v = keras.Variable(start)

        @keras.jit
        def step(self, x: Any) -> Any:
            self.v.assign_add(x)
            return self.v * 1.0

    one, two = Holder(1.0), Holder(10.0)
    assert (float(one.step(tensor(1.0))), float(two.step(tensor(1.0))), float(one.step(tensor(1.0)))) == (2, 11, 3)
    layer = keras.layers.BatchNormalization()
    layer.build((None, 2))
    call = keras.jit(lambda x, training: layer(x, training=training))
    x = tensor([[0.0, 0.0], [2.0, 2.0]])
    call(x, True)
    assert layer.moving_mean.numpy().tolist() == pytest.approx([0.01, 0.01])
    call(x, False)
    assert layer.moving_mean.numpy().tolist() == pytest.approx([0.01, 0.01])


@needs_compile
@pytest.mark.usefixtures("equal_random")  # else compiled functions may draw others than single calls
def test_random_numbers_differ_from_call_to_call() -> None:
    seed = keras.random.SeedGenerator(1)
    draw = keras.jit(lambda: keras.random.normal((3,), seed=seed))
    drawn = [numpy(draw()).tolist() for _ in range(3)]
    assert len({tuple(one) for one in drawn}) == 3
    other = keras.random.SeedGenerator(1)
    assert [numpy(keras.random.normal((3,), seed=other)).tolist() for _ in range(3)] == [
        pytest.approx(one, rel=1e-6) for one in drawn
    ]


@needs_compile
def test_a_written_training_loop() -> None:
    random = np.random.RandomState(0)
    x, wanted = random.normal(size=(64, 3)).astype("float32"), np.array([[1.0], [-2.0], [0.5]], "float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build(model.trainable_variables)

    @keras.jit
    def step(x: Any, y: Any) -> Any:
        loss, gradients = keras.value_and_grad(
            lambda: keras.ops.mean((model(x, training=True) - y) ** 2), model.trainable_variables
        )
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    losses = [float(step(x, x @ wanted)) for _ in range(150)]
    assert losses[-1] < 1e-3 * losses[0] and int(optimizer.iterations) == 150


@needs_compile
def test_variables_made_inside_a_compiled_function() -> None:
    made = []

    @keras.jit
    def function(x: Any) -> Any:
        if not made:
            made.append(keras.Variable(5.0))
        return x * made[0]

    assert float(function(tensor(2.0))) == 10.0
    assert float(made[0]) == 5.0
    made[0].assign(6.0)
    assert float(function(tensor(2.0))) == 12.0


@needs_compile
def test_compiled_functions_can_be_collected() -> None:
    def use() -> Any:
        variable = keras.Variable(np.ones(3))
        keras.jit(lambda: variable * 2.0)()
        return weakref.ref(variable)

    seen = use()
    gc.collect()
    assert seen() is None
