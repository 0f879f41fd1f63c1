"""What a town's people leave in each register and month, clean: faults come at delivery."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from synth.deliver.delivery import PROTECTED, feeds_known
from synth.figures import Figures
from synth.lives.lives import at_month
from synth.operator.bills import bills, recharges
from synth.operator.handsets import catalogue
from synth.operator.register import register
from synth.people.population import Population
from synth.places.recode import areas_after
from synth.plan import Told
from synth.state.block import seat_of
from synth.state.cards import roster_on
from synth.state.deaths import deaths
from synth.state.registry import STATE
from synth.town import County, Town, carded, surveyed

Made = tuple[str, str, pd.DataFrame]
NEVER_ENDS = pd.Timestamp("2250-01-01")


def year_ends(told: Told) -> list[int]:
    """Return the months at whose end cards are made and households asked: Decembers, the last."""
    ends = told.month_ends
    return [n for n, end in enumerate(ends) if end.month == 12 or n == len(ends) - 1]


def of_town(town: Town) -> Iterator[Made]:
    """Yield feed, period and rows of every register that a town's people are in."""
    told = town.county.told
    for end in told.month_ends:
        yield "person_register", f"{end:%Y-%m}", person_register(town, end)
        yield "roster", f"{end:%Y-%m}", roster_on(town.listed.roster, end)
        yield from _operator(town, end)
    for month in year_ends(told):
        yield from _year(town, month, told.month_ends[month])


def _as_the_police_know(town: Town) -> Population:
    """Return the people with the dead in their households until the police hear of it.

    A head's death is heard of at once: the book has to be written anew.
    """
    who = town.who
    heard = deaths(town.known).set_index("person_id")["police_date"]
    number = who.everybody["person_id"].to_numpy()[who.edges["person"]]
    late = pd.Series(number).map(heard).to_numpy().astype("datetime64[ns]")
    edges = who.edges
    waits = (edges["reason"] == "death") & (edges["relation"] != "head")
    # A book without anybody alive is closed, and who was forgotten in it is found.
    closed = edges[~waits].assign(until=edges["until"].fillna(NEVER_ENDS))
    closed = edges["household"].map(closed.groupby("household")["until"].max())
    found = pd.Series(late).fillna(NEVER_ENDS).clip(upper=closed)
    until = edges["until"].where(~waits, found.where(found < NEVER_ENDS))
    return replace(who, edges=edges.assign(until=until))


def person_register(town: Town, end: date) -> pd.DataFrame:
    """Return everybody whom the police has on a day, by household."""
    homes, people = _as_the_police_know(town).at(end)
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
        listed = carded(county, town.block, town.who, then, town.owners, town.known, end)
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


def of_departments(town: Town) -> Iterator[Made]:
    """Yield what the registers of all departments have of a town's people."""
    ends, known = town.county.told.month_ends, town.known
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
