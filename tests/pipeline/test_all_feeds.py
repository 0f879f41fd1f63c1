"""Every delivery that a synthetic province has lands by its mapping: each row accounted for."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import DeltaTable

from lakehouse import checks
from lakehouse.bronze import in_force
from lakehouse.delivery import READY, find
from lakehouse.io import table_path
from lakehouse.run import House
from synth import outcomes
from synth.deliver.delivery import feeds_known
from synth.plan import Told
from tests.pipeline import faults

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ASKED = Told(people=800, first=date(2015, 11, 1), months=2, days=1, faults="harsh", seed=2)
FIRST, LAST = ASKED.month_ends
FEEDS = sorted(feeds_known())
# What a county of so few people may not have in its first month.
RARE = {"death", "disaster", "dropout", "ecommerce_sales", "training"}
# Registers that are delivered for the second month as well. All cells stand as they stood.
AGAIN = {"person_register", "roster", "cell"}
# Tables of mappings that are written, too: a register, a month's events, a day's.
WRITTEN = ("silver.benefit", "silver.fund", "silver.data_session")


@pytest.fixture(scope="module")
def house(spark: "SparkSession", tmp_path_factory: pytest.TempPathFactory) -> "Iterator[House]":
    """A county landed: all that it delivers first, and what others hang on."""
    home = tmp_path_factory.mktemp("all_feeds")
    with faults.delivered(spark, home, ASKED) as house:
        every = list(find(house.conf.landing))
        at_first = {one.feed for one in every if one.period == f"{FIRST:%Y-%m}"}
        for one in every:
            if one.period != f"{FIRST:%Y-%m}" and one.feed in at_first - AGAIN:
                (one.folder / READY).unlink()
        house.landing.land_all()
        for table in ("silver.area", "silver.membership"):
            house.run(table, LAST)
        yield house


def test_every_feed_is_delivered_and_lands(house: House) -> None:
    landed = {one["feed"] for one in house.ops.deliveries() if one["state"] == "landed"}
    assert len(FEEDS) == 44
    assert landed <= set(FEEDS)
    assert set(FEEDS) - landed <= RARE


def test_every_delivery_ends_as_listed(house: House) -> None:
    found = {one["delivery_id"]: (one["state"], one["reason"]) for one in house.ops.deliveries()}
    assert found == outcomes.ends(house)
    assert {"landed", "refused"} <= {state for state, _ in found.values()}


def test_every_row_delivered_is_in_bronze_or_beside_it(house: House) -> None:
    delivered = list(find(house.conf.landing))
    told = {one.delivery_id: sum(file.rows for file in one.files()) for one in delivered}
    kept = {feed: bronze_rows(house, feed) for feed in {one.feed for one in delivered}}
    for one in house.ops.deliveries():
        name, rows = one["delivery_id"], kept[one["feed"]]
        counts = [one[f"n_{what}"] for what in ("created", "unchanged", "quarantined")]
        aside = {line for _, line, _ in outcomes.set_aside(house, f"bronze.{one['feed']}", name)}
        if one["state"] in ("landed", "duplicate"):
            assert told[name] == one["n_read"] == sum(counts), name
        assert (rows[name], len(aside)) == (counts[0], counts[2]), name


def bronze_rows(house: House, feed: str) -> Counter[str]:
    """Count the rows of a feed in bronze by delivery."""
    table = DeltaTable(table_path(house.conf.lake, f"bronze.{feed}"))
    return Counter(table.to_pyarrow_table(columns=["delivery_id"])["delivery_id"].to_pylist())


def test_lines_that_are_no_rows_are_those_listed(house: House) -> None:
    expected = outcomes.bad_lines(house)
    assert {table: outcomes.set_aside(house, table) for table in expected} == expected
    assert any(expected.values())


@pytest.mark.parametrize("feed", FEEDS)
def test_values_are_read_or_set_aside_as_listed(house: House, feed: str) -> None:
    """The table of a feed has all rows but those listed, and no reason more or less."""
    table = outcomes.table_of(feed)
    job = house.registry.jobs[table]
    as_of = date_of(house, table)
    parts = in_force(house, job, f"bronze.{feed}", as_of)
    counting = {one["delivery_id"]: one["n_created"] for part in parts for one in part.deliveries}
    if not counting:
        assert feed in RARE
        return
    rows = marked(house, table, as_of)
    assert Counter(row["delivery_id"] for row in rows) == counting
    found = {(row["delivery_id"], row["line"], why) for row in rows for why in row["violations"]}
    assert found == outcomes.bad_rows(house, table, set(counting))
    again = {(row["delivery_id"], row["line"]) for row in rows if row["is_repeat"]}
    assert again == repeats(house, counting, rows)


def date_of(house: House, table: str) -> date:
    """Return the date to make a table for: the first month has each kind of fault.

    What comes only later, or is linked with the members of households, is made for the last.
    """
    inputs = house.registry.inputs(table)
    [bronze] = [one for one in inputs if one.startswith("bronze.")]
    periods = {one["period"] for one in house.ops.deliveries(bronze.removeprefix("bronze."))}
    is_first = f"{FIRST:%Y-%m}" in periods and "silver.membership" not in inputs
    return FIRST if is_first else LAST


def marked(house: House, table: str, as_of: date) -> list[Any]:
    """Return the rows that a job makes, with reasons and repeats, as its run marks them."""
    job = house.registry.jobs[table]
    frames = {
        word: house.read_input(job, name, as_of, None) for word, name in job.input_names().items()
    }
    from_run = {"as_of": as_of, "zone": house.conf.zone}
    given = {word: value for word, value in from_run.items() if word in job.parameters}
    made = checks.conform(job.function(**frames, **given), job.output)
    rows = checks.resolve_repeats(checks.mark(made, job.output), job.output)
    return rows.select("delivery_id", "line", "violations", "is_repeat").collect()


def repeats(house: House, counting: dict[str, int], rows: list[Any]) -> set[tuple[str, int]]:
    """Return the rows that only say what another has said: all good ones of a second export."""
    again = {one["delivery_id"] for one in outcomes.listed(house, "delivery")
             if one["kind"] == "exported_again"}  # fmt: skip
    second = {
        (one["delivery_id"], one["line"]) for one in outcomes.listed(house, "row")
        if one["kind"] in ("doubled_row", "in_two_households") and one["expected"] == "repaired"
    }  # fmt: skip
    return {
        (row["delivery_id"], row["line"]) for row in rows
        if not row["violations"]
        and ((row["delivery_id"], row["line"]) in second or row["delivery_id"] in again)
    }  # fmt: skip


@pytest.mark.parametrize("table", WRITTEN)
def test_the_table_of_a_mapping_is_written(house: House, table: str) -> None:
    [made] = house.run(table, date_of(house, table))
    assert made.adds_up
    assert made.created == house.lake.read(table).count() == made.good > 0
    assert made.read == made.good + made.unchanged + made.quarantined
