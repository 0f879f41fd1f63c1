"""Counts of a county made by hand, and what two reports must not give away together.

Households have 3 people, so 6 of them are enough and 5 are too few.
"""

from collections import defaultdict
from datetime import date

import pytest

from jobs.pages.counts import FIGURES, Flow, Told
from tests.pages import county
from tests.pages.county import AS_OF, BEFORE

ONE, TWO, THREE = (f"21122310{town}201" for town in (1, 2, 3))
ROUND = {"include": 10, "check": 8, "leave_out": 12, "none": 20}
TOWNS = ("211223101", "211223102", "211223103")


def test_a_county_counted_by_hand(tmp_path):
    more = {"include": 6, "check": 7, "leave_out": 9, "none": 8}
    told = county.counts(county.tiny(tmp_path, {AS_OF: {ONE: ROUND, TWO: more}}), "211223")
    assert told.registered() == (80, 240)
    numbers = {"candidates": 52, "include": 16, "check": 15, "leave_out": 21,
               "income_below_line": 16, "income_not_below_line": 36, "housing_unsafe": 15,
               "guarantees_met": 37, "water_unsafe": 0}  # fmt: skip
    assert {category: told.told(category).n for category in numbers} == numbers
    assert told.people_included() == Told(48, AS_OF)
    assert told.shares_included([ONE, TWO]) == {ONE: 10 / 50, TWO: 6 / 30}
    assert told.flow() is None


def test_a_town_too_small_cannot_be_had_from_the_county_and_its_other_towns(tmp_path):
    few = {"include": 2, "check": 8, "leave_out": 12, "none": 20}
    larger = ROUND | {"include": 14}
    root = county.tiny(tmp_path, {AS_OF: {ONE: ROUND, TWO: few, THREE: larger}})
    # The county has 26 and town 3 has 14, so 12 are left for towns 1 and 2: 10 and 2 are hidden.
    assert county.counts(root, "211223").told("include").n == 26
    included = [county.counts(root, town).told("include").n for town in TOWNS]
    assert included == [None, None, 14]
    # What says the same in other words is hidden with it.
    town = county.counts(root, TOWNS[0])
    others = ("income_below_line", "income_not_below_line", "leave_out", "check")
    assert [town.told(one).n for one in others] == [None] * 4
    assert town.told("candidates") == Told(30, AS_OF)


def test_the_decision_is_the_same_whoever_asks(tmp_path):
    few = {"include": 2, "check": 3, "leave_out": 12, "none": 20}
    other = {"include": 9, "check": 8, "leave_out": 6, "none": 3}
    second = {ONE: ROUND, TWO: few | {"include": 9}, THREE: other | {"include": 10}}
    root = county.tiny(tmp_path, {BEFORE: {ONE: ROUND, TWO: few, THREE: other}, AS_OF: second})
    decided = defaultdict(set)
    for asked in ("21", "2112", "211223", *TOWNS):
        told = county.counts(root, asked)
        for figure in FIGURES:
            for one in ("21", "2112", "211223", *TOWNS):
                # Of what lies below the area asked for, most figures are not asked.
                if len(one) <= len(asked):
                    shown = [one.ljust(12, "0") in areas for areas in told.shown(figure)]
                    decided[figure, one].add(tuple(shown))
    assert {key: len(found) for key, found in decided.items() if len(found) != 1} == {}
    assert {found for one in decided.values() for found in one} >= {(True, True), (False, False)}


def moved(n: int) -> dict[date, dict[str, dict[str, int]]]:
    """Return two dates, between which n households of a village are taken into the list."""
    later = ROUND | {"include": 10 + n, "check": 8 - n}
    return {BEFORE: {ONE: ROUND, TWO: ROUND}, AS_OF: {ONE: later, TWO: ROUND}}


def test_one_household_more_than_last_month_is_not_told(tmp_path):
    root = county.tiny(tmp_path, moved(1))
    for asked in ("211223", "211223101"):
        told, before = county.counts(root, asked), county.counts(root, asked, BEFORE)
        # The page goes on with last month's number, which last month's page has too.
        assert told.told("include") == before.told("include")
        assert told.told("include").on == BEFORE
        assert told.told("check").on == told.told("income_below_line").on == BEFORE
        assert told.told("candidates").on == AS_OF, "nobody came or went"
        assert told.flow() == Flow(BEFORE, None, None)
    # Nor from the county's pages and those of the town where nothing changed.
    assert county.counts(root, "211223102").told("include").on == BEFORE


def test_six_households_more_are_told(tmp_path):
    told = county.counts(county.tiny(tmp_path, moved(6)), "211223")
    assert told.told("include") == Told(26, AS_OF)
    assert told.flow() == Flow(BEFORE, came=6, gone=0)


def test_an_exchange_of_one_household_is_not_told(tmp_path):
    """The number stays the same, but one came and one went: so the flow is not told either."""
    root = county.tiny(tmp_path, moved(0))
    rows = [
        {"as_of": as_of, "household_id": f"x{number}", "village_code": ONE, "n_members": 3,
         "recommendation": kind, "reasons": county.REASONS[kind]}
        for as_of, kinds in ((BEFORE, ("include", "check")), (AS_OF, ("check", "include")))
        for number, kind in enumerate((*kinds, *["include"] * 9, *["check"] * 9))
    ]  # fmt: skip
    county.write(root, "gold.household_identification", rows)
    told = county.counts(root, "211223")
    assert told.told("include") == Told(10, BEFORE) and told.flow() == Flow(BEFORE, None, None)


def test_a_birth_is_not_told_but_households_are(tmp_path):
    root = county.tiny(tmp_path, moved(0))
    for name in ("gold.household_identification", "gold.household_feature"):
        rows = county.read(root, name)
        for row in rows:
            is_grown = row["as_of"] == AS_OF and row["household_id"] == f"{ONE}-0"
            row["n_members"] = 4 if is_grown else 3
        county.write(root, name, rows)
    told = county.counts(root, "211223")
    assert told.told("include") == Told(20, AS_OF)
    assert told.people_included() == Told(60, BEFORE)


def test_a_small_change_is_told_once_it_has_grown(tmp_path):
    months = [date(2015, month, 28) for month in (9, 10, 11, 12)]
    dates = {
        month: {ONE: ROUND | {"include": 10 + n, "leave_out": 12 - n}}
        for month, n in zip(months, (0, 3, 5, 6), strict=True)
    }
    root = county.tiny(tmp_path, dates)
    told = [county.counts(root, "211223", month).told("include") for month in months]
    assert told == [Told(10, months[0])] * 3 + [Told(16, months[3])]
    assert county.counts(root, "211223").flow() == Flow(months[0], came=6, gone=0)


@pytest.mark.parametrize("asked", ["21", "2112", "211223"])
def test_a_lone_county_is_its_city_and_its_province(tmp_path, asked):
    told = county.counts(county.tiny(tmp_path, moved(6)), asked)
    assert told.told("include") == Told(26, AS_OF) and told.registered() == (100, 300)
