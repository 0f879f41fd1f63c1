"""Every fault that is listed is found in the bytes at its place, and there is no other."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest

from lakehouse.feed import Feed
from synth.deliver import ledger
from synth.deliver.delivery import Part, deliver, feeds_known
from synth.deliver.expect import OUTCOMES, check_fits
from synth.deliver.kinds import CELLS, OF_ROWS, columns_for, names_of
from synth.deliver.plan import FaultPlan, plan_faults
from synth.deliver.rates import rates
from synth.deliver.shapes import KINDS
from tests.synth.made_rows import RETIRED, VILLAGES, parts
from tests.synth.raw import Raw, raw, separator

FEEDS = feeds_known()
BLOCKS, ROWS = 3, 700
ADDED = ("doubled_row", "in_two_households")
Row = dict[str, Any]


class Run(NamedTuple):
    out: Path
    faults: list[Row]
    told: dict[str, Any]

    def raw(self, name: str) -> Raw:
        [folder] = (self.out / "landing").glob(f"*/{name}/*/d1")
        return raw(folder, FEEDS[name])

    def of(self, name: str) -> list[Row]:
        return [row for row in self.faults if row["feed"] == name]


def period_of(feed: Feed) -> str:
    return "2015-12-31" if feed.every == "day" else "2015-12"


def run(out: Path, level: str, names: Iterable[str] = FEEDS, **said: Any) -> Run:
    """Deliver each feed once, no delivery wrong as a whole."""
    every = [(feed, period_of(feed)) for feed in FEEDS.values()]
    plan = plan_faults(level, 1, every, RETIRED)
    plan = FaultPlan(level, 1, plan.rates, plan.retired_villages, {}, plan.firsts)
    for name in names:
        feed, rows = FEEDS[name], list(parts(FEEDS[name], BLOCKS, ROWS, **said))
        deliver(out / "landing", feed, period_of(feed), date(2016, 1, 5), rows, plan,
                notes=out / "faults")  # fmt: skip
    told = ledger.gather(out / "faults", level, 1)
    return Run(out, pq.read_table(out / "faults" / "row.parquet").to_pylist(), told)


@pytest.fixture(scope="module")
def harsh(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("harsh"), "harsh")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("clean"), "none")


def test_none_has_none(clean: Run):
    assert clean.faults == []
    assert clean.told == {"level": "none", "seed": 1, "rows": {}, "deliveries": {}}


@pytest.mark.parametrize("name", FEEDS)
def test_each_fault_is_at_its_place(name: str, harsh: Run):
    found, listed = harsh.raw(name), harsh.of(name)
    assert listed
    for one in listed:
        line = one["line"]
        if FEEDS[name].format == "csv":
            assert found.starts[line] == one["byte"], one
        if one["kind"] == "doubled_row":
            assert found.rows[line] == found.rows[one["first_line"]]
            assert one["first_line"] == line - 1
        elif one["kind"] in ("wrong_field_count", "undecodable_line", "other_encoding_line"):
            assert _is_bad_line(one["kind"], found.lines[line], found), one
        else:
            assert found.cell(line, one["column"]) == one["written"] != one["right"], one
            if one["kind"] == "in_two_households":
                assert found.cell(one["first_line"], one["column"]) == one["right"]


def _is_bad_line(kind: str, line: bytes, found: Raw) -> bool:
    comma = separator(found.feed)
    if kind == "wrong_field_count":
        return line.count(comma.encode()) != len(found.heads) - 1
    if kind == "undecodable_line":
        return comma.encode() + b"\xff\xff" in line
    other = {"gb18030": "utf-8", "utf-8": "gb18030"}[found.feed.encoding]
    text = line.decode(other)
    return not text.isascii() and text.count(comma) == len(found.heads) - 1


@pytest.mark.parametrize("name", FEEDS)
def test_what_is_not_listed_is_as_it_was(name: str, harsh: Run, clean: Run):
    found, right = harsh.raw(name), list(clean.raw(name).rows.values())
    by_line = defaultdict(list)
    for one in harsh.of(name):
        by_line[one["line"]].append(one)
    added = {one["line"] for one in harsh.of(name) if one["kind"] in ADDED}
    kept = [(line, cells) for line, cells in found.rows.items() if line not in added]
    assert len(kept) == len(right) == BLOCKS * ROWS
    for (line, cells), as_it_was in zip(kept, right, strict=True):
        expected: list[str | None] | None = list(as_it_was or [])
        for one in by_line[line]:
            if one["column"] is None:
                cells = expected = None
            elif expected is not None:
                assert expected[found.column(one["column"])] == one["right"], one
                expected[found.column(one["column"])] = one["written"]
        assert cells == expected, line


@pytest.mark.parametrize("name", FEEDS)
def test_a_second_row_says_what_the_first_does(name: str, harsh: Run):
    found = harsh.raw(name)
    for one in harsh.of(name):
        if one["kind"] in ADDED:
            first, second = (list(found.rows[one[at]] or []) for at in ("first_line", "line"))
            if one["column"]:
                first[found.column(one["column"])] = one["written"]
            assert first == second


def test_a_row_has_one_fault(harsh: Run):
    lines = Counter(
        (one["feed"], one["line"]) for one in harsh.faults if one["kind"] != "other_datum"
    )
    assert set(lines.values()) == {1}
    firsts = {(one["feed"], one["first_line"]) for one in harsh.faults if one["first_line"]}
    assert not firsts & lines.keys()


def test_rates_of_harsh_are_kept(harsh: Run):
    for name, feed in FEEDS.items():
        counted = harsh.told["rows"][name]
        for kind, share in rates("harsh").rows.items():
            if kind not in counted:
                continue
            # Each block rounds by chance; the first has one at least.
            n, right = counted[kind], share * ROWS
            assert BLOCKS * int(right) <= n <= BLOCKS * (int(right) + 1), (name, kind)
        if names_of(feed):
            n = rates("harsh").people["other_spelling"] * BLOCKS * ROWS
            assert abs(counted["other_spelling"] - n) < 4 * np.sqrt(n), name


def test_the_fixed_rates_are_those_of_the_trial():
    harsh, usual = rates("harsh"), rates("usual")
    assert harsh.rows.keys() | harsh.people.keys() == CELLS.keys() | OF_ROWS.keys()
    assert {kind for group in harsh.groups for kind in group.kinds} == KINDS.keys()
    digits = ("wrong_check_digit", "swapped_digits", "wrong_digit")
    for of in ("rows", "people"):
        for kind, share in getattr(harsh, of).items():
            assert 0 < getattr(usual, of)[kind] <= 0.34 * share, kind
    assert sum(harsh.rows[kind] for kind in digits) == pytest.approx(0.01)
    fixed = {"doubled_row": 0.02, "id_15_digits": 0.03, "in_two_households": 0.01}
    assert fixed.items() <= harsh.rows.items()
    assert harsh.people == {"other_spelling": 0.02}


def test_which_feed_has_which_kind_follows_from_its_fields(harsh: Run):
    for name, feed in FEEDS.items():
        kinds = set(harsh.told["rows"][name])
        if feed.format == "parquet":
            assert kinds <= {"doubled_row", "other_datum"}
        elif feed.purpose == "reference":
            assert kinds <= {"doubled_row", "other_datum", "trailing_blank"}
        else:
            possible = {kind for kind in CELLS if columns_for(feed, CELLS[kind])}
            assert possible == kinds & set(CELLS), name
    assert {"other_encoding_line", "in_two_households"} <= set(harsh.told["rows"]["roster"])
    assert "other_spelling" not in harsh.told["rows"]["person_register"]
    assert "other_datum" in harsh.told["rows"]["cell"]


def test_numbers_are_wrong_where_listed_only(harsh: Run):
    found = harsh.raw("person_register")
    listed = {one["line"] for one in harsh.of("person_register")
              if one["column"] in ("person_id", None) and one["kind"] != "doubled_row"}  # fmt: skip
    for line, cells in found.rows.items():
        number = str((cells or [None])[found.column("person_id")])
        is_right = len(number) == 18 and number[:17].isdecimal() and number.isascii()
        assert (is_right and check_fits(number)) or line in listed


def test_each_has_an_outcome(harsh: Run):
    for one in harsh.faults:
        assert one["expected"] in OUTCOMES
        assert (one["reason"] is not None) == (one["expected"] == "quarantined"), one
    told = Counter((one["kind"], one["expected"], one["reason"]) for one in harsh.faults
                   if one["feed"] == "person_register" and one["column"] in (None, "person_id",
                   "household_id", "village_code"))  # fmt: skip
    for expected in (
        ("wrong_check_digit", "quarantined", "person_id:check_digit"),
        ("swapped_digits", "quarantined", "person_id:check_digit"),
        ("id_15_digits", "repaired", None),
        ("lower_case_x", "repaired", None),
        ("unknown_village", "quarantined", "village_code:unknown_area"),
        ("retired_village", "quarantined", "village_code:retired_area"),
        ("in_two_households", "quarantined", "person_id:in_two_households"),
        ("doubled_row", "repaired", None),
        ("wrong_field_count", "quarantined", "wrong_field_count"),
        ("undecodable_line", "quarantined", "wrong_encoding"),
        ("ideographic_blank", "quarantined", "person_id:malformed"),
    ):
        assert told[expected], expected


def test_villages_that_are_none(harsh: Run):
    for one in harsh.faults:
        if one["kind"] == "unknown_village":
            assert one["written"] not in {*VILLAGES, *RETIRED}
        if one["kind"] == "retired_village":
            assert one["written"] in RETIRED[:2]  # of the same county


def test_a_protected_row_has_none(tmp_path: Path):
    made = run(tmp_path, "harsh", ["person_register", "member_card"], protect=True)
    clean = run(tmp_path / "clean", "none", ["person_register", "member_card"])
    for name in ("person_register", "member_card"):
        found, right = made.raw(name), clean.raw(name)
        there = Counter(map(str, found.rows.values()))
        for at, cells in enumerate(right.rows.values()):
            if at % ROWS % 5 == 0:
                assert there[str(cells)] == 1


def test_the_same_whoever_was_first(harsh: Run, tmp_path: Path):
    again = run(tmp_path, "harsh", reversed(FEEDS))
    for path in sorted(p for p in harsh.out.rglob("*") if p.is_file()):
        assert (again.out / path.relative_to(harsh.out)).read_bytes() == path.read_bytes()


def test_people_are_spelt_otherwise_in_every_month(tmp_path: Path):
    feed, plan = FEEDS["member_card"], plan_faults("harsh", 1, [])
    spelt = []
    for period in ("2015-11", "2015-12"):
        deliver(tmp_path, feed, period, date(2016, 1, 5), [Part("b", next(
            parts(feed, 1, 2000)).rows)], plan, notes=tmp_path / period)  # fmt: skip
        ledger.gather(tmp_path / period, "harsh", 1)
        table = pq.read_table(tmp_path / period / "row.parquet").to_pylist()
        spelt.append({one["right"]: one["written"] for one in table
                      if one["kind"] == "other_spelling"})  # fmt: skip
    assert spelt[0] == spelt[1]
    assert {"欧阳修": "欧　阳修"}.items() <= spelt[0].items() or len(spelt[0]) > 2
    assert all(len(right) <= len(written) for right, written in spelt[0].items())


def test_summary_and_page_tell_of_each_kind(harsh: Run):
    told = json.loads((harsh.out / "faults" / "summary.json").read_text(encoding="utf-8"))
    assert told == harsh.told
    page = (harsh.out / "faults" / "README.md").read_text(encoding="utf-8")
    assert all(f"`{kind}`" in page for kind in rates("harsh").rows)
    n = Counter((one["feed"], one["kind"]) for one in harsh.faults if one["column"] != "lat")
    assert {(f, k): c for f, kinds in told["rows"].items() for k, c in kinds.items()} == n
