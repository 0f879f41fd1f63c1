"""Where an answer goes: a terminal, CSV, JSON, Parquet, a page with a chart.

CSV, JSON and Parquet are written batch by batch. A file appears whole or not at all.
"""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
from pyarrow import csv, parquet

from lakehouse.conf import Settings
from lakehouse.errors import UsageError, nearest
from lakehouse.files import local_path
from lakehouse.query.errors import Stopped
from lakehouse.query.query import Answer

SUFFIXES = (".csv", ".json", ".parquet", ".html")
WIDE, WIDE_ROWS = 9, 4  # more columns than WIDE are printed turned, a few rows at a time
BOM = b"\xef\xbb\xbf"  # without it, Excel reads a file of its user's country's encoding


def check_out(path: Path, conf: Settings) -> None:
    """Raise UsageError where a file cannot or must not be written."""
    if path.suffix not in SUFFIXES:
        raise UsageError(
            f"--out {path.name}: the suffix is one of {', '.join(SUFFIXES)}."
            f"{nearest(path.suffix, list(SUFFIXES))}"
        )
    if not path.parent.is_dir():
        raise UsageError(f"--out {path}: there is no folder {path.parent}.")
    for kept in (local_path(conf.lake), conf.landing):
        if kept and path.resolve().is_relative_to(kept.resolve()):
            raise UsageError(f"--out {path}: that is inside {kept}, which only runs write.")


def save(answer: Answer, path: Path, told: str) -> int:
    """Write an answer by the suffix of a path; return the number of rows. `told` is the SQL."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            match path.suffix:
                case ".csv":
                    file.write(BOM)
                    write_csv(answer, file)
                case ".json":
                    write_json(answer, file)
                case ".parquet":
                    _write_parquet(answer, file)
                case ".html":
                    from lakehouse.query.chart import page

                    file.write(page(answer.table(), told).encode())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return answer.n_rows


def write_csv(answer: Answer, file: IO[bytes]) -> None:
    """Write CSV in UTF-8; lists and structures as JSON, null as nothing."""
    nested = [pa.types.is_nested(field.type) for field in answer.schema]
    fields = zip(answer.schema, nested, strict=True)
    flat = pa.schema([field.with_type(pa.string()) if is_ else field for field, is_ in fields])
    with csv.CSVWriter(file, flat) as writer:
        for batch in answer.batches():
            columns = [
                pa.array([None if one is None else _json(one) for one in column.to_pylist()],
                         pa.string()) if is_nested else column
                for column, is_nested in zip(batch.columns, nested, strict=True)
            ]  # fmt: skip
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=flat))


def write_json(answer: Answer, file: IO[bytes]) -> None:
    """Write one JSON list, a row being an object on a line of its own."""
    mark = "[\n"
    for batch in answer.batches():
        for row in batch.to_pylist():
            file.write((mark + _json(row)).encode())
            mark = ",\n"
    file.write(b"\n]\n" if answer.n_rows else b"[]\n")


def _json(value: Any) -> str:
    return json.dumps(_finite(value), ensure_ascii=False, default=str)


def _finite(value: Any) -> Any:
    """Return a value with null for what JSON has no number for."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return value


def _write_parquet(answer: Answer, file: IO[bytes]) -> None:
    with parquet.ParquetWriter(file, answer.schema) as writer:
        for batch in answer.batches():
            writer.write_batch(batch)


@dataclass(frozen=True)
class First:
    """The first rows of an answer, and how many there are; or at least, where counting stopped."""

    names: list[str]
    rows: list[dict[str, Any]]
    n_rows: int
    is_counted: bool

    def told(self, n_shown: int) -> str:
        """Say how many rows there are, and how many are not shown."""
        n_more = self.n_rows - n_shown
        if not n_more:
            return f"{self.n_rows:,} row{'' if self.n_rows == 1 else 's'}"
        least = "" if self.is_counted else "at least "
        return f"{n_shown:,} rows shown, {least}{n_more:,} more: --rows N, or --out FILE for all"


def first_rows(answer: Answer, n: int) -> First:
    """Return the first rows; the others are counted, as far as the limit of rows."""
    rows: list[dict[str, Any]] = []
    is_counted = True
    try:
        for batch in answer.batches():
            if len(rows) < n:
                rows += batch.slice(0, n - len(rows)).to_pylist()
    except Stopped as stopped:
        if stopped.limit != "rows":
            raise
        is_counted = False
    return First(answer.schema.names, rows, answer.n_rows, is_counted)


def print_rows(first: First) -> None:
    """Print rows as a table; where it is wide, one row below the other."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    rows, table = first.rows, Table(box=box.SIMPLE_HEAD)
    if len(first.names) > WIDE:
        rows = rows[:WIDE_ROWS]
        for head in ("", *(f"row {at}" for at in range(1, len(rows) + 1))):
            table.add_column(head, overflow="fold")
        for name in first.names:
            table.add_row(escape(name), *(escape(shown(row[name])) for row in rows))
    else:
        for name in first.names:
            is_number = any(isinstance(row[name], int | float) for row in rows)
            justify: Any = "right" if is_number else "left"
            table.add_column(escape(name), justify=justify, overflow="fold")
        for row in rows:
            table.add_row(*(escape(shown(row[name])) for name in first.names))
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(table)
    console.print(first.told(len(rows)), highlight=False)


def shown(value: Any) -> str:
    """Write one value for a terminal: digits are grouped from five on, a year is not."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)
