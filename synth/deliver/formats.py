"""Single files, written as their rows stream in: CSV, TSV, gzip, XLSX, Parquet.

Rows come as text under our column names. The same rows in the same portions give the same bytes:
no clock, no machine, no date inside an archive. No file holds more than a portion in memory.
"""

import codecs
import csv
import gzip
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from lakehouse.delivery import separator_of
from lakehouse.feed import Feed
from synth.deliver.contract import Sink
from synth.deliver.values import numbers_of
from synth.deliver.workbook import Workbook

# Rows of a Parquet row group, at least: small ones cost space and time.
ROW_GROUP = 100_000
# Plain text for any reader, whatever it is in memory; large dictionaries stay dictionaries.
PARQUET = {"dictionary_pagesize_limit": 1 << 30, "store_schema": False, "write_statistics": False}
# A head that a clerk put in, above a running number.
RUNNING = "序号"

Layout = list[tuple[str, str | None]]
# What is done to single lines: place among the rows -> new bytes from old ones and the encoding.
LineChanges = dict[int, Callable[[bytes, str], bytes]]
OTHER_ENCODING = {"utf-8": "gb18030", "gb18030": "utf-8"}


@dataclass(frozen=True)
class Style:
    """How a file is written where the mapping leaves it open, or a fault has it otherwise.

    `layout` is head -> our column, None for a running number. `again` is another export of the
    same rows: other bytes, no other content.
    """

    layout: Layout
    encoding: str
    bom: bool = False
    again: bool = False
    packed: bool = False


def style_of(feed: Feed, packed: bool = False) -> Style:
    """Return how a feed's files are written when nothing is wrong."""
    layout: Layout = [(spec.head[0], name) for name, spec in feed.delivered.items()]
    return Style(layout, feed.encoding, packed=packed)


@dataclass
class Wrote:
    """What became of a portion: where each line begins (text only), and lines changed."""

    starts: np.ndarray | None = None
    changed: dict[int, bytes] = field(default_factory=dict)


class File(Protocol):
    """What every format does."""

    rows: int

    def add(self, rows: pa.Table, changes: LineChanges, as_text: dict[int, pa.Array]) -> Wrote: ...
    def room(self) -> int: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...


class TextFile:
    """CSV or TSV, packed or not."""

    def __init__(self, path: Path, feed: Feed, style: Style) -> None:
        self.rows = 0
        self._at = 0
        self._style, self._separator = style, separator_of(feed)
        self._line_end = b"\r\n" if style.again else b"\n"
        self._sink = Sink(path)
        # Level 6 as gzip's own command has it; no name and no time inside.
        self._file = gzip.GzipFile("", "wb", 6, self._sink, mtime=0) if style.packed else self._sink
        head = _by_hand([[head for head, _ in style.layout]], self._separator)
        mark = "\ufeff".encode(style.encoding) if style.bom else b""
        self._write(mark + self._encoded(head))

    def room(self) -> int:
        """Return how many rows more the file can take: any number."""
        return 1 << 60

    def add(self, rows: pa.Table, changes: LineChanges, as_text: dict[int, pa.Array]) -> Wrote:
        """Write a portion. Raises ValueError for a value with a line break: lines are rows."""
        content = self._encoded(_csv(rows, self._separator))
        ends = _ends(content)
        if len(ends) != len(rows):
            raise ValueError("A value has a line break, which no line-wise reader can read.")
        changed = {}
        if changes:
            content = self._changed(content, ends, changes, changed)
            ends = _ends(content)
        starts = self._at + np.concatenate([[0], ends[:-1] + 1]) if len(rows) else None
        self._write(content)
        self.rows += len(rows)
        return Wrote(starts, changed)

    def close(self) -> None:
        """End the file."""
        self.abandon()

    def abandon(self) -> None:
        """Let go of the file."""
        self._file.close()
        self._sink.close()

    def _changed(
        self, content: bytes, ends: np.ndarray, changes: LineChanges, changed: dict[int, bytes]
    ) -> bytes:
        """Return the lines with some of them changed, which go into `changed` as well."""
        pieces, done = [], 0
        width = len(self._line_end) - 1
        for at in sorted(changes):
            first, last = int(ends[at - 1]) + 1 if at else 0, int(ends[at]) - width
            changed[at] = changes[at](content[first:last], self._style.encoding)
            pieces += [content[done:first], changed[at]]
            done = last
        return b"".join([*pieces, content[done:]])

    def _encoded(self, text: bytes) -> bytes:
        text = text.replace(b"\n", self._line_end) if self._style.again else text
        if codecs.lookup(self._style.encoding).name == "utf-8":
            return text
        return text.decode("utf-8").encode(self._style.encoding)

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self._at += len(content)


