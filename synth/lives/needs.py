"""Dwelling, water and cover, and what each household needs: to live, and to produce."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from synth.figures import Figures
from synth.lives.level import Level

LIVING = ["housing", "water", "schooling", "medical"]
PRODUCTION = ["land", "skill", "capital"]


def dwelling(
    homes: pd.DataFrame, people: pd.DataFrame, at: Level, rng: np.random.Generator, given: Figures
) -> np.ndarray:
    """Add housing_grade and is_water_safe to `homes`; return per person whether insured.

    The worse off live worse; water is mostly a matter of the village.
    """
    log = np.log(np.maximum(homes["consumption_cny"].to_numpy(), 1))
    # Blurred: dwellings are older than incomes.
    wealth = (log - at.log_mean) / at.log_std + rng.normal(0, 0.7, len(homes))
    share_d = expit(logit(given["housing_d"]) - 1.0 * wealth)
    share_c = expit(logit(given["housing_c"]) - 0.9 * wealth)
    u = rng.random(len(homes))
    homes["housing_grade"] = np.select(
        [u < share_d, u < share_d + share_c, wealth < 0.4], ["D", "C", "B"], "A"
    )
    water = rng.normal(0, 1.1, homes["village"].max() + 1)[homes["village"]]
    unsafe = expit(logit(given["water_unsafe"]) - 0.5 + water - 0.3 * wealth)
    homes["is_water_safe"] = (rng.random(len(homes)) >= unsafe) | ~homes["is_rural"]
    whose = people["household"].to_numpy()
    uninsured = expit(logit(given["uninsured"]) - 0.4 * wealth[whose])
    return rng.random(len(whose)) >= uninsured


def needs(
    homes: pd.DataFrame, items: pd.DataFrame, has_uninsured: np.ndarray, given: Figures
) -> None:
    """Add what a household needs to live, and what to produce: the poor who can work."""
    homes["needs_housing"] = homes["housing_grade"].isin(["C", "D"])
    homes["needs_water"] = ~homes["is_water_safe"]
    homes["needs_schooling"] = homes["n_dropped_out"] > 0
    homes["needs_medical"] = has_uninsured
    homes["needs_living"] = homes[[f"needs_{one}" for one in LIVING]].any(axis=1)
    could_work = homes["is_poor"] & (homes["n_able"] > 0)
    few_mu = homes["land_mu"] < 2.0 * homes["n_members"]
    schooled = homes["best_years"] > 6
    homes["needs_land"] = could_work & few_mu & homes["is_rural"]
    homes["needs_skill"] = could_work & ~schooled
    homes["needs_capital"] = could_work & ~few_mu & schooled
    homes["needs_production"] = homes[[f"needs_{one}" for one in PRODUCTION]].any(axis=1)
