"""What a town's people leave in each register and month, clean: faults come at delivery."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd

from synth.deliver.delivery import PROTECTED, feeds_known
from synth.figures import Figures
from synth.lives.lives import at_month
from synth.operator.bills import bills, recharges
from synth.operator.handsets import catalogue
from synth.operator.register import register
from synth.places.recode import areas_after
from synth.plan import Told
from synth.state.block import seat_of
from synth.state.cards import cards, roster_on
from synth.state.known import Known
from synth.state.registry import STATE
from synth.town import County, Town, surveyed

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
        yield from _operator(town, end)
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


def _operator(town: Town, end: date) -> Iterator[Made]:
    """Yield what the operator knows of the town's numbers and is paid for them in a month."""
    told, given, name = town.county.told, town.county.given, town.block.name
    period = f"{end:%Y-%m}"
    billed = bills(town.owners, end, told.seed, name, given)
    yield "subscriber", period, register(town.owners, end, town.county.places.area)
    yield "bill", period, billed
    yield "recharge", period, recharges(town.owners, billed, end, told.seed, name, given)


def of_departments(town: Town, known: Known) -> Iterator[Made]:
    """Yield what the registers of all departments have of a town's people."""
    ends = town.county.told.month_ends
    for feed, maker in STATE.items():
        for month in maker.months(known.seat) if maker.block else []:
            yield feed, f"{ends[month]:%Y-%m}", maker.block(known, month)


def of_county(county: County) -> Iterator[Made]:
    """Yield feed, period and rows of what a county has but once, whatever its people."""
    told, seat = county.told, seat_of(county)
    for feed, maker in STATE.items():
        for month in maker.months(seat) if maker.county else []:
            yield feed, f"{told.month_ends[month]:%Y-%m}", maker.county(seat, month)
    yield "area", f"{told.first:%Y-%m}", county.places.areas
    if county.recode and told.later:
        tables = (told.divisions, told.later)
        begins = county.given["places"]["valid_from"]
        yield "area", f"{county.recode.day:%Y-%m}", areas_after(
            county.places.areas, county.places.area, tables, county.recode, begins
        )  # fmt: skip
    yield "project", f"{told.last:%Y-%m}", county.projects
    for end in told.month_ends:
        yield "cell", f"{end:%Y-%m}", county.masts


def of_operator(told: Told, given: Figures) -> Iterator[Made]:
    """Yield what the operator has but once."""
    yield "handset", f"{told.first:%Y-%m}", catalogue(told.seed, given["phones"])


def by_the_codes_of_then(county: County, made: Iterator[Made]) -> Iterator[Made]:
    """Yield registers with the codes in force on the last day that they are about."""
    of, known = county.recode, feeds_known()
    for feed, period, rows in made:
        is_old = of is None or feed == "area" or period < f"{of.day:%Y-%m}"
        yield feed, period, rows if is_old or of is None else of.rows(rows, known[feed])
