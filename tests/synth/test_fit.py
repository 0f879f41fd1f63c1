"""Households with the margins of a county: weights, whole numbers, and who lives where."""

from dataclasses import replace

import numpy as np
import pytest

from lakehouse.errors import DeclarationError, UsageError
from synth.people.census import AGE_LABELS, Margin, Margins, cited
from synth.people.census_table import from_table
from synth.people.compose import Composition, compose, deal, members
from synth.people.fit import columns_of, far_off, fit
from synth.people.pool import ROLE, ROLES, make_pool, pool
from tests.synth.census_rows import real_census

# Shares that a shape of household and its ages make possible together.
SEX_AGE = np.array([*np.linspace(1, 2, 12), *np.linspace(2, 0.2, 7)] * 2)
AREAS = ["211223", "210102", "211224", "210224"]


def _margins(**tables: list[float]) -> Margins:
    labels = {
        "household_size": ("one", "two or more"),
        "generations": ("one", "two", "three", "four or more"),
        "old_members": ("none", "one", "two", "three or more"),
        "sex_age": tuple(f"{sex} {age}" for sex in ("male", "female") for age in AGE_LABELS),
    }
    made = {
        name: Margin(name, "", labels[name], np.array(shares)) for name, shares in tables.items()
    }
    return Margins("000000", "made up", None, 2.6, 0.03, made)


@pytest.fixture(scope="module")
def county() -> Margins:
    return _margins(
        household_size=[0.2, 0.8],
        generations=[0.45, 0.42, 0.12, 0.01],
        old_members=[0.75, 0.17, 0.078, 0.002],
        sex_age=SEX_AGE / SEX_AGE.sum(),
    )


@pytest.fixture(scope="module")
def made(county: Margins) -> Composition:
    return compose(pool(), county, 40_000)


def test_pool_has_every_plausible_shape():
    here = pool()
    assert np.isclose(here.prior.sum(), 1)
    assert set(here.n_generations) == {1, 2, 3, 4}
    assert set(here.role) == set(range(len(ROLES)))
    assert (here.role[here.start[:-1]] == ROLE["head"]).all()
    assert here.age.min() >= 0 and here.age.max() <= 104
    # Every age has both sexes, and nobody is a parent before 18.
    groups = np.bincount(here.age.astype(int) // 5 * 2 + here.is_male)
    assert (groups[:36] > 50).all()
    for young, old in (("child", "head"), ("head", "parent")):
        age = {
            role: dict(zip(here.home[at], here.age[at], strict=True))
            for role in (young, old)
            if (at := here.role == ROLE[role]) is not None
        }
        both = age[young].keys() & age[old].keys()
        assert min(age[old][home] - age[young][home] for home in both) >= 17.9
    # Couples come in pairs.
    pairs = np.bincount(here.home, here.in_couple)
    assert set(pairs) == {0, 2, 4}


def test_unknown_role_is_refused():
    given = {"households": 10, "seed": 1, "generation": [26, 4], "least_generation": 18,
             "most_generation": 44, "head_male": 0.8,
             "kinds": {"a": {"share": 1, "ages": [20, 30], "members": ["spose"]}}}  # fmt: skip
    with pytest.raises(DeclarationError, match=r"no role 'spose'.* 'spouse'"):
        make_pool(given)


def test_weights_have_the_margins(county: Margins):
    found = fit(pool(), county)
    assert np.isclose(found.weights.sum(), 1)
    assert found.misses["miss"].abs().max() < 1e-3
    assert not far_off(found.misses)


def test_margins_by_an_independent_count(county: Margins, made: Composition):
    """Counted person by person and household by household, not from the columns."""
    rows = np.repeat(np.arange(len(made.counts)), made.counts)
    people = members(made.pool, rows)
    family = people[~people["is_collective"]]
    assert len(people) == 40_000
    assert len(family) / 40_000 == pytest.approx(0.97, abs=0.002)
    homes = family.groupby("household")
    assert homes.size().mean() == pytest.approx(2.6, abs=0.01)
    assert (homes.size() == 1).mean() == pytest.approx(0.2, abs=0.005)
    old = homes["age"].agg(lambda age: (age >= 65).sum())
    assert (old == 1).mean() == pytest.approx(0.17, abs=0.005)
    generation = family["role"].map(ROLES)
    depth = generation.groupby(family["household"]).nunique()
    assert (depth == 3).mean() == pytest.approx(0.12, abs=0.005)
    share = ((people["age"] >= 20) & (people["age"] < 25) & people["is_male"]).mean()
    assert share == pytest.approx(county["sex_age"]["male 20-24"], abs=0.005)


def test_margins_that_contradict_each_other_are_named(county: Margins):
    young = county["sex_age"].shares.copy().reshape(2, -1)
    young[:, 14:] = 0.0001  # No old people, but households with them.
    sex_age = replace(county["sex_age"], shares=young.ravel() / young.sum())
    found = fit(pool(), replace(county, tables=county.tables | {"sex_age": sex_age}))
    told = " ".join(far_off(found.misses))
    assert "old_members" in told and "household_size" not in told


@pytest.mark.parametrize("people", [200, 3_001, 2_000_000])
def test_whole_people_of_any_number(county: Margins, people: int):
    found = compose(pool(), county, people)
    assert found.people == people == found.ages().sum()
    assert (found.counts >= 0).all()
    expected = found.counts.sum() * fit(pool(), county).weights
    assert np.abs(found.counts - expected).max() <= 3
    with pytest.raises(UsageError, match="at least 50"):
        compose(pool(), county, 40)


def test_same_every_time(county: Margins, made: Composition):
    assert (compose(pool(), county, 40_000).counts == made.counts).all()


def test_villages_share_out_exactly_the_county(made: Composition):
    people = np.full(180, 222)
    people[0] += 40_000 - people.sum()
    dealt = deal(made, people, np.random.default_rng(3))
    assert [int(made.pool.size[rows].sum()) for rows in dealt] == list(people)
    together = np.bincount(np.concatenate(dealt), minlength=len(made.counts))
    assert (together == made.counts).all()
    other = deal(made, people, np.random.default_rng(4))
    assert any(len(a) != len(b) or (a != b).any() for a, b in zip(dealt, other, strict=True))
    with pytest.raises(UsageError, match="villages have 39,999"):
        deal(made, np.array([39_999]), np.random.default_rng(3))


def test_without_a_census_what_is_cited_holds():
    found = compose(pool(), cited("211223"), 40_000)
    assert not far_off(found.misses)
    ages = found.ages().sum(axis=0)
    assert ages[65:].sum() / 40_000 == pytest.approx(0.139, abs=0.002)
    assert found.people / found.counts.sum() == pytest.approx(2.9, abs=0.01)


@pytest.mark.parametrize("year", [2010, 2020])
@pytest.mark.parametrize("area", AREAS)
def test_real_counties_within_half_a_point(year: int, area: str):
    found = compose(pool(), from_table(real_census(year), area), 40_000)
    misses = found.misses[found.misses["margin"] != "couples"]
    assert found.people == 40_000
    assert misses["miss"].abs().max() < 0.005
    assert (misses.groupby("margin")["miss"].agg(lambda miss: miss.abs().sum() / 2) < 0.01).all()
    assert set(misses["margin"]) == {
        "size", "household_size", "generations", "old_members", "sex_age"
    }  # fmt: skip


def test_columns_are_those_that_are_known():
    names = {name for name, _ in columns_of(pool(), cited("211223")).names}
    assert names == {"size", "age"}
