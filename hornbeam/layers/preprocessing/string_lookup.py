"""`StringLookup`: from texts to indices of a vocabulary, and back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Any

import numpy as np

from hornbeam._wire import wire
from hornbeam.errors import ArgumentTypeError
from hornbeam.layers.preprocessing.host_layer import as_array, as_bytes, as_strings, as_whole_numbers
from hornbeam.layers.preprocessing.index_lookup import MASKED, UNKNOWN, IndexLookup
from hornbeam.layers.preprocessing.salt import hashes
from hornbeam.layers.preprocessing.spans import CellTable, TokenTable, words_of

_MANY, _WIDEST = 1024, 64  # how many strings of NumPy, and of what width, are looked up without Python objects


@wire("keras.layers.StringLookup")
class StringLookup(IndexLookup):
    """Turns texts into the indices of a vocabulary, or into vectors over it; it runs on the host, on every backend.

    The vocabulary is given, or learned by `adapt`. Index 0 stands for unknown texts; with a mask token, index 0 stands
    for that and the next for unknown ones.

    Args:
        max_tokens: The most indices there may be, those of special tokens included; None for no limit.
        num_oov_indices: How many indices unknown texts share, by their hash. With 0, an unknown text is an error.
        mask_token: The text for "nothing here", which gets index 0 in "int" mode; None for none.
        oov_token: What stands for unknown texts in `get_vocabulary`, and with `invert`.
        vocabulary: Texts in a list or array, or the path of a text file with one a line.
        idf_weights: For "tf_idf" with a given vocabulary, the weight of each text.
        invert: Whether the layer turns indices into texts instead.
        output_mode: "int" for indices; "one_hot" for a vector for each text; "multi_hot", "count" or "tf_idf" for one
            for each row of the last axis.
        pad_to_max_tokens: Whether vectors have `max_tokens` elements even if the vocabulary has fewer.
        sparse: Whether vectors are sparse, where the backend has sparse tensors; elsewhere they are dense, and a
            warning says so.
        encoding: How texts that come as bytes are read. Bytes that are no text in it are kept and told apart.
        name: A name.
        salt: One int or two, under which unknown texts are hashed by SipHash; None for FarmHash.
        **kwargs: Further arguments of `Layer`.

    Returns:
        From texts of any shape: int64 indices of that shape, or int64 ("tf_idf": float32) vectors. With `invert`, an
        object array of `str`, or a tensor of strings where the backend has those.

    Raises:
        ValueError: If it is called without a vocabulary, or `vocabulary` has a text twice.
        TypeError: For inputs that are no texts, such as None.

    >>> import hornbeam as keras
    >>> lookup = keras.layers.StringLookup(vocabulary=["red", "green"])
    >>> keras.ops.convert_to_numpy(lookup(["green", "red", "blue"])).tolist()
    [2, 1, 0]
    """

    _only_in_config = ("oov_method", "vocabulary_dtype")

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",  # noqa: S107 - no password
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        self.encoding = encoding
        super().__init__(
            max_tokens=max_tokens, num_oov_indices=num_oov_indices, mask_token=mask_token, oov_token=oov_token,
            vocabulary=vocabulary, idf_weights=idf_weights, invert=invert, output_mode=output_mode, sparse=sparse,
            pad_to_max_tokens=pad_to_max_tokens, salt=salt, name=name, **kwargs,
        )  # fmt: skip

    def _read_tokens(self, values: Any) -> list[str]:
        if isinstance(values, (set, frozenset)):
            raise ArgumentTypeError("a vocabulary in an order", "a set", self._where(), "Sort it: sorted(vocabulary).")
        return as_strings(as_array(values, self._where()), self.encoding, self._where())

    def _token_from_text(self, text: str) -> str:
        return text

    def _make_index(self) -> dict[str, int]:
        specials = self._specials()
        index = dict(zip(self._tokens, range(len(specials), len(specials) + len(self._tokens)), strict=True))
        if self.mask_token is not None:
            index[self.mask_token] = 0 if self._first_oov else MASKED
        return index

    def index_of_bytes(self) -> dict[bytes, int]:
        """The table of the vocabulary with tokens as UTF-8."""
        index = self._ready_index()
        if self._bytes_index is None or self._bytes_index[0] is not index:
            self._bytes_index = (index, {as_bytes(token, "utf-8"): place for token, place in index.items()})
        return self._bytes_index[1]

    _bytes_index: tuple[dict[str, int], dict[bytes, int]] | None = None

    def table(self) -> TokenTable:
        """The same for many tokens at once."""
        index = self.index_of_bytes()
        if self._table is None or self._table[0] is not index:
            self._table = (index, TokenTable([*index], [*index.values()]))
        return self._table[1]

    _table: tuple[dict[bytes, int], TokenTable] | None = None

    def _look_up(self, array: np.ndarray) -> np.ndarray:
        index = self._ready_index()
        if array.dtype.kind == "U" and array.size >= _MANY:
            found = self._look_up_cells(array.ravel())
            if found is not None:
                return found.reshape(array.shape)
        if array.dtype.kind == "O" and self.encoding == "utf-8":
            values = array.ravel().tolist()
            if {*map(type, values)} == {bytes}:  # as TensorFlow gives them
                return self._indices(values, self.index_of_bytes()).reshape(array.shape)
        return self._indices(as_strings(array, self.encoding, self._where()), index).reshape(array.shape)

    def _look_up_cells(self, array: np.ndarray) -> np.ndarray | None:
        """`_look_up` for NumPy's own strings if they are ASCII, without a Python object for each of them."""
        width = array.dtype.itemsize // 4
        if not 0 < width <= _WIDEST:
            return None
        codes = np.ascontiguousarray(array).view(np.uint32).reshape(len(array), width)
        if array.dtype.byteorder == ">" or codes.max() > 127:
            return None
        index = self.index_of_bytes()
        words = words_of(width)
        if self._cells is None or self._cells[0] is not index or self._cells[1] != words:
            self._cells = (index, words, CellTable([*index], [*index.values()], width))
        return self._settled(self._cells[2].look_up(codes.astype(np.uint8), self._missing), array)

    _cells: tuple[dict[bytes, int], int, CellTable] | None = None

    @property
    def _missing(self) -> int:
        """What a table gives for unknown texts: their index, if they have only one."""
        return self._first_oov if self.num_oov_indices == 1 else UNKNOWN

    def _indices(self, tokens: list[Any], index: dict[Any, int]) -> np.ndarray:
        """The index of each token in a flat list, by a table of tokens of their type."""
        return self._settled(np.fromiter(map(index.get, tokens, repeat(self._missing)), np.int64, len(tokens)), tokens)

    def _settled(self, found: np.ndarray, tokens: Any) -> np.ndarray:
        """Indices in which unknown texts have theirs."""
        if self.num_oov_indices == 1:
            return found
        missing = np.flatnonzero(found == UNKNOWN)
        if len(missing):
            unknown = [tokens[place] for place in missing.tolist()]
            if not self.num_oov_indices:
                self._refuse_unknown(unknown)
            found[missing] = self._hashed_oov(hashes(list(self._all_bytes(unknown)), self.salt))
        return found

    def _all_bytes(self, tokens: Iterable[Any]) -> Iterable[bytes]:
        return (one if isinstance(one, bytes) else as_bytes(one, self.encoding) for one in tokens)

    def _tokens_of(self, array: np.ndarray) -> np.ndarray:
        indices = as_whole_numbers(array, self._where())
        full = np.array([*self.get_vocabulary(), self.oov_token], dtype=object)
        known = (indices >= 0) & (indices < len(full) - 1)
        return full[np.where(known, indices, len(full) - 1)]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "encoding": self.encoding}
