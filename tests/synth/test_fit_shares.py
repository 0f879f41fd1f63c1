"""Attributes handed out by rank: right in every block together, following what lies behind."""

import numpy as np
import pytest

from synth.figures import figures
from synth.people.census_table import from_table
from synth.people.compose import compose, deal, members
from synth.people.pool import pool
from synth.people.shares import LEVELS, MARITAL, assign, fitted, marriage, schooling
from tests.synth.census_rows import real_census


def test_assign_follows_the_rank():
    latent = np.array([5.0, 1.0, 4.0, 2.0, 9.0, 8.0])
    cells = np.array([0, 0, 0, 0, 1, 1])
    shares = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    got = assign(latent, cells, shares, np.random.default_rng(1))
    assert list(got) == [1, 0, 1, 0, 2, 2]


def test_assign_is_right_over_many_small_blocks():
    rng = np.random.default_rng(2)
    shares = np.array([[0.31, 0.66, 0.03]])
    n = np.zeros(3)
    for _ in range(400):
        size = int(rng.integers(1, 30))
        got = assign(rng.normal(size=size), np.zeros(size, dtype=int), shares, rng)
        count = np.bincount(got, minlength=3)
        assert (np.abs(count - size * shares[0]) < 1).all()
        n += count
    assert n / n.sum() == pytest.approx(shares[0], abs=0.004)


def test_table_gets_its_sums():
    prior = np.array([[1.0, 1.0, 0.0], [1.0, 2.0, 3.0]])
    table, miss = fitted(prior, np.array([4.0, 6.0]), np.array([5.0, 3.0, 2.0]))
    assert table.sum(axis=1) == pytest.approx([4, 6])
    assert table.sum(axis=0) == pytest.approx([5, 3, 2])
    assert table[0, 2] == 0 and miss < 1e-8
    # Rows win where noughts keep the columns from being met, and the miss is told.
    _, miss = fitted(prior, np.array([9.0, 1.0]), np.array([4.0, 3.0, 3.0]))
    assert miss == pytest.approx(0.2)


COHORTS = figures("211223")["people"]["schooling"]["cohorts"]


@pytest.mark.parametrize("year", [2010, 2020])
@pytest.mark.parametrize("area", ["211223", "210102"])
def test_schooling_and_marriage_of_a_real_county(year: int, area: str):
    """Handed out village by village, within half a point and one per cent in all."""
    margins = from_table(real_census(year), area)
    made = compose(pool(), margins, 40_000)
    rng = np.random.default_rng(5)
    learnt = schooling(margins, made.ages(), year, COHORTS)
    wed = marriage(margins, made.ages(), made.ages_in_couples())
    levels = np.zeros((2, len(LEVELS)))
    states = np.zeros((2, len(MARITAL)))
    unread = 0
    for rows in deal(made, np.full(20, 2_000), rng):
        who = members(made.pool, rows)
        sex, age = (~who["is_male"]).to_numpy().astype(int), who["age"].to_numpy().astype(int)
        cell = sex * 105 + age
        level = assign(rng.normal(size=len(who)), cell, learnt.shares.reshape(-1, 7), rng)
        alone = assign(rng.normal(size=len(who)), cell, wed.shares.reshape(-1, 4), rng)
        state = np.where(who["in_couple"], MARITAL.index("married"), alone)
        np.add.at(levels, (sex[age >= 6], level[age >= 6]), 1)
        np.add.at(states, (sex[age >= 15], state[age >= 15]), 1)
        chance = learnt.illiterate[sex, age, level]
        unread += int(assign(
            rng.normal(size=len(who)), np.arange(len(who)), np.stack([1 - chance, chance], axis=1),
            rng,
        ).sum())  # fmt: skip
    for got, name in ((levels, "schooling"), (states, "marital")):
        # Within each sex: the long form's people are not as often men as all are.
        off = got / got.sum(axis=1, keepdims=True) - margins[name].by_sex()
        assert np.abs(off).max() < 0.005, name
        assert (np.abs(off).sum(axis=1) / 2 < 0.01).all(), name
    grown = made.ages()[:, 15:].sum()
    told = margins["illiterate"]
    wanted = told["male illiterate"] + told["female illiterate"]
    assert unread / grown == pytest.approx(wanted, abs=0.003)


def test_children_are_where_children_are():
    margins = from_table(real_census(2020), "211223")
    made = compose(pool(), margins, 40_000)
    shares = schooling(margins, made.ages(), 2020, COHORTS).shares
    assert shares[:, 8, LEVELS.index("primary")].min() > 0.9
    assert shares[:, 8, LEVELS.index("senior") :].max() == 0
    # The old have learnt less than the young.
    assert (shares[:, 75, :3].sum(axis=1) > shares[:, 35, :3].sum(axis=1)).all()
