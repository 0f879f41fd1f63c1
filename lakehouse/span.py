"""For which days a run's state of a table holds: from the newest of what it was made from.

A register of a month says how things stood in that month, whenever it is read; it holds until the
next state that was made. Needs no Spark.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from lakehouse import bronze
from lakehouse.period import first_day

if TYPE_CHECKING:
    from lakehouse.overview import Overview


@dataclass(frozen=True)
class Span:
    """The days that a state speaks for: from `first` on, up to but without `end`, if any."""

    first: date
    end: date | None = None


def span_of(house: "Overview", name: str, as_of: date) -> Span:
    """Return the days that a run of a table as of a date speaks for, up to the next run's.

    Also of one that goes on beside it, or was killed: its days are left to it.
    """
    first = since(house, name, as_of)
    begun = house.ops.dates_done(name, "running")
    later = (since(house, name, day) for day in begun if day > as_of)
    return Span(first, next((day for day in later if day > first), None))


def since(house: "Overview", name: str, as_of: date) -> date:
    """Return the day from which what a run as of a date says is so: that of its newest input.

    The date itself where no input says anything of days.
    """
    return _newest(house, name, as_of) or as_of


def _newest(house: "Overview", name: str, as_of: date) -> date | None:
    starts = [_start(house, name, one, as_of) for one in house.registry.inputs(name)]
    return max((day for day in starts if day), default=None)


def _start(house: "Overview", name: str, source: str, as_of: date) -> date | None:
    """Return the day from which one input is so; None where it says nothing of days."""
    table = house.registry.tables[source]
    if table.layer == "bronze":
        parts = bronze.in_force(house, house.registry.jobs[name], source, as_of)
        periods = [row["period"] for part in parts for row in part.deliveries]
        return max(map(first_day, periods), default=None)
    if table.partition == "month":
        return as_of.replace(day=1)
    if table.partition:
        return as_of
    return _newest(house, source, as_of) if source in house.registry.jobs else None
