"""What the state's registers are made from: a county's small things, and a block with its people.

A maker takes one of these and a month (0: the first delivered; months before it count down).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from synth.figures import Figures, stream

if TYPE_CHECKING:
    from synth.lives.lives import Lives
    from synth.people.population import Population
    from synth.places.places import Places

DAY = np.timedelta64(1, "D")
NEVER = np.datetime64("NaT", "D")
YEAR = 365.2425
# What numbers have for the parts of a town.
PARTS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

GONE = ["person_id", "person_name", "is_male", "birth_date", "household_id", "village",
        "left_date", "reason"]  # fmt: skip
SHOCKS = ["household", "person", "month", "kind", "cost_cny"]
DISASTERS = ["village", "year", "month", "kind", "share_lost"]


def empty(columns: list[str]) -> pd.DataFrame:
    """Return a frame of no rows."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})


@dataclass(frozen=True, eq=False)
class Seat:
    """A county of `people`, for what is made once in it: places, days, its own people and firms.

    `disasters` (village row, year, month, kind, share_lost) and `prices` (kind of produce ->
    factor by month from the first delivered) are what befell the county, where that is known.
    """

    places: "Places"
    seed: int
    given: Figures = field(repr=False)
    month_ends: tuple[date, ...]
    people: int
    disasters: pd.DataFrame = field(default_factory=lambda: empty(DISASTERS), repr=False)
    prices: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    made: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def area(self) -> str:
        return self.places.area

    @property
    def area_code(self) -> str:
        return self.area.ljust(12, "0")

    @property
    def code(self) -> str:
        """Return what its numbers begin with; no town has it."""
        return f"{self.area}9990"

    @property
    def state(self) -> Figures:
        return self.given["state"]

    @property
    def first(self) -> np.datetime64:
        """Return the first day delivered."""
        return _month(self.month_ends[0]).astype("datetime64[D]")

    @property
    def last(self) -> np.datetime64:
        """Return the last day."""
        return np.datetime64(self.month_ends[-1], "D")

    def begin(self, month: int) -> np.datetime64:
        """Return the first day of a month."""
        return (_month(self.month_ends[0]) + month).astype("datetime64[D]")

    def end(self, month: int) -> np.datetime64:
        """Return the last day of a month."""
        return self.begin(month + 1) - DAY

    def stream(self, *name: object) -> np.random.Generator:
        """Return the random numbers of one part, here."""
        return stream(self.seed, "state", self.code, *name)

    def name_of(self, code: str) -> str:
        """Return the name of a division in force."""
        names = self.made.get("names")
        if names is None:
            areas = self.places.areas
            names = dict(zip(areas["area_code"], areas["area_name"], strict=True))
            self.made["names"] = names
        return str(names.get(code, code))


