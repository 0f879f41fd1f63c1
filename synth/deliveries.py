"""Which deliveries there are, and each written by one worker from what the towns left."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from lakehouse.feed import Feed
from synth.deliver.delivery import Outcome, Part, deliver, feeds_known
from synth.deliver.plan import FaultPlan
from synth.operator.calls import day_part
from synth.operator.network import opened
from synth.operator.sessions import session_part
from synth.plan import Told
from synth.state.registry import STATE
from synth.work import Work

# Registers arrive some days after their month, a day's records on the next morning.
DAYS_AFTER = 5
# The feeds of a day, which no town leaves rows of.
DAILY = ("cdr", "data_session")
Asked = tuple[str, str]


def days_of(told: Told) -> list[date]:
    """Return the days of telephone records, up to the last."""
    n = (told.last - told.first).days + 1
    n = n if told.days is None else min(n, told.days)
    return [told.last - timedelta(days=ago) for ago in reversed(range(n))]


def asked(work: Work) -> list[Asked]:
    """Return feed and period of every delivery: days first, since they take longest."""
    daily = [(feed, day.isoformat()) for day in days_of(work.told) for feed in DAILY]
    return [one for one in daily + work.parts.tables("feed") if work.wants(one[0])]


def write(
    out: Path, work: Work, counties: tuple[str, ...], plan: FaultPlan, feed: str, period: str
) -> tuple[Outcome, float]:
    """Write what a delivery becomes. Return that, and the CPU seconds which it took."""
    begun = time.process_time()
    known = feeds_known()[feed]
    parts = _day(work, counties, known, date.fromisoformat(period)) if feed in DAILY else (
        Part(str(block), rows) for block, rows in work.parts.read("feed", feed, period)
    )  # fmt: skip
    packed = feed in STATE and STATE[feed].packed
    outcome = deliver(
        out / "landing", known, period, _arrival(period), parts, plan, notes=out / "faults",
        packed=packed,
    )  # fmt: skip
    return outcome, time.process_time() - begun


def _arrival(period: str) -> date:
    if len(period) == len("2015-12-31"):
        return date.fromisoformat(period) + timedelta(days=1)
    return (date.fromisoformat(f"{period}-28") + timedelta(days=4)).replace(day=DAYS_AFTER)


def _day(work: Work, counties: tuple[str, ...], feed: Feed, day: date) -> Iterator[Part]:
    """Yield a day's records, county by county, under our column names."""
    names = {spec.head[0]: name for name, spec in feed.delivered.items()}
    for code in counties:
        given, seed = work.county(code).given, work.told.seed
        net = opened(work.network(code))
        if feed.name == "cdr":
            made = day_part(net, day, seed, given, work.told.events_a_month)
        else:
            made = session_part(net, day, seed, given)
        for n, rows in enumerate(made):
            yield Part(f"{code}-{n}", rows.rename_columns(
                [names.get(head, head) for head in rows.column_names]
            ))  # fmt: skip
