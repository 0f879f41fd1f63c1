"""Alkire-Foster: the 4 x 4 example, an oracle with exact fractions, and the edges."""

from fractions import Fraction

import numpy as np
import pytest
from pyspark.sql import functions as F

from jobs.methods.multidimensional import (
    adjusted_gap,
    adjusted_headcount_ratio,
    deprivation_score,
    headcount_ratio,
    intensity,
    is_poor,
    multidimensional_poverty,
)
from jobs.methods.poverty import shortfall
from lakehouse.errors import UsageError
from tests.methods.golden import golden_numbers

LINES = {"income": 13, "schooling": 12, "health": 3, "insurance": 1}
EQUAL = dict.fromkeys(LINES, 1)
# The global MPI: mpindex, inst/extdata/global-mpi-specs.csv.
GLOBAL_MPI = dict.fromkeys(("nutrition", "mortality", "years", "attendance"), "1/6") | (
    dict.fromkeys(("fuel", "sanitation", "water", "electricity", "housing", "assets"), "1/18")
)


@pytest.fixture(scope="module")
def example(spark):
    """Four persons: perlatex/easyuse README, with 15.2 for the income of person 2."""
    names = ", ".join(f"{name} double" for name in ("person", *LINES))
    achievements = spark.createDataFrame(golden_numbers("01_alkire_foster_in"), names)
    flags = [shortfall(name, line, alpha=0).alias(f"no_{name}") for name, line in LINES.items()]
    return achievements.select("*", *flags, F.expr("if(person < 3, 'a', 'b')").alias("place"))


FLAGS = {f"no_{name}": weight for name, weight in EQUAL.items()}


def test_published_cutoffs(example):
    """perlatex/easyuse; k = 2 also in yng-me/mpindex@ad3a3c9 tests/testthat/test-compute-mpi.R."""
    expected = golden_numbers("01_alkire_foster_out")
    measures = [
        measure(FLAGS, int(k)).alias(f"{measure.__name__}_{k}")
        for k, *_ in expected
        for measure in (headcount_ratio, intensity, adjusted_headcount_ratio)
    ]
    assert example.agg(*measures).first() == pytest.approx(
        [number for _, *numbers in expected for number in numbers], abs=1e-9
    )


def test_published_gaps(example):
    """M0, M1 and M2 of the same example at k = 2."""
    powers = [adjusted_gap(LINES, EQUAL, 2, alpha=alpha).alias(f"M{alpha}") for alpha in (0, 1, 2)]
    assert example.agg(*powers).first() == pytest.approx([0.375, 0.205529, 0.165457], abs=5e-7)


def test_published_breakdown_by_group_and_indicator(example):
    """Groups {1, 2} and {3, 4} and the contributions of the same example at k = 2."""
    both = {
        row.place: row for row in multidimensional_poverty(example, FLAGS, 2, by="place").collect()
    }
    assert [both[place].adjusted_headcount_ratio for place in "ab"] == [0.25, 0.5]
    assert [both[place].headcount_ratio for place in "ab"] == [0.5, 0.5]
    assert [both[place].intensity for place in "ab"] == [0.5, 1.0]
    assert [both[place].population_share for place in "ab"] == [0.5, 0.5]
    (whole,) = multidimensional_poverty(example, FLAGS, 2).collect()
    by_indicator = [whole.uncensored_headcounts, whole.censored_headcounts, whole.contributions]
    assert [[measure[name] for name in FLAGS] for measure in by_indicator] == [
        [0.25, 0.75, 0.25, 0.5],
        [0.25, 0.5, 0.25, 0.5],
        pytest.approx([1 / 6, 1 / 3, 1 / 6, 1 / 3]),
    ]
    assert (whole.n_rows, whole.n_left_out, whole.population, whole.population_share) == (
        4,
        0,
        4,
        1,
    )


def test_every_way_to_reach_a_third_is_poor(spark):
    """Global MPI weights: a score of exactly 1/3 is poor, by whichever indicators it comes."""
    names = list(GLOBAL_MPI)
    people = [[(code >> place) & 1 for place in range(len(names))] for code in range(1024)]
    rows = spark.createDataFrame(people, ", ".join(f"{name} int" for name in names))
    picked = rows.select(
        *names,
        deprivation_score(GLOBAL_MPI).alias("score"),
        is_poor(GLOBAL_MPI, "1/3").alias("exact"),
        is_poor(GLOBAL_MPI, 1 / 3).alias("rounded"),
    ).collect()
    weights = [Fraction(weight) for weight in GLOBAL_MPI.values()]
    for row in picked:
        score = sum(w * flag for w, flag in zip(weights, row[: len(names)], strict=True))
        assert row.score == pytest.approx(float(score), abs=1e-15)
        assert row.exact == row.rounded == (score >= Fraction(1, 3))


