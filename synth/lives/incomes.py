"""Incomes: what each household earns from people and land, and what it is paid by rule.

Earned income is built up from members, land and place, and then scaled as a whole, so that the
share of people below the line is the control figure.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lakehouse.schemas.codes import INCOME_ITEM
from synth.figures import Figures

ITEMS = list(INCOME_ITEM)
HARVESTS = ["grain", "fruit", "other_crop"]


@dataclass(frozen=True)
class Incomes:
    """Yuan a year by kind of income, gross: in this year, and in a normal one without losses."""

    this_year: pd.DataFrame
    normal: pd.DataFrame


def net_income(items: pd.DataFrame, n_members: pd.Series, costs: dict[str, float]) -> pd.Series:
    """Return net income per head: gross less the cost share of each kind, over all members."""
    return sum(items[item] * (1 - costs[item]) for item in items.columns) / n_members


def incomes(
    homes: pd.DataFrame, people: pd.DataFrame, costs: dict[str, float], line: float,
    rng: np.random.Generator, given: Figures,
) -> Incomes:  # fmt: skip
    """Return what every household lives on. Adds land_mu and has_bad_year to `homes`."""
    n = len(homes)
    homes["land_mu"] = _land(homes, rng, given)
    failed = rng.random(n) < given["crop_failure"]["share"]
    homes["has_bad_year"] = failed & (homes["n_farming"] > 0)
    earned = _earned(homes, people, costs, rng, given)
    left = np.where(homes["has_bad_year"], given["crop_failure"]["left"], 1.0)
    struck = earned.assign(**{item: earned[item] * left for item in HARVESTS})
    paid = _paid(homes, net_income(earned, homes["n_members"], costs), rng, given)
    scale = _scale(
        net_income(struck, homes["n_members"], costs), net_income(paid, homes["n_members"], costs),
        homes["n_members"], line, given["poor_share"],
    )  # fmt: skip
    return Incomes(
        pd.concat([struck * scale, paid], axis=1)[ITEMS].round(0),
        pd.concat([earned * scale, paid], axis=1)[ITEMS].round(0),
    )


def _land(homes: pd.DataFrame, rng: np.random.Generator, given: Figures) -> np.ndarray:
    """Return arable land in mu: shared out a generation ago, to the people of that time."""
    then = np.round(0.75 * homes["n_members"] + rng.poisson(0.7, len(homes)))
    unevenly = np.exp(rng.normal(0, given["land_spread"], len(homes)))
    mu = given["mu_a_person"] * np.maximum(1, then) * unevenly
    return np.where(homes["is_rural"], mu, 0).round(1)


def _earned(
    homes: pd.DataFrame, people: pd.DataFrame, costs: dict[str, float], rng: np.random.Generator,
    given: Figures,
) -> pd.DataFrame:  # fmt: skip
    """Return earned income by kind, gross, in a normal year and before scaling."""
    n, whose = len(homes), people["household"]
    sick = people["health"].map(given["sick_earn"]).fillna(1.0).to_numpy()
    wage = people["work"].map(given["earnings"]).fillna(0.0).to_numpy() * sick * np.exp(
        given["schooling_return"] * (people["years"].to_numpy() - 8)
        + given["ability"] * homes["background"].to_numpy()[whose]
        + 0.6 * homes["place"].to_numpy()[whose]
        + rng.normal(0, given["earnings_spread"], len(people))
    )  # fmt: skip
    age = people["age"].to_numpy()
    ageing = np.clip(1 - given["old_strength"] * np.maximum(age - 58, 0), 0.2, 1)
    strong = np.bincount(whose, sick * ageing * (people["work"] == "farming"), n)
    # Land beyond a household's strength is let.
    tilled = np.minimum(homes["land_mu"], given["mu_a_worker"] * strong)
    skill = np.exp(
        given["farm_spread"] * rng.normal(size=n)
        + given["ability"] * homes["background"]
        + 0.5 * given["schooling_return"] * (homes["best_years"] - 8)
        + homes["place"]
    )
    farm, grain = given["net_a_mu"] * tilled * skill, rng.beta(8, 2, n)
    aside = skill * (strong > 0)
    orchards = rng.random(homes["village"].max() + 1) < given["fruit"]["share_of_villages"]
    net = {
        "wage": np.bincount(whose, wage, n),
        "grain": farm * grain,
        "tobacco": aside * _sideline(given["tobacco"], n, rng),
        "livestock": aside * _sideline(given["livestock"], n, rng),
        "fruit": aside * orchards[homes["village"]] * _sideline(given["fruit"], n, rng),
        "other_crop": farm * (1 - grain),
        "property": (homes["land_mu"] - tilled) * given["rent_a_mu"] * np.exp(homes["place"]),
    }
    return pd.DataFrame({item: yuan / (1 - costs[item]) for item, yuan in net.items()})


def _sideline(of: Figures, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return what a sideline nets in a year: nothing for most households."""
    return (rng.random(n) < of["share"]) * of["net"] * np.exp(rng.normal(0, of["spread"], n))


def _paid(
    homes: pd.DataFrame, own: pd.Series, rng: np.random.Generator, given: Figures
) -> pd.DataFrame:
    """Return what is paid by rule: support by land, pensions, the allowance, help from kin.

    The allowance reaches some of the poorest by their `own` income per head, sooner where
    somebody is gravely ill, and a few others.
    """
    n, rural = len(homes), homes["is_rural"]
    rank = own.rank(pct=True)
    reached = np.where(
        rank < given["dibao"]["poorest"], given["dibao"]["reaches"], given["dibao"]["leaks"]
    )
    weak = np.where(homes["n_serious"] > 0, 1.5, 0.8) * np.where(rank < 0.5, 1, 0.2)
    dibao = rng.random(n) < reached * weak
    green = rng.random(homes["village"].max() + 1) < given["ecology"]["share_of_villages"]
    ecology = green[homes["village"]] & (rng.random(n) < given["ecology"]["share"]) & rural
    old = homes["n_pensions"] > 0
    retired = ~rural & old & (rng.random(n) < given["retired"]["share"])
    from_kin = old & (homes["n_members"] <= 2) & (rng.random(n) < given["kin"]["share"])
    planned = old & rural & (rng.random(n) < given["family_planning"]["share"])
    return pd.DataFrame(
        {
            "farm_support": homes["land_mu"] * given["farm_support_a_mu"],
            "ecology": ecology * given["ecology"]["yuan"],
            "dibao": dibao * homes["n_members"] * given["dibao"]["yuan_a_person"],
            "family_planning": planned * given["family_planning"]["yuan"],
            "other_transfer": homes["n_pensions"] * given["pension"]["yuan"]
            + retired * homes["n_pensions"] * given["retired"]["yuan"]
            + from_kin * given["kin"]["yuan"] * rng.uniform(0.5, 2, n),
        }
    )


def _scale(
    earned: pd.Series, paid: pd.Series, n_members: pd.Series, line: float, share: float
) -> float:
    """Return the scale of earned income at which `share` of people are below the line."""
    low, high = 0.02, 50.0
    for _ in range(40):
        middle = (low * high) ** 0.5
        below = np.average(paid + middle * earned < line, weights=n_members)
        low, high = (middle, high) if below > share else (low, middle)
    return high
