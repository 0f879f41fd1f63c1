"""What the lists of faults say should become of deliveries, lines and values, and what did."""

from typing import Any

import pyarrow.parquet as pq
from deltalake import DeltaTable

from lakehouse.delivery import find
from lakehouse.hold import HOLD_FROM
from lakehouse.io import newest_version, quarantine_path
from lakehouse.run import House

# The table that reads a feed's values first, where a job makes it. Other feeds have their own.
READS = {
    "person_register": "silver.person", "household_card": "silver.household_card",
    "member_card": "silver.member_card", "consumption_survey": "silver.survey_household",
    "roster": "silver.roster_entry", "project": "silver.project", "area": "silver.area",
    "cell": "silver.cell", "cdr": "silver.cdr_event",
}  # fmt: skip
# A delivery, a line of it, and why that is set aside.
Aside = set[tuple[str, int, str]]


def listed(house: House, table: str) -> list[dict[str, Any]]:
    """Return the list of faults, row or delivery, each with its `delivery_id`."""
    path = house.conf.landing.parent / "faults" / f"{table}.parquet"
    return [
        one | {"delivery_id": f"{one['feed']}/{one['period']}/{one['delivery']}"}
        for one in pq.read_table(path).to_pylist()
    ]


def table_of(feed: str) -> str:
    """Return the table that reads a feed's values first."""
    return READS.get(feed, f"silver.{feed}")


def ends(house: House) -> dict[str, tuple[str, str | None]]:
    """Return the state and reason in which each delivery should end.

    A register that is held for having shrunk is superseded by the right one, which lands. It is
    not held where the one before it has few rows, or has not come.
    """
    told: dict[str, tuple[str, str | None]] = {
        one.delivery_id: ("landed", None) for one in find(house.conf.landing)
    }
    for one in listed(house, "delivery"):
        if one["delivery_id"] not in told:
            continue
        if one["expected"] == "refused":
            told[one["delivery_id"]] = ("refused", one["reason"])
        elif one["expected"] == "held" and _rows_before(house, one) >= HOLD_FROM:
            told[one["delivery_id"]] = ("superseded", one["reason"])
        elif one["reason"] == "same_content":
            told[one["delivery_id"]] = ("duplicate", one["reason"])
    return told


def _rows_before(house: House, one: dict[str, Any]) -> int:
    """Return how many rows the last delivery of an earlier period has; none without one."""
    before = [
        sum(file.rows for file in other.files())
        for other in find(house.conf.landing)
        if other.feed == one["feed"] and other.period < one["period"]
    ]
    return before[-1] if before else 0


def bad_lines(house: House) -> dict[str, Aside]:
    """Return by bronze table the lines that should be set aside when a delivery lands."""
    made = _by_table(house, {f"bronze.{one}" for one in house.registry.feeds}, is_line=True)
    there = {one.delivery_id for one in find(house.conf.landing)}
    return {table: {one for one in lines if one[0] in there} for table, lines in made.items()}


def bad_rows(house: House, table: str, deliveries: set[str]) -> Aside:
    """Return the rows of some deliveries that should be set aside by a silver table."""
    made = _by_table(house, {table}, is_line=False)
    return {one for one in made[table] if one[0] in deliveries}


def set_aside(house: House, table: str, slice_: str | None = None) -> Aside:
    """Return what a table has set aside, for one date or delivery, or at all."""
    path = quarantine_path(house.conf.lake, table)
    if newest_version(path) is None:
        return set()
    columns = ["slice", "delivery_id", "line", "violations"]
    return {
        (row["delivery_id"], row["line"], reason)
        for row in DeltaTable(path).to_pyarrow_table(columns=columns).to_pylist()
        for reason in row["violations"]
        if slice_ in (None, row["slice"])
    }


def _by_table(house: House, tables: set[str], *, is_line: bool) -> dict[str, Aside]:
    """Return what should be set aside by table; a reason of a line names no column."""
    made: dict[str, Aside] = {table: set() for table in tables}
    for one in listed(house, "row"):
        of_line = one["reason"] in ("wrong_field_count", "wrong_encoding")
        if one["expected"] == "quarantined" and of_line == is_line:
            table = f"bronze.{one['feed']}" if is_line else table_of(one["feed"])
            if table in tables:
                made[table].add((one["delivery_id"], one["line"], one["reason"]))
    return made
