"""Cross-entropies of predicted distributions, from probabilities or from logits, without averaging."""

from __future__ import annotations

from typing import Any

from hornbeam import _config
from hornbeam.backend import active as backend
from hornbeam.dtypes import kind_of, promote
from hornbeam.errors import ArgumentError
from hornbeam.ops.activation import log_softmax
from hornbeam.ops.define import Tensor, TensorLike, as_tensor, float_dtype, normalized_axis, op
from hornbeam.ops.front import prepared
from hornbeam.symbolic import KerasTensor

xp = backend.xp

_HALF = ("float16", "bfloat16")


def _like(first: Any, second: Any) -> bool:
    return len(first) == len(second) and all(
        a == b or a is None or b is None for a, b in zip(first, second, strict=True)
    )


def _check_same(target: Any, output: Any, where: str) -> None:
    if not _like(target, output):
        raise ArgumentError(
            "`target` and `output` of the same shape",
            f"target.shape={tuple(target)} and output.shape={tuple(output)}", where,
        )


def _working(output: Any) -> tuple[Any, str]:
    """`output` as a float tensor of at least single precision, and the float dtype of the result.

    In half precision 1 - epsilon is 1, and its logarithm as a complement would be infinite.
    """
    output = as_tensor(output)
    dtype = float_dtype(output)
    work = "float32" if dtype in _HALF else dtype
    return (output if backend.dtype(output) == work else backend.cast(output, work)), dtype


def _as_dtype_of(x: Any, other: Any) -> Any:
    return x if x.dtype == other.dtype else backend.cast(x, backend.dtype(other))


def _narrowed(x: Any, dtype: str) -> Any:
    return x if backend.dtype(x) == dtype else backend.cast(x, dtype)


def _log_sigmoid(x: Any) -> Any:
    return -xp.logaddexp(-x, xp.zeros_like(x))


