"""Lives: what each household has to live on, what it consumes, and how it lives."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from synth.figures import Figures, cost_shares, income_line, stream
from synth.lives.incomes import incomes, net_income
from synth.people.population import Population
from synth.places.places import Places


@dataclass(frozen=True)
class Lives:
    """How households live. Rows are those of `Population.homes`.

    items: yuan a year by kind of income, gross, as the household card has them. homes:
    counts of members by state, land_mu, has_bad_year, net_income_cny and consumption_cny (per
    head), is_poor and is_poor_by_consumption, housing_grade, is_water_safe, and needs.
    is_covered: per person, whether insured.
    """

    line_cny: float
    items: pd.DataFrame
    homes: pd.DataFrame
    is_covered: np.ndarray


def lives(who: Population, places: Places, as_of: date, seed: int, given: Figures) -> Lives:
    """Return how every household of the register lives."""
    line, costs = income_line(places.area, as_of), cost_shares(places.area, as_of)
    homes = _composition(who, places)
    earned = incomes(homes, who.people, costs, line, stream(seed, "incomes"), given["lives"])
    net = net_income(earned.this_year, homes["n_members"], costs)
    usual = net_income(earned.normal, homes["n_members"], costs)
    homes["net_income_cny"] = net.round(2)
    homes["consumption_cny"] = _consumption(
        homes, usual, line, stream(seed, "consumption"), given["lives"]
    )
    homes["is_poor"] = homes["net_income_cny"] < line
    homes["is_poor_by_consumption"] = homes["consumption_cny"] < line
    rng = stream(seed, "living")
    wealth = _wealth(homes, rng)
    _dwelling(homes, wealth, len(places.villages), rng, given["living"])
    whose = who.people["household"].to_numpy()
    uninsured = expit(logit(given["living"]["uninsured"]) - 0.4 * wealth[whose])
    is_covered = rng.random(len(whose)) >= uninsured
    _needs(homes, np.bincount(whose, ~is_covered, len(homes)) > 0)
    return Lives(line, earned.this_year, homes, is_covered)


def _composition(who: Population, places: Places) -> pd.DataFrame:
    """Return the households with counts of their members and the effect of their place."""
    people, homes = who.people, who.homes.copy()
    village = places.villages.loc[homes["village"]].reset_index(drop=True)
    homes["village_code"], homes["is_rural"] = village["village_code"], village["is_rural"]
    homes["place"] = village["town_effect"] + village["village_effect"]
    states = {
        "n_members": people["age"] >= 0,
        "n_children": people["age"] < 16,
        "n_elderly": people["age"] >= 65,
        "n_pensions": people["age"] >= 60,
        "n_able": people["is_able"],
        "n_farming": people["work"] == "farming",
        "n_public": people["work"] == "public",
        "n_sick": people["health"] != "healthy",
        "n_serious": people["health"].isin(["serious", "disabled"]),
        "n_disabled": people["health"] == "disabled",
        "n_dropped_out": people["is_dropped_out"],
        "n_costly_pupils": people["school"].isin(["senior", "vocational", "college"]),
    }
    for name, is_so in states.items():
        homes[name] = np.bincount(people["household"], is_so, len(homes)).astype(int)
    grown_years = people["years"].where(people["age"] >= 16, 0)
    homes["best_years"] = grown_years.groupby(people["household"]).max()
    homes["head_age"] = people["age"].groupby(people["household"]).first()
    return homes


def _consumption(
    homes: pd.DataFrame, usual: pd.Series, line: float, rng: np.random.Generator, given: Figures
) -> pd.Series:
    """Return consumption per head, its level set so that the figure's share is below the line.

    Of a bad year, consumption follows a part only.
    """
    on, n = given["consumption"], homes["n_members"]
    lived_on = on["smooths"] * usual + (1 - on["smooths"]) * homes["net_income_cny"]
    log = (
        on["on_income"] * np.log(lived_on + on["floor"])
        + on["size"] * np.log(n)
        + on["dependency"] * (homes["n_children"] + homes["n_elderly"]) / n
        + on["schooling"] * homes["best_years"]
        + on["public"] * (homes["n_public"] > 0)
        + on["old_head"] * (homes["head_age"] - 55).clip(lower=0)
        + on["place"] * homes["place"]
        + on["illness"] * (homes["n_serious"] > 0)
        + rng.normal(0, on["spread"], len(homes))
    ).to_numpy()
    order = np.argsort(log, kind="stable")
    share = np.cumsum(n.to_numpy()[order]) / n.sum()
    cut = log[order][np.searchsorted(share, given["consumption_poor_share"])]
    return pd.Series(line * np.exp(log - cut), homes.index).round(2)


def _wealth(homes: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Return consumption on a standard scale, blurred: dwellings are older than incomes."""
    log = np.log(homes["consumption_cny"].to_numpy())
    return (log - log.mean()) / log.std() + rng.normal(0, 0.7, len(homes))


def _dwelling(
    homes: pd.DataFrame, wealth: np.ndarray, n_villages: int, rng: np.random.Generator,
    given: Figures,
) -> None:  # fmt: skip
    """Add housing_grade and is_water_safe; water is mostly a matter of the village."""
    share_d = expit(logit(given["housing_d"]) - 1.0 * wealth)
    share_c = expit(logit(given["housing_c"]) - 0.9 * wealth)
    u = rng.random(len(homes))
    homes["housing_grade"] = np.select(
        [u < share_d, u < share_d + share_c, wealth < 0.4], ["D", "C", "B"], "A"
    )
    water = rng.normal(0, 1.1, n_villages)[homes["village"]]
    unsafe = expit(logit(given["water_unsafe"]) - 0.5 + water - 0.3 * wealth)
    homes["is_water_safe"] = (rng.random(len(homes)) >= unsafe) | ~homes["is_rural"]


def _needs(homes: pd.DataFrame, has_uninsured: np.ndarray) -> None:
    """Add what a household needs to live, and what to produce: the poor who can work."""
    homes["needs_housing"] = homes["housing_grade"].isin(["C", "D"])
    homes["needs_water"] = ~homes["is_water_safe"]
    homes["needs_schooling"] = homes["n_dropped_out"] > 0
    homes["needs_medical"] = has_uninsured
    living = ["needs_housing", "needs_water", "needs_schooling", "needs_medical"]
    homes["needs_living"] = homes[living].any(axis=1)
    could_work = homes["is_poor"] & (homes["n_able"] > 0)
    few_mu = homes["land_mu"] < 2.0 * homes["n_members"]
    schooled = homes["best_years"] > 6
    homes["needs_land"] = could_work & few_mu & homes["is_rural"]
    homes["needs_skill"] = could_work & ~schooled
    homes["needs_capital"] = could_work & ~few_mu & schooled
    production = ["needs_land", "needs_skill", "needs_capital"]
    homes["needs_production"] = homes[production].any(axis=1)
