"""Layers that make one tensor out of several: `Add`, `Subtract`, `Multiply`, `Average`, `Maximum`, `Minimum`,
`Concatenate`, `Dot`, and the functions of the same names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from hornbeam import ops, scope, tree
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import where
from hornbeam.layers.layer import Layer
from hornbeam.ops.define import broadcast_shapes, normalized_axis
from hornbeam.symbolic import KerasTensor


class Merge(Layer):
    """Combines a list of tensors element by element; inputs of fewer axes get axes of size 1 after the batch."""

    _keeps_dtype = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Checks that the shapes fit; there are no variables."""
        self.compute_output_shape(input_shape)

    def _merge(self, inputs: list[Any]) -> Any:
        raise NotImplementedError

    def _checked(self, inputs: Any, least: int = 1) -> list[Any]:
        several = isinstance(inputs, (list, tuple)) and not (inputs and tree.is_shape(inputs))
        if not several or len(inputs) < least:
            raise ArgumentError(
                f"a list of at least {least} tensors", f"{len(inputs) if several else 'one tensor'}", where(self)
            )
        return list(inputs)

    def call(self, inputs: Any) -> Any:
        """The tensors as one."""
        inputs = self._checked(inputs)
        try:
            return self._merge(self._aligned(inputs))
        except (ValueError, TypeError, IndexError):
            self.compute_output_shape([one.shape for one in inputs])  # says better what is wrong
            raise

    def _aligned(self, inputs: list[Any]) -> list[Any]:
        rank = max(len(one.shape) for one in inputs)
        aligned = []
        for one in inputs:
            missing = rank - len(one.shape)
            aligned.append(
                ops.reshape(one, (one.shape[0], *(1,) * missing, *one.shape[1:])) if missing and len(one.shape) else one
            )
        return aligned

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shapes broadcast against each other."""
        shapes = [tuple(one) for one in self._checked(input_shape)]
        rank = max(len(one) for one in shapes)
        shapes = [(one[0], *(1,) * (rank - len(one)), *one[1:]) if one else one for one in shapes]
        try:
            return functools.reduce(broadcast_shapes, shapes)
        except ArgumentError:
            raise ArgumentError("inputs whose shapes broadcast", f"{shapes}", where(self)) from None

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Where some input is kept; none if an input has no mask, and so is kept as a whole."""
        if previous_mask is None or any(one is None for one in previous_mask):
            return None
        return functools.reduce(ops.logical_or, previous_mask)


def _fold(operation: Callable) -> Callable[[Any, list[Any]], Any]:
    return lambda _, inputs: functools.reduce(operation, inputs)


@wire("keras.layers.Add")
class Add(Merge):
    """The sum of several tensors.

    >>> import hornbeam as keras
    >>> keras.layers.Add()([keras.ops.ones((2, 3)), keras.ops.ones((2, 3))]).shape
    (2, 3)
    """

    _merge = _fold(ops.add)


@wire("keras.layers.Multiply")
class Multiply(Merge):
    """The product of several tensors, element by element."""

    _merge = _fold(ops.multiply)


@wire("keras.layers.Maximum")
class Maximum(Merge):
    """The maximum of several tensors, element by element."""

    _merge = _fold(ops.maximum)


@wire("keras.layers.Minimum")
class Minimum(Merge):
    """The minimum of several tensors, element by element."""

    _merge = _fold(ops.minimum)


@wire("keras.layers.Average")
class Average(Merge):
    """The mean of several tensors, element by element."""

    _keeps_dtype = False

    def _merge(self, inputs: list[Any]) -> Any:
        return ops.divide(functools.reduce(ops.add, inputs), float(len(inputs)))


@wire("keras.layers.Subtract")
class Subtract(Merge):
    """The first of two tensors minus the second."""

    def _checked(self, inputs: Any, least: int = 2) -> list[Any]:
        inputs = super()._checked(inputs, least)
        if len(inputs) != 2:
            raise ArgumentError("two tensors", f"{len(inputs)}", where(self))
        return inputs

    def _merge(self, inputs: list[Any]) -> Any:
        return ops.subtract(inputs[0], inputs[1])


