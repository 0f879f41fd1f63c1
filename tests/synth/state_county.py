"""A few towns of a county with the makers of their registers, for tests."""

from copy import deepcopy
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from lakehouse.feed import Feed
from lakehouse.mapping import read_feed
from synth.figures import Figures, figures
from synth.places.places import places
from synth.plan import Told, blocks
from synth.state.block import seat_of
from synth.state.known import Known, Seat
from synth.state.registry import STATE, TRUTH, strangers_of_county, truth
from synth.town import prepared, town

AREA, PEOPLE, MONTHS, TOWNS = "211223", 14_000, 3, 4
FEEDS = Path("conf/feeds")
# Rates at which a small county has some of everything.
OFTEN: dict[str, dict[str, Any]] = {
    "kin": {"son_near": 0.9},
    "favoured": {"share": 0.4},
    "concealed": {"share": 0.2},
    "ghost": {"doubled": 0.05, "long_dead": 0.05, "long_moved": 0.04, "alone_covered": 0.6},
    "death": {"a_year": 0.03},
    "vehicle": {"borrowed": 0.4, "sold": 0.2, "scrapped": 0.2},
    "property": {"sold": 0.2, "lent": 0.2},
    "firms": {"of_grown": 0.1, "lent_name": 0.02},
    "employment": {"known": {"local_job": 0.8, "migrant": 0.5}},
    "training": {"listed_a_year": 1.0, "others_a_year": 0.2, "absent": 0.3},
    "payroll": {"dead_kept": 0.5},
    "ecommerce": {"of_grown": 0.1},
    "fund": {"outside_payee": 0.1, "late": 0.1, "diverted": 0.1, "round_trip": 0.1,
             "over_budget": 0.4},
    "material": {"to_kin": 0.2, "not_received": 0.2},
}  # fmt: skip


def told_figures(rates: dict[str, dict[str, Any]], area: str = AREA) -> Figures:
    """Return the figures of a county, some rates of [state] being others."""
    given = deepcopy(figures(area))
    given["people"]["schooling"]["drop_out"] = 0.06
    given["lives"]["shocks"]["disaster"]["villages_a_year"] = 0.2
    given["projects"]["a_village"] = 4.0
    given["places"]["poverty_of_villages"]["share"] = 0.9
    for part, its in rates.items():
        assert set(its) <= set(given["state"][part]), part
        given["state"][part] |= its
    return given


def made(rates: dict[str, dict[str, Any]], seed: int = 4) -> tuple[Seat, list[Known]]:
    """Return the county and some of its towns."""
    told = Told(area=AREA, people=PEOPLE, first=date(2015, 10, 1), months=MONTHS, seed=seed)
    given = told_figures(rates)
    where = places(AREA, PEOPLE, told.last, seed, given)
    county = prepared(told, where, PEOPLE, given)
    seat = seat_of(county)
    every = blocks({AREA: where.villages}, {AREA: PEOPLE})
    return seat, [town(county, block).known for block in every[:TOWNS]]


@cache
def often() -> tuple[Seat, list[Known]]:
    """Return a county in which everything happens often."""
    return made(OFTEN)


@cache
def feed_of(name: str) -> Feed:
    """Return a feed by its mapping."""
    return read_feed(FEEDS / f"{name}.toml", {})


@cache
def register(name: str, month: int | None = None) -> pd.DataFrame:
    """Return the rows of a feed, of a month delivered or of the last one."""
    seat, towns = often()
    maker = STATE[name]
    month = maker.months(seat)[-1] if month is None else month
    parts = [maker.county(seat, month)] if maker.county else []
    parts += [maker.block(one, month) for one in towns] if maker.block else []
    return pd.concat(parts, ignore_index=True)


def delivered(name: str) -> pd.DataFrame:
    """Return the rows of all deliveries of a feed."""
    months = STATE[name].months(often()[0])
    return pd.concat([register(name, month) for month in months], ignore_index=True)


@cache
def truths(table: str) -> pd.DataFrame:
    """Return a table of the truth about all the towns."""
    rows = [truth(one, table) for one in often()[1]]
    rows += [strangers_of_county(often()[0])] if table == "stranger" else []
    return pd.concat(rows, ignore_index=True)


@cache
def people() -> pd.DataFrame:
    """Return everybody of the towns, as on the last day."""
    return pd.concat(
        [
            one.people.assign(
                household_id=one.book_of, village_code=one.village_of,
                is_poor=one.homes["is_poor"].to_numpy()[one.house],
            )
            for one in often()[1]
        ],
        ignore_index=True,
    )  # fmt: skip


@cache
def gone() -> pd.DataFrame:
    """Return who died or left."""
    return pd.concat([one.gone for one in often()[1]], ignore_index=True)


def again(one: Known) -> Known:
    """Return a block as if nothing had been made of it yet."""
    return replace(one, seat=replace(one.seat, made={}), made={})


__all__ = ["FEEDS", "MONTHS", "OFTEN", "STATE", "TRUTH"]
