"""Files of tables in blocks of rows, as Arrow tables of text or of typed columns; knows nothing of batches.

A CSV file is cut at ends of lines into blocks of some megabytes, so that a block can be read again without those before
it: by its place in a plain file, by reading up to it in a compressed one.
"""

from __future__ import annotations

import codecs
import csv
import io
import lzma
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hornbeam.errors import ArgumentError, FileFormatError, MissingDependencyError

BLOCK_BYTES = 8 << 20
_LONGEST = 8 * BLOCK_BYTES  # of a row
_PLAIN = ("utf-8", "utf8", "utf_8", "utf-8-sig", "utf_8_sig", "ascii", "us-ascii")
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".lz4")
_COLUMNAR = (".parquet", ".pq")


def arrow() -> Any:
    """The module pyarrow.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError:
        raise MissingDependencyError("pyarrow", "reading tables", "data") from None
    return pyarrow


class BadRow(NamedTuple):
    """A row that cannot be used: where it is, such as "x.csv, line 3", and why."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class Block(NamedTuple):
    """Some rows of a file: where its bytes are, or which row group it is."""

    file: int
    place: int
    bytes: int
    line: int


class CsvOptions(NamedTuple):
    """How the text of a table is meant; the fields are arguments of `table_dataset`."""

    delimiter: str
    quote: str
    header: bool
    names: tuple[str, ...] | None
    encoding: str


class CsvFile:
    """One CSV file.

    Args:
        path: The file; its ending says how it is compressed.
        number: Its number among the files.
        options: How it is meant.

    Attributes:
        names: The columns.
        packed: Whether it can be read from its start only.
    """

    def __init__(self, path: str, number: int, options: CsvOptions) -> None:
        self.path, self._number, self._options = path, number, options
        self.begin_process()
        self.packed = Path(path).suffix.lower() in _PACKED or options.encoding.lower() not in _PLAIN
        self._first = b""
        for _, text in self._cut():
            self._first = text.removeprefix(codecs.BOM_UTF8)
            break
        if not self._first:
            raise FileFormatError("a table", "an empty file", path)
        self.names = self._names()

    def begin_process(self) -> None:
        """What belongs to one process: where it reads."""
        self._lock = threading.Lock()
        self._cursor: tuple[Iterator[tuple[Block, bytes]], int] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_lock", "_cursor")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.begin_process()

    def _names(self) -> tuple[str, ...]:
        options = self._options
        row = next((one for one in self._rows(self._first) if one), [])
        names = options.names or tuple(
            one.strip() if options.header else f"column_{place}" for place, one in enumerate(row)
        )
        if len(set(names)) != len(names) or "" in names:
            raise FileFormatError(
                "a different name for each column", f"{list(names)}", self.path,
                "Say header=False where the first row is none, or header=[...] for the names.",
            )  # fmt: skip
        return names

    def _rows(self, text: bytes, line: int = 1) -> Any:
        """The rows of a block as Python reads them: slow, and with exact numbers of lines."""
        options = self._options
        text_stream = io.StringIO(self._decoded(text, line), newline="")
        return csv.reader(text_stream, delimiter=options.delimiter, quotechar=options.quote)

    def _decoded(self, text: bytes, line: int) -> str:
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError as problem:
            line += text.count(b"\n", 0, problem.start)
            raise FileFormatError(
                f"text in {self._options.encoding}", f"byte 0x{text[problem.start]:02x}", f"{self.path}, line {line}",
                "Give the encoding that the file has, such as encoding='latin-1'.",
            ) from None  # fmt: skip

    def _open(self) -> Any:
        """A stream of the unpacked bytes."""
        if self.packed and self.path.lower().endswith(".xz"):
            return lzma.open(self.path)
        if self.packed and Path(self.path).suffix.lower() in _PACKED:
            return arrow().input_stream(self.path, compression="detect")
        return Path(self.path).open("rb")

    def _chunks(self) -> Iterator[bytes]:
        """The bytes of the file in UTF-8."""
        options = self._options
        plain = options.encoding.lower() in _PLAIN
        decoder = None if plain else codecs.getincrementaldecoder(options.encoding)()
        try:
            with self._open() as stream:
                while chunk := stream.read(BLOCK_BYTES):
                    yield chunk if decoder is None else decoder.decode(chunk).encode()
            if decoder is not None:
                decoder.decode(b"", final=True)
        except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as problem:
            if isinstance(problem, FileNotFoundError):
                raise
            raise FileFormatError(
                f"a whole file in {options.encoding}", f"{type(problem).__name__}: {problem}", self.path
            ) from problem

    def _cut(self) -> Iterator[tuple[Block, bytes]]:
        """The file in blocks that end where a line ends, a line within quotes not counted."""
        quote = self._options.quote.encode()
        left, place, line = b"", 0, 1
        for chunk in self._chunks():
            text = left + chunk
            end = text.rfind(b"\n") + 1
            quotes = text.count(quote, 0, end)
            while end and quotes % 2:
                before = text.rfind(b"\n", 0, end - 1) + 1
                quotes -= text.count(quote, before, end)
                end = before
            if not end and len(text) > _LONGEST:
                raise FileFormatError(
                    f"rows of at most {_LONGEST} bytes", "a longer one", f"{self.path}, line {line}",
                    f"Does a {self._options.quote} open there that never closes? Give another character as quote.",
                )  # fmt: skip
            if not end:
                left = text
                continue
            yield Block(self._number, place, end, line), text[:end]
            place, line, left = place + end, line + text.count(b"\n", 0, end), text[end:]
        if left:
            yield Block(self._number, place, len(left), line), left

    def blocks(self) -> Iterator[tuple[Block, bytes]]:
        """All blocks in order, with what `table` takes."""
        return self._cut()

    def read(self, block: Block) -> bytes:
        """What `table` takes for a block; blocks of packed files are read fast in their order only."""
        if not self.packed:
            with Path(self.path).open("rb") as file:
                file.seek(block.place)
                return file.read(block.bytes)
        with self._lock:
            if self._cursor is None or self._cursor[1] > block.place:
                self._cursor = (self._cut(), 0)
            cursor, _ = self._cursor
            for found, text in cursor:
                self._cursor = (cursor, found.place + found.bytes)
                if found.place == block.place:
                    return text
            self._cursor = None
        raise FileFormatError("the file that was there before", "a shorter one", self.path, "Make the dataset anew.")

    def table(self, block: Block, text: bytes) -> tuple[Any, list[BadRow]]:
        """The rows of a block as an Arrow table of text, those left out that have too many or too few parts.

        Raises:
            OSError: If it is no text in this encoding.
        """
        pyarrow = arrow()
        options, names = self._options, list(self.names)
        first = block.place == 0
        if first:
            text = text.removeprefix(codecs.BOM_UTF8)
        uneven: list[Any] = []

        def note(row: Any) -> str:
            uneven.append(row)
            return "skip"

        try:
            table = pyarrow.csv.read_csv(
                pyarrow.BufferReader(text),
                # Names are given, so that a first row which is a header counts as a row and is left out below.
                read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=max(len(text), 1)),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=options.delimiter, quote_char=options.quote, newlines_in_values=True,
                    invalid_row_handler=note,
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pyarrow.string()), strings_can_be_null=False
                ),
            )  # fmt: skip
        except pyarrow.ArrowInvalid as problem:
            self._decoded(text, block.line)
            raise FileFormatError("a table", str(problem), self.path) from problem
        bad = self._bad_rows(block, text) if uneven else []
        if first and options.header:
            table = table.slice(1)  # it gave the names, so it has the right number of parts
        return table, bad

    def _bad_rows(self, block: Block, text: bytes) -> list[BadRow]:
        count = len(self.names)
        return [
            BadRow(f"{self.path}, line {line}", f"{len(row)} parts where {count} belong")
            for line, row in self._numbered(block, text)
            if len(row) != count
        ]

    def _numbered(self, block: Block, text: bytes) -> Iterator[tuple[int, list[str]]]:
        """Rows with the number of the line that each begins in; empty lines are none."""
        reader = self._rows(text, block.line)
        line = block.line
        for row in reader:
            if row:
                yield line, row
            line = block.line + reader.line_num

    def places(self, block: Block, text: bytes, rows: Sequence[int]) -> list[str]:
        """Where some rows of `table`'s are, in order."""
        lines = [line for line, parts in self._numbered(block, text) if len(parts) == len(self.names)]
        skip = 1 if block.place == 0 and self._options.header else 0
        return [f"{self.path}, line {lines[row + skip]}" for row in rows]


