"""The operator's cells: where they stand, how far they reach, when they were in service."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures, stream
from synth.places.outline import kilometres
from synth.places.places import Places

IN_SERVICE_SINCE = pd.Timestamp("2010-01-01")
# Degrees that a mast may stand off its village, some 200 m, and that it is moved by.
OFF, MOVED = 0.002, 0.012
# Kilometres that a cell reaches, at least and at most.
REACHES = (0.4, 15.0)
NO_CELL = np.uint16(65_535)


def cells(
    places: Places, people: int, as_of: date, seed: int, given: Figures, months: int = 1
) -> pd.DataFrame:
    """Return the cells of a county: the feed's columns, `radius_km`, and `village`.

    Masts stand in the largest village of each town, then in the largest of the rest; where there
    are more cells than villages, some masts carry several. One cell is long out of service.
    Within the `months` that end with `as_of` some cells open, close or move: a moved one has two
    rows of one cell_id, one after the other.
    """
    rng = stream(seed, "cells", places.area)
    told, villages = given["phones"]["cells"], places.villages
    wanted = int(np.clip(people // told["people_a_cell"], told["least"], told["most"]))
    largest = villages.sort_values("weight", ascending=False, kind="stable")
    first = ~largest["town_code"].duplicated()
    sites = np.concatenate([largest.index[first], largest.index[~first]])[:wanted]
    mast = np.append(np.resize(np.arange(len(sites)), wanted), 0)
    off = rng.uniform(-OFF, OFF, (len(sites), 2))[mast]
    village = sites[mast]
    made = pd.DataFrame(
        {
            "cell_id": [f"{places.area}-{number + 1:05d}" for number in range(len(village))],
            "site_id": [f"{places.area}-M{number + 1:04d}" for number in mast],
            "lon": (villages["lon"].to_numpy()[village] + off[:, 0]).round(6),
            "lat": (villages["lat"].to_numpy()[village] + off[:, 1]).round(6),
            "county_code": places.area.ljust(12, "0"),
            "valid_from": IN_SERVICE_SINCE,
            "valid_to": pd.NaT,
            "radius_km": 0.0,
            "village": village,
        }
    )
    made.loc[wanted, "valid_to"] = pd.Timestamp(as_of) - pd.Timedelta(days=200)
    # The first mast of each town stays: there is service everywhere all the time.
    may_change = np.arange(min(int(first.sum()), wanted), wanted)
    changed = _changed(made, may_change, as_of, months, rng, told)
    changed["radius_km"] = _radius(changed)
    return changed


def _changed(
    made: pd.DataFrame, may: np.ndarray, as_of: date, months: int, rng: np.random.Generator,
    told: Figures,
) -> pd.DataFrame:  # fmt: skip
    """Let some cells open, close and move in the months that end with `as_of`."""
    first = (pd.Timestamp(as_of).to_period("M") - (months - 1)).start_time
    length = (pd.Timestamp(as_of) - first).days
    some = [round(told[f"{what}_a_year"] * months / 12 * len(may)) for what in ("opened", "closed",
            "moved")]  # fmt: skip
    picked = rng.permutation(may)[: sum(some)]
    days = first + pd.to_timedelta(rng.integers(1, max(2, length), len(picked)), unit="D")
    opened, closed, moved = np.split(np.arange(len(picked)), np.cumsum(some)[:2])
    made.loc[picked[opened], "valid_from"] = days[opened]
    made.loc[picked[np.concatenate([closed, moved])], "valid_to"] = days[
        np.concatenate([closed, moved])
    ]
    again = made.loc[picked[moved]].assign(valid_from=days[moved], valid_to=pd.NaT)
    angle = rng.uniform(0, 2 * np.pi, len(moved))
    again["site_id"] = again["site_id"] + "B"
    again["lon"] = (again["lon"] + MOVED * np.cos(angle)).round(6)
    again["lat"] = (again["lat"] + MOVED * np.sin(angle)).round(6)
    every = pd.concat([made, again]) if len(again) else made
    return every.sort_values(["cell_id", "valid_from"], kind="stable", ignore_index=True)


def _radius(made: pd.DataFrame) -> np.ndarray:
    """Return how far each cell reaches: past the middle to the nearest other mast."""
    at = kilometres(made["lon"].to_numpy(), made["lat"].to_numpy(), float(made["lat"].mean()))
    apart = np.sqrt(((at[:, None, :] - at[None, :, :]) ** 2).sum(axis=2))
    same = made["site_id"].to_numpy()[:, None] == made["site_id"].to_numpy()[None, :]
    nearest = np.where(same, np.inf, apart).min(axis=1)
    return np.clip(0.7 * nearest, *REACHES).round(2)


@dataclass(frozen=True)
class Cover:
    """What the cells cover: arrays by cell row, then by village of the county.

    Rows after the county's own are cells elsewhere, where its people travel or work. `town` is
    the number of a village's town, `main` by town its largest village; the seat is town 0.
    """

    cell_id: np.ndarray
    site: np.ndarray
    at: np.ndarray
    since: np.ndarray
    until: np.ndarray
    n_own: int
    village_at: np.ndarray
    town: np.ndarray
    main: np.ndarray

    def in_service(self, day: date) -> np.ndarray:
        """Tell which rows are in service on a day."""
        on = np.datetime64(day, "D")
        return (self.since <= on) & (np.isnat(self.until) | (on < self.until))

    def service(self, day: date) -> "Service":
        """Return which cells serve whom on a day."""
        working = np.flatnonzero(self.in_service(day))
        own = working[working < self.n_own]
        # Who is elsewhere stays under one cell: only those count that never change.
        lasting = np.isnat(self.until) & (self.since == self.since.min())
        away = working[(working >= self.n_own) & lasting[working]]
        own = own[np.argsort(self.site[own], kind="stable")]
        _, first, count = np.unique(self.site[own], return_index=True, return_counts=True)
        apart = ((self.village_at[:, None, :] - self.at[own[first]][None, :, :]) ** 2).sum(axis=2)
        nearest = apart.argmin(axis=1)
        town_cell = own[first[nearest[self.main]]].astype(np.uint16)
        return Service(
            own.astype(np.uint16), first[nearest], count[nearest], town_cell[self.town],
            town_cell[0], away.astype(np.uint16), self.in_service(day), self.at,
        )  # fmt: skip


@dataclass(frozen=True)
class Service:
    """The cells of one day.

    By village: its nearest site's cells, in `own` from `first`, `count` of them, and the cell of
    its town. seat: the cell of the county's seat; away: cells elsewhere. By row: works, whether
    in service, and at, the flat position in km.
    """

    own: np.ndarray
    first: np.ndarray
    count: np.ndarray
    town_cell: np.ndarray
    seat: np.uint16
    away: np.ndarray
    works: np.ndarray
    at: np.ndarray

    def home(self, village: np.ndarray, pick: np.ndarray) -> np.ndarray:
        """Return the cell that each of some people has at home; `pick` chooses for good."""
        return self.own[self.first[village] + pick % self.count[village]]

    def km(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Return how far apart pairs of cells are; nothing where one is no cell."""
        known = (one != NO_CELL) & (other != NO_CELL)
        apart = self.at[np.where(known, one, 0)] - self.at[np.where(known, other, 0)]
        return np.hypot(apart[:, 0], apart[:, 1])


def cover(made: pd.DataFrame, places: Places, elsewhere: pd.DataFrame | None = None) -> Cover:
    """Return what the cells of a county cover. `elsewhere`: cells of other counties, if any."""
    every = made if elsewhere is None or elsewhere.empty else pd.concat([made, elsewhere])
    if len(every) >= NO_CELL:
        raise ValueError(f"{len(every)} cells are more than fit 16 bits.")
    villages = places.villages
    middle = float(villages["lat"].mean())
    town = pd.factorize(villages["town_code"], sort=True)[0]
    largest = villages["weight"].groupby(town).idxmax().to_numpy()
    return Cover(
        cell_id=every["cell_id"].to_numpy(dtype="U"),
        site=pd.factorize(every["site_id"])[0],
        at=kilometres(every["lon"].to_numpy(), every["lat"].to_numpy(), middle),
        since=every["valid_from"].to_numpy().astype("datetime64[D]"),
        until=every["valid_to"].to_numpy().astype("datetime64[D]"),
        n_own=len(made),
        village_at=kilometres(villages["lon"].to_numpy(), villages["lat"].to_numpy(), middle),
        town=town,
        main=largest,
    )
