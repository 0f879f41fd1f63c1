"""A small made-up county in Delta tables, written without Spark, and its operations store."""

import random
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from jobs.pages.areas import area_of
from jobs.pages.counts import Counts
from jobs.pages.lake import NEEDED, Lake
from lakehouse.ops import Ops
from lakehouse.registry import registry
from lakehouse.schemas import codes

AS_OF = date(2015, 12, 31)
BEFORE = date(2015, 11, 30)
COUNTY = "211223000000"
TYPES = {
    "string": pa.string(), "double": pa.float64(), "int": pa.int32(), "bigint": pa.int64(),
    "boolean": pa.bool_(), "date": pa.date32(), "array<string>": pa.list_(pa.string()),
}  # fmt: skip
Row = dict[str, Any]


@dataclass
class County:
    """The rows of each table, and where they lie."""

    root: Path
    rows: dict[str, list[Row]]

    def tokens(self) -> set[str]:
        return {row["household_id"] for row in self.rows["gold.household_feature"]}


def write(root: Path, name: str, rows: list[Row]) -> None:
    """Write rows as a declared table; a column left out takes its declared example."""
    table = registry().tables[name]
    columns = {
        column.name: pa.array(
            [_typed(row.get(column.name, None if column.nullable else column.example), column.type)
             for row in rows],
            TYPES[column.type],
        )
        for column in table.columns.values()
    }  # fmt: skip
    write_deltalake(str(root / name.replace(".", "/")), pa.table(columns), mode="overwrite")


def _typed(value: Any, kind: str) -> Any:
    return date.fromisoformat(value) if kind == "date" and isinstance(value, str) else value


def make(root: Path, towns: int = 3, villages: int = 4, households: int = 30) -> County:
    """Make a county: `households` a village, of which each third has a card."""
    rng = random.Random(7)
    rows: dict[str, list[Row]] = {name: [] for name in NEEDED}
    _place(rows, COUNTY, "西丰县", "county", "211200000000", None)
    for town in range(1, towns + 1):
        town_code = f"211223{100 + town}000"
        at = (124.45 + 0.45 * rng.random(), 42.5 + 0.4 * rng.random())
        _place(rows, town_code, f"合成{town}镇", "town", COUNTY, at)
        for village in range(1, villages + 1):
            code = f"{town_code[:9]}{200 + village}"
            near = (at[0] + rng.uniform(-0.05, 0.05), at[1] + rng.uniform(-0.05, 0.05))
            _place(rows, code, f"合成{village}村", "village", town_code, near)
            _village(rows, code, households, rng)
    for name, made in rows.items():
        write(root, name, made)
    return County(root, rows)


def _place(
    rows: dict[str, list[Row]], code: str, name: str, level: str, parent: str, at: Any
) -> None:
    lon, lat = at or (None, None)
    rows["silver.area"].append(
        {"area_code": code, "area_name": name, "level": level, "parent_code": parent, "lon": lon,
         "lat": lat, "is_position_synthetic": at is not None}
    )  # fmt: skip
    if level != "village":
        n_sampled = 40 if level == "county" else 20
        for concept, ratio in (("net_income", 0.125), ("consumption", 0.117)):
            rows["gold.poverty_by_area"].append(
                {"area_code": code, "level": level, "concept": concept, "headcount_ratio": ratio,
                 "poverty_gap": 0.04, "squared_gap": 0.02, "headcount_ratio_error": 0.02,
                 "poverty_gap_error": 0.01, "squared_gap_error": None, "n_sampled": n_sampled,
                 "n_people": 1000.0, "n_psu": 12, "n_strata": 3, "line_area_code": "0" * 12}
            )  # fmt: skip


