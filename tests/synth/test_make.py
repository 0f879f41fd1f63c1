"""The whole command: the same bytes for any workers, clear errors, a report on what was made."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.errors import InputMissing, UsageError
from synth.deliveries import DAILY
from synth.make import make, planned
from synth.places.places import counties_of
from synth.plan import Told, blocks, people_of, shared_out
from synth.report.figures import right_files
from synth.report.models import of_counties
from synth.report.page import compared
from synth.state.registry import TRUTH
from tests.synth.conftest import Made, made_in

TWO = Told(people=1_600, months=2, days=2, seed=4, faults="usual")


def _bytes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_number_of_workers_changes_no_byte(tmp_path: Path):
    one = make(tmp_path / "one", TWO, workers=1)
    two = make(tmp_path / "two", TWO, workers=2)
    assert one == two
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")
    assert not (tmp_path / "one" / ".work").exists()
    assert {path.name for path in (tmp_path / "one").iterdir() if path.name[0] != "."} == {
        "landing", "truth", "faults"
    }  # fmt: skip
    register = tmp_path / "one" / "landing" / "police" / "person_register"
    assert sorted(path.name for path in register.iterdir()) == ["2015-12", "2016-01"]


def test_only_the_feeds_asked_for(tmp_path: Path):
    made = made_in(tmp_path, only=frozenset({"roster", "cdr"}))
    assert set(made.summary.rows) == {"roster", "cdr"}
    with pytest.raises(UsageError, match=r"rooster: no such feed\. Did you mean 'roster'"):
        made_in(tmp_path / "other", only=frozenset({"rooster"}))


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="holds something else"):
        make(tmp_path, Told(people=400))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_area_that_is_not_there_offers_near_ones(tmp_path: Path):
    with pytest.raises(UsageError, match="211223 西丰县"):
        make(tmp_path / "new", Told(area="211229"))
    assert not (tmp_path / "new").exists()
    with pytest.raises(UsageError, match="fewer than 200 people"):
        make(tmp_path / "new", Told(area="21", people=5_000))
    assert not (tmp_path / "new").exists()


def test_counties_share_the_people_by_population():
    given = {
        code: {"area": own, "places": {"people_of_one": 10}}
        for code, own in (("a", {"population": 300}), ("b", {}))
    }
    assert people_of(Told(people=4_001), {"a": 1, "b": 10}, given) == {"a": 3_001, "b": 1_000}
    assert list(shared_out(10, np.ones(3))) == [4, 3, 3]
    assert list(counties_of("2112")) == [
        "211202", "211204", "211221", "211223", "211224", "211281", "211282"
    ]  # fmt: skip


def test_large_towns_are_cut_between_villages(towns):
    villages = towns[0].county.places.villages
    cut = blocks({"211223": villages}, {"211223": 2_000_000})
    rows = [row for block in cut for row in block.rows]
    assert sorted(rows) == list(range(len(villages)))
    assert sum(block.people for block in cut) == 2_000_000
    assert len({block.name for block in cut}) == len(cut) > villages["town_code"].nunique()
    for block in cut:
        assert len(block.rows) == 1 or block.people < 100_000


def test_the_command_says_what_it_would_do(tmp_path: Path):
    out = tmp_path / "new"
    done = CliRunner().invoke(
        app, ["synth", "--out", str(out), "--people", "500", "--dry-run", "--json"]
    )
    told = json.loads(done.stdout)
    assert (told["people"], told["counties"], told["months"]) == (500, 1, 1)
    assert not out.exists()
    assert planned(Told(people=500))["towns"] == told["towns"]
    for wrong in (["--from", "2015"], ["--faults", "some"], ["--people", "3"]):
        done = CliRunner().invoke(app, ["synth", "--out", str(out), *wrong])
        assert isinstance(done.exception, UsageError), wrong
    assert isinstance(CliRunner().invoke(app, ["synth"]).exception, UsageError)


def test_truth_of_every_kind_is_there(usual: Made):
    tables = {path.stem: pq.read_table(path) for path in usual.truth.glob("*.parquet")}
    assert {"household", "household_month", "line", "membership", "person", "poverty_spell",
            "shock", "subscriber", *TRUTH} == set(tables)  # fmt: skip
    people = set(tables["person"]["person_id"].to_pylist())
    assert set(tables["membership"]["person_id"].to_pylist()) == people
    books = set(tables["membership"]["household_id"].to_pylist())
    assert set(tables["household"]["household_id"].to_pylist()) <= books
    assert set(tables["subscriber"]["user_id"].to_pylist()) <= people


def test_counties_are_judged_by_their_own_poorest():
    """The one county is told apart by its town, the other is not; a third is too small."""
    n = 1_000
    rows = pd.DataFrame(
        {"household_id": [f"{c}101{k:06d}" for c in (211223, 211224) for k in range(n)]
         + ["211282101000001"],
         "consumption_cny": [*range(1, 2 * n + 1), 1.0], "guess": [*range(n), *[0] * n, 0]}
    )  # fmt: skip
    judge = lambda of: roc_auc_score(of["is_poorest"], -of["guess"])  # noqa: E731
    assert of_counties(rows, judge) == pytest.approx((1.0 + 0.5) / 2)
    assert of_counties(rows.head(n), judge) is None


def test_the_report_holds_it_against_published_figures(tmp_path: Path):
    """Deliveries that are refused, doubled or corrected are left out of it."""
    made_in(tmp_path, people=3_000, days=6, faults="harsh")
    [days] = {len(list(tmp_path.glob(f"landing/operator/{feed}/*"))) for feed in DAILY}
    wrong = pq.read_table(tmp_path / "faults" / "delivery.parquet").to_pylist()
    wrong = [one for one in wrong if one["feed"] in DAILY]
    assert {one["expected"] for one in wrong} > {"refused"}
    assert [len(right_files(tmp_path, feed)) for feed in DAILY] == [days, days]
    rows = {row["figure"].split(" ")[0] + row["of"]: row for row in compared(tmp_path)}
    length = next(row for row in rows.values() if row["figure"].startswith("Length of a call"))
    assert length["ratio"] == pytest.approx(1, abs=0.15)
    with pytest.raises(InputMissing, match="holds no truth"):
        compared(tmp_path / "elsewhere")
