"""Who belongs to which household when: births, deaths, marriages, splits, moves, month by month."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures
from synth.people.kinship import NOBODY, Kinship, as_registered

DAY = np.timedelta64(1, "D")
NEVER = np.datetime64("NaT", "D")
EDGE = ["person", "household", "relation", "since", "until", "reason"]


@dataclass
class Books:
    """The household books of one town while time passes.

    `house` and `relation` say where everybody is now (household -1: gone); closed edges are kept
    in `past`. `village` is that of each household. People who come later are appended: is_male,
    born, and what `came` says of them (birth, marriage). `marital` is the status of those who lost
    a husband or wife, died married or left to marry.
    """

    kin: Kinship
    house: np.ndarray
    relation: list[str]
    since: np.ndarray
    born: np.ndarray
    died: np.ndarray
    village: list[int]
    came: list[str]
    past: list[tuple[int, int, str, np.datetime64, np.datetime64, str]] = field(
        default_factory=list
    )
    marital: dict[int, str] = field(default_factory=dict)

    def close(self, person: int, day: np.datetime64, reason: str) -> int:
        """End a membership and return the household."""
        house = int(self.house[person])
        if self.since[person] < day:
            edge = (person, house, self.relation[person], self.since[person], day, reason)
            self.past.append(edge)
        self.house[person] = NOBODY
        return house

    def put(self, person: int, house: int, relation: str, day: np.datetime64) -> None:
        """Begin a membership."""
        self.house[person], self.relation[person], self.since[person] = house, relation, day

    def appear(self, is_male: bool, born: np.datetime64, came: str) -> int:
        """Add somebody who was not there and return the row number."""
        self.kin.grow(np.array([is_male]))
        self.house = np.append(self.house, NOBODY)
        self.relation.append("")
        self.since = np.append(self.since, NEVER)
        self.born = np.append(self.born, born)
        self.died = np.append(self.died, NEVER)
        self.came.append(came)
        return len(self.house) - 1

    def members(self, house: int) -> np.ndarray:
        """Return who is in a household now."""
        return np.flatnonzero(self.house == house)

    def settle(self, house: int, day: np.datetime64) -> None:
        """Give a household that lost its head another: spouse, eldest grown-up, or relatives."""
        left = self.members(house)
        if not len(left) or any(self.relation[one] == "head" for one in left):
            return
        age = (day - self.born[left]).astype(int) / 365.2425
        order = sorted(
            zip(left, age, strict=True),
            key=lambda one: (self.relation[one[0]] != "spouse", one[1] < 18, -one[1], one[0]),
        )
        head, eldest = order[0]
        if eldest < 16:
            self._taken_in(left, house, day)
            return
        for one in left:
            relation = self.kin.to_head(one, head)
            if relation != self.relation[one]:
                self.close(one, day, "new head")
                self.put(one, house, relation, day)

    def _taken_in(self, left: np.ndarray, house: int, day: np.datetime64) -> None:
        """Move children without grown-ups to another household of the village, or away."""
        near = [
            number for number, village in enumerate(self.village)
            if village == self.village[house] and number != house
        ]  # fmt: skip
        there = next((number for number in near if len(self.members(number)) >= 2), None)
        for one in left:
            self.close(one, day, "taken in")
            if there is not None:
                self.put(one, there, "other", day)

    def edges(self) -> pd.DataFrame:
        """Return every membership: person, household, relation, since, until (open: NaT), reason.

        In the order of person and day.
        """
        here = np.flatnonzero(self.house >= 0)
        now = pd.DataFrame(
            {
                "person": here,
                "household": self.house[here],
                "relation": np.array(self.relation, dtype=object)[here],
                "since": self.since[here],
                "until": np.full(len(here), NEVER),
                "reason": "",
            }
        )
        then = pd.DataFrame(self.past, columns=EDGE).astype(now.dtypes.to_dict())
        every = pd.concat([then, now]) if len(then) else now
        return every.sort_values(["person", "since"], kind="stable", ignore_index=True)


def opened(members: pd.DataFrame, villages: np.ndarray, born: np.ndarray, first: date) -> Books:
    """Return the books as they stand on the first day. Nobody's membership began on it."""
    kin = as_registered(members)
    relation = members["relation"].to_numpy()
    before = np.datetime64(first, "D") - DAY
    # A book is as old as its head's household: opened when the head was 25, or so.
    head_born = pd.Series(born[relation == "head"], members["household"][relation == "head"])
    opening = head_born.reindex(members["household"]).to_numpy() + np.timedelta64(25 * 365, "D")
    since = np.minimum(np.maximum(born.astype("datetime64[D]"), opening.astype("M8[D]")), before)
    return Books(
        kin, members["household"].to_numpy().copy(), list(relation), since,
        born.astype("datetime64[D]"), np.full(len(members), NEVER), [int(v) for v in villages],
        ["" for _ in range(len(members))],
    )  # fmt: skip


