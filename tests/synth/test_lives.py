"""Incomes by month: sums against an oracle, shocks that cost, spells that agree with the months."""

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest

from synth import truth
from synth.lives.lives import at_month
from synth.lives.presence import presence, twelve_months
from synth.town import Town
from tests.synth.conftest import LONG
from tests.synth.truth_county import RUNS


def test_presence_against_a_loop():
    edges = pd.DataFrame(
        [
            (0, 0, "2014-01-05", None), (1, 0, "2013-05-01", "2014-02-28"),
            (1, 1, "2014-02-28", "2014-03-31"), (2, 1, "2014-03-31", None),
        ],
        columns=["person", "household", "since", "until"],
    )  # fmt: skip
    edges["since"], edges["until"] = pd.to_datetime(edges["since"]), pd.to_datetime(edges["until"])
    ends = [date(2014, 1, 31), date(2014, 2, 28), date(2014, 3, 31)]
    here = presence(edges, 4, 2, ends)
    assert here.house.tolist() == [[0, 0, 0], [0, 1, -1], [-1, -1, 1], [-1, -1, -1]]
    assert here.sums(np.array([1, 10, 100, 1000])).tolist() == [[11, 1, 1], [0, 10, 100]]


def test_twelve_months_are_summed():
    flow = np.arange(28.0).reshape(2, 14)
    assert twelve_months(flow).tolist() == [
        [flow[row, k : k + 12].sum() for k in range(3)] for row in range(2)
    ]


def test_income_is_the_items_less_their_costs(towns: list[Town]):
    from synth.figures import cost_shares

    costs = cost_shares("211223", LONG.last)
    for one in towns[:3]:
        homes, items = one.life.homes, one.life.items
        net = sum(items[kind] * (1 - costs[kind]) for kind in items) / homes["n_members"]
        assert np.abs(net - homes["net_income_cny"]).max() < 12
        assert (items >= 0).all().all()


def test_an_earlier_month_is_that_of_the_panel(towns: list[Town]):
    life = towns[0].life
    then = at_month(life, 5)
    book = life.homes["book"]
    assert list(then.homes["net_income_cny"]) == list(life.months["net_income_cny"][book, 5])
    assert list(at_month(life, LONG.months - 1).homes["is_poor"]) == list(life.homes["is_poor"])


def test_shocks_lower_incomes(towns: list[Town]):
    """Households that a disaster or illness struck in 2015 earn less of the rest's growth."""
    change = {True: [], False: []}
    for one in towns:
        months, found = one.life.months, one.life.shocks
        struck = np.unique(found.loc[found["month"] >= 23, "household"].to_numpy(dtype=int))
        there = (months["n_members"] > 0).all(axis=1)
        ratio = months["net_income_cny"][:, -1] / np.maximum(months["net_income_cny"][:, 11], 300)
        for book in np.flatnonzero(there):
            change[book in struck].append(ratio[book])
    assert len(change[True]) > 50
    assert np.median(change[True]) < np.median(change[False])


def test_spells_are_runs_of_poor_months(towns: list[Town]):
    n_back = 0
    for one in towns:
        months, spells = truth.months(one), truth.spells(one)
        with duckdb.connect() as engine:
            engine.register("household_month", months)
            runs = engine.execute(f"{RUNS} ORDER BY 1, 2").fetchall()
        told = spells.sort_values(["household_id", "first_month_end"])
        columns = ["household_id", "first_month_end", "last_month_end", "is_known_from_before",
                   "is_return"]  # fmt: skip
        assert list(told[columns].itertuples(index=False, name=None)) == runs
        assert set(spells["cause"]) <= {"none", "illness", "disability", "job", "disaster"}
        n_back += spells["is_return"].sum()
    assert n_back > 3


def test_needs_agree_with_lives(towns: list[Town]):
    for one in towns:
        homes = one.life.homes
        production = homes[[name for name in homes if name in truth.NEEDS]]
        assert (homes["needs_production"] <= homes["is_poor"]).all()
        assert (production["needs_labour"] <= (homes["n_able"] == 0)).all()
        assert (homes["needs_food"] <= homes["needs_clothing"]).all()
        last = truth.months(one).query("month_end == @LONG.last.isoformat()")
        by_house = last.set_index("household_id")["is_poor"]
        assert by_house.to_dict() == dict(zip(homes["household_id"], homes["is_poor"], strict=True))


def test_the_whole_of_a_county_is_at_its_figure(towns: list[Town]):
    homes = pd.concat([one.life.homes for one in towns])
    poor = np.average(homes["is_poor"], weights=homes["n_members"])
    assert poor == pytest.approx(0.114, abs=0.02)
