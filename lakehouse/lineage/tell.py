"""What happens is told as OpenLineage events: the start and end of every run and every landing.

Telling never stops what it tells of: whatever goes wrong here is said once, and the run goes on.
"""

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import sqlalchemy as sa

from lakehouse.delivery import Delivery, Refused
from lakehouse.feed import feeds
from lakehouse.io import newest_version, table_path
from lakehouse.job import Job
from lakehouse.lineage.send import Events
from lakehouse.ops_tables import check_table, run_table

if TYPE_CHECKING:
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.event_v2 import Job as ToldJob
    from pyspark.sql import DataFrame

    from lakehouse.landing import Landed, Landing
    from lakehouse.lineage.plan import Columns
    from lakehouse.run import House

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)
_told: set[str] = set()
# How a landing ends, by what became of the delivery.
ENDS = {"landed": "COMPLETE", "duplicate": "COMPLETE", "refused": "FAIL", "held": "ABORT"}


def quietly(tell: Callable[P, R]) -> Callable[P, R | None]:
    """Return a function that says what goes wrong in it, once a process, and returns None."""

    @wraps(tell)
    def quiet(*args: P.args, **options: P.kwargs) -> R | None:
        try:
            return tell(*args, **options)
        except Exception as error:
            what = f"{tell.__name__}: {type(error).__name__}"
            if what not in _told:
                _told.add(what)
                log.warning("Lineage: something is not told (%s). The run goes on.", what)
            return None

    return quiet


@dataclass
class Open:
    """A run that has begun and not ended: what is known of it so far."""

    job: Job
    as_of: date
    inputs: Mapping[str, Any]
    versions: dict[str, Any]
    columns: "Columns | None" = None
    reasons: Mapping[str, int] = field(default_factory=dict)


