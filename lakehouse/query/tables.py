"""The tables that may be asked, and what is shown of each: cut in the data set, below all SQL.

Offered are silver and gold, without personal columns. A cut takes away rows by area, by the date
that answers are for, and by when they were known. What is cut never reaches the engine, so no
query, view or function finds it. Delta's statistics prune files by the same conditions.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable

from lakehouse.clocks import CLOCKS, has_history, history_of, tells_validity
from lakehouse.conf import Settings
from lakehouse.errors import InputMissing, PrivacyError, UsageError, nearest
from lakehouse.io import arrow_rows, newest_version, table_path
from lakehouse.ops import Ops
from lakehouse.query.guard import Named, pointed
from lakehouse.registry import Registry
from lakehouse.table import RESTRICTED, Column, Table

OFFERED = ("silver", "gold")
LEVELS = (2, 4, 6, 9, 12)  # digits of province, city, county, town, village
HIDDEN = (*RESTRICTED, "quarantine", "ops", "landing", "keys")
FILE = re.compile(r"[/\\]|://|\.(csv|tsv|txt|json|parquet|xlsx|db|duckdb|gz)$", re.IGNORECASE)


@dataclass(frozen=True)
class Cut:
    """Which rows are shown: of one area (digits that its code begins with), date, knowledge."""

    as_of: date | None = None
    known_at: datetime | None = None
    area: str | None = None


@dataclass(frozen=True)
class Opened:
    """One table, cut, as the engine will see it; its history may say it of any date."""

    table: type[Table]
    version: int
    rows: ds.Dataset
    by_history: bool = False

    @property
    def columns(self) -> list[str]:
        """Return the columns that are offered of those that the data set has."""
        shown = {column.name for column in shown_columns(self.table)}
        return [name for name in self.rows.schema.names if name in shown]


def shown_columns(table: type[Table]) -> list[Column]:
    """Return the columns that are offered: those that are not personal."""
    return [column for column in table.columns.values() if not column.personal]


def offered(known: Registry, cut: Cut | None = None) -> list[type[Table]]:
    """Return the tables that may be asked, by name; under an area those that say where a row is."""
    is_cut = cut is not None and cut.area is not None
    tables = [table for table in known.tables.values() if table.layer in OFFERED]
    return sorted(
        (table for table in tables if table.area or not is_cut), key=lambda table: table.name
    )


def find(known: Registry, named: Named, cut: Cut, sql: str) -> type[Table]:
    """Return the table that a name means. Raises UsageError, or PrivacyError where it is hidden."""
    name, place = named.text.lower(), pointed(sql, named.at, named.length)
    table = _by_name(known, name)
    layer = table.layer if table else name.partition(".")[0]
    if layer in HIDDEN:
        raise PrivacyError(
            f"{named.text} is in the restricted zone: only {' and '.join(OFFERED)} can be asked."
            + place
        )
    if layer == "conf":
        raise UsageError(f"{named.text} holds settings: `bangfu show {name}` shows them.{place}")
    if table is None:
        raise UsageError(_unknown(known, named, cut) + place)
    if cut.area and table.area is None:
        raise PrivacyError(
            f"{table.name} does not say in which area a row is, so it is not offered for one area "
            f"(--area). `bangfu tables` shows which tables have an area column.{place}"
        )
    return table


def _by_name(known: Registry, name: str) -> type[Table] | None:
    """Return a table by full or bare name, one that is offered first."""
    if name in known.tables:
        return known.tables[name]
    bare = [table for full, table in known.tables.items() if full.partition(".")[2] == name]
    bare.sort(key=lambda table: (table.layer not in OFFERED, table.name))
    return bare[0] if bare else None


def _unknown(known: Registry, named: Named, cut: Cut) -> str:
    if FILE.search(named.text):
        return f"There is no table {named.text!r}, and files are not read here."
    names = [table.name for table in offered(known, cut)]
    words = [*names, *(name.partition(".")[2] for name in names)]
    return f"There is no table {named.text!r}.{nearest(named.text.lower(), words)}"


def open_table(root: str, table: type[Table], cut: Cut) -> Opened:
    """Open one table as it stood, without personal columns and without the rows cut away.

    A table that holds the state of one date is told of another by its history. Raises InputMissing
    where it has not been made, or did not exist at the time of the cut.
    """
    path = table_path(root, table.name)
    if newest_version(path) is None:
        raise InputMissing(
            f"{table.name} has not been made yet. `bangfu plan {table.name}` says what it needs."
        )
    if has_history(table) and (cut.as_of or cut.known_at):
        history = history_of(table)
        if newest_version(of_it := table_path(root, history.name)) is not None:
            return _open_state(table, history, of_it, cut)
    delta = DeltaTable(path)
    if cut.known_at and "known_from" not in table.columns:
        delta.load_as_version(version_at(delta, table.name, cut.known_at))
    rows = arrow_rows(delta, path)
    names = set(rows.schema.names)
    if cut.area and table.area not in names:
        raise PrivacyError(
            f"{table.name} had no {table.area!r} then: none of its rows has an area."
        )
    for condition in conditions(table, names, cut):
        rows = rows.filter(condition)
    return Opened(table, delta.version(), _shown(rows, table))


def _open_state(table: type[Table], history: type[Table], path: str, cut: Cut) -> Opened:
    """Open what a history says of a date, the newest if none, as known at a time, or now."""
    delta = DeltaTable(path)
    rows = arrow_rows(delta, path)
    found = conditions(history, set(rows.schema.names), cut)
    found += [] if cut.as_of or tells_validity(table) else [ds.field("valid_to").is_null()]
    found += [] if cut.known_at else [ds.field("known_to").is_null()]
    for condition in found:
        rows = rows.filter(condition)
    # The clocks stay in the data set, which is filtered by them, and are not offered.
    return Opened(table, delta.version(), _shown(rows, table, *CLOCKS), by_history=True)


def _shown(rows: ds.Dataset, table: type[Table], *more: str) -> ds.Dataset:
    """Return rows with what is offered of a table, and more columns.

    Declared columns only: of one that is no longer declared, nobody says whether it is personal.
    """
    names = set(rows.schema.names)
    offered = [column.name for column in shown_columns(table)]
    kept = [name for name in dict.fromkeys([*offered, *more]) if name in names]
    return rows.replace_schema(pa.schema([rows.schema.field(name) for name in kept]))


def conditions(table: type[Table], names: set[str], cut: Cut) -> list[Any]:
    """Return the conditions that rows of a table meet under a cut."""
    found = []
    if cut.area and table.area:
        # Codes are digits, and ":" comes right after "9": a range, which statistics can prune by.
        code = ds.field(table.area)
        found.append((code >= cut.area) & (code < cut.area + ":"))
    if cut.as_of:
        found += _valid_on(names, cut.as_of)
    if cut.known_at and "known_from" in table.columns:
        at = _moment(table.columns["known_from"], cut.known_at)
        found.append((ds.field("known_from") <= at) & _open_or_after("known_to", at))
    return found


def _valid_on(names: set[str], day: date) -> list[Any]:
    if "as_of" in names:
        return [ds.field("as_of") == day]
    for name in ("day", "month"):
        if name in names:
            return [ds.field(name) <= day]
    if {"valid_from", "valid_to"} <= names:
        return [(ds.field("valid_from") <= day) & _open_or_after("valid_to", day)]
    return []


def _open_or_after(name: str, value: Any) -> Any:
    return ds.field(name).is_null() | (ds.field(name) > value)


def _moment(column: Column, at: datetime) -> Any:
    return at.date() if column.type == "date" else pa.scalar(at, pa.timestamp("us", "UTC"))


def version_at(delta: DeltaTable, name: str, at: datetime) -> int:
    """Return the version that was the newest one at a time. Raises InputMissing before the first.

    By the time that each commit says of itself, as Delta's history tells it.
    """
    commits = [
        (datetime.fromtimestamp(commit["timestamp"] / 1000, UTC), commit["version"])
        for commit in delta.history()
    ]
    first, first_version = min(commits, key=lambda commit: commit[1])
    known = [version for time, version in commits if time <= at]
    if not known:
        told = "exists" if first_version == 0 else "has its history"
        raise InputMissing(
            f"{name} was not there at {at:%F %T} UTC: it {told} since {first:%F %T}."
        )
    return max(known)


def area_prefix(code: str) -> str:
    """Return the digits that codes of an area begin with, from its code of 2 to 12 digits.

    Zeros at the end are below its level and say nothing: 211200 is the city 2112. Raises
    UsageError.
    """
    digits = code.strip().rstrip("0")
    if not re.fullmatch(r"[0-9]{2,12}", code.strip()):
        raise UsageError(f"--area {code!r}: a division code has 2 to 12 digits, such as 211223.")
    if not digits:
        raise UsageError(f"--area {code} is the whole nation: leave --area out.")
    return digits.ljust(next(level for level in LEVELS if level >= len(digits)), "0")


def check_area(root: str, known: Registry, prefix: str) -> None:
    """Raise UsageError where no division that the lake knows lies in an area."""
    table = known.tables["silver.area"]
    rows = open_table(root, table, Cut(area=prefix)).rows
    if rows.head(1, columns=["area_code"]).num_rows:
        return
    every = open_table(root, table, Cut()).rows.to_table(columns=["area_code"])["area_code"]
    codes = sorted({code[: len(prefix)] for code in every.to_pylist() if code})
    raise UsageError(f"--area: silver.area knows no division {prefix}.{nearest(prefix, codes)}")


def notes(conf: Settings, opened: Sequence[Opened], cut: Cut) -> Iterator[str]:
    """Yield what a reader has to know of tables that a date cannot be cut out of."""
    for one in opened if cut.as_of else ():
        if one.table.write == "merge" and not one.by_history:
            note = _holds_another_date(conf, one, cut)
        else:
            note = _has_no_such_date(one, cut)
        if note:
            yield note


def _holds_another_date(conf: Settings, one: Opened, cut: Cut) -> str | None:
    """Say which date a merged table is of, where that is another: it keeps one state."""
    name, day = one.table.name, cut.as_of
    held = state_of(Ops(conf), name, one.version)
    is_covered = "valid_from" in one.table.columns and held and day and day <= held
    if held is None or held == day or is_covered:
        return None
    makes = "" if cut.known_at else f"; `bangfu run {name} --as-of {day}` makes that of {day}"
    return f"{name} keeps one state, and holds that of {held}{makes}."


def _has_no_such_date(one: Opened, cut: Cut) -> str | None:
    is_of_dates = one.table.partition == "as_of" or one.by_history
    if not is_of_dates or one.rows.head(1).num_rows:
        return None
    known = f", as known at {cut.known_at:%F %T} UTC" if one.by_history and cut.known_at else ""
    return f"{one.table.name} has no rows of {cut.as_of}{known}."


def state_of(ops: Ops, name: str, version: int) -> date | None:
    """Return the date whose state a merged table holds at a version, by the record of runs."""
    for run in ops.runs(name, limit=1000):
        if run["state"] == "done" and (run["delta_version"] or 0) <= version:
            return run["as_of"]
    return None
