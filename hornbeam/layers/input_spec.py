"""`InputSpec`: what a layer demands of its inputs, and the check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import dtypes, tree
from hornbeam.errors import ArgumentError
from hornbeam.variable import standardize_shape


class InputSpec:
    """Rank, shape and dtype that a layer demands of one input.

    Args:
        dtype: The dtype name, or None for any.
        shape: The shape with None where any size will do.
        ndim: The exact number of axes.
        max_ndim: The largest number of axes.
        min_ndim: The smallest number of axes.
        axes: Sizes by axis, such as ``{-1: 10}``.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing or too much.
        name: The key of the input when inputs are a dict.
        optional: Whether None will do.

    >>> InputSpec(ndim=2, axes={-1: 3})
    InputSpec(ndim=2, axes={-1: 3})
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else dtypes.standardize_dtype(dtype)
        self.shape = None if shape is None else standardize_shape(shape)
        self.ndim = ndim if shape is None else len(self.shape or ())
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional
        if self.axes and (self.ndim is not None or self.max_ndim is not None):
            limit = self.ndim if self.ndim is not None else self.max_ndim
            if max(self.axes) > limit - 1:
                raise ArgumentError(f"axes below {limit}", f"axes={self.axes}", "InputSpec")

    def __repr__(self) -> str:
        given = {key: value for key, value in vars(self).items() if value not in (None, {}, False)}
        if self.shape is not None:
            given.pop("ndim", None)
        return f"InputSpec({', '.join(f'{key}={value!r}' for key, value in given.items())})"

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal spec."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """A spec made from what `get_config` gave."""
        return cls(**config)

    def check(self, value: Any, where: Callable[[], str]) -> None:
        """Raises a ValueError that names the demand, the input and what `where` gives, unless `value` fits."""
        shape = value.shape
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim and not self.allow_last_axis_squeeze:
            self._refuse(f"{self.ndim} axes", value, where)
        if self.max_ndim is not None and rank > self.max_ndim:
            self._refuse(f"at most {self.max_ndim} axes", value, where)
        if self.min_ndim is not None and rank < self.min_ndim:
            self._refuse(f"at least {self.min_ndim} axes", value, where)
        if self.dtype is not None and dtypes.standardize_dtype(value.dtype) != self.dtype:
            self._refuse(f"dtype {self.dtype}", value, where)
        for axis, size in self.axes.items():
            if size is not None and -rank <= axis < rank and shape[axis] not in (size, None):
                self._refuse(f"size {size} in axis {axis}", value, where)
        if self.shape is not None:
            wanted, come = self.shape, tuple(shape)
            if self.allow_last_axis_squeeze:
                wanted, come = _without_last_one(wanted), _without_last_one(come)
            if len(wanted) != len(come) or any(
                a is not None and b is not None and a != b for a, b in zip(wanted, come, strict=False)
            ):
                self._refuse(f"shape={self.shape}", value, where)

    def _refuse(self, wanted: str, value: Any, where: Callable[[], str]) -> None:
        raise ArgumentError(f"an input with {wanted}", f"shape={tuple(value.shape)}", where())


def _without_last_one(shape: tuple) -> tuple:
    return shape[:-1] if shape and shape[-1] == 1 else shape


def check_inputs(spec: Any, inputs: Any, where: Callable[[], str]) -> None:
    """Checks inputs of any structure against a spec or a list, tuple or dict of specs."""
    if isinstance(spec, InputSpec):
        if hasattr(inputs, "shape"):
            if inputs.shape is not None:
                spec.check(inputs, where)
            return
        specs = [spec]
    elif isinstance(spec, dict):
        if isinstance(inputs, dict):
            missing = [name for name, one in spec.items() if name not in inputs and not one.optional]
            if missing:
                raise ArgumentError(f"inputs with the keys {sorted(spec)}", f"{sorted(inputs)}", where())
            inputs = [inputs.get(name) for name in spec]
        specs = list(spec.values())
    else:
        specs = tree.flatten(spec)
    leaves = tree.flatten(inputs)
    if len(leaves) != len(specs):
        raise ArgumentError(f"{len(specs)} input(s)", f"{len(leaves)}", where())
    for one, value in zip(specs, leaves, strict=True):
        if value is None and (one is None or one.optional):
            continue
        if one is not None and getattr(value, "shape", None) is not None:
            one.check(value, where)
        elif one is not None and value is None:
            raise ArgumentError("an input", "None", where())
