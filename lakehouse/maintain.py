"""Upkeep: small files, old versions, rows past their days, old records and pages, staging.

Each step says what it would do before it does it, so that a dry run and a run tell the same. No
Spark starts where there is nothing to do. Lock files stay: they are empty, one for a table, and
taking one away from under somebody who waits for it would let two writers in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
from deltalake import DeltaTable as DeltaLog

from lakehouse import ddl
from lakehouse.conf import Settings
from lakehouse.errors import DeclarationError
from lakehouse.files import filesystem
from lakehouse.io import newest_version, quarantine_path, table_path
from lakehouse.run import House
from lakehouse.table import Table
from lakehouse.trim import events, pages, records

# Delta's own limit: what a reader has begun with would else go from under it.
FEWEST_VERSION_DAYS = 7


@dataclass(frozen=True)
class Done:
    """What one step did, or would do: so many files (or rows, pages) of so many bytes."""

    step: str
    what: str
    n: int
    bytes: int = 0


class Upkeep:
    """The upkeep of one lake and its stores, as of a day."""

    def __init__(self, house: House, today: date, *, dry_run: bool, old_rows: bool) -> None:
        self.house, self.conf, self.today, self.dry_run = house, house.conf, today, dry_run
        self.with_old_rows = old_rows
        self.version_days = number(self.conf, "version_days")
        if self.version_days < FEWEST_VERSION_DAYS:
            raise DeclarationError(
                f"conf [maintain] version_days is {self.version_days:g}: at least "
                f"{FEWEST_VERSION_DAYS}, or runs that have begun lose the files they read."
            )

    def run(self) -> Iterator[Done]:
        """Yield what each step did, table by table; a table that was left alone is not told."""
        for name, path in self.tables.items():
            table = self.house.registry.tables.get(name)
            if table and self.with_old_rows:
                yield from self._old_rows(table, path)
            yield from self._compact(name, path)
            yield from self._vacuum(name, path)
        yield from self._staging()
        now = datetime.now(UTC)
        n = records(self.house.ops, now, number(self.conf, "record_days"), self.dry_run)
        if n:
            yield Done("records", "runs and checks", n)
        n, n_bytes = pages(self.conf, now, number(self.conf, "page_days"), self.dry_run)
        if n:
            yield Done("pages", "Data Docs", n, n_bytes)
        n, n_bytes = events(self.conf, now, number(self.conf, "record_days"), self.dry_run)
        if n:
            yield Done("events", "lineage", n, n_bytes)

    @cached_property
    def tables(self) -> dict[str, str]:
        """Return the Delta tables that are there, quarantine included, with their paths."""
        root, named = self.conf.lake, self.house.registry.tables
        found = {name: table_path(root, name) for name in named if not name.startswith("conf.")}
        found |= {f"quarantine.{name}": quarantine_path(root, name) for name in named}
        return {name: path for name, path in found.items() if newest_version(path) is not None}

    # -- steps -----------------------------------------------------------------------------

    def _old_rows(self, table: type[Table], path: str) -> Iterator[Done]:
        """Delete the partitions that are older than the table keeps rows."""
        if table.partition not in ("day", "month", "as_of"):
            return
        limit = self.today - timedelta(days=table.keep_days)
        first = limit.replace(day=1) if table.partition == "month" else limit
        gone = [
            file for file in _files(path) if str(file["partition"][table.partition]) < str(first)
        ]
        if gone and not self.dry_run:
            from delta.tables import DeltaTable

            with self.house.lake.lock(table.name):
                DeltaTable.forPath(self.house.spark, path).delete(
                    f"{table.partition} < DATE'{first}'"
                )
        if gone:
            yield Done("old rows", table.name, len(gone), sum(one["bytes"] for one in gone))

    def _compact(self, name: str, path: str) -> Iterator[Done]:
        """Rewrite the partitions of many small files to few."""
        most = number(self.conf, "small_mb") * 2**20
        small: dict[tuple[tuple[str, Any], ...], list[int]] = {}
        for file in _files(path):
            if file["bytes"] < most:
                small.setdefault(tuple(file["partition"].items()), []).append(file["bytes"])
        least = number(self.conf, "small_files")
        found = {part: sizes for part, sizes in small.items() if len(sizes) >= least}
        if found and not self.dry_run:
            from delta.tables import DeltaTable

            self.house.spark.conf.set("spark.databricks.delta.optimize.minFileSize", int(most))
            with self.house.lake.lock(name):
                for part in found:
                    optimize = DeltaTable.forPath(self.house.spark, path).optimize()
                    (optimize.where(_condition(part)) if part else optimize).executeCompaction()
        if found:
            sizes = [size for one in found.values() for size in one]
            yield Done("compact", name, len(sizes), sum(sizes))

    def _vacuum(self, name: str, path: str) -> Iterator[Done]:
        """Take away the files that no version of the last days needs, and what crashes left."""
        hours = int(self.version_days * 24)
        gone = DeltaLog(path).vacuum(hours, dry_run=True, full=True)
        if not gone:
            return
        files, inner = filesystem(path)
        found = files.get_file_info([f"{inner}/{one}" for one in gone])
        if not self.dry_run:
            # What was listed goes, nothing else; Spark would print into the answer.
            with self.house.lake.lock(name):
                DeltaLog(path).vacuum(hours, dry_run=False, full=True)
        yield Done("vacuum", name, len(gone), sum(one.size or 0 for one in found))

    def _staging(self) -> Iterator[Done]:
        """Remove what a crash left in staging: a landing that goes on is never that old."""
        files, inner = filesystem(f"{self.conf.lake}/_staging")
        limit = datetime.now(UTC) - timedelta(days=number(self.conf, "staging_days"))
        selector = pafs.FileSelector(inner, allow_not_found=True)
        for left in files.get_file_info(selector):
            inside = files.get_file_info(pafs.FileSelector(left.path, recursive=True))
            if any(one.mtime and one.mtime > limit for one in [left, *inside]):
                continue
            if not self.dry_run:
                files.delete_dir(left.path)
            yield Done("staging", left.base_name, len(inside), sum(one.size or 0 for one in inside))


def number(conf: Settings, key: str) -> float:
    """Return one number of conf [maintain]."""
    return float(conf.get("maintain", key))


def _files(path: str) -> list[dict[str, Any]]:
    """Return the files of a table's newest version: bytes and partition of each."""
    rows = pa.table(DeltaLog(path).get_add_actions(flatten=True))
    names = [one for one in rows.column_names if one.startswith("partition.")]
    return [
        {"bytes": row["size_bytes"], "partition": {one.split(".", 1)[1]: row[one] for one in names}}
        for row in rows.select(["size_bytes", *names]).to_pylist()
    ]


def _condition(part: tuple[tuple[str, Any], ...]) -> str:
    return " AND ".join(
        f"`{name}` IS NULL" if value is None else f"`{name}` = {ddl.quoted(str(value))}"
        for name, value in part
    )
