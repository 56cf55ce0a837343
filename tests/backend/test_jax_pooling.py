"""The JAX backend's pooling against `lax.reduce_window` (outputs and gradients) and against Keras."""

import os

import numpy as np
import pytest

from hornbeam.backend import active as backend

if backend.name != "jax":
    pytest.skip("about the JAX backend", allow_module_level=True)
import jax
import jax.numpy as jnp
from jax import lax

from hornbeam.backend.jax import pooling

SIZES = {1: (12,), 2: (12, 8), 3: (6, 4, 8)}


def normal(*shape, dtype="float32", seed=0):
    return jnp.asarray(np.random.default_rng(seed + sum(shape)).standard_normal(shape), dtype)


def plain_max(x, size, strides, padding):
    return window(x, -np.inf, lax.max, size, strides, padding)


def plain_average(x, size, strides, padding):
    total = window(x, 0.0, lax.add, size, strides, padding)
    return total / window(jnp.ones_like(x), 0.0, lax.add, size, strides, padding)


def window(x, start, join, size, strides, padding):
    rank = x.ndim - 2
    start = np.array(start, x.dtype)
    return lax.reduce_window(
        x, start, join, (1, *(size,) * rank, 1), (1, *(strides,) * rank, 1), padding.upper()
    )


def outputs_and_gradient(function, x):
    @jax.jit
    def both(x):
        y, pull = jax.vjp(function, x)
        return (y, *pull(normal(*y.shape, dtype=y.dtype, seed=7)))

    return both(x)


def assert_close(ours, theirs, tolerance=1e-5):
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(np.asarray(a, "float64"), np.asarray(b, "float64"), rtol=0, atol=tolerance)


# spatial rank, window, strides, padding; the sizes are tiled, left over, overlapping, with gaps, large
TABLE = [
    *((rank, 2, 2, "valid") for rank in (1, 2, 3)),
    *((rank, 3, 2, "same") for rank in (1, 2, 3)),
    (1, 3, 1, "valid"),
    (2, 3, 1, "same"),
    (2, 5, 5, "valid"),
    (2, 5, 5, "same"),
    (2, 2, 3, "valid"),
    (2, 4, 4, "valid"),
    (2, 4, 2, "same"),
    (1, 12, 1, "same"),
    (2, 1, 1, "valid"),
]
FORMS = {"max": (pooling.max_pool, plain_max), "average": (pooling.average_pool, plain_average)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("row", TABLE, ids=str)
def test_equals_the_plain_form(row, form):
    rank, size, strides, padding = row
    ours, theirs = FORMS[form]
    x = normal(2, *SIZES[rank], 5)
    expected = outputs_and_gradient(lambda x: theirs(x, size, strides, padding), x)
    assert_close(outputs_and_gradient(lambda x: ours(x, size, strides, padding), x), expected)
    first = jnp.moveaxis(x, -1, 1)
    got = ours(first, size, strides, padding, "channels_first")
    assert_close([jnp.moveaxis(got, 1, -1)], expected[:1])


@pytest.mark.parametrize(
    "row", [(2, 2, 2, "valid"), (2, 3, 2, "same"), (2, 4, 4, "valid"), (2, 4, 2, "same")], ids=str
)
def test_the_first_of_equals_gets_the_gradient(row):
    rank, size, strides, padding = row
    x = jnp.asarray(np.random.default_rng(0).integers(0, 3, (2, *SIZES[rank], 5)), "float32")
    ours = outputs_and_gradient(lambda x: pooling.max_pool(x, size, strides, padding), x)
    assert_close(ours, outputs_and_gradient(lambda x: plain_max(x, size, strides, padding), x))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_low_precision_keeps_its_dtype(dtype):
    x = normal(2, 12, 8, 5, dtype=dtype)
    expected = outputs_and_gradient(lambda x: plain_max(x, 2, 2, "valid"), x)
    assert_close(outputs_and_gradient(lambda x: pooling.max_pool(x, 2), x), expected)
    expected = plain_average(x.astype("float32"), 2, 2, "valid").astype(dtype)
    assert_close([pooling.average_pool(x, 2)], [expected], 2e-2)


def test_integers_and_nan():
    x = jnp.arange(2 * 4 * 4 * 1).reshape(2, 4, 4, 1)
    assert pooling.max_pool(x, 2).ravel().tolist() == [5, 7, 13, 15, 21, 23, 29, 31]
    assert jnp.isnan(pooling.max_pool(jnp.array([[[1.0], [jnp.nan]]]), 2)).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [2, 3])
def test_orders_modes_and_maps(form, size):
    x, tangent = normal(2, 6, 8, 3), normal(2, 6, 8, 3, seed=3)

    def loss(pool):
        return lambda x: jnp.sum(jnp.sin(pool(x, size, 2, "valid")) ** 2)

    ours, theirs = map(loss, FORMS[form])
    # Forward over reverse; the plain form's second order is only known in reverse.
    second = jax.jit(lambda x: jax.jvp(jax.grad(ours), (x,), (tangent,))[1])(x)
    expected = jax.jit(jax.grad(lambda x: jnp.vdot(jax.grad(theirs)(x), tangent)))(x)
    assert_close([second], [expected], 1e-4)
    mapped = jax.jit(jax.vmap(jax.grad(ours)))(x[:, None])
    assert_close([mapped[:, 0]], [jax.jit(jax.grad(theirs))(x)])


def test_empty_batch():
    for ours, _ in FORMS.values():
        y, gradient = outputs_and_gradient(lambda x: ours(x, 2), jnp.zeros((0, 4, 4, 3)))
        assert y.shape == (0, 2, 2, 3)
        assert gradient.shape == (0, 4, 4, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"padding": "full"}, "padding"),
        ({"data_format": "last"}, "data_format"),
        ({"strides": (1, 2, 3)}, "strides"),
    ],
)
def test_bad_input_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        pooling.max_pool(normal(1, 4, 4, 1), 2, **arguments)


@pytest.mark.parametrize(
    "row", [(2, 2, 2, "valid"), (2, 3, 2, "same"), (1, 3, 2, "same"), (3, 2, 1, "same")], ids=str
)
@pytest.mark.parametrize("form", FORMS)
def test_equals_keras(row, form, keras_on_jax):
    rank, *arguments = row
    x = normal(2, *SIZES[rank], 5)
    arguments = (*arguments, "channels_last")
    expected = outputs_and_gradient(lambda x: getattr(keras_on_jax.ops, f"{form}_pool")(x, *arguments), x)
    assert_close(outputs_and_gradient(lambda x: FORMS[form][0](x, *arguments), x), expected)


@pytest.fixture(scope="module")
def keras_on_jax():
    """PyPI's Keras; unless some test has loaded it before, it is loaded with JAX underneath."""
    with pytest.MonkeyPatch.context() as patch:
        if "KERAS_BACKEND" not in os.environ:
            patch.setenv("KERAS_BACKEND", "jax")
        keras = pytest.importorskip("keras")
    if keras.backend.backend() != "jax":
        pytest.skip("Keras already runs on another backend in this process")
    return keras
