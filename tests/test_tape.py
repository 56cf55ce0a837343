"""`GradientTape`: its gradients are those of `value_and_grad`; what it cannot see, it says."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers, ops
from hornbeam.backend import active as backend
from tests.needs import needs_gradients

pytestmark = needs_gradients


def tensor(*values):
    return ops.convert_to_tensor(np.array(values, "float32"))


def array(value):
    return ops.convert_to_numpy(value)


@keras.ops.custom_gradient
def doubled(x):
    return x, lambda upstream: upstream * 2


def looped(x):
    return ops.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 1.5), (0, x), maximum_iterations=5)[1]


# a function of a vector of four numbers; each is summed up
FUNCTIONS = {
    "square": lambda x: x * x,
    "sine of exponential": lambda x: ops.sin(ops.exp(x)),
    "matrix": lambda x: ops.matmul(ops.reshape(x, (2, 2)), ops.reshape(x, (2, 2))),
    "relu": lambda x: ops.relu(x - 0.5),
    "gelu": ops.gelu,
    "softmax": lambda x: ops.softmax(x) * ops.arange(4, dtype="float32"),
    "sort": lambda x: ops.sort(x) * ops.arange(4, dtype="float32"),
    "top": lambda x: ops.top_k(x, 2)[0],
    "pieces": lambda x: sum(one * number for number, one in enumerate(ops.unstack(x))),
    "item": lambda x: x[1] * x[2],
    "half": lambda x: ops.cast(ops.cast(x, "float16"), "float32") * x,
    "choice": lambda x: ops.where(x > 0.3, x * x, -x),
    "branch": lambda x: ops.cond(x[0] > 0, lambda: x * 2, lambda: x * 3),
    "python branch": lambda x: x * 2 if float(array(ops.stop_gradient(x))[0]) > 0 else x * 3,
    "scan": lambda x: ops.scan(lambda c, one: (c * one, c + one), ops.sum(x), x)[1],
    "map": lambda x: ops.vectorized_map(lambda one: one * one, x) * x,
    "own gradient": lambda x: doubled(x) * x,
    "no gradient": lambda x: ops.stop_gradient(x) * x,
    "again": lambda x: keras.remat(lambda y: ops.sin(y) * y)(x),
    "dead end": lambda x: x * 2 + ops.cast(ops.argmax(x), "float32"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name):
    function = FUNCTIONS[name]
    x = tensor(0.3, 0.9, -0.4, 0.7)
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    if name == "python branch":
        expected = np.full(4, 2.0)
    else:
        expected = array(keras.grad(lambda x: ops.sum(function(x)))(x))
    np.testing.assert_allclose(array(tape.gradient(y, x)), expected, rtol=1e-5, atol=1e-6)


LAYERS = {
    "Dense": (lambda: layers.Dense(3, activation="relu"), (4, 5)),
    "Conv2D": (lambda: layers.Conv2D(3, 3, padding="same", strides=2), (2, 6, 6, 2)),
    "Conv1D": (lambda: layers.Conv1D(3, 3, dilation_rate=2), (2, 8, 2)),
    "MaxPooling2D": (lambda: keras.Sequential([layers.Conv2D(2, 3), layers.MaxPooling2D()]), (2, 8, 8, 2)),
    "BatchNormalization": (layers.BatchNormalization, (4, 5)),
    "LayerNormalization": (layers.LayerNormalization, (4, 5)),
    "Embedding": (lambda: layers.Embedding(6, 3), (4, 5)),
    "Dropout": (lambda: keras.Sequential([layers.Dense(4), layers.Dropout(0.5, seed=3)]), (4, 5)),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_layer(name, dtype):
    make, shape = LAYERS[name]
    x = np.random.default_rng(0).uniform(0, 5, shape)
    x = ops.convert_to_tensor(x.astype("int32" if name == "Embedding" else "float32"))

    def ready():
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(dtype)
        try:
            keras.utils.set_random_seed(0)
            layer = make()
            layer.build(shape)
        finally:
            keras.config.set_dtype_policy(before)
        return layer

    def loss(layer):
        y = ops.cast(layer(x, training=True), "float32")
        return ops.sum(y * y * y)

    layer, twin = ready(), ready()
    expected = keras.grad(lambda: loss(twin), twin.trainable_variables)
    with keras.GradientTape() as tape:
        value = loss(layer)
    found = tape.gradient(value, layer.trainable_variables)
    assert len(found) == len(expected) > 0
    assert {id(one) for one in tape.watched_variables()} == {id(one) for one in layer.trainable_variables}
    tolerance = 1e-5 if dtype == "float32" else 2e-2
    for one, other in zip(found, expected, strict=True):
        scale = np.abs(array(other)).max()
        np.testing.assert_allclose(array(one), array(other), rtol=tolerance, atol=tolerance * scale)
    for one, other in zip(layer.non_trainable_variables, twin.non_trainable_variables, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5)  # statistics and seeds move alike


def test_structures_and_factors():
    v, w = keras.Variable([1.0, 2.0]), keras.Variable(3.0)
    x = tensor(4.0, 5.0)
    with keras.GradientTape() as tape:
        tape.watch({"x": x})
        y, z = v * w * x, v * x
    found = tape.gradient({"y": y, "z": z}, {"a": [v, w], "b": x}, output_gradients={"y": tensor(1.0, 10.0), "z": None})
    assert array(found["a"][0]).tolist() == [4 * 3 + 4, 50 * 3 + 5]
    assert float(found["a"][1]) == 1 * 4 + 10 * 2 * 5
    assert array(found["b"]).tolist() == [1 * 3 + 1, 10 * 2 * 3 + 2]


def test_source_inside_the_computation_keeps_both_ways():
    x = tensor(2.0)
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = y * y * x
    by_y, by_x = tape.gradient(z, [y, x])
    assert (array(by_y).item(), array(by_x).item()) == (2 * 4 * 2, 5 * 16)


def test_persistent_and_not():
    v = keras.Variable(2.0)
    with keras.GradientTape(persistent=True) as tape:
        y = v * v
        z = y * v
    assert [float(tape.gradient(one, v)) for one in (y, z, y)] == [4.0, 12.0, 4.0]
    with keras.GradientTape() as tape:
        y = v * v
    assert float(tape.gradient(y, v)) == 4.0
    with pytest.raises(RuntimeError, match="persistent"):
        tape.gradient(y, v)


def test_higher_orders():
    v = keras.Variable(2.0)
    with keras.GradientTape() as one, keras.GradientTape() as two, keras.GradientTape() as three:
        y = v * v * v * v
        first = three.gradient(y, v)
        second = two.gradient(first, v)
    assert (float(first), float(second), float(one.gradient(second, v))) == (32.0, 48.0, 48.0)
    with keras.GradientTape(persistent=True) as tape:
        y = v * v * v
        slope = tape.gradient(y, v)
    assert float(tape.gradient(slope, v)) == 12.0
    with keras.GradientTape() as tape:
        slope = keras.grad(lambda: v * v * v, v)
    assert float(tape.gradient(slope, v)) == 12.0


def test_tape_inside_a_gradient():
    v = keras.Variable(2.0)

    def slope():
        with keras.GradientTape() as tape:
            y = v * v * v
        return tape.gradient(y, v)

    assert float(keras.grad(slope, v)) == 12.0


def test_variable_before_and_after_an_assignment():
    v = keras.Variable(3.0)
    with keras.GradientTape(persistent=True) as tape:
        y = v * v
        v.assign(5.0)
        z = v * v
        v.assign_add(1.0)
    assert [float(tape.gradient(one, v)) for one in (y, z)] == [6.0, 10.0]
    assert float(tape.gradient([y, z], v)) == 16.0
    assert float(v) == 6.0


def test_variables_that_start_as_one_array_stay_apart():
    a, b = (keras.Variable(keras.initializers.Zeros(), shape=(2,)) for _ in range(2))
    with keras.GradientTape() as tape:
        y = a * 2 + b * 3
    assert [array(one).tolist() for one in tape.gradient(y, [a, b])] == [[2, 2], [3, 3]]


def test_what_is_watched():
    v, w = keras.Variable(2.0), keras.Variable(3.0, trainable=False)
    with keras.GradientTape(persistent=True) as tape:
        y = v * w
    assert tape.gradient(y, [v, w])[1] is None
    assert float(tape.gradient(y, w, unconnected_gradients="zero")) == 0.0
    with keras.GradientTape() as tape:
        tape.watch(w)
        y = v * w
    assert float(tape.gradient(y, w)) == 2.0
    with keras.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(v)
        y = v * w
    assert float(tape.gradient(y, v)) == 3.0 and tape.watched_variables() == (v,)


def test_stop_recording_and_reset():
    v = keras.Variable(2.0)
    with keras.GradientTape(persistent=True) as tape:
        y = v * v
        with tape.stop_recording():
            hidden = v * v
        z = y + hidden
    assert float(tape.gradient(z, v)) == 4.0
    with keras.GradientTape() as tape:
        y = v * v
        tape.reset()
        y = v * 7.0
    assert float(tape.gradient(y, v)) == 7.0
    with pytest.raises(RuntimeError, match="records"), tape.stop_recording():
        pass


def test_jacobian():
    v, x = keras.Variable([1.0, 2.0]), tensor(3.0, 4.0, 5.0)
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = ops.outer(x, v)
    by_v, by_x = tape.jacobian(y, [v, x])
    np.testing.assert_allclose(array(by_v), np.einsum("i,jk->ijk", [3, 4, 5], np.eye(2)))
    np.testing.assert_allclose(array(by_x), np.einsum("j,ik->ijk", [1, 2], np.eye(3)))


def test_in_compiled_steps_and_jit():
    class Taped(keras.Sequential):
        def train_step(self, data):
            x, y = data
            with keras.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            return {"loss": loss}

    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    losses = []
    for model_class in (Taped, keras.Sequential):
        keras.utils.set_random_seed(1)
        model = model_class([layers.Dense(8, "gelu"), layers.BatchNormalization(), layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.01), loss="mse")
        model.fit(x, x[:, :1], batch_size=32, epochs=4, shuffle=False, verbose=0)
        losses.append([one.numpy() for one in model.weights])
    for one, other in zip(*losses, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)

    v = keras.Variable(2.0)
    times = keras.jit(lambda x: x * v)
    with keras.GradientTape() as tape:
        y = times(times(tensor(1.0)))
    assert array(tape.gradient(y, v)).item() == 4.0


BAD = {
    "computed after the tape": (lambda tape, v: (v * v, v), RuntimeError, "computed on the tape"),
    "a source that nobody watches": (lambda tape, v: (tape.y, tensor(1.0)), RuntimeError, "watch"),
    "an integer": (lambda tape, v: (tape.y, ops.ones(2, "int32")), TypeError, "floats"),
    "a number": (lambda tape, v: (1.0, v), TypeError, "tensors or variables"),
}


@pytest.mark.parametrize("name", BAD)
def test_errors(name):
    if name == "computed after the tape" and backend.name == "torch":
        pytest.skip("torch records by itself, so that such a target has a right gradient")
    arguments, error, text = BAD[name]
    v = keras.Variable(2.0)
    with keras.GradientTape() as tape:
        tape.y = v * v
    with pytest.raises(error, match=text):
        tape.gradient(*arguments(tape, v))
    assert float(tape.gradient(tape.y, v)) == 4.0  # the tape is as it was


def test_unconnected_is_none_or_zero():
    v, w = keras.Variable(2.0), keras.Variable([1.0, 1.0])
    with keras.GradientTape(persistent=True) as tape:
        y, _ = v * v, w * 1.0
    assert tape.gradient(y, [v, w])[1] is None
    assert array(tape.gradient(y, w, unconnected_gradients="zero")).tolist() == [0, 0]
    with pytest.raises(ValueError, match="'zero'"):
        tape.gradient(y, w, unconnected_gradients="nothing")


@pytest.mark.skipif(backend.name != "jax", reason="raw JAX")
class TestRawJax:
    def test_sees_what_jax_computes(self):
        import jax
        import jax.numpy as jnp

        v = keras.Variable([1.0, 2.0])
        jitted = jax.jit(lambda x: jnp.sin(x) * x)

        def nested():
            return jax.jit(lambda x: jax.jit(lambda y: y * v.value)(x))(jnp.ones(2))

        cases = {
            "jnp": lambda: jnp.sum(jnp.cos(v.value)),
            "jit": lambda: jnp.sum(jitted(v.value)),
            "closed over": lambda: jnp.sum(jax.jit(lambda x: x * v.value)(jnp.ones(2))),
            "closed over twice": lambda: jnp.sum(nested() * v.value),
            "scan": lambda: jax.lax.scan(lambda c, x: (c + x * v.value.sum(), None), 0.0, v.value)[0],
            "checkpoint": lambda: jnp.sum(jax.checkpoint(lambda x: jnp.sin(x) * v.value)(v.value)),
            "grad": lambda: jnp.sum(jax.grad(lambda x: jnp.sum(x**3) * v.value[0])(v.value)),
            "vmap": lambda: jnp.sum(jax.vmap(lambda x: x * v.value[1] * x)(v.value)),
            "relu": lambda: jnp.sum(jax.nn.relu(v.value) ** 2),
            "random": lambda: jnp.sum(jax.random.normal(jax.random.key(0), (2,)) * v.value**2),
        }
        for name, function in cases.items():
            with keras.GradientTape() as tape:
                y = function()
            np.testing.assert_allclose(
                array(tape.gradient(y, v)), array(keras.grad(function, v)), rtol=1e-6, err_msg=name
            )

    def test_value_that_left_through_numpy(self):
        v, w = keras.Variable([1.0, 2.0]), keras.Variable(1.0)
        with keras.GradientTape() as tape:
            y = ops.sum(ops.convert_to_tensor(np.asarray(v)) * w)
        with pytest.raises(RuntimeError, match="NumPy"):
            tape.gradient(y, [v, w])

    def test_memory_that_a_jitted_function_may_take(self):
        import functools

        import jax

        @functools.partial(jax.jit, donate_argnums=0)
        def twice(x):
            return x * 2

        v = keras.Variable([1.0, 2.0])
        with keras.GradientTape() as tape:
            x = v * v
            y = twice(x)
        assert array(tape.gradient(y, v)).tolist() == [4, 8]
