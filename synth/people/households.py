"""Households of a county, fitted to its census and dealt to its villages; their members."""

from datetime import date

import numpy as np
import pandas as pd

from synth.figures import stream
from synth.people.compose import members
from synth.people.pool import pool

# Rows of the pool of the households of each village.
Dealt = list[np.ndarray]


def sampled(dealt: Dealt, share: float) -> Dealt:
    """Return a share of the households of each village, rounded up: they lie in random order."""
    return [rows[: int(np.ceil(share * len(rows)))] for rows in dealt]


def households(
    dealt: Dealt, villages: np.ndarray, eve: date, seed: int, name: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the households of some villages (household, village, is_collective), and members.

    `village` is a row of the county's villages. Members have household, relation, is_male, age
    (on `eve`), in_couple and birth_date, the head first. A person of a dormitory or home is a
    household of one, is_collective.
    """
    rows = [dealt[village] for village in villages]
    chosen = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32)
    people = members(pool(), chosen)
    people["age"] = people["age"].astype(int)
    rng = stream(seed, "birthdays", name)
    people["birth_date"] = _birth_dates(people["age"].to_numpy(), eve, rng)
    homes = pd.DataFrame(
        {
            "household": np.arange(len(chosen)),
            "village": np.repeat(villages, [len(each) for each in rows]),
            "is_collective": pool().is_collective[chosen],
        }
    )
    return homes, people.drop(columns=["role", "is_collective"])


def _birth_dates(age: np.ndarray, eve: date, rng: np.random.Generator) -> np.ndarray:
    """Return days of birth: the birthday of `age` lies in the year that ends on `eve`."""
    latest = np.datetime64(eve, "D") - np.round(age * 365.2425).astype("timedelta64[D]")
    return latest - rng.integers(1, 364, len(age)).astype("timedelta64[D]")
