"""The consumption survey: households within villages, villages within towns, rural ones only."""

from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures, stream
from synth.people.population import Population
from synth.plan import Block

COLUMNS = [
    "survey_year", "head_id", "village_code", "n_members", "consumption_cny", "net_income_cny",
    "weight", "stratum", "psu", "household",
]  # fmt: skip


def chance(people: int, rural_share: float, given: Figures) -> float:
    """Return the chance of a rural household to be asked, in a county of so many people."""
    told = given["survey"]
    wanted = max(told["least"], told["share_of_people"] * people)
    households = people / given["people"]["household_size"] * rural_share
    return float(min(1.0, wanted / max(households, 1)))


def consumption_survey(
    who: Population, homes: pd.DataFrame, block: Block, overall: float, as_of: date, seed: int,
    given: Figures,
) -> pd.DataFrame:  # fmt: skip
    """Return the sample of a town, with the columns of the feed and `household`.

    In each town (stratum) a share of the villages (clusters) is drawn, and in each of these the
    same share of the households, `overall` of all. The weight is the inverse of the chance to be
    drawn, brought to the town's number of rural households, since villages are unlike in size.
    """
    rng, figures = stream(seed, "survey", block.name, as_of.year), given["survey"]
    rural = homes[homes["is_rural"]]
    if rural.empty:
        return pd.DataFrame(columns=COLUMNS)
    town = rural["village_code"].str[:9] + "000"
    sampled = [
        _of_town(str(code), of_town, overall, rng, figures["villages_of_town"])
        for code, of_town in rural.groupby(town, sort=True)
    ]
    sample = pd.concat(sampled)
    errors = rng.normal(0, 1, (2, len(sample)))
    life = homes.loc[sample["household"]]
    heads = who.people.groupby("household")["person_id"].first()
    consumption = life["consumption_cny"] * np.exp(figures["consumption_error"] * errors[0])
    income = life["net_income_cny"] * np.exp(figures["income_error"] * errors[1])
    return pd.DataFrame(
        {
            "survey_year": as_of.year,
            "head_id": heads.loc[sample["household"]].to_numpy(),
            "village_code": sample["psu"].to_numpy(),
            "n_members": life["n_members"].to_numpy(),
            "consumption_cny": consumption.round(2).to_numpy(),
            "net_income_cny": income.round(2).to_numpy(),
            "weight": sample["weight"].to_numpy(),
            "stratum": sample["stratum"].to_numpy(),
            "psu": sample["psu"].to_numpy(),
            "household": sample["household"].to_numpy(),
        }
    )


def _of_town(
    town: str, of_town: pd.DataFrame, overall: float, rng: np.random.Generator, share: float
) -> pd.DataFrame:
    """Return the sampled households of one town, at least two villages where it has two."""
    sizes = of_town.groupby("village_code").size().sort_index()
    n_drawn = min(len(sizes), max(2, round(max(share, overall) * len(sizes))))
    drawn = np.sort(rng.choice(len(sizes), size=n_drawn, replace=False))
    within = min(1.0, overall * len(sizes) / n_drawn)
    rows = []
    for village in sizes.index[drawn]:
        here = of_town.index[of_town["village_code"] == village].to_numpy()
        n = min(len(here), max(2, round(within * len(here))))
        households = np.sort(rng.choice(here, size=n, replace=False))
        weight = len(sizes) / n_drawn * len(here) / n
        rows.append(pd.DataFrame({"household": households, "psu": village, "weight": weight}))
    sample = pd.concat(rows)
    sample["weight"] *= len(of_town) / sample["weight"].sum()
    return sample.assign(stratum=town)
