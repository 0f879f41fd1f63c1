"""A county prepared, and one of its towns: people, lives, and what the state makes of them."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from synth.figures import Figures, figures, stream
from synth.lives.facilities import ByVillage, by_village, furnish
from synth.lives.level import Level
from synth.lives.lives import Lives, drawn, level, lives
from synth.lives.shocks import Market, market
from synth.operator.cells import cells
from synth.operator.subscribers import subscribers
from synth.people.census_table import margins
from synth.people.compose import compose, deal
from synth.people.doings import AT_WORK
from synth.people.fit import far_off
from synth.people.households import Dealt, households, sampled
from synth.people.pool import pool
from synth.people.population import Population, population
from synth.people.shares import Shares, shares_of
from synth.places.places import Places
from synth.places.recode import Recode
from synth.plan import Block, Told, people_of_villages
from synth.state.block import known_of, seat_of
from synth.state.cards import Cards, cards
from synth.state.favour import favoured
from synth.state.known import Known
from synth.state.projects import projects
from synth.state.survey import chance, consumption_survey

# People of the sample that sets the level of a county's incomes.
SAMPLE = 24_000


@dataclass(frozen=True)
class County:
    """What all towns of a county have in common: four bytes a household, and little else.

    `far_off` says which margins of its census could not be met.
    """

    told: Told
    given: Figures = field(repr=False)
    places: Places
    people: int
    dealt: Dealt = field(repr=False)
    shares: Shares = field(repr=False)
    facilities: ByVillage = field(repr=False)
    weather: Market
    level: Level | None
    masts: pd.DataFrame = field(repr=False)
    projects: pd.DataFrame = field(repr=False)
    far_off: list[str] = field(default_factory=list)
    recode: Recode | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Town:
    """One town: a block with its people and how they live."""

    county: County
    block: Block
    who: Population
    life: Lives
    owners: pd.DataFrame
    listed: Cards
    survey: pd.DataFrame
    known: Known

    @property
    def code(self) -> str:
        """Return the nine digits of the town."""
        return self.block.town[:9]


def given_of(told: Told, area: str) -> Figures:
    """Return a county's figures, those of the census table first where there is one."""
    given = deepcopy(figures(area))
    if told.census and "minority" in (known := margins(area, told.census)):
        given["people"]["minority_share"] = known["minority"]["yes"]
    return given


def prepared(told: Told, where: Places, people: int, given: Figures) -> County:
    """Return a county: its households fitted to its census, the level of its incomes set."""
    area, seed = where.area, told.seed
    weather = market(
        len(where.villages), told.lived, stream(seed, "market", area), given["lives"]["shocks"]
    )
    known = margins(area, told.census)
    made = compose(pool(), known, people)
    people_there = people_of_villages(where.villages, people)
    dealt = deal(made, people_there, stream(seed, "deal", area))
    shares = shares_of(known, made, told.first.year, given["people"]["schooling"]["cohorts"])
    is_family = ~pool().is_collective
    families = np.array([is_family[rows].sum() for rows in dealt])
    facilities = by_village(known, where.villages, families)
    masts = cells(where, people, told.last, seed, given, told.months)
    built = projects(where, people, told.last, seed, given)
    county = County(
        told, given, where, people, dealt, shares, facilities, weather, None, masts, built,
        far_off(made.misses),
    )  # fmt: skip
    if told.census and "industry" in known:
        who, _ = _sample(county)
        given["people"]["work"]["farming_of"] = _farming(who, where, known["industry"]["farming"])
    return replace(county, level=_level(county))


def _sample(county: County) -> tuple[Population, Block]:
    """Return some of the people of all villages, as if they were one town."""
    where = county.places
    rows = np.arange(len(where.villages))
    dealt = sampled(county.dealt, min(1.0, SAMPLE / county.people))
    n = min(county.people, SAMPLE)
    block = Block(where.area, f"{where.area}sample", rows, n, 0, 0, 1)
    return _people(replace(county, dealt=dealt), block), block


def _farming(who: Population, where: Places, wanted: float) -> list[float]:
    """Return who farms of those who farm or have a local job: in villages, in communities.

    Such that so many of all who work farm, the odds in both raised alike.
    """
    people = who.people
    rural = where.villages["is_rural"].to_numpy()[people["village"]]
    work = people["work"].to_numpy()
    n = np.isin(work, AT_WORK).sum()
    either = [np.isin(work, ("farming", "local_job")) & is_so for is_so in (rural, ~rural)]
    # A community has a few fields as well.
    now = [np.clip((work[one] == "farming").mean() if one.any() else 0, 0.02, 0.98)
           for one in either]  # fmt: skip
    low, high = -12.0, 12.0
    for _ in range(50):
        middle = (low + high) / 2
        shares = [float(expit(logit(one) + middle)) for one in now]
        got = sum(share * one.sum() for share, one in zip(shares, either, strict=True)) / n
        low, high = (middle, high) if got < wanted else (low, middle)
    return shares


def _level(county: County) -> Level:
    """Return the level of incomes, found on a sample of households from all villages."""
    told, given, where = county.told, county.given, county.places
    who, block = _sample(county)
    of = drawn(who, where, county.weather, told.lived, told.seed, block.name, given)
    born = who.everybody["born"].to_numpy()
    return level(of, born, where.area, told.lived, told.seed, given)


def town(county: County, block: Block) -> Town:
    """Return one town of a county."""
    told, given = county.told, county.given
    who = _people(county, block)
    assert county.level is not None
    of = drawn(who, county.places, county.weather, told.lived, told.seed, block.name, given)
    life = lives(
        who, of, county.level, county.places.area, told.lived, told.seed, block.name, given
    )
    rng = stream(told.seed, "facilities", block.name)
    life = replace(life, homes=furnish(life.homes, county.level, county.facilities, rng))
    owners = subscribers(who, life, told, block, given)
    known = known_of(county, block, who, life, seat_of(county))
    listed = carded(county, block, who, life, owners, known, told.last)
    survey = surveyed(county, block, who, life, told.last)
    known = replace(known, listed=listed.is_listed)
    return Town(county, block, who, life, owners, listed, survey, known)


def carded(
    county: County, block: Block, who: Population, life: Lives, owners: pd.DataFrame,
    known: Known, day: date,
) -> Cards:  # fmt: skip
    """Return the cards and the list of a year: cadres' favoured kin are on it as well."""
    kin = favoured(known)
    favour = np.zeros(len(life.homes), dtype=bool)
    favour[kin.loc[kin["via"] == "list", "household"].to_numpy(dtype=int)] = True
    seed = county.told.seed
    return cards(who, county.places, life, owners, favour, day, seed, block.name, county.given)


def surveyed(county: County, block: Block, who: Population, life: Lives, day: date) -> pd.DataFrame:
    """Return the town's part of the sample of a year."""
    given, told, villages = county.given, county.told, county.places.villages
    rural = float(villages["weight"][villages["is_rural"]].sum())
    asked = chance(county.people, rural, given)
    return consumption_survey(who, life.homes, block, asked, day, told.seed, given)


def _people(county: County, block: Block) -> Population:
    told = county.told
    eve = told.first - timedelta(days=1)
    homes, members = households(county.dealt, block.rows, eve, told.seed, block.name)
    return population(
        homes, members, block, county.places, told.month_ends, told.seed, county.shares,
        county.given,
    )  # fmt: skip
