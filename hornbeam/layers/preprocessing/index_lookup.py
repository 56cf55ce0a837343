"""`IndexLookup`: a vocabulary, learned or given, that turns tokens into numbers; base of the two lookup layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import dtypes
from hornbeam.backend import active as backend
from hornbeam.errors import (
    ArgumentError,
    ArgumentTypeError,
    UnknownNameError,
    ValueStateError,
)
from hornbeam.layers.preprocessing import vocabulary as files
from hornbeam.layers.preprocessing.adapting import batches
from hornbeam.layers.preprocessing.encode import (
    COUNT,
    INT,
    MULTI_HOT,
    ONE_HOT,
    TF_IDF,
    checked_mode,
    encode,
    encoded_shape,
)
from hornbeam.layers.preprocessing.host_layer import HostLayer, as_array
from hornbeam.layers.preprocessing.salt import checked_salt
from hornbeam.layers.preprocessing.sparse import warn_dense
from hornbeam.saving.config import deserialize_value, in_safe_mode, is_loading, serialize_value
from hornbeam.symbolic import KerasTensor

# in place of an index: of a mask token that vectors leave out, and of a token that is not in the vocabulary
MASKED, UNKNOWN = -1, -2


class IndexLookup(HostLayer):
    """What `StringLookup` and `IntegerLookup` share: all but how tokens are read and looked up."""

    _modes = (INT, ONE_HOT, MULTI_HOT, COUNT, TF_IDF)
    named_by: Callable[[], str] | None = None  # gives the name for errors, of a layer that works within another

    def _where(self) -> str:
        return super()._where() if self.named_by is None else self.named_by()

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any = None,
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
        super().__init__(name=name, **kwargs)
        where = self._where()
        if max_tokens is not None and (not _is_whole(max_tokens) or max_tokens <= 1):
            raise ArgumentError("max_tokens to be None or an int above 1", repr(max_tokens), where)
        if not _is_whole(num_oov_indices) or num_oov_indices < 0:
            raise ArgumentError("num_oov_indices to be an int of at least 0", repr(num_oov_indices), where)
        checked_mode(output_mode, self._modes, where)
        if invert and output_mode != INT:
            raise ArgumentError('output_mode="int" with invert=True', repr(output_mode), where)
        if sparse and output_mode == INT:
            raise ArgumentError("sparse=True with vectors as output_mode", repr(output_mode), where)
        if pad_to_max_tokens and (max_tokens is None or output_mode == INT):
            if max_tokens is None:
                raise ArgumentError("max_tokens with pad_to_max_tokens=True", "None", where)
        if oov_method not in ("floormod", "farmhash"):
            raise UnknownNameError("oov_method", oov_method, ("floormod", "farmhash"), where)
        if idf_weights is not None and output_mode != TF_IDF:
            raise ArgumentError('output_mode="tf_idf" with idf_weights', repr(output_mode), where)
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.invert = bool(invert)
        self.output_mode = output_mode
        self.sparse = bool(sparse)
        self.pad_to_max_tokens = bool(pad_to_max_tokens)
        self.oov_method = oov_method
        self.salt = checked_salt(salt, where)
        self._tokens: list[Any] = []
        self._given: list[Any] = []  # the tokens as the config has them: with special ones in front if so given
        self._is_set = False  # whether there is a vocabulary
        self._is_static = False  # whether it was given, so that adapt must not change it
        self._keeps_in_config = False
        self._idf_row: np.ndarray | None = None  # a weight for each index, the unknown tokens included
        self._expected_size: int | None = None  # what a file says while its vocabulary is not read yet
        self._refused_path: str | None = None
        self._index: Any = None
        self._forget_counts()
        if vocabulary is not None:
            if files.is_path(vocabulary) and is_loading() and in_safe_mode():
                self._refused_path = str(vocabulary)  # a file must not make us read others
            else:
                self.set_vocabulary(vocabulary, idf_weights)

    # --- what the two kinds of tokens differ in --------------------------------------------------------------

    def _read_tokens(self, values: Any) -> list[Any]:
        """Tokens as a list of Python values: of a user's vocabulary, or of data."""
        raise NotImplementedError

    def _token_from_text(self, text: str) -> Any:
        """A token as it stands in a file."""
        raise NotImplementedError

    def _make_index(self) -> Any:
        """What `_look_up` needs, made once for a vocabulary."""
        raise NotImplementedError

    def _look_up(self, array: np.ndarray) -> np.ndarray:
        """The index of each token, int64 in the shape of the array."""
        raise NotImplementedError

    # --- the vocabulary --------------------------------------------------------------------------------------

    def _specials(self) -> list[Any]:
        """The tokens in front of the vocabulary."""
        masked = self.mask_token is not None and self.output_mode == INT
        return [*([self.mask_token] if masked else []), *[self.oov_token] * self.num_oov_indices]

    @property
    def _first_oov(self) -> int:
        return len(self._specials()) - self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens, each at the place of its index.

        Args:
            include_special_tokens: Whether the mask token and those for unknown tokens come first.
        """
        return [*(self._specials() if include_special_tokens else ()), *self._tokens]

    def vocabulary_size(self) -> int:
        """How many indices there are, those of special tokens included."""
        if not self._is_set and self._expected_size is not None:
            return self._expected_size
        return len(self._specials()) + len(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replaces the vocabulary; the layer can then not be adapted any more.

        Args:
            vocabulary: Tokens in a list or array, with or without the special ones in front, or the path of a text
                file with one token a line.
            idf_weights: For "tf_idf", the weight of each token: one for each element of `vocabulary`.

        Raises:
            ValueError: If it is empty, too long for `max_tokens`, or has a token twice.
        """
        where = self._where()
        from_file = files.is_path(vocabulary)
        if from_file:
            lines = files.read_file(vocabulary, getattr(self, "encoding", "utf-8"), where)
            vocabulary = [self._token_from_text(one) for one in lines]
        given = self._read_tokens(vocabulary)
        specials = self._specials()
        tokens = files.without_specials(given, specials, self.mask_token if self._first_oov else None, where)
        files.check_unique(tokens, where)
        if not tokens:
            raise ArgumentError("a vocabulary with tokens of its own", "special tokens only", where)
        if self.max_tokens is not None and len(tokens) + len(specials) > self.max_tokens:
            raise ArgumentError(
                f"at most max_tokens={self.max_tokens} tokens, {len(specials)} special ones included",
                f"{len(tokens) + len(specials)}", where,
            )  # fmt: skip
        row = None
        if self.output_mode == TF_IDF:
            row = self._row_of(idf_weights, given, tokens)
        elif idf_weights is not None:
            raise ArgumentError('output_mode="tf_idf" with idf_weights', repr(self.output_mode), where)
        self._put(tokens, row)
        self._is_static = True
        self._keeps_in_config = not from_file
        self._given = given

    def _row_of(self, idf_weights: Any, given: list[Any], tokens: list[Any]) -> np.ndarray:
        where = self._where()
        if idf_weights is None:
            raise ArgumentError(
                'idf_weights with a vocabulary in output_mode="tf_idf"', "None", where,
                "Give a weight for each token, or call adapt to learn both.",
            )  # fmt: skip
        weights = _floats(idf_weights)
        if weights.shape == (len(given),):
            weights = weights[len(given) - len(tokens) :]  # those of special tokens follow from the others
        if weights.shape != (len(tokens),):
            raise ArgumentError(f"{len(given)} idf_weights, one for each token", f"shape={weights.shape}", where)
        return np.concatenate([np.full(self.num_oov_indices, weights.mean(), np.float32), weights])

    def _put(self, tokens: list[Any], row: np.ndarray | None) -> None:
        self._tokens, self._idf_row = tokens, row
        self._is_set = True
        self._index = None
        self._refused_path = None
        self._given = tokens

    def _ready_index(self) -> Any:
        """The table of the vocabulary.

        Raises:
            ValueError: If there is no vocabulary.
        """
        if not self._is_set:
            if self._refused_path is not None:
                raise ValueStateError(
                    "a vocabulary among the assets of the file",
                    f"a config that names the path {self._refused_path!r}, which loading does not read",
                    self._where(),
                    "Call set_vocabulary(path) if you trust it, or load with safe_mode=False.",
                )
            raise ValueStateError(
                "a vocabulary", "none", self._where(),
                "Call adapt(data) on the layer first, or give it a vocabulary.",
            )  # fmt: skip
        if self.output_mode == TF_IDF and self._idf_row is None:
            raise ValueStateError("idf weights", "none", self._where(), "Call adapt(data) first.")
        if self._index is None:
            self._index = self._make_index()
        return self._index

    # --- adapting --------------------------------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learns the vocabulary from data: the most frequent tokens, ties in falling order of the tokens.

        Args:
            data: An array or list of tokens, or batches of them from a dataset of any kind or a generator, which may
                be larger than the memory. In "tf_idf" mode a row of a matrix is one document.
            steps: How many batches to take; None for all.

        Raises:
            ValueError: If the vocabulary was given, or there is no data.
        """
        self._refuse_static()
        self._forget_counts()
        try:
            for batch in batches(data, steps=steps):
                self.update_state(batch)
        except BaseException:
            self._forget_counts()
            raise
        self.finalize_state()

    def _refuse_static(self) -> None:
        if self._is_static:
            raise ValueStateError(
                "a layer without a vocabulary of its own", "one that was given", f"adapt of {self._where()}",
                "Make the layer without `vocabulary` to learn it from data.",
            )  # fmt: skip

    def update_state(self, data: Any) -> None:
        """Counts the tokens of one batch; `finalize_state` makes a vocabulary of the counts."""
        self._refuse_static()
        array = as_array(data, self._where())
        tokens = self._read_tokens(array)
        if self.output_mode != TF_IDF:
            self._count(tokens, None)
            return
        length = array.shape[-1] if array.ndim > 1 else 1
        self._count(tokens, [tokens[start : start + length] for start in range(0, len(tokens), max(length, 1))])

    def _count(self, tokens: list[Any], documents: Any) -> None:
        self._counts.update(tokens)
        for document in documents or ():
            self._documents.update(set(document))
            self._document_count += 1

    def finalize_state(self) -> None:
        """Makes a vocabulary of what was counted; without counts, the one that is there stays."""
        if self._is_static or not self._counts:
            return
        for token in (self.mask_token, self.oov_token):
            self._counts.pop(token, None)
        room = None if self.max_tokens is None else self.max_tokens - len(self._specials())
        tokens = sorted(self._counts, reverse=True)
        tokens = sorted(tokens, key=self._counts.__getitem__, reverse=True)[:room]
        row = None
        if self.output_mode == TF_IDF:
            found = np.array([self._documents[token] for token in tokens], np.float64)
            weights = np.log(1 + self._document_count / (1 + found)).astype(np.float32)
            mean = weights.mean() if len(weights) else 0.0
            row = np.concatenate([np.full(self.num_oov_indices, mean, np.float32), weights])
        self._put(tokens, row)
        self._keeps_in_config = not files.fits_lines(tokens)

    def reset_state(self) -> None:
        """Forgets what was counted since the last `finalize_state`; the vocabulary stays."""
        self._forget_counts()

    def _forget_counts(self) -> None:
        self._counts: Counter = Counter()
        self._documents: Counter = Counter()
        self._document_count = 0

    # --- the call --------------------------------------------------------------------------------------------

    def compute(self, inputs: Any) -> Any:
        array = as_array(inputs, self._where())
        self._ready_index()
        if self.invert:
            return self._tokens_of(array)
        return self._encoded(self._look_up(array))

    def _encoded(self, indices: np.ndarray) -> np.ndarray:
        if self.sparse:
            warn_dense(self)
        depth = self._depth()
        return encode(indices, self.output_mode, depth or 0, self._output_name(), self._padded_row())

    def _padded_row(self) -> np.ndarray | None:
        row, depth = self._idf_row, self._depth()
        if row is None or depth is None or len(row) == depth:
            return row
        return np.concatenate([row, np.zeros(depth - len(row), np.float32)])

    def _tokens_of(self, array: np.ndarray) -> np.ndarray:
        """The tokens with these indices."""
        raise NotImplementedError

    def _hashed_oov(self, hashes: np.ndarray) -> np.ndarray:
        """Indices among those for unknown tokens."""
        return self._first_oov + (hashes % np.uint64(self.num_oov_indices)).astype(np.int64)

    def _refuse_unknown(self, tokens: list[Any]) -> None:
        shown = ", ".join(repr(one) for one in dict.fromkeys(tokens[:5]))
        raise ArgumentError(
            "tokens of the vocabulary, since num_oov_indices=0", f"unknown ones such as {shown}", self._where(),
            "Give num_oov_indices=1 to let unknown tokens share an index.",
        )  # fmt: skip

    def _depth(self) -> int | None:
        """The length of the vectors; None as long as nobody knows."""
        if self.pad_to_max_tokens:
            return self.max_tokens
        return self.vocabulary_size() if self._is_set or self._expected_size is not None else None

    def _output_name(self) -> str:
        if self.invert:
            return self._vocabulary_kind
        return dtypes.standardize_dtype("float32") if self.output_mode == TF_IDF else "int64"

    _vocabulary_kind = "string"

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the outputs: that of the input, or with vectors in place of its elements or rows."""
        return encoded_shape(tuple(input_shape), self.output_mode, self._depth())

    def compute_output_spec(self, inputs: Any) -> KerasTensor:
        """Shape and dtype of the outputs."""
        return self._spec(self.compute_output_shape(inputs.shape))

    def _spec(self, shape: tuple[int | None, ...]) -> KerasTensor:
        if self.output_mode != INT and shape[-1] is None:
            raise ValueStateError(
                "a vocabulary, whose size is the last axis of the outputs", "none", self._where(),
                "Call adapt(data) before the layer is used in a model, or set pad_to_max_tokens and max_tokens.",
            )  # fmt: skip
        return KerasTensor(shape, self._output_name())

    # --- files -----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer; a vocabulary that was learned or read goes to the assets."""
        config: dict[str, Any] = {
            "name": self.name, "trainable": self.trainable, "dtype": serialize_value(self.dtype_policy),
            "invert": self.invert, "max_tokens": self.max_tokens, "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token, "mask_token": self.mask_token, "output_mode": self.output_mode,
            "sparse": self.sparse, "pad_to_max_tokens": self.pad_to_max_tokens,
        }  # fmt: skip
        kept = self._keeps_in_config and self._is_set
        config["vocabulary"] = list(self._given) if kept else None
        weights = self._idf_row[self.num_oov_indices :] if kept and self._idf_row is not None else None
        config["idf_weights"] = None if weights is None else weights.tolist()
        config["vocabulary_size"] = self.vocabulary_size()
        config["oov_method"] = self.oov_method
        config["salt"] = self.salt
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer made from what `get_config` gave, here or in Keras."""
        config = dict(config)
        size = config.pop("vocabulary_size", None)
        for name in cls._only_in_config:
            config.pop(name, None)
        if config.get("vocabulary") is None:
            config["idf_weights"] = None  # they belong to a vocabulary
        if isinstance(config.get("dtype"), dict):
            config["dtype"] = deserialize_value(config["dtype"])
        for name in ("vocabulary", "idf_weights"):
            if isinstance(config.get(name), dict):
                config[name] = deserialize_value(config[name])
        layer = cls(**config)
        layer._expect(size)
        return layer

    def _expect(self, size: Any) -> None:
        """Takes the size of a vocabulary that will come later from the assets of the file."""
        if not self._is_set and isinstance(size, int) and 0 < size < 2**31:
            self._expected_size = size

    _only_in_config: tuple[str, ...] = ()

    def get_build_config(self) -> dict[str, Any]:
        """Nothing: the layer needs no shape."""
        return {}

    def build_from_config(self, config: Any) -> None:
        """Nothing is built."""

    def save_assets(self, dir_path: str) -> None:
        """Writes the vocabulary to a folder, unless the config has it."""
        if self._is_set and not self._keeps_in_config:
            files.write_asset(dir_path, self.get_vocabulary())

    def load_assets(self, dir_path: str) -> None:
        """Reads the vocabulary that `save_assets` wrote."""
        if self._is_set and self._keeps_in_config:
            return
        where = self._where()
        lines = [self._token_from_text(one) for one in files.read_asset(dir_path, where)]
        specials = self._specials()
        if lines[: len(specials)] != specials:
            raise ArgumentError(
                f"a vocabulary that begins with {specials}", f"{lines[: len(specials)]}", f"loading {where}"
            )
        tokens = lines[len(specials) :]
        files.check_unique(tokens, where)
        row = self._idf_row
        if row is not None and len(row) != len(tokens) + self.num_oov_indices:
            raise ArgumentError(
                f"{len(tokens) + self.num_oov_indices} idf weights", f"{len(row)}", f"loading {where}"
            )
        self._put(tokens, row)

    def save_own_variables(self, store: Any) -> None:
        """Writes the idf weights, which files keep among the weights."""
        if self._idf_row is not None:
            store["idf_weights"] = self._idf_row

    def load_own_variables(self, store: Any) -> None:
        """Reads the idf weights."""
        if "idf_weights" in store.keys() and self.output_mode == TF_IDF:  # noqa: SIM118 - a store is no dict
            self._idf_row = np.asarray(store["idf_weights"], np.float32)
            self._index = None


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _floats(values: Any) -> np.ndarray:
    if backend.is_array(values):
        values = backend.to_numpy(values)
    try:
        return np.asarray(values, np.float32)
    except (TypeError, ValueError):
        raise ArgumentTypeError("idf_weights to be numbers", repr(values)[:80], "idf_weights") from None
