"""What is asked for, and how it is cut into blocks that are made one by one.

A block is one town, or some villages of a large one: everything about its people is made in one
go, from random streams that bear its name. So neither the number of workers nor their order
changes a byte, and memory holds one block a worker.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from lakehouse.errors import UsageError
from synth.figures import Figures

FEWEST_PEOPLE, MOST_PEOPLE, MOST_MONTHS = 200, 100_000_000, 120
LEVELS = ("none", "usual", "harsh")
MOST_OF_BLOCK = 30_000  # People; a village is never cut.
# Incomes are those of twelve months: so many are lived before the first that is delivered.
MONTHS_BEFORE = 11


@dataclass(frozen=True)
class Told:
    """What was asked for. `days` of calls up to the last day; None is all of them."""

    area: str = "211223"
    people: int = 40_000
    first: date = date(2015, 12, 1)
    months: int = 1
    seed: int = 1
    faults: str = "none"
    events_a_month: int = 120
    days: int | None = None
    census: Path | None = None
    divisions: Path | None = None
    later: Path | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for what makes no province."""
        if self.faults not in LEVELS:
            raise UsageError(f"--faults {self.faults!r}: it is none, usual or harsh.")
        if not FEWEST_PEOPLE <= self.people <= MOST_PEOPLE:
            raise UsageError(
                f"--people {self.people:,}: from {FEWEST_PEOPLE:,} to {MOST_PEOPLE:,}."
            )
        if not 1 <= self.months <= MOST_MONTHS:
            raise UsageError(f"--months {self.months}: from 1 to {MOST_MONTHS}.")
        if self.events_a_month < 0 or (self.days is not None and self.days < 0):
            raise UsageError("--events and --days cannot be negative.")
        if len(self.area) not in (2, 4, 6) or not self.area.isdigit():
            raise UsageError(
                f"--area {self.area!r}: two digits of a province, four of a city, six of a county."
            )

    @property
    def month_ends(self) -> list[date]:
        """Return the last day of each month."""
        return [_month_end(self.first, n) for n in range(self.months)]

    @property
    def lived(self) -> list[date]:
        """Return the last day of each month that is lived: those before the first as well."""
        return [_month_end(self.first, n) for n in range(-MONTHS_BEFORE, self.months)]

    @property
    def last(self) -> date:
        """Return the last day."""
        return self.month_ends[-1]


@dataclass(frozen=True)
class Block:
    """A town, or a part of one. `rows` are the row numbers of its villages in `places.villages`.

    `number` counts the blocks of the whole run and `first_person` the people of those before it,
    `first_of_town` those of its own town; `of_city` counts the blocks of the same city, in which
    it is `in_city`. Numbers of people, books and telephones are shared out by them. `name` names
    its random streams.
    """

    county: str
    town: str
    rows: np.ndarray
    people: int
    number: int
    in_city: int
    of_city: int
    first_person: int = 0
    first_of_town: int = 0
    part: int = 0

    @property
    def name(self) -> str:
        """Return the code of the town, and the part of it where there are several."""
        return f"{self.town}p{self.part}" if self.part else self.town


def first_of(month: str) -> date:
    """Return the first day of a month given as 2015-12. Raises UsageError for anything else."""
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        raise UsageError(f"--from {month!r}: a month is written like 2015-12.") from None


def _month_end(first: date, months_on: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months_on, 12)
    return date(year, month + 1, monthrange(year, month + 1)[1])


def shared_out(total: int, weights: np.ndarray) -> np.ndarray:
    """Return whole numbers in proportion to weights that sum to `total` (largest remainder)."""
    exact = total * weights / weights.sum()
    whole = np.floor(exact).astype(np.int64)
    left = int(total - whole.sum())
    order = np.argsort(whole - exact, kind="stable")
    whole[order[:left]] += 1
    return whole


def blocks(villages_of: dict[str, pd.DataFrame], people_of: dict[str, int]) -> list[Block]:
    """Return the blocks of some counties, in the order of their codes."""
    cut = [
        (county, town, part, rows, n)
        for county, villages in villages_of.items()
        for town, part, rows, n in _of_county(villages, people_of[county])
    ]
    of_city = Counter(county[:4] for county, *_ in cut)
    in_city: Counter[str] = Counter()
    of_town: Counter[str] = Counter()
    made: list[Block] = []
    people = 0
    for county, town, part, rows, n in cut:
        city = county[:4]
        made.append(
            Block(county, town, rows, n, len(made), in_city[city], of_city[city], people,
                  of_town[town], part)
        )  # fmt: skip
        in_city[city] += 1
        of_town[town] += n
        people += n
    return made


def people_of_villages(villages: pd.DataFrame, people: int) -> np.ndarray:
    """Return how many people each village of a county has."""
    return shared_out(people, villages["weight"].to_numpy())


def _of_county(villages: pd.DataFrame, people: int) -> Iterator[tuple[str, int, np.ndarray, int]]:
    """Yield town, part, villages and people of each block of a county."""
    town_of, n_of = villages["town_code"].to_numpy(), people_of_villages(villages, people)
    for town in sorted(set(town_of)):
        rows = np.flatnonzero(town_of == town)
        n_parts = max(1, min(len(rows), -(-int(n_of[rows].sum()) // MOST_OF_BLOCK)))
        for part, mine in enumerate(np.array_split(rows, n_parts)):
            if n_of[mine].sum():
                yield str(town), part, mine, int(n_of[mine].sum())


def people_of(told: Told, villages: dict[str, int], given: dict[str, Figures]) -> dict[str, int]:
    """Return how many people each county gets: by its cited population, else by its villages.

    `villages` counts the villages and communities of each county.
    """
    weight = np.array(
        [
            float(given[code]["area"].get("population", n * given[code]["places"]["people_of_one"]))
            for code, n in villages.items()
        ]
    )
    shares = shared_out(told.people, weight)
    if few := sum(int(n) < FEWEST_PEOPLE for n in shares):
        raise UsageError(
            f"--people {told.people:,} leaves {few} of {len(villages)} counties with fewer than "
            f"{FEWEST_PEOPLE} people: ask for more people or for a smaller area."
        )
    return dict(zip(villages, (int(n) for n in shares), strict=True))
