"""How often predictions are right: plain, binary, categorical and among the best k."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam._config import floatx
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.losses.shapes import check_broadcast, check_equal, of_one_rank
from hornbeam.metrics.alignment import as_tensor
from hornbeam.metrics.reduction_metrics import MeanMetricWrapper


def _accuracy(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = of_one_rank(as_tensor(y_true), as_tensor(y_pred))
    check_broadcast(y_true, y_pred, "accuracy")
    return ops.cast(ops.equal(y_true, y_pred), floatx())


@wire("keras.metrics.binary_accuracy")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Whether each prediction lies on the side of the threshold on which the target is.

    Args:
        y_true: Targets, 0 or 1.
        y_pred: Predictions of the same shape, such as probabilities.
        threshold: A prediction above it means 1.

    Returns:
        1.0 where right, 0.0 where wrong, in the shape of `y_pred`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.metrics.binary_accuracy([[1], [1]], [[0.9], [0.4]])).tolist()
    [[1.0], [0.0]]
    """
    y_true, y_pred = of_one_rank(as_tensor(y_true), as_tensor(y_pred))
    check_broadcast(y_true, y_pred, "binary_accuracy")
    decided = ops.cast(ops.greater(y_pred, threshold), floatx())
    return ops.cast(ops.equal(ops.cast(y_true, floatx()), decided), floatx())


@wire("keras.metrics.categorical_accuracy")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the largest prediction is that of the right class.

    Args:
        y_true: One-hot targets [..., classes].
        y_pred: Scores or probabilities [..., classes].

    Returns:
        1.0 where right, 0.0 where wrong, [...].

    >>> import hornbeam as keras
    >>> hits = keras.metrics.categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]])
    >>> keras.ops.convert_to_numpy(hits).tolist()
    [1.0, 0.0]
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    check_equal(y_true, y_pred, "categorical_accuracy")
    return ops.cast(ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)), floatx())


@wire("keras.metrics.sparse_categorical_accuracy")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the largest prediction is that of the right class.

    Args:
        y_true: Class numbers [...] or [..., 1].
        y_pred: Scores or probabilities [..., classes].

    Returns:
        1.0 where right, 0.0 where wrong, [...].

    >>> import hornbeam as keras
    >>> hits = keras.metrics.sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.3, 0.7]])
    >>> keras.ops.convert_to_numpy(hits).tolist()
    [1.0, 0.0]
    """
    y_true, y_pred = _class_numbers(y_true, y_pred, "sparse_categorical_accuracy")
    # compared as numbers of the targets' own type: a NaN or 1.5 is no class
    return ops.cast(ops.equal(y_true, _best(y_pred, _dtype(y_true))), floatx())


@wire("keras.metrics.top_k_categorical_accuracy")
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Whether the right class is among the `k` largest predictions.

    Args:
        y_true: One-hot targets [..., classes].
        y_pred: Scores or probabilities [..., classes].
        k: How many predictions count.

    Returns:
        1.0 where it is, 0.0 where not, [...].

    >>> import hornbeam as keras
    >>> hits = keras.metrics.top_k_categorical_accuracy([[0, 0, 1]], [[0.5, 0.2, 0.3]], k=2)
    >>> keras.ops.convert_to_numpy(hits).tolist()
    [1.0]
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    check_equal(y_true, y_pred, "top_k_categorical_accuracy")
    return _among_best(ops.argmax(y_true, axis=-1), y_pred, k, "top_k_categorical_accuracy")


@wire("keras.metrics.sparse_top_k_categorical_accuracy")
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """Whether the right class is among the `k` largest predictions.

    Args:
        y_true: Class numbers [...] or [..., 1].
        y_pred: Scores or probabilities [..., classes]; or with `from_sorted_ids` class numbers, best first.
        k: How many predictions count.
        from_sorted_ids: Whether `y_pred` holds class numbers.

    Returns:
        1.0 where it is, 0.0 where not, in the shape of `y_true`.

    >>> import hornbeam as keras
    >>> hits = keras.metrics.sparse_top_k_categorical_accuracy([2, 1], [[0.5, 0.2, 0.3], [0.5, 0.2, 0.3]], k=2)
    >>> keras.ops.convert_to_numpy(hits).tolist()
    [1.0, 0.0]
    """
    where = "sparse_top_k_categorical_accuracy"
    shape = tuple(as_tensor(y_true).shape)
    y_true, y_pred = _class_numbers(y_true, y_pred, where)
    if from_sorted_ids:
        best = y_pred[..., : _checked_k(k, where)]
        same = ops.equal(ops.expand_dims(ops.cast(y_true, _dtype(best)), -1), best)
        hits = ops.cast(ops.any(same, axis=-1), floatx())
    else:
        hits = _among_best(y_true, y_pred, k, where)
    return ops.reshape(hits, shape)


def _dtype(tensor: Any) -> str:
    return ops.dtype(tensor)


def _best(y_pred: Any, dtype: str) -> Any:
    """The number of the largest prediction, in the dtype of the targets; not by way of int32 where it need not be."""
    plain = backend.is_array(y_pred) and 0 not in y_pred.shape
    best = backend.xp.argmax(y_pred, axis=-1) if plain else ops.argmax(y_pred, axis=-1)
    return best if _dtype(best) == dtype else ops.cast(best, dtype)


def _class_numbers(y_true: Any, y_pred: Any, where: str) -> tuple[Any, Any]:
    """Class numbers without a last axis of size 1, and the predictions they belong to, checked."""
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    given, scores = tuple(y_true.shape), tuple(y_pred.shape)
    if given and len(given) == len(y_pred.shape) and given[-1] == 1:
        y_true = y_true[..., 0]
    if not y_pred.shape or tuple(y_true.shape) != tuple(y_pred.shape[:-1]):
        raise ArgumentError(
            "class numbers y_true [...] and predictions y_pred [..., classes]",
            f"y_true.shape={given}, y_pred.shape={scores}", where,
            "For one-hot targets use the metric of the same name without 'sparse'." if given == scores else "",
        )
    return y_true, y_pred


def _checked_k(k: Any, where: str) -> int:
    if isinstance(k, bool) or not hasattr(k, "__index__") or k.__index__() < 1:
        raise ArgumentError("a positive integer k", repr(k), where)
    return k.__index__()


def _among_best(labels: Any, scores: Any, k: int, where: str) -> Any:
    classes = scores.shape[-1]
    k = min(_checked_k(k, where), classes)
    hits = ops.in_top_k(ops.cast(ops.reshape(labels, (-1,)), "int32"), ops.reshape(scores, (-1, classes)), k)
    return ops.reshape(ops.cast(hits, floatx()), tuple(labels.shape))


@wire("keras.metrics.Accuracy")
class Accuracy(MeanMetricWrapper):
    """How often predictions equal the targets.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.Accuracy()([1, 2, 3, 4], [1, 2, 3, 0]))
    0.75
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(_accuracy, name, dtype)


