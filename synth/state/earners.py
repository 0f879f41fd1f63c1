"""Who earns what: wages by person, and which of them are hidden."""

import numpy as np
import pandas as pd

from synth.state.known import Known, once


@once
def wages(block: Known) -> np.ndarray:
    """Return each person's wage in yuan a year: the household's, shared among who earns it."""
    people = block.people
    told = block.seat.given["lives"]
    weight = people["work"].map(told["earnings"]).fillna(0.0).to_numpy(float)
    weight = weight * np.exp(told["schooling_return"] * (people["years"].to_numpy() - 8))
    weight = weight * people["health"].map(told["sick_earn"]).fillna(1.0).to_numpy(float)
    total = np.bincount(block.house, weight, len(block.homes))
    wage = block.life.items["wage"].to_numpy(float)
    share = np.divide(weight, total[block.house], out=np.zeros_like(weight), where=weight > 0)
    return share * wage[block.house]


@once
def concealed(block: Known) -> pd.DataFrame:
    """Return who works off the books: the truth.

    household, person (rows), person_id, kind (day_labour, unregistered_trade, away), hidden_cny
    (yuan a year). No employer, tax office or insurer knows of that income.
    """
    told, rng = block.state["concealed"], block.stream("concealed")
    people, homes = block.people, block.homes
    earns = (wages(block) > 0) & people["work"].isin(["local_job", "migrant"]).to_numpy()
    on_books = homes["is_rural"].to_numpy() & (rng.random(len(homes)) < told["share"])
    hides = np.flatnonzero(earns & on_books[block.house])
    n = len(hides)
    away = (people["work"].iloc[hides] == "migrant").to_numpy()
    trade = rng.random(n) < told["trade"]
    return pd.DataFrame(
        {
            "household": block.house[hides],
            "person": hides,
            "person_id": people["person_id"].to_numpy()[hides],
            "kind": np.select([away, trade], ["away", "unregistered_trade"], "day_labour"),
            "hidden_cny": wages(block)[hides].round(0),
        }
    )
