"""The tables that a page is made from, as DuckDB views of one date. No Spark."""

from datetime import date
from typing import Any

import duckdb
from deltalake import DeltaTable

from lakehouse.errors import InputMissing
from lakehouse.io import newest_version, table_path

NEEDED = (
    "silver.area",
    "gold.household_feature",
    "gold.household_identification",
    "gold.need_capacity_coupling",
    "gold.poverty_by_area",
    "gold.village_indicator",
)


class Lake:
    """The needed tables under one root, each at one Delta version, cut to one date.

    A view goes by the table's name without its layer. Tables without `as_of` are cut to the rows
    in force on the date. Raises InputMissing where a table has not been made.
    """

    def __init__(self, root: str, as_of: date) -> None:
        self.engine = duckdb.connect()
        self.versions: dict[str, int] = {}
        for name in NEEDED:
            path = table_path(root, name)
            if newest_version(path) is None:
                raise InputMissing(f"{name} has not been made yet: `bangfu run all`.")
            delta = DeltaTable(path)
            self.versions[name] = delta.version()
            is_dated = "as_of" in {field.name for field in delta.schema().fields}
            rows = self.engine.from_arrow(delta.to_pyarrow_dataset())
            rows.filter(_on(as_of) if is_dated else _in_force(as_of)).create_view(
                name.split(".")[1]
            )

    def all(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a query, each by column name."""
        found = self.engine.execute(query, list(values))
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def one(self, query: str) -> dict[str, Any]:
        """Return the single row of an aggregate."""
        return self.all(query)[0]


def _on(as_of: date) -> str:
    return f"as_of = DATE '{as_of}'"


def _in_force(as_of: date) -> str:
    return f"valid_from <= DATE '{as_of}' AND (valid_to IS NULL OR valid_to > DATE '{as_of}')"
