"""Ops that make one tensor of several, and several of one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.dtypes import promote
from hornbeam.errors import ArgumentError
from hornbeam.ops.define import Tensor, TensorLike, as_tensor, infer, normalized_axis, op, same_dtype
from hornbeam.ops.rules import kind, shape_of
from hornbeam.symbolic import KerasTensor

xp = backend.xp


def _parts(xs: Any) -> list[Any]:
    """A list of tensors, or a tensor taken apart along axis 0, in their common dtype."""
    parts = list(xs)
    if not parts:
        raise ArgumentError("at least one tensor", "an empty list", "joining tensors")
    return same_dtype(*parts)


def _common(xs: Any, where: str) -> tuple[list[tuple[int | None, ...]], str]:
    if isinstance(xs, KerasTensor):
        if not xs.shape or xs.shape[0] is None:
            raise ArgumentError("a list of tensors, or one with a known number of rows", f"shape={xs.shape}", where)
        return [xs.shape[1:]] * xs.shape[0], xs.dtype
    if not xs:
        raise ArgumentError("at least one tensor", "an empty list", where)
    return [shape_of(x) for x in xs], promote(*(kind(x) for x in xs))


def _merged(sizes: Sequence[int | None], where: str, shapes: Any) -> int | None:
    """The one size that several tensors must have."""
    known = {one for one in sizes if one is not None}
    if len(known) > 1:
        raise ArgumentError("tensors whose other axes are equal", f"shapes {[tuple(one) for one in shapes]}", where)
    return known.pop() if known and None not in sizes else (known.pop() if known else None)


def _concatenate_rule(xs: Any, axis: int = 0) -> KerasTensor:
    shapes, dtype = _common(xs, "concatenate")
    ranks = {len(one) for one in shapes}
    if len(ranks) > 1:
        raise ArgumentError("tensors of one rank", f"shapes {shapes}", "concatenate")
    rank = ranks.pop()
    place = normalized_axis(axis, rank, "concatenate")
    result: list[int | None] = []
    for i in range(rank):
        sizes = [one[i] for one in shapes]
        if i != place:
            result.append(_merged(sizes, "concatenate", shapes))
        else:
            result.append(None if None in sizes else int(np.sum(np.asarray(sizes, dtype=np.int64))))
    return KerasTensor(result, dtype)


@op("keras.src.ops.numpy.Concatenate", lists=["xs"], spec=_concatenate_rule)
def concatenate(xs: list[TensorLike], axis: int = 0) -> Tensor:
    """Joins tensors along an axis they all have.

    Args:
        xs: Tensors whose shapes differ in `axis` at most; dtypes are promoted.
        axis: The axis to join along.

    Returns:
        One tensor.

    >>> import hornbeam as keras
    >>> keras.ops.concatenate([keras.ops.ones((2, 1)), keras.ops.zeros((2, 3))], axis=-1).shape
    (2, 4)
    """
    return xp.concatenate(_parts(xs), axis=axis)


def _stack_rule(x: Any, axis: int = 0) -> KerasTensor:
    shapes, dtype = _common(x, "stack")
    if len({len(one) for one in shapes}) > 1:
        raise ArgumentError("tensors of one shape", f"shapes {shapes}", "stack")
    rest: list[int | None] = [_merged(sizes, "stack", shapes) for sizes in zip(*shapes, strict=True)]
    rest.insert(normalized_axis(axis, len(rest) + 1, "stack"), len(shapes))
    return KerasTensor(rest, dtype)


@op("keras.src.ops.numpy.Stack", lists=["x"], spec=_stack_rule)
def stack(x: list[TensorLike], axis: int = 0) -> Tensor:
    """Joins tensors of one shape along a new axis.

    Args:
        x: Tensors of one shape; dtypes are promoted.
        axis: Where the new axis is in the result.

    Returns:
        One tensor of one more axis.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.stack([[1, 2], [3, 4]], axis=1)).tolist()
    [[1, 3], [2, 4]]
    """
    return xp.stack(_parts(x), axis=axis)


@op("keras.src.ops.numpy.Hstack", lists=["xs"])
def hstack(xs: list[TensorLike]) -> Tensor:
    """Joins tensors side by side: along axis 1, or axis 0 if they have one axis.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.hstack([[1, 2], [3]])).tolist()
    [1, 2, 3]
    """
    return xp.hstack(_parts(xs))


@op("keras.src.ops.numpy.Vstack", lists=["xs"])
def vstack(xs: list[TensorLike]) -> Tensor:
    """Joins tensors one below the other: along axis 0; tensors of one axis become rows.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.vstack([[1, 2], [3, 4]])).tolist()
    [[1, 2], [3, 4]]
    """
    return xp.vstack(_parts(xs))


@op("keras.src.ops.numpy.Dstack", lists=["xs"])
def dstack(xs: list[TensorLike]) -> Tensor:
    """Joins tensors one behind the other: along axis 2, which is made where there is none.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.dstack([[1, 2], [3, 4]])).tolist()
    [[[1, 3], [2, 4]]]
    """
    return xp.dstack(_parts(xs))


@op("keras.src.ops.numpy.Append")
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Tensor:
    """The second tensor after the first.

    Args:
        x1: First tensor.
        x2: Second tensor; dtypes are promoted.
        axis: The axis to join along; None flattens both first.

    Returns:
        One tensor.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.append([1, 2], 3)).tolist()
    [1, 2, 3]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.append(x1, x2, axis=axis)


