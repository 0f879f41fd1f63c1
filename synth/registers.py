"""What a town's people leave in each register and month, clean: faults come at delivery."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd

from synth.lives.lives import at_month
from synth.plan import Told
from synth.state.cards import cards, roster_on
from synth.town import Town, surveyed

# Rows that a survey or list hangs on bear this column: no fault may touch them.
PROTECTED = "_protected"
Made = tuple[str, str, pd.DataFrame]


def year_ends(told: Told) -> list[int]:
    """Return the months at whose end cards are made and households asked: Decembers, the last."""
    ends = told.month_ends
    return [n for n, end in enumerate(ends) if end.month == 12 or n == len(ends) - 1]


def of_town(town: Town) -> Iterator[Made]:
    """Yield feed, period and rows of every register that a town's people are in."""
    told = town.county.told
    for month, end in enumerate(told.month_ends):
        yield "person_register", f"{end:%Y-%m}", person_register(town, month, end)
        yield "roster", f"{end:%Y-%m}", roster_on(town.listed.roster, end)
    for month in year_ends(told):
        yield from _year(town, month, told.month_ends[month])


def person_register(town: Town, month: int, end: date) -> pd.DataFrame:
    """Return everybody whom the police has on a day, by household."""
    told = town.county.told
    is_last = month == told.months - 1
    homes, people = (town.who.homes, town.who.people) if is_last else town.who.at(end)
    villages = town.county.places.villages["village_code"].to_numpy()
    house = people["household"].to_numpy()
    rows = people.assign(
        household_id=homes["household_id"].to_numpy()[house],
        village_code=villages[homes["village"].to_numpy()[house]],
        sex=np.where(people["is_male"], "male", "female"),
    )
    asked = np.isin(town.life.homes["household"], town.survey["household"])
    needed = town.life.homes["book"][town.listed.is_candidate | asked]
    is_needed = np.isin(homes["book"].to_numpy()[house], needed)
    rows[PROTECTED] = is_needed | (people["relation"] == "head").to_numpy()
    return rows


def _year(town: Town, month: int, end: date) -> Iterator[Made]:
    """Yield the cards and the survey of a year."""
    county, period = town.county, f"{end:%Y-%m}"
    told, listed, survey = county.told, town.listed, town.survey
    if month != told.months - 1:
        then = at_month(town.life, month)
        listed = cards(town.who, county.places, then, town.owners, end, told.seed,
                       town.block.name, county.given)  # fmt: skip
        survey = surveyed(county, town.block, town.who, then, end)
    on = listed.is_listed[listed.household.index]
    yield "household_card", period, listed.household.assign(**{PROTECTED: on})
    yield "member_card", period, listed.member
    yield "consumption_survey", period, survey


def leave_numbers(town: Town, folder: Path) -> None:
    """Leave the telephones of a town for the network of its county."""
    network.write_block(folder, town.block.name, town.owners, town.county.told.first)


def join_numbers(county: County, folder: Path, names: list[str]) -> None:
    """Join the telephones of a county's towns."""
    told = county.told
    network.join(folder, names, county.masts, county.places, told.seed, county.given,
                 first=told.first, months=told.months)  # fmt: skip


def of_county(county: County) -> Iterator[Made]:
    """Yield feed, period and rows of what a county has but once, whatever its people."""
    told = county.told
    first = f"{told.first:%Y-%m}"
    yield "area", first, county.places.areas
    yield "project", f"{told.last:%Y-%m}", county.projects
    for end in told.month_ends:
        yield "cell", f"{end:%Y-%m}", county.masts
