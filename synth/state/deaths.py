"""Deaths, and when each office hears of them; disability as the federation knows it."""

import numpy as np
import pandas as pd

from synth.state.known import DAY, GONE, NEVER, Known, numbered, once, stacked
from synth.state.strangers import EARLIER_DEAD, long_gone

DEATH = ["certificate_id", "person_id", "person_name", "sex", "birth_date", "death_date",
         "cremated_date", "village_code"]  # fmt: skip
MONTH_DAYS = 30


@once
def departed(block: Known) -> pd.DataFrame:
    """Return who died or left: those of `block.gone`, and who died in the months before the first.

    Of the latter offices hear in the months delivered; the population does not have them.
    """
    told, rng = block.state["death"], block.stream("deaths", "before")
    months = told["before_months"]
    n = round(told["a_year"] / 12 * months * len(block.people))
    old = np.flatnonzero((block.homes["head_age"] >= 45).to_numpy())
    home = np.sort(rng.choice(old, n)) if len(old) else np.zeros(0, dtype=int)
    surname = block.heads["person_name"].str[0].loc[home].to_numpy()
    who = long_gone(block, surname, EARLIER_DEAD, rng)
    home = home[: len(who)]
    before = who.assign(
        household_id=block.homes["household_id"].to_numpy()[home],
        village=block.homes["village"].to_numpy()[home],
        left_date=block.seat.first - rng.integers(1, months * MONTH_DAYS, len(who)) * DAY,
        reason="died",
    )
    return stacked(block.gone, before[GONE])


@once
def deaths(block: Known) -> pd.DataFrame:
    """Return who died and when it became known: the truth.

    person_id, person_name, is_male, birth_date, household_id, village_code, is_rural, died_date,
    civil_date (civil affairs; NaT: never), police_date (the police, later still).
    """
    told, rng = block.state["death"], block.stream("deaths")
    gone = departed(block)
    died = gone[gone["reason"] == "died"].reset_index(drop=True)
    village = block.places.villages.iloc[died["village"].to_numpy(dtype=int)]
    when = died["left_date"].to_numpy().astype("datetime64[D]")
    late = _days(told["civil_months"], len(died), rng)
    later = late + _days(told["police_months"], len(died), rng)
    unheard = rng.random(len(died)) < told["never"]
    return died.drop(columns=["village", "left_date", "reason"]).assign(
        village_code=village["village_code"].to_numpy(),
        is_rural=village["is_rural"].to_numpy(),
        died_date=when,
        civil_date=np.where(unheard, NEVER, when + late),
        police_date=np.where(unheard, NEVER, when + later),
    )


def _days(months: list[int], n: int, rng: np.random.Generator) -> np.ndarray:
    """Return delays of some months, short ones more often."""
    low, high = months
    drawn = low + (high - low) * rng.beta(1, 2.5, n)
    return np.round(drawn * MONTH_DAYS).astype("timedelta64[D]")


def death(block: Known, month: int) -> pd.DataFrame:
    """Return the deaths that civil affairs registered in a month; some without an ID number."""
    told, rows = block.state["death"], deaths(block)
    rng = block.stream("death", "register")
    rows = rows.assign(
        certificate_id=numbered("S" + block.code, len(rows), 6),
        has_number=rng.random(len(rows)) >= told["no_number"],
        cremated_date=rows["died_date"] + rng.integers(1, 5, len(rows)).astype("timedelta64[D]"),
        sex=np.where(rows["is_male"].astype(bool), "male", "female"),
        death_date=rows["died_date"],
    )
    on = rows["civil_date"].to_numpy().astype("datetime64[D]")
    here = rows[(on >= block.begin(month)) & (on <= block.end(month))].reset_index(drop=True)
    return here.assign(person_id=here["person_id"].where(here["has_number"]))[DEATH]
