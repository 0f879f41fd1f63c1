"""Which days a run has to make: those that something came for since the run before, no others.

A run as of a date may make some days before it again (`redo_days`), for what came late. Ids of
deliveries and the Delta logs of tables that it reads say which of these days were touched.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from lakehouse.feed import family
from lakehouse.files import filesystem
from lakehouse.io import table_path
from lakehouse.job import Job
from lakehouse.stale import look_back

if TYPE_CHECKING:
    from lakehouse.overview import Overview


def narrowed(house: "Overview", job: Job, as_of: date, inputs: dict[str, Any]) -> Job:
    """Return a job that makes no day before the first one that was touched since its last run.

    The same job where that cannot be told: another version of its code, an input that changed as a
    whole. Needs no Spark.
    """
    last = house.ops.last_done(job.name)
    if not job.redo_days or job.output.partition != "day" or last is None:
        return job
    if last["code_version"] != house.code_version(job.name):
        return job
    redo = timedelta(days=job.redo_days)
    days = [as_of - redo + timedelta(days=n) for n in range(job.redo_days + 1)]
    again = {day for day in days if not last["as_of"] - redo <= day <= last["as_of"]}
    for name, now in inputs.items():
        touched = _touched(house, name, last["inputs"].get(name), now)
        if touched is None:
            return job
        reach = timedelta(days=max(0, look_back(job, name) - job.redo_days))
        again |= {day for day in days if any(one <= day <= one + reach for one in touched)}
    fewer = (min({*again, as_of}) - days[0]).days
    back = {word: max(0, n - fewer) for word, n in job.look_back.items()}
    return replace(job, redo_days=job.redo_days - fewer, look_back=back)


def _touched(house: "Overview", name: str, was: Any, now: Any) -> set[date] | None:
    """Return the days of an input that changed between two runs; None where it may be any."""
    if was == now:
        return set()
    if name.startswith("bronze.") and isinstance(was, list) and isinstance(now, list):
        feeds = family(name.split(".")[1], house.registry.feeds)
        if any(feed.extent == "full" or feed.every != "day" for feed in feeds):
            return None
        # What the last run had and this one has not, it had of days that are out of reach by now,
        # or it was corrected by what is new.
        return {date.fromisoformat(one.split("/")[1]) for one in {*now} ^ {*was}}
    table = house.registry.tables.get(name)
    if table and table.partition == "day" and isinstance(was, int) and isinstance(now, int):
        return _days_written(table_path(house.conf.lake, name), was, now)
    return None


def _days_written(path: str, was: int, now: int) -> set[date] | None:
    """Return the days whose files changed after one version of a table, up to another."""
    files, inner = filesystem(path)
    days: set[date] = set()
    for version in range(was + 1, now + 1):
        try:
            with files.open_input_stream(f"{inner}/_delta_log/{version:020d}.json") as log:
                lines = log.read().decode().splitlines()
        except FileNotFoundError:
            return None
        for values in _partitions(lines):
            if values is None or values.get("day") is None:
                return None
            days.add(date.fromisoformat(values["day"]))
    return days


def _partitions(lines: list[str]) -> Iterator[dict[str, str] | None]:
    """Yield the partition of each file that a log entry adds or removes, where rows changed."""
    for line in lines:
        told = json.loads(line)
        file = told.get("add") or told.get("remove")
        if file and file.get("dataChange", True):
            yield file.get("partitionValues")
