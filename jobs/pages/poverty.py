"""Poverty by area with the errors of its survey, as far as it may be told. See disclosure.py."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import hypot
from typing import Any

from jobs.methods.survey import logit_interval
from jobs.pages.areas import Area
from jobs.pages.disclosure import Areas, shown_areas, summed_up
from jobs.pages.lake import Lake

MEASURES = ("headcount_ratio", "poverty_gap", "squared_gap")
CONCEPTS = ("net_income", "consumption")


@dataclass(frozen=True)
class Estimate:
    """A share with its standard error; None where the design, or a share of 0 or 1, gives none."""

    value: float
    error: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Poverty:
    """Poverty of one area: the estimate of each (concept, measure), and what it rests on.

    `on` is the date that it is of, an earlier one where the sample has changed by too few since.
    Without a date nothing may be told.
    """

    code: str
    on: date | None = None
    n_sampled: int | None = None
    n_people: float | None = None
    estimates: dict[tuple[str, str], Estimate] | None = None

    def get(self, concept: str = "net_income", measure: str = "headcount_ratio") -> Estimate | None:
        """Return one estimate, or None where nothing may be told."""
        return (self.estimates or {}).get((concept, measure))


@dataclass(frozen=True)
class Change:
    """How the headcount ratio changed since an earlier date; `error` is None where unknown."""

    since: date
    before: Estimate
    now: Estimate
    error: float | None
    is_same_survey: bool

    @property
    def value(self) -> float:
        return self.now.value - self.before.value


class PovertyOf:
    """What may be told of poverty in one area and in those right below it."""

    def __init__(self, lake: Lake, area: Area, at_least: int) -> None:
        self.dates, self.area = lake.dates, area
        self._rows = _rows(lake, area)
        parts = summed_up(_sampled(self._rows, self.dates), 1)
        self._shown: list[Areas] = shown_areas(parts, len(self.dates), at_least)

    def table(self) -> list[Poverty]:
        """Return the area, then those below it: the poorest first, those not told last.

        Empty where there is no survey of the area at all.
        """
        now = len(self.dates) - 1
        measured = {code for code, at in self._rows if at == now}
        below = [self._told(code) for code in self.area.below if code in measured]
        below.sort(key=lambda one: (-_headcount(one), one.code))
        return [self._told(self.area.code), *below] if self.area.code in measured else []

    def change(self) -> Change | None:
        """Return the change of the area's headcount ratio since the last date told before this."""
        now, code = len(self.dates) - 1, self.area.code
        told = [at for at, areas in enumerate(self._shown) if code in areas]
        if len(told) < 2 or told[-1] != now:
            return None
        then = told[-2]
        before, after = (self._at(code, at).get() for at in (then, now))
        if before is None or after is None:
            return None
        # Two dates of one year rest on one survey: their errors do not add up.
        is_same = self.dates[then].year == self.dates[now].year
        error = None
        if not is_same and before.error is not None and after.error is not None:
            error = hypot(before.error, after.error)
        return Change(self.dates[then], before, after, error, is_same)

    def _told(self, code: str) -> Poverty:
        on = max((at for at, areas in enumerate(self._shown) if code in areas), default=None)
        return Poverty(code) if on is None else self._at(code, on)

    def _at(self, code: str, at: int) -> Poverty:
        rows = self._rows[code, at]
        some = next(iter(rows.values()))
        return Poverty(
            code, self.dates[at], some["n_sampled"], some["n_people"],
            {(concept, measure): _estimate(row, measure)
             for concept, row in rows.items() for measure in MEASURES},
        )  # fmt: skip


def _sampled(
    rows: dict[tuple[str, int], dict[str, dict[str, Any]]], dates: Sequence[date]
) -> Iterator[tuple[str, int, int, int]]:
    """Yield (town, part, dates, households): the samples of a year's dates lie in one another.

    Samples of different years are of different households.
    """
    counts: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    for (code, at), by_concept in rows.items():
        some = next(iter(by_concept.values()))
        if some["level"] == "town":
            counts[code, dates[at].year][at] = some["n_sampled"]
    for (code, _), sampled in counts.items():
        before = 0
        for n in sorted(set(sampled.values())):
            yield code, 0, sum(1 << at for at, here in sampled.items() if here >= n), n - before
            before = n


def _headcount(one: Poverty) -> float:
    found = one.get()
    return found.value if found else -1.0


def _estimate(row: dict[str, Any], measure: str) -> Estimate:
    """Return a measure with its 95 % interval. Where nobody or everybody is poor, no error."""
    value, error = row[measure], row[f"{measure}_error"]
    if not error:
        return Estimate(value, None, None, None)
    return Estimate(value, error, *logit_interval(value, error, row["n_psu"] - row["n_strata"]))


def _rows(lake: Lake, area: Area) -> dict[tuple[str, int], dict[str, dict[str, Any]]]:
    """Return the rows of the province down to the area's level and one below, by area and date."""
    found = lake.all(
        """SELECT * EXCLUDE (as_of), list_position(?::DATE[], as_of) - 1 AS at
           FROM poverty_by_area_ever
           WHERE level <> 'village' AND starts_with(area_code, ?)
             AND list_contains(?::DATE[], as_of)
           ORDER BY area_code, concept DESC""",
        lake.dates, area.province, lake.dates,
    )  # fmt: skip
    made: dict[tuple[str, int], dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in found:
        made[row["area_code"], row["at"]][row["concept"]] = row
    return dict(made)
