"""Tables in CSV and Parquet files as datasets of batches, in the style of the loaders of folders."""

from __future__ import annotations

import glob
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.data.dataset import Dataset, workers_of
from hornbeam.data.directory import MissingFolderError, check_split
from hornbeam.data.files import check_on_error
from hornbeam.data.formats import check_format, in_format
from hornbeam.data.table_columns import DTYPES
from hornbeam.data.table_files import CsvOptions, arrow, open_files
from hornbeam.data.table_rows import Held, TableRows
from hornbeam.data.table_source import Table
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, describe

MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
_LABEL_MODES = ("auto", "int", "categorical", "binary")


def table_dataset(
    files: str | os.PathLike | Sequence[str | os.PathLike],
    label: str | None = None,
    label_mode: str | None = "auto",
    class_names: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    dtypes: Mapping[str, str] | None = None,
    missing: str | Mapping[str, Any] = "keep",
    missing_values: Sequence[str] = MISSING,
    batch_size: int | None = 32,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    file_format: str = "auto",
    delimiter: str = ",",
    quote: str = '"',
    header: bool | Sequence[str] = True,
    encoding: str = "utf-8",
    format: str = "hornbeam",
    verbose: bool = True,
    on_error: str = "raise",
    workers: int = 0,
    memory: int = 1 << 30,
) -> Any:
    r"""Rows of CSV or Parquet files as a dataset of batches: a dict of columns, and labels beside it.

    The files are read through once, to see how many rows there are and of which kind each column is: whole numbers
    (int64), numbers (the default float type), truth values, or text. Spaces around values do not count. A table with
    more than `memory` bytes of files is read in blocks, in each pass anew.

    Args:
        files: A file, a pattern such as `"logs/*.csv.gz"`, or a list of these. CSV may be packed (gz, bz2,
            xz, zst, lz4).
        label: The column that is the label; None for no labels.
        label_mode: "int" numbers the classes and gives int32 `[batch]`, "categorical" float32 `[batch, classes]`,
            "binary" float32 `[batch, 1]` for exactly two classes, None gives labels as the values they are, and
            "auto" is "int" for text and None for numbers.
        class_names: The classes in the order of their numbers; None for the order of the alphabet, or of numbers.
        columns: Which columns to have, the label aside; None for all.
        dtypes: From column to "bool", "int32", "int64", "float32", "float64", "string" or "category", for columns
            that are not to be what they look like. A category is the number (int32) of a text among all of its
            column, -1 where it is missing; `vocabularies` of the dataset has the texts.
        missing: What becomes of missing values: "keep" gives NaN and empty text, "raise" an error that names the
            first, "skip" leaves their rows out, and a dict has a value for each column where some may be missing.
            Of labels none may be missing otherwise.
        missing_values: The texts that mean that a value is missing. In Parquet files nulls and NaN do.
        batch_size: Rows in a batch; None for single ones.
        shuffle: Whether rows come in random order, a new one for each pass. Of tables larger than `memory`, blocks
            come in random order, and rows are shuffled among as many as fit.
        seed: Fixes the orders and the split.
        validation_split: The share of rows held back for validation: any with `shuffle`, else the last ones.
        subset: "training", "validation", or "both" for a list of the two datasets.
        file_format: "csv", "parquet", or "auto" for what a file's ending says.
        delimiter: The character between values.
        quote: The character around values which have others in them; it stands right beside the delimiters.
        header: Whether the first row of each CSV file has the names of the columns; or their names.
        encoding: How CSV files are encoded.
        format: "hornbeam" for a `hornbeam.data.Dataset`, "grain", "tf" or "torch" for a dataset of these packages.
        verbose: Whether to print how many rows there are.
        on_error: "raise" an error that names file and line of a row with too many or too few values, or with one
            that `dtypes` does not allow; or "skip" such rows: the first pass warns at its end, and `skipped_rows` of
            the dataset has the reasons.
        workers: How many threads make batches; 0 makes each when it is needed. Files are read ahead in any case.
        memory: Bytes of the files up to which a table is kept in memory; of a larger one, half of that at a time.

    Returns:
        A dataset of `{column: array}` or `({column: array}, labels)`, text being `str` in arrays of dtype object; with
        `column_dtypes`, `vocabularies`, `class_names`, `file_paths` and `skipped_rows`.

    Raises:
        OSError: If a file is not there, or is no table, or has a row that cannot be used.
        ValueError: If an argument is wrong, or there are no rows.
        ImportError: If pyarrow is not installed.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "people.csv"
    >>> _ = path.write_text("age,town,works\n31,Ulm,yes\n,Graz,no\n")
    >>> data = table_dataset(path, label="works", shuffle=False)
    Found 2 rows in 1 file, belonging to 2 classes.
    >>> [(columns, labels)] = data
    >>> columns
    {'age': array([31., nan], dtype=float32), 'town': array(['Ulm', 'Graz'], dtype=object)}
    >>> labels, data.class_names
    (array([1, 0], dtype=int32), ['no', 'yes'])
    """
    where = "table_dataset"
    format = check_format(format, where)
    skip = check_on_error(on_error, where)
    check_split(validation_split, subset, shuffle, seed, where)
    if label_mode is not None and label_mode not in _LABEL_MODES:
        raise UnknownNameError("label mode", label_mode, (*_LABEL_MODES, "None"), where)
    for name, value in (("batch_size", batch_size), ("memory", memory)):
        if value is not None or name == "memory":
            _check_count(value, name, where)
    if file_format not in ("auto", "csv", "parquet"):
        raise UnknownNameError("file format", file_format, ("auto", "csv", "parquet"), where)
    workers = workers_of(workers, where)
    arrow()  # a missing package shows here
    paths = _paths(files, where)
    opened = open_files(paths, file_format, _csv_options(delimiter, quote, header, encoding, where), where)
    wanted, dtypes = _columns(opened[0].names, label, columns, dtypes, where)
    names = wanted if label is None else [*wanted, label]
    _check_missing(missing, names, where)
    table = Table(opened, names, dtypes, missing_values, missing, skip, memory, where)
    if not sum(table.counts):
        raise ArgumentError("a table with at least one row", "none that can be used", f"{where}: {paths[0]}")
    labels = None if label is None else _Labels(table, label, label_mode, class_names, where)
    element = _Element(wanted, label, labels)
    if verbose:
        of = "" if labels is None or labels.class_names is None else f", belonging to {len(labels.class_names)} classes"
        print(f"Found {sum(table.counts)} rows in {len(paths)} {'file' if len(paths) == 1 else 'files'}{of}.")
    seed = random.randrange(10**6) if seed is None else seed
    about = {
        "class_names": None if labels is None else labels.class_names, "file_paths": paths,
        "skipped_rows": [str(one) for one in table.skipped],
        "column_dtypes": {name: table.columns[name].dtype for name in wanted},
        "vocabularies": {
            name: list(table.columns[name].vocabulary or ()) for name in wanted
            if table.columns[name].dtype == "category"
        },
    }  # fmt: skip
    made = []
    for part in ("training", "validation"):
        if subset not in (part, "both") and (subset is not None or part == "validation"):
            continue
        held = Held(table.counts, validation_split, seed if shuffle else None, part == "validation")
        count = sum(held.counts)
        if subset is not None and verbose:
            print(f"Using {count} rows for {part}.")
        if not count:
            raise ArgumentError(
                f"a validation_split that leaves rows for {part}", f"{validation_split} of {sum(table.counts)}", where
            )
        drawn = seed if shuffle and part == "training" else None
        node = TableRows(table, held, element, drawn, None if table.whole else max(1, memory // 6), workers)
        made.append(in_format(Dataset(node, about), None, batch_size, format, workers, about))
    return made[0] if len(made) == 1 else made


class _Element:
    """Makes the element of the arrays of a block."""

    def __init__(self, columns: Sequence[str], label: str | None, labels: _Labels | None) -> None:
        self._columns, self._label, self._labels = columns, label, labels

    def __call__(self, arrays: dict[str, np.ndarray]) -> Any:
        row = {name: arrays[name] for name in self._columns}
        return row if self._labels is None or self._label is None else (row, self._labels(arrays[self._label]))


class _Labels:
    """Labels in the form that was asked for; sees to it that the table has them as numbers of classes."""

    def __init__(
        self, table: Table, name: str, mode: str | None, class_names: Sequence[str] | None, where: str
    ) -> None:
        about = table.columns[name]
        filled = isinstance(table.missing, Mapping) and name in table.missing
        if table.gaps[name] and table.missing != "skip" and not filled:
            raise ArgumentError(
                f"a label in each row, in column {name!r}", f"{table.gaps[name]} rows without", where,
                f"Leave such rows out with missing='skip', or say missing={{{name!r}: value}}.",
            )  # fmt: skip
        if mode == "auto":
            mode = "int" if about.dtype in ("string", "category") or class_names is not None else None
        self._mode, self.class_names = mode, None
        if mode is None:
            if class_names is not None:
                raise ArgumentError("no class_names with label_mode=None", repr(class_names), where)
            return
        found = table.values(name)
        fill = str(table.missing[name]) if filled else ""
        if table.gaps[name] and filled and fill not in found:
            found.append(fill)
        known = list(found) if class_names is None else [str(one) for one in class_names]
        if len(set(known)) != len(known) or set(found) - set(known):
            raise ArgumentError(
                "class_names with each label of the table, once", f"{known}; the labels are {found[:20]}", where
            )
        if mode == "binary" and len(known) != 2:
            raise ArgumentError(
                "exactly 2 classes for label_mode='binary'", f"{len(known)}: {known[:20]}", where,
                "Choose label_mode='int' or 'categorical'.",
            )  # fmt: skip
        self.class_names = known
        numbers = {one: number for number, one in enumerate(known)}
        table.columns[name] = about._replace(dtype="category", fill=numbers.get(fill, -1), vocabulary=numbers)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        if self._mode == "categorical":
            return np.eye(len(self.class_names or ()), dtype=np.float32)[values]
        return values.astype(np.float32)[:, None] if self._mode == "binary" else values


def _paths(files: Any, where: str) -> list[str]:
    given = [files] if isinstance(files, (str, os.PathLike)) else files
    if not isinstance(given, (list, tuple)) or not all(isinstance(one, (str, os.PathLike)) for one in given):
        raise ArgumentTypeError("a path, a pattern, or a list of these", describe(files), where)
    found: list[str] = []
    for one in map(os.fspath, given):
        if Path(one).is_file():
            found.append(one)
            continue
        if Path(one).is_dir():
            raise ArgumentError("a file", f"the folder {one!r}", where, "Give a pattern, such as 'folder/*.csv'.")
        matching = sorted(path for path in glob.glob(one, recursive=True) if Path(path).is_file())  # noqa: PTH207
        if not matching:
            raise MissingFolderError("a file, or a pattern that some match", f"none for {one!r}", where)
        found += matching
    if not found:
        raise ArgumentError("at least one file", "none", where)
    return found


def _csv_options(delimiter: Any, quote: Any, header: Any, encoding: Any, where: str) -> CsvOptions:
    for name, value in (("delimiter", delimiter), ("quote", quote)):
        if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value in "\r\n":
            raise ArgumentError(f"one ASCII character as {name}", repr(value), where)
    names = None
    if not isinstance(header, (bool, np.bool_)):
        if isinstance(header, str) or not all(isinstance(one, str) for one in header):
            raise ArgumentTypeError("header=True, False or the names of the columns", repr(header), where)
        names, header = tuple(header), False
    try:
        "".encode(encoding)
    except (LookupError, TypeError):
        raise ArgumentError("an encoding that Python knows", repr(encoding), where) from None
    return CsvOptions(delimiter, quote, bool(header), names, encoding)


def _columns(
    names: Sequence[str], label: str | None, columns: Any, dtypes: Any, where: str
) -> tuple[list[str], dict[str, str]]:
    if isinstance(columns, str):
        raise ArgumentTypeError("a list of columns", repr(columns), where)
    wanted = [one for one in names if one != label] if columns is None else list(columns)
    dtypes = dict(dtypes or {})
    for one in (*wanted, *dtypes, *(() if label is None else (label,))):
        if one not in names:
            raise UnknownNameError("column", one, names, where)
    if len(set(wanted)) != len(wanted) or label in wanted or not wanted:
        raise ArgumentError("different columns, at least one, without the label", f"columns={wanted}", where)
    for dtype in dtypes.values():
        if dtype not in DTYPES:
            raise UnknownNameError("dtype", dtype, DTYPES, where)
    return wanted, {name: dtype for name, dtype in dtypes.items() if name in wanted or name == label}


def _check_missing(missing: Any, names: Sequence[str], where: str) -> None:
    if isinstance(missing, Mapping):
        for one in missing:
            if one not in names:
                raise UnknownNameError("column", one, names, f"{where}: missing")
    elif missing not in ("keep", "raise", "skip"):
        raise UnknownNameError("way to treat missing values", missing, ("keep", "raise", "skip"), where)


def _check_count(value: Any, name: str, where: str) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ArgumentTypeError("a positive int", f"{name}={value!r}", where)
    if value < 1:
        raise ArgumentError("a positive int", f"{name}={value!r}", where)
