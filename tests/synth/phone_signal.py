"""How much of consumption telephones tell: plain indicators a number, and a logistic regression.

    python -m tests.synth.phone_signal --people 40000 --days 30

Not a model of the house: it measures the generator. Aiken et al. 2022 (Togo, field survey) found
an area under the ROC curve near .72 for the poorest 29 % by consumption.
"""

import argparse
from datetime import timedelta

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from synth.operator import calls, sessions
from synth.operator.bills import bills, recharges
from synth.operator.cells import NO_CELL
from synth.operator.handsets import catalogue
from synth.operator.network import Network
from tests.synth.operator_county import OperatorCounty, operator_county

POOREST = 0.29


def poorest(consumption: np.ndarray, people: np.ndarray, share: float = POOREST) -> np.ndarray:
    """Tell which households hold the poorest share of people by consumption."""
    order = np.argsort(consumption, kind="stable")
    below = np.cumsum(people[order]) / people.sum()
    return consumption <= consumption[order][np.searchsorted(below, share)]


def indicators(made: OperatorCounty, days: int, a_month: float) -> pd.DataFrame:
    """Return a dozen and more indicators a number, over the last days of the period."""
    net, owners = made.net, made.owners
    told, seed, given = made.told, made.told.seed, made.given
    period = [told.last - timedelta(days=ago) for ago in reversed(range(days))]
    sides = pd.concat(
        [_sides(net, n, calls.events(net, day, seed, given, a_month)) for n, day in
         enumerate(period)]
    )  # fmt: skip
    found = _of_calls(sides, len(net))
    data = pd.concat(
        [pd.DataFrame({"number": each.number, "down": each.down_bytes / 1e6})
         for day in period for each in sessions.sessions(net, day, seed, given)]
    )  # fmt: skip
    billed = bills(owners, told.last, seed, "all", given)
    paid = recharges(owners, billed, told.last, seed, "all", given)
    by_phone = paid.groupby("subscriber_id")["amount_cny"].agg(["size", "mean"])
    phone = owners["phone"]
    price = catalogue(seed, given["phones"]).set_index("tac")["price_cny"]
    found["data_mb"] = np.bincount(data["number"], data["down"], len(net))
    found["charge_cny"] = phone.map(billed.set_index("subscriber_id")["charge_cny"]).fillna(0)
    found["n_recharges"] = phone.map(by_phone["size"]).fillna(0)
    found["recharge_cny"] = phone.map(by_phone["mean"]).fillna(0)
    found["is_smartphone"] = owners["is_smartphone"].astype(float)
    found["handset_cny"] = owners["tac"].map(price)
    return found


def _sides(net: Network, day: int, parts: object) -> pd.DataFrame:
    """Return one row per event and party of the county."""
    some = calls.joined(list(parts))
    sides = []
    for is_out, mine, other, cell in (
        (True, some.caller, some.recipient, some.caller_cell),
        (False, some.recipient, some.caller, some.recipient_cell),
    ):
        rows = pd.DataFrame(
            {"number": mine, "other": other, "cell": cell, "day": day, "is_out": is_out,
             "is_text": some.is_text, "s": some.duration_s, "hour": some.second // 3600,
             "is_abroad": some.scope == calls.INTERNATIONAL}
        )  # fmt: skip
        sides.append(rows[rows["number"] < len(net)])
    return pd.concat(sides)


def _of_calls(sides: pd.DataFrame, n: int) -> pd.DataFrame:
    number, is_text = sides["number"].to_numpy(), sides["is_text"].to_numpy()
    every = np.bincount(number, minlength=n)
    called = np.bincount(number, ~is_text, n)
    at_night = (sides["hour"] < 7) | (sides["hour"] >= 19)

    def distinct(column: str, rows: pd.DataFrame) -> np.ndarray:
        pairs = rows[["number", column]].drop_duplicates()
        return np.bincount(pairs["number"], minlength=n)

    per = np.maximum(every, 1)
    return pd.DataFrame(
        {
            "n_events": every,
            "active_days": distinct("day", sides),
            "n_contacts": distinct("other", sides),
            "n_cells": distinct("cell", sides[sides["cell"] != NO_CELL]),
            "out_share": np.bincount(number, sides["is_out"], n) / per,
            "text_share": np.bincount(number, is_text, n) / per,
            "night_share": np.bincount(number, at_night, n) / per,
            "call_s": np.bincount(number, sides["s"], n) / np.maximum(called, 1),
            "n_abroad": np.bincount(number, sides["is_abroad"], n),
        }
    )


def auc(found: pd.DataFrame, is_poor: np.ndarray, household: np.ndarray) -> float:
    """Return the area under the ROC curve of a logistic regression, out of its households."""
    features = np.log1p(found.to_numpy(dtype=float))
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    score = cross_val_predict(
        model, features, is_poor, groups=household, cv=GroupKFold(5), method="predict_proba"
    )
    return float(roc_auc_score(is_poor, score[:, 1]))


def measured(made: OperatorCounty, days: int, a_month: float) -> tuple[float, pd.DataFrame]:
    """Return the area under the curve, and each indicator's rank correlation with consumption."""
    found = indicators(made, days, a_month)
    homes = made.homes
    is_poor = poorest(homes["consumption_cny"].to_numpy(), homes["n_members"].to_numpy())
    household = made.owners["household"].to_numpy()
    spent = homes["consumption_cny"].to_numpy()[household]
    ties = found.corrwith(pd.Series(spent), method="spearman").rename("with consumption")
    return auc(found, is_poor[household], household), ties.to_frame()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--area", default="211223")
    parser.add_argument("--people", type=int, default=40_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--events", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    county = operator_county(said.area, said.people, said.seed)
    found_auc, found_ties = measured(county, said.days, said.events)
    print(found_ties.round(3).to_string())
    print(f"area under the curve {found_auc:.3f}, poorest {POOREST:.0%} by consumption")
