"""Which dates something new has come for. The operations store says so; no Spark, no Airflow.

What starts a run is only a knock: Airflow joins knocks that come while a run goes on, and forgets
those at a paused door. So a run asks here which dates to make, and none is lost.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lakehouse.ops import Ops
from lakehouse.ops_tables import delivery_table, run_table
from lakehouse.period import last_day
from lakehouse.registry import Registry

Told = list[tuple[date, datetime]]
# (what came: bronze.<feed> or a table, what is made of it)
Pairs = Collection[tuple[str, str]]


def due(ops: Ops, known: Registry, pairs: Pairs) -> list[date]:
    """Return the dates that something came for since they were last tried, the newest always.

    The newest costs nothing where nothing changed, and leaves merged tables as of it. Dates
    before the first that a table was tried for are history: a backfill makes them.
    """
    told = {name: _told(ops, name) for name, _ in pairs}
    found = {max(day for day, _ in one) for one in told.values() if one}
    newest = {max(found)} if found else set[date]()
    return sorted(newest | {day for day, _ in _untried(ops, known, pairs, told)})


def dates(
    given: str | None,
    logical: datetime | None,
    run_type: str,
    run_after: datetime,
    zone: str,
    found: Iterable[date],
    makes_its_day: bool = True,
) -> list[date]:
    """Return the dates that a run of Airflow makes, in their order; `found` is what is due.

    The date asked for is made alone; so is the local day of a backfill's logical date, or else
    the one on which a run by hand was asked for, which a retry on the next day does not change.
    A run by the clock makes what is due, and its day if it `makes_its_day`; a knock what is due.
    """
    if given:
        return [date.fromisoformat(given)]
    day = {(logical or run_after).astimezone(ZoneInfo(zone)).date()}
    if run_type in ("backfill", "manual"):
        return [*day]
    return sorted({*found, *(day if logical and makes_its_day else ())})


def waiting(ops: Ops, known: Registry, pairs: Pairs) -> set[str]:
    """Name what is due apart from the newest date: `bronze.cdr 2015-12-31` and the like."""
    told = {name: _told(ops, name) for name, _ in pairs}
    return {f"{name} {day}" for day, name in _untried(ops, known, pairs, told)}


def _untried(
    ops: Ops, known: Registry, pairs: Pairs, told: dict[str, Told]
) -> set[tuple[date, str]]:
    found = set()
    for name, made in pairs:
        tries = _tries(ops, made)
        first = min((day for day, _ in tries), default=date.max)
        job = known.jobs.get(made)
        # A run as of a date makes so many days before it again.
        redone = timedelta(days=job.redo_days if job and job.output.partition == "day" else 0)
        for day, at in told[name]:
            covered = (day <= tried <= day + redone and start > at for tried, start in tries)
            if day >= first and not any(covered):
                found.add((day, name))
    return found


def _told(ops: Ops, name: str) -> Told:
    """Return the dates that a feed or a table told of, each with when it did."""
    layer, _, bare = name.partition(".")
    if layer == "bronze":
        columns = delivery_table.c
        landed = sa.select(columns.period, columns.landed_at).where(
            columns.feed == bare, columns.state == "landed"
        )
        return [(last_day(row["period"]), row["landed_at"]) for row in ops.rows(landed)]
    return [
        (row["as_of"], row["started_at"] + timedelta(seconds=row["seconds"] or 0))
        for row in _runs(ops, name, ["done"])
    ]


def _tries(ops: Ops, name: str) -> Told:
    """Return the dates that a table was made for, or tried in vain, each with when that began."""
    return [(row["as_of"], row["started_at"]) for row in _runs(ops, name, ["done", "failed"])]


def _runs(ops: Ops, name: str, states: list[str]) -> list[dict[str, Any]]:
    columns = run_table.c
    return ops.rows(
        sa.select(columns.as_of, columns.started_at, columns.seconds).where(
            columns.table_name == name, columns.state.in_(states)
        )
    )
