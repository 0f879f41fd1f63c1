"""Judge the model `poverty` on held-out households, and say what geography alone would reach."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.methods.targeting import confusion, quota_of
from jobs.methods.targeting import judge as measures

Floats = NDArray[np.float64]

TOWN_DIGITS, COUNTY_DIGITS = 9, 6
# Fewer sampled households say nothing of a group, and would say too much of each.
AT_LEAST = 16


def judge(held: pd.DataFrame, guess: Floats, quota: float) -> dict[str, float | None]:
    """Return all measures of a guess: the poor are the poorest `quota` by the survey."""
    return measures(
        held["consumption_cny"],
        guess,
        poorest=quota,
        quota=quota,
        weight=held["weight"],
        ids=held["household_id"],
    )


def geography(fitting: pd.DataFrame, held: pd.DataFrame, params: dict[str, Any]) -> Floats:
    """Return what the town alone says of each household: its mean in the fitting part.

    The mean is that of log consumption, drawn to the county's as if `shrink_households` more had
    been sampled in the town with the county's mean. A county that was not sampled has the mean of
    all.
    """
    known = fitting[fitting["consumption_cny"] > 0]
    rows = pd.DataFrame(
        {
            "town": known["village_code"].str[:TOWN_DIGITS],
            "county": known["village_code"].str[:COUNTY_DIGITS],
            "weight": known["weight"] / known["weight"].mean(),
        }
    )
    rows["weighed"] = rows["weight"] * np.log(known["consumption_cny"])
    whole = rows["weighed"].sum() / rows["weight"].sum()
    counties = rows.groupby("county")[["weighed", "weight"]].sum()
    of_county = counties["weighed"] / counties["weight"]
    towns = rows.groupby("town")[["weighed", "weight"]].sum()
    drawn_to = towns.index.str[:COUNTY_DIGITS].map(of_county).to_numpy(dtype=float)
    extra = params["shrink_households"]
    of_town = (towns["weighed"] + extra * drawn_to) / (towns["weight"] + extra)
    codes = held["village_code"]
    by_county = codes.str[:COUNTY_DIGITS].map(of_county).fillna(whole)
    log = codes.str[:TOWN_DIGITS].map(of_town).fillna(by_county)
    return np.exp(log.to_numpy(dtype=float))


def by_group(
    held: pd.DataFrame, guess: Floats, quota: float, groups: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return the errors by group and by town, of the one quota over all held-out households.

    `log_error` is the mean of ln(guess / truth): above 0 the group is thought richer than it is.
    A group of fewer than 16 sampled households has its number only.
    """
    truth, weight, ids = held["consumption_cny"], held["weight"], held["household_id"]
    poor = quota_of(truth, quota, weight=weight, ids=ids)
    chosen = quota_of(guess, quota, weight=weight, ids=ids)
    told = {"town": held["village_code"].str[:TOWN_DIGITS]}
    told |= {group: held[group].map(_flag) for group in groups}
    made: list[dict[str, Any]] = []
    for group, values in told.items():
        for value in sorted(values.unique()):
            at = (values == value).to_numpy()
            row: dict[str, Any] = {"group": group, "value": value, "n": int(at.sum())}
            if row["n"] >= AT_LEAST:
                cells = confusion(poor[at], chosen[at], weight[at])
                row["inclusion_error"] = cells.inclusion_error
                row["exclusion_error"] = cells.exclusion_error
                row["log_error"] = _log_error(truth[at], guess[at], weight[at])
            made.append(row)
    return made


def _flag(value: Any) -> str:
    """Return a flag as a word; unknown flags come as None or NaN."""
    return "unknown" if pd.isna(value) else str(bool(value)).lower()


def _log_error(
    truth: "pd.Series[float]", guess: Floats, weight: "pd.Series[float]"
) -> float | None:
    is_known = (truth > 0).to_numpy()
    if not is_known.any():
        return None
    errors = np.log(guess[is_known]) - np.log(truth[is_known].to_numpy(dtype=float))
    return float(np.average(errors, weights=weight[is_known]))
