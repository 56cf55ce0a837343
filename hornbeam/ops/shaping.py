"""Ops that move or repeat elements without changing them: reshape, transpose, squeeze, flip, pad, tile and others."""



from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.dtypes import standardize_dtype
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from hornbeam.ops.define import (
    Axis,
    Tensor,
    TensorLike,
    as_tensor,
    broadcast_shapes,
    like,
    normalized_axis,
    op,
)
from hornbeam.ops.rules import axes_of, cast_to, normalized_axes, product, sizes
from hornbeam.symbolic import KerasTensor

xp = backend.xp


def _reshape_rule(x: Any, newshape: Any) -> KerasTensor:
    # None stands for -1, as in a shape read off a symbolic tensor
    wanted = [-1 if one is None else one for one in sizes(newshape)]
    if wanted.count(-1) > 1:
        raise ArgumentError("a shape with at most one size left open", f"newshape={tuple(wanted)}", "reshape")
    known = math.prod(one for one in wanted if one != -1)
    total = product(x.shape)
    if -1 not in wanted:
        if total is not None and total != known:
            raise _misfit(x.shape, wanted)
        return KerasTensor(wanted, x.dtype)
    if total is None:
        return KerasTensor([None if one == -1 else one for one in wanted], x.dtype)
    if known == 0 or total % known:
        if not (known == 0 and total == 0):
            raise _misfit(x.shape, wanted)
        return KerasTensor([0 if one == -1 else one for one in wanted], x.dtype)
    return KerasTensor([total // known if one == -1 else one for one in wanted], x.dtype)


def _misfit(shape: Any, wanted: Any) -> ArgumentError:
    return ArgumentError(
        f"a new shape with as many elements as shape={tuple(shape)}", f"newshape={tuple(wanted)}", "reshape",
        "One size may be -1; it is then computed.",
    )


@op("keras.src.ops.numpy.Reshape", tensors=["x"], spec=_reshape_rule)
def reshape(x: TensorLike, newshape: Any) -> Tensor:
    """The elements of `x`, in order, in another shape.

    Args:
        x: Any tensor.
        newshape: The sizes; one may be -1 (or None), which is then computed.

    Returns:
        A tensor of that shape.

    Raises:
        ValueError: If the numbers of elements differ.

    >>> import hornbeam as keras
    >>> keras.ops.reshape(keras.ops.zeros((2, 3)), (-1, 2)).shape
    (3, 2)
    """
    x = as_tensor(x)
    wanted = tuple(-1 if one is None else one for one in sizes(newshape))
    try:
        return xp.reshape(x, wanted)
    except (TypeError, ValueError):
        if all(isinstance(one, int) for one in wanted):
            raise _misfit(backend.shape(x), wanted) from None
        raise


def _ravel_rule(x: Any) -> KerasTensor:
    return KerasTensor((product(x.shape),), x.dtype)


@op("keras.src.ops.numpy.Ravel", spec=_ravel_rule)
def ravel(x: TensorLike) -> Tensor:
    """All elements of `x` in one row.

    >>> import hornbeam as keras
    >>> keras.ops.ravel(keras.ops.zeros((2, 3))).shape
    (6,)
    """
    return xp.ravel(as_tensor(x))


def _transpose_rule(x: Any, axes: Axis = None) -> KerasTensor:
    if axes is None:
        return KerasTensor(x.shape[::-1], x.dtype)
    order = normalized_axes(axes, len(x.shape), "transpose")
    if len(order) != len(x.shape):
        raise ArgumentError(f"one entry in `axes` for each of {len(x.shape)} axes", f"axes={axes}", "transpose")
    return KerasTensor([x.shape[one] for one in order], x.dtype)


@op("keras.src.ops.numpy.Transpose", spec=_transpose_rule)
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """The axes of `x` in another order.

    Args:
        x: Any tensor.
        axes: For each axis of the result, the axis of `x` it is; None reverses them.

    Returns:
        A tensor with the same elements.

    >>> import hornbeam as keras
    >>> keras.ops.transpose(keras.ops.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    return xp.transpose(as_tensor(x), None if axes is None else tuple(axes))


def _swapaxes_rule(x: Any, axis1: int, axis2: int) -> KerasTensor:
    a, b = (normalized_axis(one, len(x.shape), "swapaxes") for one in (axis1, axis2))
    shape = list(x.shape)
    shape[a], shape[b] = shape[b], shape[a]
    return KerasTensor(shape, x.dtype)


@op("keras.src.ops.numpy.Swapaxes", tensors=["x"], spec=_swapaxes_rule)
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """`x` with two axes exchanged.

    >>> import hornbeam as keras
    >>> keras.ops.swapaxes(keras.ops.zeros((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    return xp.swapaxes(as_tensor(x), axis1, axis2)


def _moveaxis_rule(x: Any, source: Any, destination: Any) -> KerasTensor:
    rank = len(x.shape)
    sources, targets = (normalized_axes(one, rank, "moveaxis") for one in (source, destination))
    if len(sources) != len(targets):
        raise ArgumentError(
            "as many destinations as sources", f"source={source}, destination={destination}", "moveaxis"
        )
    order = [one for one in range(rank) if one not in sources]
    for target, one in sorted(zip(targets, sources, strict=True)):
        order.insert(target, one)
    return KerasTensor([x.shape[one] for one in order], x.dtype)


@op("keras.src.ops.numpy.Moveaxis", tensors=["x"], spec=_moveaxis_rule)
def moveaxis(x: TensorLike, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """`x` with axes moved to new places; the others keep their order.

    Args:
        x: Any tensor.
        source: The axis or axes to move.
        destination: Where each goes.

    Returns:
        A tensor with the same elements.

    >>> import hornbeam as keras
    >>> keras.ops.moveaxis(keras.ops.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    return xp.moveaxis(as_tensor(x), axes_of(source), axes_of(destination))


def _expand_rule(x: Any, axis: Any) -> KerasTensor:
    count = len(axis) if isinstance(axis, (list, tuple)) else 1
    places = normalized_axes(axis, len(x.shape) + count, "expand_dims")
    rest = iter(x.shape)
    return KerasTensor([1 if i in places else next(rest) for i in range(len(x.shape) + count)], x.dtype)


@op("keras.src.ops.numpy.ExpandDims", tensors=["x"], spec=_expand_rule)
def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """`x` with new axes of size 1.

    Args:
        x: Any tensor.
        axis: Where they are in the result.

    Returns:
        A tensor with the same elements.

    >>> import hornbeam as keras
    >>> keras.ops.expand_dims(keras.ops.zeros((2, 3)), -1).shape
    (2, 3, 1)
    """
    return xp.expand_dims(as_tensor(x), axes_of(axis))


def _squeeze_rule(x: Any, axis: Axis = None) -> KerasTensor:
    if axis is None:
        return KerasTensor([one for one in x.shape if one != 1], x.dtype)
    axes = normalized_axes(axis, len(x.shape), "squeeze")
    for one in axes:
        if x.shape[one] not in (1, None):
            raise ArgumentError("axes of size 1 to leave out", f"shape={x.shape}, axis={axis}", "squeeze")
    return KerasTensor([size for i, size in enumerate(x.shape) if i not in axes], x.dtype)


@op("keras.src.ops.numpy.Squeeze", spec=_squeeze_rule)
def squeeze(x: TensorLike, axis: Axis = None) -> Tensor:
    """`x` without axes of size 1.

    Args:
        x: Any tensor.
        axis: The axes to leave out; None for all of size 1.

    Returns:
        A tensor with the same elements.

    Raises:
        ValueError: If such an axis has another size.

    >>> import hornbeam as keras
    >>> keras.ops.squeeze(keras.ops.zeros((1, 3, 1)), axis=0).shape
    (3, 1)
    """
    return xp.squeeze(as_tensor(x), axis=axes_of(axis))


def _broadcast_to_rule(x: Any, shape: Any) -> KerasTensor:
    shape = sizes(shape)
    if broadcast_shapes(x.shape, shape) != shape and None not in x.shape:
        raise ArgumentError(f"a shape that {x.shape} broadcasts to", f"shape={shape}", "broadcast_to")
    return KerasTensor(shape, x.dtype)


@op("keras.src.ops.numpy.BroadcastTo", tensors=["x"], spec=_broadcast_to_rule)
def broadcast_to(x: TensorLike, shape: Any) -> Tensor:
    """`x` repeated along axes of size 1, and along new ones in front, up to a shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.broadcast_to([1, 2], (2, 2))).tolist()
    [[1, 2], [1, 2]]
    """
    return xp.broadcast_to(as_tensor(x), sizes(shape))


def _flip_rule(x: Any, axis: Axis = None) -> KerasTensor:
    if axis is not None:
        normalized_axes(axis, len(x.shape), "flip")
    return KerasTensor(x.shape, x.dtype)


@op("keras.src.ops.numpy.Flip", spec=_flip_rule)
def flip(x: TensorLike, axis: Axis = None) -> Tensor:
    """`x` with the elements along axes in reverse order.

    Args:
        x: Any tensor.
        axis: The axes; None for all.

    Returns:
        A tensor like `x`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.flip([1, 2, 3])).tolist()
    [3, 2, 1]
    """
    return xp.flip(as_tensor(x), axis=axes_of(axis))


@op("keras.src.ops.numpy.Fliplr", spec=like)
def fliplr(x: TensorLike) -> Tensor:
    """`x`, of two axes or more, from right to left: axis 1 reversed.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.fliplr([[1, 2]])).tolist()
    [[2, 1]]
    """
    return xp.fliplr(as_tensor(x))


@op("keras.src.ops.numpy.Flipud", spec=like)
def flipud(x: TensorLike) -> Tensor:
    """`x` upside down: axis 0 reversed.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.flipud([1, 2])).tolist()
    [2, 1]
    """
    return xp.flipud(as_tensor(x))


@op("keras.src.ops.numpy.Rot90")
def rot90(array: TensorLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """`array` turned by 90 degrees in the plane of two axes.

    Args:
        array: A tensor of two axes or more.
        k: How often; negative numbers turn the other way.
        axes: The plane; it turns from the first axis towards the second.

    Returns:
        A tensor with the same elements.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.rot90([[1, 2], [3, 4]])).tolist()
    [[2, 4], [1, 3]]
    """
    return xp.rot90(as_tensor(array), k=k, axes=tuple(axes))


def _roll_rule(x: Any, shift: Any, axis: Axis = None) -> KerasTensor:
    return _flip_rule(x, axis)


@op("keras.src.ops.numpy.Roll", tensors=["x"], spec=_roll_rule)
def roll(x: TensorLike, shift: int | Sequence[int], axis: Axis = None) -> Tensor:
    """`x` with the elements moved along axes; what leaves at the end comes in at the front.

    Args:
        x: Any tensor.
        shift: By how many places, for each axis.
        axis: The axes; None rolls the flattened tensor.

    Returns:
        A tensor like `x`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.roll([1, 2, 3], 1)).tolist()
    [3, 1, 2]
    """
    return xp.roll(as_tensor(x), axes_of(shift), axis=axes_of(axis))


def _repeat_rule(x: Any, repeats: Any, axis: int | None = None) -> KerasTensor:
    if not isinstance(repeats, int):
        counts = np.ravel(np.asarray(repeats))
        if counts.size != 1:
            size = int(counts.sum())
            if axis is None:
                return KerasTensor((size,), x.dtype)
            place = normalized_axis(axis, len(x.shape), "repeat")
            return KerasTensor([size if i == place else one for i, one in enumerate(x.shape)], x.dtype)
        repeats = int(counts[0])
    if axis is None:
        total = product(x.shape)
        return KerasTensor((None if total is None else total * repeats,), x.dtype)
    place = normalized_axis(axis, len(x.shape), "repeat")
    return KerasTensor(
        [one * repeats if i == place and one is not None else one for i, one in enumerate(x.shape)], x.dtype
    )


@op("keras.src.ops.numpy.Repeat", tensors=["x"], spec=_repeat_rule)
def repeat(x: TensorLike, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """Each element of `x` several times in a row.

    Args:
        x: Any tensor.
        repeats: How often; one number, or one for each element along `axis`.
        axis: The axis; None repeats the elements of the flattened tensor.

    Returns:
        A longer tensor.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.repeat([1, 2], 2)).tolist()
    [1, 1, 2, 2]
    """
    return xp.repeat(as_tensor(x), repeats if isinstance(repeats, int) else np.asarray(repeats), axis=axis)


def _tile_rule(x: Any, repeats: Any) -> KerasTensor:
    repeats = sizes(repeats)
    shape = (1,) * (len(repeats) - len(x.shape)) + x.shape
    repeats = (1,) * (len(shape) - len(repeats)) + repeats
    return KerasTensor(
        [None if one is None else one * count for one, count in zip(shape, repeats, strict=True)], x.dtype
    )


@op("keras.src.ops.numpy.Tile", tensors=["x"], spec=_tile_rule)
def tile(x: TensorLike, repeats: int | Sequence[int]) -> Tensor:
    """Copies of `x` side by side.

    Args:
        x: Any tensor.
        repeats: How many copies along each axis, the last axes if there are fewer numbers than axes.

    Returns:
        A larger tensor.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.tile([1, 2], 2)).tolist()
    [1, 2, 1, 2]
    """
    return xp.tile(as_tensor(x), sizes(repeats))


_PAD_MODES = ("constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum", "reflect", "symmetric", "wrap")


def _pad_widths(pad_width: Any, rank: int) -> list[tuple[int, int]]:
    widths = np.asarray(pad_width)
    if widths.dtype.kind not in "iu":
        raise ArgumentTypeError("integers as `pad_width`", repr(pad_width), "pad")
    try:
        pairs = np.broadcast_to(widths, (rank, 2))
    except ValueError:
        raise ArgumentError(f"a `pad_width` for {rank} axes", repr(pad_width), "pad") from None
    return [(int(a), int(b)) for a, b in pairs]


def _pad_rule(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> KerasTensor:
    _check_pad(mode, constant_values)
    return KerasTensor(
        [
            None if one is None else one + before + after
            for one, (before, after) in zip(x.shape, _pad_widths(pad_width, len(x.shape)), strict=True)
        ],
        x.dtype,
    )


def _check_pad(mode: str, constant_values: Any) -> None:
    if mode not in _PAD_MODES:
        raise UnknownNameError("padding mode", mode, _PAD_MODES, "pad")
    if constant_values is not None and mode != "constant":
        raise ArgumentError("`constant_values` with mode='constant' only", f"mode={mode!r}", "pad")


@op("keras.src.ops.numpy.Pad", tensors=["x", "constant_values"], spec=_pad_rule)
def pad(x: TensorLike, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """`x` with more elements around it.

    Args:
        x: Any tensor.
        pad_width: How many before and after each axis: ``((before, after), ...)``, one pair for all axes, or
            one number for all sides.
        mode: What to put there: "constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum",
            "reflect", "symmetric" or "wrap", as in NumPy.
        constant_values: The value for "constant"; None for 0.

    Returns:
        A larger tensor of the same dtype.

    Raises:
        ValueError: For an unknown mode, or `constant_values` with another mode than "constant".

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.pad([1, 2], (1, 0), constant_values=9)).tolist()
    [9, 1, 2]
    """
    x = as_tensor(x)
    _check_pad(mode, constant_values)
    widths = _pad_widths(pad_width, len(backend.shape(x)))
    if mode != "constant":
        return xp.pad(x, widths, mode=mode)
    value = 0 if constant_values is None else constant_values
    return xp.pad(x, widths, mode=mode, constant_values=cast_to(as_tensor(value), backend.dtype(x)))


@op("keras.src.ops.numpy.View")
def view(x: TensorLike, dtype: Any = None) -> Tensor:
    """The bits of `x` read as another dtype.

    Args:
        x: Any tensor.
        dtype: The dtype to read them as; if its size differs, the last axis grows or shrinks.

    Returns:
        A tensor of that dtype.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.view(keras.ops.ones((1,)), "int32")).tolist()
    [1065353216]
    """
    x = as_tensor(x)
    return x if dtype is None else x.view(backend.native_dtype(standardize_dtype(dtype)))
