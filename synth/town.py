"""A county prepared, and one of its towns: people, lives, and what the state makes of them."""

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from synth.figures import Figures, stream
from synth.lives.level import Level
from synth.lives.lives import Lives, drawn, level, lives
from synth.lives.shocks import Market, market
from synth.operator.cells import cells
from synth.operator.subscribers import subscribers
from synth.people.households import households
from synth.people.population import Population, population
from synth.places.places import Places
from synth.plan import Block, Told
from synth.state.cards import Cards, cards
from synth.state.projects import projects
from synth.state.survey import chance, consumption_survey

# People of the sample that sets the level of a county's incomes.
SAMPLE = 24_000


@dataclass(frozen=True)
class County:
    """What all towns of a county have in common: small, whatever the number of its people."""

    told: Told
    given: Figures = field(repr=False)
    places: Places
    people: int
    weather: Market
    level: Level
    masts: pd.DataFrame = field(repr=False)
    projects: pd.DataFrame = field(repr=False)


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

    @property
    def code(self) -> str:
        """Return the nine digits of the town."""
        return self.block.town[:9]


def prepared(told: Told, where: Places, people: int, given: Figures) -> County:
    """Return a county with the level of its incomes set."""
    rng = stream(told.seed, "market", where.area)
    weather = market(len(where.villages), told.lived, rng, given["lives"]["shocks"])
    rows = np.arange(len(where.villages))
    sample = Block(where.area, f"{where.area}sample", rows, min(people, SAMPLE), 0, 0, 1)
    who = _people(told, where, sample, given)
    of = drawn(who, where, weather, told.lived, told.seed, sample.name, given)
    born = who.everybody["born"].to_numpy()
    found = level(of, born, where.area, told.lived, told.seed, given)
    masts = cells(where, people, told.last, told.seed, given, told.months)
    built = projects(where, people, told.last, told.seed, given)
    return County(told, given, where, people, weather, found, masts, built)


def town(county: County, block: Block) -> Town:
    """Return one town of a county."""
    told, given = county.told, county.given
    who = _people(told, county.places, block, given)
    of = drawn(who, county.places, county.weather, told.lived, told.seed, block.name, given)
    life = lives(
        who, of, county.level, county.places.area, told.lived, told.seed, block.name, given
    )
    owners = subscribers(who, life, told, block, given)
    name = block.name
    listed = cards(who, county.places, life, owners, told.last, told.seed, name, given)
    survey = surveyed(county, block, who, life, told.last)
    return Town(county, block, who, life, owners, listed, survey)


def surveyed(county: County, block: Block, who: Population, life: Lives, day: date) -> pd.DataFrame:
    """Return the town's part of the sample of a year."""
    given, told, villages = county.given, county.told, county.places.villages
    rural = float(villages["weight"][villages["is_rural"]].sum())
    asked = chance(county.people, rural, given)
    return consumption_survey(who, life.homes, block, asked, day, told.seed, given)


def _people(told: Told, where: Places, block: Block, given: Figures) -> Population:
    eve = told.first - timedelta(days=1)
    homes, members = households(where.villages, block, eve, told.seed, given)
    return population(homes, members, block, where, told.month_ends, told.seed, given)
