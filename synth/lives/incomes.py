"""Incomes: what households earn from people and land, and what they are paid by rule.

Earned income is built up from members, land and place, month by month, and scaled as a whole, so
that the county's share of people below the line is the control figure (`synth.lives.level`).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lakehouse.schemas.codes import INCOME_ITEM
from synth.figures import Figures
from synth.lives.presence import Presence
from synth.lives.shocks import Market

ITEMS = list(INCOME_ITEM)
HARVESTS = ["grain", "fruit", "other_crop"]
Panel = np.ndarray  # [household, month]


@dataclass(frozen=True)
class Earners:
    """What does not change while time passes.

    wage: yuan a year of each person at work. strength: of each person in the fields. The rest
    is per household: land_mu, skill, grain (share of it in crops), and yuan a year of sidelines.
    """

    wage: np.ndarray
    strength: np.ndarray
    land_mu: np.ndarray
    skill: np.ndarray
    grain: np.ndarray
    sidelines: dict[str, np.ndarray]


def net_income(items: pd.DataFrame, n_members: pd.Series, costs: dict[str, float]) -> pd.Series:
    """Return net income per head: gross less the cost share of each kind, over all members."""
    return sum(items[item] * (1 - costs[item]) for item in items.columns) / n_members


def earners(
    homes: pd.DataFrame, people: pd.DataFrame, n_members: np.ndarray, rng: np.random.Generator,
    given: Figures,
) -> Earners:  # fmt: skip
    """Return what people and land can earn. `n_members` is that of the first month."""
    n, whose = len(homes), people["home"].to_numpy()
    sick = people["health"].map(given["sick_earn"]).fillna(1.0).to_numpy()
    wage = people["work"].map(given["earnings"]).fillna(0.0).to_numpy() * sick * np.exp(
        given["schooling_return"] * (people["years"].to_numpy() - 8)
        + given["ability"] * homes["background"].to_numpy()[whose]
        + 0.6 * homes["place"].to_numpy()[whose]
        + rng.normal(0, given["earnings_spread"], len(people))
    )  # fmt: skip
    ageing = np.clip(1 - given["old_strength"] * np.maximum(people["age"] - 58, 0), 0.2, 1)
    skill = np.exp(
        given["farm_spread"] * rng.normal(size=n)
        + given["ability"] * homes["background"].to_numpy()
        + 0.5 * given["schooling_return"] * (homes["best_years"].to_numpy() - 8)
        + homes["place"].to_numpy()
    )
    orchards = rng.random(homes["village"].max() + 1) < given["fruit"]["share_of_villages"]
    return Earners(
        wage, (sick * ageing * (people["work"] == "farming")).to_numpy(),
        _land(homes, n_members, rng, given), skill, rng.beta(8, 2, n),
        {
            "tobacco": _sideline(given["tobacco"], n, rng),
            "livestock": _sideline(given["livestock"], n, rng),
            "fruit": orchards[homes["village"]] * _sideline(given["fruit"], n, rng),
        },
    )  # fmt: skip


def _land(
    homes: pd.DataFrame, n_members: np.ndarray, rng: np.random.Generator, given: Figures
) -> np.ndarray:
    """Return arable land in mu: shared out a generation ago, to the people of that time.

    A household that split off later has none of its own on paper.
    """
    then = np.round(0.75 * n_members + rng.poisson(0.7, len(homes)))
    unevenly = np.exp(rng.normal(0, given["land_spread"], len(homes)))
    mu = given["mu_a_person"] * np.maximum(1, then) * unevenly
    return np.where(homes["is_rural"] & (n_members > 0), mu, 0).round(1)


def _sideline(of: Figures, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return what a sideline nets in a year: nothing for most households."""
    return (rng.random(n) < of["share"]) * of["net"] * np.exp(rng.normal(0, of["spread"], n))


def _season(ends: np.ndarray, given: Figures, item: str) -> np.ndarray:
    """Return the share of a year's income of one kind that comes in each month."""
    calendar = ends.astype("datetime64[M]").astype(int) % 12
    by_month = given["season"].get(item)
    return np.array(by_month)[calendar] / sum(by_month) if by_month else np.full(len(ends), 1 / 12)


@dataclass(frozen=True)
class Lost:
    """The part of a month's income that shocks leave: of persons' work and of harvests."""

    work: np.ndarray
    harvest: Panel


