"""Telephone records: who calls, from where, when."""

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lakehouse.feed import feed
from synth.operator.calls import day_part
from tests.synth.operator_county import operator_county

DAY = date(2015, 12, 30)


@pytest.fixture(scope="module")
def calls() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    made = operator_county(people=4_000)
    events = made.given["phones"]["events_a_month"]
    table = pa.concat_tables(day_part(made.net, DAY, 3, made.given, events))
    names = {spec.head[0]: name for name, spec in feed("cdr").fields.items()}
    records = (
        table.to_pandas()
        .rename(columns=names)
        .astype({"event_kind": str, "caller_id": str, "recipient_id": str, "duration_s": "Int64"})
    )
    return (
        records.assign(started_at=pd.to_datetime(records["started_at"].astype(str))),
        made.owners,
        made.masts,
    )


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
