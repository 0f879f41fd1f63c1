"""What a whole run delivers keeps the contract, and is wrong where the list of faults says."""

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

import pyarrow.parquet as pq
import pytest

from lakehouse.delivery import find
from lakehouse.feed import feeds
from synth.deliver.delivery import feeds_known
from synth.deliver.rates import rates
from tests.synth.conftest import Made
from tests.synth.raw import Landed, landed, raw

FEEDS = feeds_known()
PATTERNS = {"yyyyMMdd": "%Y%m%d", "yyyy-MM-dd": "%Y-%m-%d"}
LINES = {"wrong_field_count", "undecodable_line", "other_encoding_line", "truncated_line"}


def read_all(made: Made) -> list[Landed]:
    return [landed(one, FEEDS[one.feed]) for one in find(made.landing)]


def listed(made: Made, table: str) -> list[dict[str, Any]]:
    return pq.read_table(made.landing.parent / "faults" / f"{table}.parquet").to_pylist()


# A small place may have none of these in a month: then there is nothing to deliver.
RARE = {"death", "dropout", "ecommerce_sales", "training"}


def test_clean_deliveries_read_without_a_fault(clean: Made):
    found = read_all(clean)
    assert {*feeds()} - {one.delivery.feed for one in found} <= RARE
    assert not [one.delivery.delivery_id for one in found if one.refused or one.bad]
    assert len({one.content for one in found}) == len(found)
    told = clean.told("faults")
    assert (told["level"], told["rows"], told["deliveries"]) == ("none", {}, {})
    counted: Counter[str] = Counter()
    for one in found:
        counted[one.delivery.feed] += len(one.rows)
    assert counted == clean.summary.rows


def test_heads_are_the_first_of_the_mapping(clean: Made):
    for one in find(clean.landing):
        feed = FEEDS[one.feed]
        assert raw(one.folder, feed).heads == [spec.head[0] for spec in feed.delivered.values()]
        assert one.source == feed.source
        assert one.manifest()["extent"] == feed.extent


def test_values_read_by_the_mapping(clean: Made):
    for content in read_all(clean):
        feed = FEEDS[content.delivery.feed]
        for (name, spec), column in zip(
            feed.delivered.items(), zip(*content.rows, strict=True), strict=True
        ):
            texts, where = set(column), f"{feed.name}.{name}"
            assert spec.optional or None not in texts, where
            texts.discard(None)
            if spec.labels:
                assert texts <= set(spec.labels), where
            elif spec.type in ("integer", "decimal"):
                assert all(float(str(text)) == float(str(text)) for text in texts), where
            elif spec.type == "area":
                assert all(len(str(t)) == spec.digits and str(t).isdigit() for t in texts), where
            elif spec.type in ("date", "timestamp") and spec.formats[0] in PATTERNS:
                for text in texts:
                    datetime.strptime(str(text), PATTERNS[spec.formats[0]])


@pytest.mark.parametrize("level", ["usual", "harsh"])
def test_faults_are_those_listed(level: str, request: pytest.FixtureRequest):
    made: Made = request.getfixturevalue(level)
    whole = {(one["feed"], one["period"], one["delivery"]): one for one in listed(made, "delivery")}
    rows = defaultdict(list)
    for one in listed(made, "row"):
        rows[one["feed"], one["period"], one["delivery"]].append(one)
    seen: set[str] = set()
    for content in read_all(made):
        one = content.delivery
        told = whole.get((one.feed, one.period, one.name), {"expected": None, "reason": None})
        assert content.refused == (told["reason"] if told["expected"] == "refused" else None)
        assert (content.content in seen) == (told["reason"] == "same_content")
        seen |= {content.content} - {""}
        if not content.refused and told["reason"] != "same_content":
            _holds(one, content, rows.pop((one.feed, one.period, one.name), []))
    assert not rows
    assert len({one["kind"] for one in whole.values()}) >= 5


def _holds(one: Any, content: Landed, faults: list[dict[str, Any]]) -> None:
    """Check that the faults of a delivery are there, and the lines that are no row among them."""
    found = raw(one.folder, FEEDS[one.feed])
    for fault in faults:
        if fault["column"]:
            assert found.cell(fault["line"], fault["column"]) == fault["written"], fault
    lines = [fault["reason"] for fault in faults if fault["kind"] in LINES]
    bad = [reason for reason in lines if reason in ("wrong_field_count", "wrong_encoding")]
    assert sorted(content.bad) == sorted(bad)


def test_the_register_has_each_kind_that_it_can_have(usual: Made, harsh: Made):
    few = usual.told("faults")["rows"]["person_register"]
    many = harsh.told("faults")["rows"]["person_register"]
    kinds = rates("harsh").rows.keys() - {"number_with_letters", "other_datum"}
    # Too small a place may have nobody free whose number ends in X.
    assert kinds <= few.keys() | {"lower_case_x"}
    assert sum(many.values()) > sum(few.values())
    assert usual.told("faults")["rows"]["household_card"]["number_with_letters"] > 0


def test_the_corrected_delivery_supersedes_the_wrong_one(harsh: Made):
    deliveries = list(find(harsh.landing))
    by_id = {one.delivery_id: one for one in deliveries}
    assert len(by_id) == len(deliveries)
    superseded = {one.manifest()["supersedes"] and f"{one.feed}/{one.manifest()['supersedes']}": one
                  for one in deliveries}  # fmt: skip
    wrong = {"refused", "held"}
    expected = {
        f"{one['feed']}/{one['period']}/{one['delivery']}"
        for one in listed(harsh, "delivery")
        if one["expected"] in wrong or one["kind"] in ("corrected", "shrunk")
    }
    assert superseded.keys() - {None} == expected
    for name in expected:
        assert by_id[name].arrived_at < superseded[name].arrived_at
