"""Registers of the departments: as their mappings say, about people who are there."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from lakehouse.feed import Feed
from lakehouse.registry import registry
from synth.deliver.values import as_written
from synth.people.identity import check_digits
from synth.state.pay import income_tax
from synth.state.registry import DUE, STATE, TRUTH, Maker, truth
from synth.state.spelling import misspelt
from tests.synth.state_county import (
    FEEDS,
    MONTHS,
    again,
    delivered,
    feed_of,
    gone,
    often,
    people,
    register,
    truths,
)  # fmt: skip

OPERATOR = {"bill", "data_session", "handset", "recharge", "subscriber"}


def test_every_feed_has_a_maker():
    mapped = {path.stem for path in FEEDS.glob("*.toml")}
    assert mapped - OPERATOR - registry().feeds_read() == set(STATE)


@pytest.mark.parametrize("name", STATE)
def test_rows_are_as_the_mapping_says(name: str):
    feed, seat = feed_of(name), often()[0]
    assert STATE[name].every in DUE
    for month in STATE[name].months(seat):
        rows = register(name, month)
        assert list(rows.columns) == list(feed.fields)
        assert as_written(rows, feed).num_rows == len(rows)  # No code without a label.
        for column, spec in feed.fields.items():
            assert spec.optional or rows[column].notna().all(), column
        if feed.key:
            assert not rows.duplicated(list(feed.key)).any()
    assert len(delivered(name)) > 0


@pytest.mark.parametrize("name", STATE)
def test_values_are_of_their_type(name: str):
    for column, spec in feed_of(name).fields.items():
        values = register(name)[column].dropna()
        if spec.type in ("integer", "decimal"):
            assert (values.astype(float) >= 0).all(), column
        elif spec.type == "date":
            years = pd.DatetimeIndex(values).year
            assert ((years > 1900) & (years < 2018)).all(), column
        elif spec.type == "area":
            assert values.str.fullmatch("[0-9]{12}").all(), column


def test_people_named_are_of_the_population_or_listed_strangers():
    known = {*people()["person_id"], *gone()["person_id"], *truths("stranger")["person_id"]}
    books = {*people()["household_id"], *gone()["household_id"]}
    n = 0
    for name in STATE:
        for column, spec in feed_of(name).fields.items():
            values = delivered(name)[column].dropna() if spec.type == "identity" else []
            if spec.kind in ("person", "household"):
                whole = known if spec.kind == "person" else books
                assert set(values) <= whole, f"{name}.{column}"
                n += len(values)
    assert n > 20_000


def test_strangers_have_numbers_of_their_own():
    rows = truths("stranger")
    number = rows["person_id"]
    assert number.is_unique
    assert not set(number) & {*people()["person_id"], *gone()["person_id"]}
    assert (check_digits(number.str[:17].to_numpy(dtype=str)) == number.str[17]).all()


def test_references_between_registers_resolve():
    firms, schools = register("company"), register("facility")
    for name, column in (
        ("employment", "employer_code"), ("vacancy", "employer_code"), ("fund", "payee_code"),
    ):  # fmt: skip
        assert set(register(name)[column].dropna()) <= set(firms["credit_code"]), name
    for name in ("enrolment", "dropout"):
        assert set(delivered(name)["school_id"]) <= set(schools["facility_id"]), name
    library = {one for town in often()[1] for one in town.projects["project_id"]}
    for name in ("fund", "material"):
        assert set(delivered(name)["project_id"]) <= library, name
    cadres = set(register("cadre")["person_id"])
    assert set(register("posting")["cadre_id"]) <= cadres
    assert set(register("declared_relative")["cadre_id"]) <= cadres
    villages = set(often()[0].places.villages["village_code"])
    assert set(register("benefit")["village_code"]) <= villages


def test_a_month_has_what_happened_in_it():
    seat = often()[0]
    for name, column in (
        ("death", "death_date"), ("settlement", "settled_date"), ("tax", "paid_date"),
        ("training", "ended_date"), ("fund", "booked_date"), ("material", "handed_date"),
        ("disaster", "reported_date"),
    ):  # fmt: skip
        assert feed_of(name).extent == "delta"
        for month in range(MONTHS):
            on = pd.DatetimeIndex(register(name, month)[column])
            assert (on <= pd.Timestamp(seat.end(month))).all(), name
            if month and name != "death":
                assert (on >= pd.Timestamp(seat.begin(month))).all(), name
        [key] = feed_of(name).key
        assert delivered(name)[key].is_unique, name


def test_deaths_are_heard_of_months_later():
    told = delivered("death").dropna(subset="person_id")
    late = truths("death").set_index("person_id").loc[told["person_id"]]
    days = (late["civil_date"] - late["died_date"]).dt.days
    assert days.between(30, 181).all()
    assert (late["police_date"] > late["civil_date"]).all()
    assert (pd.DatetimeIndex(told["death_date"]) == pd.DatetimeIndex(late["died_date"])).all()


def test_what_is_paid_adds_up():
    rows = delivered("settlement")
    assert np.allclose(rows["fund_cny"] + rows["self_cny"], rows["total_cny"], atol=0.011)
    days = pd.DatetimeIndex(rows["discharged_date"]) - pd.DatetimeIndex(rows["admitted_date"])
    assert ((days.days > 0) == (rows["visit_kind"] == "stay")).all()
    plots = register("land").groupby("household_id")["area_mu"].sum()
    homes = pd.concat([one.homes for one in often()[1]]).set_index("household_id")["land_mu"]
    assert plots.sum() == pytest.approx(homes.sum(), rel=0.02)
    paid = register("benefit").groupby("benefit_id")["n_covered"].agg(["first", "size"])
    assert (paid["first"] == paid["size"]).all()


def test_grave_illness_costs_what_the_household_paid():
    cost = pd.concat(
        [
            ill.assign(person_id=one.people["person_id"].to_numpy()[ill["person"]])
            for one in often()[1]
            for ill in [one.shocks_of("illness").query("0 <= month <= 1 and person >= 0")]
        ]
    )
    both = cost.merge(delivered("settlement"), on="person_id")
    found = both[np.isclose(both["self_cny"], both["cost_cny"], atol=0.011)]
    # Some are settled after the last month.
    assert found["person_id"].nunique() > 0.6 * cost["person_id"].nunique() > 3


def test_pupils_are_those_at_school():
    everybody, roll = people(), register("enrolment")
    stage = everybody.set_index("person_id")["school"].reindex(roll["person_id"])
    last = often()[0].month_ends[-1]
    if STATE["enrolment"].months(often()[0])[-1] == MONTHS - 1:
        assert (stage.to_numpy() == roll["stage"]).mean() > 0.95, last
    young = everybody[everybody["school"].isin(["primary", "junior"])]
    assert young["person_id"].isin(roll["person_id"]).mean() > 0.85
    lost = truths("dropout")
    out = lost[~lost["is_on_roll"] & (lost["left_date"] < pd.Timestamp(2015, 10, 1))]
    assert not set(out["person_id"]) & set(roll["person_id"])


def test_same_rows_whatever_was_made_before():
    _, towns = often()
    other = again(towns[1])
    for name in reversed(list(STATE)):
        maker = STATE[name]
        for month in reversed(maker.months(other.seat)):
            if maker.block:
                was = maker.block(towns[1], month)
                pd.testing.assert_frame_equal(maker.block(other, month), was, check_dtype=False)
    for table in TRUTH:
        pd.testing.assert_frame_equal(
            truth(other, table), truth(towns[1], table), check_dtype=False
        )


@pytest.mark.parametrize(
    ("wage", "day", "tax"),
    [(3500, "2015-12-31", 0), (5000, "2015-12-31", 45), (10_000, "2015-12-31", 745),
     (10_000, "2018-10-31", 290), (5000, "2010-12-31", 0)],
)  # fmt: skip
def test_income_tax_by_the_law_of_the_day(wage: float, day: str, tax: float):
    told = often()[0].state["tax"]
    assert income_tax(np.array([wage]), np.datetime64(day), told)[0] == pytest.approx(tax)


def test_a_short_run_has_every_feed():
    seat = often()[0]
    ends = (date(2015, 10, 31), date(2015, 11, 30), date(2015, 12, 31), date(2016, 1, 31))
    for every, months in (("month", [0, 1, 2, 3]), ("term", [0]), ("year", [0, 2]), ("once", [0])):
        assert Maker("any", every).months(type(seat)(seat.places, 1, {}, ends, 1)) == months


def test_names_are_misspelt_at_their_rate():
    names = pd.Series(["王建国", "李芳", "赵一"] * 1000)
    spelt = misspelt(names, 0.3, np.random.default_rng(1))
    assert 0.15 < (spelt != names).mean() < 0.25  # 赵一 has no character that sounds like another.
    assert (spelt.str.len() == names.str.len()).all()


def test_feeds_are_delivered_in_many_ways():
    made: list[Feed] = [feed_of(name) for name in STATE]
    assert {one.format for one in made} == {"csv", "tsv", "xlsx"}
    assert {one.encoding for one in made} == {"utf-8", "gb18030"}
    assert {one.extent for one in made} == {"full", "delta"}
    assert any(one.datum == "gcj-02" for one in made)
    assert any(maker.packed for maker in STATE.values())
