"""The runner: read, make, conform, split, gate, write, record. Everybody calls this one.

A run is skipped when nothing that decides its rows has changed: the job's code and parameters,
the versions of what it reads, the date. So a stopped run goes on where it stopped.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse import bronze, checks
from lakehouse.clocks import has_history, history_of, says_each_date
from lakehouse.conf import Settings
from lakehouse.errors import BangfuError, ChecksFailed, InputMissing
from lakehouse.gate import Gate, failures
from lakehouse.history import keep, said_of
from lakehouse.io import Lake, Written, partition_condition
from lakehouse.job import Job
from lakehouse.landing import Landing
from lakehouse.lineage.tell import Lineage
from lakehouse.migrate_rows import remade
from lakehouse.outcome import Outcome, account, fresh, refuse_lost_rows
from lakehouse.overview import Overview
from lakehouse.reference import conf_rows
from lakehouse.span import span_of
from lakehouse.stale import look_back, missing, waits, widened
from lakehouse.table import Table
from lakehouse.touched import narrowed
from lakehouse.vault import Vault
from lakehouse.versions import Scorer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class House(Overview):
    """One lake with its stores: what a command, a DAG task or a test works with."""

    def __init__(self, conf: Settings | None = None, spark: "SparkSession | None" = None) -> None:
        super().__init__(conf)
        self._given = spark

    @cached_property
    def spark(self) -> "SparkSession":
        from lakehouse.spark import session

        return self._given or session(self.conf)

    @cached_property
    def lake(self) -> Lake:
        return Lake(self.spark, self.conf)

    @cached_property
    def vault(self) -> Vault:
        return Vault(self.lake, Path(self.conf.get("vault", "key_file")))

    @cached_property
    def landing(self) -> Landing:
        return Landing(self.lake, self.ops, self.conf)

    @cached_property
    def gate(self) -> Gate:
        return Gate(Path(self.conf.get("docs", "root")) / "quality")

    @cached_property
    def lineage(self) -> Lineage:
        return Lineage(self)

    # -- running ---------------------------------------------------------------------------

    def run(
        self,
        what: str,
        as_of: date,
        *,
        since: date | None = None,
        force: bool = False,
        tell: Callable[[str, Outcome | None], None] | None = None,
    ) -> list[Outcome]:
        """Make the tables that `what` names (see Registry.select), those that are stale.

        Tables partitioned by day are made from `since` on, by default for the days that their
        job redoes. A table whose inputs are not there waits; the others are made. `tell` hears
        of each table before (outcome None) and after. Raises ChecksFailed where a gate closes;
        what was made before that stays.
        """
        outcomes = []
        for name in self.registry.select(what):
            job = widened(self.registry.jobs[name], as_of, since)
            why = self.why_stale(name, as_of, since)
            if why is None and not force:
                outcome = fresh(job, self.ops.last_done(name, as_of))
            elif waits(why):
                outcome = Outcome(name, "waiting", job.kind, why=why or "")
            else:
                if tell:
                    tell(name, None)
                is_whole = force or since is not None
                outcome = self.make(job, as_of, why or "asked for", whole=is_whole)
            outcomes.append(outcome)
            if tell:
                tell(name, outcome)
        return outcomes

    def make(self, job: Job, as_of: date, why: str = "", *, whole: bool = True) -> Outcome:
        """Make one table for one date, whatever its state. Raises as its job and gate do.

        Not `whole`: of the days that the job redoes, those before the first that was touched since
        its last run stay as they are.
        """
        inputs = self.inputs_now(job, as_of)
        if gone := missing(inputs):
            raise InputMissing(
                f"{job.name} needs {', '.join(gone)}, which is not there for {as_of}. "
                f"`bangfu plan {job.name} --as-of {as_of}` shows the way."
            )
        run_id = self.ops.start(job.name, as_of, self.code_version(job.name), inputs)
        self.lineage.started(run_id, job, as_of, inputs)
        began = time.perf_counter()
        try:
            narrow = job if whole else narrowed(self, job, as_of, inputs)
            outcome, version = self._make(narrow, as_of, run_id, inputs)
        except BaseException as error:
            told = str(error) if isinstance(error, BangfuError) else type(error).__name__
            self.ops.finish(run_id, state="failed", error=told)
            self.lineage.ended(run_id)
            raise
        seconds = round(time.perf_counter() - began, 2)
        counts = {key: value for key, value in asdict(outcome).items() if isinstance(value, int)}
        self.ops.finish(run_id, state="done", counts=counts, seconds=seconds, delta_version=version)
        self.lineage.ended(run_id)
        self.spark.catalog.clearCache()
        return Outcome(**(asdict(outcome) | {"seconds": seconds, "why": why}))

    def _make(
        self, job: Job, as_of: date, run_id: str, inputs: dict[str, Any]
    ) -> tuple[Outcome, int]:
        table = job.output
        frames = {
            word: self.read_input(job, name, as_of, inputs.get(name))
            for word, name in job.input_names().items()
        }
        made = checks.conform(job.function(**frames, **self._settings(job, as_of, inputs)), table)
        self.lineage.made_of(run_id, made)
        with self.lake.set_down(checks.mark(made, table), table.name) as marked:
            return self._judged(job, as_of, run_id, marked)

    def _judged(
        self, job: Job, as_of: date, run_id: str, marked: "DataFrame"
    ) -> tuple[Outcome, int]:
        """Split marked rows, pass them through the gate, write them and account for each."""
        table = job.output
        if job.loads:
            marked = checks.resolve_repeats(marked, table)
        slices = checks.slices(table, as_of, job.redo_days)
        slice_ = checks.slice_of(table, slices)
        split = checks.count(marked, slice_)
        n_read = bronze.count(self, job, as_of)
        refuse_lost_rows(job, split, n_read)
        self.lineage.judged(run_id, split.reasons)
        results = self.gate.validate(table, checks.good_rows(marked), split)
        self.ops.record_checks(run_id, table.name, results)
        self.lake.write_quarantine(
            table.name,
            checks.quarantine_rows(marked, table, slice_) if split.quarantined else None,
            *slices,
        )
        for one in slices:
            self.ops.record_reasons(table.name, one, split.of_slice.get(one, {}))
        if failed := failures(results):
            raise ChecksFailed(
                f"{table.name} was not written for {as_of}: {', '.join(failed)}. "
                f"`bangfu check {table.name}` shows the figures, `bangfu quarantine {table.name}` "
                "the reasons."
            )
        written = self._write(job, checks.good_rows(marked), as_of)
        remade(self.lake, self.ops, table, as_of, job.redo_days)
        outcome = account(job, split, written, n_read)
        if not outcome.adds_up or not self._holds(job, split, outcome):
            raise ChecksFailed(
                f"{table.name} lost or doubled rows: read {outcome.read}, made {outcome.made}, "
                f"good {outcome.good}, quarantined {outcome.quarantined}. This is a bug in "
                f"{job.function.__module__}."
            )
        return outcome, written.version

    def read_input(self, job: Job, name: str, as_of: date, version: Any) -> "DataFrame":
        """Read one input as a job sees it on a date: the partitions in reach, typed if bronze."""
        table = self.registry.tables[name]
        if table.layer == "conf":
            return conf_rows(self.spark, table).alias(name)  # as `Lake.read` does
        if table.layer == "bronze":
            return bronze.typed(self, job, name, as_of)
        if self._holds_another_date(table, as_of):
            return said_of(self.lake.read(history_of(table).name), table, as_of).alias(name)
        rows = self.lake.read(name, version)
        back = look_back(job, name)
        match table.partition:
            case "as_of":
                return rows.where(f"as_of = DATE'{as_of}'")
            case "day":
                first = as_of - timedelta(days=back)
                return rows.where(f"day >= DATE'{first}' AND day <= DATE'{as_of}'")
            case "month":
                first = (as_of - timedelta(days=back)).replace(day=1)
                return rows.where(f"month >= DATE'{first}' AND month <= DATE'{as_of}'")
        return rows

    def _holds_another_date(self, table: type[Table], as_of: date) -> bool:
        """Tell whether a table's state is not that of a date, which its history can tell."""
        if not says_each_date(table):
            return False
        last = self.ops.last_done(table.name)
        is_other = last is not None and last["as_of"] != as_of
        return is_other and self.lake.exists(history_of(table).name)

    def _is_news(self, table: type[Table], as_of: date) -> bool:
        """Tell whether a state goes into the history: an older list of dated rows is no news."""
        if says_each_date(table):
            return True
        return as_of >= max(self.ops.dates_done(table.name), default=as_of)

    def _settings(self, job: Job, as_of: date, inputs: dict[str, Any]) -> dict[str, Any]:
        from_run: dict[str, Any] = {"as_of": as_of, "zone": self.conf.zone}
        if job.model:
            from_run["model"] = Scorer(self.conf, job.model, inputs[f"model.{job.model}"])
        return job.parameter_values() | {
            word: value for word, value in from_run.items() if word in job.parameters
        }

    def _holds(self, job: Job, split: checks.Split, outcome: Outcome) -> bool:
        """Tell whether a merged table holds just the rows that were good, by its own count."""
        return job.output.write != "merge" or self.lake.read(job.name).count() == split.good

    def _write(self, job: Job, good: "DataFrame", as_of: date) -> Written:
        table = job.output
        if has_history(table) and self._is_news(table, as_of):
            # First: where the run is killed in between, the next one finds nothing to change here.
            keep(self.lake, table, good, span_of(self, job.name, as_of))
        if table.write == "merge":
            return self.lake.merge(table, good, whole=True)
        return self.lake.replace(table, good, partition_condition(table, as_of, job.redo_days))
