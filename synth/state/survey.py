"""The consumption survey: households within villages, villages within towns, rural ones only."""

from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures, stream
from synth.people.population import Population


def consumption_survey(
    who: Population, homes: pd.DataFrame, town_of: pd.Series, as_of: date, seed: int,
    given: Figures,
) -> pd.DataFrame:  # fmt: skip
    """Return the sample, with the columns of the feed.

    In each town (stratum) a share of the villages (clusters) is drawn, and in each of these the
    same share of the households. The weight is the inverse of the chance to be drawn, brought to
    the town's number of rural households, since villages are unlike in size.
    """
    rng = stream(seed, "survey")
    figures = given["survey"]
    rural = homes[homes["is_rural"]]
    wanted = max(figures["least"], round(figures["share_of_people"] * len(who.people)))
    overall = min(1.0, wanted / len(rural))
    town = rural["village_code"].map(town_of)
    sampled = []
    for code, of_town in rural.groupby(town, sort=True):
        sampled.append(_of_town(str(code), of_town, overall, rng, figures["villages_of_town"]))
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
