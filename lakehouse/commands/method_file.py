"""The files that `bangfu method` reads: CSV in UTF-8 or GB18030, Parquet, either gzipped."""

import codecs
import csv
import gzip
import io
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from lakehouse.errors import ChecksFailed, InputMissing, nearest

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
ENCODINGS = ("utf-8", "gb18030")
CHUNK, BLOCK = 1 << 20, 1 << 24


class Source(Protocol):
    """A table in a file: its heads, and its rows a batch at a time."""

    name: str
    heads: list[str]

    def batches(self, heads: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the columns of these heads, in the order of the file."""


@contextmanager
def opened(file: Path, scratch: Path) -> Iterator[Source]:
    """Open a table by what is in the file, whatever its name. Raises InputMissing, ChecksFailed."""
    begins = _first_bytes(file)
    if not begins:
        raise InputMissing(f"{file} is empty.")
    zipped = begins.startswith(GZIP)
    try:
        if zipped:
            with gzip.open(file) as inside:
                begins = inside.read(4)
        if begins.startswith(WORKBOOKS):
            raise ChecksFailed(f"{file} is a workbook or archive: save the sheet as CSV (UTF-8).")
        if not begins.startswith(PARQUET):
            yield CsvSource(file, zipped)
        elif zipped:
            yield ParquetSource(file.name, _unzipped(file, scratch / "unzipped.parquet"))
        else:
            yield ParquetSource(file.name, file)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise ChecksFailed(f"{file} is gzipped but not whole: fetch or zip it again.") from None


def _first_bytes(file: Path) -> bytes:
    if not file.exists():
        near = [other.name for other in file.parent.glob("*")] if file.parent.is_dir() else []
        raise InputMissing(f"There is no file {file}.{nearest(file.name, near)}")
    if file.is_dir():
        raise InputMissing(f"{file} is a folder: name one CSV or Parquet file.")
    try:
        with file.open("rb") as opened_file:
            return opened_file.read(4)
    except PermissionError:
        raise InputMissing(f"{file} may not be read by this user.") from None


def _unzipped(file: Path, into: Path) -> Path:
    with gzip.open(file) as inside, into.open("wb") as out:
        shutil.copyfileobj(inside, out)
    return into


@dataclass
class CsvSource:
    """A CSV file with one heading. Every column is read as text."""

    path: Path
    is_zipped: bool
    name: str = field(init=False)
    heads: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.path.name
        self.encoding = self._fitting_encoding()
        with self._bytes() as file:
            text = io.TextIOWrapper(file, encoding=self.encoding, newline="")
            reader = csv.reader(text)
            try:
                self.n_blank, heads = next(
                    ((n, row) for n, row in enumerate(reader) if row), (0, [])
                )
            except csv.Error:
                raise ChecksFailed(f"{self.name} has no heading that can be read.") from None
            self.has_rows = any(line.strip() for line in text)
        self.heads = [head.lstrip("\ufeff").strip() for head in heads]
        if not any(self.heads):
            raise InputMissing(f"{self.name} has no heading: its first line names the columns.")

    def batches(self, heads: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the columns of these heads as text. Raises ChecksFailed where rows do not fit."""
        if not self.has_rows:
            return
        places = {f"c{self.heads.index(head)}": head for head in heads}
        uneven: list[pacsv.InvalidRow] = []

        def take_note(row: pacsv.InvalidRow) -> str:
            if not uneven:
                uneven.append(row)
            return "skip"

        with self._bytes() as file:
            try:
                reader = pacsv.open_csv(
                    file,
                    pacsv.ReadOptions(
                        use_threads=False,
                        block_size=BLOCK,
                        encoding=self.encoding,
                        column_names=[f"c{place}" for place in range(len(self.heads))],
                        skip_rows=self.n_blank,
                        skip_rows_after_names=1,
                    ),
                    pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=take_note),
                    pacsv.ConvertOptions(
                        include_columns=list(places),
                        column_types=dict.fromkeys(places, pa.string()),
                        strings_can_be_null=True,
                        null_values=[""],
                    ),
                )
                for batch in reader:
                    yield batch.rename_columns(list(places.values()))
            except pa.ArrowInvalid:
                # Its own message quotes the row.
                raise ChecksFailed(f"{self.name} cannot be read as CSV.") from None
        if uneven:
            one = uneven[0]
            raise ChecksFailed(
                f"{self.name}: row {one.number - 1:,} has {one.actual_columns} fields, the heading "
                f"has {one.expected_columns}. A field with a comma stands in quotation marks."
            )

    def _bytes(self) -> BinaryIO:
        return gzip.open(self.path) if self.is_zipped else self.path.open("rb")  # type: ignore[return-value]

    def _fitting_encoding(self) -> str:
        """Return the encoding that fits the whole file; refuse a quotation that never ends."""
        for encoding in ENCODINGS:
            decoder, n_quotes = codecs.getincrementaldecoder(encoding)(), 0
            try:
                with self._bytes() as file:
                    while chunk := file.read(CHUNK):
                        decoder.decode(chunk)
                        n_quotes += chunk.count(b'"')
                    decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            if n_quotes % 2:
                raise ChecksFailed(
                    f'{self.name} opens a quotation mark (") that it never closes: rows would '
                    "be swallowed. Close it, or write it twice where it is meant."
                )
            return encoding
        raise ChecksFailed(f"{self.name} is neither UTF-8 nor GB18030: save it as UTF-8.")


@dataclass
class ParquetSource:
    """A Parquet file. Columns keep their types."""

    name: str
    path: Path
    heads: list[str] = field(init=False)

    def __post_init__(self) -> None:
        try:
            self._file = pq.ParquetFile(self.path)
        except (pa.ArrowInvalid, OSError):
            raise ChecksFailed(f"{self.name} is no whole Parquet file.") from None
        self.heads = list(self._file.schema_arrow.names)

    def batches(self, heads: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the columns of these heads with their own types. Raises ChecksFailed."""
        wanted = list(dict.fromkeys(heads))
        try:
            for batch in self._file.iter_batches(columns=wanted):
                yield pa.record_batch({head: _decoded(batch.column(head)) for head in wanted})
        except (pa.ArrowInvalid, OSError):
            raise ChecksFailed(f"{self.name} is no whole Parquet file.") from None


def _decoded(cells: pa.Array) -> pa.Array:
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
