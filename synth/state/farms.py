"""Farming: contracted plots, what households report to have produced."""

import numpy as np
import pandas as pd

from synth.state.jobs import spelt
from synth.state.known import Known, numbered, once
from synth.state.markets import PRODUCTS, price_a_kg

LAND = ["plot_id", "contract_id", "household_id", "head_id", "head_name", "village_code",
        "land_kind", "area_mu", "is_let", "contracted_date"]  # fmt: skip
PRODUCTION = ["household_id", "village_code", "production_year", "product", "area_mu", "n_heads",
              "output_kg", "sales_cny"]  # fmt: skip
# Yield of a mu, and weight of an animal sold, in kg.
YIELD_KG = {"maize": 480, "rice": 520, "soybean": 150, "peanut": 220, "vegetable": 2200,
            "mushroom": 3000, "tobacco": 170, "pear": 1600, "apple": 1500}  # fmt: skip
WEIGHT_KG = {"pig": 110, "cattle": 420, "sheep": 35, "chicken": 2.2}
# The second round of contracts.
CONTRACTED = np.datetime64("1998-01-01")


@once
def plots(block: Known) -> pd.DataFrame:
    """Return the contracted plots: LAND. Their sum is the land of the household, as measured."""
    told, rng = block.state["land"], block.stream("land")
    homes = block.homes
    owns = np.flatnonzero((homes["land_mu"] > 0).to_numpy() & homes["is_rural"].to_numpy(bool))
    n_plots = 1 + rng.poisson(told["more_plots"], len(owns))
    home = np.repeat(owns, n_plots)
    weight = rng.gamma(2.0, 1.0, len(home))
    total = np.bincount(home, weight, len(homes))
    measured = homes["land_mu"].to_numpy(float) * np.exp(
        rng.normal(0, told["measured"], len(homes))
    )
    heads = block.heads.loc[home]
    lets = rng.random(len(home)) < told["let"]
    kind = rng.choice(["dry", "paddy", "garden"], len(home), p=told["kinds"])
    contract = numbered(f"L{block.code}", len(homes), 5)
    head = np.flatnonzero((block.people["relation"] == "head").to_numpy())
    name = pd.Series(spelt(block, head, rng), index=block.house[head])
    return pd.DataFrame(
        {
            "plot_id": numbered(f"D{block.code}", len(home), 6),
            "contract_id": contract[home],
            "household_id": homes["household_id"].to_numpy()[home],
            "head_id": heads["person_id"].to_numpy(),
            "head_name": name.loc[home].to_numpy(),
            "village_code": homes["village_code"].to_numpy()[home],
            "land_kind": kind,
            "area_mu": np.maximum(0.01, weight / total[home] * measured[home]).round(2),
            "is_let": lets,
            "contracted_date": np.full(len(home), CONTRACTED),
        }
    )


def land(block: Known, month: int) -> pd.DataFrame:
    """Return the register of contracted plots."""
    return plots(block)


def production(block: Known, month: int) -> pd.DataFrame:
    """Return what households report of the year to the month: part of it was eaten, or is hidden.

    One row a household and product. Without crop (animals) there is no area, and the reverse.
    """
    told, day = block.state["production"], block.end(month)
    year = int(str(day)[:4])
    rng = block.stream("production", year)
    rows = [_produced(block, item, rng) for item in PRODUCTS]
    every = pd.concat(rows, ignore_index=True)
    every = every[every["gross_cny"] > told["least_cny"]].reset_index(drop=True)
    every = every.groupby(["home", "product"], as_index=False)["gross_cny"].sum()
    n, product = len(every), every["product"]
    price = product.map(price_a_kg(block.seat, month)).to_numpy(float)
    said = np.exp(rng.normal(0, told["error"], n)) * np.where(
        rng.random(n) < told["understated"], told["understates"], 1.0
    )
    kg = every["gross_cny"].to_numpy(float) / price * said
    sold = np.clip(product.map(told["sold"]).to_numpy(float) + rng.normal(0, 0.05, n), 0, 1)
    area, weight = product.map(YIELD_KG).to_numpy(float), product.map(WEIGHT_KG).to_numpy(float)
    heads = np.where(np.isnan(weight), np.nan, np.ceil(kg / np.nan_to_num(weight, nan=1.0)))
    return pd.DataFrame(
        {
            "household_id": block.homes["household_id"].to_numpy()[every["home"]],
            "village_code": block.homes["village_code"].to_numpy()[every["home"]],
            "production_year": year,
            "product": product,
            "area_mu": (kg / area * np.exp(rng.normal(0, 0.1, n))).round(1),
            "n_heads": pd.array(heads, dtype="Int64"),
            "output_kg": kg.round(0),
            "sales_cny": (kg * sold * price).round(0),
        }
    )[PRODUCTION]


def _produced(block: Known, item: str, rng: np.random.Generator) -> pd.DataFrame:
    """Return gross yuan by household and product: a kind of income is one product or two."""
    gross = block.life.items[item].to_numpy(float)
    home = np.flatnonzero(gross > 0)
    names, shares = PRODUCTS[item]
    first = rng.choice(names, len(home), p=shares)
    second = rng.choice(names, len(home), p=shares)
    part = rng.uniform(0.6, 1.0, len(home))
    return pd.DataFrame(
        {
            "home": np.concatenate([home, home]),
            "product": np.concatenate([first, second]),
            "gross_cny": np.concatenate([gross[home] * part, gross[home] * (1 - part)]),
        }
    )
