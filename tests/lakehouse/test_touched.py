"""A run makes the days that something came for since the run before, and no others."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lakehouse.conf import settings
from lakehouse.io import table_path
from lakehouse.overview import Overview
from lakehouse.touched import narrowed

LOADED, DERIVED = "silver.cdr_event", "silver.subscriber_day"
CALLS, EVENTS = "bronze.cdr", "silver.cdr_event"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Overview:
    monkeypatch.setenv("BANGFU_HOME", str(tmp_path))
    return Overview(settings())


def day(n: int) -> date:
    return date(2015, 12, n)


def cdr(*days: int, name: str = "d1") -> list[str]:
    return [f"cdr/{day(n)}/{name}" for n in days]


def done(house: Overview, table: str, as_of: date, inputs: dict[str, Any]) -> None:
    run_id = house.ops.start(table, as_of, house.code_version(table), inputs)
    house.ops.finish(run_id, state="done")


def first(house: Overview, table: str, as_of: date, inputs: dict[str, Any]) -> date:
    """Return the first day that a run would make, its look-back narrowed as much."""
    job = house.registry.jobs[table]
    found = narrowed(house, job, as_of, inputs)
    assert set(found.look_back.values()) == {found.redo_days}
    return as_of - timedelta(days=found.redo_days)


@pytest.mark.parametrize(
    ("last", "had", "as_of", "has", "made_from"),
    [
        # A day after the other: a day for the price of a day.
        (day(10), cdr(8, 9, 10), day(11), cdr(9, 10, 11), day(11)),
        # A late delivery re-opens its day, and what follows.
        (day(10), cdr(8, 10), day(11), cdr(9, 10, 11), day(9)),
        (day(10), cdr(8, 10), day(10), cdr(8, 9, 10), day(9)),
        # So does a correction.
        (day(10), cdr(8, 9, 10), day(11), [*cdr(9, 11), *cdr(10, name="d2")], day(10)),
        # Days that the last run did not make are made, also where nothing came.
        (day(8), cdr(8), day(11), cdr(11), day(9)),
        (day(20), cdr(18, 19, 20), day(11), cdr(9, 10, 11), day(9)),
        # Nothing came at all: the day itself is made.
        (day(10), cdr(8, 9, 10), day(11), cdr(9, 10), day(11)),
    ],
)
def test_days_of_deliveries(
    house: Overview, last: date, had: list[str], as_of: date, has: list[str], made_from: date
) -> None:
    done(house, LOADED, last, {CALLS: had})
    assert first(house, LOADED, as_of, {CALLS: has}) == made_from


def test_a_first_run_or_one_of_other_code_makes_all_days(house: Overview) -> None:
    assert first(house, LOADED, day(11), {CALLS: cdr(11)}) == day(9)
    run_id = house.ops.start(LOADED, day(10), "another", {CALLS: cdr(8, 9, 10)})
    house.ops.finish(run_id, state="done")
    assert first(house, LOADED, day(11), {CALLS: cdr(9, 10, 11)}) == day(9)


def test_days_of_a_table_that_was_written_since(house: Overview) -> None:
    path = table_path(house.conf.lake, EVENTS)
    for n in (8, 9, 10, 11):
        rows = pa.table({"day": [day(n)], "n": [n]})
        write_deltalake(path, rows, mode="append", partition_by=["day"])
    done(house, DERIVED, day(10), {EVENTS: 2})
    assert first(house, DERIVED, day(11), {EVENTS: 3}) == day(11)
    # The day before was written once more.
    write_deltalake(path, pa.table({"day": [day(10)], "n": [0]}), mode="append")
    assert first(house, DERIVED, day(11), {EVENTS: 4}) == day(10)
    # An entry of the log is gone: nobody knows.
    (Path(path) / "_delta_log" / f"{4:020d}.json").unlink()
    assert first(house, DERIVED, day(11), {EVENTS: 4}) == day(9)
