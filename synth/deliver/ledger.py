"""The list of faults: what was put in, where, and what should become of it.

Workers leave one part per delivery; at the end they are put together in one order, so that
nothing hangs on who was first.
"""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synth.deliver.contract import disk

# `line` counts as the house does: the first row below the head is 2, on through the files of a
# delivery. `byte` is where the line begins in a text file that is not packed.
ROW = pa.schema(
    [
        ("feed", pa.string()), ("period", pa.string()), ("delivery", pa.string()),
        ("file", pa.string()), ("line", pa.int64()), ("byte", pa.int64()),
        ("column", pa.string()), ("kind", pa.string()), ("right", pa.string()),
        ("written", pa.string()), ("first_line", pa.int64()), ("expected", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip
DELIVERY = pa.schema(
    [
        ("feed", pa.string()), ("period", pa.string()), ("delivery", pa.string()),
        ("kind", pa.string()), ("what", pa.string()), ("expected", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip
TABLES = {"row": ROW, "delivery": DELIVERY}
PARTS = ".parts"
# Rows of the list that wait in memory.
MOST_WAITING = 20_000


@dataclass
class Spool:
    """One list being written: rows of one delivery. A part without rows leaves no file."""

    notes: Path | None
    table: str
    name: str
    _waiting: list[dict[str, Any]] = field(default_factory=list)
    _writer: pq.ParquetWriter | None = None

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Take some rows; those of the call before may be written."""
        if len(self._waiting) >= MOST_WAITING:
            self._flush()
        self._waiting += rows

    def drop(self, line: int) -> None:
        """Take back what was said of the last line."""
        self._waiting = [row for row in self._waiting if row["line"] != line]

    def close(self) -> None:
        """Write what is left; the part appears under its name."""
        if self.notes is None:
            return
        there = self.notes / PARTS / self.table / f"{self.name}.parquet"
        there.unlink(missing_ok=True)
        self._flush()
        if self._writer is not None:
            self._writer.close()
            self._path.rename(there)

    @property
    def _path(self) -> Path:
        assert self.notes is not None
        return self.notes / PARTS / self.table / f".{self.name}.tmp"

    def _flush(self) -> None:
        if not self._waiting or self.notes is None:
            return
        schema = TABLES[self.table]
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._path, schema, compression="zstd")
        self._writer.write_table(pa.Table.from_pylist(self._waiting, schema))
        self._waiting = []


def gather(notes: Path, level: str, seed: int) -> dict[str, Any]:
    """Put the parts together as row.parquet and delivery.parquet, with README.md; return `told`.

    What is there from an earlier run is replaced; the parts themselves go.
    """
    from synth.deliver.readme import text

    with disk(notes):
        notes.mkdir(parents=True, exist_ok=True)
        for table, schema in TABLES.items():
            made = notes / f".{table}.tmp"
            parts = sorted((notes / PARTS / table).glob("*.parquet"))
            with pq.ParquetWriter(made, schema, compression="zstd") as writer:
                for part in parts:
                    for batch in pq.ParquetFile(part).iter_batches(MOST_WAITING):
                        writer.write_batch(batch)
            made.rename(notes / f"{table}.parquet")
        (notes / "README.md").write_text(text(level), encoding="utf-8")
        told = {"level": level, "seed": seed} | counts(notes)
        shown = json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True)
        (notes / "summary.json").write_text(shown + "\n", encoding="utf-8")
        shutil.rmtree(notes / PARTS, ignore_errors=True)
    return told


def counts(notes: Path) -> dict[str, Any]:
    """Return how many faults of each kind there are, by feed: rows and whole deliveries."""
    return {
        "rows": _counted(notes / "row.parquet", ["delivery", "period", "line"]),
        "deliveries": _counted(notes / "delivery.parquet", ["delivery", "period"]),
    }


def _counted(path: Path, place: list[str]) -> dict[str, dict[str, int]]:
    """Count by feed and kind; a fault in two columns of a row is one, and they are neighbours."""
    made: dict[str, dict[str, int]] = {}
    file, before = pq.ParquetFile(path), None
    for at in range(file.num_row_groups):
        rows = file.read_row_group(at, columns=["feed", "kind", *place])
        each = rows.group_by(rows.column_names, use_threads=False).aggregate([])
        for one in each.group_by(["feed", "kind"]).aggregate([([], "count_all")]).to_pylist():
            of_feed = made.setdefault(one["feed"], {})
            of_feed[one["kind"]] = of_feed.get(one["kind"], 0) + one["count_all"]
        [first], [last] = rows.slice(0, 1).to_pylist(), rows.slice(len(rows) - 1).to_pylist()
        if first == before:
            made[first["feed"]][first["kind"]] -= 1
        before = last
    return {feed: dict(sorted(of_feed.items())) for feed, of_feed in sorted(made.items())}
