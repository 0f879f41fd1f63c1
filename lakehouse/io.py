"""The only reader and writer of the lake: replace a partition, merge by key, append once.

Two processes that write one Delta table on a local disk can lose a commit in silence, so every
write holds a lock on the table, taken here. HDFS and ADLS commit atomically by themselves. On S3
several drivers need a log store that does, or writing is refused.
"""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow.fs as pafs
from deltalake import DeltaTable as DeltaLog

from lakehouse import ddl
from lakehouse.add_file import add_file
from lakehouse.conf import Settings
from lakehouse.errors import InputMissing, UsageError
from lakehouse.files import filesystem, local_path
from lakehouse.table import Table

if TYPE_CHECKING:
    from delta.tables import DeltaTable
    from pyspark.sql import DataFrame, SparkSession

S3_LOG_STORE = "spark.delta.logStore.s3a.impl"
LINEAGE = ("delivery_id", "line")
QUARANTINE_COLUMNS = (
    "slice string, delivery_id string, line bigint, violations array<string>, row string"
)


@dataclass(frozen=True)
class Written:
    """What one write did: the Delta version that holds it, and rows by what became of them."""

    version: int
    created: int = 0
    updated: int = 0
    closed: int = 0


class Lake:
    """Delta tables under one root: `<root>/<layer>/<table>`."""

    def __init__(self, spark: "SparkSession", conf: Settings) -> None:
        self.spark = spark
        self.root = conf.lake
        self._as_declared: set[str] = set()
        if self.root.startswith("s3") and S3_LOG_STORE not in conf.sections["spark"]:
            raise UsageError(
                "The lake lies on S3, where two writers can lose each other's commits. Set "
                f"{S3_LOG_STORE} (the DynamoDB log store) in conf, or use HDFS or ADLS."
            )

    # -- where and which ------------------------------------------------------------------

    def path(self, name: str) -> str:
        return table_path(self.root, name)

    def version(self, name: str) -> int | None:
        """Return a table's newest Delta version, or None where it does not exist."""
        return newest_version(self.path(name))

    def exists(self, name: str) -> bool:
        return self.version(name) is not None

    # -- reading --------------------------------------------------------------------------

    def read(self, name: str, version: int | None = None) -> "DataFrame":
        """Read a table, at one version or the newest, under its name. Raises InputMissing."""
        if not self.exists(name):
            raise InputMissing(
                f"{name} has not been made yet. `bangfu plan {name}` says what it needs."
            )
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return reader.load(self.path(name)).alias(name)

    # -- writing --------------------------------------------------------------------------

    def replace(self, table: type[Table], rows: "DataFrame", where: str) -> Written:
        """Replace the rows that meet `where` (a condition on the partition column)."""
        with self.writing(table):
            before = self.version(table.name)
            (
                rows.select(*table.columns)
                .write.format("delta")
                .mode("overwrite")
                .option("replaceWhere", where)
                .save(self.path(table.name))
            )
            if before is not None and self.version(table.name) == before:
                return Written(before)  # No row there and none to come: Delta makes no version.
            return self.written(table.name)

    def merge(self, table: type[Table], rows: "DataFrame", whole: bool) -> Written:
        """Insert new keys and update changed rows; `whole`: close keys that `rows` lacks.

        A row whose values are the same but for the delivery that brought it is not rewritten.
        """
        same = " AND ".join(f"t.{column} <=> s.{column}" for column in table.key)
        told = [name for name in table.columns if name not in (*table.key, *LINEAGE)]
        changed = " OR ".join(f"NOT (t.{column} <=> s.{column})" for column in told) or "false"
        values = {column: f"s.{column}" for column in table.columns}
        with self.writing(table) as delta:
            merge = (
                delta.alias("t")
                .merge(rows.select(*table.columns).alias("s"), same)
                .whenMatchedUpdate(condition=changed, set=dict(values))
                .whenNotMatchedInsert(values=dict(values))
            )
            if whole:
                merge = merge.whenNotMatchedBySourceDelete()
            merge.execute()
            return self.written(table.name)

    def insert_new(self, table: type[Table], rows: "DataFrame") -> Written:
        """Insert rows whose key is not there yet; leave the others as they are."""
        same = " AND ".join(f"t.{column} <=> s.{column}" for column in table.key)
        with self.writing(table) as delta:
            delta.alias("t").merge(rows.alias("s"), same).whenNotMatchedInsertAll().execute()
            return self.written(table.name)

    def append_once(self, table: type[Table], rows: "DataFrame", app_id: str) -> Written:
        """Append rows under a transaction name; a second append under that name does nothing."""
        with self.writing(table):
            (
                rows.select(*table.columns)
                .write.format("delta")
                .mode("append")
                .option("txnAppId", app_id)
                .option("txnVersion", 1)
                .save(self.path(table.name))
            )
            return self.written(table.name)

    def append_file(
        self, table: type[Table], uri: str, part: dict[str, str], n_rows: int, app_id: str
    ) -> Written:
        """Append a Parquet file under a transaction name; a second one under it does nothing.

        The file is moved into the table. It has the table's columns but those of `part`.
        """
        with self.writing(table):
            log = DeltaLog(self.path(table.name))
            if n_rows and log.transaction_version(app_id) is None:
                add_file(log, uri, part, n_rows, app_id)
            return Written(log.version(), created=n_rows)

    def write_quarantine(self, name: str, rows: "DataFrame | None", *slices: str) -> None:
        """Replace the quarantined rows of one table in slices (of a date, or a delivery)."""
        path = quarantine_path(self.root, name)
        if rows is None and newest_version(path) is None:
            return
        if rows is None:
            rows = self.spark.createDataFrame([], QUARANTINE_COLUMNS)
        with self.lock(f"quarantine.{name}"):
            (
                rows.write.format("delta")
                .mode("overwrite")
                .option("replaceWhere", f"slice IN ({', '.join(map(ddl.quoted, slices))})")
                .partitionBy("slice")
                .save(path)
            )

    def quarantine(self, name: str) -> "DataFrame | None":
        """Return the quarantined rows of a table, or None. Restricted zone."""
        path = quarantine_path(self.root, name)
        if newest_version(path) is None:
            return None
        return self.spark.read.format("delta").load(path)

    @contextmanager
    def set_down(self, rows: "DataFrame", name: str) -> "Iterator[DataFrame]":
        """Compute rows once: give them as read from staging, where they lie until this ends.

        A cache would hold all columns of all rows in memory; a check reads the few that it needs.
        """
        with self.staging(name) as folder:
            rows.write.parquet(folder)
            yield self.spark.read.schema(rows.schema).parquet(folder)

    @contextmanager
    def staging(self, name: str) -> Iterator[str]:
        """Give a place in staging that no other process has; what is there goes when this ends."""
        uri = f"{self.root}/_staging/{name}-{uuid4().hex}"
        files, inner = filesystem(uri)
        try:
            yield uri
        finally:
            if files.get_file_info(inner).type is pafs.FileType.Directory:
                files.delete_dir(inner)

    # -- inside ---------------------------------------------------------------------------

    @contextmanager
    def lock(self, name: str, shared: bool = False) -> Iterator[None]:
        """Hold the lock of one table against other processes on this machine."""
        local = local_path(self.root)
        if local is None:
            yield
            return
        folder = local / "_locks"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)

    @contextmanager
    def writing(self, table: type[Table]) -> "Iterator[DeltaTable]":
        """Lock a table and make sure that it exists as declared."""
        from delta.tables import DeltaTable

        path = self.path(table.name)
        with self.lock(table.name):
            if newest_version(path) is None:
                ddl.remove_unborn(path)
                ddl.create(self.spark, path, table)
            elif table.name not in self._as_declared:
                ddl.bring_up(self.spark, path, table)
            self._as_declared.add(table.name)
            yield DeltaTable.forPath(self.spark, path)

    def written(self, name: str) -> Written:
        from delta.tables import DeltaTable

        commit = DeltaTable.forPath(self.spark, self.path(name)).history(1).collect()[0]
        metrics: dict[str, Any] = commit["operationMetrics"] or {}
        if commit["operation"] == "MERGE":
            return Written(
                commit["version"],
                created=int(metrics["numTargetRowsInserted"]),
                updated=int(metrics["numTargetRowsUpdated"]),
                closed=int(metrics["numTargetRowsDeleted"]),
            )
        return Written(commit["version"], created=int(metrics.get("numOutputRows", 0)))


