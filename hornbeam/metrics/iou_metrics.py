"""Intersection over union: how well areas of classes overlap, mostly for segmentation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hornbeam import ops
from hornbeam._config import epsilon, floatx
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.losses.shapes import of_one_rank
from hornbeam.metrics.alignment import as_tensor, fitting_weight
from hornbeam.metrics.metric import Metric

xp = backend.xp


class _Confusion(Metric):
    """A confusion matrix of classes, gathered over batches."""

    def __init__(
        self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
        sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1,
    ) -> None:
        # counts are whole numbers, unless weights are asked for by a float dtype
        super().__init__(name=name, dtype="int32" if dtype is None else dtype)
        if isinstance(num_classes, bool) or not hasattr(num_classes, "__index__") or num_classes < 1:
            raise ArgumentError("a positive integer num_classes", repr(num_classes), self._where())
        self.num_classes = int(num_classes)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_confusion_matrix = self.add_variable(
            (self.num_classes, self.num_classes), "zeros", name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: Class numbers of any shape, or one-hot along `axis`.
            y_pred: Class numbers of the same shape, or scores along `axis`.
            sample_weight: Weights that broadcast to the class numbers from the first axis on.
        """
        y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
        if not self.sparse_y_true:
            y_true = ops.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = ops.argmax(y_pred, axis=self.axis)
        self._count(backend.cast(y_true, "int32"), backend.cast(y_pred, "int32"), sample_weight)

    def _count(self, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        y_true, y_pred = of_one_rank(y_true, y_pred)
        if math.prod(y_true.shape) != math.prod(y_pred.shape):
            raise ArgumentError(
                "as many targets as predictions", f"y_true.shape={tuple(y_true.shape)}, "
                f"y_pred.shape={tuple(y_pred.shape)}", self._where(),
            )
        classes, shape = self.num_classes, tuple(y_true.shape)
        y_true, y_pred = xp.reshape(y_true, (-1,)), xp.reshape(y_pred, (-1,))
        # what is no class counts nowhere
        counted = (y_true >= 0) & (y_true < classes) & (y_pred >= 0) & (y_pred < classes)
        if self.ignore_class is not None:
            counted = counted & (y_true != self.ignore_class)
        weight = backend.cast(counted, self.dtype)
        if sample_weight is not None:
            given = fitting_weight(as_tensor(sample_weight, self.dtype), shape, self._where())
            weight = weight * xp.reshape(xp.broadcast_to(given, shape), (-1,))
        place = xp.where(counted, y_true * classes + y_pred, xp.zeros_like(y_true))
        found = ops.scatter(xp.reshape(place, (-1, 1)), weight, (classes * classes,))
        self.total_confusion_matrix.assign_add(xp.reshape(found, (classes, classes)))


@wire("keras.metrics.IoU")
class IoU(_Confusion):
    """The mean intersection over union of some classes.

    Of a class, it is the number of places where targets and predictions agree on it, over the number of places
    where one of them has it.

    Args:
        num_classes: The number of classes.
        target_class_ids: The classes whose mean is the result.
        name: A name; None counts up from "io_u".
        dtype: The dtype name of the counts; None is int32, so give a float type for weights that are no whole numbers.
        ignore_class: A class number in the targets that does not count, such as 255 or -1.
        sparse_y_true: Whether targets are class numbers, and not one-hot.
        sparse_y_pred: Whether predictions are class numbers, and not scores.
        axis: The axis of the classes of one-hot targets and scores.

    Raises:
        ValueError: For target classes outside [0, num_classes).

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.IoU(2, [0])([0, 0, 1, 1], [0, 1, 0, 1])), 4)
    0.3333
    """

    def __init__(
        self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: Any = None,
        ignore_class: int | None = None, sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        self.target_class_ids = list(target_class_ids)
        for one in self.target_class_ids:
            if not 0 <= one < self.num_classes:
                raise ArgumentError(f"target_class_ids in [0, {self.num_classes})", repr(one), self._where())

    def result(self) -> Any:
        """The mean over the target classes that occur; 0 if none does."""
        matrix = backend.cast(self.total_confusion_matrix.value, floatx())
        both = xp.diagonal(matrix)
        either = xp.sum(matrix, axis=0) + xp.sum(matrix, axis=1) - both
        chosen = as_tensor([one in self.target_class_ids for one in range(self.num_classes)], floatx())
        occurs = backend.cast(either > 0, floatx()) * chosen
        number = xp.sum(occurs)
        total = xp.sum(both / (either + epsilon()) * occurs)
        return xp.where(number > 0, total / xp.maximum(number, xp.ones_like(number)), xp.zeros_like(total))


@wire("keras.metrics.BinaryIoU")
class BinaryIoU(IoU):
    """The mean intersection over union of the classes 0 and 1, from predictions above and below a threshold.

    Args:
        target_class_ids: The classes whose mean is the result: 0, 1 or both.
        threshold: Predictions from it on mean 1.
        name: A name; None counts up from "binary_io_u".
        dtype: The dtype name of the counts; None is int32.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
    0.3333
    """

    def __init__(
        self, target_class_ids: Sequence[int] = (0, 1), threshold: float = 0.5, name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: Targets, 0 or 1.
            y_pred: Predictions of the same shape.
            sample_weight: Weights that broadcast to the targets from the first axis on.
        """
        decided = backend.cast(as_tensor(y_pred) >= self.threshold, "int32")
        self._count(backend.cast(as_tensor(y_true), "int32"), decided, sample_weight)


@wire("keras.metrics.MeanIoU")
class MeanIoU(IoU):
    """The mean intersection over union of all classes.

    Args:
        num_classes: The number of classes.
        name: A name; None counts up from "mean_io_u".
        dtype: The dtype name of the counts; None is int32.
        ignore_class: A class number in the targets that does not count.
        sparse_y_true: Whether targets are class numbers, and not one-hot.
        sparse_y_pred: Whether predictions are class numbers, and not scores.
        axis: The axis of the classes of one-hot targets and scores.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.MeanIoU(2)([0, 0, 1, 1], [0, 1, 0, 1])), 4)
    0.3333
    """

    def __init__(
        self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
        sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, list(range(num_classes)), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )


@wire("keras.metrics.OneHotIoU")
class OneHotIoU(IoU):
    """The mean intersection over union of some classes, from one-hot targets.

    Args:
        num_classes: The number of classes.
        target_class_ids: The classes whose mean is the result.
        name: A name; None counts up from "one_hot_io_u".
        dtype: The dtype name of the counts; None is int32.
        ignore_class: A class number in the targets that does not count.
        sparse_y_pred: Whether predictions are class numbers, and not scores.
        axis: The axis of the classes.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.OneHotIoU(2, [0])([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])), 4)
    0.5
    """

    def __init__(
        self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: Any = None,
        ignore_class: int | None = None, sparse_y_pred: bool = False, axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


@wire("keras.metrics.OneHotMeanIoU")
class OneHotMeanIoU(MeanIoU):
    """The mean intersection over union of all classes, from one-hot targets.

    Args:
        num_classes: The number of classes.
        name: A name; None counts up from "one_hot_mean_io_u".
        dtype: The dtype name of the counts; None is int32.
        ignore_class: A class number in the targets that does not count.
        sparse_y_pred: Whether predictions are class numbers, and not scores.
        axis: The axis of the classes.

    >>> import hornbeam as keras
    >>> round(float(keras.metrics.OneHotMeanIoU(2)([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])), 4)
    0.25
    """

    def __init__(
        self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
        sparse_y_pred: bool = False, axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
