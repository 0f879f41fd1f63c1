"""What is set aside now, by reason, delivery, area and age (隔离间). Counts only, never a row.

DuckDB counts the quarantine as Arrow hands it over; what comes out grows with deliveries, counties
and reasons, not with rows. A county's count below the release threshold is folded with others.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from lakehouse.errors import DeclarationError, nearest
from lakehouse.io import arrow_rows, newest_version, quarantine_path
from lakehouse.query.query import LOCKED
from lakehouse.table import Table

if TYPE_CHECKING:
    from lakehouse.run import House

UNPLACED = "unplaced"
# Ages in days: those below each, and the older ones.
AGES = (8, 32, 93)


@dataclass(frozen=True)
class Group:
    """Rows of one table set aside together: same slice, delivery, county and reasons."""

    table: str
    slice: str
    delivery_id: str | None
    county: str | None
    reasons: tuple[str, ...]
    rows: int
    arrived: date | None


def groups(house: "House", name: str | None = None) -> list[Group]:
    """Return what is set aside now, of one table or of all that ever set a row aside.

    A merged table has one state, that of its newest run; a delivery that was superseded no longer
    counts. Needs no Spark.
    """
    arrived, in_force = _ledger(house)
    tables = {row["table_name"] for row in house.ops.reasons(name)}
    return [
        one
        for table in sorted(tables)
        for one in _counted(house, table, arrived)
        if not table.startswith("bronze.") or one.slice in in_force
    ]


def by(kind: str, found: Iterable[Group], today: date, shown_from: int) -> list[dict[str, Any]]:
    """Return rows set aside by table and reason, delivery, area or age, each with its oldest.

    A row with two reasons counts under both.
    """
    counts: Counter[tuple[str, str]] = Counter()
    oldest: dict[tuple[str, str], date] = {}
    for one in found:
        for key in ((one.table, word) for word in _words(kind, one, today)):
            counts[key] += one.rows
            if one.arrived:
                oldest[key] = min(one.arrived, oldest.get(key, one.arrived))
    told = [
        {"table": table, kind: word, "rows": n, "since": oldest.get((table, word))}
        for (table, word), n in sorted(counts.items())
    ]
    return list(_folded(told, shown_from)) if kind == "area" else told


def promised_days(house: "House", table: str) -> int:
    """Return after how many days rows that a table set aside raise an alarm.

    Raises DeclarationError where conf [quarantine] names a table that is not there.
    """
    own = house.conf.sections["quarantine"].get("alarm_days_of") or {}
    for name in own:
        if name not in house.registry.tables:
            raise DeclarationError(
                f"conf [quarantine] alarm_days_of names {name!r}, which is no table."
                f"{nearest(name, list(house.registry.tables))}"
            )
    return int(own.get(table) or house.conf.get("quarantine", "alarm_days"))


def age(one: Group, today: date) -> int | None:
    """Return how many days ago the rows arrived."""
    return max(0, (today - one.arrived).days) if one.arrived else None


def _words(kind: str, one: Group, today: date) -> Iterable[str]:
    match kind:
        case "reason":
            return one.reasons
        case "delivery":
            return (one.delivery_id or one.slice,)
        case "area":
            return (one.county or UNPLACED,)
    days = age(one, today)
    if days is None:
        return ("unknown",)
    most = next((most for most in AGES if days < most), None)
    return (f"below {most:2} days" if most else f"{AGES[-1]} days and more",)


def _folded(told: list[dict[str, Any]], shown_from: int) -> Iterator[dict[str, Any]]:
    """Fold the smallest counties of each table until their sum may be shown.

    One small county alone would follow from the table's total by subtraction.
    """
    for table in dict.fromkeys(row["table"] for row in told):
        mine = sorted((row for row in told if row["table"] == table), key=lambda row: -row["rows"])
        small: list[dict[str, Any]] = []
        while mine and (
            mine[-1]["rows"] < shown_from or 0 < sum(one["rows"] for one in small) < shown_from
        ):
            small.append(mine.pop())
        yield from sorted(mine, key=lambda row: str(row["area"]))
        if small:
            since = [one["since"] for one in small if one["since"]]
            yield {"table": table, "area": f"{len(small)} others, together",
                   "rows": sum(one["rows"] for one in small),
                   "since": min(since, default=None)}  # fmt: skip


def _ledger(house: "House") -> tuple[dict[str, date], set[str]]:
    """Return when each delivery arrived, and which of them have landed and still count."""
    rows = house.ops.deliveries()
    landed = [row for row in rows if row["state"] == "landed"]
    gone = {row["supersedes"] for row in landed}
    arrived = {row["delivery_id"]: row["arrived_at"].date() for row in rows if row["arrived_at"]}
    return arrived, {row["delivery_id"] for row in landed} - gone


def _counted(house: "House", name: str, arrived: dict[str, date]) -> Iterator[Group]:
    """Count the rows that one table has set aside now."""
    table = house.registry.tables.get(name)
    last = house.ops.runs(name, limit=1) if table and table.write == "merge" else []
    now = f"WHERE slice = '{last[0]['as_of']}'" if last else ""
    with offered(house, name) as engine:
        if engine is None:
            return
        found = engine.execute(
            f"SELECT slice, delivery_id, {_county(table)}, violations, count(*) "
            f"FROM aside {now} GROUP BY ALL"
        ).fetchall()
    for slice_, delivery, county, reasons, n in found:
        since = arrived.get(delivery or slice_) or _day(slice_)
        yield Group(name, slice_, delivery, county or None, tuple(reasons), n, since)


@contextmanager
def offered(house: "House", name: str) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Give an engine that has the rows set aside by one table as `aside`; None without any."""
    from deltalake import DeltaTable

    path = quarantine_path(house.conf.lake, name)
    if newest_version(path) is None:
        yield None
        return
    with duckdb.connect(config=LOCKED) as engine:
        engine.register("aside", arrow_rows(DeltaTable(path), path))
        yield engine


def _county(table: type[Table] | None) -> str:
    """Return the county of a row that is kept as JSON; a line of a file is in no known place."""
    if table is None or table.area is None or table.layer == "bronze":
        return "NULL"
    return f"""regexp_extract("row", '"{table.area}":"([0-9]{{6}})', 1)"""


def _day(text: str) -> date | None:
    """Return a slice's date as when its rows came: a run's, where no delivery is named."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def overdue(found: Iterable[Group], days: int, today: date) -> tuple[int, date | None]:
    """Return how many rows are older than so many days, and since when the oldest of them is."""
    late = [one for one in found if one.arrived and today - one.arrived > timedelta(days=days)]
    since = [one.arrived for one in late if one.arrived]
    return sum(one.rows for one in late), min(since, default=None)
