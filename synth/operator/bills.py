"""Bills and recharges of a month."""

from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures, stream
from synth.operator.behaviour import quantile

DAY_S = 86_400
ONE_DAY = np.timedelta64(1, "D")


def bills(owners: pd.DataFrame, end: date, seed: int, block: str, given: Figures) -> pd.DataFrame:
    """Return what each number of a block is charged for the month that ends on a day.

    subscriber_id and charge_cny, one row a number in service on some day of the month; who was
    not served all month pays for a part of it.
    """
    told, share = given["phones"]["bill"], _share_served(owners, end)
    noise = stream(seed, "bills", block, f"{end:%Y-%m}").normal(size=len(owners))
    z = np.sqrt(told["lasting"]) * owners["charge_z"] + np.sqrt(1 - told["lasting"]) * noise
    charge = quantile(z.to_numpy(), told["p10_cny"], told["p50_cny"], told["p90_cny"]) * share
    made = pd.DataFrame({"subscriber_id": owners["phone"], "charge_cny": charge.round(2)})
    return made[share > 0].reset_index(drop=True)


def recharges(
    owners: pd.DataFrame, billed: pd.DataFrame, end: date, seed: int, block: str, given: Figures
) -> pd.DataFrame:
    """Return what is paid in during a month, in the order of time.

    subscriber_id, recharged_at (local), amount_cny: as much as is charged, on the average, by as
    many payments as the usual amount of each number takes.
    """
    rng = stream(seed, "recharges", block, f"{end:%Y-%m}")
    at_a_time = owners.set_index("phone")["topup_cny"].reindex(billed["subscriber_id"]).to_numpy()
    times = np.floor(billed["charge_cny"].to_numpy() / at_a_time + rng.random(len(billed)))
    one = np.repeat(np.arange(len(billed)), times.astype(int))
    hours = np.array(given["phones"]["hours"], dtype=float)
    second = rng.choice(24, size=len(one), p=hours / hours.sum()) * 3600
    second += rng.integers(end.day, size=len(one)) * DAY_S + rng.integers(3600, size=len(one))
    made = pd.DataFrame(
        {
            "subscriber_id": billed["subscriber_id"].to_numpy()[one],
            "recharged_at": np.datetime64(f"{end:%Y-%m}-01", "s") + second.astype("m8[s]"),
            "amount_cny": at_a_time[one],
        }
    )
    made = made.drop_duplicates(["subscriber_id", "recharged_at"])
    return made.sort_values(["recharged_at", "subscriber_id"], ignore_index=True)


def _share_served(owners: pd.DataFrame, end: date) -> np.ndarray:
    """Return the share of the days of a month that each number was in service."""
    last = np.datetime64(end, "D") + ONE_DAY
    first = np.datetime64(f"{end:%Y-%m}-01", "D")

    def days(since: pd.Series, until: pd.Series) -> np.ndarray:
        since = since.fillna(last).clip(first, last)
        return (until.fillna(last).clip(since, last) - since).dt.days.to_numpy()

    paused = days(owners["suspended_from"], owners["suspended_to"])
    return (days(owners["activated_on"], owners["closed_on"]) - paused).clip(min=0) / end.day
