"""Dwelling, water and cover, and what each household needs: to live, and to produce."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from synth.figures import Figures
from synth.lives.level import Level

LIVING = ["food", "clothing", "housing", "water", "schooling", "medical", "health", "care"]
PRODUCTION = [
    "land", "irrigation", "skill", "labour", "capital", "transport", "market", "technology",
]  # fmt: skip


def dwelling(
    homes: pd.DataFrame, people: pd.DataFrame, at: Level, rng: np.random.Generator, given: Figures
) -> np.ndarray:
    """Add housing_grade and is_water_safe to `homes`; return per person whether insured.

    The worse off live worse; water is mostly a matter of the village.
    """
    # Blurred: dwellings are older than incomes.
    wealth = at.wealth(homes) + rng.normal(0, 0.7, len(homes))
    share_d = expit(logit(given["housing_d"]) - 1.0 * wealth)
    share_c = expit(logit(given["housing_c"]) - 0.9 * wealth)
    u = rng.random(len(homes))
    homes["housing_grade"] = np.select(
        [u < share_d, u < share_d + share_c, wealth < 0.4], ["D", "C", "B"], "A"
    )
    unsafe = expit(logit(given["water_unsafe"]) - 0.5 + homes["water_effect"] - 0.3 * wealth)
    homes["is_water_safe"] = (rng.random(len(homes)) >= unsafe) | ~homes["is_rural"]
    whose = people["household"].to_numpy()
    uninsured = expit(logit(given["uninsured"]) - 0.4 * wealth[whose])
    return rng.random(len(whose)) >= uninsured


def needs(
    homes: pd.DataFrame, items: pd.DataFrame, has_uninsured: np.ndarray, line: float,
    given: Figures,
) -> None:  # fmt: skip
    """Add what a household needs to live, and what the poor who can work need to produce.

    `items` are its twelve months' income by kind; thresholds are those of [lives.needs].
    """
    _to_live(homes, has_uninsured, line, given)
    poor, n = homes["is_poor"], homes["n_members"]
    could_work = poor & (homes["n_able"] > 0)
    farms = could_work & homes["farms"]
    few_mu = homes["land_mu"] < given["least_mu_a_person"] * n
    schooled = homes["best_years"] > given["schooled_years"]
    is_far = homes["km_to_seat"] > given["far_km"]
    sells = items[["livestock", "fruit", "tobacco"]].sum(axis=1) > 0
    homes["needs_land"] = could_work & few_mu & homes["is_rural"]
    homes["needs_irrigation"] = farms & (homes["water_effect"] > given["dry_village"])
    homes["needs_skill"] = could_work & ~schooled
    homes["needs_labour"] = poor & (homes["n_able"] == 0) & (homes["land_mu"] > 0)
    homes["needs_capital"] = could_work & ~few_mu & schooled
    homes["needs_transport"] = could_work & is_far & homes["is_rural"]
    homes["needs_market"] = could_work & is_far & sells
    homes["needs_technology"] = farms & schooled & (homes["farm_skill"] < given["low_farm_skill"])
    homes["needs_production"] = homes[[f"needs_{one}" for one in PRODUCTION]].any(axis=1)


def _to_live(homes: pd.DataFrame, has_uninsured: np.ndarray, line: float, given: Figures) -> None:
    spent, n = homes["consumption_cny"], homes["n_members"]
    homes["needs_food"] = spent < given["food"] * line
    homes["needs_clothing"] = spent < given["clothing"] * line
    homes["needs_housing"] = homes["housing_grade"].isin(["C", "D"])
    homes["needs_water"] = ~homes["is_water_safe"]
    homes["needs_schooling"] = homes["n_dropped_out"] > 0
    homes["needs_medical"] = has_uninsured
    burden = given["medical_burden"] * homes["net_income_cny"].clip(lower=0) * n
    homes["needs_health"] = homes["medical_cost_cny"] > burden
    dependent = (homes["n_elderly"] > 0) | (homes["n_disabled"] > 0)
    homes["needs_care"] = dependent & (homes["n_able"] == 0)
    homes["needs_living"] = homes[[f"needs_{one}" for one in LIVING]].any(axis=1)
