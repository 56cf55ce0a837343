"""`Bundle`: several tensors that are computed with as if they were one, each operation in one call of torch.

Operators and functions of torch work on the parts, by torch's `_foreach` kernels where there is one. It stands for
tensors of different shapes, so whatever asks for a shape, or reduces, does not work on it and says so.
"""

# these kernels are what torch's own optimizers run on
# pyright: reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from hornbeam.errors import UnsupportedError


class Bundle:
    """Tensors of one dtype that stand for one tensor in elementwise arithmetic.

    Args:
        parts: The tensors.
    """

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[torch.Tensor]) -> None:
        self.parts = list(parts)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the parts."""
        return self.parts[0].dtype

    @property
    def device(self) -> torch.device:
        """The device of the parts."""
        return self.parts[0].device

    def is_floating_point(self) -> bool:
        """Whether the parts are floats."""
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether the parts are complex."""
        return self.dtype.is_complex

    def to(self, dtype: torch.dtype) -> Bundle:
        """The parts in another dtype."""
        return self if dtype == self.dtype else Bundle([one.to(dtype) for one in self.parts])

    def __getattr__(self, name: str) -> Any:
        raise UnsupportedError("arithmetic element by element", f"`.{name}`", "tensors that are updated together")

    @classmethod
    def __torch_function__(cls, function: Callable, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        operator = _OPERATORS.get(function.__name__)
        if operator is not None and len(args) == 2 and not kwargs:  # a tensor met the bundle from the left
            return operator(*args)
        kernel = _KERNELS.get(function)
        if kernel is not None and not kwargs:
            found = kernel(*args)
            if found is not None:
                return Bundle(found)
        if function not in _ELEMENTWISE:
            raise UnsupportedError(
                "a function that works element by element", function.__name__, "tensors that are updated together"
            )
        count = next(len(one.parts) for one in args if isinstance(one, Bundle))
        return Bundle(
            [function(*[_part(one, index) for one in args], **(kwargs or {})) for index in range(count)]
        )


def _part(value: Any, index: int) -> Any:
    return value.parts[index] if isinstance(value, Bundle) else value


def _pair(foreach: Callable[..., Any], plain: Callable[..., Any], scalars: bool) -> Callable[..., Any]:
    """`foreach` on two bundles or a bundle and a number; `plain` part by part beside a tensor it does not take."""

    def apply(first: Any, second: Any) -> Any:
        if isinstance(first, Bundle):
            if isinstance(second, Bundle):
                return Bundle(foreach(first.parts, second.parts))
            if not isinstance(second, torch.Tensor) or (scalars and second.ndim == 0):
                return Bundle(foreach(first.parts, second))
        count = len((first if isinstance(first, Bundle) else second).parts)
        return Bundle([plain(_part(first, index), _part(second, index)) for index in range(count)])

    return apply


def _either_way(apply: Callable[..., Any]) -> Callable[..., Any]:
    return lambda first, second: apply(first, second) if isinstance(first, Bundle) else apply(second, first)


_add = _either_way(_pair(torch._foreach_add, torch.add, True))
_multiply = _either_way(_pair(torch._foreach_mul, torch.mul, True))
_divide = _pair(torch._foreach_div, torch.div, True)
_subtract = _pair(torch._foreach_sub, torch.sub, False)
_power = _pair(torch._foreach_pow, torch.pow, False)


def _divided_by(self: Bundle, other: Any) -> Any:
    return _multiply(Bundle(torch._foreach_reciprocal(self.parts)), other)


def _taken_from(self: Bundle, other: Any) -> Any:
    return _add(Bundle(torch._foreach_neg(self.parts)), other)


_OPERATORS = {
    "add": _add, "mul": _multiply, "sub": _subtract, "div": _divide, "true_divide": _divide, "pow": _power,
}


def _part_by_part(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(self: Bundle, other: Any) -> Bundle:
        return Bundle([function(one, _part(other, index)) for index, one in enumerate(self.parts)])

    return apply


for _name, _function in {
    "__add__": _add,
    "__radd__": _add,
    "__mul__": _multiply,
    "__rmul__": _multiply,
    "__sub__": _subtract,
    "__rsub__": _taken_from,
    "__truediv__": _divide,
    "__rtruediv__": _divided_by,
    "__pow__": _power,
    "__neg__": lambda self: Bundle(torch._foreach_neg(self.parts)),
    "__lt__": _part_by_part(torch.lt),
    "__le__": _part_by_part(torch.le),
    "__gt__": _part_by_part(torch.gt),
    "__ge__": _part_by_part(torch.ge),
    "__eq__": _part_by_part(torch.eq),
    "__ne__": _part_by_part(torch.ne),
}.items():
    setattr(Bundle, _name, _function)


def _foreach(kernel: Callable[..., Any]) -> Callable[..., Any]:
    return lambda one: kernel(one.parts)


def _foreach_pair(kernel: Callable[..., Any]) -> Callable[..., Any]:
    def apply(first: Any, second: Any) -> Any:
        both = isinstance(first, Bundle) and isinstance(second, Bundle)
        return kernel(first.parts, second.parts) if both else None

    return apply


_KERNELS: dict[Any, Callable[..., Any]] = {
    torch.sqrt: _foreach(torch._foreach_sqrt),
    torch.abs: _foreach(torch._foreach_abs),
    torch.neg: _foreach(torch._foreach_neg),
    torch.exp: _foreach(torch._foreach_exp),
    torch.log: _foreach(torch._foreach_log),
    torch.reciprocal: _foreach(torch._foreach_reciprocal),
    torch.maximum: _foreach_pair(torch._foreach_maximum),
    torch.minimum: _foreach_pair(torch._foreach_minimum),
}
# What else may be applied part by part, since each element of the result depends on one element of each part only.
_ELEMENTWISE = {
    *_KERNELS, torch.sgn, torch.sign, torch.square, torch.clamp, torch.where, torch.isnan, torch.pow, torch.tanh,
    torch.rsqrt, torch.zeros_like, torch.ones_like, torch.full_like, torch.logical_and, torch.logical_or,
    torch.logical_not, torch.isfinite, torch.floor, torch.ceil,
}