@wire("keras.layers.Concatenate")
class Concatenate(Merge):
    """Several tensors joined along an axis.

    Args:
        axis: The axis; all others must have the same size.

    >>> import hornbeam as keras
    >>> keras.layers.Concatenate()([keras.ops.ones((2, 3)), keras.ops.ones((2, 1))]).shape
    (2, 4)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def _aligned(self, inputs: list[Any]) -> list[Any]:
        return inputs

    def _merge(self, inputs: list[Any]) -> Any:
        return ops.concatenate(inputs, axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The sizes along the axis added up."""
        shapes = [tuple(one) for one in self._checked(input_shape)]
        rank = len(shapes[0])
        axis = normalized_axis(self.axis, rank, where(self))
        result = list(shapes[0])
        for shape in shapes[1:]:
            if len(shape) != rank or any(
                a is not None and b is not None and a != b
                for place, (a, b) in enumerate(zip(shape, result, strict=True))
                if place != axis
            ):
                raise ArgumentError(f"inputs with equal sizes in all axes but {self.axis}", f"{shapes}", where(self))
            for place in range(rank):
                if place == axis:
                    known = result[place] is not None and shape[place] is not None
                    result[place] = result[place] + shape[place] if known else None  # type: ignore[operator]
                elif result[place] is None:
                    result[place] = shape[place]
        return tuple(result)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The masks joined; inputs without one are kept whole."""
        if previous_mask is None or all(one is None for one in previous_mask):
            return None
        axis = normalized_axis(self.axis, len(inputs[0].shape), where(self))
        masks = []
        for one, mask in zip(inputs, previous_mask, strict=True):
            if mask is None:
                masks.append(ops.ones(one.shape, dtype="bool"))
                continue
            for _ in range(len(one.shape) - len(mask.shape)):
                mask = ops.expand_dims(mask, -1)
            masks.append(ops.broadcast_to(mask, one.shape))
        joined = ops.concatenate(masks, axis=axis)
        rank = max(len(mask.shape) for mask in previous_mask if mask is not None)
        return ops.any(joined, axis=tuple(range(rank, len(joined.shape)))) if rank < len(joined.shape) else joined


@wire("keras.layers.Dot")
class Dot(Merge):
    """The dot product of two tensors along an axis of each, sample by sample.

    Args:
        axes: One axis for both tensors, or one for each.
        normalize: Whether both are brought to length 1 along the axis first, which gives the cosine.

    >>> import hornbeam as keras
    >>> keras.layers.Dot(axes=1)([keras.ops.ones((2, 3)), keras.ops.ones((2, 3))]).shape
    (2, 1)
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        parts = (axes, axes) if isinstance(axes, int) else tuple(axes)
        if (
            len(parts) != 2
            or not all(isinstance(one, int) and not isinstance(one, bool) for one in parts)
            or 0 in parts
        ):
            raise ArgumentError("an axis, or two, other than the batch", f"axes={axes}", where(self))
        self.axes = axes
        self.normalize = normalize

    def call(self, inputs: Any) -> Any:
        """The products."""
        first, second = self._pair(inputs)
        a, b = self._axes_of(first.shape, second.shape)
        if self.normalize:
            first, second = ops.normalize(first, axis=a), ops.normalize(second, axis=b)
        letters = "cdefghijklmnopqrstuvwxyz"
        left = ["a"] + ["b" if axis == a else letters[axis] for axis in range(1, len(first.shape))]
        right = ["a"] + ["b" if axis == b else letters[axis + 10] for axis in range(1, len(second.shape))]
        out = ["a"] + [one for one in left[1:] if one != "b"] + [one for one in right[1:] if one != "b"]
        result = ops.einsum(f"{''.join(left)},{''.join(right)}->{''.join(out)}", first, second)
        return ops.expand_dims(result, -1) if len(out) == 1 else result

    def _pair(self, inputs: Any) -> tuple[Any, Any]:
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            raise ArgumentError("a list of two tensors", f"{len(inputs)}", where(self))
        return inputs[0], inputs[1]

    def _axes_of(self, first: Any, second: Any) -> tuple[int, int]:
        a, b = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        a, b = normalized_axis(a, len(first), where(self)), normalized_axis(b, len(second), where(self))
        if first[a] is not None and second[b] is not None and first[a] != second[b]:
            raise ArgumentError(
                "equal sizes along the axes",
                f"shapes {tuple(first)} and {tuple(second)}, axes={self.axes}",
                where(self),
            )
        return a, b

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The axes of both that remain."""
        first, second = self._pair(input_shape)
        a, b = self._axes_of(first, second)
        rest = [size for axis, size in enumerate(first) if axis not in (0, a)]
        rest += [size for axis, size in enumerate(second) if axis not in (0, b)]
        return (first[0], *(rest or [1]))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None."""
        return


def _as_function(cls: type) -> Callable[..., Any]:
    """The function of a merging layer: makes the layer and calls it."""

    def merge(inputs: list[KerasTensor], *args: Any, **kwargs: Any) -> Any:
        return cls(*args, **kwargs)(inputs)

    merge.__name__ = merge.__qualname__ = scope.to_snake_case(cls.__name__)
    merge.__doc__ = f"Applies a `{cls.__name__}` layer to a list of tensors; see there for the arguments."
    return merge


add = _as_function(Add)
subtract = _as_function(Subtract)
multiply = _as_function(Multiply)
average = _as_function(Average)
maximum = _as_function(Maximum)
minimum = _as_function(Minimum)


def concatenate(inputs: list[Any], axis: int = -1, **kwargs: Any) -> Any:
    """Joins tensors along an axis; see `Concatenate`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: list[Any], axes: Any = -1, **kwargs: Any) -> Any:
    """The dot product of two tensors; see `Dot`."""
    return Dot(axes=axes, **kwargs)(inputs)
