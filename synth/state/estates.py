"""Real estate in towns: commodity housing and shops, as registered."""

import numpy as np
import pandas as pd

from synth.state.known import DAY, NEVER, YEAR, Known, numbered, once
from synth.state.spelling import misspelt
from synth.state.strangers import outsiders

COLUMNS = ["property_id", "property_kind", "owner_id", "owner_name", "share", "area_m2",
           "price_cny", "registered_date", "area_code"]  # fmt: skip
TRUTH = ["property_id", "registered_id", "real_owner_id", "kind", "since_date"]


@once
def estates(block: Known) -> pd.DataFrame:
    """Return what people of the block own in towns: COLUMNS, TRUTH. kind: own, sold or lent.

    Rural households with a flat in the county's seat are the better off. Sold ones stay in the
    register until the buyer has them transferred; a lent name is one bought for a relative away.
    """
    told, rng = block.state["property"], block.stream("property")
    homes, people = block.homes, block.people
    log = np.log(homes["consumption_cny"].to_numpy(float) / block.life.line_cny)
    base = np.where(homes["is_rural"], told["rural"], told["urban"])
    chance = np.clip(base * np.exp(told["by_log_consumption"] * (log - log.mean())), 0, 0.95)
    home = np.flatnonzero(rng.random(len(homes)) < chance)
    heads = block.heads.loc[home]
    grown = heads["birth_date"].to_numpy().astype("datetime64[D]") + DAY * round(24 * YEAR)
    n, last = len(home), block.seat.last
    low = np.minimum(np.maximum(block.seat.first - DAY * 5500, grown), last - DAY)
    registered = low + (rng.random(n) * (last - low).astype(int)).astype(int) * DAY
    shop = rng.random(n) < told["shop"]
    area = np.clip(rng.normal(82, 22, n) * np.where(shop, 0.7, 1.0), 20, 220).round(1)
    price = area * told["price_a_m2"] * np.where(shop, 2.2, 1.0) * np.exp(rng.normal(0, 0.25, n))
    u = rng.random(n)
    kind = np.select([u < told["sold"], u < told["sold"] + told["lent"]], ["sold", "lent"], "own")
    number = heads["person_id"].to_numpy()
    far = rng.choice(outsiders(block.seat)["person_id"].to_numpy(), n)
    since = registered + (rng.random(n) * (last - registered).astype(int)).astype(int) * DAY
    unlike = rng.random(n) < told["no_number"]
    names = misspelt(heads["person_name"], block.state["names"]["misspelt"], rng).to_numpy()
    city = block.seat.area[:4].ljust(12, "0")
    return pd.DataFrame(
        {
            "property_id": numbered(f"F{block.code}", n, 6),
            "property_kind": np.where(shop, "shop", "flat"),
            "owner_id": np.where(unlike, None, number),
            "owner_name": names,
            "share": np.where(people["household"].value_counts().reindex(home) > 1,
                              rng.choice([0.5, 1.0], n), 1.0),
            "area_m2": area,
            "price_cny": (price / 1000).round() * 1000,
            "registered_date": registered,
            "area_code": np.where(rng.random(n) < 0.85, block.seat.area_code, city),
            "registered_id": number,
            "real_owner_id": np.where(kind == "own", number, far),
            "kind": kind,
            "since_date": np.select([kind == "sold", kind == "lent"], [since, registered], NEVER),
        }
    )  # fmt: skip


def property_register(block: Known, month: int) -> pd.DataFrame:
    """Return the register at the end of a month."""
    rows = estates(block)
    here = rows["registered_date"].to_numpy() <= block.end(month)
    return rows.loc[here, COLUMNS].reset_index(drop=True)


def property_truth(block: Known) -> pd.DataFrame:
    """Return whose each property is: TRUTH."""
    return estates(block)[TRUTH]
