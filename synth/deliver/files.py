"""Deliveries: frames written as departments write them, by the mapping of their feed.

The same frame gives the same bytes: no clock, no machine, fixed dates inside archives.
"""

import csv
import hashlib
import io
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.errors import UsageError
from lakehouse.feed import Feed, Field

READY, MANIFEST = "_READY", "manifest.json"
EPOCH = (2016, 1, 1, 0, 0, 0)
# Patterns of the mappings -> those of Python. `yyyy/M/d` is made without leading zeros.
PATTERNS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
EXTENSION = {"csv": "csv", "tsv": "tsv", "xlsx": "xlsx", "parquet": "parquet"}


@dataclass(frozen=True)
class Delivery:
    """One delivery of one file, in memory. `supersedes` is `<period>/<name>` of another."""

    feed: Feed
    period: str
    name: str
    delivered_at: str
    file: str
    content: bytes = field(repr=False)
    rows: int
    totals: dict[str, int] = field(default_factory=dict, hash=False)
    supersedes: str | None = None

    def manifest(self) -> str:
        """Return the manifest as text."""
        file: dict[str, Any] = {
            "name": self.file,
            "bytes": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "rows": self.rows,
        }
        if self.totals:
            file["totals"] = self.totals
        told = {
            "feed": self.feed.name,
            "period": self.period,
            "extent": self.feed.extent,
            "delivered_at": self.delivered_at,
            "supersedes": self.supersedes,
            "files": [file],
        }
        return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def as_written(rows: pd.DataFrame, feed: Feed) -> pd.DataFrame:
    """Return a frame's values as the source writes them, under our column names.

    Text everywhere, None where empty; spreadsheets keep their numbers as numbers.
    """
    return pd.DataFrame(
        {
            name: _values(rows[name].reset_index(drop=True), spec, feed.format == "xlsx")
            for name, spec in feed.fields.items()
        },
        dtype=object,
    )


def _values(values: pd.Series, spec: Field, keeps_numbers: bool) -> pd.Series:
    empty = values.isna()
    if spec.type in ("code", "yes_no"):
        labels: dict[str, str] = {}
        for label, code in spec.labels.items():
            labels.setdefault(code, label)
        keys = np.where(values.eq(True), "true", "false") if spec.type == "yes_no" else values
        written = pd.Series(keys, values.index).map(labels)
        unknown = written.isna() & ~empty
        if unknown.any():
            raise ValueError(f"{spec.name}: {unknown.sum()} values are not in the code list.")
    elif spec.type in ("date", "timestamp"):
        written = _times(values, spec.formats[0])
    elif spec.type in ("integer", "decimal", "longitude", "latitude"):
        scaled = values.astype(float) / spec.scale
        written = scaled if keeps_numbers else scaled.map("{:.10g}".format)
        if keeps_numbers and spec.type == "integer":
            written = scaled.where(~empty, 0).astype(int)
    else:
        written = values
    return written.astype(object).where(~empty, None)


def _times(values: pd.Series, pattern: str) -> pd.Series:
    """Return days or moments by a pattern; each different one is written once only."""
    codes, unique = pd.factorize(values)
    moments = pd.DatetimeIndex(unique)
    if pattern == "yyyy/M/d":
        texts = [f"{at.year}/{at.month}/{at.day}" for at in moments]
    else:
        for ours, theirs in PATTERNS.items():
            pattern = pattern.replace(ours, theirs)
        texts = list(moments.strftime(pattern))
    # Code -1 stands for no value: it takes the last, empty one.
    return pd.Series(np.array([*texts, None], dtype=object)[codes], values.index)


def encoded(written: pd.DataFrame, feed: Feed, heads: dict[str, str] | None = None) -> bytes:
    """Return the file. `heads` gives other heads than the mapping's first for some columns."""
    named = {name: (heads or {}).get(name, spec.head[0]) for name, spec in feed.fields.items()}
    table = written.rename(columns=named)
    if feed.format == "xlsx":
        return _xlsx(table, feed.title)
    if feed.format == "parquet":
        return _parquet(table)
    text = io.StringIO()
    separator = "\t" if feed.format == "tsv" else ","
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.itertuples(index=False, name=None))
    return text.getvalue().encode(feed.encoding)


def _parquet(table: pd.DataFrame) -> bytes:
    schema = pa.schema([(name, pa.string()) for name in table.columns])
    columns = [pa.array(table[name], pa.string()) for name in table.columns]
    out = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), out, compression="zstd")
    return out.getvalue()


class _SameDate(ZipFile):
    """An archive whose entries all carry one date, so that equal content has equal bytes."""

    def write(self, filename: Any, arcname: Any = None, *rest: Any) -> None:
        self.writestr(str(arcname or filename), Path(filename).read_bytes())

    def writestr(self, zinfo_or_arcname: Any, data: Any, *rest: Any) -> None:
        info = ZipInfo(str(zinfo_or_arcname), EPOCH)
        info.compress_type = ZIP_DEFLATED
        super().writestr(info, data, ZIP_DEFLATED, 6)


def _xlsx(table: pd.DataFrame, title: str) -> bytes:
    from datetime import datetime

    from openpyxl import Workbook
    from openpyxl.writer.excel import ExcelWriter

    book = Workbook(write_only=True)
    book.properties.creator = title
    book.properties.created = book.properties.modified = datetime(*EPOCH)
    sheet = book.create_sheet(title)
    sheet.append(list(table.columns))
    for row in table.itertuples(index=False, name=None):
        sheet.append(row)
    out = io.BytesIO()
    # Not Workbook.save: it would stamp the time of writing.
    with _SameDate(out, "w", ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).save()
    return out.getvalue()


def totals(rows: pd.DataFrame, feed: Feed) -> dict[str, int]:
    """Return the sum of the first counted column (an integer with a unit), if there is one."""
    for name, spec in feed.fields.items():
        if spec.type == "integer" and spec.unit:
            return {name: int(rows[name].sum())}
    return {}


def delivery(
    rows: pd.DataFrame, feed: Feed, period: str, name: str, delivered_at: str,
    written: pd.DataFrame | None = None, heads: dict[str, str] | None = None,
) -> Delivery:  # fmt: skip
    """Return the delivery of a frame. `written` replaces the values as they would be written."""
    values = as_written(rows, feed) if written is None else written
    file = f"{feed.name}_{period}.{EXTENSION[feed.format]}"
    content = encoded(values, feed, heads)
    return Delivery(
        feed, period, name, delivered_at, file, content, len(values), totals(rows, feed)
    )


def write(landing: Path, one: Delivery) -> bool:
    """Write a delivery, `_READY` last. Return whether it was written: a complete one is left.

    Raises UsageError where another delivery bears the same name: names are never used again.
    """
    folder = landing / one.feed.source / one.feed.name / one.period / one.name
    manifest = one.manifest()
    if (folder / READY).exists():
        if (folder / MANIFEST).read_text(encoding="utf-8") == manifest:
            return False
        raise UsageError(
            f"{folder} holds another delivery. Choose another folder, or remove this one."
        )
    unfinished = folder.with_name(f".{one.name}.tmp")
    for left in (unfinished, folder):
        shutil.rmtree(left, ignore_errors=True)
    unfinished.mkdir(parents=True)
    (unfinished / one.file).write_bytes(one.content)
    (unfinished / MANIFEST).write_text(manifest, encoding="utf-8")
    unfinished.rename(folder)
    (folder / READY).touch()
    return True
