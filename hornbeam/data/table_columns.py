"""Columns of a table: what kind each is, and Arrow's columns as arrays of that kind; knows no files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from hornbeam import _config
from hornbeam.data.table_files import arrow
from hornbeam.errors import ArgumentError

DTYPES = ("bool", "int32", "int64", "float32", "float64", "string", "category")
_RANK = {"": 0, "bool": 1, "int64": 2, "float": 3, "string": 4}


class Column(NamedTuple):
    """How a column is given out.

    Attributes:
        name: Its name.
        dtype: One of `DTYPES`.
        fill: What stands for missing values.
        vocabulary: The numbers of the values of a "category".
    """

    name: str
    dtype: str
    fill: Any
    vocabulary: Mapping[str, int] | None = None


class Unfit(Exception):
    """A value that is none of its column's kind."""

    def __init__(self, row: int, value: str) -> None:
        self.row, self.value = row, value


def is_text(column: Any) -> bool:
    """Whether an Arrow column holds text."""
    types = arrow().types
    return types.is_string(column.type) or types.is_large_string(column.type)


def as_text(column: Any) -> Any:
    """An Arrow column of text with the same values."""
    return column if is_text(column) else arrow().compute.cast(column, arrow().string())


def cleaned(column: Any, missing: frozenset[str], name: str, path: str) -> Any:
    """An Arrow column in one piece: text without spaces around it, and null for what is missing."""
    pyarrow = arrow()
    compute, types = pyarrow.compute, pyarrow.types
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if is_text(column):
        column = compute.utf8_trim_whitespace(column)
        gone = compute.is_in(column, value_set=pyarrow.array(sorted(missing), column.type))
        return compute.if_else(gone, pyarrow.scalar(None, column.type), column)
    if types.is_floating(column.type):
        return compute.if_else(compute.is_nan(column), pyarrow.scalar(None, column.type), column)
    if types.is_decimal(column.type):
        return compute.cast(column, pyarrow.float64())
    if types.is_integer(column.type) or types.is_boolean(column.type) or types.is_null(column.type):
        return column
    raise ArgumentError(
        "columns of numbers, truth values or text", f"{column.type} in column {name!r}", path,
        "Leave it out with columns=[...].",
    )  # fmt: skip


def kind_of(column: Any, known: str) -> str:
    """The narrowest kind, at least `known`, that all values of a clean column have: "" while all are missing."""
    pyarrow = arrow()
    types = pyarrow.types
    if column.null_count == len(column):
        return known
    if not is_text(column):
        found = "bool" if types.is_boolean(column.type) else "float" if types.is_floating(column.type) else "int64"
        return _wider(known, found)
    if known == "string":
        return known
    for kind, target in (("int64", pyarrow.int64()), ("float", pyarrow.float64()), ("bool", pyarrow.bool_())):
        try:
            pyarrow.compute.cast(column.slice(0, 64), target)  # most columns that do not fit show it here
            pyarrow.compute.cast(column, target)
        except pyarrow.ArrowInvalid:
            continue
        return _wider(known, kind)
    return "string"


def _wider(one: str, other: str) -> str:
    if "bool" in (one, other) and one != other and "" not in (one, other):
        return "string"  # true and 3 in one column are words
    return max(one, other, key=_RANK.__getitem__)


def dtype_of(kind: str, gaps: bool) -> str:
    """The dtype that a column of a kind is given out with, where nothing else is said."""
    if kind == "string" or (kind == "bool" and not gaps):
        return kind
    return "int64" if kind == "int64" and not gaps else _config.floatx() if kind != "bool" else "string"


def as_array(column: Any, about: Column) -> np.ndarray:
    """A clean Arrow column as an array.

    Raises:
        Unfit: If a value is none of this kind.
    """
    pyarrow = arrow()
    compute = pyarrow.compute
    if about.dtype in ("string", "category"):
        texts = as_text(column)
        if about.dtype == "category":
            encoded = texts.dictionary_encode()
            known = [about.vocabulary.get(one, -1) for one in encoded.dictionary.to_pylist()]  # type: ignore[union-attr]
            numbers = encoded.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
            return np.array([*known, about.fill], np.int32)[numbers]
        return texts.fill_null(about.fill).to_numpy(zero_copy_only=False).astype(object)
    target = pyarrow.bool_() if about.dtype == "bool" else pyarrow.type_for_alias(about.dtype)
    try:
        numbers = compute.cast(column, target)
    except pyarrow.ArrowInvalid:
        row = int(np.argmax(unfit_rows(column, about.dtype)))
        raise Unfit(row, str(column[row].as_py())) from None
    if numbers.null_count:
        numbers = numbers.fill_null(pyarrow.scalar(about.fill, target))
    return np.array(numbers.to_numpy(zero_copy_only=False), about.dtype)


def unfit_rows(column: Any, dtype: str) -> np.ndarray:
    """Which values of a clean Arrow column are none of a dtype; missing ones are none of these."""
    pyarrow = arrow()
    none = np.zeros(len(column), bool)
    if dtype in ("string", "category"):
        return none
    target = pyarrow.bool_() if dtype == "bool" else pyarrow.type_for_alias(dtype)
    try:
        pyarrow.compute.cast(column, target)
        return none
    except pyarrow.ArrowInvalid:
        encoded = column.dictionary_encode()
    wrong = [not _fits(one, target) for one in encoded.dictionary]
    return np.array([*wrong, False])[encoded.indices.fill_null(len(wrong)).to_numpy(zero_copy_only=False)]


def _fits(value: Any, target: Any) -> bool:
    try:
        arrow().compute.cast(value, target)
    except arrow().ArrowInvalid:
        return False
    return True