def live(books: Books, months: list[date], rng: np.random.Generator, given: Figures) -> None:
    """Let some months pass, each given by its last day."""
    for end in months:
        last = np.datetime64(end, "D")
        first = last.astype("datetime64[M]").astype("datetime64[D]")
        length = int((last - first).astype(int)) + 1
        for happen in (_deaths, _births, _weddings, _splits, _moves):
            happen(books, first, length, rng, given)


def _ages(books: Books, day: np.datetime64) -> np.ndarray:
    """Return ages in years; those gone have none."""
    age = (day - books.born).astype(int) / 365.2425
    return np.where(books.house >= 0, age, np.nan)


def _struck(
    books: Books, a_year: np.ndarray, first: np.datetime64, length: int, rng: np.random.Generator
) -> list[tuple[int, np.datetime64]]:
    """Draw whom something befalls at a rate a year, and the day, in the order of the days."""
    chance = -np.expm1(-np.nan_to_num(a_year) / 12)
    who = np.flatnonzero(rng.random(len(chance)) < chance)
    days = first + rng.integers(length, size=len(who)) * DAY
    order = np.argsort(days, kind="stable")
    return [(int(who[i]), days[i]) for i in order if books.since[who[i]] < days[i]]


def _deaths(
    books: Books, first: np.datetime64, length: int, rng: np.random.Generator, given: Figures
) -> None:
    age, told = _ages(books, first), given["death"]
    rate = told["at_60"] * 2.0 ** ((age - 60) / told["doubles_years"])
    rate = np.where(age < 1, told["infant"], rate) * np.where(books.kin.is_male, 1.25, 0.8)
    for who, day in _struck(books, rate, first, length, rng):
        books.died[who] = day
        spouse = books.kin.spouse[who]
        if spouse >= 0:
            books.kin.spouse[[who, spouse]] = NOBODY
            books.marital |= {who: "married", int(spouse): "widowed"}
        books.settle(books.close(who, day, "death"), day)


def _births(
    books: Books, first: np.datetime64, length: int, rng: np.random.Generator, given: Figures
) -> None:
    age, told = _ages(books, first), given["birth"]
    is_mother = ~books.kin.is_male & (books.kin.spouse >= 0)
    children = np.bincount(books.kin.mother[books.kin.mother >= 0], minlength=len(age))
    rate = told["at_26"] * np.exp(-(((age - 26) / told["spread_years"]) ** 2))
    rate = rate * np.array(told["by_children"])[np.minimum(children, 3)]
    rate = np.where(is_mother & (age > 18) & (age < 46), rate, 0)
    for mother, day in _struck(books, rate, first, length, rng):
        child = books.appear(bool(rng.random() < told["boys"]), day, "birth")
        father = np.array([books.kin.spouse[mother]])
        books.kin.beget(np.array([child]), np.array([mother]), father)
        house = int(books.house[mother])
        head = next(one for one in books.members(house) if books.relation[one] == "head")
        books.put(child, house, books.kin.to_head(child, head), day)


