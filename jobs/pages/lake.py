"""The tables that a page is made from, as DuckDB views of one date. No Spark."""

from datetime import date
from typing import Any

import duckdb
from deltalake import DeltaTable

from lakehouse.errors import InputMissing
from lakehouse.io import arrow_rows, newest_version, table_path

# The dates of a page are those of its first question: who is recommended.
ANSWERS = "gold.household_identification"
NEEDED = (
    "silver.area",
    ANSWERS,
    "gold.household_feature",
    "gold.need_capacity_coupling",
    "gold.poverty_by_area",
    "gold.village_indicator",
)
OPTIONAL = ("gold.poverty_score",)
FEW = 6


class Lake:
    """The tables under one root, each at one Delta version, cut to one date.

    A view goes by the table's name without its layer. Tables without `as_of` are cut to the rows
    in force on the date; of those with it, `<name>_ever` has all dates up to it. `dates` are
    those with answers up to this one, the oldest first. Raises InputMissing where a table has not
    been made, or not for the date (by default the newest).
    """

    def __init__(self, root: str, as_of: date | None = None) -> None:
        self.engine = duckdb.connect()
        self.versions: dict[str, int] = {}
        tables = {name: self._open(root, name) for name in (*NEEDED, *OPTIONAL)}
        self.as_of, self.dates = self._dates(tables[ANSWERS], as_of)
        for name, delta in tables.items():
            if delta is not None:
                self._view(name.split(".")[1], delta)

    def all(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a query, each by column name."""
        found = self.engine.execute(query, list(values))
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def one(self, query: str, *values: object) -> dict[str, Any]:
        """Return the single row of an aggregate."""
        return self.all(query, *values)[0]

    def _open(self, root: str, name: str) -> DeltaTable | None:
        path = table_path(root, name)
        if newest_version(path) is None:
            if name in OPTIONAL:
                return None
            raise InputMissing(f"{name} has not been made yet: `bangfu run all`.")
        delta = DeltaTable(path)
        self.versions[name] = delta.version()
        return delta

    def _dates(self, answers: DeltaTable | None, as_of: date | None) -> tuple[date, list[date]]:
        """Return the date asked for, and those with answers up to it."""
        assert answers is not None
        rows = self.engine.from_arrow(arrow_rows(answers, answers.table_uri))
        dates = sorted(row[0] for row in rows.project("as_of").distinct().fetchall())
        asked = as_of or max(dates, default=None)
        if asked not in dates:
            more = f"{len(dates) - FEW} older ones, " if len(dates) > FEW else ""
            held = ", ".join(str(day) for day in dates[-FEW:])
            told = f"It has {more}{held}. " if dates else ""
            way = f" --as-of {asked}" if asked else ""
            raise InputMissing(
                f"Gold holds no answer{f' for {asked}' if asked else ''}. {told}"
                f"`bangfu run all{way}` makes it."
            )
        return asked, [day for day in dates if day <= asked]

    def _view(self, name: str, delta: DeltaTable) -> None:
        is_dated = "as_of" in {field.name for field in delta.schema().fields}
        rows = self.engine.from_arrow(arrow_rows(delta, delta.table_uri))
        day = f"DATE '{self.as_of}'"
        if is_dated:
            rows.filter(f"as_of = {day}").create_view(name)
            rows.filter(f"as_of <= {day}").create_view(f"{name}_ever")
        else:
            in_force = f"valid_from <= {day} AND (valid_to IS NULL OR valid_to > {day})"
            rows.filter(in_force).create_view(name)