def lost(shocks: pd.DataFrame, n_people: int, n_homes: int, n_months: int) -> Lost:
    """Return what shocks leave of incomes."""
    work, harvest = np.ones((n_people, n_months)), np.ones((n_homes, n_months))
    length = shocks["months"].to_numpy()
    row = np.repeat(np.arange(len(shocks)), length)
    month = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
    month = month + shocks["month"].to_numpy()[row]
    left = 1 - shocks["share_lost"].to_numpy()[row]
    person, household = shocks["person"].to_numpy()[row], shocks["household"].to_numpy()[row]
    own = person >= 0
    np.minimum.at(work, (person[own], month[own]), left[own])
    np.minimum.at(harvest, (household[~own], month[~own]), left[~own])
    return Lost(work, harvest)


def earned(
    who: Earners, homes: pd.DataFrame, here: Presence, weather: Market, left: Lost | None,
    costs: dict[str, float], given: Figures,
) -> dict[str, Panel]:  # fmt: skip
    """Return earned income by kind and month, gross, before scaling; without losses for None."""
    ends = here.ends
    wage = who.wage[:, None] * (left.work if left else 1.0)
    strength = who.strength[:, None] * (left.work if left else 1.0)
    strong = here.sums(np.broadcast_to(strength, here.house.shape))
    present = here.sums(np.ones(len(who.wage))) > 0
    # Land beyond a household's strength is let.
    tilled = np.minimum(who.land_mu[:, None], given["mu_a_worker"] * strong)
    farm = given["net_a_mu"] * tilled * who.skill[:, None]
    aside = who.skill[:, None] * (strong > 0)
    place = np.exp(homes["place"].to_numpy())[:, None]
    growth = (1 + given["earnings_growth"]) ** (np.arange(1 - len(ends), 1) / 12)
    net = {
        "wage": here.sums(np.broadcast_to(wage, here.house.shape)),
        "grain": farm * who.grain[:, None],
        "tobacco": aside * who.sidelines["tobacco"][:, None],
        "livestock": aside * who.sidelines["livestock"][:, None],
        "fruit": aside * who.sidelines["fruit"][:, None],
        "other_crop": farm * (1 - who.grain[:, None]),
        "property": (who.land_mu[:, None] - tilled) * given["rent_a_mu"] * place * present,
    }
    for item in net:
        net[item] = net[item] * _season(ends, given, item) * growth / (1 - costs[item])
        if left is not None and item in HARVESTS:
            net[item] *= left.harvest
        if left is not None and item in weather.price:
            net[item] *= weather.price[item]
    return net


def paid(
    homes: pd.DataFrame, who: Earners, here: Presence, born: np.ndarray, is_poor_own: np.ndarray,
    is_lower_half: np.ndarray, rng: np.random.Generator, given: Figures,
) -> dict[str, Panel]:  # fmt: skip
    """Return what is paid by rule, by kind and month: support by land, pensions, help from kin.

    The allowance reaches some of the poorest by their own income, sooner where somebody is
    gravely ill, and a few others.
    """
    n, rural = len(homes), homes["is_rural"].to_numpy()
    members, pensions = here.sums(np.ones(len(born))), here.sums(here.ages(born) >= 60)
    reached = np.where(is_poor_own, given["dibao"]["reaches"], given["dibao"]["leaks"])
    weak = np.where(homes["n_serious"] > 0, 1.5, 0.8) * np.where(is_lower_half, 1, 0.2)
    dibao = rng.random(n) < reached * weak
    green = rng.random(homes["village"].max() + 1) < given["ecology"]["share_of_villages"]
    ecology = green[homes["village"]] & (rng.random(n) < given["ecology"]["share"]) & rural
    retired = ~rural & (rng.random(n) < given["retired"]["share"])
    from_kin = (rng.random(n) < given["kin"]["share"])[:, None] & (pensions > 0) & (members <= 2)
    planned = rural & (rng.random(n) < given["family_planning"]["share"])
    kin = from_kin * (given["kin"]["yuan"] * rng.uniform(0.5, 2, n))[:, None]
    own = given["pension"]["yuan"] + retired * given["retired"]["yuan"]
    present = members > 0
    yearly = {
        "farm_support": present * (who.land_mu * given["farm_support_a_mu"])[:, None],
        "ecology": present * (ecology * given["ecology"]["yuan"])[:, None],
        "dibao": dibao[:, None] * members * given["dibao"]["yuan_a_person"],
        "family_planning": (pensions > 0) * (planned * given["family_planning"]["yuan"])[:, None],
        "other_transfer": pensions * own[:, None] + kin,
    }
    return {item: yuan * _season(here.ends, given, item) for item, yuan in yearly.items()}