def _cuts(indices_or_sections: Any) -> Any:
    """The argument of splits: a number of parts, or the places to cut."""
    if isinstance(indices_or_sections, (int, np.integer)):
        return int(indices_or_sections)
    return tuple(int(one) for one in np.asarray(indices_or_sections).tolist())


def _split_rule(x: Any, indices_or_sections: Any, axis: int = 0) -> list[KerasTensor]:
    place = normalized_axis(axis, len(x.shape), "split")
    size, cuts = x.shape[place], _cuts(indices_or_sections)
    if isinstance(cuts, int):
        if size is not None and (cuts <= 0 or size % cuts):
            raise _uneven("split", x.shape, axis, cuts)
        sizes = [None if size is None else size // cuts] * cuts
    elif size is None:
        return infer(split.definition.eager, (x,), {"indices_or_sections": cuts, "axis": axis})
    else:
        edges = [0, *cuts, size]
        sizes = [len(range(size)[a:b]) for a, b in itertools.pairwise(edges)]
    return [KerasTensor([one if i == place else old for i, old in enumerate(x.shape)], x.dtype) for one in sizes]


def _uneven(name: str, shape: Any, axis: int, count: int) -> ArgumentError:
    return ArgumentError(
        f"an axis {axis} that {count} equal parts make up", f"shape={tuple(shape)}", name,
        "Give the places to cut as a list, or use `array_split`.",
    )


@op("keras.src.ops.numpy.Split", tensors=["x"], spec=_split_rule)
def split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Cuts `x` into parts along an axis.

    Args:
        x: Any tensor.
        indices_or_sections: A number of equal parts, or the places to cut.
        axis: The axis.

    Returns:
        A list of tensors.

    Raises:
        ValueError: If the axis cannot be cut into so many equal parts.

    >>> import hornbeam as keras
    >>> [keras.ops.convert_to_numpy(one).tolist() for one in keras.ops.split([1, 2, 3], [1])]
    [[1], [2, 3]]
    """
    x, cuts = as_tensor(x), _cuts(indices_or_sections)
    shape = backend.shape(x)
    if isinstance(cuts, int) and (cuts <= 0 or shape[normalized_axis(axis, len(shape), "split")] % cuts):
        raise _uneven("split", shape, axis, cuts)
    return list(xp.split(x, cuts, axis=axis))


@op("keras.src.ops.numpy.ArraySplit", tensors=["x"])
def array_split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Cuts `x` into parts along an axis; the first parts are longer by one where it does not come out even.

    >>> import hornbeam as keras
    >>> [keras.ops.convert_to_numpy(one).tolist() for one in keras.ops.array_split([1, 2, 3], 2)]
    [[1, 2], [3]]
    """
    return list(xp.array_split(as_tensor(x), _cuts(indices_or_sections), axis=axis))


@op("keras.src.ops.numpy.Hsplit", tensors=["x"])
def hsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Cuts `x` into parts along axis 1, or axis 0 if it has one axis.

    >>> import hornbeam as keras
    >>> [one.shape for one in keras.ops.hsplit(keras.ops.zeros((2, 4)), 2)]
    [(2, 2), (2, 2)]
    """
    return list(xp.hsplit(as_tensor(x), _cuts(indices_or_sections)))


@op("keras.src.ops.numpy.Vsplit", tensors=["x"])
def vsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Cuts `x` into parts along axis 0.

    >>> import hornbeam as keras
    >>> [one.shape for one in keras.ops.vsplit(keras.ops.zeros((2, 4)), 2)]
    [(1, 4), (1, 4)]
    """
    return list(xp.vsplit(as_tensor(x), _cuts(indices_or_sections)))


@op("keras.src.ops.numpy.Dsplit", tensors=["x"])
def dsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Cuts `x`, of three axes or more, into parts along axis 2.

    >>> import hornbeam as keras
    >>> [one.shape for one in keras.ops.dsplit(keras.ops.zeros((2, 2, 4)), 2)]
    [(2, 2, 2), (2, 2, 2)]
    """
    return list(xp.dsplit(as_tensor(x), _cuts(indices_or_sections)))


@op("keras.src.ops.numpy.Meshgrid")
def meshgrid(*x: TensorLike, indexing: str = "xy") -> list[Tensor]:
    """Coordinates of the points of a grid.

    Args:
        *x: The coordinates along each axis, tensors of one axis.
        indexing: "xy" for Cartesian order (the first axis of the result is y), "ij" for that of matrices.

    Returns:
        One tensor for each axis, of the shape of the grid.

    Raises:
        ValueError: For another `indexing`.

    >>> import hornbeam as keras
    >>> [keras.ops.convert_to_numpy(one).tolist() for one in keras.ops.meshgrid([1, 2], [3])]
    [[[1, 2]], [[3, 3]]]
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError("indexing 'xy' or 'ij'", repr(indexing), "meshgrid")
    return list(xp.meshgrid(*[as_tensor(one) for one in x], indexing=indexing))
