"""Reductions of the rows of a tensor that belong to the same segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.backend import active as backend
from hornbeam.dtypes import INTEGERS
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.ops.define import Tensor, TensorLike, as_tensor, op
from hornbeam.ops.front import prepared
from hornbeam.symbolic import KerasTensor

xp = backend.xp


def _check(data: Any, ids: Any, where: str) -> None:
    fits = len(data) > 0 and len(ids) == 1 and (None in (data[0], ids[0]) or data[0] == ids[0])
    if not fits:
        raise ArgumentError(
            "`segment_ids` of rank 1, one for each row of `data`",
            f"data.shape={tuple(data)} and segment_ids.shape={tuple(ids)}", where,
        )


def _prepare(name: str) -> Callable[..., tuple]:
    def prepare(data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False) -> tuple:
        data, segment_ids = as_tensor(data), as_tensor(segment_ids)
        _check(data.shape, segment_ids.shape, name)
        if backend.dtype(segment_ids) not in INTEGERS:
            raise ArgumentTypeError("integer `segment_ids`", f"dtype={backend.dtype(segment_ids)}", name)
        if num_segments is None:
            if backend.is_traced(segment_ids):
                raise ArgumentError(
                    "`num_segments` in a compiled function, where the ids are not known", "None", name,
                    "Pass the number of segments.",
                )
            num_segments = int(backend.to_numpy(segment_ids).max(initial=-1)) + 1
        if backend.dtype(data) == "bool":
            data = backend.cast(data, "int32")
        return data, segment_ids, num_segments, sorted

    return prepare


def _rule(data: Any, segment_ids: Any, num_segments: Any = None, **_: Any) -> KerasTensor:
    _check(data.shape, segment_ids.shape, "segment reduction")
    return KerasTensor((num_segments, *data.shape[1:]), "int32" if data.dtype == "bool" else data.dtype)


def _reduced(data: Any, ids: Any, count: int, neutral: Any, reduce: Callable[..., Any]) -> Any:
    """Each segment by itself, the rows of the others replaced by `neutral`."""
    if count == 0 or data.shape[0] == 0:
        return xp.full((count, *data.shape[1:]), neutral, data.dtype)
    ids = xp.reshape(ids, (-1, *(1,) * (len(data.shape) - 1)))
    filler = xp.full((), neutral, data.dtype)
    rows = [reduce(xp.where(ids == index, data, filler), axis=0) for index in range(count)]
    result = xp.stack(rows)
    return result if result.dtype == data.dtype else backend.cast(result, backend.dtype(data))


def _lowest(data: Any, sign: int) -> Any:
    dtype = backend.dtype(data)
    if dtype not in INTEGERS:
        return -sign * float("inf")
    bits = int(dtype.lstrip("uint"))
    if dtype.startswith("u"):
        return 0 if sign > 0 else 2**bits - 1
    return -(2 ** (bits - 1)) if sign > 0 else 2 ** (bits - 1) - 1


@prepared(_prepare("segment_sum"))
@op("keras.src.ops.math.SegmentSum", spec=_rule)
def segment_sum(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The sum of the rows of each segment.

    Args:
        data: `[rows, ...]`.
        segment_ids: `[rows]`, integers; a row whose id is negative or not below `num_segments` is left out.
        num_segments: How many segments the result has; None takes the largest id, which must then be known.
        sorted: Whether the ids are in rising order, which some backends make use of.

    Returns:
        `[num_segments, ...]`; 0 for a segment without rows.

    Raises:
        ValueError: If the shapes do not fit, or `num_segments` is missing in a compiled function.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.segment_sum([1, 2, 4], [0, 0, 2], num_segments=3)).tolist()
    [3, 0, 4]
    """
    return _reduced(data, segment_ids, num_segments or 0, 0, xp.sum)


@prepared(_prepare("segment_prod"))
@op("keras.src.ops.math.SegmentProd", spec=_rule)
def segment_prod(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The product of the rows of each segment; 1 for a segment without rows.

    Args:
        data: `[rows, ...]`.
        segment_ids: `[rows]`, as for `segment_sum`.
        num_segments: How many segments the result has, as for `segment_sum`.
        sorted: Whether the ids are in rising order.

    Returns:
        `[num_segments, ...]`.

    Raises:
        ValueError: As for `segment_sum`.
    """
    return _reduced(data, segment_ids, num_segments or 0, 1, xp.prod)


@prepared(_prepare("segment_max"))
@op("keras.src.ops.math.SegmentMax", spec=_rule)
def segment_max(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The largest row of each segment, column by column; for a segment without rows, the least the dtype has.

    Args:
        data: `[rows, ...]`.
        segment_ids: `[rows]`, as for `segment_sum`.
        num_segments: How many segments the result has, as for `segment_sum`.
        sorted: Whether the ids are in rising order.

    Returns:
        `[num_segments, ...]`.

    Raises:
        ValueError: As for `segment_sum`.
    """
    return _reduced(data, segment_ids, num_segments or 0, _lowest(data, 1), xp.max)


@prepared(_prepare("segment_min"))
@op("keras.src.ops.math.SegmentMin", spec=_rule)
def segment_min(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The smallest row of each segment, column by column; for a segment without rows, the most the dtype has.

    Args:
        data: `[rows, ...]`.
        segment_ids: `[rows]`, as for `segment_sum`.
        num_segments: How many segments the result has, as for `segment_sum`.
        sorted: Whether the ids are in rising order.

    Returns:
        `[num_segments, ...]`.

    Raises:
        ValueError: As for `segment_sum`.
    """
    return _reduced(data, segment_ids, num_segments or 0, _lowest(data, -1), xp.min)