def _log_probabilities(output: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return log_softmax.definition.body(output, axis)
    epsilon = _config.epsilon()
    output = output / xp.sum(output, axis=axis, keepdims=True)
    return xp.log(xp.clip(output, epsilon, 1 - epsilon))


# --- two classes -------------------------------------------------------------------------------------------------


def _binary_rule(target: Any, output: Any, **_: Any) -> KerasTensor:
    target, output = _with_shape(target), _with_shape(output)
    _check_same(target.shape, output.shape, "binary_crossentropy")
    shape = [a if b is None else b for a, b in zip(target.shape, output.shape, strict=True)]
    return KerasTensor(shape, _result_dtype(target, float_dtype(output)))


def _with_shape(value: Any) -> Any:
    return value if hasattr(value, "shape") else backend.asarray(value)


def _is_float(value: Any) -> bool:
    return "float" in str(value.dtype)


def _result_dtype(target: Any, dtype: str) -> str:
    return promote(kind_of(target), dtype) if _is_float(target) else dtype


@op("keras.src.ops.nn.BinaryCrossentropy", spec=_binary_rule)
def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Tensor:
    """Cross-entropy of a probability with each label, `-t log(p) - (1 - t) log(1 - p)`.

    Args:
        target: Labels between 0 and 1.
        output: Probabilities of the same shape, or logits. Probabilities are first clipped to
            `[epsilon, 1 - epsilon]`, epsilon being the one of the settings.
        from_logits: Whether `output` holds logits.

    Returns:
        A float tensor of the same shape.

    Raises:
        ValueError: If the shapes differ.

    >>> import hornbeam as keras
    >>> loss = keras.ops.binary_crossentropy(keras.ops.array([1.0]), keras.ops.array([0.5]))
    >>> round(float(loss[0]), 4)
    0.6931
    """
    target = as_tensor(target)
    output, dtype = _working(output)
    _check_same(target.shape, output.shape, "binary_crossentropy")
    dtype = _result_dtype(target, dtype)
    target = _as_dtype_of(target, output)
    if from_logits:
        loss = -(target * _log_sigmoid(output) + (1 - target) * _log_sigmoid(-output))
    else:
        epsilon = _config.epsilon()
        output = xp.clip(output, epsilon, 1 - epsilon)
        loss = -(target * xp.log(output) + (1 - target) * xp.log(1 - output))
    return _narrowed(loss, dtype)


# --- several classes ---------------------------------------------------------------------------------------------


def _without(shape: Any, axis: int) -> tuple[int | None, ...]:
    return tuple(size for i, size in enumerate(shape) if i != axis)


def _check_categorical(target: Any, output: Any, axis: int, where: str) -> int:
    if len(output) < 1:
        raise ArgumentError("`output` of rank 1 or more", f"shape={tuple(output)}", where)
    _check_same(target, output, where)
    return normalized_axis(axis, len(output), where)


def _categorical_rule(target: Any, output: Any, axis: int = -1, **_: Any) -> KerasTensor:
    target, output = _with_shape(target), _with_shape(output)
    axis = _check_categorical(target.shape, output.shape, axis, "categorical_crossentropy")
    shape = [a if b is None else b for a, b in zip(target.shape, output.shape, strict=True)]
    return KerasTensor(_without(shape, axis), _result_dtype(target, float_dtype(output)))


@op("keras.src.ops.nn.CategoricalCrossentropy", spec=_categorical_rule)
def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Cross-entropy of predicted distributions with given ones, `-sum(t log(p))` over the classes.

    Args:
        target: Probabilities of the classes, such as one-hot vectors.
        output: Predicted probabilities of the same shape, or logits. Probabilities are first divided by their
            sum and clipped to `[epsilon, 1 - epsilon]`, epsilon being the one of the settings.
        from_logits: Whether `output` holds logits.
        axis: The axis of the classes.

    Returns:
        A float tensor without that axis.

    Raises:
        ValueError: If the shapes differ or have no such axis.

    >>> import hornbeam as keras
    >>> y, p = keras.ops.array([[0.0, 1.0]]), keras.ops.array([[0.5, 0.5]])
    >>> round(float(keras.ops.categorical_crossentropy(y, p)[0]), 4)
    0.6931
    """
    target = as_tensor(target)
    output, dtype = _working(output)
    axis = _check_categorical(target.shape, output.shape, axis, "categorical_crossentropy")
    dtype = _result_dtype(target, dtype)
    target = _as_dtype_of(target, output)
    # a class of logit -inf that cannot occur costs nothing
    logs = xp.where(target == 0, 0, _log_probabilities(output, from_logits, axis))
    loss = -xp.sum(target * logs, axis=axis)
    return _narrowed(loss, dtype)


def _sparse_shapes(target: Any, output: Any, axis: int) -> tuple[int, bool]:
    where = "sparse_categorical_crossentropy"
    if len(output) < 1:
        raise ArgumentError("`output` of rank 1 or more", f"shape={tuple(output)}", where)
    axis = normalized_axis(axis, len(output), where)
    squeeze = len(target) == len(output) and target[axis] == 1
    labels = _without(target, axis) if squeeze else target
    if not _like(labels, _without(output, axis)):
        raise ArgumentError(
            f"`target` of the shape of `output` without axis {axis}",
            f"target.shape={tuple(target)} and output.shape={tuple(output)}", where,
            "One-hot labels go with categorical_crossentropy.",
        )
    return axis, squeeze


def _sparse_rule(target: Any, output: Any, axis: int = -1, **_: Any) -> KerasTensor:
    target, output = _with_shape(target), _with_shape(output)
    axis, squeeze = _sparse_shapes(target.shape, output.shape, axis)
    labels = _without(target.shape, axis) if squeeze else target.shape
    shape = [a if b is None else b for a, b in zip(labels, _without(output.shape, axis), strict=True)]
    return KerasTensor(shape, float_dtype(output))


def _prepare_sparse(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> tuple:
    """The class numbers without an axis for classes, and that axis counted from the front."""
    target, output = as_tensor(target), as_tensor(output)
    axis, squeeze = _sparse_shapes(target.shape, output.shape, axis)
    return (xp.squeeze(target, axis=axis) if squeeze else target), output, from_logits, axis


@prepared(_prepare_sparse)
@op("keras.src.ops.nn.SparseCategoricalCrossentropy", spec=_sparse_rule)
def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Cross-entropy of predicted distributions with classes given by index, `-log(p[t])`.

    Args:
        target: Class indices, of the shape of `output` without `axis` (or with size 1 there). An index outside
            of `[0, classes)`, negative ones included, names no class: its loss is 0.
        output: Predicted probabilities, or logits. Probabilities are first divided by their sum and clipped to
            `[epsilon, 1 - epsilon]`, epsilon being the one of the settings.
        from_logits: Whether `output` holds logits.
        axis: The axis of the classes.

    Returns:
        A tensor of the shape of the indices, of the float dtype of `output`.

    Raises:
        ValueError: If the shapes do not fit.

    >>> import hornbeam as keras
    >>> p = keras.ops.array([[0.25, 0.75]])
    >>> round(float(keras.ops.sparse_categorical_crossentropy([0], p)[0]), 4)
    1.3863
    """
    output, dtype = _working(output)
    target = xp.expand_dims(target, axis)
    if backend.dtype(target) != "int32":
        target = backend.cast(target, "int32")
    logs = _log_probabilities(output, from_logits, axis)
    count = output.shape[axis]
    classes = xp.reshape(xp.arange(count), [count if i == axis else 1 for i in range(len(output.shape))])
    # chosen by comparison: compilers fuse this, and its gradient, into the neighbouring sums
    return _narrowed(-xp.sum(xp.where(target == classes, logs, 0), axis=axis), dtype)
