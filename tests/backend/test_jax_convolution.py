"""The JAX backend's convolutions against the plain lax form (outputs, both gradients) and against Keras."""

import itertools
import os

import numpy as np
import pytest

from hornbeam.backend import active as backend

if backend.name != "jax":
    pytest.skip("about the JAX backend", allow_module_level=True)
import jax
import jax.numpy as jnp
from jax import export, lax

from hornbeam.backend.jax import convolution

SIZES = {1: (11,), 2: (9, 8), 3: (6, 5, 7)}
LETTERS = {1: "W", 2: "HW", 3: "DHW"}


def normal(*shape, dtype="float32", seed=0):
    return jnp.asarray(np.random.default_rng(seed + sum(shape)).standard_normal(shape), dtype)


def plain(x, kernel, strides, padding, dilation, groups):
    rank = x.ndim - 2
    letters = LETTERS[rank]
    return lax.conv_general_dilated(
        x,
        kernel,
        (strides,) * rank,
        padding.upper(),
        rhs_dilation=(dilation,) * rank,
        feature_group_count=groups,
        dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"),
    )


def outputs_and_gradients(function, x, kernel):
    @jax.jit
    def all_three(x, kernel):
        y, pull = jax.vjp(function, x, kernel)
        return (y, *pull(normal(*y.shape, dtype=y.dtype, seed=7)))

    return all_three(x, kernel)


def assert_close(ours, theirs, dtype="float32"):
    tolerance = {"float32": 3e-5, "bfloat16": 3e-2, "float16": 4e-3}[dtype]
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(np.abs(b).max(initial=0.0), 1.0))


