"""FGT measures and Gini: published numbers, an oracle in plain Python, and the edges."""

import numpy as np
import pytest
from pyspark.sql import functions as F

from jobs.methods.poverty import fgt, gini, headcount_ratio, poverty_gap, squared_gap
from lakehouse.errors import UsageError
from tests.methods.golden import golden

UNIFORM = np.random.RandomState(42).uniform(size=300)
PUBLISHED_CASES = {
    "country_c": ([100.0, 110.0, 150.0, 160.0], 125.0),
    "uniform": (UNIFORM.tolist(), 0.5 * float(np.median(UNIFORM))),
    "hundred": ([float(i) for i in range(1, 101)], 25.25),
    "squares": ([float(i * i) for i in range(1, 101)], 1275.25),
    "one_rich": ([0.0] * 99 + [10.0], 1.0),
}
SCHEMA = "place string, value double, line double, weight double"


def measured(rows, weight=None):
    """Return {place: {measure: number}} in two actions."""
    fgts = rows.groupBy("place").agg(
        headcount_ratio("value", "line", weight).alias("P0"),
        poverty_gap("value", "line", weight).alias("P1"),
        squared_gap("value", "line", weight).alias("P2"),
        fgt("value", "line", weight, alpha=1.5).alias("P1.5"),
    )
    ginis = {row.place: row.gini for row in gini(rows, "value", weight, "place").collect()}
    return {row.place: row.asDict() | {"gini": ginis[row.place]} for row in fgts.collect()}


@pytest.fixture(scope="module")
def published(spark):
    rows = [
        (case, value, line, 1.0)
        for case, (values, line) in PUBLISHED_CASES.items()
        for value in values
    ]
    return measured(spark.createDataFrame(rows, SCHEMA))


@pytest.mark.parametrize(
    "known",
    golden("06_poverty_out"),
    ids=lambda known: f"{known['source']}, {known['case']} {known['measure']}",
)
def test_published(published, known):
    number = published[known["case"]][known["measure"]]
    # Stata keeps its variables in single precision; the others print doubles.
    digits = 1e-7 if known["source"] == "Stata poverty" else 1e-12
    assert number == pytest.approx(float(known["published"]), rel=digits)


def naive_fgt(units, alpha):
    """Return the weighted mean shortfall, unit by unit."""
    above = sum(w * ((z - y) / z) ** alpha if y < z else 0.0 for y, z, w in units)
    whole = sum(w for _, _, w in units)
    return above / whole if whole else None


def naive_gini(units):
    """Return half the relative mean difference: pairs, where the method has a sorted sum."""
    weight, mass = sum(w for _, _, w in units), sum(w * y for y, _, w in units)
    apart = sum(v * w * abs(x - y) for x, _, v in units for y, _, w in units)
    return apart / (2 * weight * mass) if weight and mass > 0 else None


def test_random_weighted_groups_agree_with_the_definitions(spark):
    random = np.random.default_rng(7)
    # Whole numbers make ties, some values and weights are missing, and weights may be 0.
    rows = [
        (
            f"g{random.integers(4)}",
            None if random.random() < 0.1 else float(np.floor(random.lognormal(3, 1.5))),
            float(random.choice([10.0, 20.0])),
            None if random.random() < 0.1 else float(random.choice([0.0, 0.5, 1.0, 3.7])),
        )
        for _ in range(400)
    ]
    result = measured(spark.createDataFrame(rows, SCHEMA).repartition(3), "weight")
    for place in ("g0", "g1", "g2", "g3"):
        units = [(y, z, w) for g, y, z, w in rows if g == place and None not in (y, w)]
        for name, alpha in (("P0", 0), ("P1", 1), ("P1.5", 1.5), ("P2", 2)):
            assert result[place][name] == pytest.approx(naive_fgt(units, alpha), abs=1e-12)
        assert result[place]["gini"] == pytest.approx(naive_gini(units), abs=1e-12)


def test_edges(spark):
    rows = spark.createDataFrame(
        [
            ("on the line", 10.0, 10.0, 1.0),
            ("all missing", None, 10.0, 1.0),
            ("all missing", float("nan"), 10.0, 1.0),
            ("no weight", 1.0, 10.0, 0.0),
            ("no line", 1.0, None, 1.0),
            ("line of zero", -1.0, 0.0, 1.0),
            ("nothing to share", 0.0, 10.0, 2.0),
            ("debt", -10.0, 10.0, 1.0),
            ("debt", 10.0, 10.0, 1.0),
            ("half known", 5.0, 10.0, 2.0),
            ("half known", None, 10.0, 9.0),
        ],
        SCHEMA,
    )
    result = {
        place: tuple(measures[name] for name in ("P0", "P1", "P2", "gini"))
        for place, measures in measured(rows, "weight").items()
    }
    assert result == {
        "on the line": (0.0, 0.0, 0.0, 0.0),
        "all missing": (None, None, None, None),
        "no weight": (None, None, None, None),
        "no line": (None, None, None, 0.0),
        "line of zero": (None, None, None, None),
        "nothing to share": (1.0, 1.0, 1.0, None),
        "debt": (0.5, 1.0, 2.0, None),
        "half known": (1.0, 0.5, 0.25, 0.0),
    }


def test_whole_table_and_empty_table(spark):
    rows = spark.createDataFrame([(1, "1.50"), (2, "4.50")], "id int, text string")
    decimals = rows.withColumn("value", F.col("text").cast("decimal(10,2)"))
    assert [row.gini for row in gini(decimals, "value").collect()] == [pytest.approx(0.25)]
    nobody = decimals.where("id > 2")
    assert [row.gini for row in gini(nobody, "value").collect()] == [None]
    assert nobody.agg(headcount_ratio("value", 2)).first()[0] is None


def test_refused():
    with pytest.raises(UsageError, match="line is above 0"):
        headcount_ratio("value", 0)
    with pytest.raises(UsageError, match="alpha"):
        fgt("value", 1, alpha=-1)
