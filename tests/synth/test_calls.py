"""Telephone records: who calls, from where, when."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from synth.operator.calls import day_of_calls
from tests.synth.operator_county import operator_county

DAY = date(2015, 12, 30)


@pytest.fixture(scope="module")
def calls() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    made = operator_county(people=4_000)
    return day_of_calls(made.net, DAY, 3, made.given), made.owners, made.masts


def test_records_are_whole(calls):
    records, owners, masts = calls
    key = ["caller_id", "recipient_id", "started_at", "event_kind"]
    assert not records.duplicated(key).any()
    assert (records["caller_id"] != records["recipient_id"]).all()
    assert (records["started_at"].dt.date == DAY).all()
    assert (records["duration_s"].isna() == (records["event_kind"] == "text")).all()
    assert records["duration_s"].mean() == pytest.approx(77, rel=0.1)
    ours = records["caller_id"].isin(owners["phone"])
    assert (ours | records["recipient_id"].isin(owners["phone"])).all()
    assert records.loc[~ours, "caller_cell_id"].isna().all()
    working = masts.loc[masts["valid_to"].isna(), "cell_id"]
    assert len(masts) - len(working) == 1
    assert set(records["caller_cell_id"].dropna()) <= set(working)


def test_about_eight_events_a_subscriber(calls):
    records, owners, _ = calls
    sides = pd.concat([records["caller_id"], records["recipient_id"]])
    each = sides.value_counts().reindex(owners["phone"]).fillna(0)
    assert 6 < each.mean() < 9
    assert np.corrcoef(each, owners["wealth"])[0, 1] > 0.15


def test_away_means_no_cell(calls):
    records, owners, _ = calls
    away = set(owners.loc[owners["is_away"], "phone"])
    assert away
    assert records.loc[records["caller_id"].isin(away), "caller_cell_id"].isna().all()


def test_like_call_like(calls):
    records, owners, _ = calls
    wealth = owners.set_index("phone")["wealth"]
    pairs = records.drop_duplicates(["caller_id", "recipient_id"])
    both = pd.DataFrame(
        {"a": pairs["caller_id"].map(wealth), "b": pairs["recipient_id"].map(wealth)}
    ).dropna()
    assert both.corr().loc["a", "b"] > 0.2
