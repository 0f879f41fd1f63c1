"""Where a figure came from, and where it went: runs, versions, columns, deliveries.

Runs and deliveries come from the operations store, columns from the kept events; no Spark.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from lakehouse.conf import Settings
from lakehouse.delivery import Refused, find
from lakehouse.errors import InputMissing, UsageError, nearest
from lakehouse.feed import Feed
from lakehouse.lineage.kept import Kept, Use
from lakehouse.ops import Ops
from lakehouse.registry import Registry

MOST_RUNS = 10_000
NOT_TOLD = "its columns are not known: no kept event of this run tells them"


@dataclass
class Step:
    """A table, or one column of it, as one run made it, and what that came from or went into."""

    table: str
    column: str | None = None
    how: str | None = None
    origin: str = ""
    as_of: date | None = None
    version: Any = None
    run_id: str | None = None
    made_at: str | None = None
    rows: int | None = None
    note: str | None = None
    # What decides the value without being in it, and what decides which rows there are.
    decided_by: list[str] = field(default_factory=list)
    rows_by: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    told_above: bool = False
    steps: list["Step"] = field(default_factory=list)


class Trail:
    """Follows tables and columns of one house up to deliveries, or down to answers."""

    def __init__(self, conf: Settings, ops: Ops, known: Registry) -> None:
        self.conf, self.ops, self.known = conf, ops, known
        self.kept = Kept(Path(conf.get("lineage", "root")))
        self._runs: dict[str, list[dict[str, Any]]] = {}
        self._told: set[tuple[Any, ...]] = set()
        self._deliveries: dict[str, list[dict[str, Any]]] = {}

    def up(self, table: str, column: str | None = None, as_of: date | None = None) -> Step:
        """Return what a table, or one column of it, was made from. Raises InputMissing."""
        self._told = set()
        if table not in self.known.jobs:
            landed = [row for row in self._ledger(table) if row["state"] == "landed"]
            return self._source(table, column, [row["delivery_id"] for row in landed])
        return self._made(self.run(table, as_of), column)

    def down(self, table: str, column: str | None = None, as_of: date | None = None) -> Step:
        """Return what was made from a table, or from one column of it."""
        self._told = set()
        runs = [run for run in self.runs(table) if as_of in (None, run["as_of"])]
        step = self._of(runs[0], column) if runs else self._source(table, column, [])
        step.steps = self._readers(table, column, as_of)
        return step

    def run(self, table: str, as_of: date | None = None) -> dict[str, Any]:
        """Return the newest successful run of a table (for a date). Raises InputMissing."""
        for run in self.runs(table):
            if as_of in (None, run["as_of"]):
                return run
        when = f" for {as_of}" if as_of else ""
        raise InputMissing(
            f"{table} has not been made{when}. `bangfu plan {table}` says what it needs."
        )

    def runs(self, table: str) -> list[dict[str, Any]]:
        """Return the successful runs of a table, the newest first."""
        if table not in self._runs:
            runs = self.ops.runs(table, MOST_RUNS)
            self._runs[table] = [run for run in runs if run["state"] == "done"]
        return self._runs[table]

    def run_of(self, table: str, version: int, as_of: date | None) -> dict[str, Any] | None:
        """Return the run that wrote a table as another run read it, at a version for a date."""
        written = [run for run in self.runs(table) if (run["delta_version"] or 0) <= version]
        if self.known.tables[table].partition == "as_of":
            written = [run for run in written if run["as_of"] == as_of]
        return written[0] if written else None

    # -- up ---------------------------------------------------------------------------------

    def _made(self, run: Mapping[str, Any], column: str | None, how: str | None = None) -> Step:
        """Return a step of a table that a job made, with all that it came from."""
        step = self._of(run, column, how)
        key = (step.table, column, step.run_id)
        if key in self._told:
            step.told_above = True
            return step
        self._told.add(key)
        told = self.kept.columns(run)
        step.rows_by = _by(told.rows) if told else []
        if column is None or told is None:
            step.note = NOT_TOLD if told is None else step.note
            step.steps = [self._input(run, name, None, None) for name in sorted(run["inputs"])]
            return step
        step.note = told.notes.get(column, step.note)
        uses = told.of.get(column, [])
        # What only decides is followed where there is nothing else, or where its way ends at once.
        followed = [use for use in uses if use.is_direct] or uses
        followed += [
            use for use in uses if use not in followed and use.source[0] not in self.known.jobs
        ]
        step.decided_by = _by(use for use in uses if use not in followed)
        step.steps = [self._input(run, *use.source, use.how) for use in followed]
        return step

    def _input(
        self, run: Mapping[str, Any], name: str, column: str | None, how: str | None
    ) -> Step:
        """Return a step of what a run read: another run's output, or a source."""
        read = run["inputs"].get(name)
        if name in self.known.jobs:
            made = self.run_of(name, read, run["as_of"]) if isinstance(read, int) else None
            if made:
                step = self._made(made, column, how)
                if self.known.tables[name].partition in ("day", "month"):
                    step.note = step.note or "the newest run of those that its days are from"
                return step
            return Step(name, column, how, self.known.origin(name), version=read,
                        note="no run of this version is recorded")  # fmt: skip
        if name.startswith("bronze."):
            return self._source(name, column, _read_of(run, name, column), how)
        step = self._source(name, column, [], how)
        step.version = read
        return step

    def _source(
        self, name: str, column: str | None, delivery_ids: list[str], how: str | None = None
    ) -> Step:
        """Return a step of what no job makes: a bronze table, settings, the vault, a model."""
        known = self.known.tables.get(name)
        step = Step(name, column, how, self.known.origin(name) if known else "trained")
        feed = self.known.feeds.get(name.split(".")[1]) if name.startswith("bronze.") else None
        if feed is None:
            return step
        from lakehouse.lineage.facets import heads_of

        delivered = feed.delivered.get(column or "")
        step.heads = list(heads_of(delivered)) if delivered else []
        key = (name, *delivery_ids)
        if key in self._told:
            step.told_above = True
        else:
            self._told.add(key)
            step.deliveries = self._delivered(name, delivery_ids)
        return step

    def _delivered(self, name: str, delivery_ids: list[str]) -> list[dict[str, Any]]:
        """Return deliveries as the ledger has them, with the names of their files."""
        feeds = {one.split("/")[0] for one in delivery_ids} or {name.split(".")[1]}
        rows = [row for feed in sorted(feeds) for row in self._ledger(f"bronze.{feed}")]
        kept = {"delivery_id": "delivery_id", "state": "state", "n_read": "rows",
                "n_quarantined": "aside", "arrived_at": "arrived_at"}  # fmt: skip
        return [
            {word: row[column] for column, word in kept.items()}
            | {"files": self._files(row["delivery_id"])}
            for row in rows
            if row["delivery_id"] in delivery_ids
        ]

    def _files(self, delivery_id: str) -> list[str]:
        try:
            delivery = next(find(self.conf.landing, delivery_id), None)
            return [file.name for file in delivery.files()] if delivery else []
        except Refused:
            return []

    def _ledger(self, name: str) -> list[dict[str, Any]]:
        feed = name.split(".")[1]
        if feed not in self._deliveries:
            self._deliveries[feed] = self.ops.deliveries(feed)
        return self._deliveries[feed]

    def _of(self, run: Mapping[str, Any], column: str | None, how: str | None = None) -> Step:
        """Return a run as a step of its own."""
        table, counts = run["table_name"], run["counts"] or {}
        models = [f"{name} version {told}" for name, told in run["inputs"].items()
                  if name.startswith("model.")]  # fmt: skip
        return Step(
            table, column, how, self.known.origin(table), run["as_of"], run["delta_version"],
            run["run_id"], str(run["started_at"])[:19], counts.get("good"),
            f"scored by {', '.join(models)}" if models else None,
        )  # fmt: skip

    # -- down -------------------------------------------------------------------------------

    def _readers(self, table: str, column: str | None, as_of: date | None) -> list[Step]:
        """Return what the newest runs (for a date) of a table's readers made of it."""
        declared = _declared(table, self.known.feeds)
        steps = []
        for name in self.known.order():
            if declared not in self.known.inputs(name):
                continue
            runs = [run for run in self.runs(name) if as_of in (None, run["as_of"])]
            if runs:
                steps += self._read_by(runs[0], table, column, as_of)
        return steps

    def _read_by(
        self, run: Mapping[str, Any], table: str, column: str | None, as_of: date | None
    ) -> list[Step]:
        if column is None:
            return [self._below(run, None, None, as_of)]
        told = self.kept.columns(run)
        if told is None:
            step = self._below(run, None, None, as_of)
            step.note = NOT_TOLD
            return [step]
        steps = [
            self._below(run, name, use.how, as_of)
            for name, uses in told.of.items()
            for use in uses
            if use.source == (table, column)
        ]
        chosen = [use.how for use in told.rows if use.source == (table, column)]
        if chosen:
            step = self._of(run, None, "; ".join(chosen))
            step.note = "decides which rows there are"
            steps.append(step)
        return steps

    def _below(
        self, run: Mapping[str, Any], column: str | None, how: str | None, as_of: date | None
    ) -> Step:
        step = self._of(run, column, how)
        key = (step.table, column)
        if key in self._told:
            step.told_above = True
        else:
            self._told.add(key)
            step.steps = self._readers(step.table, column, as_of)
        return step


