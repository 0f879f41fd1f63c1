"""Households by recommendation and reason, as far as they may be told. See disclosure.py."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from jobs.pages.areas import Area
from jobs.pages.disclosure import Areas, Part, shown_areas, summed_up
from jobs.pages.households import Case, Is, has, has_not, histories, others, registered
from jobs.pages.lake import Lake
from lakehouse.schemas import codes

MISSING = ("housing_unsafe", "schooling_broken", "medical_uncovered", "water_unsafe")
INCOME = ("income_below_line", "income_not_below_line")


@dataclass(frozen=True)
class Figure:
    """What is told together: the sets that must not be small, and the figure that it divides.

    With `is_sized`, a household that gains or loses a member is another one.
    """

    parts: tuple[Is, ...]
    within: str | None = "candidates"
    is_sized: bool = False


def _anybody(case: Case) -> bool:
    return True


def _met_yet_not_left_out(case: Case) -> bool:
    return "guarantees_met" in case[1] and case[0] != "leave_out"


def _figures() -> dict[str, Figure]:
    """Return the figures, each after the one that it lies within.

    The income reasons say the same as the recommendation, so they go by it. A household that is
    left out lacks nothing and raises no doubt, so it lies within the rest of each other reason,
    and those who lack one thing lie within those who lack any: the differences are parts too.
    """
    below = tuple(in_or_out(reason) for reason in INCOME for in_or_out in (has, has_not))
    made = {
        "candidates": Figure((_anybody,), None),
        "include": Figure((has("include"), has_not("include"), *below)),
        "people": Figure((has("include"),), "include", is_sized=True),
        "split": Figure((has("check"), has("leave_out")), "include"),
    }
    for reason in codes.REASON:
        if reason == "guarantees_met":
            apart = [has_not(reason, one) for one in MISSING]
            parts = (has(reason), has_not(reason), _met_yet_not_left_out, *apart)
            made[reason] = Figure(parts)
        elif reason not in INCOME:
            made[reason] = Figure((has(reason), has_not(reason), has_not(reason, "leave_out")))
    return made


FIGURES = _figures()
GOES_BY = {"check": "split", "leave_out": "split"} | dict.fromkeys(INCOME, "include")


@dataclass(frozen=True)
class Told:
    """A number, and the date that it is of: an earlier one where the change since is too small.

    Both are None where no date's number may be told.
    """

    n: int | None = None
    on: date | None = None


@dataclass(frozen=True)
class Flow:
    """Households newly recommended since an earlier date, and no longer; None if too few."""

    since: date
    came: int | None
    gone: int | None


class Counts:
    """What may be told of the households of one area, and of the areas below it on a map."""

    def __init__(self, lake: Lake, area: Area, at_least: int) -> None:
        self.dates, self.area, self.at_least = lake.dates, area, at_least
        self._seen = histories(lake, area)
        self._register = registered(lake, area)
        self._shown: dict[str, list[Areas]] = {}

    def told(self, category: str) -> Told:
        """Return the area's households of a recommendation or reason, or all `candidates`."""
        on = self._last_shown(GOES_BY.get(category, category))
        if on is None:
            return Told()
        moves = self._by_dates(_anybody if category == "candidates" else has(category))
        return Told(_on(moves, on), self.dates[on])

    def people_included(self) -> Told:
        """Return the people in the area's households recommended."""
        on = self._last_shown("people")
        if on is None:
            return Told()
        people = sum(
            n * one.households
            for one in self._seen
            if self.area.has(one.code)
            for at, n, case in one.history
            if at == on and case[0] == "include"
        )
        return Told(people, self.dates[on])

    def registered(self) -> tuple[int, int]:
        """Return the area's households and people on the register."""
        now = [one for one in self._register if self.area.has(one.code)]
        now = [one for one in now if one.at == len(self.dates) - 1]
        return sum(one.households for one in now), sum(one.people for one in now)

    def shares_included(self, codes: Iterable[str]) -> dict[str, float | None]:
        """Return households recommended over those registered, of the last date that may."""
        included = summed_up(
            ((one.code, 0, one.dates(has("include")), one.households) for one in self._seen), 1
        )
        wholes = summed_up(
            ((one.code, 0, 1 << one.at, one.households) for one in self._register), 1
        )
        shares: dict[str, float | None] = {}
        for code in codes:
            on = self._last_shown("include", code)
            whole = 0 if on is None or code not in wholes else _on(wholes[code][0], on)
            shares[code] = _on(included[code][0], on) / whole if on is not None and whole else None
        return shares

    def flow(self) -> Flow | None:
        """Return who came and went since the last date that is told; None without one."""
        now, areas = len(self.dates) - 1, self.shown("include")
        then = max((at for at in range(now) if self.area.code in areas[at]), default=None)
        if then is None:
            return None
        if self.area.code not in areas[now]:
            return Flow(self.dates[then], None, None)
        moves, was, is_now = self._by_dates(has("include")), 1 << then, 1 << now
        came = sum(n for dates, n in moves.items() if dates & is_now and not dates & was)
        gone = sum(n for dates, n in moves.items() if dates & was and not dates & is_now)
        return Flow(self.dates[then], came, gone)

    def shown(self, figure: str) -> list[Areas]:
        """Return for each date the areas of which a figure may be told."""
        if figure not in self._shown:
            given = FIGURES[figure]
            within = self.shown(given.within) if given.within else None
            parts = summed_up(self._parts(figure), len(given.parts) + (figure == "candidates"))
            n_dates = len(self.dates)
            self._shown[figure] = shown_areas(parts, n_dates, self.at_least, within)
        return self._shown[figure]

    def _last_shown(self, figure: str, code: str | None = None) -> int | None:
        shown, asked = self.shown(figure), code or self.area.code
        return max((at for at, areas in enumerate(shown) if asked in areas), default=None)

    def _parts(self, figure: str) -> list[tuple[str, int, int, int]]:
        """Return (area, part, dates, people). Only what a map tells is asked of areas below."""
        given, is_deep = FIGURES[figure], figure in ("candidates", "include")
        made = []
        for one in self._seen:
            code = self.area.code if not is_deep and self.area.has(one.code) else one.code
            for size in {n for _, n, _ in one.history} if given.is_sized else {None}:
                people = size * one.households if size else one.people()
                for number, is_in in enumerate(given.parts):
                    made.append((code, number, one.dates(is_in, size), people))
        if figure == "candidates":
            rest = others(self._seen, self._register)
            made += [(code, 1, 1 << at, n) for (code, at), n in rest.items()]
        return made

    def _by_dates(self, is_in: Is) -> Part:
        """Return the area's households by the dates on which they are in a set."""
        made: Part = Counter()
        for one in self._seen:
            if self.area.has(one.code):
                made[one.dates(is_in)] += one.households
        return made


def _on(part: Part, at: int) -> int:
    return sum(n for dates, n in part.items() if dates >> at & 1)
