"""What households were on each date, alike ones counted together: no household leaves here."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from jobs.pages.areas import Area
from jobs.pages.disclosure import DIGITS, digits_of
from jobs.pages.lake import Lake

# A household on one date: its recommendation and its reasons.
Case = tuple[str, frozenset[str]]
Is = Callable[[Case], bool]


def has(word: str) -> Is:
    """Return the set of those with a recommendation or reason."""
    return lambda case: word == case[0] or word in case[1]


def has_not(*words: str) -> Is:
    """Return the set of those with none of them."""
    return lambda case: not any(word == case[0] or word in case[1] for word in words)


@dataclass(frozen=True)
class Seen:
    """Candidate households that were the same: `history` has (date, members, case) of each date.

    Dates are counted from the oldest, 0. `code` is the finest area that is asked about.
    """

    code: str
    history: tuple[tuple[int, int, Case], ...]
    households: int

    def dates(self, is_in: Is, members: int | None = None) -> int:
        """Return the dates on which they are in a set, as bits; with so many members, if given."""
        return sum(1 << at for at, n, case in self.history if is_in(case) and n == (members or n))

    def people(self) -> int:
        """Return the people in them, when first seen: later dates must not change earlier ones."""
        return self.households * self.history[0][1]


def histories(lake: Lake, area: Area) -> list[Seen]:
    """Return what candidate households of the area's province were on each date up to this one.

    A household that moves to another village is another one.
    """
    rows = lake.all(
        f"""SELECT code, history, count(*) AS households
            FROM (SELECT {_finest(area)} AS code, household_id, village_code,
                         string_agg(concat_ws(' ', list_position(?::DATE[], as_of) - 1, n_members,
                                              recommendation, array_to_string(reasons, ' ')),
                                    ';' ORDER BY as_of) AS history
                  FROM household_identification_ever WHERE starts_with(village_code, ?)
                  GROUP BY ALL)
            GROUP BY ALL ORDER BY ALL""",
        lake.dates, area.province,
    )  # fmt: skip
    return [Seen(row["code"], _history(row["history"]), row["households"]) for row in rows]


@dataclass(frozen=True)
class Registered:
    """Households and people on the register of one area and date."""

    code: str
    at: int
    households: int
    people: int


def registered(lake: Lake, area: Area) -> list[Registered]:
    """Return the register of the area's province, by the finest area that is asked about."""
    rows = lake.all(
        f"""SELECT {_finest(area)} AS code, list_position(?::DATE[], as_of) - 1 AS at,
                   count(*) AS households, sum(n_members) AS people
            FROM household_feature_ever
            WHERE starts_with(village_code, ?) AND list_contains(?::DATE[], as_of)
            GROUP BY ALL ORDER BY ALL""",
        lake.dates, area.province, lake.dates,
    )  # fmt: skip
    return [Registered(*row.values()) for row in rows]


def others(seen: list[Seen], register: list[Registered]) -> dict[tuple[str, int], int]:
    """Return the registered people who are no candidates, by area and date."""
    candidates: Counter[tuple[str, int]] = Counter()
    for one in seen:
        for at, n, _ in one.history:
            candidates[one.code, at] += n * one.households
    people = {(one.code, one.at): one.people for one in register}
    return {key: max(0, n - candidates[key]) for key, n in people.items()}


@cache
def _history(text: str) -> tuple[tuple[int, int, Case], ...]:
    made = []
    for one in text.split(";"):
        at, n, recommendation, *reasons = one.split()
        made.append((int(at), int(n), (recommendation, frozenset(reasons))))
    return tuple(made)


def _finest(area: Area) -> str:
    """Return SQL for the code that a village is counted under.

    Within the area its villages (towns, in a city or province); elsewhere whole divisions, as far
    as they are needed to tell what could be subtracted.
    """
    digits = digits_of(area.code)
    detail = 12 if digits >= 6 else 9
    cases = " ".join(
        f"WHEN starts_with(village_code, '{area.code[:n]}') "
        f"THEN {detail if n == digits else DIGITS[DIGITS.index(n) + 1]}"
        for n in reversed(DIGITS)
        if n <= digits
    )
    return f"rpad(substr(village_code, 1, CASE {cases} END), 12, '0')"
