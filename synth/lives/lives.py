"""Lives: what each household has to live on, what it consumes, and how it lives, by month."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures, cost_shares, income_line, stream
from synth.lives.incomes import ITEMS, Earners, Panel, earned, earners, lost, paid
from synth.lives.level import Level, log_consumption, quantile, scale
from synth.lives.needs import dwelling, needs
from synth.lives.presence import Presence, presence, twelve_months
from synth.lives.shocks import Market, shocks
from synth.people.population import Population
from synth.places.places import Places


@dataclass(frozen=True)
class Lives:
    """How the households of a town live.

    homes: those of `Population.homes`, on the last day and over the twelve months before it:
    counts of members by state, land_mu, has_bad_year, net_income_cny and consumption_cny (per
    head), is_poor, is_poor_by_consumption, housing_grade, is_water_safe, and needs. items: yuan
    in those months by kind of income, gross. months: per household and month delivered, of every
    household that ever was (rows of `Population.books`): net_income_cny, consumption_cny, both per
    head over twelve months, n_members. shocks: as `synth.lives.shocks`, by book. is_covered: per
    person of `Population.people`, whether insured.
    """

    line_cny: float
    items: pd.DataFrame
    homes: pd.DataFrame
    months: dict[str, Panel]
    flows: dict[str, Panel]
    shocks: pd.DataFrame
    is_covered: np.ndarray


@dataclass(frozen=True)
class Drawn:
    """What is known of a town before the county's level is: per book, by month lived."""

    books: pd.DataFrame
    here: Presence
    who: Earners
    shocks: pd.DataFrame
    flows: dict[str, Panel]
    usual: Panel
    members: Panel
    costs: dict[str, float]

    def net(self, flows: dict[str, Panel]) -> Panel:
        """Return net income of the household, all kinds."""
        return sum(yuan * (1 - self.costs[item]) for item, yuan in flows.items())

    def a_head(self, flow: Panel) -> Panel:
        """Return twelve months' income per head: [book, month delivered]."""
        return twelve_months(flow) / np.maximum(self.members[:, 11:], 1)


def drawn(
    who: Population, places: Places, weather: Market, ends: list[date], seed: int, town: str,
    given: Figures,
) -> Drawn:  # fmt: skip
    """Return what people and land earn in each month, with and without what befalls them."""
    here = presence(who.edges, len(who.everybody), len(who.books), ends)
    books = _composition(who, places)
    members = here.sums(np.ones(len(who.everybody)))
    rng, costs = stream(seed, "incomes", town), cost_shares(places.area, ends[-1])
    own = earners(books, who.everybody, members[:, 0], rng, given["lives"])
    befalls = shocks(who.everybody, books, here, weather, seed, town, given["lives"]["shocks"])
    left = lost(befalls, len(who.everybody), len(books), len(ends))
    made = Drawn(books, here, own, befalls, {}, np.zeros(0), members, costs)
    args = (own, books, here, weather)
    usual = made.net(earned(*args, None, costs, given["lives"]))
    return replace(made, flows=earned(*args, left, costs, given["lives"]), usual=usual)


def level(
    of: Drawn, born: np.ndarray, area: str, ends: list[date], seed: int, given: Figures
) -> Level:
    """Return the level of incomes that makes the control figures true of a sample."""
    told, line = given["lives"], income_line(area, ends[-1])
    is_there = of.members[:, -1] > 0
    weight = of.members[is_there, -1]
    # Poverty lines are for the countryside; a district without any keeps earnings as they are.
    rural = weight * of.books["is_rural"].to_numpy()[is_there]
    is_rural = rural.sum() > told["least_rural"] * weight.sum()
    counted = rural if is_rural else weight
    own = of.a_head(of.usual)[:, -1]
    low, half = (quantile(own[is_there], counted, s) for s in (told["dibao"]["poorest"], 0.5))
    first = Level(1.0, 0.0, low, half, 0.0, 1.0)
    given_out = _paid(of, born, first, seed, "level", given)
    money = of.a_head(of.net(given_out))[is_there, -1]
    mine = of.a_head(of.net(of.flows))[is_there, -1]
    if is_rural:
        first = replace(first, scale=scale(mine, money, counted, line, told["poor_share"]))
    logs = _logs(of, given_out, first, seed, "level", given)[is_there, -1]
    if is_rural:
        cut = quantile(logs, counted, told["consumption_poor_share"])
    else:
        cut = quantile(logs, counted, 0.5) - np.log(told["urban_median"] / line)
    return replace(
        first, cut=cut, log_mean=float(np.log(line) + logs.mean() - cut), log_std=float(logs.std())
    )


