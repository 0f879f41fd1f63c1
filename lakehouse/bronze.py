"""What a job reads of bronze on a date: the deliveries in force, typed by their mapping.

A feed and the mappings onto it are one input. They are parts of it: each counts by its own
deliveries, so that four files of a register may have four mappings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any

from lakehouse.feed import Feed, family
from lakehouse.job import Job
from lakehouse.ops import Ops
from lakehouse.parse import parse
from lakehouse.stale import look_back

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lakehouse.overview import Overview
    from lakehouse.run import House


@dataclass(frozen=True)
class Part:
    """One mapping of an input, with its landed deliveries that count."""

    feed: Feed
    deliveries: list[dict[str, Any]]


def in_force(house: "Overview", job: Job, name: str, as_of: date) -> list[Part]:
    """Return the parts of one bronze input that have a delivery in force. Needs no Spark."""
    parts = []
    for feed in family(name.split(".")[1], house.registry.feeds):
        back = timedelta(days=look_back(job, name))
        first = None if feed.extent == "full" else (as_of - back).isoformat()
        parts.append(Part(feed, deliveries_in_force(house.ops, feed, first, as_of.isoformat())))
    return [part for part in parts if part.deliveries]


def typed(house: "House", job: Job, name: str, as_of: date) -> "DataFrame":
    """Return the typed view of one bronze input, people as tokens."""
    from pyspark.sql import DataFrame

    columns = list(house.registry.feeds[name.split(".")[1]].parsed_types)
    views = (
        house.vault.tokens(parse(rows, feed, house.conf.zone), feed).select(*columns)
        for feed, rows in _rows(house, job, name, as_of)
    )
    return reduce(DataFrame.unionByName, views)


def count(house: "House", job: Job, as_of: date) -> int:
    """Count the rows of the input that a job loads, apart from what the job made of them."""
    if not job.loads:
        return 0
    loaded = job.input_names()[job.loads]
    return sum(rows.count() for _, rows in _rows(house, job, loaded, as_of))


def deliveries_in_force(ops: Ops, feed: Feed, first: str | None, last: str) -> list[dict[str, Any]]:
    """Return the landed deliveries of one mapping that count for the periods `first`..`last`.

    A full register counts by its newest delivery alone, events by all of them; a superseded
    delivery no longer counts.
    """
    landed = [row for row in ops.deliveries(feed.name) if row["state"] == "landed"]
    gone = {row["supersedes"] for row in landed if row["supersedes"]}
    inside = [
        row
        for row in landed
        if row["delivery_id"] not in gone
        and row["period"] <= last[: len(row["period"])]
        and (first is None or row["period"] >= first[: len(row["period"])])
    ]
    return inside[-1:] if feed.extent == "full" else inside


def _rows(house: "House", job: Job, name: str, as_of: date) -> "Iterator[tuple[Feed, DataFrame]]":
    from pyspark.sql import functions as F

    for part in in_force(house, job, name, as_of):
        periods = sorted({row["period"] for row in part.deliveries})
        ids = [row["delivery_id"] for row in part.deliveries]
        rows = house.lake.read(part.feed.table.name)
        yield part.feed, rows.where(F.col("period").isin(periods) & F.col("delivery_id").isin(ids))