class ParquetFile:
    """One Parquet file; its blocks are its row groups.

    Args:
        path: The file.
        number: Its number among the files.

    Attributes:
        names: The columns.
        packed: Whether it can be read from its start only.
    """

    packed = False

    def __init__(self, path: str, number: int) -> None:
        self.path, self._number = path, number
        self.begin_process()
        self.names = tuple(self._file.schema_arrow.names)

    def begin_process(self) -> None:
        """Opens the file."""
        pyarrow = arrow()
        try:
            self._file = pyarrow.parquet.ParquetFile(self.path)
        except (pyarrow.ArrowException, OSError) as problem:
            if isinstance(problem, FileNotFoundError):
                raise
            raise FileFormatError("a Parquet file", str(problem), self.path) from problem

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_file"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.begin_process()

    def blocks(self) -> Iterator[tuple[Block, int]]:
        line = 1
        for number in range(self._file.num_row_groups):
            group = self._file.metadata.row_group(number)
            yield Block(self._number, number, group.total_byte_size, line), number
            line += group.num_rows

    def read(self, block: Block) -> int:
        return block.place

    def table(self, block: Block, group: int) -> tuple[Any, list[BadRow]]:
        pyarrow = arrow()
        try:
            return self._file.read_row_group(group), []
        except (pyarrow.ArrowException, OSError) as problem:
            raise FileFormatError("a whole Parquet file", str(problem), self.path) from problem

    def places(self, block: Block, group: int, rows: Sequence[int]) -> list[str]:
        """Where some rows are; the first of a file is row 1."""
        return [f"{self.path}, row {block.line + row}" for row in rows]


def open_files(paths: Sequence[str], file_format: str, options: CsvOptions, where: str) -> list[Any]:
    """The files, once they are seen to have the same columns.

    Raises:
        OSError: If one is none of a table.
        ValueError: If columns differ.
    """
    files: list[Any] = []
    for number, path in enumerate(paths):
        columnar = file_format == "parquet" or (file_format == "auto" and path.lower().endswith(_COLUMNAR))
        files.append(ParquetFile(path, number) if columnar else CsvFile(path, number, options))
        if files[-1].names != files[0].names:
            raise ArgumentError(
                f"files of the same columns, as {paths[0]} has: {list(files[0].names)}",
                f"{list(files[-1].names)} in {path}", where,
            )  # fmt: skip
    return files
