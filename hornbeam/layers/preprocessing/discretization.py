"""`Discretization`: numbers to the numbers of the bins they fall into, with bins given or learnt as quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam import dtypes, ops
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.layers.core.checks import where
from hornbeam.layers.preprocessing.adapting import AdaptingLayer, as_host
from hornbeam.layers.preprocessing.encode import (
    COUNT,
    INT,
    MULTI_HOT,
    ONE_HOT,
    checked_mode,
    encode,
    encode_on_device,
    encoded_shape,
)
from hornbeam.layers.preprocessing.host_layer import as_numbers
from hornbeam.layers.preprocessing.sparse import warn_dense
from hornbeam.symbolic import KerasTensor


@wire("keras.layers.Discretization")
class Discretization(AdaptingLayer):
    """Puts numbers into bins: bin 0 is below the first boundary, bin i from boundary i - 1 up to below i.

    With `num_bins`, `adapt` finds boundaries between which equally many values lie, from a sketch of at most
    about `1 / epsilon` weighted values, so that data may be larger than memory. NaN is left out there; in a call
    it falls into the last bin.

    Args:
        bin_boundaries: Increasing numbers between the bins; one bin more than boundaries.
        num_bins: How many bins `adapt` makes, in place of `bin_boundaries`.
        epsilon: How coarse the sketch may be, above 0 and below 1; smaller is more exact and takes more memory.
        output_mode: "int" for bin numbers; "one_hot", "multi_hot" or "count" for an axis of bins in floats.
        sparse: Whether vectors are sparse, where the backend has sparse tensors; elsewhere they are dense, and a
            warning says so.
        dtype: The dtype of the result, except for "int".
        name: The name.

    >>> import hornbeam as keras
    >>> buckets = keras.layers.Discretization([0.0, 1.0])(keras.ops.array([-1.0, 0.0, 0.5, 7.0]))
    >>> keras.ops.convert_to_numpy(buckets).tolist()
    [0, 1, 1, 2]
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if bin_boundaries is None and num_bins is None:
            raise ArgumentError("`num_bins` or `bin_boundaries`", "neither", where(self))
        if bin_boundaries is not None and num_bins is not None and not isinstance(bin_boundaries, _Learnt):
            raise ArgumentError("`num_bins` or `bin_boundaries`", "both", where(self))
        if num_bins is not None and (
            isinstance(num_bins, bool) or not hasattr(num_bins, "__index__") or num_bins < 0
        ):
            raise ArgumentError("num_bins to be an integer of at least 0", repr(num_bins), where(self))
        if not isinstance(epsilon, (int, float)) or not 0 < epsilon < 1:
            raise ArgumentError("epsilon above 0 and below 1", f"epsilon={epsilon!r}", where(self))
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.output_mode = checked_mode(output_mode, (INT, ONE_HOT, MULTI_HOT, COUNT), where(self))
        if sparse and output_mode == INT:
            raise ArgumentError("sparse=True with vectors as output_mode", repr(output_mode), where(self))
        self.sparse = bool(sparse)
        self._given = bin_boundaries is not None and num_bins is None
        self.bin_boundaries = None if bin_boundaries is None else self._checked(bin_boundaries)
        self.supports_masking = True
        self.summary = np.zeros((2, 0), "float32")

    def _checked(self, boundaries: Any) -> list[float]:
        try:
            values = np.asarray(boundaries, "float64")
        except (TypeError, ValueError):
            raise ArgumentTypeError("a list of numbers for bin_boundaries", repr(boundaries), where(self)) from None
        if values.ndim != 1 or np.any(np.isnan(values)) or np.any(np.diff(values) < 0):
            raise ArgumentError("increasing numbers for bin_boundaries", repr(boundaries), where(self))
        return values.tolist()

    # --- state ---------------------------------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learns boundaries between which equally many values lie; what was learnt before is forgotten.

        Args:
            data: An array of any library and shape, or what yields batches: a dataset, a loader, a generator.
            steps: How many batches are used; all if None.

        Raises:
            ValueError: If there are no data, or if `bin_boundaries` was given. The layer stays as it was.
        """
        self._adapt(data, steps=steps)

    def _refuse_adapt(self) -> str:
        return "bin_boundaries given as an argument" if self._given else ""

    def reset_state(self) -> None:
        """Forgets what was gathered."""
        self.summary = np.zeros((2, 0), "float32")

    def update_state(self, data: Any) -> None:
        """Takes one batch of numbers into account."""
        values = as_numbers(as_host(data), "float32", f"adapt of {self._where()}").ravel()
        values = values[~np.isnan(values)]
        if values.size:
            both = np.concatenate([self.summary, summarized(values, self.epsilon)], axis=1)
            self.summary = condensed(both[:, np.argsort(both[0], kind="stable")], self.epsilon)

    def finalize_state(self) -> None:
        """Turns what was gathered into the boundaries."""
        if self._given or not self.num_bins or not self.summary.shape[1]:
            return
        self.bin_boundaries = condensed(self.summary, 1.0 / self.num_bins)[0, :-1].tolist()
        self.built = True

    # --- the call ------------------------------------------------------------------------------------------

    def call(self, inputs: Any) -> Any:
        """The bins of the inputs, in the form of `output_mode`."""
        self._require_state(self.bin_boundaries is not None, "bin boundaries")
        boundaries = ops.convert_to_tensor(np.asarray(self.bin_boundaries, "float32"))
        indices = ops.digitize(ops.cast(inputs, "float32"), boundaries)
        if self.sparse:
            warn_dense(self)
        return encode_on_device(indices, self.output_mode, self._depth(), self.compute_dtype, axis=1)

    def compute(self, inputs: np.ndarray) -> np.ndarray:
        """`call` on the host, with NumPy."""
        self._require_state(self.bin_boundaries is not None, "bin boundaries")
        boundaries = np.asarray(self.bin_boundaries, "float32")
        if self.sparse:
            warn_dense(self)
        bins = np.searchsorted(boundaries, as_numbers(inputs, "float32", self._where()), side="right").astype("int32")
        return encode(bins, self.output_mode, self._depth(), self.compute_dtype, axis=1)

    def _depth(self) -> int:
        return len(self.bin_boundaries) + 1 if self.bin_boundaries is not None else self.num_bins or 1

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the inputs, and for all modes but "int" an axis of bins."""
        return encoded_shape(tuple(input_shape), self.output_mode, self._depth(), axis=1)

    def compute_output_spec(self, inputs: Any) -> KerasTensor:
        """Bin numbers are int32, all else has the dtype of the layer."""
        dtype = "int32" if self.output_mode == "int" else self.compute_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype)

    @property
    def output_dtype(self) -> str:
        """The dtype of the outputs."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def load_own_variables(self, store: Any) -> None:
        """There are none; the boundaries are in the config."""

    def get_config(self) -> dict[str, Any]:
        """The arguments; boundaries that were learnt are among them."""
        dtype = super().get_config()["dtype"]
        policy = dtype["config"]["name"] if isinstance(dtype, dict) else dtype
        return {
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": policy if isinstance(policy, str) else dtypes.standardize_dtype(self.dtype),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Discretization:
        """A layer made from what `get_config` gave; both boundaries and their number stand there after `adapt`."""
        config = dict(config)
        if config.get("bin_boundaries") is not None and config.get("num_bins") is not None:
            config["bin_boundaries"] = _Learnt(config["bin_boundaries"])
        return cls(**config)


class _Learnt(list):
    """Boundaries that came from `adapt`."""


# --- the sketch: rows of values and weights, sorted -----------------------------------------------------------------


def summarized(values: np.ndarray, epsilon: float) -> np.ndarray:
    """About `1 / epsilon` of the values at equal distances in their order, each with the same weight."""
    ordered = np.sort(values)
    stride = max(1, int(len(ordered) / (1.0 / epsilon)))  # rounded as Keras rounds it
    kept = ordered[stride - 1 :: stride]
    weight = max(1.0, len(ordered) * epsilon)
    return np.stack([kept, np.full(len(kept), weight)]).astype("float32")


def condensed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """A sketch with `1 / epsilon` values, by interpolation in the sums of weights."""
    if summary.shape[1] * epsilon < 1:
        return summary
    fractions = epsilon + np.arange(0.0, 1.0, epsilon)
    sums = summary[1].cumsum()
    places = sums / sums[-1]
    values = np.interp(fractions, places, summary[0])
    upto = np.interp(fractions, places, sums)
    return np.stack([values, np.diff(upto, prepend=0.0)]).astype("float32")