@dataclass(frozen=True, eq=False)
class Known:
    """A block (a town or a part of one), its people and how they live, for its registers.

    who.people, life.homes, life.items and life.is_covered are of the last day. `code` is what
    its numbers begin with: nine digits of the town and one for the part. `gone`: who died or
    left between the first day and the last (GONE; reason died or moved). `family`: father,
    mother and spouse of each of who.people as row numbers (-1: not known, -2: known, and gone);
    without it they are read off the relations to the head. `shocks`: what befell people (SHOCKS:
    rows of homes and people, -1 for none; month; kind; cost_cny self-paid). `projects`: the rows
    of the project library in these villages. `listed`: per household, whether it is on the list;
    without it the poor are taken to be.
    """

    seat: Seat
    code: str
    who: "Population"
    life: "Lives"
    gone: pd.DataFrame = field(default_factory=lambda: empty(GONE), repr=False)
    family: pd.DataFrame | None = field(default=None, repr=False)
    shocks: pd.DataFrame = field(default_factory=lambda: empty(SHOCKS), repr=False)
    projects: pd.DataFrame | None = field(default=None, repr=False)
    listed: np.ndarray | None = field(default=None, repr=False)
    made: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def people(self) -> pd.DataFrame:
        return self.who.people

    @property
    def homes(self) -> pd.DataFrame:
        return self.life.homes

    @property
    def places(self) -> "Places":
        return self.seat.places

    @property
    def state(self) -> Figures:
        return self.seat.state

    @property
    def is_listed(self) -> np.ndarray:
        """Return per household whether it is on the list."""
        if self.listed is None:
            return (self.homes["is_poor"] & self.homes["is_rural"]).to_numpy()
        return self.listed

    @property
    def house(self) -> np.ndarray:
        """Return the household (row) of each person."""
        return self.people["household"].to_numpy()

    @property
    def village_of(self) -> np.ndarray:
        """Return the village code of each person."""
        return self.homes["village_code"].to_numpy()[self.house]

    @property
    def book_of(self) -> np.ndarray:
        """Return the number of the household book of each person."""
        return self.homes["household_id"].to_numpy()[self.house]

    @property
    def heads(self) -> pd.DataFrame:
        """Return the heads, in the order of the households."""
        first = np.unique(self.house, return_index=True)[1]
        return self.people.iloc[first].set_index(self.house[first])

    def stream(self, *name: object) -> np.random.Generator:
        """Return the random numbers of one part, in this block."""
        return stream(self.seat.seed, "state", self.code, *name)

    def begin(self, month: int) -> np.datetime64:
        """Return the first day of a month."""
        return self.seat.begin(month)

    def end(self, month: int) -> np.datetime64:
        """Return the last day of a month."""
        return self.seat.end(month)

    def shocks_of(self, kind: str) -> pd.DataFrame:
        """Return what befell people, of one kind."""
        return self.shocks[self.shocks["kind"] == kind]


Of = TypeVar("Of", Seat, Known)
Rest = ParamSpec("Rest")
Made = TypeVar("Made")


def once(
    make: Callable[Concatenate[Of, Rest], Made],
) -> Callable[Concatenate[Of, Rest], Made]:
    """Keep what `make` returns with what it was made of: many registers rest on it."""

    @wraps(make)
    def kept(of: Of, *rest: Rest.args, **more: Rest.kwargs) -> Made:
        key = (make.__module__, make.__qualname__, *rest)
        if key not in of.made:
            of.made[key] = make(of, *rest, **more)
        return of.made[key]

    return kept


# -- numbers and days --------------------------------------------------------------------------


def in_month(block: Known, rows: pd.DataFrame, column: str, month: int) -> pd.DataFrame:
    """Return the rows of a month; the first delivery has those from before as well."""
    on = rows[column].to_numpy().astype("datetime64[D]")
    here = (on <= block.end(month)) & ((on >= block.begin(month)) | (month == 0))
    return rows[here].reset_index(drop=True)


def stacked(*frames: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of all frames, one after another, days alike; the first if none."""
    alike = [
        one.astype({name: "datetime64[s]" for name in one.columns if one[name].dtype.kind == "M"})
        for one in frames
        if len(one)
    ]
    return pd.concat(alike, ignore_index=True) if alike else frames[0].reset_index(drop=True)


def numbered(prefix: str, n: int, width: int, start: int = 1) -> np.ndarray:
    """Return `n` numbers in order, each with a prefix."""
    return np.array([f"{prefix}{one:0{width}d}" for one in range(start, start + n)], dtype=object)


def days(low: np.datetime64, high: np.datetime64, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` days of [low, high]; the low one alone where there is none between."""
    span = max(int((high - low).astype(int)), 0)
    return low + rng.integers(0, span + 1, n) * DAY


def to_months(when: np.ndarray) -> np.ndarray:
    """Return the month of each day."""
    return when.astype("datetime64[M]")


def ages(born: pd.Series | np.ndarray, on: np.datetime64) -> np.ndarray:
    """Return ages in whole years on a day."""
    lived = (on - np.asarray(born).astype("datetime64[D]")).astype(int)
    return np.floor(lived / YEAR).astype(int)


def _month(day: date) -> np.datetime64:
    return np.datetime64(day, "M")
