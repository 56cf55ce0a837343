"""Convolutions for the JAX backend, in forms that XLA runs fast on a CPU; it knows arrays, not layers.

A convolution is bilinear, and so are its two gradients. The three maps share one trilinear form
`<convolve(inputs, kernel), outputs>`, so each one's derivatives are the other two:

    forward  (inputs, kernel)  -> outputs
    inputs   (outputs, kernel) -> inputs       the input gradient, which is also the transposed convolution
    kernel   (inputs, outputs) -> kernel       the kernel gradient

They are three JAX primitives whose transposition rules name each other. Thus forward mode, reverse mode and
every higher order work, and each of them runs in the form chosen here rather than in the one that
`lax.conv_general_dilated` would derive. This matters: XLA's CPU compiler puts the derived gradients into the
layout of its fast kernel only outside loops; in a `scan` or `while` body they run 100 to 500 times slower.

The fast forms are lowered on a CPU only. On an accelerator, and where no fast form is known, the plain
`lax.conv_general_dilated` and its own transposes are used; they are also the reference of the tests.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

Sizes = tuple[int, ...]
Padding = tuple[tuple[int, int], ...]

COMPILER_OPTIONS: dict[str, str] = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_DOT"}
"""What to pass to `jax.jit(..., compiler_options=...)` on a CPU (see `compiler_options`).

jaxlib 0.10 sends single convolutions to the YNNPACK library, whose kernel is 3 to 6 times slower than XLA's
own for 3x3 windows (64 to 64 channels at 128x26x26: 100 ms against 16 on two cores). An explicit list of what
goes to the library, without INDIVIDUAL_CONVOLUTION, keeps them on XLA's kernel.
"""

_SMALL_PATCH = 64
"""Up to so many numbers per window the windows are copied out, and one matrix product does the rest."""

_WASTE = 1.3
"""From this ratio of padded to true positions on, the input gradient is summed tap by tap instead."""


_TILE = 4
"""Outputs in a tile of Winograd's transform."""

_DEEP = 32
"""Channels, in and out, from which on the products outweigh the work of Winograd's transform."""

_BLOCK_BYTES = 5 << 20
"""Inputs and outputs of one block of the batch: with the transformed copies they should stay in the cache."""

# Winograd's F(4, 3) for the points 0, 1, -1, 2, -2 and infinity; one row for each of the six products.
_INPUT_TRANSFORM = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.float32,
)
_KERNEL_TRANSFORM = np.array(
    [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.float32
) / np.float32(24)
_OUTPUT_TRANSFORM = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], np.float32
)


@functools.cache
def compiler_options() -> dict[str, str]:
    """What to give to `jax.jit`: `COMPILER_OPTIONS` on a CPU whose compiler knows them, else {}."""
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda x: x + 1, compiler_options=COMPILER_OPTIONS).lower(np.float32(0)).compile()
    except (jax.errors.JaxRuntimeError, TypeError, ValueError):
        return {}
    return dict(COMPILER_OPTIONS)


class Window(NamedTuple):
    """How a kernel walks over its inputs, along the spatial axes: all but the arrays of a convolution."""

    inputs: Sizes
    kernel: Sizes
    outputs: Sizes
    strides: Sizes
    padding: Padding
    dilation: Sizes
    groups: int


# --- The plain forms: the reference, the form on accelerators, and the way out for unusual cases.


def _plain_forward(
    inputs: jax.Array, kernel: jax.Array, *, window: Window, data_format: str = "channels_last"
) -> jax.Array:
    return lax.conv_general_dilated(
        inputs,
        kernel,
        window.strides,
        window.padding,
        rhs_dilation=window.dilation,
        dimension_numbers=_dimension_numbers(len(window.kernel), data_format),
        feature_group_count=window.groups,
    )


def _plain_inputs(
    outputs: jax.Array, kernel: jax.Array, *, window: Window, data_format: str = "channels_last"
) -> jax.Array:
    channels = kernel.shape[-2] * window.groups
    rest = (*window.inputs, channels) if data_format == "channels_last" else (channels, *window.inputs)
    forward = functools.partial(_plain_forward, kernel=kernel, window=window, data_format=data_format)
    shape = jax.ShapeDtypeStruct((outputs.shape[0], *rest), outputs.dtype)
    return jax.linear_transpose(forward, shape)(outputs)[0]