class ParquetFile:
    """Parquet with every field as text."""

    def __init__(self, path: Path, feed: Feed, style: Style) -> None:
        self.rows = 0
        self._sink = Sink(path)
        self._heads = [head for head, _ in style.layout]
        self._codec = "snappy" if style.again else "zstd"
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        self._n_waiting = 0

    def room(self) -> int:
        """Return how many rows more the file can take: any number."""
        return 1 << 60

    def add(self, rows: pa.Table, changes: LineChanges, as_text: dict[int, pa.Array]) -> Wrote:
        """Take a portion; row groups are written when they are large enough."""
        named = rows.rename_columns(self._heads)
        if self._writer is None:
            self._begin(named.schema)
        self._waiting.append(named.cast(self._schema))
        self._n_waiting += len(rows)
        self.rows += len(rows)
        if self._n_waiting >= ROW_GROUP:
            self._flush()
        return Wrote()

    def close(self) -> None:
        """Write what waits, and the footer."""
        if self._writer is None:
            self._begin(pa.schema([(head, pa.string()) for head in self._heads]))
        self._flush()
        self.abandon()

    def abandon(self) -> None:
        """Let go of the file."""
        if self._writer is not None:
            self._writer.close()
        self._sink.close()

    def _begin(self, schema: pa.Schema) -> None:
        """Open the file for columns of text; dictionaries are written as such, and faster."""
        self._schema = schema.remove_metadata()
        self._writer = pq.ParquetWriter(
            self._sink, self._schema, compression=self._codec, **PARQUET
        )

    def _flush(self) -> None:
        if self._n_waiting and self._writer is not None:
            self._writer.write_table(pa.concat_tables(self._waiting), self._n_waiting)
        self._waiting, self._n_waiting = [], 0


class SheetFile:
    """A workbook: as many rows as a sheet holds."""

    def __init__(self, path: Path, feed: Feed, style: Style) -> None:
        numbers = numbers_of(feed)
        self._book = Workbook(
            path, feed.sheet or feed.title, [head for head, _ in style.layout],
            [column is None or column in numbers for _, column in style.layout],
        )  # fmt: skip

    @property
    def rows(self) -> int:
        """Return the rows below the head."""
        return self._book.rows

    def room(self) -> int:
        """Return how many rows more the sheet surely takes."""
        return self._book.room()

    def add(self, rows: pa.Table, changes: LineChanges, as_text: dict[int, pa.Array]) -> Wrote:
        """Write a portion that there is room for."""
        self._book.add(rows, as_text)
        return Wrote()

    def close(self) -> None:
        """End the sheet and the archive."""
        self._book.close()

    def abandon(self) -> None:
        """Let go of the file."""
        self._book.abandon()


def _csv(rows: pa.Table, separator: str) -> bytes:
    """Return rows as UTF-8 lines; quotes only where a value needs them."""
    out = io.BytesIO()
    options = pa_csv.WriteOptions(include_header=False, delimiter=separator, quoting_style="none")
    try:
        pa_csv.write_csv(rows, out, options)
    except pa.ArrowInvalid:
        return _by_hand(zip(*(one.to_pylist() for one in rows.columns), strict=True), separator)
    return out.getvalue()


def _by_hand(rows: Iterable[Iterable[str | None]], separator: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _ends(content: bytes) -> np.ndarray:
    """Return where the lines end. No character of GB18030 or UTF-8 holds this byte but itself."""
    return np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n"))


FILES: dict[str, Callable[[Path, Feed, Style], File]] = {
    "csv": TextFile, "tsv": TextFile, "xlsx": SheetFile, "parquet": ParquetFile,
}  # fmt: skip
