"""Faults of whole deliveries: what the house makes of each, and which delivery has one."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from lakehouse.conf import conf_dir
from lakehouse.delivery import find
from lakehouse.errors import DeclarationError, UsageError
from lakehouse.feed import Feed
from synth.deliver import ledger
from synth.deliver.delivery import deliver, feeds_known
from synth.deliver.plan import FaultPlan, plan_faults
from synth.deliver.rates import rates
from synth.deliver.shapes import KINDS
from synth.deliver.values import as_written
from tests.synth.made_rows import RETIRED, parts
from tests.synth.raw import Landed, landed

FEEDS = feeds_known()
DAY = date(2016, 1, 5)
Row = dict[str, Any]
# Feeds that the house has a mapping for, one of each format and encoding.
HOUSE = ("person_register", "consumption_survey", "household_card", "cell", "cdr")
POSSIBLE = [(name, kind) for name in HOUSE for kind in KINDS if KINDS[kind].possible(FEEDS[name])]


def of_kind(kind: str, feed: Feed, period: str) -> FaultPlan:
    """Return a plan with one kind and no fault in a row."""
    none = rates("none")
    return FaultPlan("harsh", 1, none, (), {(feed.name, period): kind}, frozenset())


def made(out: Path, name: str, kind: str, packed: bool = False) -> tuple[list[Landed], list[Row]]:
    """Return what landing makes of the deliveries of one kind, and what is listed of them."""
    feed = FEEDS[name]
    period = "2015-12-31" if feed.every == "day" else "2015-12"
    plan, rows = of_kind(kind, feed, period), list(parts(feed, 2, 150))
    deliver(out / "landing", feed, period, DAY, rows, plan, notes=out / "faults", packed=packed)
    ledger.gather(out / "faults", "harsh", 1)
    listed = pq.read_table(out / "faults" / "delivery.parquet").to_pylist()
    return [landed(one, feed) for one in find(out / "landing")], listed


@pytest.mark.parametrize(("name", "kind"), POSSIBLE)
def test_the_house_makes_of_it_what_is_expected(name: str, kind: str, tmp_path: Path):
    found, [listed] = made(tmp_path, name, kind)
    feed = FEEDS[name]
    tables = [as_written(part.rows, feed).to_pydict() for part in parts(feed, 2, 150)]
    clean = [row for table in tables for row in zip(*table.values(), strict=True)]
    [wrong] = [one for one in found if one.delivery.name == listed["delivery"]]
    last = found[-1]
    assert listed["kind"] == kind
    if listed["expected"] == "refused":
        assert wrong.refused == listed["reason"]
    elif listed["expected"] == "quarantined":
        assert (wrong.bad, wrong.rows) == ([listed["reason"]], clean[:-1])
        last.rows.append(clean[-1])
    elif kind in ("shrunk", "corrected"):
        assert wrong.rows != clean
    else:
        assert wrong.rows == clean
        assert not wrong.bad
    # Whatever came first, what counts in the end is right.
    assert last.rows == clean
    is_corrected = kind in ("shrunk", "corrected") or wrong.refused
    superseded = f"{wrong.delivery.period}/{wrong.delivery.name}" if is_corrected else None
    assert last.delivery.manifest()["supersedes"] == superseded


@pytest.mark.parametrize("kind", ["truncated_line", "duplicate", "wrong_encoding", "bom"])
def test_packed_files_have_them_too(kind: str, tmp_path: Path):
    found, [listed] = made(tmp_path, "person_register", kind, packed=True)
    if kind == "truncated_line":
        assert (listed["expected"], listed["reason"]) == ("refused", "truncated_gzip")
    [wrong] = [one for one in found if one.delivery.name == listed["delivery"]]
    assert wrong.refused == (listed["reason"] if listed["expected"] == "refused" else None)
    assert found[-1].refused is None


def test_the_same_content_is_told_by_its_hash(tmp_path: Path):
    found, _ = made(tmp_path / "same", "cdr", "duplicate")
    assert len({one.content for one in found}) == 1
    other, _ = made(tmp_path / "other", "cdr", "exported_again")
    assert len({one.content for one in other}) == 2


def test_late_is_three_days_late(tmp_path: Path):
    [late], _ = made(tmp_path / "late", "cdr", "late")
    [right], _ = made(tmp_path / "right", "cdr", "moved_columns")
    assert late.delivery.arrived_at - right.delivery.arrived_at == timedelta(days=3)


def test_the_cut_line_is_listed_at_its_place(tmp_path: Path):
    made(tmp_path, "person_register", "truncated_line")
    [one] = pq.read_table(tmp_path / "faults" / "row.parquet").to_pylist()
    [path] = tmp_path.glob("landing/*/*/*/*/*.csv")
    assert (one["kind"], one["line"], one["reason"]) == ("truncated_line", 301, "wrong_field_count")
    last = path.read_bytes()[one["byte"] :]
    assert not last.endswith(b"\n")
    assert 0 < last.count(b",") < len(FEEDS["person_register"].delivered) - 1


def test_the_cut_line_drops_what_else_was_wrong_in_it(tmp_path: Path):
    """Row faults are listed for what can be read: one a line, also where the last one is cut."""
    feed, period = FEEDS["roster"], "2015-12"
    plan = plan_faults("harsh", 3, [(feed, period)], RETIRED)
    plan = FaultPlan("harsh", 3, plan.rates, plan.retired_villages,
                     {("roster", period): "truncated_line"}, plan.firsts)  # fmt: skip
    deliver(tmp_path / "landing", feed, period, DAY, parts(feed, 2, 400), plan, notes=tmp_path)
    ledger.gather(tmp_path, "harsh", 3)
    listed = pd.read_parquet(tmp_path / "row.parquet")
    assert listed["line"].is_unique
    assert list(listed["kind"])[-1] == "truncated_line"


def test_refused_deliveries_list_no_rows(tmp_path: Path):
    feed, period = FEEDS["person_register"], "2015-12"
    plan = plan_faults("harsh", 1, [(feed, period)], RETIRED)
    for kind, lands in (("missing_head", {"d2"}), ("shrunk", {"d1", "d2"}), ("duplicate", {"d1"})):
        chosen = FaultPlan("harsh", 1, plan.rates, plan.retired_villages,
                           {(feed.name, period): kind}, plan.firsts)  # fmt: skip
        out = tmp_path / kind
        deliver(out / "landing", feed, period, DAY, parts(feed, 2, 400), chosen, notes=out)
        ledger.gather(out, "harsh", 1)
        assert set(pd.read_parquet(out / "row.parquet")["delivery"]) == lands


# -- which delivery ------------------------------------------------------------------------


def everything(months: int, days: int) -> list[tuple[Feed, str]]:
    of_month = [f"{2010 + n // 12}-{n % 12 + 1:02d}" for n in range(months)]
    of_day = [(date(2015, 1, 1) + timedelta(days=n)).isoformat() for n in range(days)]
    return [(feed, period) for feed in FEEDS.values()
            for period in (of_day if feed.every == "day" else of_month)]  # fmt: skip


def test_shares_of_deliveries_are_kept():
    every = everything(120, 2_000)
    plan = plan_faults("harsh", 1, every)
    for what, kinds, share, n in (
        ("head", {"missing_head", "other_head", "moved_columns"}, 0.05, len(every)),
        ("truncated", {"truncated_file", "truncated_line", "file_changed"}, 0.01, len(every)),
        ("days", {"duplicate", "late", "exported_again"}, 0.03, 4_000),
    ):
        found = sum(kind in kinds and (what != "days" or len(of[1]) == 10)
                    for of, kind in plan.chosen.items())  # fmt: skip
        assert abs(found - share * n) < 4 * (share * n) ** 0.5, what
    registers = [(f.name, p) for f, p in every if f.every == "month" and f.extent == "full"]
    shrunk = sum(plan.chosen.get(one) == "shrunk" for one in registers)
    assert abs(shrunk - len(registers) / 20) < 4 * (len(registers) / 20) ** 0.5


@pytest.mark.parametrize("level", ["usual", "harsh"])
def test_a_run_that_is_large_enough_has_each_kind(level: str):
    plan = plan_faults(level, 1, everything(3, 20))
    assert set(plan.chosen.values()) == set(KINDS)


def test_a_small_run_has_the_first_kinds_and_stays_half_right():
    every = everything(1, 2)
    for seed in range(5):
        plan = plan_faults("usual", seed, every)
        assert len(plan.chosen) <= len(every) / 2
        assert {"wrong_encoding", "missing_head", "empty_file"} <= set(plan.chosen.values())
        assert max(Counter(plan.chosen.values()).values()) <= 2
    assert plan_faults("none", 1, every).chosen == {}


def test_no_other_register_is_lost_by_what_all_hang_on():
    assert "truncated_line" not in {kind for name, kind in
                                    plan_faults("harsh", 1, everything(60, 1)).chosen.items()
                                    if name[0] == "area"}  # fmt: skip


def test_an_unknown_level_is_refused():
    with pytest.raises(UsageError, match=r"none, usual, harsh\. Did you mean 'usual'"):
        plan_faults("usuall", 1, [])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("harsh = 0.005 }", "harsh = 5 }", "rows.number_with_letters.harsh is 5"),
        ("[people]", "[persons]", r"\[people\] is missing"),
        ("harsh = 0.03\n", "harsh = 0.97\n", "more than 1"),
        ('"bom"', '"bomb"', "'bomb'.*'bom'"),
        ("wrong_digit =", "wrong_digits =", "'wrong_digits'.*'wrong_digit'"),
    ],
)
def test_a_mistake_in_the_rates_is_named(
    old: str, new: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    text = (conf_dir() / "synth_faults.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "synth_faults.toml").write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setenv("BANGFU_CONF", str(tmp_path))
    rates.cache_clear()
    try:
        with pytest.raises(DeclarationError, match=told):
            rates("harsh")
    finally:
        rates.cache_clear()