def column_of(known: Registry, named: str) -> tuple[str, str | None]:
    """Return the table and column that `table`, `layer.table` or `layer.table.column` names.

    Raises InputMissing for a table, UsageError for a column that there is not.
    """
    table, column = named, None
    if named not in known.tables and "." in named:
        head, _, last = named.rpartition(".")
        if "." in head or f"{head}.{last}" not in known.tables:
            table, column = head, last
    declared = known.table(table)
    if column and column not in declared.columns:
        raise UsageError(
            f"{declared.name} has no column {column!r}.{nearest(column, list(declared.columns))}"
        )
    return declared.name, column


def _by(uses: Iterable[Use]) -> list[str]:
    return [f"{use.source[0]}.{use.source[1]} ({use.how.replace('INDIRECT ', '')})"
            for use in uses]  # fmt: skip


def _read_of(run: Mapping[str, Any], name: str, column: str | None) -> list[str]:
    """Return the deliveries that a run read of a bronze table; a family's are under its head."""
    every = [one for told in run["inputs"].values() if isinstance(told, list) for one in told]
    if column is None:
        return list(run["inputs"].get(name) or [])
    return [one for one in every if one.split("/")[0] == name.split(".")[1]]


def _declared(table: str, feeds: Mapping[str, Feed]) -> str:
    """Return the table that jobs name for a bronze table: that of the feed it maps onto."""
    feed = feeds.get(table.split(".")[1]) if table.startswith("bronze.") else None
    return f"bronze.{feed.onto}" if feed and feed.onto else table
