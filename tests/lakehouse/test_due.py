"""Which dates are due, from the operations store alone: no knock is needed, and none is lost."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lakehouse.conf import settings
from lakehouse.due import due, waiting
from lakehouse.ops import Ops
from lakehouse.registry import registry

CALLS = [("bronze.cdr", "silver.cdr_event")]
PEOPLE = [("bronze.person_register", "silver.person")]
SCORES = [("gold.household_feature", "gold.poverty_score")]
START = datetime(2016, 1, 1, tzinfo=UTC)


class Store:
    """An operations store whose clock goes on by an hour with each thing that happens."""

    def __init__(self) -> None:
        self.ops, self.hours = Ops(settings()), 0

    def now(self) -> datetime:
        self.hours += 1
        return START + timedelta(hours=self.hours)

    def lands(self, feed: str, period: str, state: str = "landed") -> None:
        at = self.now()
        self.ops.record_delivery(
            delivery_id=f"{feed}/{period}/{at:%d%H}", feed=feed, period=period, extent="full",
            state=state, arrived_at=at, landed_at=at,
        )  # fmt: skip

    def makes(self, table: str, day: str, state: str = "done") -> None:
        run_id = self.ops.start(table, date.fromisoformat(day), "code", {})
        self.ops.finish(run_id, state=state, started_at=self.now(), seconds=60)

    def due(self, pairs: Any) -> list[str]:
        return [one.isoformat() for one in due(self.ops, registry(), pairs)]

    def waiting(self, pairs: Any) -> set[str]:
        return waiting(self.ops, registry(), pairs)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("BANGFU_HOME", str(tmp_path))
    return Store()


def test_nothing_is_due_where_nothing_came(store: Store) -> None:
    assert store.due(CALLS) == []


def test_a_first_run_makes_the_newest_date_and_leaves_history_to_a_backfill(store: Store) -> None:
    for month in ("2015-10", "2015-11", "2015-12"):
        store.lands("person_register", month)
    assert store.due(PEOPLE) == ["2015-12-31"]
    store.makes("silver.person", "2015-12-31")
    assert store.waiting(PEOPLE) == set()


def test_every_date_that_something_came_for_is_due_however_often_it_knocked(store: Store) -> None:
    store.lands("person_register", "2015-10")
    store.makes("silver.person", "2015-10-31")
    store.lands("person_register", "2015-11")
    store.lands("person_register", "2015-12")
    assert store.due(PEOPLE) == ["2015-11-30", "2015-12-31"]
    assert store.waiting(PEOPLE) == {
        "bronze.person_register 2015-11-30",
        "bronze.person_register 2015-12-31",
    }


def test_a_correction_opens_its_month_again_and_the_newest_stays_last(store: Store) -> None:
    for month, day in (("2015-10", "2015-10-31"), ("2015-11", "2015-11-30")):
        store.lands("person_register", month)
        store.makes("silver.person", day)
    store.lands("person_register", "2015-10")
    assert store.due(PEOPLE) == ["2015-10-31", "2015-11-30"]
    assert store.waiting(PEOPLE) == {"bronze.person_register 2015-10-31"}


def test_a_day_that_a_later_run_made_again_is_not_due(store: Store) -> None:
    """A run as of the 31st makes the 29th and 30th too, but not a day that comes after it."""
    store.makes("silver.cdr_event", "2015-12-20")
    for day in ("2015-12-28", "2015-12-29", "2015-12-30", "2015-12-31"):
        store.lands("cdr", day)
    store.makes("silver.cdr_event", "2015-12-31")
    assert store.due(CALLS) == ["2015-12-28", "2015-12-31"]
    store.lands("cdr", "2015-12-30")
    assert store.waiting(CALLS) == {"bronze.cdr 2015-12-28", "bronze.cdr 2015-12-30"}


def test_what_failed_is_tried_again_by_airflow_not_by_each_later_run(store: Store) -> None:
    store.makes("silver.person", "2015-10-31")
    store.lands("person_register", "2015-11")
    store.makes("silver.person", "2015-11-30", state="failed")
    store.lands("person_register", "2015-12")
    assert store.due(PEOPLE) == ["2015-12-31"]
    store.lands("person_register", "2015-11")
    assert store.due(PEOPLE) == ["2015-11-30", "2015-12-31"]


def test_a_run_that_was_killed_leaves_its_date_due(store: Store) -> None:
    store.makes("silver.person", "2015-10-31")
    store.lands("person_register", "2015-11")
    store.ops.start("silver.person", date(2015, 11, 30), "code", {})
    [left] = [row for row in store.ops.runs("silver.person") if row["state"] == "running"]
    assert left["run_id"] and store.waiting(PEOPLE) == {"bronze.person_register 2015-11-30"}


def test_what_did_not_land_tells_of_no_date(store: Store) -> None:
    store.makes("silver.person", "2015-10-31")
    for state in ("refused", "held", "duplicate"):
        store.lands("person_register", "2015-11", state)
    assert store.due(PEOPLE) == []


def test_a_table_made_for_two_dates_while_its_reader_slept_is_read_for_both(store: Store) -> None:
    store.makes("gold.household_feature", "2015-10-31")
    store.makes("gold.poverty_score", "2015-10-31")
    assert store.due(SCORES) == ["2015-10-31"] and not store.waiting(SCORES)
    store.makes("gold.household_feature", "2015-11-30")
    store.makes("gold.household_feature", "2015-12-31")
    assert store.due(SCORES) == ["2015-11-30", "2015-12-31"]
