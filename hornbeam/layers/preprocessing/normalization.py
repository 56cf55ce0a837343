"""`Normalization`: mean 0 and variance 1 by statistics that are learnt from data or given."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import _config, ops
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.layers.core.checks import where
from hornbeam.layers.preprocessing.adapting import AdaptingLayer, as_host
from hornbeam.layers.preprocessing.host_layer import as_numbers


@wire("keras.layers.Normalization")
class Normalization(AdaptingLayer):
    """`(inputs - mean) / sqrt(variance)`, with statistics from `adapt` or given.

    Before `adapt`, and until weights are loaded, the layer passes its inputs on unchanged, as in Keras: mean 0,
    variance 1.

    Args:
        axis: The axis or axes that have a mean and variance for each place along them, such as the features of
            a table (-1). None is one mean and variance for everything.
        mean: The mean, a number or an array that broadcasts against the inputs, to do without `adapt`.
        variance: The variance, likewise; given together with `mean`.
        invert: Whether to go back: `mean + inputs * sqrt(variance)`.

    >>> import hornbeam as keras
    >>> import numpy as np, hornbeam as keras
    >>> layer = keras.layers.Normalization(axis=None)
    >>> layer.adapt(np.array([1.0, 2.0, 3.0]))
    >>> [round(one, 2) for one in keras.ops.convert_to_numpy(layer(np.array([1.0, 2.0, 3.0]))).tolist()]
    [-1.22, 0.0, 1.22]
    """

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        axes = () if axis is None else (axis,) if hasattr(axis, "__index__") else axis
        if not isinstance(axes, (list, tuple)) or not all(
            hasattr(one, "__index__") and not isinstance(one, bool) for one in axes
        ):
            raise ArgumentTypeError("an integer, several, or None for axis", repr(axis), where(self))
        if (mean is None) != (variance is None):
            raise ArgumentError(
                "both `mean` and `variance`, or neither", f"mean={mean}, variance={variance}", where(self)
            )
        self.axis = tuple(one.__index__() for one in axes)
        self.invert = bool(invert)
        self.supports_masking = True
        self.input_mean = None if mean is None else np.asarray(as_host(mean), "float32")
        self.input_variance = None if variance is None else np.asarray(as_host(variance), "float32")
        self._untracked_found: tuple[float, Any, Any] | None = None
        self.adapt_mean = self.adapt_variance = self.count = None
        if self.input_mean is None:
            return
        if self.input_mean.shape != self.input_variance.shape:
            raise ArgumentError(
                "`mean` and `variance` of one shape", f"{self.input_mean.shape} and {self.input_variance.shape}",
                where(self),
            )
        if np.any(self.input_variance < 0):
            raise ArgumentError("a variance of at least 0", f"variance={variance}", where(self))

    # --- state ---------------------------------------------------------------------------------------------

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the variables for the statistics, or checks that those given fit."""
        rank = len(input_shape)
        for axis in self.axis:
            if not -rank <= axis < rank:
                raise ArgumentError(f"axes of an input of {rank} axes", f"axis={self.axis}", where(self))
        kept = sorted({axis % rank for axis in self.axis})
        sizes = tuple(input_shape[axis] for axis in kept)
        if None in sizes:
            raise ArgumentError(
                f"known sizes along axis={self.axis}", f"shape={tuple(input_shape)}", where(self),
                "Give the Input these sizes.",
            )
        self._kept_sizes = sizes
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(sizes, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(sizes, "ones", trainable=False, name="variance")
            # Keras has this third variable, and its files hold it; nothing is counted in it
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")
            return
        try:
            np.broadcast_shapes(self.input_mean.shape, self._broadcast_shape(input_shape))
        except ValueError:
            raise ArgumentError(
                f"a mean and variance that fit an input of shape={tuple(input_shape)} along axis={self.axis}",
                f"shape={self.input_mean.shape}", where(self),
            ) from None

    def _broadcast_shape(self, shape: tuple[int | None, ...]) -> tuple[int, ...]:
        kept = {axis % len(shape) for axis in self.axis}
        return tuple((size or 1) if axis in kept else 1 for axis, size in enumerate(shape))

    def adapt(self, data: Any) -> None:
        """Learns mean and variance; what was learnt before is forgotten.

        Args:
            data: An array of any library with the samples along its first axis, or what yields batches of them:
                a dataset, a loader, a `PyDataset` or a generator.

        Raises:
            ValueError: If there are no data, if they do not fit an earlier shape, hold NaN or infinities, or if
                mean and variance were given. The layer stays as it was.
        """
        self._adapt(data)

    def _refuse_adapt(self) -> str:
        return "" if self.input_mean is None else "mean and variance given as arguments"

    def reset_state(self) -> None:
        """Forgets the statistics."""
        self._untracked_found = None
        if self.adapt_mean is not None:
            self.adapt_mean.assign(np.zeros(self.adapt_mean.shape))
            self.adapt_variance.assign(np.ones(self.adapt_variance.shape))

    def update_state(self, data: Any) -> None:
        """Takes one batch into account: count, mean and squares, as T. Chan et al. (1979) put them together."""
        batch = as_numbers(as_host(data), "float64", f"adapt of {self._where()}")
        if not self.built:
            self.build(batch.shape if any(axis % max(batch.ndim, 1) == 0 for axis in self.axis) else (
                None, *batch.shape[1:]))
        rank = batch.ndim
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ArgumentError(
                f"data with an axis for axis={self.axis}", f"shape={batch.shape}", f"adapt of {self._where()}"
            )
        kept = sorted({axis % rank for axis in self.axis})
        if tuple(batch.shape[axis] for axis in kept) != self._kept_sizes:
            raise ArgumentError(
                f"data with the sizes {self._kept_sizes} along axis={self.axis}, as the layer was built for",
                f"shape={batch.shape}", f"adapt of {self._where()}",
            )
        wrong = int(batch.size - np.isfinite(batch).sum())
        if wrong:
            raise ArgumentError(
                "finite numbers", f"{wrong} NaN or infinities in a batch of {batch.size} numbers",
                f"adapt of {self._where()}", "Fill in or drop missing values first.",
            )
        others = tuple(axis for axis in range(rank) if axis not in kept)
        count = float(np.prod([batch.shape[axis] for axis in others]))
        mean = batch.mean(axis=others)
        squares = np.square(batch - np.expand_dims(mean, others)).sum(axis=others)
        if self._untracked_found is not None:
            before, old_mean, old_squares = self._untracked_found
            total, step = before + count, mean - old_mean
            mean = old_mean + step * (count / total)
            squares = old_squares + squares + step * step * (before * count / total)
            count = total
        self._untracked_found = (count, mean, squares)

    def finalize_state(self) -> None:
        """Puts the statistics that were gathered into the variables."""
        if self._untracked_found is None:
            return
        count, mean, squares = self._untracked_found
        self.adapt_mean.assign(mean.astype("float32"))
        self.adapt_variance.assign((squares / count).astype("float32"))

    @property
    def mean(self) -> Any:
        """The mean, in a shape that broadcasts against the inputs; None before the layer is built."""
        return self._statistic(self.input_mean, self.adapt_mean)

    @property
    def variance(self) -> Any:
        """The variance, likewise."""
        return self._statistic(self.input_variance, self.adapt_variance)

    def _statistic(self, given: Any, learnt: Any) -> Any:
        if not self.built:
            return None
        shapes = self._build_shapes[1]
        return self._spread(given, learnt, tuple(shapes[0]))

    def _spread(self, given: Any, learnt: Any, shape: tuple[int | None, ...]) -> Any:
        if learnt is None:
            return ops.broadcast_to(
                ops.convert_to_tensor(given), np.broadcast_shapes(given.shape, self._broadcast_shape(shape))
            )
        return ops.reshape(learnt.value, self._broadcast_shape(shape))

    # --- the call ------------------------------------------------------------------------------------------

    def call(self, inputs: Any) -> Any:
        """The normalised inputs, or with `invert` the original ones."""
        inputs = ops.cast(inputs, self.compute_dtype)
        mean = ops.cast(self._spread(self.input_mean, self.adapt_mean, inputs.shape), self.compute_dtype)
        variance = ops.cast(self._spread(self.input_variance, self.adapt_variance, inputs.shape), self.compute_dtype)
        deviation = ops.maximum(ops.sqrt(variance), _config.epsilon())
        if self.invert:
            return ops.add(mean, ops.multiply(inputs, deviation))
        return ops.divide(ops.subtract(inputs, mean), deviation)

    def compute(self, inputs: np.ndarray) -> np.ndarray:
        """`call` for arrays on the host, with NumPy, for input pipelines."""
        if not self.built:
            self.build(inputs.shape)
        inputs = as_numbers(inputs, "float32", self._where())
        shape = self._broadcast_shape(inputs.shape)
        mean, variance = (
            given if learnt is None else np.asarray(learnt.numpy(), "float32").reshape(shape)
            for given, learnt in (
                (self.input_mean, self.adapt_mean), (self.input_variance, self.adapt_variance),
            )
        )  # fmt: skip
        deviation = np.maximum(np.sqrt(variance), np.float32(_config.epsilon()))
        return mean + inputs * deviation if self.invert else (inputs - mean) / deviation

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments; mean and variance as lists."""
        config = super().get_config()
        config["axis"] = list(self.axis)
        config["mean"] = None if self.input_mean is None else self.input_mean.tolist()
        config["variance"] = None if self.input_variance is None else self.input_variance.tolist()
        return config
