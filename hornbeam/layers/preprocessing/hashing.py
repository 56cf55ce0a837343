"""`Hashing` and `HashedCrossing`: from texts or whole numbers to a fixed number of bins, without a vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import dtypes
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.layers.preprocessing.encode import COUNT, INT, MULTI_HOT, ONE_HOT, checked_mode, encode, encoded_shape
from hornbeam.layers.preprocessing.fingerprint import fingerprints, joined
from hornbeam.layers.preprocessing.host_layer import HostLayer, as_array, as_bytes, as_strings, as_whole_numbers
from hornbeam.layers.preprocessing.salt import checked_salt, hashes
from hornbeam.layers.preprocessing.sparse import warn_dense
from hornbeam.symbolic import KerasTensor

# where a crossing starts; any other number would be as good, but files count on this one
_CROSSING_START = 0xDECAFCAFFE


@wire("keras.layers.Hashing")
class Hashing(HostLayer):
    """Sorts texts or whole numbers into bins by their hash; it runs on the host, on every backend.

    The bin is the remainder of a 64-bit hash: FarmHash's Fingerprint64 without a salt, SipHash-2-4 under one. A number
    is hashed as its decimal digits, a truth value as its name. The bins are those of Keras and TensorFlow.

    Args:
        num_bins: The number of bins.
        mask_value: A value that alone goes to bin 0; all others share the rest. None for none.
        salt: One int or two, the key of SipHash.
        output_mode: "int" for bins, "one_hot" for a vector for each element; "multi_hot" or "count" for one for each
            row of the last axis.
        sparse: Whether vectors are sparse, where the backend has sparse tensors; elsewhere they are dense, and a
            warning says so.
        **kwargs: Further arguments of `Layer`; `dtype` is that of the outputs: int64 for bins, else float32.

    Returns:
        From texts or numbers of any shape: bins of that shape, or vectors of `num_bins` elements.

    Raises:
        ValueError: For a bad number of bins or a bad salt.

    References:
        FarmHash: https://github.com/google/farmhash; SipHash: https://eprint.iacr.org/2012/351

    >>> import hornbeam as keras
    >>> bins = keras.layers.Hashing(7)(["a", "b"])
    >>> keras.ops.convert_to_numpy(bins).tolist()
    [5, 2]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        checked_mode(output_mode, (INT, ONE_HOT, MULTI_HOT, COUNT), "Hashing")
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == INT else None
        super().__init__(**kwargs)
        where = self._where()
        self.num_bins = _bins(num_bins, where)
        if sparse and output_mode == INT:
            raise ArgumentError("sparse=True with vectors as output_mode", repr(output_mode), where)
        if output_mode == INT and not dtypes.is_int(self.compute_dtype):
            raise ArgumentError(
                'an integer dtype with output_mode="int"', repr(self.compute_dtype), where, 'Use dtype="int64".'
            )
        self.mask_value = mask_value
        self.salt = checked_salt(salt, where)
        self.output_mode = output_mode
        self.sparse = bool(sparse)

    def compute(self, inputs: Any) -> Any:
        array = as_array(inputs, self._where())
        bins = self._bins_of(array)
        if self.sparse:
            warn_dense(self)
        return encode(bins, self.output_mode, self.num_bins, self.compute_dtype).astype(self.compute_dtype, copy=False)

    def _bins_of(self, array: np.ndarray) -> np.ndarray:
        where = self._where()
        if is_text(array):
            values: Any = as_strings(array, "utf-8", where)
            words = [as_bytes(one, "utf-8") for one in values]
        else:
            values = as_whole_numbers(array, where).ravel().tolist()
            digits = (b"%d" % one for one in values)
            words = [b"true" if one else b"false" for one in values] if array.dtype.kind == "b" else list(digits)
        free = self.num_bins if self.mask_value is None or self.num_bins == 1 else self.num_bins - 1
        bins = (hashes(words, self.salt) % np.uint64(free)).astype(np.int64)
        if self.mask_value is not None:
            bins += self.num_bins - free
            mask = self.mask_value.decode() if isinstance(self.mask_value, bytes) else self.mask_value
            bins[np.fromiter((one == mask for one in values), bool, len(values))] = 0
        return bins.reshape(array.shape)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the outputs: that of the input, or with vectors in place of its elements or rows."""
        return encoded_shape(tuple(input_shape), self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs: Any) -> KerasTensor:
        """Shape and dtype of the outputs."""
        return KerasTensor(self.compute_output_shape(inputs.shape), self.compute_dtype)


@wire("keras.layers.HashedCrossing")
class HashedCrossing(HostLayer):
    """Sorts pairs, triples, ... of texts or whole numbers into bins by a hash of them together, on the host.

    The bins are those of Keras and TensorFlow: fingerprints of texts, and numbers as they are, are joined one by one.

    Args:
        num_bins: The number of bins.
        output_mode: "int" for bins or "one_hot" for a vector for each.
        sparse: Whether vectors are sparse, where the backend has sparse tensors; elsewhere they are dense, and a
            warning says so.
        name: A name.
        dtype: The dtype of the outputs: by default int64 for bins, else float32.
        **kwargs: Further arguments of `Layer`.

    Returns:
        From a list or tuple of inputs of one shape, `(batch,)` or `(batch, 1)`: bins of that shape, or vectors.

    Raises:
        ValueError: For a single input, inputs of different or other shapes, or floats.

    >>> import hornbeam as keras
    >>> crossing = keras.layers.HashedCrossing(5)
    >>> keras.ops.convert_to_numpy(crossing((["a", "b"], ["c", "d"]))).tolist()
    [1, 4]
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        checked_mode(output_mode, (INT, ONE_HOT), "HashedCrossing")
        super().__init__(name=name, dtype="int64" if dtype is None and output_mode == INT else dtype, **kwargs)
        where = self._where()
        self.num_bins = _bins(num_bins, where)
        if sparse and output_mode == INT:
            raise ArgumentError("sparse=True with vectors as output_mode", repr(output_mode), where)
        self.output_mode = output_mode
        self.sparse = bool(sparse)

    def compute(self, inputs: Any) -> Any:
        where = self._where()
        self._check_several(inputs)
        arrays = [as_array(one, where) for one in inputs]
        self._check_shapes([one.shape for one in arrays])
        result = np.full(arrays[0].size, _CROSSING_START, np.uint64)
        for array in arrays:
            if is_text(array):
                words = [as_bytes(one, "utf-8") for one in as_strings(array, "utf-8", where)]
                result = joined(result, fingerprints(words))
            elif array.dtype.kind in "iub" or array.dtype.kind == "O":
                result = joined(result, as_whole_numbers(array, where).ravel().view(np.uint64))
            else:
                raise ArgumentError(
                    "texts or whole numbers", describe(array), where, "Put floats into bins with Discretization first."
                )
        bins = (result % np.uint64(self.num_bins)).astype(np.int64).reshape(arrays[0].shape)
        if self.sparse:
            warn_dense(self)
        return encode(bins, self.output_mode, self.num_bins, self.compute_dtype).astype(self.compute_dtype, copy=False)

    def _check_several(self, inputs: Any) -> None:
        if not isinstance(inputs, (list, tuple)):
            raise ArgumentTypeError("a list or tuple of inputs to cross", describe(inputs), self._where())
        if len(inputs) < 2:
            raise ArgumentError("at least two inputs to cross", f"{len(inputs)}", self._where())

    def _check_shapes(self, shapes: list[tuple]) -> None:
        if any(one != shapes[0] for one in shapes) or len(shapes[0]) > 2 or shapes[0][1:] not in ((), (1,)):
            raise ArgumentError(
                "inputs of one shape: (), (batch,) or (batch, 1)", f"{shapes}", self._where(),
                "Cross one column of each at a time.",
            )  # fmt: skip

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the outputs for the shapes of the inputs."""
        shapes = [tuple(one) for one in input_shape]
        self._check_several(shapes)
        self._check_shapes(shapes)
        return encoded_shape(shapes[0], self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs: Any) -> KerasTensor:
        """Shape and dtype of the outputs."""
        self._check_several(inputs)
        return KerasTensor(self.compute_output_shape([one.shape for one in inputs]), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            "num_bins": self.num_bins, "output_mode": self.output_mode, "sparse": self.sparse, "name": self.name,
            "dtype": self.dtype,
        }  # fmt: skip


def is_text(array: np.ndarray) -> bool:
    """Whether an array holds texts."""
    return array.dtype.kind in "UST" or (
        array.dtype.kind == "O" and not all(isinstance(one, (int, np.integer)) for one in array.flat)
    )


def _bins(num_bins: Any, where: str) -> int:
    if isinstance(num_bins, bool) or not isinstance(num_bins, (int, np.integer)) or num_bins < 1:
        raise ArgumentError("num_bins to be a positive int", repr(num_bins), where)
    return int(num_bins)
