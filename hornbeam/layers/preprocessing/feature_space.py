"""`FeatureSpace`: the columns of a table, numbers and texts, as one vector for each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.backend.base import shareable_zeros
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, ValueStateError, describe, nearest
from hornbeam.layers.core.input_layer import Input
from hornbeam.layers.preprocessing import features as kinds
from hornbeam.layers.preprocessing.adapting import AdaptingLayer
from hornbeam.layers.preprocessing.category_encoding import CategoryEncoding
from hornbeam.layers.preprocessing.discretization import Discretization
from hornbeam.layers.preprocessing.features import INT, ONE_HOT, Cross, Feature, TFDConcat
from hornbeam.layers.preprocessing.hashing import HashedCrossing, Hashing
from hornbeam.layers.preprocessing.host_layer import HostLayer, TwoSidedLayer, as_array, as_numbers
from hornbeam.layers.preprocessing.index_lookup import IndexLookup
from hornbeam.layers.preprocessing.normalization import Normalization
from hornbeam.layers.preprocessing.text_vectorization import TextVectorization
from hornbeam.saving.archive import save_model
from hornbeam.saving.config import serialize_value
from hornbeam.scope import host_values
from hornbeam.symbolic import KerasTensor

CONCAT, DICT = "concat", "dict"


@wire("keras.utils.FeatureSpace")
class FeatureSpace(HostLayer):
    """Turns rows of a table, as dicts of columns, into vectors, or into a dict of prepared columns.

    Each feature says how its column is prepared, by a name or by one of the methods below. `adapt` learns from data
    what is to be learnt: vocabularies, means, boundaries. Then the space is called on dicts, maps a dataset, or
    becomes the front part of a model by `get_inputs` and `get_encoded_features`. It runs on the host, on every backend.

    | name | column | prepared by |
    | --- | --- | --- |
    | "float" | numbers | nothing |
    | "float_rescaled" | numbers | `x * scale + offset` |
    | "float_normalized" | numbers | mean 0, variance 1 |
    | "float_discretized" | numbers | bins between learnt boundaries |
    | "integer_categorical", "string_categorical" | whole numbers, texts | a learnt vocabulary |
    | "integer_hashed", "string_hashed" | whole numbers, texts | bins by hash |

    Args:
        features: A dict from the names of columns to such names or features.
        output_mode: "concat" for one float vector for each row, features by name in alphabetical order and then crosses
            likewise; "dict" for a dict of tensors.
        crosses: Tuples of names of features that also count together, or what `cross` gives.
        crossing_dim: The number of bins of crosses that are given as tuples.
        hashing_dim: The number of bins of hashed features that are given by name.
        num_discretization_bins: The number of bins of "float_discretized" ones that are given by name.
        name: A name.

    Raises:
        ValueError: For unknown kinds, crosses of unknown features, or no features.

    >>> import hornbeam as keras
    >>> space = keras.utils.FeatureSpace({"age": "float_normalized", "city": "string_categorical"})
    >>> rows = {"age": [20.0, 30.0, 40.0], "city": ["Rome", "Bern", "Rome"]}
    >>> space.adapt(rows)
    >>> keras.ops.convert_to_numpy(space({"age": [30.0], "city": ["Rome"]})).tolist()
    [[0.0, 0.0, 1.0, 0.0]]
    """

    def __init__(
        self,
        features: Any,
        output_mode: str = CONCAT,
        crosses: Any = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        where = self._where()
        if output_mode not in (CONCAT, DICT):
            raise UnknownNameError("output_mode", output_mode, (CONCAT, DICT), where)
        self.output_mode = output_mode
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = kinds.checked_features(features, hashing_dim, num_discretization_bins, where)
        self.crosses = kinds.checked_crosses(crosses, crossing_dim, self.features, where)
        self.crosses_by_name = {one.name: one for one in self.crosses}
        self.inputs = {
            name: Input((1,), dtype=feature.dtype, name=name) for name, feature in self.features.items()
        }
        self.preprocessors = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers = {one.name: HashedCrossing(one.crossing_dim, name=one.name) for one in self.crosses}
        self.one_hot_encoders: dict[str, Any] = {}
        self.concat: Any = None
        self.encoded_features: Any = None
        self._depths: dict[str, int] = {}  # of the one-hot parts, as long as nothing new is learnt

    # --- kinds of features -----------------------------------------------------------------------------------

    @classmethod
    def cross(cls, feature_names: Any, crossing_dim: int, output_mode: str = ONE_HOT) -> Cross:
        """Features that also count together.

        Args:
            feature_names: The names of at least two features whose preprocessors give whole numbers.
            crossing_dim: The number of bins for their combinations.
            output_mode: "one_hot" or "int".
        """
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: Any, preprocessor: Any, output_mode: str) -> Feature:
        """A feature with a layer of one's own.

        Args:
            dtype: The dtype of the column, "string" for texts.
            preprocessor: A layer that takes a column of shape `(batch, 1)`.
            output_mode: "float" for what the layer gives, "one_hot" for a vector over the numbers that it gives, "int"
                for these numbers, which only a space with `output_mode="dict"` takes.
        """
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Numbers as they are."""
        return kinds.plain(name)

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """Numbers by `x * scale + offset`."""
        return kinds.rescaled(scale, offset, name)

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Numbers with mean 0 and variance 1, by `Normalization`."""
        return kinds.normalized(name)

    @classmethod
    def float_discretized(
        cls, num_bins: int | None, bin_boundaries: Any = None, output_mode: str = ONE_HOT, name: str | None = None
    ) -> Feature:
        """Numbers sorted into bins, by `Discretization`.

        Args:
            num_bins: How many bins to learn; None with `bin_boundaries`.
            bin_boundaries: The boundaries, where they are known.
            output_mode: "one_hot" or "int".
            name: The name of the layer.
        """
        return kinds.discretized(num_bins, bin_boundaries, output_mode, name)

    @classmethod
    def integer_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = ONE_HOT,
        name: str | None = None,
    ) -> Feature:  # fmt: skip
        """Whole numbers by a learnt vocabulary, by `IntegerLookup`; unknown ones share the first indices."""
        return kinds.categorical("integer", max_tokens, num_oov_indices, output_mode, name)

    @classmethod
    def string_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = ONE_HOT,
        name: str | None = None,
    ) -> Feature:  # fmt: skip
        """Texts by a learnt vocabulary, by `StringLookup`; unknown ones share the first indices."""
        return kinds.categorical("string", max_tokens, num_oov_indices, output_mode, name)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = ONE_HOT, name: str | None = None) -> Feature:
        """Texts sorted into bins by `Hashing`."""
        return kinds.hashed("string", num_bins, output_mode, name)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = ONE_HOT, name: str | None = None) -> Feature:
        """Whole numbers sorted into bins by `Hashing`."""
        return kinds.hashed("integer", num_bins, output_mode, name)

    # --- adapting --------------------------------------------------------------------------------------------

    def adapt(self, dataset: Any) -> None:
        """Learns what the features need, in one pass over data; what was learnt before is forgotten.

        Args:
            dataset: A dict of columns, a frame, or what yields dicts of columns: a dataset of any kind (batched or
                not) or a generator, which may be larger than memory. Columns that are no features are passed over.

        Raises:
            ValueError: If a column is missing or does not fit; then the space stays as it was.
        """
        learning = {name: layer for name, layer in self.preprocessors.items() if _learns(layer)}
        kept = {name: layer._snapshot() for name, layer in learning.items() if isinstance(layer, AdaptingLayer)}
        name = ""
        try:
            for layer in learning.values():
                layer.reset_state()
            empty = True
            for rows in self._batches(dataset):
                empty = False
                for name, layer in learning.items():
                    layer.update_state(self._column(rows, name))
            name = ""
            if empty:
                raise ArgumentError("at least one batch of data", "none", f"adapt of {self._where()}")
            for name in learning:
                learning[name].finalize_state()
        except BaseException as problem:
            for one, layer in learning.items():
                layer._restore(kept[one]) if one in kept else layer.reset_state()
            if name and isinstance(problem, Exception):
                problem.add_note(f"In the feature {name!r} of {self._where()}.")
            raise
        self._encode_symbols()

    def _batches(self, dataset: Any) -> Iterator[Mapping[str, Any]]:
        where = f"adapt of {self._where()}"
        if hasattr(dataset, "keys") and hasattr(dataset, "__getitem__"):
            yield dataset
            return
        if hasattr(dataset, "as_numpy_iterator"):
            dataset = dataset.as_numpy_iterator()
        if isinstance(dataset, (str, bytes, np.ndarray)) or not hasattr(dataset, "__iter__"):
            raise ArgumentTypeError("a dict of columns, or a dataset of such dicts", describe(dataset), where)
        for rows in dataset:
            if not hasattr(rows, "keys"):
                raise ArgumentTypeError(
                    "batches that are dicts of columns", describe(rows), where,
                    "Take the targets out first: dataset.map(lambda x, y: x).",
                )  # fmt: skip
            yield rows

    def _column(self, rows: Mapping[str, Any], name: str) -> np.ndarray:
        """One column, of shape `(rows, 1)` unless it has further axes."""
        try:
            value = rows[name]
        except KeyError:
            raise _MissingColumnError(
                f"a column {name!r}", f"columns {sorted(map(str, rows.keys()))}", self._where(),
                nearest(name, map(str, rows.keys())),
            ) from None
        array = value if isinstance(value, np.ndarray) else as_array(value, f"feature {name!r} of {self._where()}")
        return array.reshape((-1, 1)) if array.ndim < 2 else array

    # --- as part of a model ----------------------------------------------------------------------------------

    def get_inputs(self) -> dict[str, KerasTensor]:
        """The symbolic columns, by name, for the inputs of a model."""
        self._check_adapted()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """The symbolic result for `get_inputs()`: a tensor, or a dict of them.

        Raises:
            ValueError: If the space has to be adapted first.
        """
        self._check_adapted()
        if self.encoded_features is None:
            self._encode_symbols()
        return self.encoded_features

    def _check_adapted(self) -> None:
        for name, layer in self.preprocessors.items():
            if not _has_state(layer):
                raise ValueStateError(
                    "a space that was adapted", f"one whose feature {name!r} has learnt nothing yet", self._where(),
                    "You need to call `.adapt(dataset)` on the FeatureSpace before you can start using it.",
                )  # fmt: skip

    def _encode_symbols(self) -> None:
        if any(self._depth(name) != encoder.num_tokens for name, encoder in self.one_hot_encoders.items()):
            self.one_hot_encoders = {}  # adapted anew, to another vocabulary
        self.encoded_features = self._encoded(self.inputs)
        self._depths = {name: self._depth(name) for name, mode in self._modes().items() if mode == ONE_HOT}
        self.built = True

    def _encoded(self, inputs: dict[str, Any]) -> Any:
        """The layers of the space, applied to symbolic columns."""
        prepared: dict[str, Any] = {name: layer(inputs[name]) for name, layer in self.preprocessors.items()}
        for cross in self.crosses:
            prepared[cross.name] = self.crossers[cross.name]([prepared[one] for one in cross.feature_names])
        modes = self._modes()
        if self.output_mode == DICT:
            return {name: self._encoder(name)(one) if modes[name] == ONE_HOT else one for name, one in prepared.items()}
        parts = []
        for name in self._order():
            one = prepared[name]
            if modes[name] == ONE_HOT:
                if not one.dtype.startswith(("int", "uint")):
                    raise self._not_whole(name, one.dtype)
                one = self._encoder(name)(one)
            elif one.dtype.startswith(("int", "uint", "string")):
                raise self._not_encoded(name, one.dtype)
            parts.append(one)
        if self.concat is None:
            self.concat = TFDConcat(axis=-1)
        return self.concat(parts)

    def _encoder(self, name: str) -> CategoryEncoding:
        if name not in self.one_hot_encoders:
            self.one_hot_encoders[name] = CategoryEncoding(self._depth(name), output_mode="multi_hot")
        return self.one_hot_encoders[name]

    def _modes(self) -> dict[str, str]:
        features = {name: one.output_mode for name, one in self.features.items()}
        return features | {one.name: one.output_mode for one in self.crosses}

    def _order(self) -> list[str]:
        """The names of the parts of the vector."""
        return [*sorted(self.features), *sorted(one.name for one in self.crosses)]

    def _depth(self, name: str) -> int:
        """How many numbers a feature or cross can have."""
        layer = self.crossers[name] if name in self.crossers else self.preprocessors[name]
        if isinstance(layer, (Hashing, HashedCrossing)):
            return layer.num_bins
        if isinstance(layer, Discretization):
            return layer.num_bins or len(layer.bin_boundaries or ()) + 1
        size = getattr(layer, "vocabulary_size", None)
        if size is None:
            raise ArgumentError(
                "a preprocessor whose numbers have a known bound: a lookup, Hashing or Discretization",
                type(layer).__name__, f"feature {name!r} of {self._where()}",
                'Let it give vectors itself, with output_mode="float".',
            )  # fmt: skip
        return size()

    def _not_whole(self, name: str, dtype: str) -> ArgumentError:
        return ArgumentError(
            'a preprocessor that gives whole numbers, with output_mode="one_hot"', f"one that gives {dtype}",
            f"feature {name!r} of {self._where()}",
        )  # fmt: skip

    def _not_encoded(self, name: str, dtype: str) -> ArgumentError:
        return ArgumentError(
            "floats or one-hot vectors to concatenate", f"the feature {name!r}, which is {dtype}", self._where(),
            'Give it output_mode="one_hot", or make the space with output_mode="dict".',
        )  # fmt: skip

    # --- the call --------------------------------------------------------------------------------------------

    def call(self, data: Any) -> Any:
        """The vectors of rows.

        Args:
            data: A dict of columns: arrays, lists or tensors of shape `(batch,)` or `(batch, 1)`; or of single values,
                for one row.

        Returns:
            A float tensor of shape `(batch, size)`, or `(size,)` for one row; or a dict of tensors. Texts and whole
            numbers that `adapt` did not see have a place of their own. A missing number, NaN, stays one, or falls
            into the last bin of a "float_discretized" feature: fill or drop such before.

        Raises:
            ValueError: If the space has to be adapted first, or columns do not fit.
            KeyError: If a column is missing, or there are others than the features.
        """
        if not hasattr(data, "keys"):
            raise ArgumentError("a dict of columns", describe(data), self._where())
        self._check_names(data)
        self._check_adapted()
        if self.encoded_features is None:
            self._encode_symbols()
        return super().call({name: data[name] for name in self.features})

    def _check_names(self, data: Any) -> None:
        others = [name for name in data.keys() if name not in self.features]  # noqa: SIM118 - may be a frame
        if others:
            raise _MissingColumnError(
                f"the features {list(self.features)} only", f"also {others}", self._where(), "Leave these columns out."
            )
        missing = [name for name in self.features if name not in data.keys()]  # noqa: SIM118
        if missing:
            raise _MissingColumnError(
                f"the features {list(self.features)}", f"nothing for {missing}", self._where(),
                nearest(missing[0], map(str, data.keys())),
            )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        """Nothing depends on shapes: `adapt` and the first call do the rest."""

    def _build_from_call(self, args: tuple, kwargs: dict[str, Any]) -> None:
        pass  # `call` looks at the state of the features

    def _record(self, args: tuple, kwargs: dict[str, Any], first_call: bool) -> Any:
        # on symbolic columns the layers themselves become nodes, so that files of models are those of Keras
        data = args[0] if args else kwargs["data"]
        self._check_names(data)
        self._check_adapted()
        return self._encoded(dict(data))

    def compute(self, inputs: Any) -> Any:
        columns = {name: self._column(inputs, name) for name in self.features}
        single = all(np.ndim(one) == 0 for one in inputs.values())
        counts = {name: len(one) for name, one in columns.items()}
        if len(set(counts.values())) > 1:
            raise ArgumentError("columns of one length", f"rows {counts}", self._where())
        prepared = {name: self._prepared(name, column) for name, column in columns.items()}
        for cross in self.crosses:
            prepared[cross.name] = self.crossers[cross.name].compute([prepared[one] for one in cross.feature_names])
        rows = next(iter(counts.values()))
        if self.output_mode == CONCAT:
            result = self._vectors(prepared, rows)
            return result[0] if single else result
        modes = self._modes()
        outputs = {}
        for name, one in prepared.items():
            if modes[name] == ONE_HOT:
                depth = self._checked_depth(name, one)
                hot = shareable_zeros((rows, depth), self.compute_dtype)
                hot[np.arange(rows)[:, None], one] = 1
                one = hot
            elif name in columns and np.may_share_memory(one, columns[name]):
                one = one.copy()  # numbers as they came, which are the caller's
            outputs[name] = one[0] if single else one
        return outputs

    def _prepared(self, name: str, column: np.ndarray) -> np.ndarray:
        layer = self.preprocessors[name]
        try:
            if isinstance(layer, (HostLayer, TwoSidedLayer)):
                return layer.compute(column)
            if isinstance(layer, kinds.TFDIdentity):
                return as_numbers(column, self.features[name].dtype, f"feature {name!r} of {self._where()}")
            with host_values():
                outputs = layer(column)
            return outputs if isinstance(outputs, np.ndarray) else backend.to_numpy(outputs)
        except Exception as problem:
            problem.add_note(f"In the feature {name!r} of {self._where()}.")
            raise

    def _checked_depth(self, name: str, numbers: np.ndarray) -> int:
        depth = self._depths[name]
        if numbers.dtype.kind not in "iu":
            raise self._not_whole(name, numbers.dtype.name)
        if numbers.size and (numbers.min() < 0 or numbers.max() >= depth):
            wrong = numbers[(numbers < 0) | (numbers >= depth)]
            raise ArgumentError(
                f"numbers from 0 to {depth - 1}", f"{wrong[0]}", f"feature {name!r} of {self._where()}"
            )
        return depth

    def _vectors(self, prepared: dict[str, np.ndarray], rows: int) -> np.ndarray:
        """All parts side by side, written where they belong."""
        modes = self._modes()
        widths = {
            name: self._checked_depth(name, prepared[name]) if modes[name] == ONE_HOT else prepared[name].shape[-1]
            for name in self._order()
        }
        result = shareable_zeros((rows, sum(widths.values())), self.compute_dtype)
        starts = np.arange(rows)[:, None] * result.shape[1]
        flat = result.reshape(-1)
        place = 0
        for name, width in widths.items():
            part = prepared[name]
            if modes[name] == ONE_HOT:
                flat[starts + (part + place)] = 1
            elif part.dtype.kind in "iuOUS" or modes[name] == INT:
                raise self._not_encoded(name, part.dtype.name)
            else:
                result[:, place : place + width] = part
            place += width
        return result

    def compute_output_spec(self, data: Any) -> Any:
        """Shapes and dtypes of the outputs."""
        symbols = self.get_encoded_features()
        given = [one.shape for one in data.values()]
        batch = () if all(shape == () for shape in given) else (next(shape[0] for shape in given if shape),)

        def spec(one: KerasTensor) -> KerasTensor:
            return KerasTensor((*batch, *one.shape[1:]), one.dtype)

        if isinstance(symbols, dict):
            return {name: spec(one) for name, one in symbols.items()}
        return spec(symbols)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for a dict of shapes of columns."""
        shapes = {name: KerasTensor(shape, self.features[name].dtype) for name, shape in input_shape.items()}
        found = self.compute_output_spec(shapes)
        return {name: one.shape for name, one in found.items()} if isinstance(found, dict) else found.shape

    # --- files -----------------------------------------------------------------------------------------------

    def save(self, filepath: Any) -> None:
        """Writes the space, with all that it learnt, to a `.keras` file, which `keras.models.load_model` reads."""
        save_model(self, filepath)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal space."""
        return {
            "features": {name: serialize_value(one) for name, one in self.features.items()},
            "output_mode": self.output_mode,
            "crosses": [serialize_value(one) for one in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FeatureSpace:
        """A space made from what `get_config` gave, here or in Keras."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any]:
        """What the preprocessors need to be built before their weights are loaded, by feature."""
        return {name: layer.get_build_config() for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: Any) -> None:
        """Builds the preprocessors, and what follows them where all have learnt."""
        for name, layer in self.preprocessors.items():
            if not layer.built:
                layer.build_from_config((config or {}).get(name))
        if all(map(_has_state, self.preprocessors.values())):
            self._encode_symbols()


def _learns(layer: Any) -> bool:
    """Whether a layer learns from data, and was not given what there is to learn."""
    if isinstance(layer, TextVectorization):
        layer = layer._lookup_layer
    if isinstance(layer, IndexLookup):
        return not layer._is_static
    if isinstance(layer, AdaptingLayer):
        return not layer._refuse_adapt()
    return all(hasattr(layer, one) for one in ("adapt", "reset_state", "update_state", "finalize_state"))


def _has_state(layer: Any) -> bool:
    """Whether a layer has learnt, or been given, or has to be read from a file, what it needs."""
    if isinstance(layer, TextVectorization):
        layer = layer._lookup_layer
    if isinstance(layer, IndexLookup):
        return layer._is_set or layer._expected_size is not None
    if isinstance(layer, Discretization):
        return layer.bin_boundaries is not None
    return layer.built or layer.input_mean is not None if isinstance(layer, Normalization) else True


class _MissingColumnError(ArgumentError, KeyError):
    """A column that is not there, or should not be."""
