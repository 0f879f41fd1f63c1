"""A delivery being written from what a source answers: hidden until it is whole."""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from gzip import GzipFile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.delivery import MANIFEST, READY, Delivery, sha256
from lakehouse.feed import Feed

Row = dict[str, Any]


class Outgoing:
    """Writes batches of rows as one file of the feed's format. Values become text."""

    def __init__(self, delivery: Delivery, feed: Feed) -> None:
        self.delivery, self.feed, self.rows = delivery, feed, 0
        self.hidden = delivery.folder.parent / f".{delivery.name}.tmp"
        shutil.rmtree(self.hidden, ignore_errors=True)
        self.hidden.mkdir(parents=True)
        self.file = self.hidden / f"{feed.name}_{delivery.period}.{feed.format}"
        # Without name and time in its head, so that the same rows are the same bytes.
        self._raw = self.file.open("wb") if feed.format == "jsonl" else None
        self._lines = GzipFile("", "wb", 1, self._raw, mtime=0) if self._raw else None
        self._table: pq.ParquetWriter | None = None

    def write(self, rows: Iterable[Row]) -> None:
        """Write a batch."""
        batch = [{name: as_text(value) for name, value in row.items()} for row in rows]
        if not batch:
            return
        self.rows += len(batch)
        if self._lines:
            for row in batch:
                self._lines.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            return
        if self._table is None:
            schema = pa.schema([(name, pa.string()) for name in batch[0]])
            self._table = pq.ParquetWriter(self.file, schema, compression="zstd")
        self._table.write_table(pa.Table.from_pylist(batch, self._table.schema))

    def publish(self, extent: str, mark: str | None) -> None:
        """Close the file, write the manifest, rename, and put the flag in last."""
        self._close()
        told = {
            "feed": self.feed.name, "period": self.delivery.period, "extent": extent,
            "delivered_at": datetime.now(UTC).isoformat(), "supersedes": None,
            "mark": mark,
            "files": [{"name": self.file.name, "bytes": self.file.stat().st_size,
                       "sha256": sha256(self.file), "rows": self.rows}],
        }  # fmt: skip
        text = json.dumps(told, ensure_ascii=False, indent=1)
        (self.hidden / MANIFEST).write_text(text, encoding="utf-8")
        # A folder without its flag is nobody's: a run that died between the two left it.
        shutil.rmtree(self.delivery.folder, ignore_errors=True)
        self.hidden.rename(self.delivery.folder)
        (self.delivery.folder / READY).touch()

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._close()
        shutil.rmtree(self.hidden, ignore_errors=True)

    def _close(self) -> None:
        if self._lines and self._raw:
            self._lines.close()
            self._raw.close()
        if self._table:
            self._table.close()


@contextmanager
def outgoing(delivery: Delivery, feed: Feed) -> Iterator[Outgoing]:
    """Give a delivery to write; what is not published is not there."""
    made = Outgoing(delivery, feed)
    try:
        yield made
    finally:
        made.abandon()


def as_text(value: Any) -> str | None:
    """Return a value as text, as `jsonl` lands it; moments to the microsecond, with a blank."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def marks(landing: Path, feed: Feed) -> list[tuple[str, str]]:
    """Return when and up to which key a feed was fetched so far, in the order of fetching.

    The manifests are the only memory: what was published is what counts.
    """
    found = []
    for flag in (landing / feed.source / feed.name).glob(f"*/*/{READY}"):
        told = json.loads((flag.parent / MANIFEST).read_text(encoding="utf-8"))
        if told.get("mark") is not None:
            found.append((str(told["delivered_at"]), str(told["mark"])))
    return sorted(found)
