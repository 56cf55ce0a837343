"""`TextVectorization`: from raw texts to sequences of token numbers, or to vectors over a vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import numpy as np

from hornbeam import scope
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.backend.base import shareable_zeros
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnsupportedError, describe
from hornbeam.layers.preprocessing.adapting import batches
from hornbeam.layers.preprocessing.encode import COUNT, INT, MULTI_HOT, TF_IDF, checked_mode, encode_rows
from hornbeam.layers.preprocessing.host_layer import HostLayer, as_array
from hornbeam.layers.preprocessing.spans import TokenCounter
from hornbeam.layers.preprocessing.sparse import warn_dense
from hornbeam.layers.preprocessing.string_lookup import StringLookup
from hornbeam.layers.preprocessing.tokens import LOWER_AND_STRIP, WHITESPACE, Tokenizer
from hornbeam.saving.config import deserialize_value, serialize_value
from hornbeam.symbolic import KerasTensor

_CHARACTERS_AT_ONCE = 2**18  # so many that a pass costs nothing, so few that all stays in the processor's cache


@wire("keras.layers.TextVectorization")
class TextVectorization(HostLayer):
    """Turns raw texts into numbers: standardizes, splits, joins n-grams, and looks up the tokens.

    It runs on the host, on every backend. In a model made from a graph it runs ahead of the device, in the input
    pipeline, so that a model may take raw texts. The vocabulary is given, or learned by `adapt`. In "int" mode, 0 is
    padding and 1 stands for unknown tokens; in the other modes, 0 stands for unknown tokens.

    Case, punctuation and white space are those of ASCII, as in Keras: accented letters keep their case.

    Args:
        max_tokens: The most indices there may be, those of special tokens included; None for no limit.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", None for nothing, or a callable that
            takes a NumPy array of `str` and gives as many texts.
        split: "whitespace", "character", None for whole texts as tokens, or a callable that takes a NumPy array of
            `str` and gives a list of tokens for each.
        ngrams: The largest number of tokens to join, with all smaller ones, or a tuple of exactly those numbers.
        output_mode: "int" for a sequence of indices; "multi_hot", "count" or "tf_idf" for a vector for each text.
        output_sequence_length: In "int" mode, the length that sequences are cut or padded to. None is the longest of
            each batch; models then see many lengths, and compile once for each.
        pad_to_max_tokens: Whether vectors have `max_tokens` elements even if the vocabulary has fewer.
        vocabulary: Tokens in a list or array, or the path of a text file with one a line.
        idf_weights: For "tf_idf" with a given vocabulary, the weight of each token.
        sparse: Whether vectors are sparse, where the backend has sparse tensors; elsewhere they are dense, and a
            warning says so.
        ragged: Whether sequences are not padded: then a call gives a ragged tensor where the framework has such, and
            elsewhere a list of tensors, one for each text, for input pipelines of one's own. Models need
            `ragged=False`.
        encoding: How texts that come as bytes are read. Bytes that are no text in it are kept and told apart.
        name: A name.
        **kwargs: Further arguments of `Layer`.

    Returns:
        From texts of shape `(batch,)` or `(batch, 1)`: int64 of shape `(batch, length)`, or int64 ("tf_idf": float32)
        vectors of shape `(batch, size)`. From one text, the same without the batch axis.

    Raises:
        ValueError: If it is called without a vocabulary, or for arguments that do not go together.
        TypeError: For inputs that are no texts, such as None.

    >>> import hornbeam as keras
    >>> layer = keras.layers.TextVectorization()
    >>> layer.adapt(["the cat sat", "the dog"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'the', 'sat', 'dog', 'cat']
    >>> keras.ops.convert_to_numpy(layer(["The DOG sat!", "a bird"])).tolist()
    [[2, 4, 3], [1, 1, 0]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = LOWER_AND_STRIP,
        split: Any = WHITESPACE,
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        where = self._where()
        checked_mode(output_mode, (INT, MULTI_HOT, COUNT, TF_IDF), where)
        if output_sequence_length is not None:
            if output_mode != INT:
                raise ArgumentError('output_mode="int" with output_sequence_length', repr(output_mode), where)
            if not isinstance(output_sequence_length, (int, np.integer)) or output_sequence_length < 1:
                raise ArgumentError(
                    "output_sequence_length to be None or a positive int", repr(output_sequence_length), where
                )
        if ragged and output_mode != INT:
            raise ArgumentError('output_mode="int" with ragged=True', repr(output_mode), where)
        self.max_tokens = max_tokens
        self.standardize = standardize
        self.split = split
        self.ngrams = tuple(ngrams) if isinstance(ngrams, list) else ngrams
        self.output_mode = output_mode
        self.output_sequence_length = output_sequence_length
        self.pad_to_max_tokens = bool(pad_to_max_tokens)
        self.sparse = bool(sparse)
        self.ragged = bool(ragged)
        self.encoding = encoding
        self._tokenizer = Tokenizer(standardize, split, ngrams, encoding, where)
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens, vocabulary=vocabulary, idf_weights=idf_weights, mask_token="",
            output_mode=output_mode, pad_to_max_tokens=pad_to_max_tokens, sparse=sparse, encoding=encoding,
            dtype=self.dtype_policy,
        )  # fmt: skip
        self._lookup_layer.named_by = self._where
        self.reset_state()

    # --- the vocabulary --------------------------------------------------------------------------------------

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The tokens, each at the place of its index.

        Args:
            include_special_tokens: Whether padding and the token for unknown ones come first.
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """How many indices there are, those of padding and unknown tokens included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replaces the vocabulary; see `StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    # --- adapting --------------------------------------------------------------------------------------------

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learns the vocabulary from texts: the most frequent tokens, ties in falling order of the tokens.

        Args:
            data: An array or list of texts; or batches of them from a dataset of any kind or a generator, which may be
                larger than the memory.
            batch_size: Texts in a batch, for arrays and lists, where `steps` counts them.
            steps: How many batches to take; None for all.

        Raises:
            ValueError: If the vocabulary was given, or there is no data.
        """
        self._lookup_layer._refuse_static()
        self.reset_state()
        try:
            for batch in batches(data, batch_size, steps):
                self.update_state(batch)
            self.finalize_state()
        finally:
            self.reset_state()

    def update_state(self, data: Any) -> None:
        """Counts the tokens of one batch of texts; `finalize_state` makes a vocabulary of the counts."""
        self._lookup_layer._refuse_static()
        texts, _ = self._texts(data)
        for some in _pieces(texts):
            spans = self._tokenizer.spans(some)
            if spans is not None:
                self._counter.update(spans)
                continue
            rows = self._tokenizer.rows(some)
            self._counts.update(chain.from_iterable(rows))
            if self.output_mode == TF_IDF:
                self._documents.update(chain.from_iterable(map(set, rows)))
        self._document_count += len(texts)

    def finalize_state(self) -> None:
        """Makes a vocabulary of what was counted; without counts, the one that is there stays."""
        lookup = self._lookup_layer
        lookup._forget_counts()
        # tokens that had to become objects may add to the counts of others
        most = None if self._counts else self.max_tokens
        for found in (self._counter.counts(most), self._counts):
            lookup._counts.update(_as_texts(found))
        for found in (self._counter.documents(), self._documents):
            lookup._documents.update(_as_texts(found))
        lookup._document_count = self._document_count
        lookup.finalize_state()
        lookup._forget_counts()

    def reset_state(self) -> None:
        """Forgets what was counted since the last `finalize_state`; the vocabulary stays."""
        self._counter = TokenCounter(documents=self.output_mode == TF_IDF)
        self._counts: Counter = Counter()  # of tokens that had to become objects
        self._documents: Counter = Counter()
        self._document_count = 0

    # --- the call --------------------------------------------------------------------------------------------

    def _texts(self, data: Any) -> tuple[list[Any], tuple[int, ...]]:
        """Texts in a flat list, `str` or bytes, and their shape."""
        array = as_array(data, self._where())
        if array.dtype.kind not in "UST" and (array.dtype.kind != "O") and array.size:
            raise ArgumentTypeError(
                "texts", f"numbers of dtype {array.dtype}", self._where(), "Turn them into texts: array.astype(str)."
            )
        texts = array.ravel().tolist()
        for kind in {*map(type, texts)} - {str, bytes, np.str_, np.bytes_}:
            place = next(place for place, one in enumerate(texts) if type(one) is kind)
            raise ArgumentTypeError(
                "texts only", f"{describe(texts[place])} at position {place}", self._where(),
                'Fill gaps first, for example with an empty text "".',
            )  # fmt: skip
        return texts, array.shape

    def compute(self, inputs: Any) -> Any:
        texts, shape = self._texts(inputs)
        lookup = self._lookup_layer
        lookup._ready_index()
        if self.split is None:
            return self._of_whole_texts(texts, shape)
        self._check_shape(shape)
        pieces = [self._indices(some) for some in _pieces(texts)]
        indices = np.concatenate([one for one, _ in pieces]) if pieces else np.zeros(0, np.int64)
        lengths = np.concatenate([one for _, one in pieces]) if pieces else np.zeros(0, np.int64)
        if self.ragged:
            return self._ragged(indices, lengths, shape)
        if self.output_mode == INT:
            result = _padded(indices, lengths, self.output_sequence_length)
        else:
            if self.sparse:
                warn_dense(self)
            owners = np.repeat(np.arange(len(lengths)), lengths)
            result = encode_rows(
                owners, indices, len(lengths), self.output_mode, lookup._depth() or 0, lookup._output_name(),
                lookup._padded_row(),
            )  # fmt: skip
        return result if shape else result[0]

    def _ragged(self, indices: np.ndarray, lengths: np.ndarray, shape: tuple[int, ...]) -> Any:
        """Sequences that are not padded: a ragged tensor where the framework has such, else a list of arrays."""
        rows = np.split(indices, np.cumsum(lengths)[:-1]) if len(lengths) else []
        rows = [one[: self.output_sequence_length] for one in rows]
        if not shape:
            return rows[0]
        if "ragged" in backend.features and not scope.context.on_host:
            return backend.ragged(rows)
        return rows

    def _indices(self, texts: list[Any]) -> tuple[np.ndarray, np.ndarray]:
        """The index of each token of some texts in a row, and how many each text has."""
        unknown = self._lookup_layer._first_oov
        spans = self._tokenizer.spans(texts)
        if spans is not None:
            return self._lookup_layer.table().look_up(spans, unknown), spans.counts
        index = self._lookup_layer.index_of_bytes()
        rows = self._tokenizer.rows(texts)
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        found = map(index.get, chain.from_iterable(rows), repeat(unknown))
        return np.fromiter(found, np.int64, int(lengths.sum())), lengths

    def _of_whole_texts(self, texts: list[Any], shape: tuple[int, ...]) -> Any:
        """Without splitting, each text is a token, and a row of them what is joined to n-grams."""
        lookup = self._lookup_layer
        pieces = self._tokenizer.standardized(texts)
        if self.ngrams is not None:
            width = shape[-1] if shape else 1
            starts = range(0, len(pieces), width)
            rows = [self._tokenizer.with_ngrams(pieces[start : start + width]) for start in starts]
            shape = (*shape[:-1], len(rows[0]) if rows else 0)
            pieces = list(chain.from_iterable(rows))
        index = lookup.index_of_bytes()
        found = np.fromiter(map(index.get, pieces, repeat(lookup._first_oov)), np.int64, len(pieces)).reshape(shape)
        if self.output_sequence_length is not None and found.ndim > 1:
            width = found.shape[-1]
            flat = _padded(found.ravel(), np.full(found.size // max(width, 1), width), self.output_sequence_length)
            found = flat.reshape(*found.shape[:-1], self.output_sequence_length)
        return lookup._encoded(found)

    def _check_shape(self, shape: tuple[int | None, ...]) -> None:
        if len(shape) > 2 or (len(shape) == 2 and shape[1] not in (1, None)):
            raise ArgumentError(
                "texts of shape (batch,) or (batch, 1)", f"shape={shape}", self._where(),
                "Give one text for each sample, or split=None for tokens that are split already.",
            )  # fmt: skip

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the outputs: `(batch, length)` or `(batch, size)`."""
        shape = tuple(input_shape)
        lookup = self._lookup_layer
        if self.split is None:
            if self.ngrams is not None and shape:
                shape = (*shape[:-1], None)
            if self.output_sequence_length is not None and len(shape) > 1:
                shape = (*shape[:-1], self.output_sequence_length)
            return lookup.compute_output_shape(shape)
        self._check_shape(shape)
        return (*shape[:1], self.output_sequence_length if self.output_mode == INT else lookup._depth())

    def compute_output_spec(self, inputs: Any) -> KerasTensor:
        """Shape and dtype of the outputs."""
        if self.ragged:
            raise UnsupportedError(
                "a layer that pads its sequences", "ragged=True", self._where(),
                "Ragged results are lists, which are for pipelines of your own. Set ragged=False in a model.",
            )  # fmt: skip
        return self._lookup_layer._spec(self.compute_output_shape(inputs.shape))

    # --- files -----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer; a vocabulary that was learned or read goes to the assets."""
        inner = self._lookup_layer.get_config()
        return {
            "name": self.name, "trainable": self.trainable, "dtype": inner["dtype"], "max_tokens": self.max_tokens,
            "standardize": serialize_value(self.standardize), "split": serialize_value(self.split),
            "ngrams": self.ngrams, "output_mode": self.output_mode,
            "output_sequence_length": self.output_sequence_length, "pad_to_max_tokens": self.pad_to_max_tokens,
            "sparse": self.sparse, "ragged": self.ragged, "vocabulary": inner["vocabulary"],
            "idf_weights": inner["idf_weights"], "encoding": self.encoding,
            "vocabulary_size": inner["vocabulary_size"],
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer made from what `get_config` gave, here or in Keras."""
        config = dict(config)
        size = config.pop("vocabulary_size", None)
        if config.get("vocabulary") is None:
            config["idf_weights"] = None  # they belong to a vocabulary
        for name, value in config.items():
            if isinstance(value, dict):
                config[name] = deserialize_value(value)
        layer = cls(**config)
        layer._lookup_layer._expect(size)
        return layer

    def get_build_config(self) -> dict[str, Any]:
        """Nothing: the layer needs no shape."""
        return {}

    def build_from_config(self, config: Any) -> None:
        """Nothing is built."""

    def save_assets(self, dir_path: str) -> None:
        """Writes the vocabulary to a folder, unless the config has it."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str) -> None:
        """Reads the vocabulary that `save_assets` wrote."""
        self._lookup_layer.load_assets(dir_path)

    def save_own_variables(self, store: Any) -> None:
        """Writes the idf weights, which files keep among the weights."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Reads the idf weights."""
        self._lookup_layer.load_own_variables(store)


def _pieces(texts: list[Any]) -> Iterator[list[Any]]:
    size = len(texts) * _CHARACTERS_AT_ONCE // max(sum(map(len, texts)), 1) + 1
    for start in range(0, len(texts), size):
        yield texts[start : start + size]


def _padded(indices: np.ndarray, lengths: np.ndarray, width: int | None) -> np.ndarray:
    """Sequences that lie one after the other as rows of a matrix, cut or padded with zeros to one width."""
    if width is None:
        width = int(lengths.max()) if len(lengths) else 0
    elif len(lengths) and lengths.max() > width:
        places = np.arange(len(indices)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        indices, lengths = indices[places < width], lengths.clip(max=width)
    result = shareable_zeros((len(lengths), width), np.int64)
    result[np.arange(width) < lengths[:, None]] = indices
    return result


def _as_texts(counts: dict[bytes, int]) -> dict[str, int]:
    """The same counts of tokens as `str`."""
    lines = b"\n".join(counts).decode("utf-8", "surrogateescape").split("\n")
    if len(lines) == len(counts):
        return dict(zip(lines, counts.values(), strict=True))
    return {token.decode("utf-8", "surrogateescape"): count for token, count in counts.items()}