# spatial rank, window, strides, padding, dilation, groups, in channels, out channels, dtype
TABLE = [
    *(
        (rank, 3, s, p, 1, 1, 20, 6, "float32")
        for rank, s, p in itertools.product((1, 2, 3), (1, 2), ("valid", "same"))
    ),
    *(
        (rank, 3, 1, p, 2, 1, 20, 6, "float32")
        for rank, p in ((1, "same"), (2, "valid"), (2, "same"), (3, "same"))
    ),
    (1, 4, 3, "same", 1, 1, 20, 5, "float32"),
    (2, 2, 3, "same", 1, 1, 20, 5, "float32"),
    (2, 2, 3, "valid", 1, 1, 20, 5, "float32"),
    (2, 5, 2, "same", 1, 1, 20, 5, "float32"),
    (2, 3, 1, "valid", 1, 1, 1, 5, "float32"),
    (2, 3, 2, "same", 1, 1, 3, 5, "float32"),
    (2, 1, 1, "valid", 1, 1, 20, 5, "float32"),
    (2, 1, 2, "same", 1, 1, 20, 5, "float32"),
    *(
        (rank, 3, 1, p, 1, 1, 32, 33, "float32")
        for rank, p in itertools.product((1, 2, 3), ("valid", "same"))
    ),
    (2, 3, 1, "same", 1, 2, 66, 64, "float32"),
    *((rank, 3, 1, "same", 1, 3, 60, 6, "float32") for rank in (1, 2, 3)),
    (2, 3, 2, "valid", 1, 2, 40, 6, "float32"),
    (2, 3, 1, "same", 2, 2, 40, 6, "float32"),
    (2, 3, 1, "same", 1, 4, 4, 4, "float32"),
    (2, 3, 2, "same", 1, 4, 4, 12, "float32"),
    (2, 3, 1, "valid", 2, 4, 4, 8, "float32"),
    (2, 3, 1, "same", 1, 1, 20, 6, "bfloat16"),
    (2, 3, 2, "valid", 1, 1, 20, 6, "float16"),
    (1, 3, 1, "same", 1, 4, 4, 4, "float16"),
]


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_conv_equals_the_plain_form(row):
    rank, size, strides, padding, dilation, groups, channels, filters, dtype = row
    x = normal(2, *SIZES[rank], channels, dtype=dtype)
    kernel = normal(*(size,) * rank, channels // groups, filters, dtype=dtype)
    ours = outputs_and_gradients(
        lambda x, k: convolution.conv(x, k, strides, padding, dilation_rate=dilation), x, kernel
    )
    wide = [x.astype("float32"), kernel.astype("float32")]
    theirs = outputs_and_gradients(lambda x, k: plain(x, k, strides, padding, dilation, groups), *wide)
    assert_close(ours, [a.astype(dtype) for a in theirs], dtype)


def test_input_gradient_summed_by_taps_and_by_convolution_agree():
    for n in (5, 16):  # much and little of the padded gradient would be zeros
        x, kernel = normal(2, n, n, 20), normal(3, 3, 20, 6)
        ours = outputs_and_gradients(convolution.conv, x, kernel)
        assert_close(ours, outputs_and_gradients(lambda x, k: plain(x, k, 1, "valid", 1, 1), x, kernel))


def test_blocks_of_the_batch():
    x, kernel = normal(16, 32, 32, 64), normal(3, 3, 64, 64)
    ours = outputs_and_gradients(convolution.conv, x, kernel)
    assert_close(ours, outputs_and_gradients(lambda x, k: plain(x, k, 1, "valid", 1, 1), x, kernel))


@pytest.mark.parametrize("shape, padding, strides, dilation", [
    ((8, 13, 32), "valid", 1, 1), ((8, 7, 10, 32), "valid", 1, 1), ((8, 7, 10, 32), "same", 1, 1),
    ((8, 9, 8, 32), "same", 1, (2, 1)), ((8, 3, 4, 5, 32), "valid", 1, 1),
    ((8, 7, 10, 32), "same", 2, 1), ((8, 7, 10, 20), "same", 1, 1),
], ids=str)  # fmt: skip
def test_gradients_summed_over_blocks(monkeypatch, shape, padding, strides, dilation):
    monkeypatch.setattr(convolution, "_BLOCK_BYTES", 1 << 12)
    rank = len(shape) - 2
    x, kernel = normal(*shape), normal(*(3,) * rank, shape[-1], 36)
    assert convolution._blocks(shape[0], 2 * x.nbytes) > 1
    ours = outputs_and_gradients(
        lambda x, k: convolution.conv(x, k, strides, padding, dilation_rate=dilation), x, kernel
    )
    steps, holes = convolution._sizes(strides, rank, ""), convolution._sizes(dilation, rank, "")
    numbers = (f"N{LETTERS[rank]}C", f"{LETTERS[rank]}IO", f"N{LETTERS[rank]}C")

    def reference(x, k):
        return lax.conv_general_dilated(x, k, steps, padding.upper(), rhs_dilation=holes, dimension_numbers=numbers)

    assert_close(ours, outputs_and_gradients(reference, x, kernel))


def test_the_error_of_winograd_is_small():
    x, kernel = normal(2, 26, 26, 64), normal(3, 3, 64, 64)
    with jax.enable_x64(True):
        exact = np.asarray(plain(x.astype("float64"), kernel.astype("float64"), 1, "same", 1, 1))
    ours = np.asarray(convolution.conv(x, kernel, padding="same"), "float64")
    assert np.abs(ours - exact).max() < 1e-5 * np.abs(exact).max()


@pytest.mark.parametrize("transform", ["scan", "jit"])
def test_conv_inside_compiled_bodies(transform):
    x, kernel = normal(2, 9, 8, 20), normal(3, 3, 20, 20) * 0.05

    def turn(conv, carry):
        return carry - 0.01 * jax.grad(lambda k: jnp.sum(jnp.tanh(conv(x, k)) ** 2))(carry)

    ours, theirs = (
        (lambda k: turn(convolution.conv, k)),
        (lambda k: turn(lambda x, k: plain(x, k, 1, "valid", 1, 1), k)),
    )
    expected = theirs(theirs(theirs(kernel)))
    if transform == "scan":
        got = jax.jit(lambda k: lax.scan(lambda k, _: (ours(k), None), k, length=3)[0])(kernel)
    else:
        options = convolution.compiler_options()
        got = jax.jit(lambda k: ours(ours(ours(k))), compiler_options=options)(kernel)
    assert_close([got], [expected])


def test_higher_orders_and_forward_mode():
    x, kernel = normal(2, 7, 6, 20), normal(3, 3, 20, 4)

    def penalty(conv):  # the gradient penalty of WGAN-GP, as a function of the kernel
        return lambda k: jnp.sum(jax.grad(lambda x: jnp.sum(jnp.sin(conv(x, k))))(x) ** 2)

    def reference(x, k):
        return plain(x, k, 1, "valid", 1, 1)

    assert_close([jax.grad(penalty(convolution.conv))(kernel)], [jax.grad(penalty(reference))(kernel)])
    tangents = normal(*x.shape, seed=3), normal(*kernel.shape, seed=4)
    assert_close(
        jax.jvp(
            lambda x, k: jax.grad(lambda k: jnp.sum(convolution.conv(x, k) ** 3))(k), (x, kernel), tangents
        ),
        jax.jvp(lambda x, k: jax.grad(lambda k: jnp.sum(reference(x, k) ** 3))(k), (x, kernel), tangents),
    )
    third = jax.jvp(jax.grad(penalty(convolution.conv)), (kernel,), (tangents[1],))
    assert_close(third, jax.jvp(jax.grad(penalty(reference)), (kernel,), (tangents[1],)))


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0), (3, 4)])
def test_vmap(axes):
    x, kernel = normal(2, 7, 6, 20), normal(3, 3, 20, 4)
    x = x if axes[0] is None else jnp.stack([x, 2 * x, -x], axes[0])
    kernel = kernel if axes[1] is None else jnp.stack([kernel, kernel + 1, -kernel], axes[1])

    def gradients(conv):
        loss = jax.value_and_grad(lambda x, k: jnp.sum(jnp.cos(conv(x, k))), (0, 1))
        return jax.tree.leaves(jax.vmap(loss, axes)(x, kernel))

    ours, theirs = gradients(convolution.conv), gradients(lambda x, k: plain(x, k, 1, "valid", 1, 1))
    assert_close(ours, theirs)


