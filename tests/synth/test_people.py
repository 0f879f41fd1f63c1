"""A town through two years: one household a person, kin that agree, numbers that never repeat."""

from collections import Counter
from datetime import date

import numpy as np
import pandas as pd
import pytest
from id_validator import validator

from synth.figures import figures
from synth.people.identity import id_numbers
from synth.people.kinship import as_registered
from synth.people.population import Population
from synth.places.places import Places, places
from synth.plan import Block
from synth.registers import person_register
from synth.state.deaths import deaths
from synth.state.favour import favoured
from synth.town import Town
from tests.synth.conftest import LONG


def test_blocks_share_out_everybody(towns: list[Town]):
    assert sum(one.block.people for one in towns) == LONG.people
    assert [one.block.first_person for one in towns] == list(
        np.cumsum([0, *(one.block.people for one in towns)])[:-1]
    )
    first = [one.who.at(LONG.first)[1] for one in towns]
    assert sum(map(len, first)) == pytest.approx(LONG.people, abs=10)


def test_nobody_is_in_two_households_at_once(towns: list[Town]):
    for one in towns:
        edges = one.who.edges.sort_values(["person", "since"])
        until = edges["until"].fillna(pd.Timestamp("2262-01-01"))
        assert (edges["since"] < until).all()
        same = (edges["person"] == edges["person"].shift(-1))[:-1].to_numpy()
        assert (until.to_numpy()[:-1][same] <= edges["since"].to_numpy()[1:][same]).all()


def test_every_household_has_one_head_on_every_day(towns: list[Town]):
    for one in towns:
        for day in (date(2014, 1, 31), date(2015, 2, 14), LONG.last):
            homes, people = one.who.at(day)
            heads = people[people["relation"] == "head"]
            assert list(heads["household"]) == list(homes["household"])
            assert not people.duplicated("person").any()


def test_the_last_day_is_that_of_the_edges(towns: list[Town]):
    for one in towns:
        homes, people = one.who.at(LONG.last)
        pd.testing.assert_frame_equal(homes, one.who.homes)
        pd.testing.assert_frame_equal(people, one.who.people)


def test_the_dead_leave_and_the_born_begin(towns: list[Town]):
    events: Counter[str] = Counter()
    for one in towns:
        everybody, edges = one.who.everybody, one.who.edges
        events.update(edges["reason"])
        final = edges[~edges["person"].duplicated(keep="last")].set_index("person")
        dead = everybody.index[everybody["died"].notna()]
        assert (final.loc[dead, "until"] == everybody.loc[dead, "died"]).all()
        born = everybody.index[everybody["first_relation"] == "birth"]
        begin = edges[~edges["person"].duplicated()].set_index("person")["since"]
        gap = (begin.loc[born] - everybody.loc[born, "born"]).dt.days
        assert gap.between(0, 30).all()  # A day whose numbers are all given moves a birth.
        events["birth"] += len(born)
        mothers = everybody.loc[everybody.loc[born, "mother"]]
        assert (~mothers["is_male"]).all()
    # 24 months of 6,000 people: about 7 deaths and 6 births a thousand and year.
    assert 50 < events["death"] < 160
    assert 40 < events["birth"] < 140
    assert min(events[why] for why in ("split", "moved", "moved away", "marriage")) > 0


def test_the_police_hear_of_deaths_later_but_for_heads(towns: list[Town]):
    n_late = 0
    for one in towns:
        heard = deaths(one.known).set_index("person_id")["police_date"]
        for day in (date(2014, 10, 31), LONG.last):
            rows = person_register(one, day)
            assert (rows.groupby("household_id")["relation"].agg(lambda r: (r == "head").sum())
                    == 1).all()  # fmt: skip
            assert rows["person_id"].is_unique
            dead = rows[rows["died"] <= pd.Timestamp(day)]
            assert not (heard.reindex(dead["person_id"]) <= pd.Timestamp(day)).any()
            alive = one.who.at(day)[1]
            assert set(rows["person_id"]) - set(dead["person_id"]) == set(alive["person_id"])
            n_late += len(dead)
    assert n_late > 10


def test_the_favoured_are_on_the_list(towns: list[Town]):
    n = 0
    for one in towns:
        kin = favoured(one.known)
        there = kin.loc[kin["via"] == "list", "household"].to_numpy(dtype=int)
        assert one.listed.is_listed[there].all()
        assert not one.life.homes["is_poor"].to_numpy()[there].any()
        n += len(there)
    assert n > 0


def test_kin_agree(towns: list[Town]):
    for one in towns:
        everybody = one.who.everybody
        rows = np.arange(len(everybody))
        spouse = everybody["spouse"].to_numpy()
        paired = rows[spouse >= 0]
        assert (spouse[spouse[paired]] == paired).all()
        male = everybody["is_male"].to_numpy()
        assert (male[paired] != male[spouse[paired]]).all()
        born = everybody["born"].to_numpy()
        for link, is_male in (("father", True), ("mother", False)):
            parent = everybody[link].to_numpy()
            child = rows[parent >= 0]
            assert (male[parent[child]] == is_male).all()
            years = (born[child] - born[parent[child]]) / np.timedelta64(365, "D")
            assert (years > 14).all()


def test_kinship_is_read_off_relations():
    members = pd.DataFrame(
        [
            ("head", True, 60), ("spouse", False, 58), ("child", True, 33), ("other", False, 31),
            ("grandchild", False, 6),
        ],
        columns=["relation", "is_male", "age"],
    ).assign(household=0)  # fmt: skip
    kin = as_registered(members)
    assert list(kin.spouse) == [1, 0, 3, 2, -1]
    assert list(kin.father) == [-1, -1, 0, -1, 2]
    assert list(kin.mother) == [-1, -1, 1, -1, 3]
    assert [kin.to_head(one, 2) for one in range(5)] == [
        "parent", "parent", "head", "spouse", "child"
    ]  # fmt: skip


def test_numbers_are_valid_and_unique_over_all_towns(towns: list[Town]):
    numbers = [n for one in towns for n in one.who.everybody["person_id"]]
    assert len(numbers) == len(set(numbers))
    sample = numbers[::37]
    assert all(validator.is_valid(number) for number in sample)


def test_full_days_of_birth_move_by_whole_steps():
    n = 3_000
    born = np.full(n, np.datetime64("1970-05-05"))
    male = np.zeros(n, dtype=bool)
    for is_other in (False, True):
        seen: set[str] = set()
        for number in (7, 107, 2_700):
            block = Block("211223", "t", np.array([0]), n, number, number % 250, 250)
            given = np.full(n, is_other)
            made, days = id_numbers(np.full(n, "211224"), born, male, given, block)
            assert not seen & set(made)
            seen |= set(made)
            assert (days <= born).all()
        assert len(seen) == 3 * n


def test_another_day_has_the_people_of_that_day(towns: list[Town]):
    who: Population = towns[0].who
    edges, day = who.edges, date(2014, 9, 3)
    on = pd.Timestamp(day)
    there = edges[(edges["since"] <= on) & ~(edges["until"] <= on)]
    homes, people = who.at(day)
    assert sorted(people["person"]) == sorted(there["person"])
    book = homes["book"].to_numpy()[people["household"]]
    assert dict(zip(people["person"], book, strict=True)) == dict(
        zip(there["person"], there["household"], strict=True)
    )


def test_places_do_not_hang_on_the_day():
    one: Places = places("211223", 6_000, date(2016, 1, 31), 3, figures("211223"))
    assert list(one.villages["village_code"].str[:6].unique()) == ["211223"]
