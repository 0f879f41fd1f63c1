"""Kin: links of a block agree with each other and with the population."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synth.state.kin import KINDS, OLDER, kin, relatives
from synth.state.known import YEAR, Known
from tests.synth.state_county import often


@pytest.fixture(scope="module", params=["population", "register"])
def block(request: pytest.FixtureRequest) -> Known:
    """Return a town whose families are known, or told by relations to the head alone."""
    one = often()[1][1]
    return one if request.param == "population" else replace(one, family=None, made={})


def test_each_link_is_there_once(block: Known):
    links = kin(block)
    assert set(links["kind"]) == set(KINDS)
    pair = pd.DataFrame(np.sort(links[["person", "other"]], axis=1))
    assert not pair.duplicated().any()
    assert links[["person", "other"]].to_numpy().max() < len(block.people)
    assert (links["person"] != links["other"]).all()


def test_ages_are_plausible(block: Known):
    """Of those read off or drawn; parents whom the population knows are what they are."""
    links = kin(block)
    if block.family is not None:
        known = block.family[["father", "mother"]].to_numpy()[links["other"]]
        is_told = (known == links["person"].to_numpy()[:, None]).any(axis=1)
        links = links[~is_told | (links["kind"] != "parent")]
    born = block.people["birth_date"].to_numpy().astype("datetime64[D]")
    older = (born[links["other"]] - born[links["person"]]).astype(int) / YEAR
    for kind, (least, most) in OLDER.items():
        assert older[links["kind"] == kind].min() >= least
        assert older[links["kind"] == kind].max() <= most
    assert OLDER["parent"] == (18, 45)


def test_nobody_has_two_fathers_or_two_spouses(block: Known):
    links = kin(block)
    is_male = block.people["is_male"].to_numpy()
    parents = links[links["kind"] == "parent"]
    assert not parents.assign(sex=is_male[parents["person"]])[["other", "sex"]].duplicated().any()
    spouse = links.loc[links["kind"] == "spouse", ["person", "other"]].to_numpy()
    assert len(np.unique(spouse)) == spouse.size
    assert (is_male[spouse[:, 0]] != is_male[spouse[:, 1]]).all()


def test_siblings_share_a_parent_or_have_none(block: Known):
    links = kin(block)
    parents = links[links["kind"] == "parent"].groupby("other")["person"].agg(set)
    siblings = links[links["kind"] == "sibling"]
    n_shared = 0
    for one, other in siblings[["person", "other"]].to_numpy():
        known = [one in parents.index, other in parents.index]
        assert known in ([True, True], [False, False])
        if known[0]:
            assert parents[one] & parents[other]
            n_shared += 1
    assert 0 < n_shared < len(siblings)
    by_parent = links[links["kind"] == "parent"].groupby("person")["other"].nunique()
    assert by_parent.max() <= 12


def test_what_one_is_to_the_other_agrees(block: Known):
    every = relatives(block)
    turned = {"parent": "child", "child": "parent", "grandparent": "grandchild",
              "grandchild": "grandparent", "spouse": "spouse", "sibling": "sibling"}  # fmt: skip
    there = set(every.itertuples(index=False, name=None))
    assert len(there) == len(every) == 2 * len(kin(block))
    assert all((b, a, turned[kind]) in there for a, b, kind in there)


def test_sons_live_near_their_fathers_and_bear_their_name(block: Known):
    links = kin(block)
    parents = links[links["kind"] == "parent"]
    apart = parents[block.house[parents["person"]] != block.house[parents["other"]]]
    people = block.people
    men = people["is_male"].to_numpy()
    heads = (people["relation"] == "head").to_numpy()
    sons = apart[men[apart["person"]] & men[apart["other"]] & heads[apart["other"]]]
    surname = people["person_name"].str[0].to_numpy()
    assert len(sons) > 10
    assert (surname[sons["person"]] == surname[sons["other"]]).mean() > 0.95
    village = block.village_of
    assert (village[sons["person"]] == village[sons["other"]]).mean() > 0.95


def test_the_population_is_believed():
    block = often()[1][1]
    links = kin(block)
    parents = links[links["kind"] == "parent"]
    told = block.family["father"].to_numpy()
    fathers = parents.set_index("other")["person"]
    men = block.people["is_male"].to_numpy()
    fathers = fathers[men[fathers]]
    known = told[fathers.index]
    # A father who is known and gone is not replaced by another.
    assert not (known == -2).any()
    assert (known[known >= 0] == fathers[known >= 0]).all()
    assert (known == -1).any()