def test_eager_jit_disabled_and_empty_batch():
    x, kernel = normal(2, 7, 6, 20), normal(3, 3, 20, 4)
    with jax.disable_jit():
        assert_close([convolution.conv(x, kernel)], [plain(x, kernel, 1, "valid", 1, 1)])
    assert convolution.conv(x[:0], kernel, padding="same").shape == (0, 7, 6, 4)
    _, dx, dk = outputs_and_gradients(convolution.conv, x[:0], kernel)
    assert dx.shape == (0, 7, 6, 20)
    assert_close([dk], [jnp.zeros_like(kernel)])


@pytest.mark.parametrize("shape", ["b, 12, 12, 32", "b, h, h, 32"])
def test_export_with_symbolic_shapes(shape):
    symbols = jax.ShapeDtypeStruct(
        export.symbolic_shape(shape, constraints=["h >= 4"] * ("h" in shape)), "float32"
    )
    kernel = normal(3, 3, 32, 32)

    def both(x):
        return convolution.conv(x, kernel), jax.grad(lambda x: jnp.sum(convolution.conv(x, kernel) ** 2))(x)

    x = normal(2, 12, 12, 32)
    assert_close(export.export(jax.jit(both))(symbols).call(x), both(x))


def test_mixed_dtypes_are_promoted():
    y = convolution.conv(normal(1, 5, 5, 2, dtype="bfloat16"), normal(3, 3, 2, 4))
    assert y.dtype == "float32"


def test_integers_use_the_plain_form():
    x, kernel = jnp.arange(50).reshape(1, 5, 5, 2), jnp.ones((3, 3, 2, 1), int)
    assert convolution.conv(x, kernel)[0, 0, 0, 0] == x[0, :3, :3].sum()