def _plain_kernel(inputs: jax.Array, outputs: jax.Array, *, window: Window) -> jax.Array:
    shape = (*window.kernel, inputs.shape[-1] // window.groups, outputs.shape[-1])
    forward = functools.partial(_plain_forward, inputs, window=window)
    return jax.linear_transpose(forward, jax.ShapeDtypeStruct(shape, outputs.dtype))(outputs)[0]


def _dimension_numbers(rank: int, data_format: str = "channels_last") -> lax.ConvDimensionNumbers:
    spatial = tuple(range(1, rank + 1))
    data = (0, rank + 1, *spatial) if data_format == "channels_last" else tuple(range(rank + 2))
    return lax.ConvDimensionNumbers(data, (rank + 1, rank, *range(rank)), data)


# --- The fast forms for a CPU: products of matrices, elementwise work, and convolutions in the one layout
# --- (batch, spatial, channels) x (spatial, in, out) that the compiler's fast kernel takes in loops too.
# --- A "tap" is one position of the kernel; its slice of the inputs is what that position meets.


def _fast_forward(inputs: jax.Array, kernel: jax.Array, *, window: Window) -> jax.Array:
    taps = _taps(window)
    if window.groups > 1 and kernel.shape[-2] == 1:
        repeats = kernel.shape[-1] // window.groups
        slices = (jnp.repeat(part, repeats, axis=-1) for part in _slices(inputs, window))
        return _sum(part * kernel[tap][0] for tap, part in zip(taps, slices, strict=True))
    if window.groups > 1:
        return _each_group(_fast_forward, inputs, kernel, window)
    if len(taps) * kernel.shape[-2] <= _SMALL_PATCH or len(taps) == 1:
        return jnp.dot(
            jnp.concatenate(_slices(inputs, window), axis=-1), kernel.reshape(-1, kernel.shape[-1])
        )
    if inputs.dtype != jnp.float32:
        return _sum(
            jnp.dot(part, kernel[tap]) for tap, part in zip(taps, _slices(inputs, window), strict=True)
        )
    if len(window.kernel) == 3:
        depth, plane = _split_depth(window)
        parts = _slices(inputs, depth)
        merged = sum(_fast_forward(_merge(part), kernel[i], window=plane) for i, part in enumerate(parts))
        return merged.reshape(inputs.shape[0], *window.outputs, -1)
    if max(window.strides) == 1:
        return _correlate(inputs, kernel, padding=window.padding, dilation=window.dilation)
    return _canonical(
        inputs, kernel, padding=window.padding, dilation=window.dilation, strides=window.strides
    )


def _fast_inputs(outputs: jax.Array, kernel: jax.Array, *, window: Window) -> jax.Array:
    taps = _taps(window)
    if window.groups > 1 and kernel.shape[-2] == 1:
        shape = (*outputs.shape[:-1], window.groups, -1)
        return _sum_unsliced([(outputs * kernel[tap][0]).reshape(shape).sum(-1) for tap in taps], window)
    if window.groups > 1:
        return _each_group(_fast_inputs, outputs, kernel, window)
    wasteful = math.prod(window.inputs) >= _WASTE * math.prod(window.outputs)
    wasteful = wasteful and not _shrinks(kernel.shape, window.inputs[-1], window.dilation)
    if wasteful or max(window.strides) > 1 or len(taps) == 1 or outputs.dtype != jnp.float32:
        return _sum_unsliced([jnp.dot(outputs, kernel[tap].T) for tap in taps], window)
    if len(window.kernel) == 3:
        depth, plane = _split_depth(window)
        merged = [_fast_inputs(_merge(outputs), part, window=plane) for part in kernel]
        shape = (outputs.shape[0], *window.outputs[:1], *window.inputs[1:], -1)
        return _sum_unsliced([part.reshape(shape) for part in merged], depth)
    sizes = zip(window.inputs, window.outputs, window.kernel, window.dilation, window.padding, strict=True)
    padding = tuple(((k - 1) * d - low, n - o + low) for n, o, k, d, (low, _) in sizes)
    flipped = jnp.flip(kernel, range(len(window.kernel))).swapaxes(-1, -2)
    return _correlate(outputs, flipped, padding=padding, dilation=window.dilation)


def _fast_kernel(inputs: jax.Array, outputs: jax.Array, *, window: Window) -> jax.Array:
    taps = _taps(window)
    channels = (inputs.shape[-1] // window.groups, outputs.shape[-1])
    if window.groups > 1 and channels[0] == 1:
        slices = (jnp.repeat(part, channels[1] // window.groups, axis=-1) for part in _slices(inputs, window))
        return jnp.stack([_sum_positions(part * outputs) for part in slices]).reshape(
            *window.kernel, *channels
        )
    if window.groups > 1:
        return _each_group(_fast_kernel, inputs, outputs, window)
    columns = outputs.reshape(-1, channels[1])
    if len(taps) * channels[0] <= _SMALL_PATCH or len(taps) == 1:
        patches = jnp.concatenate(_slices(inputs, window), axis=-1)
        return jnp.dot(patches.reshape(columns.shape[0], -1).T, columns).reshape(*window.kernel, *channels)
    if inputs.dtype != jnp.float32:
        rows = (part.reshape(-1, channels[0]) for part in _slices(inputs, window))
        return jnp.stack([jnp.dot(part.T, columns) for part in rows]).reshape(*window.kernel, *channels)
    if len(window.kernel) == 3:
        depth, plane = _split_depth(window)
        parts = _slices(inputs, depth)
        return jnp.stack([_fast_kernel(_merge(part), _merge(outputs), window=plane) for part in parts])
    # The batch takes the place of the channels, and the outputs that of the kernel.
    spatial = tuple(range(1, inputs.ndim - 1))
    blocks = _blocks(inputs.shape[0], inputs.nbytes + outputs.nbytes)
    if blocks == 1:
        lefts, rights = inputs.transpose(-1, *spatial, 0), outputs.transpose(*spatial, 0, -1)
        return _kernel_product(lefts, rights, window).transpose(*spatial, 0, -1)
    lefts, rights = (x.reshape(blocks, -1, *x.shape[1:]) for x in (inputs, outputs))
    inner = tuple(axis + 1 for axis in spatial)
    pairs = lefts.transpose(0, -1, *inner, 1), rights.transpose(0, *inner, 1, -1)
    shrinks = max(window.strides) == 1 and _shrinks((*window.kernel, *channels), window.outputs[-1], window.dilation)
    product = _winograd_products if shrinks else _kernel_product
    start = jax.eval_shape(functools.partial(product, window=window), *(x[0] for x in pairs))
    zeros = jax.tree.map(lambda one: jnp.zeros(one.shape, one.dtype), start)
    total = lax.scan(
        lambda sums, pair: (jax.tree.map(lax.add, sums, product(*pair, window)), None), zeros, pairs
    )[0]
    if shrinks:
        total = jnp.concatenate([_combination(row, total) for row in _KERNEL_TRANSFORM.T], axis=-2)
    return total.transpose(*spatial, 0, -1)


def _kernel_product(inputs: jax.Array, outputs: jax.Array, window: Window) -> jax.Array:
    """The kernel gradient, `(in, *window, out)`, from inputs `(in, *spatial, batch)` and `(*spatial, batch, out)`."""
    sizes = zip(
        window.inputs,
        window.outputs,
        window.kernel,
        window.strides,
        window.dilation,
        window.padding,
        strict=True,
    )
    padding = tuple((low, (o - 1) * s + 1 + (k - 1) * d - n - low) for n, o, k, s, d, (low, _) in sizes)
    return _canonical(inputs, outputs, padding=padding, strides=window.dilation, dilation=window.strides)


def _winograd_products(inputs: jax.Array, outputs: jax.Array, window: Window) -> list[jax.Array]:
    """`_kernel_product` along all axes but the last, for each of the six products of Winograd's transform.

    It pays only in a loop over blocks, whose operands lie in memory turned about already: else the compiler would
    turn them anew for each use.
    """
    tiles = -(-window.outputs[-1] // _TILE)
    low = window.padding[-1][0]
    high = tiles * _TILE + 2 - window.inputs[-1] - low
    lefts = _in_tiles(inputs, inputs.ndim - 2, tiles, _TILE + 2, (low, high))
    rights = _in_tiles(outputs, outputs.ndim - 3, tiles, _TILE, (0, tiles * _TILE - window.outputs[-1]))
    one = Window(
        (*window.inputs[:-1], tiles),
        (*window.kernel[:-1], 1),
        (*window.outputs[:-1], tiles),
        window.strides,
        (*window.padding[:-1], (0, 0)),
        window.dilation,
        1,
    )
    return [
        _kernel_product(_combination(row, lefts), _combination(column, rights), one)
        for row, column in zip(_INPUT_TRANSFORM, _OUTPUT_TRANSFORM.T, strict=True)
    ]


def _correlate(inputs: jax.Array, kernel: jax.Array, *, padding: Padding, dilation: Sizes) -> jax.Array:
    """A convolution of stride one: in blocks of the batch through Winograd's transform where that pays."""
    width = inputs.shape[-2] + sum(padding[-1]) - (kernel.shape[-3] - 1) * dilation[-1]
    if not _shrinks(kernel.shape, width, dilation):
        return _canonical(inputs, kernel, padding=padding, dilation=dilation)
    form = functools.partial(_winograd, kernel=kernel, width=width, padding=padding, dilation=dilation)
    blocks = _blocks(inputs.shape[0], inputs.nbytes + inputs.nbytes // kernel.shape[-2] * kernel.shape[-1])
    if blocks == 1:
        return form(inputs)
    return _merge(lax.map(form, inputs.reshape(blocks, -1, *inputs.shape[1:])))


def _blocks(batch: int, size: int) -> int:
    """Into how many equal parts to cut a batch whose inputs and outputs take so many bytes."""
    blocks = 1
    # A loop over a batch that is spread over several devices would gather it in each turn; the batch of an
    # exported program may be a symbol.
    if jax.device_count() > 1 or not isinstance(batch, int):
        return blocks
    while size >= 2 * blocks * _BLOCK_BYTES and batch % (2 * blocks) == 0:
        blocks *= 2
    return blocks


def _shrinks(kernel: Sizes, width: int, dilation: Sizes) -> bool:
    """Whether Winograd's transform saves a quarter or more of products that take most of the time."""
    tiles = -(-width // _TILE)
    return (
        kernel[-3] == 3
        and dilation[-1] == 1
        and min(kernel[-2:]) >= _DEEP
        and (_TILE + 2) * tiles <= 0.75 * 3 * width
    )


def _winograd(
    inputs: jax.Array, *, kernel: jax.Array, width: int, padding: Padding, dilation: Sizes
) -> jax.Array:
    """Winograd's F(4, 3) along the last spatial axis: 6 products for 4 outputs of a window of 3, not 12.

    Along one axis the transforms are cheap and lose less than a digit: the relative error is 3e-6, against
    1e-6 of the direct sum. Along two axes they would save more products, but take longer than that. Where an
    input is infinite or not a number, so are all outputs of its tile. Reference: Lavin and Gray,
    arXiv:1509.09308.
    """
    tiles = -(-width // _TILE)
    low = padding[-1][0]
    high = tiles * _TILE + 2 - inputs.shape[-2] - low
    axis = inputs.ndim - 2
    parts = _in_tiles(inputs, axis, tiles, _TILE + 2, (low, high))
    kernels = jnp.einsum("ti,...ico->t...co", _KERNEL_TRANSFORM, kernel, precision="highest")
    products = [
        _canonical(
            _combination(row, parts),
            jnp.expand_dims(transformed, -3),
            padding=(*padding[:-1], (0, 0)),
            dilation=dilation,
        )
        for row, transformed in zip(_INPUT_TRANSFORM, kernels, strict=True)
    ]
    outputs = jnp.stack([_combination(row, products) for row in _OUTPUT_TRANSFORM], axis + 1)
    outputs = outputs.reshape(*outputs.shape[:axis], tiles * _TILE, -1)
    return lax.slice_in_dim(outputs, 0, width, axis=axis)


def _in_tiles(array: jax.Array, axis: int, tiles: int, size: int, padding: tuple[int, int]) -> list[jax.Array]:
    """For each place in a tile the slice of the padded array that has it for every tile; they begin `_TILE` apart."""
    config = [(0, 0, 0)] * array.ndim
    config[axis] = (*padding, 0)
    padded = lax.pad(array, np.zeros((), array.dtype), config)
    return [lax.slice_in_dim(padded, i, i + (tiles - 1) * _TILE + 1, _TILE, axis) for i in range(size)]


def _combination(factors: np.ndarray, parts: Sequence[jax.Array]) -> jax.Array:
    """The sum of the parts times their factors, those of zero left out."""
    terms = (part if f == 1 else f * part for f, part in zip(factors, parts, strict=True) if f)
    return functools.reduce(lax.add, terms)


def _canonical(
    inputs: jax.Array,
    kernel: jax.Array,
    *,
    padding: Padding,
    dilation: Sizes,
    strides: Sizes | None = None,
) -> jax.Array:
    """A convolution with padding of either sign (negative padding crops) in the layout of the fast kernel."""
    rank = kernel.ndim - 2
    crop = [(0, 0, 0), *((min(low, 0), min(high, 0), 0) for low, high in padding), (0, 0, 0)]
    return lax.conv_general_dilated(
        lax.pad(inputs, np.zeros((), inputs.dtype), crop),
        kernel,
        strides or (1,) * rank,
        [(max(low, 0), max(high, 0)) for low, high in padding],
        rhs_dilation=dilation,
        dimension_numbers=_dimension_numbers(rank),
    )


def _taps(window: Window) -> list[Sizes]:
    return list(itertools.product(*map(range, window.kernel)))


def _slices(inputs: jax.Array, window: Window) -> list[jax.Array]:
    """For each tap the part of the inputs that it meets, of the outputs' size along the window's axes."""
    rest = inputs.ndim - 1 - len(window.kernel)
    config = [(0, 0, 0), *((low, high, 0) for low, high in window.padding), *[(0, 0, 0)] * rest]
    padded = lax.pad(inputs, np.zeros((), inputs.dtype), config)
    slices = []
    for tap in _taps(window):
        starts = [i * d for i, d in zip(tap, window.dilation, strict=True)]
        stops = [b + (o - 1) * s + 1 for b, o, s in zip(starts, window.outputs, window.strides, strict=True)]
        slices.append(
            lax.slice(
                padded,
                (0, *starts, *[0] * rest),
                (padded.shape[0], *stops, *padded.shape[padded.ndim - rest :]),
                (1, *window.strides, *[1] * rest),
            )
        )
    return slices


def _sum_unsliced(parts: Sequence[jax.Array], window: Window) -> jax.Array:
    """The transpose of `_slices`: puts each tap's part where it was met, and adds them up."""
    rest = parts[0].ndim - 1 - len(window.kernel)
    placed = []
    for tap, part in zip(_taps(window), parts, strict=True):
        config = [(0, 0, 0)]
        for axis, index in enumerate(tap):
            stride = window.strides[axis]
            low = index * window.dilation[axis] - window.padding[axis][0]
            end = low + (window.outputs[axis] - 1) * stride + 1
            config.append((low, window.inputs[axis] - end, stride - 1))
        placed.append(lax.pad(part, np.zeros((), part.dtype), [*config, *[(0, 0, 0)] * rest]))
    return _sum(placed)


def _sum(parts: Iterable[jax.Array]) -> jax.Array:
    # `sum` would begin with a 0 to add to
    return functools.reduce(operator.add, parts)


def _sum_positions(values: jax.Array) -> jax.Array:
    """Sums over all axes but the last, as a product of matrices: faster than XLA's reduction."""
    rows = values.reshape(-1, values.shape[-1])
    return jnp.dot(jnp.ones((1, rows.shape[0]), rows.dtype), rows)[0]


def _each_group(
    form: Callable[..., jax.Array], left: jax.Array, right: jax.Array, window: Window
) -> jax.Array:
    """Applies a form to each group alone: in all three, operands and result split at the last axis."""
    pairs = zip(jnp.split(left, window.groups, -1), jnp.split(right, window.groups, -1), strict=True)
    return jnp.concatenate([form(*pair, window=window._replace(groups=1)) for pair in pairs], axis=-1)


def _split_depth(window: Window) -> tuple[Window, Window]:
    """A window in space as one along the first axis and one in the plane of the others."""
    def part(axes: slice) -> Window:
        return Window(
            window.inputs[axes],
            window.kernel[axes],
            window.outputs[axes],
            window.strides[axes],
            window.padding[axes],
            window.dilation[axes],
            window.groups,
        )

    return part(slice(1)), part(slice(1, None))


def _merge(array: jax.Array) -> jax.Array:
    return array.reshape(-1, *array.shape[2:])


# --- The three primitives.


def _on_cpu(fast: Callable[..., jax.Array], plain: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """The fast form where it applies; half precision is computed in float32, as XLA does too on a CPU."""

    def form(left: jax.Array, right: jax.Array, *, window: Window) -> jax.Array:
        known = all(isinstance(size, int) for size in (*window.inputs, *window.outputs))
        if not known or 0 in (*left.shape, *right.shape) or not jnp.issubdtype(left.dtype, jnp.floating):
            return plain(left, right, window=window)
        wide = jnp.promote_types(left.dtype, jnp.float32)
        return fast(left.astype(wide), right.astype(wide), window=window).astype(left.dtype)

    return form


def _primitive(name: str, fast: Callable[..., jax.Array], plain: Callable[..., jax.Array]) -> Primitive:
    primitive = Primitive(f"hornbeam_convolution_{name}")
    on_cpu = _on_cpu(fast, plain)

    @functools.cache
    def compiled(window: Window) -> Callable[..., jax.Array]:
        return jax.jit(functools.partial(primitive.bind, window=window), compiler_options=compiler_options())

    def evaluate(left: jax.Array, right: jax.Array, *, window: Window) -> jax.Array:
        if jax.config.jax_disable_jit:
            return (on_cpu if jax.default_backend() == "cpu" else plain)(left, right, window=window)
        return compiled(window)(left, right)

    def abstract(
        left: jax.core.ShapedArray, right: jax.core.ShapedArray, *, window: Window
    ) -> jax.core.ShapedArray:
        shape = jax.eval_shape(
            functools.partial(plain, window=window),
            jax.ShapeDtypeStruct(left.shape, left.dtype),
            jax.ShapeDtypeStruct(right.shape, right.dtype),
        )
        return jax.core.ShapedArray(shape.shape, shape.dtype)

    primitive.def_impl(evaluate)
    primitive.def_abstract_eval(abstract)
    mlir.register_lowering(primitive, mlir.lower_fun(plain, multiple_results=False))
    mlir.register_lowering(primitive, mlir.lower_fun(on_cpu, multiple_results=False), platform="cpu")
    batching.primitive_batchers[primitive] = functools.partial(_batch, primitive, plain, name == "kernel")
    return primitive


def _batch(
    primitive: Primitive,
    plain: Callable[..., jax.Array],
    both_carry_batch: bool,
    operands: Sequence[jax.Array],
    axes: Sequence[int | None],
    *,
    window: Window,
) -> tuple[jax.Array, int]:
    """`jax.vmap`: joins the mapped axis to the batch if only the first operand has both, else loops."""
    left, right = operands
    if axes[0] is not None and axes[1] is None and not both_carry_batch:
        left = jnp.moveaxis(left, axes[0], 0)
        merged = primitive.bind(_merge(left), right, window=window)
        return merged.reshape(left.shape[0], left.shape[1], *merged.shape[1:]), 0
    if jax.default_backend() != "cpu":
        return jax.vmap(functools.partial(plain, window=window), axes)(left, right), 0
    moved = [x if axis is None else jnp.moveaxis(x, axis, 0) for x, axis in zip(operands, axes, strict=True)]

    def one(mapped: list[jax.Array]) -> jax.Array:
        rest = iter(mapped)
        pair = [x if axis is None else next(rest) for x, axis in zip(moved, axes, strict=True)]
        return primitive.bind(*pair, window=window)

    return lax.map(one, [x for x, axis in zip(moved, axes, strict=True) if axis is not None]), 0


_forward_p = _primitive("forward", _fast_forward, _plain_forward)
_inputs_p = _primitive("inputs", _fast_inputs, _plain_inputs)
_kernel_p = _primitive("kernel", _fast_kernel, _plain_kernel)

# Each rule gets the cotangent, then the two operands; the one that it is for is unknown.
ad.defbilinear(
    _forward_p,
    lambda outputs, _, kernel, *, window: _inputs_p.bind(outputs, kernel, window=window),
    lambda outputs, inputs, _, *, window: _kernel_p.bind(inputs, outputs, window=window),
)
ad.defbilinear(
    _inputs_p,
    lambda inputs, _, kernel, *, window: _forward_p.bind(inputs, kernel, window=window),
    lambda inputs, outputs, _, *, window: _kernel_p.bind(inputs, outputs, window=window),
)
ad.defbilinear(
    _kernel_p,
    lambda kernel, _, outputs, *, window: _inputs_p.bind(outputs, kernel, window=window),
    lambda kernel, inputs, _, *, window: _forward_p.bind(inputs, kernel, window=window),
)


# --- The public functions, with the semantics of Keras's ops of the same names.


@jax.custom_jvp
def add_bias(outputs: jax.Array, bias: jax.Array) -> jax.Array:
    """Adds a bias to each channel; its gradient is a product of matrices instead of a slow reduction.

    Args:
        outputs: `(..., channels)`.
        bias: `(channels,)`, of the same dtype.

    Returns:
        `outputs + bias`.
    """
    return outputs + bias


@add_bias.defjvp
def _add_bias_jvp(primals: tuple[jax.Array, jax.Array], tangents: tuple[jax.Array, jax.Array]):
    outputs, bias = primals
    # Written as a product so that its transpose, the sum over all positions, is one too.
    ones = jnp.ones((math.prod(outputs.shape[:-1]), 1), bias.dtype)
    spread = jnp.dot(ones, tangents[1][None]).reshape(outputs.shape)
    # In the transpose the barrier makes the compiler compute the incoming gradient once for its users (the
    # bias and both gradients of the convolution) instead of fusing a copy of that work into each.
    return add_bias(outputs, bias), lax.optimization_barrier(tangents[0] + spread)


def conv(
    inputs: jax.Array,
    kernel: jax.Array,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: int | Sequence[int] = 1,
) -> jax.Array:
    """Convolution (cross-correlation) over one, two or three spatial axes.

    Args:
        inputs: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` for "channels_first".
        kernel: `(*window, channels // groups, filters)`; the number of groups follows from the shapes.
        strides: step of the window along each spatial axis.
        padding: "valid" (none) or "same" (`ceil(size / stride)` outputs; the odd zero goes to the end).
        data_format: "channels_last" or "channels_first".
        dilation_rate: distance between the taps of the window along each spatial axis.

    Returns:
        The outputs, `filters` channels in the given data format, in the promoted dtype of the two arrays.
    """
    rank = inputs.ndim - 2
    channels = inputs.shape[_channel_axis(data_format)]
    if kernel.ndim != inputs.ndim or kernel.shape[-2] == 0 or channels % kernel.shape[-2]:
        raise ValueError(
            "conv expects a kernel of shape (*window, channels // groups, filters), one window size for each "
            f"spatial axis; got inputs shape={inputs.shape} ({data_format}), kernel shape={kernel.shape}."
        )
    groups = channels // kernel.shape[-2]
    if groups and kernel.shape[-1] % groups:
        raise ValueError(
            f"{kernel.shape[-1]} filters do not divide into {groups} groups (kernel {kernel.shape})."
        )
    strides, dilation = _sizes(strides, rank, "strides"), _sizes(dilation_rate, rank, "dilation_rate")
    spatial = _spatial(inputs, data_format)
    window = _window(spatial, kernel.shape[:-2], strides, padding, dilation, max(groups, 1))
    return _apply(_forward_p, _plain_forward, inputs, kernel, window, data_format)


def depthwise_conv(
    inputs: jax.Array,
    kernel: jax.Array,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: int | Sequence[int] = 1,
) -> jax.Array:
    """Convolution of each channel alone.

    Args:
        inputs: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` for "channels_first".
        kernel: `(*window, channels, multiplier)`.
        strides: as in `conv`.
        padding: as in `conv`.
        data_format: as in `conv`.
        dilation_rate: as in `conv`.

    Returns:
        The outputs with `channels * multiplier` channels, those of one input channel side by side.
    """
    kernel = kernel.reshape(*kernel.shape[:-2], 1, kernel.shape[-2] * kernel.shape[-1])
    return conv(inputs, kernel, strides, padding, data_format, dilation_rate)


def separable_conv(
    inputs: jax.Array,
    depthwise_kernel: jax.Array,
    pointwise_kernel: jax.Array,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: int | Sequence[int] = 1,
) -> jax.Array:
    """A depthwise convolution followed by a convolution with a window of one.

    Args:
        inputs: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` for "channels_first".
        depthwise_kernel: `(*window, channels, multiplier)`.
        pointwise_kernel: `(*ones, channels * multiplier, filters)`.
        strides: as in `conv`, for the depthwise part.
        padding: as in `conv`, for the depthwise part.
        data_format: as in `conv`.
        dilation_rate: as in `conv`, for the depthwise part.

    Returns:
        The outputs with `filters` channels.
    """
    depthwise = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(depthwise, pointwise_kernel, 1, "valid", data_format, 1)


def conv_transpose(
    inputs: jax.Array,
    kernel: jax.Array,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    data_format: str = "channels_last",
    dilation_rate: int | Sequence[int] = 1,
) -> jax.Array:
    """Transposed convolution: the input gradient of `conv`, taken as a map of its own.

    Args:
        inputs: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` for "channels_first".
        kernel: `(*window, filters, channels)`.
        strides: distance between the places where neighbouring inputs put their windows.
        padding: "valid" (all that the windows reach) or "same" (`size * stride` outputs).
        output_padding: outputs to add at the end of each spatial axis, less than the stride; None: the length
            follows from `padding` alone.
        data_format: "channels_last" or "channels_first".
        dilation_rate: distance between the taps of the window along each spatial axis.

    Returns:
        The outputs with `filters` channels.
    """
    rank = inputs.ndim - 2
    channels = inputs.shape[_channel_axis(data_format)]
    if kernel.ndim != inputs.ndim or kernel.shape[-1] != channels:
        raise ValueError(
            "conv_transpose expects a kernel of shape (*window, filters, channels), one window size for each "
            f"spatial axis; got inputs shape={inputs.shape} ({data_format}), kernel shape={kernel.shape}."
        )
    strides, dilation = _sizes(strides, rank, "strides"), _sizes(dilation_rate, rank, "dilation_rate")
    extra = (None,) * rank if output_padding is None else _sizes(output_padding, rank, "output_padding")
    spatial = _spatial(inputs, data_format)
    lengths, pads = [], []
    for n, k, s, d, more in zip(spatial, kernel.shape[:-2], strides, dilation, extra, strict=True):
        length, pad = _transposed_length(n, (k - 1) * d + 1, s, padding, more)
        lengths.append(length)
        pads.append(pad)
    window = Window(tuple(lengths), kernel.shape[:-2], spatial, strides, tuple(pads), dilation, 1)
    return _apply(_inputs_p, _plain_inputs, inputs, kernel, window, data_format)


def _transposed_length(
    size: int, reach: int, stride: int, padding: str, extra: int | None
) -> tuple[int, tuple[int, int]]:
    """Along one axis the output length, and the padding of the convolution whose transpose this is."""
    whole = (size - 1) * stride + reach
    if padding.lower() == "valid":
        length = size * stride + max(reach - stride, 0) if extra is None else whole + extra
        return length, (0, whole - length)
    if padding.lower() != "same":
        raise ValueError(f'padding is "valid" or "same"; got {padding!r}.')
    length = size * stride if extra is None else whole - 2 * (reach // 2) + extra
    low = max(whole - length, 0) // 2
    return length, (low, whole - length - low)


def _apply(
    primitive: Primitive,
    plain: Callable[..., jax.Array],
    left: jax.Array,
    kernel: jax.Array,
    window: Window,
    data_format: str,
) -> jax.Array:
    dtype = jnp.promote_types(left.dtype, kernel.dtype)
    left, kernel = lax.convert_element_type(left, dtype), lax.convert_element_type(kernel, dtype)
    if jax.default_backend() != "cpu":
        return plain(left, kernel, window=window, data_format=data_format)
    if data_format == "channels_last":
        return primitive.bind(left, kernel, window=window)
    return jnp.moveaxis(primitive.bind(jnp.moveaxis(left, 1, -1), kernel, window=window), -1, 1)


def _channel_axis(data_format: str) -> int:
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f'data_format is "channels_last" or "channels_first"; got {data_format!r}.')
    return -1 if data_format == "channels_last" else 1


def _spatial(inputs: jax.Array, data_format: str) -> Sizes:
    return inputs.shape[1:-1] if _channel_axis(data_format) == -1 else inputs.shape[2:]


def _sizes(value: int | Sequence[int], rank: int, name: str) -> Sizes:
    sizes = (value,) * rank if isinstance(value, int | np.integer) else tuple(value)
    if len(sizes) != rank:
        raise ValueError(f"{name} is one number or {rank} numbers, one for each spatial axis; got {value!r}.")
    return tuple(int(x) for x in sizes)


def _window(
    inputs: Sizes, kernel: Sizes, strides: Sizes, padding: str, dilation: Sizes, groups: int
) -> Window:
    outputs, pads = [], []
    for n, k, s, d in zip(inputs, kernel, strides, dilation, strict=True):
        reach = (k - 1) * d + 1
        if padding.lower() == "same":
            out = -(-n // s)
            total = max((out - 1) * s + reach - n, 0)
            pads.append((total // 2, total - total // 2))
        elif padding.lower() == "valid":
            out = max((n - reach) // s + 1, 0)
            pads.append((0, 0))
        else:
            raise ValueError(f'padding is "valid" or "same"; got {padding!r}.')
        outputs.append(out)
    return Window(inputs, kernel, tuple(outputs), strides, tuple(pads), dilation, groups)
