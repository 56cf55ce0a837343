"""Products of vectors, matrices and tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.dtypes import promote
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.ops.define import (
    Tensor,
    TensorLike,
    as_float,
    as_tensor,
    broadcast_shapes,
    op,
    same_dtype,
)
from hornbeam.ops.rules import cast_to, half_as_single, kind, no_bools, numbers, product, shape_of
from hornbeam.symbolic import KerasTensor

xp = backend.xp


def _matmul_dtype(*operands: Any) -> str:
    # as Keras: int8 are multiplied with a 32-bit accumulator, which is what comes out
    kinds = {kind(one) for one in operands}
    return "int32" if kinds == {"int8"} else promote(*kinds)


def _matmul_rule(x1: Any, x2: Any) -> KerasTensor:
    a, b = shape_of(x1), shape_of(x2)
    if not a or not b:
        raise ArgumentError("tensors of one axis or more", f"shapes {a} and {b}", "matmul", "Use `multiply`.")
    rows, columns = a[:-2] + a[-1:] if len(a) == 1 else a, b
    rows = (1, *a) if len(a) == 1 else a
    columns = (*b, 1) if len(b) == 1 else b
    if None not in (rows[-1], columns[-2]) and rows[-1] != columns[-2]:
        raise _misfit("matmul", a, b)
    shape = list(broadcast_shapes(rows[:-2], columns[:-2]))
    if len(a) > 1:
        shape.append(rows[-2])
    if len(b) > 1:
        shape.append(columns[-1])
    return KerasTensor(shape, _matmul_dtype(x1, x2))


def _misfit(name: str, a: Any, b: Any) -> ArgumentError:
    return ArgumentError(
        "a last axis of the first tensor as long as the last but one of the second",
        f"shapes {tuple(a)} and {tuple(b)}", name,
    )


def _check_matrices(name: str, x1: Any, x2: Any) -> None:
    a, b = backend.shape(x1), backend.shape(x2)
    if a and b and a[-1] != b[-2 if len(b) > 1 else 0]:
        raise _misfit(name, a, b)


@op("keras.src.ops.numpy.Matmul", spec=_matmul_rule)
def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Matrix product.

    Args:
        x1: A tensor [..., n, k], or a vector [k].
        x2: A tensor [..., k, m], or a vector [k]; the axes before the last two broadcast.

    Returns:
        A tensor [..., n, m] in the common dtype (int32 for two int8).

    Raises:
        ValueError: If the shapes do not fit, or for numbers.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.matmul([[1, 2]], [[3], [4]])).tolist()
    [[11]]
    """
    if getattr(x1, "dtype", None) == getattr(x2, "dtype", None) == np.float32 and x1.ndim > 1 < x2.ndim:
        # the one case that counts, without asking twice
        if x1.shape[-1] != x2.shape[-2]:
            raise _misfit("matmul", x1.shape, x2.shape)
        return xp.matmul(x1, x2)
    x1, x2 = as_tensor(x1), as_tensor(x2)
    dtype = _matmul_dtype(x1, x2)
    x1, x2 = (cast_to(x1, dtype), cast_to(x2, dtype)) if dtype == "int32" else same_dtype(x1, x2)
    if not backend.shape(x1) or not backend.shape(x2):
        raise ArgumentError(
            "tensors of one axis or more", f"shapes {backend.shape(x1)} and {backend.shape(x2)}", "matmul",
            "Use `multiply`.",
        )
    _check_matrices("matmul", x1, x2)
    return cast_to(xp.matmul(*half_as_single(x1, x2)), dtype)


def _dot_rule(x1: Any, x2: Any) -> KerasTensor:
    a, b = shape_of(x1), shape_of(x2)
    dtype = promote(kind(x1), kind(x2))
    if not a or not b:
        return KerasTensor(a or b, dtype)
    inner = b[-2 if len(b) > 1 else 0]
    if None not in (a[-1], inner) and a[-1] != inner:
        raise _misfit("dot", a, b)
    return KerasTensor([*a[:-1], *b[:-2], *(b[-1:] if len(b) > 1 else ())], dtype)


