"""`Loss`, the base of all losses, and `LossFunctionWrapper`, which makes a loss of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import _config, dtype_policies, dtypes, ops, scope, tree
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentTypeError, UnsupportedError
from hornbeam.losses.reduction import checked_reduction, reduce_weighted
from hornbeam.losses.shapes import as_dtype, of_one_rank
from hornbeam.ops.define import Tensor, TensorLike
from hornbeam.saving import deserialize_keras_object, serialize_keras_object

# the reductions that, taken on each replica, count by the part of the batch that it has
_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")


@wire("keras.Loss", "keras.losses.Loss")
class Loss:
    """A number that says how far predictions are from targets.

    A subclass writes `call(y_true, y_pred)`, which gives one loss per sample (or finer); weighting, masks and
    reduction to one number are done here.

    Args:
        name: A name; None is the class's name in snake case.
        reduction: "sum_over_batch_size" or "mean": the mean over all losses; "sum"; "mean_with_sample_weight": the
            sum divided by the sum of the weights; "none" or None: as `call` gives them.
        dtype: The dtype in which the loss is computed; a name or a `DTypePolicy`. None is the default float type.

    Raises:
        ValueError: For an unknown reduction.

    >>> import hornbeam as keras
    >>> class Distance(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return keras.ops.sum(keras.ops.absolute(y_true - y_pred), axis=-1)
    >>> float(Distance()([[0.0, 0.0]], [[1.0, 2.0]]))
    3.0
    """

    # Integer targets stay integers, because they are class numbers.
    _keeps_integers = False

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        self.name = scope.auto_name(scope.to_snake_case(type(self).__name__)) if name is None else name
        self.reduction = checked_reduction(reduction)
        self._dtype_policy = None if dtype is None else dtype_policies.get(dtype)
        self._dtype = _config.floatx() if self._dtype_policy is None else self._dtype_policy.compute_dtype

    @property
    def dtype(self) -> str:
        """The dtype in which the loss is computed."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> Tensor:
        """The reduced loss.

        Args:
            y_true: Targets; a tensor or any structure of them that `call` understands.
            y_pred: Predictions, likewise. A mask that a layer left on them counts as weights of 0 and 1.
            sample_weight: Weights that broadcast to the losses.

        Returns:
            A scalar, unless the reduction is "none".

        Raises:
            ValueError: If shapes do not fit.
        """
        mask = _mask_of(y_pred)
        if backend.is_array(y_pred) and backend.is_array(y_true):
            y_pred, y_true = self._as_float(y_pred), self._as_target(y_true)
        else:
            y_pred = tree.map_structure(self._as_float, _joined(y_pred))
            y_true = tree.map_structure(self._as_target, _joined(y_true))
        values = self.call(y_true, y_pred)
        own_mask = scope.get_mask(values)
        if own_mask is not None:
            mask = own_mask if mask is None else ops.logical_and(mask, own_mask)
        loss = reduce_weighted(values, sample_weight, mask, self.reduction, self._dtype)
        share = backend.share() if self.reduction in _MEANS else 1.0
        return loss if share == 1.0 else loss * share

    def _as_float(self, value: Any) -> Any:
        return as_dtype(value, self._dtype)

    def _as_target(self, value: Any) -> Any:
        if self._keeps_integers and not dtypes.is_float(value.dtype if hasattr(value, "dtype") else "int32"):
            return value
        return as_dtype(value, self._dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The losses, unreduced; written by subclasses."""
        raise UnsupportedError("a loss with a `call` method", "none", type(self).__name__)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        config: dict[str, Any] = {"name": self.name, "reduction": self.reduction}
        if self._dtype_policy is not None:
            config["dtype"] = self._dtype_policy.name
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A loss made from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, reduction={self.reduction}>"


class LossFunctionWrapper(Loss):
    """A loss made of a function `(y_true, y_pred, **arguments)`.

    The classes of this package set `_function` and `_arguments` and have nothing else to do.

    Args:
        fn: The function.
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.
        **kwargs: Further arguments of the function.

    >>> def distance(y_true, y_pred, factor=1.0):
    ...     return factor * ops.sum(ops.absolute(y_true - y_pred), axis=-1)
    >>> float(LossFunctionWrapper(distance, factor=2.0)([[0.0, 0.0]], [[1.0, 2.0]]))
    6.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if not callable(fn):
            raise ArgumentTypeError("a callable (y_true, y_pred)", repr(fn), "LossFunctionWrapper")
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs
        if getattr(fn, "takes_class_numbers", False):
            self._keeps_integers = True

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The losses that the function gives."""
        if backend.is_array(y_true) and backend.is_array(y_pred):
            y_true, y_pred = of_one_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    # Arguments that Keras leaves out of its files, with the values that may be left out.
    _unwritten: dict[str, Any] = {}

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if type(self) is LossFunctionWrapper:
            config["fn"] = serialize_keras_object(self.fn)
        for name, value in self._fn_kwargs.items():
            if name not in self._unwritten or value != self._unwritten[name]:
                config[name] = serialize_keras_object(value)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A loss made from what `get_config` gave."""
        made = {key: deserialize_keras_object(one) if isinstance(one, dict) else one for key, one in config.items()}
        return cls(**made)


def _mask_of(y_pred: Any) -> Any:
    return None if isinstance(y_pred, (dict, list, tuple)) else scope.get_mask(y_pred)


def _joined(structure: Any) -> Any:
    """A list of numbers is a tensor; a list of tensors is a structure."""
    if isinstance(structure, (list, tuple)) and all(isinstance(one, (int, float)) for one in tree.flatten(structure)):
        return backend.asarray(structure)
    return structure