def test_bias_and_its_gradient():
    y, bias = normal(2, 5, 6, 7), normal(7)
    for transform in (lambda f: f, jax.jit):
        ours = outputs_and_gradients(transform(convolution.add_bias), y, bias)
        assert_close(ours, outputs_and_gradients(lambda y, b: y + b, y, bias))
    ours = jax.jvp(convolution.add_bias, (y, bias), (2 * y, 3 * bias))
    assert_close(ours, (y + bias, 2 * y + 3 * bias))
    assert jax.vmap(jax.grad(lambda b, y: convolution.add_bias(y, b).sum()), (None, 0))(bias, y).shape == (
        2,
        7,
    )


def test_compiler_options_are_taken_by_the_compiler():
    options = convolution.compiler_options()
    assert options in ({}, convolution.COMPILER_OPTIONS)
    assert jax.jit(lambda x: x + 1, compiler_options=options)(1) == 2


@pytest.mark.parametrize(
    ("kernel", "arguments", "words"),
    [
        ((3, 3, 3, 4), {}, "kernel of shape"),
        ((3, 2, 4), {}, "kernel of shape"),
        ((3, 3, 1, 3), {}, "groups"),
        ((3, 3, 2, 4), {"padding": "full"}, "padding"),
        ((3, 3, 2, 4), {"data_format": "last"}, "data_format"),
        ((3, 3, 2, 4), {"strides": (1, 1, 1)}, "strides"),
    ],
)
def test_bad_input_is_named(kernel, arguments, words):
    with pytest.raises(ValueError, match=words):
        convolution.conv(normal(1, 5, 5, 2), normal(*kernel), **arguments)


# --- Keras as the oracle.

KERAS = [
    ("conv", (2, 9, 8, 20), [(3, 3, 20, 6)], {"strides": 2, "padding": "same"}),
    ("conv", (2, 9, 8, 20), [(3, 2, 10, 6)], {"strides": (2, 1), "padding": "same"}),
    ("conv", (2, 9, 8, 20), [(4, 4, 20, 6)], {"padding": "same", "dilation_rate": 2}),
    ("conv", (2, 11, 20), [(4, 20, 6)], {"strides": 3, "padding": "same"}),
    ("depthwise_conv", (2, 9, 8, 4), [(3, 3, 4, 2)], {"strides": 2, "padding": "same"}),
    ("depthwise_conv", (2, 9, 4), [(3, 4, 2)], {}),
    ("separable_conv", (2, 9, 8, 4), [(3, 3, 4, 2), (1, 1, 8, 5)], {"padding": "same"}),
    *(
        ("conv_transpose", (2, 5, 4, 20), [(k, k, 6, 20)], {"strides": s, "padding": p, "output_padding": o})
        for k, s, o in [(3, 2, None), (3, 2, 1), (4, 2, 0), (2, 3, None), (2, 3, 1), (5, 3, 2), (3, 1, None)]
        for p in ("valid", "same")
    ),
    ("conv_transpose", (2, 5, 4, 20), [(3, 2, 6, 20)], {"padding": "same", "dilation_rate": 2}),
    ("conv_transpose", (2, 5, 20), [(3, 6, 20)], {"strides": 2, "padding": "same"}),
    ("conv_transpose", (2, 3, 4, 2, 20), [(3, 2, 3, 6, 20)], {"strides": 2}),
]


# Each third row in the other layout too: it only moves an axis.
ROWS = [(*row, "channels_last") for row in KERAS] + [(*row, "channels_first") for row in KERAS[::3]]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_equals_keras(row, keras_on_jax):
    name, shape, kernels, arguments, data_format = row
    arguments = {"strides": 1, "padding": "valid", **arguments, "data_format": data_format}
    x = normal(*shape)
    x = x if data_format == "channels_last" else jnp.moveaxis(x, -1, 1)
    kernels = [normal(*kernel) for kernel in kernels]
    ours = outputs_and_gradients(
        lambda x, k: getattr(convolution, name)(x, k, *kernels[1:], **arguments), x, kernels[0]
    )
    theirs = outputs_and_gradients(
        lambda x, k: getattr(keras_on_jax.ops, name)(x, k, *kernels[1:], **arguments), x, kernels[0]
    )
    assert_close(ours, theirs)


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