class Lineage:
    """Tells of the runs of one house."""

    def __init__(self, house: "House") -> None:
        self.house = house
        self._open: dict[str, Open] = {}

    @cached_property
    def events(self) -> Events:
        return Events(self.house.conf)

    @quietly
    def started(self, run_id: str, job: Job, as_of: date, inputs: Mapping[str, Any]) -> None:
        """Tell that a run of a table began, from which versions."""
        versions = {name: self._version(name, told) for name, told in inputs.items()}
        self._open[run_id] = Open(job, as_of, inputs, versions)
        self._emit("START", run_id)

    @quietly
    def made_of(self, run_id: str, frame: "DataFrame") -> None:
        """Read from a frame's plan what the columns of a run's output are made of."""
        from lakehouse.lineage.plan import columns_of

        self._open[run_id].columns = columns_of(frame, self.house.registry.tables)

    @quietly
    def judged(self, run_id: str, reasons: Mapping[str, int]) -> None:
        """Hear how many rows a run sets aside, by reason."""
        self._open[run_id].reasons = reasons

    @quietly
    def ended(self, run_id: str) -> None:
        """Tell how a run ended, as the operations store has it."""
        try:
            self._emit("END", run_id)
        finally:
            self._open.pop(run_id, None)

    def _emit(self, kind: str, run_id: str) -> None:
        from lakehouse.lineage import facets

        run = self._open[run_id]
        [row] = self._rows(run_table, run_table.c.run_id == run_id)
        if kind == "END":
            kind = "COMPLETE" if row["state"] == "done" else "FAIL"
        tags = {"code_version": row["code_version"], "seconds": row["seconds"]}
        tags |= {f"rows.{name}": n for name, n in (row["counts"] or {}).items() if n}
        _emit(
            self.events,
            kind,
            str(uuid.UUID(run_id)),
            facets.of_run(run.as_of, self.house.conf.zone, tags, row["error"]),
            facets.job(self.events.namespace, run.job.output, "TABLE"),
            self._inputs(run, schema=kind != "START"),
            [self._output(run, row, run_id, is_ended=kind != "START")],
        )

    def _inputs(self, run: Open, *, schema: bool) -> "list[InputDataset]":
        """Return what a run reads: what its job declares, and what its plan was seen to read."""
        from openlineage.client.event_v2 import InputDataset

        from lakehouse.lineage import facets

        tables, namespace = self.house.registry.tables, self.events.namespace
        of_feeds: dict[str, list[str]] = {}
        for name, told in run.inputs.items():
            for one in told if name.startswith("bronze.") and told else []:
                of_feeds.setdefault(f"bronze.{one.split('/')[0]}", []).append(one)
        names = {*run.inputs, *of_feeds}
        if run.columns:
            known = [*run.columns.of.values(), run.columns.rows]
            names |= {table for origin in known for table, _ in origin.sources}
        made = []
        for name in sorted(names):
            read = facets.deliveries_read(of_feeds[name]) if name in of_feeds else {}
            version = run.versions.get(name) or self._version(name, None)
            table = tables.get(name)
            told = facets.of_table(table, version, schema=schema) if table else {}
            made.append(InputDataset(namespace, name, facets=told, inputFacets=read))
        return made

    def _output(
        self, run: Open, row: Mapping[str, Any], run_id: str, *, is_ended: bool
    ) -> "OutputDataset":
        from openlineage.client.event_v2 import OutputDataset

        from lakehouse.lineage import facets

        table, counts = run.job.output, row["counts"] or {}
        told = facets.of_table(table, row["delta_version"], schema=is_ended)
        if is_ended:
            results = self._rows(check_table, check_table.c.run_id == run_id)
            told |= facets.quality(table, counts, results, run.reasons)
        if run.columns:
            told["columnLineage"] = facets.column_lineage(self.events.namespace, run.columns)
        rows = facets.written(counts) if counts else {}
        return OutputDataset(self.events.namespace, table.name, facets=told, outputFacets=rows)

    def _version(self, name: str, told: Any) -> Any:
        """Return the version of an input: of Delta, of a model, or the hash of a conf table."""
        if told is not None and not isinstance(told, list):
            return told
        return newest_version(table_path(self.house.conf.lake, name)) if "." in name else None

    def _rows(self, table: sa.Table, where: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
        return self.house.ops.rows(sa.select(table).where(where))


def lands(land: "Callable[[Landing, Delivery], Landed]") -> "Callable[[Landing, Delivery], Landed]":
    """Return a `land` that tells when it starts and how it ends."""

    @wraps(land)
    def telling(self: "Landing", delivery: Delivery) -> "Landed":
        with told_landing(self, delivery) as ends:
            landed = land(self, delivery)
            ends(asdict(landed))
        return landed

    return telling


@contextmanager
def told_landing(
    landing: "Landing", delivery: Delivery
) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Tell that rows of a delivery are landed, and how that ended by what is called with it."""
    from openlineage.client.uuid import generate_new_uuid

    run_id = str(generate_new_uuid())

    def ends(landed: Mapping[str, Any]) -> None:
        why = ": ".join(filter(None, (landed.get("reason"), landed.get("detail"))))
        kind = ENDS[landed["state"]]
        message = None if kind == "COMPLETE" else why
        _tell_landing(landing, delivery, run_id, kind, landed, message)

    _tell_landing(landing, delivery, run_id, "START", {})
    try:
        yield ends
    except BaseException as error:
        _tell_landing(landing, delivery, run_id, "FAIL", {}, type(error).__name__)
        raise


@quietly
def _tell_landing(
    landing: "Landing", delivery: Delivery, run_id: str, kind: str, landed: Mapping[str, Any],
    error: str | None = None,
) -> None:  # fmt: skip
    from openlineage.client.event_v2 import OutputDataset

    from lakehouse.lineage import facets

    feed = feeds().get(delivery.feed)
    if feed is None:  # there is no table that it could land in
        return
    events = Events(landing.conf)
    counts = {name: n for name, n in landed.items() if isinstance(n, int)}
    tags = {"delivery_id": delivery.delivery_id, "state": landed.get("state")}
    tags |= {f"rows.{name}": n for name, n in counts.items() if n}
    try:
        files = {f"landing/{delivery.delivery_id}/{one.name}": one for one in delivery.files()}
    except Refused:
        files = {}
    has_rows = landed.get("state") == "landed"
    version = newest_version(table_path(landing.conf.lake, feed.table.name)) if has_rows else None
    told = facets.of_table(feed.table, version, schema=kind != "START")
    if has_rows:
        told["columnLineage"] = facets.heads_lineage(events.namespace, feed, files)
    rows = facets.written(counts) if has_rows else {}
    _emit(
        events,
        kind,
        run_id,
        facets.of_run(None, landing.conf.zone, tags, error),
        facets.job(events.namespace, feed.table, "LANDING"),
        [facets.file_dataset(events.namespace, name, one) for name, one in files.items()],
        [OutputDataset(events.namespace, feed.table.name, facets=told, outputFacets=rows)],
    )


def _emit(
    events: Events, kind: str, run_id: str, run_facets: dict[str, Any], job: "ToldJob",
    inputs: "Iterable[InputDataset]", outputs: "Iterable[OutputDataset]",
) -> None:  # fmt: skip
    from openlineage.client.event_v2 import Run, RunEvent, RunState

    events.emit(
        RunEvent(
            eventTime=datetime.now(UTC).isoformat(),
            eventType=RunState[kind],
            run=Run(run_id, run_facets),
            job=job,
            inputs=list(inputs),
            outputs=list(outputs),
        )
    )
