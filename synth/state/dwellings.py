"""Dwellings and water, as appraised: years ago, and not always rightly."""

import numpy as np
import pandas as pd

from synth.state.known import DAY, Known, days, once
from synth.state.spelling import misspelt

GRADE = ["household_id", "head_id", "head_name", "village_code", "housing_grade", "structure",
         "area_m2", "built_year", "appraised_date"]  # fmt: skip
WATER = ["household_id", "village_code", "water_source", "is_qualified", "fetching_min",
         "checked_date"]  # fmt: skip
GRADES = np.array(["A", "B", "C", "D"])
STRUCTURES = ("brick_concrete", "brick_wood", "earth_wood", "other")


@once
def appraisals(block: Known) -> pd.DataFrame:
    """Return the appraisals of rural dwellings: GRADE, and true_grade. Some were never made.

    A grade said wrongly is one off; an old appraisal knows nothing of what decayed since.
    """
    told, rng = block.state["housing"], block.stream("housing")
    homes = block.homes
    seen = homes["is_rural"].to_numpy() & (rng.random(len(homes)) < told["appraised"])
    rows, heads = homes[seen], block.heads.loc[np.flatnonzero(seen)]
    n, true = len(rows), rows["housing_grade"].to_numpy()
    number = pd.Series(true).map({grade: place for place, grade in enumerate(GRADES)}).to_numpy()
    step = np.where(rng.random(n) < 0.7, -1, 1) * (rng.random(n) < told["misgraded"])
    age = block.seat.last.astype("M8[Y]").astype(int) + 1970 - 3 - 9 * number
    on = days(block.seat.first - DAY * told["oldest_days"], block.seat.last, n, rng)
    return pd.DataFrame(
        {
            "household_id": rows["household_id"].to_numpy(),
            "head_id": heads["person_id"].to_numpy(),
            "head_name": misspelt(
                heads["person_name"], block.state["names"]["misspelt"], rng
            ).to_numpy(),
            "village_code": rows["village_code"].to_numpy(),
            "housing_grade": GRADES[np.clip(number + step, 0, 3)],
            "structure": _structures(number, rng),
            "area_m2": _areas(rows["n_members"].to_numpy(), rng),
            "built_year": age - rng.integers(0, 18, n),
            "appraised_date": on,
            "true_grade": true,
        }
    )  # fmt: skip


def _structures(number: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return what a dwelling is built of: bad ones of earth."""
    drawn = number + rng.normal(0, 0.8, len(number))
    return np.select([drawn < 0.4, drawn < 1.9, drawn < 3.2], STRUCTURES[:3], STRUCTURES[3])


def _areas(n_members: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return square metres: more people have more, each of them less."""
    area = rng.normal(22, 6, len(n_members)) * np.sqrt(n_members) + 20
    return np.clip(area, 18, 260).round()


def housing_grade(block: Known, month: int) -> pd.DataFrame:
    """Return the appraisals made by the end of a month."""
    rows = appraisals(block)
    return rows.loc[rows["appraised_date"].to_numpy() <= block.end(month), GRADE].reset_index(
        drop=True
    )


def water_source(block: Known, month: int) -> pd.DataFrame:
    """Return where rural households get water, as last checked; the check errs now and then.

    A source fails by its water, or by the minutes that it takes to fetch; who has tap water at
    home fetches none.
    """
    told, rng = block.state["water"], block.stream("water")
    rows = block.homes[block.homes["is_rural"]].reset_index(drop=True)
    n, safe = len(rows), rows["is_water_safe"].to_numpy(bool)
    wrong, tap = rng.random(n) < told["misjudged"], rows["has_tap_water"].to_numpy(bool)
    is_good = safe ^ wrong
    bad = rng.choice(["shallow_well", "spring", "surface"], n, p=[0.8, 0.12, 0.08])
    far = ~is_good & ~tap & (rng.random(n) < told["far"])
    minutes = np.where(far, rng.integers(21, 60, n), rng.integers(0, 15, n))
    on = days(block.seat.first - DAY * told["oldest_days"], block.seat.first, n, rng)
    rows = rows.assign(
        water_source=np.select([tap, is_good], ["tap", "deep_well"], bad),
        is_qualified=is_good | far,
        fetching_min=np.where(tap, 0, minutes),
        checked_date=on,
    )
    return rows.loc[on <= block.end(month), WATER].reset_index(drop=True)
