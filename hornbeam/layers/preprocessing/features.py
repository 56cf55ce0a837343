"""What a `FeatureSpace` is made of: `Feature`, `Cross`, the two layers that only its files name, and kinds by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import dtypes, ops
from hornbeam._arguments import KeepsArguments
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, describe
from hornbeam.layers.core.small import Rescaling
from hornbeam.layers.layer import Layer
from hornbeam.layers.preprocessing.discretization import Discretization
from hornbeam.layers.preprocessing.hashing import Hashing
from hornbeam.layers.preprocessing.integer_lookup import IntegerLookup
from hornbeam.layers.preprocessing.normalization import Normalization
from hornbeam.layers.preprocessing.string_lookup import StringLookup
from hornbeam.saving.config import deserialize_value, serialize_value
from hornbeam.scope import auto_name

INT, ONE_HOT, FLOAT = "int", "one_hot", "float"


@wire("keras.src.layers.preprocessing.feature_space.Feature")
class Feature:
    """One column of a table: its dtype, the layer that prepares it, and the form it takes in the result.

    Made by `FeatureSpace.float_normalized` and its sisters, or by `FeatureSpace.feature`.

    Args:
        dtype: The dtype of the column: a dtype of numbers, or "string".
        preprocessor: The layer.
        output_mode: "float" for what the layer gives, "one_hot" for a vector over the numbers that it gives, "int" for
            these numbers.
    """

    def __init__(self, dtype: Any, preprocessor: Any, output_mode: str) -> None:
        if output_mode not in (INT, ONE_HOT, FLOAT):
            raise UnknownNameError("output_mode", output_mode, (INT, ONE_HOT, FLOAT), "Feature")
        if isinstance(preprocessor, dict):
            preprocessor = deserialize_value(preprocessor)
        if not callable(preprocessor):
            raise ArgumentTypeError("a layer as preprocessor", describe(preprocessor), "Feature")
        self.dtype = dtypes.standardize_dtype(dtype)
        self.preprocessor = preprocessor
        self.output_mode = output_mode

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal feature."""
        return {
            "dtype": self.dtype, "preprocessor": serialize_value(self.preprocessor), "output_mode": self.output_mode,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Feature:
        """A feature made from what `get_config` gave."""
        return cls(**config)


@wire("keras.src.layers.preprocessing.feature_space.Cross")
class Cross(KeepsArguments):
    """Columns that count together: each combination of their values falls into one of `crossing_dim` bins.

    Args:
        feature_names: The columns, at least one.
        crossing_dim: The number of bins.
        output_mode: "one_hot" for a vector over the bins, "int" for their numbers.
    """

    def __init__(self, feature_names: Any, crossing_dim: int, output_mode: str = ONE_HOT) -> None:
        if output_mode not in (INT, ONE_HOT):
            raise UnknownNameError("output_mode", output_mode, (INT, ONE_HOT), "Cross")
        if isinstance(feature_names, str) or not all(isinstance(one, str) for one in feature_names):
            raise ArgumentTypeError("names of features in a list or tuple", describe(feature_names), "Cross")
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = output_mode

    @property
    def name(self) -> str:
        """The names of the columns with "_X_" between them."""
        return "_X_".join(self.feature_names)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Cross:
        """A cross made from what `get_config` gave."""
        return cls(**config)


# The class names of these two stand in weight files.
@wire("keras.src.layers.preprocessing.feature_space.TFDIdentity")
class TFDIdentity(Layer):
    """What comes in, unchanged: the preprocessor of plain numbers."""

    def call(self, x: Any) -> Any:
        """`x`."""
        return x

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {"name": self.name, "dtype": serialize_value(self.dtype_policy), "trainable": self.trainable}


@wire("keras.src.layers.preprocessing.feature_space.TFDConcat")
class TFDConcat(Layer):
    """Several vectors as one.

    Args:
        axis: The axis along which they are joined.
        **kwargs: Further arguments of `Layer`.
    """

    def __init__(self, axis: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        """There are no variables."""

    def call(self, xs: list[Any]) -> Any:
        """The vectors joined."""
        return ops.concatenate(xs, axis=self.axis)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            "name": self.name, "axis": self.axis, "trainable": self.trainable,
            "dtype": serialize_value(self.dtype_policy),
        }  # fmt: skip


# --- kinds -------------------------------------------------------------------------------------------------------


def preprocessor_name(kind: str, name: str | None) -> str:
    """The name of the layer of a feature: from the name of the feature, else from its kind, counting up."""
    return f"{name or auto_name(kind)}_preprocessor"


def plain(name: str | None = None) -> Feature:
    """Numbers as they are."""
    return Feature("float32", TFDIdentity(dtype="float32", name=preprocessor_name("float", name)), FLOAT)


def rescaled(scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
    """Numbers by `x * scale + offset`."""
    return Feature("float32", Rescaling(scale, offset, name=preprocessor_name("float_rescaled", name)), FLOAT)


def normalized(name: str | None = None) -> Feature:
    """Numbers with mean 0 and variance 1."""
    return Feature("float32", Normalization(axis=-1, name=preprocessor_name("float_normalized", name)), FLOAT)


def discretized(
    num_bins: int | None, bin_boundaries: Any = None, output_mode: str = ONE_HOT, name: str | None = None
) -> Feature:
    """Numbers sorted into bins."""
    layer = Discretization(
        num_bins=num_bins, bin_boundaries=bin_boundaries, name=preprocessor_name("float_discretized", name)
    )
    return Feature("float32", layer, output_mode)


def categorical(
    kind: str, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = ONE_HOT,
    name: str | None = None,
) -> Feature:  # fmt: skip
    """Texts ("string") or whole numbers ("integer") by a vocabulary."""
    cls = StringLookup if kind == "string" else IntegerLookup
    layer = cls(
        max_tokens=max_tokens, num_oov_indices=num_oov_indices, name=preprocessor_name(f"{kind}_categorical", name)
    )
    return Feature("string" if kind == "string" else "int32", layer, output_mode)


def hashed(kind: str, num_bins: int, output_mode: str = ONE_HOT, name: str | None = None) -> Feature:
    """Texts ("string") or whole numbers ("integer") by their hash."""
    layer = Hashing(num_bins, name=preprocessor_name(f"{kind}_hashed", name))
    return Feature("string" if kind == "string" else "int32", layer, output_mode)


def by_name(kind: str, name: str, hashing_dim: int, num_bins: int, where: str) -> Feature:
    """The feature `name` of a kind that is given as text.

    Raises:
        ValueError: If there is no such kind; the text lists them.
    """
    kinds: dict[str, Callable[[], Feature]] = {
        "float": lambda: plain(name),
        "float_rescaled": lambda: rescaled(name=name),
        "float_normalized": lambda: normalized(name),
        "float_discretized": lambda: discretized(num_bins, name=name),
        "integer_categorical": lambda: categorical("integer", name=name),
        "string_categorical": lambda: categorical("string", name=name),
        "integer_hashed": lambda: hashed("integer", hashing_dim, name=name),
        "string_hashed": lambda: hashed("string", hashing_dim, name=name),
    }
    if kind not in kinds:
        raise UnknownNameError("feature type", kind, tuple(kinds), f"feature {name!r} of {where}")
    return kinds[kind]()


def checked_features(features: Any, hashing_dim: int, num_bins: int, where: str) -> dict[str, Feature]:
    """The features of a space by name, whatever way each was given.

    Raises:
        ValueError: If there are none, or for kinds that do not exist.
    """
    if not features:
        raise ArgumentError("features, a dict with at least one", repr(features), where)
    if not hasattr(features, "items"):
        raise ArgumentTypeError("a dict of features by name", describe(features), where)
    found: dict[str, Feature] = {}
    for name, given in features.items():
        if isinstance(given, dict):
            given = deserialize_value(given)
        if isinstance(given, str):
            given = by_name(given, name, hashing_dim, num_bins, where)
        if not isinstance(given, Feature):
            raise ArgumentError(
                "a feature type by name, or what FeatureSpace.feature and its sisters give",
                describe(given), f"feature {name!r} of {where}",
            )  # fmt: skip
        found[name] = given
    return found


def checked_crosses(crosses: Any, crossing_dim: int, features: dict[str, Feature], where: str) -> list[Cross]:
    """The crosses of a space, whatever way each was given.

    Raises:
        ValueError: If one names a feature that there is not.
    """
    found: list[Cross] = []
    for given in crosses or ():
        if isinstance(given, dict):
            given = deserialize_value(given)
        if isinstance(given, str):
            raise ArgumentError("a tuple of names of features for each cross", repr(given), where)
        cross = given if isinstance(given, Cross) else Cross(tuple(given), crossing_dim)
        for name in cross.feature_names:
            if name not in features:
                raise UnknownNameError("feature", name, tuple(features), f"crosses of {where}")
        if len(cross.feature_names) < 2:
            raise ArgumentError("at least two features to cross", f"{cross.feature_names}", where)
        found.append(cross)
    return found
