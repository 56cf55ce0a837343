"""`IntegerLookup`: from whole numbers, such as ids, to indices of a vocabulary, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.layers.preprocessing.encode import encode_on_device
from hornbeam.layers.preprocessing.host_layer import as_array, as_whole_numbers
from hornbeam.layers.preprocessing.index_lookup import MASKED, UNKNOWN, IndexLookup
from hornbeam.layers.preprocessing.salt import hashes


@wire("keras.layers.IntegerLookup")
class IntegerLookup(IndexLookup):
    """Turns whole numbers into the indices of a vocabulary, or into vectors over it.

    It runs on the host, on every backend, and on the device where its inputs are there already.

    Args:
        max_tokens: The most indices there may be, those of special tokens included; None for no limit.
        num_oov_indices: How many indices unknown numbers share. With 0, an unknown number is an error, except in
            compiled code, which cannot raise: there it gets index -1.
        mask_token: The number for "nothing here", which gets index 0 in "int" mode; None for none.
        oov_token: What stands for unknown numbers in `get_vocabulary`, and with `invert`.
        vocabulary: Whole numbers in a list or array, or the path of a text file with one a line.
        vocabulary_dtype: "int64", the only one there is.
        idf_weights: For "tf_idf" with a given vocabulary, the weight of each number.
        invert: Whether the layer turns indices into numbers of the vocabulary instead.
        output_mode: "int" for indices; "one_hot" for a vector for each number; "multi_hot", "count" or "tf_idf" for
            one for each row of the last axis.
        sparse: Whether vectors are sparse, where the backend has sparse tensors; elsewhere they are dense, and a
            warning says so.
        pad_to_max_tokens: Whether vectors have `max_tokens` elements even if the vocabulary has fewer.
        oov_method: How unknown numbers spread over their indices: "floormod" by the remainder, "farmhash" by the hash
            of their decimal digits.
        salt: One int or two, under which "farmhash" hashes by SipHash instead.
        name: A name.
        **kwargs: Further arguments of `Layer`.

    Returns:
        From numbers of any shape: int64 indices of that shape, or int64 ("tf_idf": float32) vectors.

    Raises:
        ValueError: If it is called without a vocabulary, or `vocabulary` has a number twice.
        TypeError: For inputs that are no numbers.

    >>> import hornbeam as keras
    >>> lookup = keras.layers.IntegerLookup()
    >>> lookup.adapt([10, 20, 20, 30, 30, 30])
    >>> lookup.get_vocabulary()
    [-1, 30, 20, 10]
    >>> keras.ops.convert_to_numpy(lookup([10, 30, 99])).tolist()
    [3, 1, 0]
    """

    _vocabulary_kind = "int64"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if vocabulary_dtype != "int64":
            raise ArgumentError('vocabulary_dtype to be "int64"', repr(vocabulary_dtype), "IntegerLookup")
        if salt is not None and oov_method != "farmhash":
            raise ArgumentError('oov_method="farmhash" with salt', repr(oov_method), "IntegerLookup")
        self.vocabulary_dtype = vocabulary_dtype
        super().__init__(
            max_tokens=max_tokens, num_oov_indices=num_oov_indices, mask_token=mask_token, oov_token=oov_token,
            vocabulary=vocabulary, idf_weights=idf_weights, invert=invert, output_mode=output_mode, sparse=sparse,
            pad_to_max_tokens=pad_to_max_tokens, oov_method=oov_method, salt=salt, name=name, **kwargs,
        )  # fmt: skip

    def _read_tokens(self, values: Any) -> list[int]:
        if isinstance(values, (set, frozenset)):
            raise ArgumentTypeError("a vocabulary in an order", "a set", self._where(), "Sort it: sorted(vocabulary).")
        return as_whole_numbers(as_array(values, self._where()), self._where()).ravel().tolist()

    def _token_from_text(self, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise ArgumentError("a file with one whole number a line", repr(text[:40]), self._where()) from None

    def _make_index(self) -> tuple[np.ndarray, np.ndarray]:
        """The known numbers in rising order, and the index of each."""
        specials = self._specials()
        masks = [] if self.mask_token is None else [self.mask_token]
        keys = np.array([*masks, *self._tokens], np.int64)
        first = 0 if self._first_oov else MASKED
        places = np.array([*[first for _ in masks], *range(len(specials), len(specials) + len(self._tokens))], np.int64)
        order = np.argsort(keys)
        return keys[order], places[order]

    def _look_up(self, array: np.ndarray) -> np.ndarray:
        values = as_whole_numbers(array, self._where())
        keys, places = self._ready_index()
        near = np.searchsorted(keys, values).clip(max=len(keys) - 1)
        found = np.where(keys[near] == values, places[near], UNKNOWN)
        missing = found == UNKNOWN
        if missing.any():
            unknown = values[missing]
            if not self.num_oov_indices:
                self._refuse_unknown(unknown.tolist())
            if self.oov_method == "floormod":
                found[missing] = self._first_oov + unknown % self.num_oov_indices
            else:
                found[missing] = self._hashed_oov(hashes([b"%d" % one for one in unknown.tolist()], self.salt))
        return found

    def compute_on_device(self, inputs: Any) -> Any:
        if self.invert or not backend.is_array(inputs):
            return NotImplemented
        if self.oov_method != "floormod" and self.num_oov_indices > 1:
            return NotImplemented
        if not self.num_oov_indices and not backend.is_traced(inputs):
            return NotImplemented  # unknown numbers are refused, which compiled code cannot
        keys, places = self._ready_index()
        name = "int32" if backend.narrowed.get("int64") else "int64"
        if name == "int32":  # others cannot come
            possible = (keys >= -(2**31)) & (keys < 2**31)
            keys, places = keys[possible], places[possible]
        if not len(keys):
            return NotImplemented
        values = ops.cast(inputs, name)
        near = ops.minimum(ops.searchsorted(backend.asarray(keys, name), ops.reshape(values, (-1,))), len(keys) - 1)
        near = ops.reshape(ops.cast(near, "int32"), ops.shape(values))
        known = ops.equal(ops.take(backend.asarray(keys, name), near), values)
        oov = ops.mod(values, self.num_oov_indices) + self._first_oov if self.num_oov_indices else -1
        indices = ops.where(known, ops.take(backend.asarray(places, name), near), oov)
        depth = self._depth() or 0
        return encode_on_device(indices, self.output_mode, depth, self._output_name(), self._padded_row())

    def _tokens_of(self, array: np.ndarray) -> np.ndarray:
        indices = as_whole_numbers(array, self._where())
        full = np.array([*self.get_vocabulary(), self.oov_token], np.int64)
        known = (indices >= 0) & (indices < len(full) - 1)
        return full[np.where(known, indices, len(full) - 1)]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "vocabulary_dtype": self.vocabulary_dtype}
