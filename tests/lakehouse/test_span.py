"""For which days a run's state holds: by the periods landed and the runs begun. No Spark."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from lakehouse.overview import Overview
from lakehouse.period import first_day
from lakehouse.span import Span, span_of

NOW = datetime(2016, 3, 1, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Overview:
    monkeypatch.setenv("BANGFU_HOME", str(tmp_path))
    return Overview()


def lands(house: Overview, feed: str, *periods: str) -> None:
    for period in periods:
        house.ops.record_delivery(
            delivery_id=f"{feed}/{period}/d1", feed=feed, period=period, extent="full",
            state="landed", arrived_at=NOW, landed_at=NOW,
        )  # fmt: skip


def begins(house: Overview, table: str, day: str, state: str = "running") -> None:
    run_id = house.ops.start(table, date.fromisoformat(day), "code", {})
    if state != "running":
        house.ops.finish(run_id, state=state)


def span(house: Overview, table: str, day: str) -> Span:
    return span_of(house, table, date.fromisoformat(day))


def test_from_the_first_day_of_the_newest_period_that_is_read(house: Overview) -> None:
    lands(house, "area", "2015-01")
    lands(house, "person_register", "2015-10", "2015-12")
    october, december = Span(date(2015, 10, 1)), Span(date(2015, 12, 1))
    assert span(house, "silver.person", "2015-10-31") == october
    assert span(house, "silver.person", "2015-11-30") == october
    assert span(house, "silver.person", "2015-12-05") == december
    # What is made from it is so from the same day.
    assert span(house, "silver.household", "2015-12-31") == december
    # The newest of its inputs counts: a card of October, linked to households of December.
    lands(house, "household_card", "2015-10")
    assert span(house, "silver.household_card", "2015-12-31") == december


def test_up_to_the_next_state_that_is_made_or_being_made(house: Overview) -> None:
    lands(house, "person_register", "2015-10", "2015-11", "2015-12")
    begins(house, "silver.person", "2015-10-31", "done")
    begins(house, "silver.person", "2015-12-31", "done")
    late = Span(date(2015, 11, 1), date(2015, 12, 1))
    assert span(house, "silver.person", "2015-11-30") == late
    assert span(house, "silver.person", "2015-12-31") == Span(date(2015, 12, 1))
    # One that failed wrote nothing; one that goes on beside this will, and may be first to.
    begins(house, "silver.person", "2015-11-30", "failed")
    assert span(house, "silver.person", "2015-10-31").end == date(2015, 12, 1)
    begins(house, "silver.person", "2015-11-30")
    assert span(house, "silver.person", "2015-10-31").end == date(2015, 11, 1)


def test_first_days_of_periods() -> None:
    assert first_day("2015-12") == date(2015, 12, 1)
    assert first_day("2015-12-31") == date(2015, 12, 31)
