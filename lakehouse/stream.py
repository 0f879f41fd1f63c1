"""The streaming reader: a delivered file in, numbered rows of text in Parquet out.

One pass, constant memory, whatever the format (lakehouse/formats.py). What cannot be read as a
row is kept beside, with its reason.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from lakehouse.delivery import Refused, match_heads
from lakehouse.feed import UNMAPPED, Feed
from lakehouse.formats import Row, has_head, numbered, rows_of
from lakehouse.unpack import BROKEN, LIMITS, Limits, open_bytes

BATCH = 50_000


@dataclass
class Read:
    """What one file held: rows read, sums of the columns asked for, rows set aside, its heads."""

    rows: int = 0
    set_aside: int = 0
    totals: dict[str, float] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)


class StagedWriter:
    """Writes rows and set-aside lines of one delivery as Parquet, for Spark to pick up."""

    def __init__(self, files: pafs.FileSystem, folder: str, columns: list[str]) -> None:
        self.files = files
        self.rows_path = f"{folder}/rows.parquet"
        self.bad_path = f"{folder}/bad.parquet"
        files.create_dir(folder, recursive=True)
        self.schema = pa.schema(
            [
                *[(name, pa.string()) for name in columns],
                (UNMAPPED, pa.map_(pa.string(), pa.string())),
                ("line", pa.int64()),
            ]
        )
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
    path: Path, feed: Feed, totals: list[str], into: StagedWriter, before: int = 0,
    limits: Limits = LIMITS,
) -> Read:  # fmt: skip
    """Read one text or XLSX file into `into`. Raises Refused where no row can be read.

    Lines count on through the files of a delivery: `before` rows came in earlier ones.
    """
    read = Read(totals=dict.fromkeys(totals, 0.0))
    try:
        for row in rows_of(path, feed, limits, read.heads):
            read.rows += 1
            read.set_aside += row[1] is None
            for name in totals if row[1] else []:
                read.totals[name] += _number(row[1].get(name) if row[1] else None)
            into.take((row[0] + before, *row[1:]))
    except BROKEN as error:
        raise _broken(path, error) from None
    return read


def _broken(path: Path, error: Exception) -> Refused:
    """Return the refusal of an archive that ends too early, or was changed."""
    what = "truncated_zip" if isinstance(error, BadZipFile) else "truncated_gzip"
    return Refused(what, f"{path.name} ends before its end, or was changed")


def count_rows(path: Path, feed: Feed) -> int:
    """Count the rows of a file as `read_file` will, without taking its lines apart.

    Raises Refused where the file is no such file.
    """
    if feed.format == "parquet":
        return check_parquet(path, feed)[0]
    if feed.format == "xlsx":
        return sum(1 for _ in rows_of(path, feed, LIMITS))
    try:
        with open_bytes(path) as file:
            if has_head(feed):
                file.readline(LIMITS.longest_line)
            return sum(1 for _ in numbered(file, 1, LIMITS))
    except BROKEN as error:
        raise _broken(path, error) from None


def check_parquet(path: Path, feed: Feed) -> tuple[int, dict[str, str], list[str]]:
    """Return rows, head -> column, and all heads of a Parquet file, from its footer.

    Raises Refused: truncated_parquet, missing_head.
    """
    try:
        footer = pq.ParquetFile(path)
        heads, rows = footer.schema_arrow.names, footer.metadata.num_rows
    except (pa.ArrowInvalid, OSError):
        raise Refused("truncated_parquet", f"{path.name} has no readable footer") from None
    return rows, match_heads(heads, feed, path.name), heads


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
