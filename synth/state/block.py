"""A county and its towns, as they are made, for the makers of registers."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synth.people.population import Population
from synth.plan import MONTHS_BEFORE
from synth.state.known import GONE, PARTS, SHOCKS, Known, Seat

if TYPE_CHECKING:
    from synth.lives.lives import Lives
    from synth.plan import Block
    from synth.town import County


def seat_of(county: "County") -> Seat:
    """Return what is made once in a county."""
    told, weather = county.told, county.weather
    prices = {kind: factor[MONTHS_BEFORE:] for kind, factor in weather.price.items()}
    return Seat(
        county.places,
        told.seed,
        county.given,
        tuple(told.month_ends),
        county.people,
        weather.disasters,
        prices,
    )


def known_of(county: "County", block: "Block", who: Population, life: "Lives", seat: Seat) -> Known:
    """Return a block of a county, before anybody is put on a list."""
    here = np.full(len(who.everybody), -2)
    here[who.people["person"].to_numpy()] = np.arange(len(who.people))
    mine = who.everybody.loc[who.people["person"], ["father", "mother", "spouse"]]
    family = {name: _rows(mine[name].to_numpy(), here) for name in mine.columns}
    house = np.full(len(who.books), -1)
    house[who.homes["book"].to_numpy()] = np.arange(len(who.homes))
    befell = life.shocks[SHOCKS]
    shocks = befell.assign(
        household=_rows(befell["household"].to_numpy(), house),
        person=np.maximum(_rows(befell["person"].to_numpy(), here), -1),
        month=befell["month"] - MONTHS_BEFORE,
    )
    codes = seat.places.villages["village_code"].iloc[block.rows]
    library = county.projects
    return Known(
        seat,
        f"{block.town[:9]}{PARTS[block.part]}",
        who,
        life,
        _gone(who),
        pd.DataFrame(family),
        shocks,
        library[library["village_code"].isin(codes)],
    )


def _rows(rows: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return row numbers in another frame; -1 stays."""
    return np.where(rows >= 0, new[np.maximum(rows, 0)], -1)


def _gone(who: Population) -> pd.DataFrame:
    """Return who was a member of a household and is not on the last day, and why."""
    final = who.edges[~who.edges["person"].duplicated(keep="last")]
    ended = final[final["until"].notna()]
    people = who.everybody.loc[ended["person"]].reset_index(drop=True)
    books = who.books.loc[ended["household"]].reset_index(drop=True)
    died = people["died"].notna().to_numpy()
    return pd.DataFrame(
        {
            **{name: people[name] for name in GONE[:4]},
            "household_id": books["household_id"],
            "village": books["village"],
            "left_date": ended["until"].to_numpy(),
            "reason": np.where(died, "died", "moved"),
        }
    )
