"""The operator's register of numbers, and what the operator does not know of them."""

from datetime import date

import numpy as np
import pandas as pd

from synth.people.population import Population
from synth.plan import Told


def register(owners: pd.DataFrame, end: date, county: str) -> pd.DataFrame:
    """Return the operator's register of a block on the last day of a month.

    One row a number that is known then: its token, days and state, consent, handset. Numbers
    closed before the month are no longer listed.
    """
    on = pd.Timestamp(end)
    first = on.replace(day=1)
    is_closed = owners["closed_on"] <= on
    is_paused = (owners["suspended_from"] <= on) & (on < owners["suspended_to"])
    status = np.select([is_closed, is_paused], ["closed", "suspended"], "active")
    made = pd.DataFrame(
        {
            "subscriber_id": owners["phone"],
            "identity_token": owners["identity_token"],
            "county_code": county.ljust(12, "0"),
            "activated_on": owners["activated_on"],
            "closed_on": owners["closed_on"].where(is_closed),
            "status": status,
            "has_consent": owners["has_consent"],
            "tac": owners["tac"],
            "is_smartphone": owners["is_smartphone"],
        }
    )
    listed = (owners["activated_on"] <= on) & ~(owners["closed_on"] < first)
    return made[listed].reset_index(drop=True)


def truth(
    owners: pd.DataFrame, who: Population, village_codes: np.ndarray, told: Told
) -> pd.DataFrame:
    """Return what the operator does not know: one row a number of a block.

    user_id, on_paper_id and shared_with_id are ID numbers; away_in names the months of the period
    spent at work elsewhere, 2015-03,2015-04. Ranks need the whole province: wealth, the same
    scale everywhere, orders all numbers of it.
    """
    months = np.array([f"{end:%Y-%m}" for end in told.month_ends])
    number = who.people["person_id"].to_numpy()
    shared = owners["shared_with"].to_numpy()
    homes = who.homes["household_id"].to_numpy()
    return pd.DataFrame(
        {
            "phone": owners["phone"],
            "user_id": number[owners["user"]],
            "on_paper_id": number[owners["person"]],
            "shared_with_id": np.where(shared >= 0, number[shared], None),
            "household_id": homes[owners["household"]],
            "village_code": village_codes[owners["village"]],
            "is_away": owners["is_away"],
            "away_in": [",".join(months[each]) or None for each in owners["away"]],
            "wealth": owners["wealth"].round(4),
            "activity": owners["activity"].round(4),
        }
    )
