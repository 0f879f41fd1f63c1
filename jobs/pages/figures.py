"""The figures of a report, read from gold with DuckDB. Aggregates only leave this module.

What too few people stand behind is replaced by None here, before any page sees it.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from jobs.pages.areas import Area, area_of
from jobs.pages.counts import Counts, Flow, Told
from jobs.pages.disclosure import digits_of, padded
from jobs.pages.lake import Lake
from jobs.pages.poverty import Change, Poverty, PovertyOf
from lakehouse.schemas import codes
from lakehouse.schemas.identification import PovertyByArea

# A map by village (town) needs figures of this part of its villages (towns).
SHOWN_OF_ALL = 0.75
# The threshold that the released table declares holds for every figure of the page.
AT_LEAST = PovertyByArea.release.at_least if PovertyByArea.release else 16


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
class Line:
    """One poverty line in use, and from whom it comes."""

    line_cny: float
    area_code: str
    source: str
    income_rule: str


@dataclass(frozen=True)
class Moves:
    """Villages by what became of their class since an earlier date."""

    up: int
    down: int
    same: int


@dataclass(frozen=True)
class Figures:
    """All that a report tells of gold. Counts are households; None is not shown.

    `shares` has, by the divisions of `share_level`, the households recommended over all on the
    register. `before` is the newest earlier date that gold holds; the rest of what is told of
    changes is None without it.
    """

    area: Area
    as_of: date
    villages: list[Village]
    share_level: str
    shares: dict[str, float | None]
    lines: list[Line]
    n_registered: int
    n_people: int
    candidates: Told
    recommended: dict[str, Told]
    people_recommended: Told
    reasons: dict[str, Told]
    poverty: list[Poverty]
    before: date | None
    flow: Flow | None
    change: Change | None
    moves: Moves | None
    scored_by: list[str]
    versions: dict[str, int]

    def counties(self) -> list[str]:
        """Return the codes of the counties that the villages lie in, as 12 digits."""
        return sorted({padded(village.code[:6]) for village in self.villages})


def read(lake_root: str, asked: str, as_of: date | None = None) -> Figures:
    """Read the figures of one area and date, by default the newest.

    Raises InputMissing where a table, the date or the area's households are missing, UsageError
    where there is no such area.
    """
    lake = Lake(lake_root, as_of)
    area = area_of(lake, asked)
    counts, poverty = Counts(lake, area, AT_LEAST), PovertyOf(lake, area, AT_LEAST)
    villages = _villages(lake, area)
    level, shares = _shares(counts, area, villages)
    before = lake.dates[-2] if len(lake.dates) > 1 else None
    households, people = counts.registered()
    return Figures(
        area=area,
        as_of=lake.as_of,
        villages=villages,
        share_level=level,
        shares=shares,
        lines=_lines(lake, area),
        n_registered=households,
        n_people=people,
        candidates=counts.told("candidates"),
        recommended={code: counts.told(code) for code in codes.RECOMMENDATION},
        people_recommended=counts.people_included(),
        reasons={code: counts.told(code) for code in codes.REASON},
        poverty=poverty.table(),
        before=before,
        flow=counts.flow(),
        change=poverty.change(),
        moves=_moves(lake, area, before) if before else None,
        scored_by=_scored_by(lake),
        versions=lake.versions,
    )


def _villages(lake: Lake, area: Area) -> list[Village]:
    """Return every village, without figures where fewer than AT_LEAST people are registered."""
    rows = lake.all(
        """SELECT village_code, n_households, living_needs_met, production_capacity,
                  coupling_degree, coupling_coordination, coupling_level, coupling_class, lagging,
                  n_people
           FROM need_capacity_coupling
           JOIN village_indicator USING (village_code)
           JOIN (SELECT village_code, sum(n_members) AS n_people
                 FROM household_feature GROUP BY 1) USING (village_code)
           WHERE starts_with(village_code, ?)
           ORDER BY village_code""",
        area.digits,
    )
    made = []
    for row in rows:
        n_people = row.pop("n_people")
        village = Village(*row.values())
        if n_people < AT_LEAST:
            village = Village(village.code, *[None] * 8)
        made.append(village)
    return made


def _shares(
    counts: Counts, area: Area, villages: list[Village]
) -> tuple[str, dict[str, float | None]]:
    """Return the shares recommended, and at which level a map shows them.

    By the finest level at which most divisions may be shown: villages of a small county would
    nearly all be hidden.
    """
    levels = {"village": 12, "town": 9, "county": 6}
    if digits_of(area.code) < levels["county"]:
        del levels["village"]

    def at(digits: int) -> dict[str, float | None]:
        return counts.shares_included({padded(village.code[:digits]) for village in villages})

    # Those of towns stand beside their names, whatever the dots show.
    towns = at(levels["town"])
    for level, digits in levels.items():
        here = at(digits)
        shown = sum(share is not None for share in here.values())
        if shown >= SHOWN_OF_ALL * len(here) or digits == digits_of(area.code):
            return level, here | towns
    return level, here | towns


def _lines(lake: Lake, area: Area) -> list[Line]:
    rows = lake.all(
        "SELECT line_cny, line_area_code, line_source, income_rule, count(*) AS n "
        "FROM household_identification WHERE starts_with(village_code, ?) "
        "GROUP BY ALL ORDER BY n DESC, line_area_code, income_rule",
        area.digits,
    )
    return [Line(*list(row.values())[:4]) for row in rows]


def _moves(lake: Lake, area: Area, before: date) -> Moves | None:
    """Return villages by how their class moved, of those with AT_LEAST people on both dates."""
    rows = lake.all(
        """WITH large AS (SELECT as_of, village_code FROM household_feature_ever
                          GROUP BY ALL HAVING sum(n_members) >= ?),
                told AS (SELECT as_of, village_code, coupling_level
                         FROM need_capacity_coupling_ever JOIN large USING (as_of, village_code)
                         WHERE starts_with(village_code, ?))
           SELECT sign(now.coupling_level - earlier.coupling_level) AS way, count(*) AS n
           FROM told AS now JOIN told AS earlier USING (village_code)
           WHERE now.as_of = ? AND earlier.as_of = ?
           GROUP BY 1""",
        AT_LEAST, area.digits, lake.as_of, before,
    )  # fmt: skip
    found = Counter({row["way"]: row["n"] for row in rows})
    return Moves(up=found[1], down=found[-1], same=found[0]) if rows else None


def _scored_by(lake: Lake) -> list[str]:
    """Return the versions of the model that scored the date's households."""
    if "gold.poverty_score" not in lake.versions:
        return []
    rows = lake.all("SELECT DISTINCT model_version FROM poverty_score ORDER BY 1")
    return [row["model_version"] for row in rows]