def naive(people, weights, cutoff):
    """Return n, H, A, M0 and the three lists, person by person in exact fractions."""
    scored = [(sum(w * g for w, g in zip(weights, gs, strict=True)), gs, u) for gs, u in people]
    whole = sum(u for _, _, u in scored)
    poor = [(c, gs, u) for c, gs, u in scored if c >= cutoff]
    n_poor, mass = sum(u for _, _, u in poor), sum(c * u for c, _, u in poor)
    raw = [sum(gs[j] * u for _, gs, u in scored) / whole for j in range(len(weights))]
    censored = [sum(gs[j] * u for _, gs, u in poor) / whole for j in range(len(weights))]
    parts = [w * h / (mass / whole) for w, h in zip(weights, censored, strict=True)]
    return len(people), n_poor / whole, mass / n_poor, mass / whole, raw, censored, parts


def test_random_weighted_groups_agree_with_the_definitions(spark):
    random = np.random.default_rng(11)
    indicators = {"a": "1/3", "b": "1/3", "c": "1/9", "d": "1/9", "e": "1/9"}
    rows = [
        (
            f"g{random.integers(3)}",
            *(None if random.random() < 0.03 else int(random.random() < 0.4) for _ in range(5)),
            int(random.integers(0, 5)),
        )
        for _ in range(300)
    ]
    table = spark.createDataFrame(
        rows, "place string, a int, b int, c int, d int, e int, weight int"
    )
    made = multidimensional_poverty(table, indicators, "1/3", "weight", by="place").collect()
    everybody = sum(row[-1] for row in rows if None not in row)
    for row in made:
        ours = [r for r in rows if r[0] == row.place]
        people = [(r[1:6], Fraction(r[6])) for r in ours if None not in r]
        weights = [Fraction(weight) for weight in indicators.values()]
        n, h, a, m0, raw, censored, parts = naive(people, weights, Fraction(1, 3))
        assert (row.n_rows, row.n_left_out) == (n, len(ours) - n)
        assert row.population_share == pytest.approx(row.population / everybody)
        assert [
            row.headcount_ratio,
            row.intensity,
            row.adjusted_headcount_ratio,
            *(row.uncensored_headcounts[name] for name in indicators),
            *(row.censored_headcounts[name] for name in indicators),
            *(row.contributions[name] for name in indicators),
        ] == pytest.approx([float(x) for x in (h, a, m0, *raw, *censored, *parts)], abs=1e-12)


def test_edges(spark):
    rows = spark.createDataFrame(
        [
            ("nobody poor", 0, 0, 1.0),
            ("no weight", 1, 1, 0.0),
            ("all missing", None, 1, 1.0),
            ("all missing", 1, 1, None),
            ("neither 0 nor 1", 2, 1, 1.0),
        ],
        "place string, a int, b int, weight double",
    )
    made = multidimensional_poverty(rows, {"a": 0.5, "b": 0.5}, 0.5, "weight", by="place")
    result = {
        row.place: (
            row.n_left_out,
            row.headcount_ratio,
            row.intensity,
            row.adjusted_headcount_ratio,
            row.uncensored_headcounts["b"],
            row.contributions["b"],
        )
        for row in made.collect()
    }
    assert result == {
        "nobody poor": (0, 0.0, None, 0.0, 0.0, None),
        "no weight": (0, None, None, None, None, None),
        "all missing": (2, None, None, None, None, None),
        "neither 0 nor 1": (1, None, None, None, None, None),
    }


def test_refused():
    for weights, cutoff, word in (
        ({"a": "a third"}, 1, "fraction"),
        ({"a": "1/0"}, 1, "fraction"),
        ({"a": -1, "b": 2}, 1, "at least 0"),
        ({"a": 0}, 1, "nothing"),
        ({}, 1, "nothing"),
        ({"a": 1, "b": 1}, 3, "cutoff"),
        ({"a": 1, "b": 1}, 0, "cutoff"),
    ):
        with pytest.raises(UsageError, match=word):
            is_poor(weights, cutoff)
    with pytest.raises(UsageError, match="Lines"):
        adjusted_gap({"a": 1}, {"b": 1}, 1, alpha=1)
