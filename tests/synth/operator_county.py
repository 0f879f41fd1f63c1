"""A county as the operator sees it, made block by block, for tests and measures."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures, figures
from synth.operator.cells import cells
from synth.operator.network import Network, network
from synth.operator.subscribers import subscribers
from synth.places.places import Places, places
from synth.plan import Block, Told, blocks
from synth.town import prepared, town


@dataclass(frozen=True)
class OperatorCounty:
    """Homes and owners count households through all towns; `frames` are those of each block."""

    told: Told
    given: Figures
    places: Places
    homes: pd.DataFrame
    owners: pd.DataFrame
    frames: list[tuple[Block, pd.DataFrame]]
    masts: pd.DataFrame
    elsewhere: pd.DataFrame | None
    net: Network


def operator_county(
    area: str = "211223", people: int = 4_000, seed: int = 3, months: int = 1,
    first: date = date(2015, 12, 1), near: str | None = None,
    cells_for: int | None = None, changes: int | None = None,
) -> OperatorCounty:  # fmt: skip
    """Make a county; `near` is another one, whose cells its people are seen under as well.

    cells_for: as many cells as for so many people; changes: so many months of changes to them.
    """
    told = Told(area=area, people=people, first=first, months=months, seed=seed)
    given = figures(area)
    where = places(area, people, told.last, seed, given)
    county = prepared(told, where, people, given)
    homes, frames, joined = [], [], []
    n_homes = n_numbers = 0
    for block in blocks({area: where.villages}, {area: people}):
        made = town(county, block)
        frame = subscribers(made.who, made.life, told, block, given)
        frames.append((block, frame))
        joined.append(
            frame.assign(
                household=frame["household"] + n_homes, carrier=frame["carrier"] + n_numbers
            )
        )
        homes.append(made.life.homes[["consumption_cny", "n_members", "village_code"]])
        n_homes, n_numbers = n_homes + len(made.life.homes), n_numbers + len(frame)
    owners = pd.concat(joined, ignore_index=True)
    masts = cells(where, cells_for or people, told.last, seed, given, changes or months)
    elsewhere = None
    if near:
        there = places(near, people, told.last, seed, figures(near))
        elsewhere = cells(there, people, told.last, seed, given, months)
    net = network(owners, masts, where, seed, given, first=first, elsewhere=elsewhere)
    every = pd.concat(homes, ignore_index=True)
    return OperatorCounty(told, given, where, every, owners, frames, masts, elsewhere, net)


def seconds(day: date, moments: pd.Series) -> np.ndarray:
    """Return seconds of a day."""
    return (moments - pd.Timestamp(day)).dt.total_seconds().to_numpy()
