"""Names of dtypes and the one promotion rule of all backends; knows names only, no framework.

The lattice is that of JAX (https://docs.jax.dev/en/latest/type_promotion.html), without 64-bit surprise: a
Python number is weak and never widens an array.
"""

from __future__ import annotations

import functools
from typing import Any

from hornbeam import _config
from hornbeam.errors import ArgumentTypeError, UnknownNameError

BOOL = ("bool",)
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
SIGNED = ("int8", "int16", "int32", "int64")
INTEGERS = UNSIGNED + SIGNED + ("int4", "uint4")
FLOATS = ("float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2")
COMPLEX = ("complex64", "complex128")
ALL = BOOL + INTEGERS + FLOATS + COMPLEX + ("string",)

_PYTHON = {bool: "bool", int: "int32", float: "", complex: "complex64", str: "string"}

# Each dtype and the next larger ones; promotion is the least upper bound in this graph.
_EDGES: dict[str, tuple[str, ...]] = {
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "complex"),
    "float8_e4m3fn": (),
    "float8_e5m2": (),
    "float16": ("float32",),
    "bfloat16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex": ("complex64",),
    "complex64": ("complex128",),
    "complex128": (),
}
_WEAK = {"int": "int32", "float": "float32", "complex": "complex64"}


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype given as a string, a NumPy, JAX, torch or TensorFlow dtype, or a Python type.

    Args:
        dtype: Any of the above, or None for the default float type.

    Returns:
        A name such as ``"float32"``; strings of all kinds are ``"string"``.

    Raises:
        ValueError: For anything that names no dtype; the text lists the nearest names.

    >>> standardize_dtype(None)
    'float32'
    """
    if type(dtype) is str and dtype in _KNOWN:
        return dtype
    try:
        return _standardize_cached(dtype)
    except TypeError:
        raise ArgumentTypeError("a dtype", repr(dtype)) from None


@functools.lru_cache(maxsize=256)
def _standardize_cached(dtype: Any) -> str:
    if dtype is None:
        return _config.floatx()
    if dtype in _PYTHON:
        return _PYTHON[dtype] or _config.floatx()
    name = getattr(dtype, "name", None)
    if name is None and isinstance(dtype, type):
        name = dtype.__name__
    if not isinstance(name, str):
        name = str(dtype)
    name = name.rpartition(".")[2]  # torch.float32
    if name.startswith(("str", "bytes", "object")) or name in ("<U", "S"):
        name = "string"
    name = {"float": _config.floatx(), "int": "int32", "half": "float16", "bool_": "bool", "double": "float64"}.get(
        name, name
    )
    if name not in _KNOWN:
        raise UnknownNameError("dtype", dtype, ALL)
    return name


_KNOWN = frozenset(ALL)


def is_float(dtype: Any) -> bool:
    """Whether `dtype` is a real floating type."""
    return standardize_dtype(dtype) in FLOATS


def is_int(dtype: Any) -> bool:
    """Whether `dtype` is an integer type (bool is not)."""
    return standardize_dtype(dtype) in INTEGERS


def is_complex(dtype: Any) -> bool:
    """Whether `dtype` is a complex type."""
    return standardize_dtype(dtype) in COMPLEX


@functools.cache
def _above(name: str) -> frozenset[str]:
    return frozenset({name}).union(*(_above(one) for one in _EDGES[name]))


@functools.lru_cache(maxsize=4096)
def _join(names: tuple[str, ...]) -> str:
    common = frozenset.intersection(*(_above(one) for one in names))
    return min(common, key=lambda one: -len(_above(one)), default="float32") if common else "float32"


def promote(*names: str) -> str:
    """The dtype of an operation on the named dtypes; "int", "float", "complex" stand for Python numbers.

    >>> promote("bfloat16", "int32"), promote("int8", "uint8"), promote("float16", "float")
    ('bfloat16', 'int16', 'float16')
    """
    joined = names[0] if len(set(names)) == 1 else _join(tuple(sorted(set(names))))
    return _config.floatx() if joined == "float" else _WEAK.get(joined, joined)


def kind_of(value: Any) -> str:
    """The name under which `value` enters `promote`: its dtype, or a weak kind for a Python number."""
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        return standardize_dtype(dtype)
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, complex):
        return "complex"
    if value in _PYTHON:
        return {bool: "bool", int: "int", float: "float", complex: "complex"}.get(value, "string")
    return standardize_dtype(value)


def result_type(*dtypes: Any) -> str:
    """The dtype that an operation on these dtypes, arrays or Python numbers gives.

    >>> result_type("int32", "float16"), result_type("int32", float)
    ('float16', 'float32')
    """
    if not dtypes:
        return _config.floatx()
    return promote(*(kind_of(one) for one in dtypes))