def lives(
    who: Population, of: Drawn, at: Level, area: str, ends: list[date], seed: int, town: str,
    given: Figures,
) -> Lives:  # fmt: skip
    """Return how every household of the town lives."""
    born = who.everybody["born"].to_numpy()
    given_out = _paid(of, born, at, seed, town, given)
    flows = {item: yuan * at.scale for item, yuan in of.flows.items()} | given_out
    lines = np.array([income_line(area, end) for end in ends[11:]])
    consumption = lines[-1] * np.exp(_logs(of, given_out, at, seed, town, given) - at.cut)
    months = {
        "net_income_cny": of.a_head(of.net(flows)).round(2),
        "consumption_cny": consumption.round(2),
        "n_members": of.members[:, 11:].astype(int),
        "line_cny": np.broadcast_to(lines, consumption.shape),
    }
    chosen = who.homes["book"].to_numpy()
    homes = of.books.loc[chosen].reset_index(drop=True)
    homes["household"], homes["book"] = np.arange(len(homes)), chosen
    homes["land_mu"] = of.who.land_mu[chosen]
    bad = (of.shocks["kind"] == "disaster") & (of.shocks["month"] >= len(ends) - 12)
    homes["has_bad_year"] = np.isin(chosen, of.shocks["household"][bad])
    for name in ("net_income_cny", "consumption_cny"):
        homes[name] = months[name][chosen, -1]
    homes["is_poor"] = homes["net_income_cny"] < lines[-1]
    homes["is_poor_by_consumption"] = homes["consumption_cny"] < lines[-1]
    items = pd.DataFrame({item: twelve_months(flows[item])[chosen, -1] for item in ITEMS})
    rng = stream(seed, "living", town)
    is_covered = dwelling(homes, who.people, at, rng, given["living"])
    homes["farm_skill"] = of.who.skill[chosen]
    homes["medical_cost_cny"] = _medical_costs(of.shocks, len(ends), len(of.books))[chosen]
    uninsured = np.bincount(who.people["household"], ~is_covered, len(homes)) > 0
    needs(homes, items, uninsured, float(lines[-1]), given["lives"]["needs"])
    return Lives(float(lines[-1]), items.round(0), homes, months, flows, of.shocks, is_covered)


def _medical_costs(shocks: pd.DataFrame, n_months: int, n_books: int) -> np.ndarray:
    """Return what illness and accidents cost each household in the last twelve months."""
    recent = shocks["kind"].isin(["illness", "disability"]) & (shocks["month"] >= n_months - 12)
    found = shocks[recent]
    return np.bincount(found["household"].to_numpy(dtype=int), found["cost_cny"], n_books)


def at_month(life: Lives, month: int) -> Lives:
    """Return how today's households lived in the twelve months up to an earlier month delivered.

    Their members and dwellings are those of the last day.
    """
    book = life.homes["book"].to_numpy()
    line = float(life.months["line_cny"][0, month])
    net, spent = (life.months[name][book, month] for name in ("net_income_cny", "consumption_cny"))
    homes = life.homes.assign(
        net_income_cny=net, consumption_cny=spent, is_poor=net < line,
        is_poor_by_consumption=spent < line,
    )  # fmt: skip
    items = pd.DataFrame({i: twelve_months(life.flows[i])[book, month] for i in ITEMS}).round(0)
    return replace(life, line_cny=line, homes=homes, items=items)


def _paid(
    of: Drawn, born: np.ndarray, at: Level, seed: int, town: str, given: Figures
) -> dict[str, Panel]:
    own = of.a_head(of.usual)[:, -1]
    return paid(
        of.books, of.who, of.here, born, own < at.own_low, own < at.own_half,
        stream(seed, "paid", town), given["lives"],
    )  # fmt: skip


def _logs(
    of: Drawn, given_out: dict[str, Panel], at: Level, seed: int, town: str, given: Figures
) -> Panel:
    told = given["lives"]
    money = of.net(given_out)
    usual = of.a_head(of.usual * at.scale + money)
    this_year = of.a_head(of.net(of.flows) * at.scale + money)
    luck = stream(seed, "consumption", town).normal(0, told["consumption"]["spread"], len(of.books))
    named = ("best_years", "n_public", "head_age", "place", "n_serious", "n_dependent")
    counts = {name: of.books[name].to_numpy() for name in named}
    counts["n_members"] = of.members[:, 11:]
    counts["n_dependent"] = np.minimum(counts["n_dependent"][:, None], counts["n_members"])
    return log_consumption(counts, usual, this_year, luck, told)


def _composition(who: Population, places: Places) -> pd.DataFrame:
    """Return the books with counts of their (last) members and the effect of their place."""
    people, books = who.everybody, who.books.copy()
    of = people["home"].to_numpy()
    village = places.villages.loc[books["village"]].reset_index(drop=True)
    books["village_code"] = village["village_code"]
    # People of dormitories and homes are no rural households.
    books["is_rural"] = village["is_rural"] & ~books["is_collective"]
    books["place"] = village["town_effect"] + village["village_effect"]
    for name in ("water_effect", "km_to_seat"):
        books[name] = village[name]
    counted = people["counts"].to_numpy()
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
        books[name] = np.bincount(of, is_so & counted, len(books)).astype(int)
    books["n_dependent"] = books["n_children"] + books["n_elderly"]
    books["farms"] = books["n_farming"] > 0
    grown = people["years"].where((people["age"] >= 16) & counted, 0)
    books["best_years"] = grown.groupby(of).max().reindex(books.index).fillna(0)
    head = people[counted & (people["relation"] == "head")]
    ages = pd.Series(head["age"].to_numpy(), head["home"].to_numpy())
    books["head_age"] = ages[~ages.index.duplicated()].reindex(books.index).fillna(50).astype(int)
    return books
