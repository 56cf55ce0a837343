"""`rearrange`: reshape and transpose said in one line, as in einops (https://einops.rocks)."""

from __future__ import annotations

import re
from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.ops.define import Tensor, TensorLike, as_tensor, convert
from hornbeam.symbolic import KerasTensor, Operation

xp = backend.xp

_TOKEN = re.compile(r"\.\.\.|[A-Za-z_]\w*|1|[()]")
_WHERE = "rearrange"
_ALONE = "... alone"  # an ellipsis that stands for axes, unlike one in parentheses, which merges them


def _groups(side: str, pattern: str) -> list[list[str]]:
    """One side of a pattern: for each axis of the tensor the names that make it up, none for an axis of size 1."""
    if _TOKEN.sub("", side).strip():
        raise ArgumentError("names, 1, '...' and parentheses", repr(pattern), _WHERE)
    groups: list[list[str]] = []
    inside = False
    for part in _TOKEN.findall(side):
        if part in "()":
            if inside == (part == "("):
                raise ArgumentError("parentheses in pairs, not nested", repr(pattern), _WHERE)
            inside = part == "("
            if inside:
                groups.append([])
        elif inside:
            groups[-1].extend([] if part == "1" else [part])
        else:
            groups.append([] if part == "1" else [_ALONE if part == "..." else part])
    if inside:
        raise ArgumentError("parentheses in pairs, not nested", repr(pattern), _WHERE)
    return groups


def _parse(pattern: str, rank: int) -> tuple[list[list[str]], list[list[str]]]:
    if not isinstance(pattern, str) or pattern.count("->") != 1:
        raise ArgumentError("a pattern such as 'b (h w) c -> b h w c'", repr(pattern), _WHERE)
    left, right = (_groups(side, pattern) for side in pattern.split("->"))
    if [_ALONE] in left:
        place = left.index([_ALONE])
        rest = [[f"...{i}"] for i in range(rank - len(left) + 1)]
        left = [*left[:place], *rest, *left[place + 1 :]]
        spread = [one[0] for one in rest]
        right = [one for group in right for one in (rest if group == [_ALONE] else [group])]
        right = [[one for name in group for one in (spread if name == "..." else [name])] for group in right]
    if len(left) != rank:
        raise ArgumentError(f"a left side with {rank} axes", repr(pattern), _WHERE)
    names = [[name for group in side for name in group] for side in (left, right)]
    if sorted(names[0]) != sorted(names[1]) or len(set(names[0])) != len(names[0]):
        raise ArgumentError("the same names on both sides, each once", repr(pattern), _WHERE)
    return left, right


def _lengths(shape: Any, left: list[list[str]], given: dict[str, int], pattern: str) -> dict[str, int | None]:
    """The size of each name; None where it is open."""
    lengths: dict[str, int | None] = {}
    unknown = sorted(set(given) - {name for group in left for name in group})
    if unknown:
        raise ArgumentError(f"sizes of names in {pattern!r}", f"{unknown}", _WHERE)
    for size, group in zip(shape, left, strict=True):
        known = 1
        missing = [name for name in group if name not in given]
        for name in group:
            if name in given:
                lengths[name] = int(given[name])
                known *= int(given[name])
        if len(missing) > 1:
            raise ArgumentError(f"the sizes of all but one of {group}", f"{given}", f"{_WHERE} {pattern!r}")
        if size is not None and (size % known or (not missing and size != known)):
            raise ArgumentError(f"an axis that ({' '.join(group)}) make up", f"shape={tuple(shape)}, {given}", _WHERE)
        if missing:
            lengths[missing[0]] = None if size is None else size // known
    return lengths


def _apply(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    tensor = as_tensor(tensor)
    shape = backend.shape(tensor)
    left, right = _parse(pattern, len(shape))
    lengths = _lengths(shape, left, axes_lengths, pattern)
    before = [name for group in left for name in group]
    after = [name for group in right for name in group]
    tensor = xp.reshape(tensor, [lengths[name] for name in before])
    tensor = xp.transpose(tensor, [before.index(name) for name in after])
    return xp.reshape(tensor, [_product(lengths, group) for group in right])


def _product(lengths: dict[str, int | None], group: list[str]) -> int | None:
    total = 1
    for name in group:
        size = lengths[name]
        if size is None:
            return None
        total *= size
    return total


@wire("keras.src.ops.einops.Rearrange")
class Rearrange(Operation):
    """`rearrange` in a graph; its nodes carry pattern and sizes as arguments, as Keras writes them."""

    def call(self, tensor: Any, pattern: str, **axes_lengths: int) -> Any:
        return _apply(convert(tensor), pattern, **axes_lengths)

    def compute_output_spec(self, tensor: Any, pattern: str, **axes_lengths: int) -> KerasTensor:
        left, right = _parse(pattern, len(tensor.shape))
        lengths = _lengths(tensor.shape, left, axes_lengths, pattern)
        return KerasTensor([_product(lengths, group) for group in right], tensor.dtype)


def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Tensor:
    """Splits, merges and reorders axes.

    Args:
        tensor: Any tensor.
        pattern: The axes before and after, by name. Parentheses merge axes, or split them, 1 is an axis of
            size 1, and an ellipsis stands for all other axes.
        **axes_lengths: The sizes of names, where an axis is split.

    Returns:
        A tensor with the same elements.

    Raises:
        ValueError: For a pattern that says nothing, or does not fit the shape.

    >>> import hornbeam as keras
    >>> keras.ops.rearrange(keras.ops.zeros((2, 6, 4)), "b (h w) c -> b c h w", h=3).shape
    (2, 4, 3, 2)
    """
    if isinstance(tensor, KerasTensor):
        return Rearrange().symbolic_call(tensor, pattern, **axes_lengths)
    return _apply(convert(tensor), pattern, **axes_lengths)
