"""Markets: prices of a county month by month, and what is sold over the network."""

import numpy as np
import pandas as pd

from synth.state.jobs import spelt
from synth.state.known import DAY, NEVER, Known, Seat, days, numbered, once

PRICE = ["county_code", "price_month", "product", "price_a_kg_cny"]
SALES = ["shop_id", "owner_id", "owner_name", "village_code", "sales_month", "product",
         "n_orders", "sales_cny"]  # fmt: skip
# Products of each kind of income, and how often each is grown.
PRODUCTS = {
    "grain": (["maize", "rice", "soybean"], [0.72, 0.16, 0.12]),
    "tobacco": (["tobacco"], [1.0]),
    "livestock": (["pig", "cattle", "sheep", "chicken"], [0.42, 0.26, 0.16, 0.16]),
    "fruit": (["pear", "apple"], [0.6, 0.4]),
    "other_crop": (["peanut", "vegetable", "mushroom"], [0.4, 0.35, 0.25]),
}
KIND_OF = {product: kind for kind, (names, _) in PRODUCTS.items() for product in names}
# Yuan a kg at the farm's gate, and how it swings within a year.
USUAL = {
    "maize": 2.0, "rice": 2.9, "soybean": 4.2, "tobacco": 24.0, "pig": 15.5, "cattle": 26.0,
    "sheep": 24.0, "chicken": 10.5, "pear": 2.4, "apple": 4.6, "peanut": 5.6, "vegetable": 1.8,
    "mushroom": 6.5,
}  # fmt: skip
SWING = {"vegetable": 0.45, "pear": 0.25, "apple": 0.2, "mushroom": 0.2}


@once
def prices(seat: Seat) -> pd.DataFrame:
    """Return yuan a kg by month (rows, from the first delivered) and product (columns).

    A season, a walk, and the falls that households felt where these are known.
    """
    n = len(seat.month_ends)
    table = {}
    calendar = np.array([end.month for end in seat.month_ends])
    for product, usual in USUAL.items():
        rng = seat.stream("price", product)
        walk = np.cumsum(rng.normal(0, seat.state["price"]["walk"], n))
        season = SWING.get(product, 0.06) * np.cos((calendar - 3) / 12 * 2 * np.pi)
        fall = np.asarray(seat.prices.get(KIND_OF[product], np.ones(n)))[:n]
        table[product] = usual * np.exp(walk + season) * fall
    return pd.DataFrame(table)


def price_a_kg(seat: Seat, month: int) -> dict[str, float]:
    """Return the mean price of each product over the year to a month, as far as it is delivered."""
    return prices(seat).iloc[max(0, month - 11) : month + 1].mean().to_dict()


def crop_price(seat: Seat, month: int) -> pd.DataFrame:
    """Return the prices of a month; what is not traded then has none."""
    rng = seat.stream("price", "seen", month)
    row = prices(seat).iloc[month].round(2)
    seen = rng.random(len(row)) >= seat.state["price"]["unseen"]
    return pd.DataFrame(
        {
            "county_code": seat.area_code,
            "price_month": seat.begin(month),
            "product": row.index,
            "price_a_kg_cny": row.to_numpy(),
        }
    )[seen].reset_index(drop=True)[PRICE]


# -- sales over the network --------------------------------------------------------------------


@once
def shops(block: Known) -> pd.DataFrame:
    """Return the network shops: shop_id, owner (row), village_code, product, size, opened, closed.

    Their owners are young, schooled and rural.
    """
    told, rng = block.state["ecommerce"], block.stream("shops")
    people = block.people
    rural = block.homes["is_rural"].to_numpy(bool)[block.house]
    age = people["age"].to_numpy()
    may = rural & (age >= 20) & (age <= 50) & people["is_able"].to_numpy(bool)
    chance = told["of_grown"] * np.exp(0.2 * (people["years"].to_numpy() - 9))
    who = np.flatnonzero(may & (rng.random(len(people)) < chance))
    n = len(who)
    opened = days(block.seat.first - 1100 * DAY, block.seat.last, n, rng)
    closed = opened + rng.integers(60, 2500, n) * DAY
    return pd.DataFrame(
        {
            "shop_id": numbered(f"W{block.code}", n, 5),
            "owner": who,
            "owner_name": spelt(block, who, rng),
            "village_code": block.village_of[who],
            "product": rng.choice(list(USUAL), n),
            "size_cny": np.exp(rng.normal(np.log(told["month_cny"]), 1.1, n)),
            "opened": opened,
            "closed": np.where(closed < block.seat.last, closed, NEVER),
        }
    )


def ecommerce_sales(block: Known, month: int) -> pd.DataFrame:
    """Return the sales of a month by shop and product; more in the eleventh month."""
    told, begin, end = block.state["ecommerce"], block.begin(month), block.end(month)
    rng = block.stream("ecommerce", str(begin)[:7])
    rows = shops(block)
    opened, closed = rows["opened"].to_numpy(), rows["closed"].to_numpy()
    rows = rows[(opened <= end) & ~(closed <= begin)].reset_index(drop=True)
    n = len(rows)
    boost = told["november"] if str(begin)[5:7] == "11" else 1.0
    yuan = rows["size_cny"].to_numpy(float) * np.exp(rng.normal(0, 0.4, n)) * boost
    orders = 1 + rng.poisson(yuan / told["order_cny"])
    return pd.DataFrame(
        {
            "shop_id": rows["shop_id"],
            "owner_id": block.people["person_id"].to_numpy()[rows["owner"]],
            "owner_name": rows["owner_name"],
            "village_code": rows["village_code"],
            "sales_month": begin,
            "product": rows["product"],
            "n_orders": orders,
            "sales_cny": (orders * told["order_cny"] * np.exp(rng.normal(0, 0.2, n))).round(2),
        }
    )[SALES]
