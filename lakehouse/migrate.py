"""A changed declaration brought to the tables that stand: done once, and taken back (迁移).

A migration of one table is one commit that changes rows (a rewrite, or the removal of those that
break a rule) and then changes of its schema alone. Rows that break a rule are in quarantine before
that commit. Each commit carries the migration's name, so a second try knows what a first one did.
"""

import getpass
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse import checks, ddl, migrate_rows
from lakehouse.changes import compare
from lakehouse.errors import ChecksFailed, InputMissing, UsageError, nearest
from lakehouse.io import Lake, table_path
from lakehouse.migrate_plan import Planned, Planner
from lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lakehouse.run import House

Line = dict[str, Any]
USER = "spark.databricks.delta.commitInfo.userMetadata"
# How a commit that changed rows begins to say what it was.
ROWS = ("DELETE", "REPLACE", "CREATE OR REPLACE")
# Commits that change no row: nothing is lost with them.
UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END")


class Migration:
    """Migrations of the tables of one house."""

    def __init__(self, house: "House", planner: Planner | None = None) -> None:
        self.house, self.planner = house, planner or Planner(house)

    @property
    def lake(self) -> Lake:
        return self.house.lake

    # -- there ------------------------------------------------------------------------------

    def apply(self, name: str) -> Line | None:
        """Migrate one table; return its line of the log, or None where nothing differs.

        What was stopped goes on. Raises ChecksFailed where the plan is refused.
        """
        [table] = self.planner.tables([name])
        with self.lake.lock(table.name):
            begun = self._begun(table)
            there = self.planner.standing(table)
            changes = compare(there, table)
            if not changes:
                return self._finish(begun, table) if begun else None
            planned, marked = self.planner.judge(table, there, changes)
            if planned.refused:
                raise ChecksFailed(f"{table.name} is not migrated: {'; '.join(planned.refused)}.")
            if begun and planned.moves_rows and self._wrote_rows(begun):
                # Stopped after its rows, and the declaration has changed once more since.
                self._finish(begun, table)
                begun = None
            line = self._start(table, planned, begun)
            with self._named(line, "migrate"):
                if planned.moves_rows:
                    self._set_aside(table, line, planned, marked)
                    self._write_rows(table, planned, marked)
                self._alter(table)
            return self._finish(line, table)

    def _begun(self, table: type[Table]) -> Line | None:
        lines = self.house.ops.migrations(table.name)
        return next((line for line in lines if line["state"] == "running"), None)

    def _wrote_rows(self, line: Line) -> bool:
        mine = f"migrate:{line['migration_id']}"
        return any(
            commit["userMetadata"] == mine and commit["operation"].startswith(ROWS)
            for commit in self._commits_after(line["table_name"], line["version_before"])
        )

    def _start(self, table: type[Table], planned: Planned, begun: Line | None) -> Line:
        line = begun or {
            "migration_id": uuid.uuid4().hex[:8],
            "table_name": table.name,
            "state": "running",
            "version_before": self.lake.version(table.name),
            "started_at": datetime.now(UTC),
        }
        line |= {"who": getpass.getuser()}
        if not begun or planned.moves_rows:
            line |= {f"n_{word}": getattr(planned, word) if planned.rows is not None else None
                     for word in ("rows", "kept", "aside", "emptied")}  # fmt: skip
            line |= {"changes": [asdict(one) for one in planned.changes]}
        self.house.ops.record_migration(**line)
        return line

    def _set_aside(
        self, table: type[Table], line: Line, planned: Planned, marked: "DataFrame | None"
    ) -> None:
        slice_ = migrate_rows.SLICE + line["migration_id"]
        aside = migrate_rows.set_aside(marked, slice_) if marked and planned.aside else None
        self.lake.write_quarantine(table.name, aside, slice_)
        self.house.ops.record_reasons(table.name, slice_, planned.reasons)

    def _write_rows(self, table: type[Table], planned: Planned, marked: "DataFrame | None") -> None:
        """Change rows in one commit, and hold Delta's own count of them against the plan's."""
        from delta.tables import DeltaTable

        path, before = table_path(self.lake.root, table.name), self.lake.version(table.name) or 0
        delta = DeltaTable.forPath(self.house.spark, path)
        if marked is None or planned.rewrites:
            self._replace(table, path, marked)
            counted, wanted = "numOutputRows", planned.kept
        else:
            rules = checks.conditions(table).values()
            delta.delete(" OR ".join(f"NOT coalesce({sql}, true)" for sql in rules))
            counted, wanted = "numDeletedRows", planned.aside
        commit = delta.history(1).collect()[0]
        n_rows = int((commit["operationMetrics"] or {}).get(counted, 0))
        if commit["version"] != before + 1 or n_rows != wanted:
            # Where no lock holds others off, a write between reading and writing would be lost.
            self._restore(table.name, commit["version"] - 1)
            raise ChecksFailed(
                f"{table.name} changed while it was migrated ({n_rows} rows, {wanted} planned). It "
                f"was put back: run `bangfu migrate {table.name} --apply` again."
            )

    def _replace(self, table: type[Table], path: str, marked: "DataFrame | None") -> None:
        """Put rows, schema, texts and declaration in place of what stands, in one commit."""
        if marked is None:
            schema = ", ".join(f"{one.name} {one.type}" for one in table.columns.values())
            rows = self.house.spark.createDataFrame([], schema)
        else:
            rows = checks.good_rows(marked).drop(*migrate_rows.MARKS)
        writer = rows.writeTo(f"delta.`{path}`").using("delta")
        writer = writer.tableProperty("comment", ddl.comment(table))
        for name, value in ddl.properties(table).items():
            writer = writer.tableProperty(name, value)
        if table.partition:
            writer = writer.partitionedBy(table.partition)
        writer.replace()

    def _alter(self, table: type[Table]) -> None:
        """Change what no row hangs on; by which declaration the table stands is written last."""
        spark, path = self.house.spark, table_path(self.lake.root, table.name)
        changes = compare(self.planner.standing(table), table)
        new = [one.what for one in changes if one.kind == "column added"]
        ddl.add_columns(spark, path, table, new)
        ddl.allow_null(spark, path, (one.what for one in changes if one.kind == "may be null"))
        if any(one.kind == "texts" for one in changes):
            ddl.describe(spark, path, table)
        ddl.record(spark, path, table)

    def _finish(self, line: Line, table: type[Table]) -> Line:
        line |= {"state": "done", "version_after": self.lake.version(table.name),
                 "ended_at": datetime.now(UTC)}  # fmt: skip
        self.house.ops.record_migration(**line)
        return line

    # -- and back ---------------------------------------------------------------------------

    def undo(self, migration_id: str | None = None, *, force: bool = False) -> Line:
        """Put a table back to the version before a migration, and its rows out of quarantine.

        The newest migration where none is named. Raises UsageError where it is not in force, or
        where later writes would be lost and `force` is not given.
        """
        line = self._line(migration_id)
        name = line["table_name"]
        with self.lake.lock(name):
            mine = {f"{word}:{line['migration_id']}" for word in ("migrate", "undo")}
            commits = self._commits_after(name, line["version_before"])
            later = [one for one in commits
                     if one["userMetadata"] not in mine and one["operation"] not in UPKEEP
                     ]  # fmt: skip
            if later and not force:
                raise UsageError(
                    f"Undoing {line['migration_id']} would lose what was written to {name} since: "
                    f"{_told(later)}. --force does it all the same."
                )
            is_back = commits and commits[0]["userMetadata"] == f"undo:{line['migration_id']}"
            if not is_back:
                with self._named(line, "undo"):
                    self._restore(name, line["version_before"])
            slice_ = migrate_rows.SLICE + line["migration_id"]
            self.lake.write_quarantine(name, None, slice_)
            self.house.ops.record_reasons(name, slice_, {})
            line |= {"state": "undone", "ended_at": datetime.now(UTC)}
            self.house.ops.record_migration(**line)
        return line

    def _line(self, migration_id: str | None) -> Line:
        lines = [one for one in self.house.ops.migrations() if one["state"] != "undone"]
        known = {one["migration_id"]: one for one in lines}
        if migration_id is None and lines:
            return lines[0]
        if migration_id is None:
            raise UsageError("No migration is in force: there is nothing to undo.")
        if migration_id not in known:
            raise UsageError(
                f"No migration {migration_id!r} is in force.{nearest(migration_id, [*known])} "
                "`bangfu migrate log` lists them."
            )
        return known[migration_id]

    def _restore(self, name: str, version: int) -> None:
        from pyspark.errors import PySparkException

        path = table_path(self.lake.root, name)
        try:
            sql = f"RESTORE TABLE delta.`{path}` TO VERSION AS OF {version}"
            self.house.spark.sql(sql).collect()
        except PySparkException as error:
            raise InputMissing(
                f"{name} cannot go back to version {version} ({type(error).__name__}): VACUUM has "
                "taken its files. A backup may have them: `bangfu restore`."
            ) from None

    def _commits_after(self, name: str, version: int) -> list[Any]:
        """Return the commits of a table after a version, the newest first: few, not rows."""
        from delta.tables import DeltaTable

        history = DeltaTable.forPath(self.house.spark, table_path(self.lake.root, name)).history()
        kept = history.where(f"version > {version}").orderBy("version", ascending=False)
        return kept.select("version", "operation", "userMetadata", "operationMetrics").collect()

    @contextmanager
    def _named(self, line: Line, word: str) -> Iterator[None]:
        """Have every commit of this session say which migration made it."""
        conf = self.house.spark.conf
        conf.set(USER, f"{word}:{line['migration_id']}")
        try:
            yield
        finally:
            conf.unset(USER)


def _told(commits: list[Any]) -> str:
    """Say what commits did: versions, operations and rows."""
    said = []
    for one in reversed(commits[:5]):
        metrics = one["operationMetrics"] or {}
        n_rows = metrics.get("numOutputRows") or metrics.get("numTargetRowsInserted")
        said.append(f"version {one['version']} {one['operation']}"
                    + (f" of {n_rows} rows" if n_rows else ""))  # fmt: skip
    more = f", and {len(commits) - 5} before" if len(commits) > 5 else ""
    return ", ".join(said) + more
