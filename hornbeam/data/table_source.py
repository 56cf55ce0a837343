"""A table in files: read through once to see its columns, its rows and what is wrong with them, then block by block."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hornbeam.data.table_columns import Column, Unfit, as_array, as_text, cleaned, dtype_of, kind_of, unfit_rows
from hornbeam.data.table_files import BadRow, Block, arrow
from hornbeam.errors import ArgumentError, FileFormatError

_FIX = "Repair the file, or leave such rows out with on_error='skip'."
_SHOWN = 1000  # rows that are left out of which it is kept why


class Table:
    """The rows of some files that can be used.

    Args:
        files: As `open_files` gives them.
        names: The columns that are wanted.
        dtypes: The kinds of some; the others show in the files.
        missing_values: The texts that stand for nothing.
        missing: "keep", "raise", "skip", or what stands for missing values in some columns.
        skip: Whether rows that cannot be used are left out.
        kept_bytes: Up to how many bytes of the files what was read is remembered.
        where: For errors.

    Attributes:
        blocks: The parts of the files.
        counts: Rows of each block.
        columns: By name.
        skipped: Why rows were left out, the first thousand of them; those that lack values are but counted.
        gaps: By name of the column, how many values are missing.
    """

    def __init__(
        self,
        files: Sequence[Any],
        names: Sequence[str],
        dtypes: Mapping[str, str],
        missing_values: Sequence[str],
        missing: str | Mapping[str, Any],
        skip: bool,
        kept_bytes: int,
        where: str,
    ) -> None:
        self.files, self.names, self._dtypes, self._where = files, list(names), dtypes, where
        self._missing_values, self.missing, self._skip = frozenset(missing_values), missing, skip
        self.blocks: list[Block] = []
        self.counts: list[int] = []
        self.skipped: list[BadRow] = []
        self.skipped_count = 0
        self.gap_rows = 0
        self.gaps: Counter[str] = Counter()
        self._kinds = dict.fromkeys(names, "")
        self._kept: dict[int, dict[str, Any]] = {}
        self.whole = True  # all of it is remembered
        self._scan(kept_bytes)
        self.columns: dict[str, Column] = {}
        for name in names:
            self.columns[name] = self._column(name)

    # --- the first reading ---

    def _scan(self, kept_bytes: int) -> None:
        total = 0
        for file in self.files:
            for block, text in file.blocks():
                table, bad = file.table(block, text)
                self._leave_out(bad)
                columns = self._clean(table, file.path)
                for name, column in columns.items():
                    if name not in self._dtypes:
                        self._kinds[name] = kind_of(column, self._kinds[name])
                    if column.null_count:
                        self.gaps[name] += column.null_count
                        self._check_gap(name, column, file, block, text)
                filled, fit = self._masks(columns, table.num_rows)
                if not fit.all():
                    self._leave_out(self._unfit(columns, np.flatnonzero(~fit).tolist(), file, block, text))
                self.gap_rows += int((fit & ~filled).sum())
                columns = _chosen(columns, filled & fit)
                self.blocks.append(block)
                self.counts.append(int((filled & fit).sum()))
                total += block.bytes
                if total > kept_bytes:
                    self.whole, self._kept = False, {}
                if self.whole:
                    self._kept[len(self.blocks) - 1] = columns

    def _clean(self, table: Any, path: str) -> dict[str, Any]:
        return {name: cleaned(table.column(name), self._missing_values, name, path) for name in self.names}

    def _leave_out(self, bad: Sequence[BadRow]) -> None:
        if bad and not self._skip:
            first = bad[0]
            raise FileFormatError("a row that can be used", first.reason, first.where, _FIX)
        self.skipped += bad[: max(0, _SHOWN - len(self.skipped))]
        self.skipped_count += len(bad)

    def _check_gap(self, name: str, column: Any, file: Any, block: Block, text: Any) -> None:
        if self.missing != "raise":
            return
        row = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
        (place,) = file.places(block, text, [row])
        raise FileFormatError(
            f"a value in each row of column {name!r}", "none", place,
            "Say missing='keep' for NaN and empty text, 'skip' to leave such rows out, or {column: value}.",
        )  # fmt: skip

    def _masks(self, columns: Mapping[str, Any], count: int) -> tuple[np.ndarray, np.ndarray]:
        """Which rows have all values that they need, and in which all values fit.

        The same at each reading, since the order of rows hangs on it.
        """
        filled, fit = np.ones(count, bool), np.ones(count, bool)
        for name, column in columns.items():
            if self.missing == "skip" and column.null_count:
                filled &= column.is_valid().to_numpy(zero_copy_only=False)
            if name in self._dtypes:
                fit &= ~unfit_rows(column, self._dtypes[name])
        return filled, fit

    def _unfit(self, columns: Mapping[str, Any], rows: list[int], file: Any, block: Block, text: Any) -> list[BadRow]:
        wrong = {name: unfit_rows(columns[name], dtype) for name, dtype in self._dtypes.items()}
        bad = []
        for row, place in zip(rows, file.places(block, text, rows), strict=True):
            name = next(one for one, rows_of in wrong.items() if rows_of[row])
            value = columns[name][row].as_py()
            bad.append(BadRow(place, f"{value!r} where column {name!r} has {self._dtypes[name]}"))
        return bad

    def _column(self, name: str) -> Column:
        gaps = bool(self.gaps[name]) and self.missing != "skip"
        fills = self.missing if isinstance(self.missing, Mapping) else {}
        dtype = self._dtypes.get(name) or dtype_of(self._kinds[name], gaps and name not in fills)
        fill: Any = {"string": "", "category": -1}.get(dtype, math.nan)
        if name in fills:
            fill = str(fills[name]) if dtype == "string" else fills[name]
        elif gaps and dtype in ("bool", "int32", "int64"):
            raise ArgumentError(
                f"a value in each row of column {name!r}, since {dtype} has none for nothing",
                f"{self.gaps[name]} without", self._where,
                f"Say missing={{{name!r}: 0}} or the like, missing='skip', or a float dtype.",
            )  # fmt: skip
        if dtype != "category":
            return Column(name, dtype, fill)
        vocabulary = {one: number for number, one in enumerate(self.values(name))}
        return Column(name, dtype, vocabulary.get(str(fill), -1) if name in fills else -1, vocabulary)

    def values(self, name: str) -> list[str]:
        """The different values of a column as text, numbers in their order, words in alphabetic order."""
        found: set[str] = set()
        for number in range(len(self.blocks)):
            found.update(one for one in as_text(self._read(number)[name].unique()).to_pylist() if one is not None)
        if self._kinds[name] in ("int64", "float"):
            return sorted(found, key=float)
        return sorted(found)

    # --- later readings ---

    def _read(self, number: int) -> dict[str, Any]:
        """The clean columns of a block, without the rows that cannot be used."""
        kept = self._kept.get(number)
        if kept is not None:
            return kept
        block = self.blocks[number]
        file = self.files[block.file]
        table, _ = file.table(block, file.read(block))
        columns = self._clean(table, file.path)
        filled, fit = self._masks(columns, table.num_rows)
        columns = _chosen(columns, filled & fit)
        if len(columns[self.names[0]]) != self.counts[number]:
            raise FileFormatError(
                "the file that was there before", "a changed one", file.path, "Make the dataset anew."
            )
        return columns

    def begin_process(self) -> None:
        """Lets go of what a fork cannot share."""
        for file in self.files:
            file.begin_process()

    def arrays(self, number: int) -> dict[str, np.ndarray]:
        """The columns of a block as arrays."""
        made = {}
        for name, column in self._read(number).items():
            try:
                made[name] = as_array(column, self.columns[name])
            except Unfit as problem:
                raise FileFormatError(
                    f"{self.columns[name].dtype} in column {name!r}",
                    repr(problem.value),
                    self.name(number, problem.row),
                ) from None
        return made

    def order(self, which: tuple[int, ...]) -> list[int]:
        """The numbers of all blocks, in an order drawn for `which`; () for that of the files."""
        if not which:
            return list(range(len(self.blocks)))
        groups: dict[Any, list[int]] = {}
        for number, block in enumerate(self.blocks):
            # Packed files can be read in their order only.
            packed = self.files[block.file].packed
            groups.setdefault((block.file, -1 if packed else block.place), []).append(number)
        lists = list(groups.values())
        drawn = np.random.default_rng(which).permutation(len(lists))
        return [number for place in drawn for number in lists[place]]

    def name(self, number: int, row: int) -> str:
        """Where a row of a block is: its file and line."""
        block = self.blocks[number]
        file = self.files[block.file]
        text = file.read(block)
        table, _ = file.table(block, text)
        filled, fit = self._masks(self._clean(table, file.path), table.num_rows)
        (place,) = file.places(block, text, [int(np.flatnonzero(filled & fit)[row])])
        return place

    def news(self) -> str:
        """What to tell of rows that were left out."""
        text = ""
        if self.skipped_count:
            shown = "; ".join(map(str, self.skipped[:5]))
            more = f"; and {self.skipped_count - 5} more" if self.skipped_count > 5 else ""
            text = f"{self.skipped_count} rows of the table were left out: {shown}{more}. "
            text += f"`skipped_rows` of the dataset has {min(self.skipped_count, _SHOWN)} of them."
        if self.gap_rows:
            columns = ", ".join(f"{name!r} {count}" for name, count in self.gaps.items())
            text += f"{' ' if text else ''}{self.gap_rows} rows lack values and were left out: {columns}."
        return text


def _chosen(columns: dict[str, Any], good: np.ndarray) -> dict[str, Any]:
    if good.all():
        return columns
    mask = arrow().array(good)
    return {name: column.filter(mask) for name, column in columns.items()}
