"""`CategoryEncoding`: from numbers of categories to one-hot, multi-hot or count vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import scope
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.layers.preprocessing.encode import (
    COUNT,
    MULTI_HOT,
    ONE_HOT,
    checked_mode,
    encode,
    encode_on_device,
    encoded_shape,
)
from hornbeam.layers.preprocessing.host_layer import TwoSidedLayer, as_array, as_outputs, as_whole_numbers, on_device
from hornbeam.layers.preprocessing.sparse import warn_dense
from hornbeam.symbolic import KerasTensor


@wire("keras.layers.CategoryEncoding")
class CategoryEncoding(TwoSidedLayer):
    """Turns the numbers of categories into vectors of zeros and ones, or of counts.

    It runs on the device, inside compiled models too, and on the host where an input pipeline calls it.

    Args:
        num_tokens: The number of categories.
        output_mode: "one_hot" for a vector for each number; "multi_hot" or "count" for one for each row of the last
            axis.
        sparse: Whether vectors are sparse, where the backend has sparse tensors; elsewhere they are dense, and a
            warning says so.
        **kwargs: Further arguments of `Layer`.

    Returns:
        From whole numbers of any shape, at least 0 and below `num_tokens`: vectors of `num_tokens` elements in the
        dtype of the layer. A number out of range is an error, except in compiled code, which cannot raise: there it
        counts for nothing.

    Raises:
        ValueError: For a bad number of categories, a number out of range, or `count_weights` in another mode.

    >>> import hornbeam as keras
    >>> encoding = keras.layers.CategoryEncoding(num_tokens=4, output_mode="count")
    >>> keras.ops.convert_to_numpy(encoding([[0, 1], [2, 2]])).tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]]
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        where = self._where()
        checked_mode(output_mode, (ONE_HOT, MULTI_HOT, COUNT), where)
        if num_tokens is None:
            raise ArgumentError(
                "num_tokens", "None", where, "If the categories are not known beforehand, use IntegerLookup."
            )
        if isinstance(num_tokens, bool) or not isinstance(num_tokens, (int, np.integer)) or num_tokens < 1:
            raise ArgumentError("num_tokens to be a positive int", repr(num_tokens), where)
        self.num_tokens = int(num_tokens)
        self.output_mode = output_mode
        self.sparse = bool(sparse)

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """The vectors.

        Args:
            inputs: Whole numbers of any shape.
            count_weights: In "count" mode, how much each number counts, in the shape of `inputs`.
        """
        self._check_weights(count_weights)
        if self.sparse:
            warn_dense(self)
        if on_device(inputs) and not scope.context.on_host and backend.is_traced(inputs):
            return encode_on_device(inputs, self.output_mode, self.num_tokens, self.compute_dtype, count_weights)
        return as_outputs(self._on_host(inputs, count_weights))

    def compute(self, inputs: Any) -> np.ndarray:
        """`call` on the host, with NumPy."""
        return self._on_host(inputs, None)

    def _on_host(self, inputs: Any, count_weights: Any) -> np.ndarray:
        numbers = as_whole_numbers(as_array(inputs, self._where()), self._where())
        wrong = (numbers < 0) | (numbers >= self.num_tokens)
        if wrong.any():
            raise ArgumentError(
                f"numbers from 0 to {self.num_tokens - 1}", f"{numbers[wrong].ravel()[0]}", self._where(),
                "Give a larger num_tokens, or use IntegerLookup, which has an index for unknown numbers.",
            )  # fmt: skip
        weights = None if count_weights is None else as_array(count_weights, self._where())
        if weights is not None and weights.shape != numbers.shape:
            raise ArgumentError(f"count_weights of shape={numbers.shape}", f"shape={weights.shape}", self._where())
        return encode(numbers, self.output_mode, self.num_tokens, self.compute_dtype, weights)

    def _convert(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any], bool]:
        if scope.context.on_host or any(isinstance(one, (list, int)) for one in args):
            return args, kwargs, False
        return super()._convert(args, kwargs)

    def _check_weights(self, count_weights: Any) -> None:
        if count_weights is not None and self.output_mode != COUNT:
            raise ArgumentError('output_mode="count" with count_weights', repr(self.output_mode), self._where())

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the outputs: with vectors in place of the elements, or of the rows, of the input."""
        return encoded_shape(tuple(input_shape), self.output_mode, self.num_tokens)

    def compute_output_spec(self, inputs: Any, count_weights: Any = None) -> KerasTensor:
        """Shape and dtype of the outputs."""
        self._check_weights(count_weights)
        return KerasTensor(self.compute_output_shape(inputs.shape), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer; `sparse` is said only where it is True, as in Keras's files."""
        config = super().get_config()
        if not self.sparse:
            del config["sparse"]
        return config
