"""Codes change half-way: registers follow on the day, people stay where they are."""

import csv
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from lakehouse.delivery import find
from lakehouse.errors import InputMissing
from synth.deliver.delivery import feeds_known
from synth.places.divisions import divisions
from tests.synth.conftest import Made, made_in
from tests.synth.raw import raw

TOWN = "211223101"
NEW, OLD, GIVEN_UP = f"{TOWN}201", f"{TOWN}399", f"{TOWN}398"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Before: the village ...201 of the first town under another code, and one village more."""
    folder = tmp_path_factory.mktemp("recode")
    after = divisions(None, "211223")
    before = after.replace({NEW: OLD})
    more = before[before["area_code"] == OLD].assign(area_code=GIVEN_UP, area_name="已并村民委员会")
    for name, rows in (("before", before), ("after", after)):
        rows = rows if name == "after" else pd.concat([rows, more])
        rows.to_csv(folder / f"{name}.csv", index=False, quoting=csv.QUOTE_MINIMAL)
    return made_in(
        folder / "out", people=8_000, months=4, days=0, divisions=folder / "before.csv",
        later=folder / "after.csv", only=frozenset({"area", "person_register", "land"}),
    )  # fmt: skip


def _codes(made: Made, feed: str, column: str) -> dict[str, set[str | None]]:
    found: dict[str, set[str | None]] = {}
    for one in find(made.landing):
        if one.feed == feed:
            rows = raw(one.folder, feeds_known()[feed])
            found[one.period] = {rows.cell(line, column) for line in rows.rows}
    return found


def test_registers_write_the_new_code_from_the_day_on(made: Made):
    by_month = _codes(made, "person_register", "village_code")
    assert list(by_month) == ["2015-12", "2016-01", "2016-02", "2016-03"]
    for month, codes in by_month.items():
        is_old = month < "2016-02"
        assert (OLD in codes) == is_old, month
        assert (GIVEN_UP in codes) == is_old, month
        assert (NEW in codes) != is_old, month


def test_the_tree_is_delivered_again_with_the_days(made: Made):
    by_month = _codes(made, "area", "area_code")
    assert list(by_month) == ["2015-12", "2016-02"]
    assert NEW not in by_month["2015-12"]
    assert {NEW, OLD, GIVEN_UP} <= by_month["2016-02"]
    [last] = [one for one in find(made.landing) if (one.feed, one.period) == ("area", "2016-02")]
    rows = raw(last.folder, feeds_known()["area"])
    told = {
        rows.cell(line, "area_code"): (rows.cell(line, "valid_from"), rows.cell(line, "valid_to"))
        for line in rows.rows
    }
    assert told[NEW] == ("2016-02-01", None)
    assert told[OLD][1] == told[GIVEN_UP][1] == "2016-02-01"


def test_the_truth_says_what_became_of_each_code(made: Made):
    rows = pq.read_table(made.truth / "code_change.parquet").to_pylist()
    became = {row["old_code"]: (row["new_code"], row["is_merged"]) for row in rows
              if row["change"] == "dropped"}  # fmt: skip
    assert became == {OLD: (NEW, False), GIVEN_UP: ("", True)}


def test_people_stay(made: Made):
    edges = pq.read_table(made.truth / "membership.parquet").to_pandas()
    assert "moved" in set(edges["reason"])
    assert edges["household_id"].str[:9].nunique() > 10


def test_the_paths_are_files(tmp_path: Path):
    with pytest.raises(InputMissing, match="Divisions"):
        made_in(tmp_path / "out", divisions=tmp_path / "none.csv")