@op("keras.src.ops.numpy.Dot", spec=_dot_rule)
def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Product of vectors, matrices or numbers: sums over the last axis of the first and the last but one of the second.

    Args:
        x1: First tensor.
        x2: Second tensor; dtypes are promoted.

    Returns:
        For [..., k] and [*batch, k, m], a tensor [..., *batch, m].

    Raises:
        ValueError: If the shapes do not fit.

    >>> import hornbeam as keras
    >>> int(keras.ops.dot([1, 2], [3, 4]))
    11
    """
    x1, x2 = same_dtype(x1, x2)
    _check_matrices("dot", x1, x2)
    return cast_to(xp.dot(*half_as_single(x1, x2)), backend.dtype(x1))


def _contracted(axes: Any, a: Any, b: Any) -> tuple[list[int], list[int]]:
    """The axes of two tensors that `tensordot` sums over, counted from the front."""
    if isinstance(axes, int):
        return list(range(len(a) - axes, len(a))), list(range(axes))
    first, second = ([one] if isinstance(one, int) else list(one) for one in axes)
    return [one % len(a) for one in first], [one % len(b) for one in second]


def _tensordot_rule(x1: Any, x2: Any, axes: Any = 2) -> KerasTensor:
    a, b = shape_of(x1), shape_of(x2)
    first, second = _contracted(axes, a, b)
    for i, j in zip(first, second, strict=False):
        if None not in (a[i], b[j]) and a[i] != b[j]:
            raise ArgumentError("axes of equal sizes to sum over", f"shapes {a} and {b}, axes={axes}", "tensordot")
    return KerasTensor(
        [one for i, one in enumerate(a) if i not in first] + [one for i, one in enumerate(b) if i not in second],
        promote(kind(x1), kind(x2)),
    )


@op("keras.src.ops.numpy.Tensordot", spec=_tensordot_rule)
def tensordot(x1: TensorLike, x2: TensorLike, axes: Any = 2) -> Tensor:
    """Sum of products over chosen axes of two tensors.

    Args:
        x1: First tensor.
        x2: Second tensor; dtypes are promoted.
        axes: How many of the last axes of the first meet the first axes of the second; or two lists of axes.

    Returns:
        A tensor with the remaining axes of both.

    >>> import hornbeam as keras
    >>> keras.ops.tensordot(keras.ops.ones((2, 3)), keras.ops.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    x1, x2 = same_dtype(x1, x2)
    return cast_to(xp.tensordot(*half_as_single(x1, x2), axes=axes), backend.dtype(x1))


@op("keras.src.ops.numpy.Einsum", tensors=["operands"])
def _einsum(*operands: TensorLike, subscripts: str, **kwargs: Any) -> Tensor:
    ready = [as_tensor(one) for one in operands]
    dtype = _matmul_dtype(*ready)
    ready = [cast_to(one, dtype) for one in ready] if dtype == "int32" else same_dtype(*ready)
    return cast_to(xp.einsum(subscripts, *half_as_single(*ready), **kwargs), dtype)


def einsum(subscripts: str, *operands: TensorLike, **kwargs: Any) -> Tensor:
    """Sums of products, said in Einstein's notation.

    Args:
        subscripts: Letters for the axes of each operand, and those of the result, as in ``"ij,jk->ik"``.
        *operands: Tensors; dtypes are promoted (int8 are added up in int32).
        **kwargs: Passed on to the backend's `einsum`, such as `optimize`.

    Returns:
        A tensor with the axes that the result names.

    Raises:
        TypeError: If `subscripts` is no string.

    >>> import hornbeam as keras
    >>> keras.ops.einsum("ij,jk->ik", keras.ops.ones((2, 3)), keras.ops.ones((3, 4))).shape
    (2, 4)
    """
    if not isinstance(subscripts, str):
        raise ArgumentTypeError("subscripts such as 'ij,jk->ik'", repr(type(subscripts)), "einsum")
    return _einsum(*operands, subscripts=subscripts, **kwargs)


einsum.definition = _einsum.definition


def _inner_rule(x1: Any, x2: Any) -> KerasTensor:
    a, b = shape_of(x1), shape_of(x2)
    dtype = promote(kind(x1), kind(x2))
    if not a or not b:
        return KerasTensor(a or b, dtype)
    if None not in (a[-1], b[-1]) and a[-1] != b[-1]:
        raise ArgumentError("last axes of one size", f"shapes {a} and {b}", "inner")
    return KerasTensor(a[:-1] + b[:-1], dtype)


@op("keras.src.ops.numpy.Inner", spec=_inner_rule)
def inner(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Sum of products over the last axes of two tensors.

    >>> import hornbeam as keras
    >>> int(keras.ops.inner([1, 2], [3, 4]))
    11
    """
    x1, x2 = same_dtype(x1, x2)
    return cast_to(xp.inner(*half_as_single(x1, x2)), backend.dtype(x1))


def _outer_rule(x1: Any, x2: Any) -> KerasTensor:
    return KerasTensor((product(shape_of(x1)), product(shape_of(x2))), promote(kind(x1), kind(x2)))


@op("keras.src.ops.numpy.Outer", spec=_outer_rule)
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Products of all pairs of elements of two tensors, which are flattened.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.outer([1, 2], [3, 4])).tolist()
    [[3, 4], [6, 8]]
    """
    x1, x2 = same_dtype(x1, x2)
    return xp.outer(x1, x2)


def _vdot_rule(x1: Any, x2: Any) -> KerasTensor:
    sizes = product(shape_of(x1)), product(shape_of(x2))
    if None not in sizes and sizes[0] != sizes[1]:
        raise ArgumentError("tensors of one size", f"shapes {shape_of(x1)} and {shape_of(x2)}", "vdot")
    return KerasTensor((), promote(kind(x1), kind(x2)))


@op("keras.src.ops.numpy.Vdot", spec=_vdot_rule)
def vdot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Product of two tensors as flat vectors; the first is conjugated if complex.

    >>> import hornbeam as keras
    >>> int(keras.ops.vdot([[1, 2]], [[3], [4]]))
    11
    """
    x1, x2 = same_dtype(x1, x2)
    return cast_to(as_tensor(xp.vdot(*half_as_single(x1, x2))), backend.dtype(x1))


def _kron_rule(x1: Any, x2: Any) -> KerasTensor:
    a, b = shape_of(x1), shape_of(x2)
    rank = max(len(a), len(b))
    a, b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    dtype = promote(kind(x1), kind(x2))
    return KerasTensor(
        [None if None in pair else math.prod(pair) for pair in zip(a, b, strict=True)],  # type: ignore[arg-type]
        "int32" if dtype == "bool" else dtype,
    )


@op("keras.src.ops.numpy.Kron", spec=_kron_rule)
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Kronecker product: the second tensor, scaled by each element of the first, in blocks.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.kron([1, 10], [1, 2])).tolist()
    [1, 2, 10, 20]
    """
    return xp.kron(*numbers(x1, x2))


@op("keras.src.ops.numpy.Cross")
def cross(
    x1: TensorLike, x2: TensorLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    """Cross product of vectors of two or three components.

    Args:
        x1: First vectors.
        x2: Second vectors; the other axes broadcast, dtypes are promoted.
        axisa: The axis of `x1` that holds the components.
        axisb: The axis of `x2` that holds them.
        axisc: The axis of the result that holds them; two vectors of two components have none.
        axis: One axis for all three.

    Returns:
        A tensor of vectors at right angles to both.

    Raises:
        TypeError: For bools.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.cross([1, 0, 0], [0, 1, 0])).tolist()
    [0, 0, 1]
    """
    x1, x2 = no_bools("cross", *same_dtype(x1, x2))
    return xp.cross(x1, x2, axisa=axisa, axisb=axisb, axisc=axisc, axis=axis)


@op("keras.src.ops.numpy.Slogdet")
def slogdet(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Sign and logarithm of the absolute value of the determinant, where the determinant itself would overflow.

    Args:
        x: Square matrices [..., n, n]; integers become the default float type.

    Returns:
        The signs and the logarithms, [...].

    >>> import hornbeam as keras
    >>> [float(one) for one in keras.ops.slogdet([[1.0, 0.0], [0.0, 1.0]])]
    [1.0, 0.0]
    """
    x = as_float(x)
    dtype = backend.dtype(x)
    wide = backend.cast(x, "float32") if dtype in ("float16", "bfloat16") else x
    sign, logarithm = xp.linalg.slogdet(wide)
    return (cast_to(sign, dtype), cast_to(logarithm, dtype)) if dtype in ("float16", "bfloat16") else (sign, logarithm)
