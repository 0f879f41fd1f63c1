"""What befalls households: illness, accidents, disasters, falling prices, lost jobs."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures, stream
from synth.lives.presence import Presence

COLUMNS = ["kind", "household", "person", "month", "months", "cost_cny", "share_lost"]
HARVEST_MONTH = 9  # A harvest lost in summer is missing from September on.


@dataclass(frozen=True)
class Market:
    """What a county's prices and weather do: the same for all its towns.

    price: kind of produce -> factor by month lived. disasters: village row, month, share_lost,
    kind.
    """

    price: dict[str, np.ndarray]
    disasters: pd.DataFrame


def market(n_villages: int, ends: list[date], rng: np.random.Generator, given: Figures) -> Market:
    """Return prices and disasters of some months. Years without a fall are the rule."""
    months = np.array(ends, dtype="datetime64[M]")
    years = months.astype("datetime64[Y]")
    price = {}
    for kind, told in given["price"].items():
        factor = np.ones(len(months))
        for year in np.unique(years):
            falls, depth = rng.random(), rng.uniform(*told["left"])
            if falls < told["a_year"]:
                factor[years == year] = depth
        price[kind] = factor
    struck = []
    told = given["disaster"]
    for year in np.unique(years):
        hit = np.flatnonzero(rng.random(n_villages) < told["villages_a_year"])
        when = rng.choice(told["months"], size=len(hit))
        share = rng.uniform(*told["share_lost"], size=len(hit))
        kind = rng.choice(told["kinds"], size=len(hit))
        for village, month, lost, what in zip(hit, when, share, kind, strict=True):
            struck.append((int(village), year.astype(object).year, int(month), lost, str(what)))
    columns = ["village", "year", "month", "share_lost", "kind"]
    return Market(price, pd.DataFrame(struck, columns=columns))


def shocks(
    people: pd.DataFrame, homes: pd.DataFrame, here: Presence, weather: Market, seed: int,
    town: str, given: Figures,
) -> pd.DataFrame:  # fmt: skip
    """Return what befalls the households of one town, one row a shock, by month and household.

    household and person are row numbers (-1: the household as a whole), month the number of the
    month lived, months how long it lasts, cost_cny what it costs at once, share_lost the part of
    the income concerned that is lost meanwhile.
    """
    rng = stream(seed, "shocks", town)
    n_months = len(here.ends)
    age = here.ages(people["born"].to_numpy())
    found = [
        _of_people("illness", _illness_rate(people, age, given["illness"]), here, rng, given),
        _of_people("disability", _accident_rate(people, age, given["disability"]), here, rng,
                   given),
        _of_people("job", _job_rate(people, age, given["job"]), here, rng, given),
        _harvests(homes, here, weather, rng, given),
    ]  # fmt: skip
    every = pd.concat([one for one in found if len(one)] or found, ignore_index=True)[COLUMNS]
    every["months"] = np.minimum(every["months"], n_months - every["month"])
    return every.sort_values(["month", "household", "kind", "person"], ignore_index=True)


def _illness_rate(people: pd.DataFrame, age: np.ndarray, given: Figures) -> np.ndarray:
    rate = given["at_40"] * 2.0 ** ((np.clip(age, 20, 85) - 40) / given["doubles_years"])
    ill = people["health"].isin(["chronic", "serious"]).to_numpy()
    return rate * np.where(ill, given["of_the_ill"], 1)[:, None]


def _accident_rate(people: pd.DataFrame, age: np.ndarray, given: Figures) -> np.ndarray:
    return np.where((age >= 16) & people["is_able"].to_numpy()[:, None], given["a_year"], 0.0)


def _job_rate(people: pd.DataFrame, age: np.ndarray, given: Figures) -> np.ndarray:
    rate = people["work"].map(given["a_year"]).fillna(0.0).to_numpy()
    return np.where(age >= 16, rate[:, None], 0.0)


def _of_people(
    kind: str, a_year: np.ndarray, here: Presence, rng: np.random.Generator, given: Figures
) -> pd.DataFrame:
    """Draw what befalls persons present, at a rate a year: [person, month]."""
    told = given[kind]
    chance = np.where(here.house >= 0, -np.expm1(-a_year / 12), 0)
    who, month = np.nonzero(rng.random(chance.shape) < chance)
    n = len(who)
    cost = np.exp(rng.normal(np.log(told["cost_cny"]), told["spread"], n)) if n else np.zeros(0)
    return pd.DataFrame(
        {
            "kind": np.full(n, kind, dtype=object),
            "household": here.house[who, month].astype(np.int64),
            "person": who.astype(np.int64),
            "month": month.astype(np.int64),
            "months": rng.integers(*told["months"], size=n, endpoint=True),
            "cost_cny": np.round(cost * told["costs"], 0),
            "share_lost": np.full(n, told["share_lost"], dtype=float),
        }
    )


def _harvests(
    homes: pd.DataFrame, here: Presence, weather: Market, rng: np.random.Generator, given: Figures
) -> pd.DataFrame:
    """Draw lost harvests: by a disaster of the village, or a household's own bad luck.

    A loss is dated by the month in which the first of the harvest would have been sold.
    """
    months = here.ends.astype("datetime64[M]").astype(object)
    sells = {at.year: n for n, at in enumerate(months) if at.month == HARVEST_MONTH}
    village = homes["village"].to_numpy()
    rows = []
    for year, month in sells.items():
        lost = np.where(rng.random(len(homes)) < given["harvest"]["share"],
                        1 - given["harvest"]["left"], 0.0)  # fmt: skip
        spared = rng.random(len(homes)) > given["disaster"]["households"]
        of_year = weather.disasters[weather.disasters["year"] == year]
        for event in of_year.itertuples():
            hit = (village == event.village) & ~spared
            lost = np.where(hit, np.maximum(lost, event.share_lost), lost)
        farms = (homes["farms"].to_numpy()) & (lost > 0)
        struck = np.flatnonzero(farms)
        rows.append(
            pd.DataFrame(
                {
                    "kind": np.full(len(struck), "disaster", dtype=object),
                    "household": struck, "person": np.full(len(struck), -1),
                    "month": np.full(len(struck), month), "months": np.full(len(struck), 3),
                    "cost_cny": np.zeros(len(struck)), "share_lost": lost[struck],
                }
            )
        )  # fmt: skip
    return pd.concat(rows) if rows else pd.DataFrame(columns=COLUMNS)