def _village(rows: dict[str, list[Row]], code: str, n: int, rng: random.Random) -> None:
    for number in range(n):
        token = f"{rng.getrandbits(64):016x}"
        rows["gold.household_feature"].append(
            {"household_id": token, "village_code": code, "n_members": 3}
        )
        if number % 3 == 0:
            below = number % 2 == 0
            reasons = ["income_below_line" if below else "income_not_below_line", "guarantees_met"]
            rows["gold.household_identification"].append(
                {"household_id": token, "village_code": code, "n_members": 3, "reasons": reasons,
                 "recommendation": "include" if below else "leave_out", "line_cny": 2855.0,
                 "line_area_code": "0" * 12, "line_source": "一份文件"}
            )  # fmt: skip
    u1, u2 = rng.uniform(0.2, 0.95), rng.uniform(0.1, 0.9)
    c = 2 * (u1 * u2) ** 0.5 / (u1 + u2)
    d = (c * (u1 + u2) / 2) ** 0.5
    lags = None if abs(u1 - u2) < 0.1 else "living_needs_met" if u1 < u2 else "production_capacity"
    rows["gold.village_indicator"].append({"village_code": code, "n_households": n})
    rows["gold.need_capacity_coupling"].append(
        {"village_code": code, "living_needs_met": u1, "production_capacity": u2,
         "coupling_degree": c, "coordination_index": (u1 + u2) / 2, "coupling_coordination": d,
         "coupling_level": int(d * 10) + 1, "lagging": lags,
         "coupling_class": list(codes.COUPLING_CLASS)[int(d * 10)]}
    )  # fmt: skip


# What a household is on a date, and the reasons that go with it.
REASONS = {
    "include": ["income_below_line", "guarantees_met"],
    "check": ["income_not_below_line", "housing_unsafe"],
    "leave_out": ["income_not_below_line", "guarantees_met"],
}
Kinds = dict[str, int]


def tiny(root: Path, dates: dict[date, dict[str, Kinds]], members: int = 3) -> Path:
    """Make a lake of households counted by hand: by date, village and kind; return its root.

    Kinds are include, check, leave_out and none (without a card), in this order. The first
    household of a village is the same on all dates, and so on: where one more is included and one
    less checked, one household has moved from one to the other.
    """
    rows: dict[str, list[Row]] = {name: [] for name in NEEDED}
    villages = sorted({village for by_village in dates.values() for village in by_village})
    _place(rows, COUNTY, "西丰县", "county", "211200000000", None)
    for town in sorted({village[:9] for village in villages}):
        _place(rows, f"{town}000", f"合成{town[-2:]}镇", "town", COUNTY, None)
    for village in villages:
        _place(rows, village, f"合成{village[-3:]}村", "village", f"{village[:9]}000", None)
    rows["gold.poverty_by_area"] = []
    for as_of, by_village in dates.items():
        for village, kinds in by_village.items():
            every = [kind for kind, n in kinds.items() for _ in range(n)]
            for number, kind in enumerate(every):
                one = {"as_of": as_of, "household_id": f"{village}-{number}",
                       "village_code": village, "n_members": members}  # fmt: skip
                rows["gold.household_feature"].append(one)
                if kind in REASONS:
                    answer = {"recommendation": kind, "reasons": REASONS[kind]}
                    rows["gold.household_identification"].append(one | answer)
    for name, made in rows.items():
        write(root, name, made)
    return root


def counts(root: Path, asked: str, as_of: date | None = None) -> Counts:
    """Return what may be told of one area of a lake."""
    lake = Lake(str(root), as_of)
    return Counts(lake, area_of(lake, asked), at_least=16)


def record(ops: Ops) -> None:
    """Record one loaded and one derived table, and a refused delivery with its correction."""
    for table, counts in {
        "silver.person": {"read": 1080, "created": 1070, "updated": 0, "unchanged": 4,
                          "quarantined": 6, "made": 1080, "good": 1070},
        "gold.household_identification": {"made": 123, "good": 120, "quarantined": 3, "read": 0},
    }.items():  # fmt: skip
        made_from = {"bronze.roster": ["roster/2015-12/d3"]}
        run_id = ops.start(table, AS_OF, "c0de", made_from)
        ops.finish(run_id, state="done", counts=counts, seconds=1.0, delta_version=0)
    ops.record_reasons("silver.person", AS_OF.isoformat(), {"person_id:check_digit": 6})
    ops.record_reasons("silver.person", "2014-12-31", {"sex:missing": 99})
    ops.record_delivery(
        delivery_id="roster/2015-12/d2", feed="roster", period="2015-12", extent="full",
        state="refused", reason="missing_head", detail="roster.csv has no head '户编号'",
    )  # fmt: skip
    ops.record_delivery(
        delivery_id="roster/2015-12/d3", feed="roster", period="2015-12", extent="full",
        state="landed", supersedes="roster/2015-12/d2", n_read=9, n_created=9, n_unchanged=0,
        n_quarantined=0,
    )  # fmt: skip


def read(root: Path, name: str) -> list[Row]:
    """Return the rows of a table."""
    found: list[Row] = DeltaTable(str(root / name.replace(".", "/"))).to_pyarrow_table().to_pylist()
    return found
