"""The streaming reader: a delivered file in, numbered rows of text in Parquet out.

One pass, constant memory: lines are numbered, bytes checked against the encoding, lengths
capped, fields counted. What cannot be read as a row is kept beside, with its reason.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from lakehouse.delivery import Refused, fitting_encoding, match_heads, open_bytes, separator_of
from lakehouse.errors import nearest
from lakehouse.feed import Feed

LONGEST_LINE = 1 << 20
BATCH = 50_000


@dataclass
class Read:
    """What one file held: rows read, sums of the columns asked for, rows set aside."""

    rows: int = 0
    set_aside: int = 0
    totals: dict[str, float] = field(default_factory=dict)


# A row of the file: its line, then its fields by column, or the reason why it is none.
Row = tuple[int, dict[str, str | None] | None, str | None, bytes]


class StagedWriter:
    """Writes rows and set-aside lines of one delivery as Parquet, for Spark to pick up."""

    def __init__(self, files: pafs.FileSystem, folder: str, columns: list[str]) -> None:
        self.files = files
        self.rows_path = f"{folder}/rows.parquet"
        self.bad_path = f"{folder}/bad.parquet"
        files.create_dir(folder, recursive=True)
        self.schema = pa.schema([*[(name, pa.string()) for name in columns], ("line", pa.int64())])
        self.bad_schema = pa.schema(
            [("line", pa.int64()), ("reason", pa.string()), ("raw", pa.string())]
        )
        self._rows = pq.ParquetWriter(self.rows_path, self.schema, filesystem=files)
        self._bad = pq.ParquetWriter(self.bad_path, self.bad_schema, filesystem=files)
        self._batch: list[dict[str, Any]] = []
        self._bad_batch: list[dict[str, Any]] = []

    def take(self, row: Row) -> None:
        line, values, reason, raw = row
        if values is None:
            # Undecodable bytes survive as escapes; the file itself stays in landing.
            self._bad_batch.append(
                {"line": line, "reason": reason, "raw": raw.decode("utf-8", "backslashreplace")}
            )
        else:
            self._batch.append(values | {"line": line})
        if len(self._batch) + len(self._bad_batch) >= BATCH:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._rows.close()
        self._bad.close()

    def _flush(self) -> None:
        self._rows.write_table(pa.Table.from_pylist(self._batch, self.schema))
        self._bad.write_table(pa.Table.from_pylist(self._bad_batch, self.bad_schema))
        self._batch, self._bad_batch = [], []


def read_file(
    path: Path, feed: Feed, totals: list[str], into: StagedWriter, before: int = 0
) -> Read:
    """Read one text or XLSX file into `into`. Raises Refused where no row can be read.

    Lines count on through the files of a delivery: `before` rows came in earlier ones.
    """
    rows = _xlsx_rows(path, feed) if feed.format == "xlsx" else _text_rows(path, feed)
    read = Read(totals=dict.fromkeys(totals, 0.0))
    try:
        for row in rows:
            read.rows += 1
            read.set_aside += row[1] is None
            for name in totals if row[1] else []:
                read.totals[name] += _number(row[1].get(name) if row[1] else None)
            into.take((row[0] + before, *row[1:]))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise Refused("truncated_gzip", f"{path.name} ends before its end") from None
    return read


def _text_rows(path: Path, feed: Feed) -> Iterator[Row]:
    separator = separator_of(feed)
    with open_bytes(path) as file:
        first = file.readline(LONGEST_LINE)
        try:
            heads = next(csv.reader([_decoded(first, feed.encoding)], delimiter=separator))
            matched = match_heads(heads, feed, path.name)
        except (UnicodeDecodeError, Refused) as error:
            is_decoded = isinstance(error, Refused) and error.reason != "missing_head"
            other = None if is_decoded else fitting_encoding(path, feed)
            if other and other.removesuffix("-sig") != feed.encoding.lower():
                raise Refused(
                    "wrong_encoding", f"{path.name} reads as {other}, not {feed.encoding}"
                ) from None
            if isinstance(error, Refused):
                raise
            raise Refused("wrong_encoding", f"{path.name} is not {feed.encoding}") from None
        line = 1
        while raw := file.readline(LONGEST_LINE):
            line += 1
            if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                while rest := file.readline(LONGEST_LINE):
                    if rest.endswith(b"\n"):
                        break
                yield line, None, "line_too_long", raw[:1000]
                continue
            if raw.strip():
                yield _text_row(line, raw, heads, matched, feed.encoding, separator)


def _text_row(
    line: int, raw: bytes, heads: list[str], matched: dict[str, str], encoding: str, separator: str
) -> Row:
    try:
        text = _decoded(raw, encoding)
    except UnicodeDecodeError:
        return line, None, "wrong_encoding", raw
    values = next(csv.reader([text], delimiter=separator), [])
    if len(values) != len(heads):
        return line, None, "wrong_field_count", raw
    named = dict(zip(heads, values, strict=True))
    return line, {column: named[head] or None for head, column in matched.items()}, None, raw


def _decoded(raw: bytes, encoding: str) -> str:
    text = raw.decode(encoding)
    # GB18030 maps nearly every byte; what it cannot mean lands in the private use area.
    if "\ufffd" in text:
        raise UnicodeDecodeError(encoding, raw, 0, len(raw), "replacement character")
    return text.lstrip("\ufeff").rstrip("\r\n")


def _xlsx_rows(path: Path, feed: Feed) -> Iterator[Row]:
    from python_calamine import CalamineError, CalamineWorkbook, ZipError

    try:
        book = CalamineWorkbook.from_path(str(path))
        if feed.sheet and feed.sheet not in book.sheet_names:
            near = nearest(feed.sheet, book.sheet_names)
            raise Refused("missing_sheet", f"{path.name} has no sheet {feed.sheet!r}.{near}")
        sheet = book.get_sheet_by_name(feed.sheet) if feed.sheet else book.get_sheet_by_index(0)
    except (CalamineError, ZipError, OSError, IndexError):
        raise Refused("unreadable_workbook", f"{path.name} is no XLSX workbook") from None
    rows = iter(sheet.iter_rows())
    heads = [str(cell) for cell in next(rows, [])]
    matched = match_heads(heads, feed, path.name)
    for line, cells in enumerate(rows, start=2):
        if all(cell in ("", None) for cell in cells):
            continue
        named = dict(zip(heads, [cell_text(cell) for cell in cells], strict=False))
        yield line, {column: named.get(head) for head, column in matched.items()}, None, b""


def cell_text(cell: Any) -> str | None:
    """Return a spreadsheet cell as the text a person sees; whole numbers without a point."""
    if cell in ("", None):
        return None
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        return cell.date().isoformat()
    if isinstance(cell, date | datetime):
        return cell.isoformat(sep=" ") if isinstance(cell, datetime) else cell.isoformat()
    return str(cell)


def count_rows(path: Path, feed: Feed) -> int:
    """Count the rows of a file as `read_file` will, without taking its lines apart.

    Raises Refused where the file is no such file.
    """
    if feed.format == "parquet":
        return check_parquet(path, feed)[0]
    if feed.format == "xlsx":
        return sum(1 for _ in _xlsx_rows(path, feed))
    try:
        with open_bytes(path) as file:
            file.readline()
            return sum(1 for line in file if line.strip())
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise Refused("truncated_gzip", f"{path.name} ends before its end") from None


def check_parquet(path: Path, feed: Feed) -> tuple[int, dict[str, str]]:
    """Return rows and head -> column of a Parquet file, from its footer.

    Raises Refused: truncated_parquet, missing_head.
    """
    try:
        footer = pq.ParquetFile(path)
        heads, rows = footer.schema_arrow.names, footer.metadata.num_rows
    except (pa.ArrowInvalid, OSError):
        raise Refused("truncated_parquet", f"{path.name} has no readable footer") from None
    return rows, match_heads(heads, feed, path.name)


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
