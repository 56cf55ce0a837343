"""Sums and means of values over batches, on which most metrics rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import scope
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentTypeError, describe
from hornbeam.metrics.alignment import as_tensor, as_tensors, fitting_weight
from hornbeam.metrics.metric import Metric
from hornbeam.saving.config import deserialize_value, serialize_value

xp = backend.xp


def per_sample(
    reduce: Callable, values: Any, weight: Any, mask: Any, dtype: str, where: Callable[[], str]
) -> tuple[Any, Any]:
    """Values [batch, ...] reduced to one for each sample, each multiplied by its weight.

    Args:
        reduce: `xp.mean` or `xp.sum`, over all axes but the first.
        values: Any values; a scalar is one sample.
        weight: Weights that broadcast to the values from the first axis on, or None.
        mask: Which values count, of such a shape too, or None. A mask on the values themselves, as of a class to
            be ignored, counts only beside weights or another mask, as in Keras.
        dtype: The dtype to compute in.
        where: Gives the place, for errors.

    Returns:
        Values [batch] or [], and weights reduced alike or None. One scalar weight weighs the batch as a whole.
    """
    own_mask = scope.get_mask(values)
    if own_mask is not None and (weight is not None or mask is not None):
        mask = own_mask if mask is None else xp.logical_and(own_mask, mask)
    values = as_tensor(values, dtype)
    if weight is not None:
        weight = as_tensor(weight, dtype)
    if mask is not None:
        mask = as_tensor(mask, dtype)
        if weight is not None and len(weight.shape):
            rank = max(len(mask.shape), len(values.shape))
            weight, mask = (
                xp.reshape(one, tuple(one.shape) + (1,) * (rank - len(one.shape))) for one in (weight, mask)
            )
        weight = mask if weight is None else weight * mask
    rank = len(values.shape)
    if weight is None:
        return (values if rank < 2 else reduce(values, axis=tuple(range(1, rank)))), None
    if not len(weight.shape):
        return reduce(values) * weight, weight
    weight_rank = len(weight.shape)
    if weight_rank == 1 and rank == 2 and values.shape[1] == 1:
        values, rank = values[:, 0], 1
    if rank > weight_rank:  # reduce first what the weights do not tell apart: less to multiply
        values, rank = reduce(values, axis=tuple(range(weight_rank, rank))), weight_rank
    weight = fitting_weight(weight, tuple(values.shape), where())
    values = values * weight
    weight = xp.broadcast_to(weight, values.shape)
    if rank < 2:
        return values, weight
    axes = tuple(range(1, rank))
    return reduce(values, axis=axes), reduce(weight, axis=axes)


@wire("keras.metrics.Sum")
class Sum(Metric):
    """The sum of all values, each times its weight.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.Sum()
    >>> metric.update_state([1.0, 3.0], sample_weight=[1.0, 2.0])
    >>> float(metric.result())
    7.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds values, of any shape.

        Args:
            values: The values.
            sample_weight: Weights that broadcast to them from the first axis on.
        """
        values, _ = per_sample(xp.sum, values, sample_weight, None, self.dtype, self._where)
        self.total.assign_add(xp.sum(values))

    def result(self) -> Any:
        """The sum so far."""
        return self.total.value


@wire("keras.metrics.Mean")
class Mean(Metric):
    """The mean of all values, weighted.

    Args:
        name: The name.
        dtype: The dtype name; None takes the default float type.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.Mean()
    >>> metric.update_state([1.0, 3.0], sample_weight=[1.0, 3.0])
    >>> float(metric.result())
    2.5
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes values in; the axes after the first are averaged for each sample.

        Args:
            values: The values, of any shape.
            sample_weight: Weights that broadcast to them from the first axis on. One scalar weighs the batch.
        """
        self._add(values, sample_weight, None)

    def _add(self, values: Any, sample_weight: Any, mask: Any) -> None:
        if type(sample_weight) is float and mask is None and backend.is_array(values) and not len(values.shape):
            # the loss of a batch: plain numbers all the way, in every step
            self.total.assign_add(as_tensor(values, self.dtype) * sample_weight)
            self.count.assign_add(sample_weight)
            return
        values, weight = per_sample(xp.mean, values, sample_weight, mask, self.dtype, self._where)
        self.total.assign_add(xp.sum(values) if len(values.shape) else values)
        if weight is not None:
            self.count.assign_add(xp.sum(weight) if len(weight.shape) else weight)
        else:
            self.count.assign_add(float(values.shape[0]) if len(values.shape) else 1.0)

    def result(self) -> Any:
        """The mean so far; 0 if there is nothing."""
        return divide_or_zero(self.total.value, self.count.value)


@wire("keras.metrics.MeanMetricWrapper")
class MeanMetricWrapper(Mean):
    """The mean of what a function of targets and predictions gives.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)` that gives a value for each sample, or more.
        name: A name; None counts up from "mean_metric_wrapper".
        dtype: The dtype name; None takes the default float type.
        **kwargs: Further arguments of `fn`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.MeanMetricWrapper(lambda y_true, y_pred: abs(y_true - y_pred), name="distance")
    >>> float(metric([1.0, 2.0], [1.0, 4.0]))
    1.0
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        if not callable(fn):
            raise ArgumentTypeError("a function (y_true, y_pred)", describe(fn), self._where())
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: Targets.
            y_pred: Predictions; what their mask leaves out does not count.
            sample_weight: Weights that broadcast to the values from the first axis on.
        """
        mask = scope.get_mask(y_pred)
        self._add(self._fn(as_tensors(y_true), as_tensors(y_pred), **self._fn_kwargs), sample_weight, mask)

    def get_config(self) -> dict[str, Any]:
        """Name, dtype and the arguments; the function too, unless the class says which it is."""
        config: dict[str, Any] = {"name": self.name, "dtype": self.dtype}
        if type(self) is MeanMetricWrapper:
            config["fn"] = serialize_value(self._fn)
            return config | serialize_value(self._fn_kwargs)
        return super().get_config()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A metric made from what `get_config` gave."""
        if isinstance(config.get("fn"), str):  # older programs
            config = {**config, "fn": deserialize_value({"class_name": "function", "config": config["fn"]})}
        return super().from_config(config)


def divide_or_zero(numerator: Any, denominator: Any) -> Any:
    """`numerator / denominator`, and 0 where the denominator is 0."""
    nothing = denominator == 0
    one, zero = (1.0, 0.0) if backend.weak_numbers else (xp.ones_like(denominator), xp.zeros_like(denominator))
    return xp.where(nothing, zero, numerator / xp.where(nothing, one, denominator))
