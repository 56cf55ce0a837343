"""Python's operators and a few methods on `KerasTensor` and `Variable`, installed from one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.ops import arithmetic, comparison, elementwise, indexing, products, shaping
from hornbeam.symbolic import KerasTensor
from hornbeam.variable import Variable

# Operators of two operands: name, op, and whether it also stands on the right side, as `__radd__`.
BINARY: tuple[tuple[str, Callable[..., Any], bool], ...] = (
    ("add", arithmetic.add, True),
    ("sub", arithmetic.subtract, True),
    ("mul", arithmetic.multiply, True),
    ("truediv", arithmetic.true_divide, True),
    ("floordiv", arithmetic.floor_divide, True),
    ("mod", arithmetic.mod, True),
    ("pow", arithmetic.power, True),
    ("matmul", products.matmul, True),
    ("and", comparison.logical_and, True),
    ("or", comparison.logical_or, True),
    ("xor", comparison.logical_xor, True),
    ("lt", comparison.less, False),
    ("le", comparison.less_equal, False),
    ("gt", comparison.greater, False),
    ("ge", comparison.greater_equal, False),
    ("ne", comparison.not_equal, False),
)
UNARY: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("neg", elementwise.negative),
    ("abs", elementwise.absolute),
    ("invert", comparison.logical_not),
)


def _operand(value: Any) -> bool:
    """Whether an op can take `value`; with None, strings and strange objects Python is told to look elsewhere."""
    if value is None or isinstance(value, str):
        return False
    return isinstance(
        value, (KerasTensor, Variable, int, float, complex, list, tuple, np.ndarray, np.generic)
    ) or backend.is_array(value) or hasattr(value, "__array__")


def _forward(apply: Callable[..., Any], name: str) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        return apply(self, other) if _operand(other) else NotImplemented

    method.__name__ = method.__qualname__ = name
    return method


def _backward(apply: Callable[..., Any], name: str) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        return apply(other, self) if _operand(other) else NotImplemented

    method.__name__ = method.__qualname__ = name
    return method


def _single(apply: Callable[..., Any], name: str) -> Callable[..., Any]:
    def method(self: Any) -> Any:
        return apply(self)

    method.__name__ = method.__qualname__ = name
    return method


def _positive(self: Any) -> Any:
    return self.value if isinstance(self, Variable) else self


def _round(self: Any, ndigits: int | None = None) -> Any:
    return elementwise.round(self, decimals=ndigits or 0)


def _reshape(self: Any, newshape: Any) -> Any:
    """The elements, in order, in another shape."""
    return shaping.reshape(self, newshape)


def _squeeze(self: Any, axis: Any = None) -> Any:
    """Without axes of size 1."""
    return shaping.squeeze(self, axis)


def _get_item(self: Any, key: Any) -> Any:
    return indexing.get_item(self, key)


def _install() -> None:
    for cls in (KerasTensor, Variable):
        for name, apply, reflected in BINARY:
            setattr(cls, f"__{name}__", _forward(apply, f"__{name}__"))
            if reflected:
                setattr(cls, f"__r{name}__", _backward(apply, f"__r{name}__"))
        for name, single in UNARY:
            setattr(cls, f"__{name}__", _single(single, f"__{name}__"))
        cls.__round__ = _round
        cls.__pos__ = _positive
        cls.__getitem__ = _get_item
    # As in Keras, `==` compares the values of variables but asks for the identity of symbolic tensors, which have
    # no values: so they can be looked up in lists. `hash` stays that of the object for both.
    Variable.__eq__ = _forward(comparison.equal, "__eq__")
    Variable.__invert__ = lambda self: ~self.value  # bits of integers, not truth
    KerasTensor.reshape = _reshape
    KerasTensor.squeeze = _squeeze


_install()
