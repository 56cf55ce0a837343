"""Class indices as vectors of zeros and ones."""

from __future__ import annotations

from typing import Any

from hornbeam.backend import active as backend
from hornbeam.dtypes import standardize_dtype
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, UnsupportedError
from hornbeam.ops.define import Tensor, TensorLike, as_tensor, normalized_axis, op, same_dtype
from hornbeam.ops.front import prepared, settled
from hornbeam.symbolic import KerasTensor

xp = backend.xp


def _check(num_classes: Any, sparse: bool, where: str) -> int:
    if num_classes is None:
        raise ArgumentError("`num_classes`, the length of the vectors", "None", where)
    if isinstance(num_classes, bool) or not hasattr(num_classes, "__index__"):
        raise ArgumentTypeError("an integer `num_classes`", repr(num_classes), where)
    if num_classes < 0:
        raise ArgumentError("`num_classes` to be 0 or more", str(num_classes), where)
    if sparse and "sparse" not in backend.features:
        got = f"the {backend.name} backend"
        raise UnsupportedError("a backend with sparse tensors", got, where, "Pass sparse=False.")
    return num_classes.__index__()


def _one_hot_shape(shape: Any, num_classes: int, axis: int, where: str) -> tuple[int | None, ...]:
    axis = normalized_axis(axis, len(shape) + 1, where)
    return (*shape[:axis], num_classes, *shape[axis:])


def _one_hot_rule(x: Any, num_classes: Any, axis: int = -1, dtype: Any = None, sparse: bool = False) -> KerasTensor:
    count = _check(num_classes, sparse, "one_hot")
    return KerasTensor(_one_hot_shape(x.shape, count, axis, "one_hot"), standardize_dtype(dtype))


def _prepare_one_hot(x: Any, num_classes: Any, axis: int = -1, dtype: Any = None, sparse: bool = False) -> tuple:
    x = as_tensor(x)
    count = _check(num_classes, sparse, "one_hot")
    return x, count, normalized_axis(axis, len(x.shape) + 1, "one_hot"), standardize_dtype(dtype), sparse


@prepared(_prepare_one_hot)
@settled(dtype=standardize_dtype)
@op("keras.src.ops.nn.OneHot", tensors=["x"], spec=_one_hot_rule)
def one_hot(x: TensorLike, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Tensor:
    """Class indices as vectors that are 1 at the index and 0 elsewhere.

    Args:
        x: Indices of any shape. One outside of `[0, num_classes)`, negative ones included, gives a vector of zeros.
        num_classes: The length of the vectors.
        axis: Where the new axis goes in the result.
        dtype: Dtype of the result; None means the default float type.
        sparse: Whether to give a sparse tensor, on backends that have them.

    Returns:
        A tensor of one rank more than `x`.

    Raises:
        ValueError: If `axis` or `num_classes` is out of range.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.one_hot([0, 2, -1], 3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    classes = xp.reshape(xp.arange(num_classes), [num_classes if i == axis else 1 for i in range(len(x.shape) + 1)])
    indices, classes = same_dtype(xp.expand_dims(x, axis), classes)
    return backend.cast(indices == classes, dtype)


def _class_count(num_classes: Any, kwargs: dict[str, Any]) -> Any:
    for name in kwargs:
        if name != "num_tokens":
            raise UnknownNameError("argument", name, ("num_classes", "axis", "dtype", "sparse"), "multi_hot")
    return kwargs.get("num_tokens", num_classes)


def _multi_hot_rule(
    inputs: Any, num_classes: Any = None, axis: int = -1, dtype: Any = None, sparse: bool = False, **kwargs: Any
) -> KerasTensor:
    count = _check(_class_count(num_classes, kwargs), sparse, "multi_hot")
    shape = list(_one_hot_shape(inputs.shape, count, axis, "multi_hot"))
    del shape[1 if len(inputs.shape) > 1 else 0]
    return KerasTensor(shape, standardize_dtype(dtype))


@settled(dtype=standardize_dtype)
@op("keras.src.ops.nn.MultiHot", tensors=["inputs"], spec=_multi_hot_rule)
def multi_hot(
    inputs: TensorLike, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False,
    **kwargs: Any,
) -> Tensor:
    """Sets of class indices as vectors that are 1 at each of the indices and 0 elsewhere.

    Args:
        inputs: Indices `[n]` or `[batch, n, ...]`; those outside of `[0, num_classes)` count for nothing.
        num_classes: The length of the vectors.
        axis: Where the axis of classes goes, counted before the axis of n is removed.
        dtype: Dtype of the result; None means the default float type.
        sparse: Whether to give a sparse tensor, on backends that have them.
        **kwargs: Only `num_tokens`, an older name of `num_classes`.

    Returns:
        A tensor of the rank of `inputs`.

    Raises:
        ValueError: If `num_classes` is missing, or `axis` is out of range.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.multi_hot([[0, 2], [1, 1]], 3)).tolist()
    [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    inputs = as_tensor(inputs)
    num_classes = _class_count(num_classes, kwargs)
    vectors = one_hot.definition.body(inputs, num_classes, axis, dtype, sparse)
    reduced_axis = 1 if len(inputs.shape) > 1 else 0
    if vectors.shape[reduced_axis] == 0:
        return backend.cast(xp.sum(vectors, axis=reduced_axis), standardize_dtype(dtype))
    return xp.max(vectors, axis=reduced_axis)
