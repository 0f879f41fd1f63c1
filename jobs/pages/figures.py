"""The figures of the overview, read from gold with DuckDB. Aggregates only leave this module.

What too few people stand behind is replaced by None here, before any page sees it.
"""

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from jobs.pages import words
from jobs.pages.disclosure import may_show, shown_cells
from jobs.pages.lake import Lake
from lakehouse.errors import InputMissing
from lakehouse.schemas.identification import PovertyByArea

# Digits that name a division of a level; three fewer name the one above.
DIGITS = {"county": 6, "town": 9}
# A map by village needs figures of this part of its villages.
SHOWN_OF_VILLAGES = 0.75
# The threshold that the released table declares holds for every figure of the page.
AT_LEAST = PovertyByArea.release.at_least if PovertyByArea.release else 16


@dataclass(frozen=True)
class Place:
    """One division in force on the day, with its position where there is one."""

    code: str
    name: str
    level: str
    parent_code: str | None
    lon: float | None
    lat: float | None
    is_synthetic: bool


@dataclass(frozen=True)
class Village:
    """One village with registered households. Figures are None where it is too small."""

    code: str
    n_households: int | None
    living_needs_met: float | None
    production_capacity: float | None
    coupling_degree: float | None
    coupling_coordination: float | None
    level: int | None
    class_name: str | None
    lagging: str | None


@dataclass(frozen=True)
class Poverty:
    """One area's poverty; measures are None where the sample is too small to be shown."""

    code: str
    level: str
    n_sampled: int | None
    n_people: float | None
    income: tuple[float, float, float] | None
    consumption: tuple[float, float, float] | None


@dataclass(frozen=True)
class Line:
    """One poverty line in use, and from whom it comes."""

    line_cny: float
    area_code: str
    source: str
    income_rule: str


@dataclass(frozen=True)
class Figures:
    """All that the overview tells of gold. Counts are households; None is not shown.

    `shares` has, by village or town as `share_level` says, the people in recommended households
    over all people on the register.
    """

    places: dict[str, Place]
    villages: list[Village]
    share_level: str
    shares: dict[str, float | None]
    lines: list[Line]
    n_candidates: int
    n_registered: int
    n_people: int
    recommended: dict[str, int | None]
    people_recommended: int | None
    reasons: dict[str, int | None]
    poverty: list[Poverty]
    versions: dict[str, int]

    def counties(self) -> list[str]:
        """Return the codes of the counties that the villages lie in, as 12 digits."""
        return sorted({village.code[:6].ljust(12, "0") for village in self.villages})

    def name(self, code: str) -> str:
        """Return the name of a division; its code where the tree does not know it."""
        if code == "0" * 12:
            return "全国"
        return words.place_name(self.places[code].name) if code in self.places else code


def read(lake_root: str, as_of: date) -> Figures:
    """Read the figures of one date. Raises InputMissing where a table or the date is missing."""
    lake = Lake(lake_root, as_of)
    totals = lake.one(
        "SELECT count(*) AS households, sum(n_members) AS people FROM household_feature"
    )
    found = lake.all(
        "SELECT recommendation, count(*) AS households, sum(n_members) AS people "
        "FROM household_identification GROUP BY 1"
    )
    if not found or not totals["households"]:
        raise InputMissing(
            f"Gold holds no answer for {as_of}. `bangfu run all --as-of {as_of}` makes it."
        )
    level, shares = _shares(lake)
    recommended = dict(zip(
        [row["recommendation"] for row in found],
        _cells([row["households"] for row in found], [row["people"] for row in found]),
        strict=True,
    ))  # fmt: skip
    included = {row["recommendation"]: row["people"] for row in found}.get("include", 0)
    return Figures(
        places=_places(lake),
        villages=_villages(lake),
        share_level=level,
        shares=shares,
        lines=_lines(lake),
        n_candidates=sum(row["households"] for row in found),
        n_registered=totals["households"],
        n_people=totals["people"],
        recommended=recommended,
        people_recommended=included if recommended.get("include", 0) is not None else None,
        reasons=_reasons(lake, sum(row["people"] for row in found)),
        poverty=_poverty(lake),
        versions=lake.versions,
    )


def _cells(values: list[int], people: list[int]) -> list[int | None]:
    """Return values of a partition, None for those that may not be shown."""
    shown = shown_cells(people, AT_LEAST)
    return [value if is_shown else None for value, is_shown in zip(values, shown, strict=True)]


def _places(lake: Lake) -> dict[str, Place]:
    rows = lake.all(
        "SELECT area_code, area_name, level, parent_code, lon, lat, is_position_synthetic "
        "FROM area ORDER BY area_code"
    )
    return {row["area_code"]: Place(*row.values()) for row in rows}


