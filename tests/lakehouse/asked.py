"""A tiny lake to ask: Delta tables written by delta-rs, without Spark."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from lakehouse.registry import registry
from lakehouse.table import Table
from tests.pages.county import TYPES

Row = dict[str, Any]
KINDS = TYPES | {
    "timestamp": pa.timestamp("us", "UTC"),
    "map<string,string>": pa.map_(pa.string(), pa.string()),
}
SECRET = "KEEP-THIS-AWAY"

VILLAGES = ("211223100201", "211223101201", "211223101202", "211224100201", "212100100201")
AREAS = {
    "210000000000": "province", "211200000000": "city", "211223000000": "county",
    "211223100000": "town", "211223101000": "town", "211224000000": "county",
    "212100100000": "town", **dict.fromkeys(VILLAGES, "village"),
}  # fmt: skip


def write(
    root: Path, table: str | type[Table], rows: Iterable[Row], mode: str = "overwrite"
) -> None:
    """Write rows as a declared table; a column left out takes its example, a null one null."""
    declared = registry().tables[table] if isinstance(table, str) else table
    rows = list(rows)
    columns = {
        column.name: pa.array(
            [
                _typed(
                    row.get(column.name, None if column.nullable else column.example), column.type
                )
                for row in rows
            ],
            KINDS[column.type],
        )
        for column in declared.columns.values()
    }
    write_deltalake(
        str(root / declared.name.replace(".", "/", 1)),
        pa.table(columns),
        mode=mode,
        partition_by=[declared.partition] if declared.partition else None,
    )


def _typed(value: Any, kind: str) -> Any:
    if not isinstance(value, str) or kind not in ("date", "timestamp"):
        return value
    if kind == "date":
        return date.fromisoformat(value)
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def make(root: Path) -> Path:
    """Write the tables that questions of the tests name; people carry SECRET in every token."""
    write(root, "silver.area", [
        {"area_code": code, "area_name": f"地{code[:9]}", "level": level,
         "valid_from": "2000-01-01",
         "valid_to": "2014-01-01" if code == "211224000000" else None}
        for code, level in AREAS.items()
    ])  # fmt: skip
    write(root, "silver.person", [
        {"person_id": f"{SECRET}{number}", "village_code": VILLAGES[number % 5], "line": number + 2}
        for number in range(50)
    ])  # fmt: skip
    write(root, "gold.household_identification", [
        {"household_id": f"{SECRET}{number}", "village_code": VILLAGES[number % 5],
         "line_cny": 2855, "reasons": ["income_below_line"], "n_members": 1 + number % 4}
        for number in range(20)
    ])  # fmt: skip
    write(root, "gold.poverty_by_area", [
        {"as_of": f"{year}-12-31", "area_code": code, "level": level, "concept": concept,
         "headcount_ratio": (int(code[4:9]) * 7 + year) % 100 / 100, "n_sampled": 20 + year - 2013}
        for year in (2013, 2014, 2015) for code, level in AREAS.items() if level != "village"
        for concept in ("net_income", "consumption")
    ])  # fmt: skip
    write(root, "silver.subscriber_day", [
        {"subscriber_id": f"{SECRET}{number}", "day": f"2015-12-{day:02}", "n_contacts": number + 1}
        for day in range(25, 32) for number in range(3)
    ])  # fmt: skip
    write(root, "silver.home_place", [
        {"subscriber_id": f"{SECRET}{number}", "month": f"2015-{month:02}-01",
         "village_code": VILLAGES[number]}
        for month in (10, 11, 12) for number in range(5)
    ])  # fmt: skip
    write(root, "silver.project", [])
    return root