@wire("keras.metrics.BinaryAccuracy")
class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions lie on the right side of a threshold.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.
        threshold: A prediction above it means 1.

    >>> import hornbeam as keras
    >>> float(keras.metrics.BinaryAccuracy()([1, 1, 0, 0], [0.9, 0.4, 0.3, 0.1]))
    0.75
    """

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        if threshold is None or isinstance(threshold, str):
            raise ArgumentError("a number as threshold", repr(threshold), type(self).__name__)
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


@wire("keras.metrics.CategoricalAccuracy")
class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is that of the right class; targets are one-hot.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]]))
    0.5
    """

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


@wire("keras.metrics.SparseCategoricalAccuracy")
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is that of the right class; targets are class numbers.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.3, 0.7]]))
    0.5
    """

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


@wire("keras.metrics.TopKCategoricalAccuracy")
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the right class is among the `k` largest predictions; targets are one-hot.

    Args:
        k: How many predictions count.
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> float(keras.metrics.TopKCategoricalAccuracy(k=2)([[0, 0, 1]], [[0.5, 0.2, 0.3]]))
    1.0
    """

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        self.k = _checked_k(k, type(self).__name__)
        super().__init__(top_k_categorical_accuracy, name, dtype, k=self.k)


@wire("keras.metrics.SparseTopKCategoricalAccuracy")
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the right class is among the `k` largest predictions; targets are class numbers.

    Args:
        k: How many predictions count.
        name: The name.
        dtype: The dtype name; None takes the default float type.
        from_sorted_ids: Whether predictions are class numbers, best first, and not scores.

    >>> import hornbeam as keras
    >>> float(keras.metrics.SparseTopKCategoricalAccuracy(k=2)([2, 1], [[0.5, 0.2, 0.3], [0.5, 0.2, 0.3]]))
    0.5
    """

    def __init__(
        self, k: int = 5, name: str | None = "sparse_top_k_categorical_accuracy", dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        self.k = _checked_k(k, type(self).__name__)
        self.from_sorted_ids = bool(from_sorted_ids)
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=self.k, from_sorted_ids=self.from_sorted_ids)

    def get_config(self) -> dict[str, Any]:
        """Name, dtype and `k`; `from_sorted_ids` only where it is set, as files have it."""
        config = super().get_config()
        if not self.from_sorted_ids:
            del config["from_sorted_ids"]
        return config