def table_path(root: str, name: str) -> str:
    """Return where a table lies under the root of a lake: `<root>/<layer>/<table>`."""
    return f"{root}/{name.replace('.', '/', 1)}"


def quarantine_path(root: str, name: str) -> str:
    """Return where the rows set aside from a table lie. Restricted zone."""
    return f"{root}/quarantine/{name}"


def newest_version(path: str) -> int | None:
    """Return the newest version of the Delta table at `path`, from its log's file names."""
    files, inner = filesystem(path)
    found = files.get_file_info(pafs.FileSelector(f"{inner}/_delta_log", allow_not_found=True))
    versions = [
        int(match.group(1))
        for info in found
        if (match := re.match(r"^(\d{20})\.json$", info.base_name))
    ]
    return max(versions, default=None)


def arrow_rows(delta: DeltaLog, path: str) -> Any:
    """Return an open Delta table as an Arrow data set. Needs no Spark.

    Arrow's own file system reads it: that of delta-rs is Python, which reading ahead would still
    call while the process ends (a crash, where not all rows were read).
    """
    files, inner = filesystem(path)
    return delta.to_pyarrow_dataset(filesystem=pafs.SubTreeFileSystem(inner, files))


def partition_condition(table: type[Table], as_of: date, redo_days: int) -> str:
    """Return the condition on the partition column that a run as of a date replaces."""
    match table.partition:
        case "as_of":
            return f"as_of = DATE'{as_of}'"
        case "month":
            return f"month = DATE'{as_of.replace(day=1)}'"
        case "day":
            first = as_of - timedelta(days=redo_days)
            return f"day >= DATE'{first}' AND day <= DATE'{as_of}'"
    raise UsageError(f"{table.name} is partitioned by {table.partition!r}: no run replaces that.")
