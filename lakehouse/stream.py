"""The streaming reader: a delivered file in, numbered rows of text in Parquet out.

One pass, constant memory, whatever the format (lakehouse/formats.py). What cannot be read as a
row is kept beside, with its reason. Parquet is passed on column by column.
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from lakehouse.arrow_text import TEXTS, as_text, texts_of, total
from lakehouse.delivery import Refused, match_heads, spare_heads
from lakehouse.feed import UNMAPPED, Feed
from lakehouse.formats import Row, has_head, numbered, rows_of
from lakehouse.unpack import BROKEN, LIMITS, Limits, open_bytes

BATCH = 50_000
ROW_GROUP = 1 << 18


@dataclass
class Read:
    """What one file held: rows read, sums of the columns asked for, rows set aside, its heads."""

    rows: int = 0
    set_aside: int = 0
    totals: dict[str, float] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Origin:
    """What each row of a delivery says of it."""

    delivery_id: str
    arrived_at: datetime


class StagedWriter:
    """Writes the rows of one delivery as bronze has them, and its set-aside lines, as Parquet."""

    def __init__(
        self, files: pafs.FileSystem, folder: str, columns: list[str], origin: Origin
    ) -> None:
        files.create_dir(folder, recursive=True)
        self.columns, self.origin = columns, origin
        self.text = pa.schema(
            [*[(name, pa.string()) for name in columns], (UNMAPPED, TEXTS), ("line", pa.int64())]
        )
        self.schema = self.text.append(pa.field("delivery_id", pa.string())).append(
            pa.field("arrived_at", pa.timestamp("us", "UTC"))
        )
        self.bad_schema = pa.schema(
            [("line", pa.int64()), ("reason", pa.string()), ("raw", pa.string())]
        )
        self._rows = pq.ParquetWriter(f"{folder}/rows.parquet", self.schema, filesystem=files)
        self._bad = pq.ParquetWriter(f"{folder}/bad.parquet", self.bad_schema, filesystem=files)
        self._batch: list[dict[str, Any]] = []
        self._bad_batch: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if kind is None:
            self._flush()
        self._rows.close()
        self._bad.close()

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

    def write(self, columns: dict[str, pa.Array]) -> None:
        """Write columns of text with their `line`, each as long as the others."""
        n_rows = len(columns["line"])
        origin = (pa.scalar(self.origin.delivery_id), pa.scalar(self.origin.arrived_at))
        told = dict(zip(("delivery_id", "arrived_at"), origin, strict=True))
        whole = columns | {name: pa.repeat(value, n_rows) for name, value in told.items()}
        table = pa.table({name: whole[name] for name in self.schema.names})
        self._rows.write_table(table.cast(self.schema), row_group_size=ROW_GROUP)

    def _flush(self) -> None:
        if self._batch:
            rows = pa.Table.from_pylist(self._batch, self.text).combine_chunks()
            self.write({name: rows[name] for name in self.text.names})
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


def read_parquet(
    path: Path, feed: Feed, totals: list[str], into: StagedWriter, before: int = 0
) -> Read:
    """Read one file of Parquet into `into`, as `read_file` does the others.

    Raises Refused: truncated_parquet, broken_parquet, missing_head.
    """
    rows, matched, heads = check_parquet(path, feed)
    read = Read(rows, totals=dict.fromkeys(totals, 0.0), heads=heads)
    heads_of = {column: head for head, column in matched.items()}
    spare, line = spare_heads(heads, feed), before + 2
    try:
        asked = [*heads_of.values(), *spare]
        for batch in pq.ParquetFile(path).iter_batches(ROW_GROUP, columns=asked):
            n_rows = batch.num_rows
            text = {head: as_text(batch.column(head)) for head in asked}
            columns = {
                name: text[heads_of[name]] if name in heads_of else pa.nulls(n_rows, pa.string())
                for name in into.columns
            }
            for name in totals:
                read.totals[name] += total(columns[name])
            columns[UNMAPPED] = texts_of({spare[head]: text[head] for head in spare}, n_rows)
            columns["line"] = pa.array(np.arange(line, line + n_rows))
            into.write(columns)
            line += n_rows
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None):
            raise
        raise Refused("broken_parquet", f"{path.name} cannot be read as text") from None
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
