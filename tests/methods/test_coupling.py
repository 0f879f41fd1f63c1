"""Coupling coordination: three models as published, classes at their edges, zeros and nulls."""

from math import prod, sqrt
from statistics import pstdev

import numpy as np
import pytest
from pyspark.sql import functions as F

from jobs.methods.coupling import (
    CLASSES,
    coordination_class,
    coordination_index,
    coupling_coordination,
    coupling_degree,
    coupling_phase,
    lagging,
)
from lakehouse.errors import UsageError
from tests.methods.golden import golden, golden_numbers

MODELS = ("standard", "wang", "fan")


def degrees(spark, rows):
    """Return [C, D for each model] of each row of systems, with equal weights."""
    systems = [f"U{place}" for place in range(1, len(rows[0]) + 1)]
    table = spark.createDataFrame(rows, ", ".join(f"{name} double" for name in systems))
    measures = [
        measure(systems, model)
        for model in MODELS
        for measure in (coupling_degree, coupling_coordination)
    ]
    return [list(row) for row in table.select(*measures).collect()]


def test_published_four_systems(spark):
    """stscl/coupling@7d16cd9 vignettes/ccd.Rmd: seven digits, three models."""
    made = degrees(spark, [systems for _, *systems in golden_numbers("02_coupling_in")])
    for row, (_, *published) in zip(made, golden_numbers("02_coupling_out"), strict=True):
        assert row == pytest.approx(published, abs=1.5e-7)


def test_published_original_and_modified_degree(spark):
    """Wang et al. 2021, Table 8: the pair that the original C and U1 - U2 fix has both C."""
    cities = [
        {k: v if k == "city" else float(v) for k, v in row.items()}
        for row in golden("03_wang_table_8")
    ]
    pairs = []
    for city in cities:
        c = city["original_C"]
        ratio = ((1 - sqrt(1 - c * c)) / c) ** 2
        highest = city["difference"] / (1 - ratio)
        assert 0 < highest <= 1
        pairs.append((highest, highest * ratio))
    for city, (standard, _, wang, *_) in zip(cities, degrees(spark, pairs), strict=True):
        assert standard == pytest.approx(city["original_C"], abs=5e-5)
        assert wang == pytest.approx(city["modified_C"], abs=1e-4)


def test_same_pair_in_three_models_and_the_low_level_trap(spark):
    low, trap, uneven = degrees(spark, [(0.3, 0.6), (0.01, 0.01), (0.02, 0.9)])
    assert low == pytest.approx([0.942809, 0.651356, 0.591608, 0.515968, 0.7, 0.561249], abs=1e-6)
    assert trap == pytest.approx([1, 0.1] * 3)
    assert uneven[::2] == pytest.approx([0.2917, 0.0516, 0.12], abs=5e-5)


def test_random_systems_agree_with_the_formulas(spark):
    rows = np.random.default_rng(2).uniform(0.01, 1, size=(40, 5)).tolist()
    for u, made in zip(rows, degrees(spark, rows), strict=True):
        n, most = len(u), max(u)
        apart = sum(abs(u[i] - u[j]) for i in range(n) for j in range(i)) / (n * (n - 1) / 2)
        c = [
            n * prod(u) ** (1 / n) / sum(u),
            sqrt((1 - apart) * prod(x / most for x in u) ** (1 / (n - 1))),
            1 - 2 * pstdev(u),
        ]
        assert made[::2] == pytest.approx(c)
        assert made[1::2] == pytest.approx([sqrt(x * sum(u) / n) for x in c])


def test_zeros_nulls_and_values_out_of_range(spark):
    nan = float("nan")
    made = degrees(
        spark, [(0.0, 0.0), (0.0, 0.5), (None, 0.5), (nan, 0.5), (-0.1, 0.5), (1.2, 0.6)]
    )
    assert made[0] == [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    assert made[1] == [0.0, 0.0, 0.0, 0.0, 0.5, pytest.approx(sqrt(0.125))]
    assert made[2] == made[3] == made[4] == [None] * 6
    assert made[5][0] == pytest.approx(0.942809, abs=5e-7)
    assert made[5][2:] == [None] * 4


def test_weighted_index(spark):
    row = (
        spark.range(1)
        .select(
            coordination_index([F.lit(0.3), F.lit(0.9)], ["1/3", "2/3"]),
            coordination_index([F.lit(0.3), F.lit(0.9)], [1, 3]),
            coordination_index([F.lit(0.3), F.lit(None)]),
        )
        .first()
    )
    assert list(row) == [pytest.approx(0.7), pytest.approx(0.75), None]


def test_ten_classes_at_their_edges(spark):
    """SPSSAU closes classes below, Acta Geographica Sinica 76(4) Table 1 above."""
    values = [0.0, *(tenth / 10 for tenth in range(1, 11)), 0.1 + 0.2, 0.55, 1.1, -0.1, None]
    rows = spark.createDataFrame([(value,) for value in values], "d double").select(
        coordination_class("d").alias("lower"),
        coordination_class("d", "upper_closed").alias("upper"),
    )
    made = [[cell and (cell.level, cell.name) for cell in row] for row in rows.collect()]
    lower = [*range(1, 11), 10, 4, 6]
    upper = [1, *range(1, 11), 3, 6]
    assert made == [
        *([(a, CLASSES[a - 1]), (b, CLASSES[b - 1])] for a, b in zip(lower, upper, strict=True)),
        *[[None, None]] * 3,
    ]
    assert made[5] == [(6, "勉强协调"), (5, "濒临失调")]


def test_phases_at_their_edges(spark):
    rows = spark.createDataFrame([(0.0,), (0.3,), (0.5,), (0.8,), (1.0,), (None,)], "c double")
    made = rows.select(coupling_phase("c"), coupling_phase("c", "upper_closed")).collect()
    assert [tuple(row) for row in made] == [
        ("低水平耦合", "低水平耦合"),
        ("拮抗", "低水平耦合"),
        ("磨合", "拮抗"),
        ("高水平耦合", "磨合"),
        ("高水平耦合", "高水平耦合"),
        (None, None),
    ]


def test_lagging_names_the_lowest_side(spark):
    rows = spark.createDataFrame(
        [(0.2, 0.9, 0.5), (0.9, 0.2, 0.2), (0.3, 0.4, 0.35), (0.3, 0.41, 0.35), (None, 0.9, 0.1)],
        "living double, production double, labour double",
    )
    made = rows.select(lagging({name: name for name in rows.columns})).collect()
    assert [row[0] for row in made] == ["living", "production", None, "living", None]


def test_refused():
    with pytest.raises(UsageError, match="Did you mean 'standard'"):
        coupling_degree(["a", "b"], "standart")
    with pytest.raises(UsageError, match="at least two"):
        coupling_degree(["a"])
    with pytest.raises(UsageError, match="2 systems need 2 weights"):
        coordination_index(["a", "b"], [1])
    with pytest.raises(UsageError, match="convention"):
        coordination_class("d", "closed")
