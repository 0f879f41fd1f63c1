"""Every delivery keeps the contract, and the faults are those that the truth tells of."""

from collections import Counter
from datetime import datetime
from itertools import pairwise

import pytest

from lakehouse.delivery import find
from lakehouse.feed import feeds
from tests.synth.conftest import Made
from tests.synth.reading import Content, read_all, right

ALL_KINDS = {
    "person_register": {
        "wrong_check_digit", "impossible_date", "unknown_village", "retired_village",
        "doubled_row", "wrong_field_count", "undecodable_line",
    },
    "household_card": {"number_with_letters"},
}  # fmt: skip


def test_clean_deliveries_read_without_a_fault(clean: Made):
    contents = read_all(clean.landing)
    assert {one.delivery.feed for one in contents} == set(feeds())
    assert not [one.delivery.delivery_id for one in contents if one.refused or one.bad]
    assert len({one.content for one in contents}) == len(contents)
    assert clean.told("faults") == {"level": "none", "rows": {}, "deliveries": {}}
    counted = Counter()
    for one in contents:
        counted[one.delivery.feed] += len(one.rows)
    assert counted == clean.summary.rows


def test_heads_are_the_first_of_the_mapping(clean: Made):
    for one in find(clean.landing):
        feed = feeds()[one.feed]
        if feed.format == "csv":
            [file] = one.files()
            first = (one.folder / file.name).read_bytes().split(b"\n")[0]
            assert first.decode(feed.encoding).split(",") == [
                spec.head[0] for spec in feed.fields.values()
            ]
        assert one.source == feed.source
        assert one.manifest()["extent"] == feed.extent


def test_values_read_by_the_mapping(clean: Made):
    for content in read_all(clean.landing):
        for name, spec in feeds()[content.delivery.feed].fields.items():
            texts = {row[name] for row in content.rows}
            where = f"{content.delivery.feed}.{name}"
            assert spec.optional or None not in texts, where
            texts.discard(None)
            if spec.labels:
                assert texts <= set(spec.labels), where
            elif spec.type in ("integer", "decimal"):
                assert all(float(text) >= 0 for text in texts), where
            elif spec.type == "area":
                assert all(len(text) == 12 and text.isdigit() for text in texts), where
            elif spec.type in ("date", "timestamp"):
                pattern = {"yyyyMMdd": "%Y%m%d", "yyyy-MM-dd": "%Y-%m-%d"}
                for text in texts:
                    datetime.strptime(text, pattern.get(spec.formats[0], "%Y-%m-%d %H:%M:%S"))


@pytest.mark.parametrize("level", ["usual", "harsh"])
def test_faults_are_those_told(level: str, request: pytest.FixtureRequest):
    made: Made = request.getfixturevalue(level)
    told = made.told("faults")
    contents = read_all(made.landing)
    assert _faulty_deliveries(contents) == told["deliveries"]
    assert _faulty_rows(contents) == told["rows"]
    assert {name: set(kinds) for name, kinds in told["rows"].items()} == ALL_KINDS
    for kind in ("duplicate", "wrong_encoding", "missing_head", "empty_file", "truncated_parquet"):
        assert any(kind in kinds for kinds in told["deliveries"].values()), kind


def test_harsh_has_more_of_each(usual: Made, harsh: Made):
    few, many = usual.told("faults")["rows"], harsh.told("faults")["rows"]
    assert all(many[name][kind] > few[name][kind] for name in few for kind in few[name])


def test_the_corrected_delivery_supersedes_the_wrong_one(harsh: Made):
    contents = read_all(harsh.landing)
    ids = [one.delivery.delivery_id for one in contents]
    for before, one in pairwise(contents):
        named = one.delivery.manifest()["supersedes"]
        assert (named is not None) == (
            before.refused is not None and before.delivery.period == one.delivery.period
        )
        if named:
            assert f"{one.delivery.feed}/{named}" == before.delivery.delivery_id
            assert before.delivery.arrived_at < one.delivery.arrived_at
    assert len(set(ids)) == len(ids)


def _faulty_deliveries(contents: list[Content]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    seen = set()
    for one in contents:
        kind = one.refused or ("duplicate" if one.content in seen else None)
        seen.add(one.content)
        if kind:
            found.setdefault(one.delivery.feed, Counter())[kind] += 1
    return found


def _faulty_rows(contents: list[Content]) -> dict[str, dict[str, int]]:
    """Find faulty rows one by one, without the generator's help."""
    areas = {row["area_code"]: row["valid_to"] for row in right(contents, "area").rows}
    register = right(contents, "person_register")
    people: Counter[str] = Counter()
    seen = set()
    for row in register.rows:
        as_text = tuple(row.values())
        people["doubled_row"] += as_text in seen
        seen.add(as_text)
        people["wrong_check_digit"] += not _check_fits(str(row["person_id"]))
        people["impossible_date"] += not _is_a_day(str(row["birth_date"]))
        people["unknown_village"] += row["village_code"] not in areas
        people["retired_village"] += areas.get(row["village_code"]) is not None
    bad = Counter(register.bad)
    people["wrong_field_count"] = bad.pop("wrong_field_count", 0)
    people["undecodable_line"] = bad.pop("wrong_encoding", 0)
    assert not bad
    cards = sum(not _is_a_number(row["wage"]) for row in right(contents, "household_card").rows)
    return {"household_card": {"number_with_letters": cards}, "person_register": dict(people)}


def _check_fits(number: str) -> bool:
    """GB 11643-1999: the eighteen digits, weighted by powers of two modulo 11, leave 1."""
    values = [10 if digit == "X" else int(digit) for digit in number]
    return sum(value * 2 ** (17 - place) for place, value in enumerate(values)) % 11 == 1


def _is_a_day(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d")
    except ValueError:
        return False
    return True


def _is_a_number(text: str | None) -> bool:
    try:
        float(str(text))
    except ValueError:
        return False
    return True