def _villages(lake: Lake) -> list[Village]:
    """Return every village, without figures where fewer than AT_LEAST people are registered."""
    rows = lake.all(
        """SELECT village_code, n_households, living_needs_met, production_capacity,
                  coupling_degree, coupling_coordination, coupling_level, coupling_class, lagging,
                  n_people
           FROM need_capacity_coupling
           JOIN village_indicator USING (village_code)
           JOIN (SELECT village_code, sum(n_members) AS n_people
                 FROM household_feature GROUP BY 1) USING (village_code)
           ORDER BY village_code"""
    )
    made = []
    for row in rows:
        n_people = row.pop("n_people")
        village = Village(*row.values())
        if n_people < AT_LEAST:
            village = Village(village.code, *[None] * 8)
        made.append(village)
    return made


def _shares(lake: Lake) -> tuple[str, dict[str, float | None]]:
    """Return the share of people in recommended households, and at which level it is shown.

    By village where most villages may be shown, else by town: villages of a small county would
    nearly all be hidden.
    """
    for level, digits in (("village", 12), ("town", 9)):
        rows = lake.all(
            """SELECT rpad(substr(village_code, 1, ?), 12, '0') AS code,
                       sum(n_members) AS people,
                       coalesce(sum(n_members) FILTER (is_included), 0) AS included
                FROM household_feature LEFT JOIN (
                    SELECT household_id, recommendation = 'include' AS is_included
                    FROM household_identification
                ) USING (household_id)
                GROUP BY 1 ORDER BY 1""",
            digits,
        )
        shown = _shown_shares(rows)
        if level == "town" or sum(shown) >= SHOWN_OF_VILLAGES * len(rows):
            break
    return level, {
        row["code"]: row["included"] / row["people"] if is_shown else None
        for row, is_shown in zip(rows, shown, strict=True)
    }


def _shown_shares(rows: list[dict[str, Any]]) -> list[bool]:
    """Tell which shares may be shown, county by county: the sum of a county is known."""
    shown = []
    for _, group in groupby(rows, key=lambda row: row["code"][:6]):
        cells = list(group)
        included, people = [c["included"] for c in cells], [c["people"] for c in cells]
        shown += shown_cells(included, AT_LEAST, people)
    return shown


def _lines(lake: Lake) -> list[Line]:
    rows = lake.all(
        "SELECT line_cny, line_area_code, line_source, income_rule, count(*) AS n "
        "FROM household_identification GROUP BY ALL ORDER BY n DESC, line_area_code"
    )
    return [Line(*list(row.values())[:4]) for row in rows]


def _reasons(lake: Lake, people: int) -> dict[str, int | None]:
    """Return households by reason. Reasons overlap, so each stands against all candidates."""
    rows = lake.all(
        "SELECT reason, count(*) AS households, sum(n_members) AS people FROM "
        "(SELECT unnest(reasons) AS reason, n_members FROM household_identification) "
        "GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return {
        row["reason"]: row["households"] if may_show(row["people"], people, AT_LEAST) else None
        for row in rows
    }


def _poverty(lake: Lake) -> list[Poverty]:
    """Return counties and towns, the poorest first within their level, those hidden last."""
    rows = lake.all(
        """SELECT area_code, level, min(n_sampled) AS n_sampled, min(n_people) AS n_people,
                  first(measures) FILTER (concept = 'net_income') AS income,
                  first(measures) FILTER (concept = 'consumption') AS consumption
           FROM (SELECT *, [headcount_ratio, poverty_gap, squared_gap] AS measures
                 FROM poverty_by_area WHERE level IN ('county', 'town'))
           GROUP BY 1, 2 ORDER BY 2, 1"""
    )
    made = [
        Poverty(row["area_code"], row["level"], row["n_sampled"], row["n_people"],
                _triple(row["income"]), _triple(row["consumption"]))
        for row in rows
    ]  # fmt: skip
    shown = []
    for _, group in groupby(made, key=lambda one: (one.level, one.code[: DIGITS[one.level] - 3])):
        shown += shown_cells([one.n_sampled or 0 for one in group], AT_LEAST)
    told = [
        one if is_shown else Poverty(one.code, one.level, None, None, None, None)
        for one, is_shown in zip(made, shown, strict=True)
    ]
    return sorted(
        told, key=lambda one: (one.level != "county", -(one.income or (-1.0,))[0], one.code)
    )


def _triple(values: list[float] | None) -> tuple[float, float, float] | None:
    return (values[0], values[1], values[2]) if values else None