def _weddings(
    books: Books, first: np.datetime64, length: int, rng: np.random.Generator, given: Figures
) -> None:
    """Marry grown children: men bring a wife, of the town or from elsewhere; some women leave."""
    age, told = _ages(books, first), given["wedding"]
    at_home = np.array([relation == "child" for relation in books.relation])
    free = at_home & (books.kin.spouse < 0) & (age > told["least_age"])
    rate = told["a_year"] * np.exp(-(((age - told["age"]) / told["spread_years"]) ** 2))
    for who, day in _struck(books, np.where(free, rate, 0), first, length, rng):
        if books.house[who] < 0 or books.kin.spouse[who] >= 0:
            continue
        if not books.kin.is_male[who]:
            if rng.random() < told["women_leave"]:
                books.marital[who] = "married"
                books.settle(books.close(who, day, "marriage"), day)
            continue
        bride = _bride(books, who, free, day, rng, told)
        books.kin.marry(np.array([who]), np.array([bride]))
        books.put(bride, int(books.house[who]), "other", day)


def _bride(
    books: Books, groom: int, free: np.ndarray, day: np.datetime64, rng: np.random.Generator,
    told: Figures,
) -> int:  # fmt: skip
    """Return a wife: somebody of the town, taken out of her household, or a newcomer."""
    if rng.random() < told["of_the_town"]:
        who = np.flatnonzero(free)
        apart = np.abs((books.born[who] - books.born[groom]).astype(int)) / 365.2425
        fits = (
            ~books.kin.is_male[who] & (books.kin.spouse[who] < 0) & (apart < 6)
            & (books.house[who] >= 0) & (books.house[who] != books.house[groom])
            & (books.since[who] < day)
        )  # fmt: skip
        if fits.any():
            bride = int(rng.choice(who[fits]))
            books.settle(books.close(bride, day, "marriage"), day)
            return bride
    born = books.born[groom] + int(rng.normal(500, 900)) * DAY
    youngest = day - np.timedelta64(int(told["least_age"] * 365.2425), "D")
    return books.appear(False, min(born, youngest), "marriage")


def _splits(
    books: Books, first: np.datetime64, length: int, rng: np.random.Generator, given: Figures
) -> None:
    """Let married children open a book of their own in the village, with their children."""
    at_home = np.array([relation == "child" for relation in books.relation])
    rate = np.where(at_home & (books.kin.spouse >= 0), given["split"]["a_year"], 0)
    for who, day in _struck(books, rate, first, length, rng):
        spouse, old = int(books.kin.spouse[who]), int(books.house[who])
        if old < 0 or spouse < 0 or books.house[spouse] != old or books.since[spouse] >= day:
            continue
        children = [
            int(one) for one in books.members(old)
            if who in (books.kin.father[one], books.kin.mother[one]) and books.since[one] < day
        ]  # fmt: skip
        books.village.append(books.village[old])
        _to_new_book(books, [who, spouse, *children], who, day, "split")


def _to_new_book(
    books: Books, people: list[int], head: int, day: np.datetime64, reason: str
) -> None:
    """Move people to the book that was opened last."""
    for one in people:
        books.close(one, day, reason)
        books.put(one, len(books.village) - 1, books.kin.to_head(one, head), day)


def _moves(
    books: Books, first: np.datetime64, length: int, rng: np.random.Generator, given: Figures
) -> None:
    """Let households leave the county or move to another village, and young people leave."""
    told, age = given["move"], _ages(books, first)
    is_head = np.array([relation == "head" for relation in books.relation])
    at_home = np.array([relation == "child" for relation in books.relation])
    young = at_home & (age > 18) & (age < 32) & (books.kin.spouse < 0)
    rate = np.where(is_head, told["household"] + told["village"], 0)
    rate = rate + np.where(young, told["young"], 0)
    villages = sorted(set(books.village))
    for who, day in _struck(books, rate, first, length, rng):
        if books.house[who] < 0:
            continue
        people = [int(one) for one in books.members(int(books.house[who]))]
        if books.relation[who] != "head":
            books.settle(books.close(who, day, "moved away"), day)
        elif any(books.since[one] >= day for one in people):
            continue
        elif rng.random() * (told["household"] + told["village"]) < told["household"]:
            for one in people:
                books.close(one, day, "moved away")
        elif others := [v for v in villages if v != books.village[books.house[who]]]:
            books.village.append(int(rng.choice(others)))
            _to_new_book(books, people, who, day, "moved")
