"""`hornbeam.initializers`: the first values of weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.initializers.constant import STFT, Constant, Identity, Ones, Zeros
from hornbeam.initializers.initializer import Initializer, RandomInitializer
from hornbeam.initializers.random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from hornbeam.saving.lookup import make_registry_functions

# The older names, in lower case and with a suffix; they are the same classes.
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = IdentityInitializer = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = OrthogonalInitializer = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFTInitializer = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

_get, serialize, deserialize = make_registry_functions(
    "initializer",
    "keras.initializers",
    aliases={"one": Ones, "zero": Zeros, "normal": RandomNormal, "uniform": RandomUniform, "stft": STFT},
)


def get(identifier: Any) -> Any:
    """The initializer that an identifier stands for.

    Args:
        identifier: A name in CamelCase or snake_case, what `serialize` gave, a class, an initializer, a callable
            `(shape, dtype)`, an array of the values themselves, or None.

    Returns:
        The initializer, or None.

    Raises:
        ValueError: For unknown names; the text lists the nearest known ones.

    >>> get("glorot_uniform")
    GlorotUniform(seed=None, input_axes=None, output_axes=None)
    """
    if isinstance(identifier, (np.ndarray, np.generic)) or backend.is_array(identifier):
        return Constant(identifier)
    return _get(identifier)


__all__ = [
    "STFT",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]
