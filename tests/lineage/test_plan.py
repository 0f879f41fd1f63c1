"""Column lineage is read from Spark's plan: held against dependencies typed by hand."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.lineage.origin import KINDS, Origin
from lakehouse.lineage.plan import Columns, case_depth, columns_of
from lakehouse.registry import registry
from tests.frames import frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

T = {"a.t", "a.u"}


def inputs(spark: "SparkSession", job: str) -> dict[str, DataFrame]:
    """Return an empty frame of each input of a job, under its name as the runner gives it."""
    known = registry()
    heads = {
        word: (name, known.tables[name]) for word, name in known.jobs[job].input_names().items()
    }
    return {
        word: frame(spark, table, " | ".join(table.columns)).alias(name)
        for word, (name, table) in heads.items()
    }


def lineage_of(spark: "SparkSession", job: str) -> Columns:
    known = registry().jobs[job]
    given = {"as_of": date(2015, 12, 31), "zone": "Asia/Shanghai"} | known.parameter_values()
    settings = {word: given[word] for word in known.parameters}
    return columns_of(known.function(**inputs(spark, job), **settings), registry().tables)


def direct(origin: Origin) -> dict[str, str]:
    return {".".join(source): KINDS[kind] for source, kind in origin.direct.items()}


def indirect(origin: Origin) -> set[str]:
    return {f"{table}.{column} {how}" for (table, column), how in origin.indirect}


def test_the_figures_of_a_household(spark: "SparkSession") -> None:
    found = lineage_of(spark, "gold.household_identification")
    of = found.of
    assert not any(origin.unknown for origin in of.values()) and not found.rows.unknown
    assert direct(of["household_id"]) == {"silver.household_card.household_id": "IDENTITY"}
    assert direct(of["net_income_cny"]) == {
        "silver.income_item.amount_cny": "AGGREGATION",
        "conf.income_rule.cost_share": "AGGREGATION",
        "silver.household.n_members": "TRANSFORMATION",
    }
    # One field of the struct that an area inherits, chosen by the area.
    assert direct(of["line_cny"]) == {"conf.income_line.line_cny": "AGGREGATION"}
    assert indirect(of["line_cny"]) == {
        "conf.income_line.area_code CONDITIONAL", "silver.household_card.village_code CONDITIONAL"
    }  # fmt: skip
    assert direct(of["is_housing_safe"]) == {
        "silver.household_card.housing_grade": "TRANSFORMATION"
    }
    # A word for one case or another is made of what decides, and of nothing else.
    assert direct(of["recommendation"]) == {}
    assert "silver.member_card.school CONDITIONAL" in indirect(of["recommendation"])
    assert of["as_of"].is_empty and of["scheme"].is_empty
    assert {"conf.income_line.year FILTER", "silver.member_card.card_id GROUP_BY"} <= indirect(
        found.rows
    )


def test_poverty_comes_from_the_survey_and_the_line(spark: "SparkSession") -> None:
    of = lineage_of(spark, "gold.poverty_by_area").of
    survey = "silver.survey_household"
    assert direct(of["headcount_ratio"]) == dict.fromkeys(
        [*(f"{survey}.{name}" for name in ("net_income_cny", "consumption_cny", "weight",
                                           "n_members")), "conf.income_line.line_cny"],
        "AGGREGATION",
    )  # fmt: skip
    assert direct(of["area_code"]) == {f"{survey}.village_code": "TRANSFORMATION"}
    assert direct(of["n_strata"]) == {f"{survey}.stratum": "AGGREGATION"}
    assert of["n_sampled"].is_empty


def test_where_a_subscriber_sleeps(spark: "SparkSession") -> None:
    found = lineage_of(spark, "silver.home_place")
    events = "silver.cdr_event"
    assert {name: set(direct(origin)) for name, origin in found.of.items()} == {
        "subscriber_id": {f"{events}.caller_id", f"{events}.recipient_id"},
        "month": {f"{events}.started_at"},
        "cell_id": {f"{events}.caller_cell_id", f"{events}.recipient_cell_id"},
        "village_code": {"silver.cell.village_code"},
        "n_nights": {f"{events}.started_at"},
        "n_nights_observed": {f"{events}.started_at"},
        "night_share": {f"{events}.started_at"},
    }
    assert {source for source in found.rows.sources if source[0] == "silver.cell"} == {
        ("silver.cell", name) for name in ("cell_id", "village_code", "valid_from", "valid_to")
    }


@pytest.fixture(scope="module")
def t(spark: "SparkSession") -> DataFrame:
    return spark.createDataFrame([], "k string, x int, y int, z int").alias("a.t")


def shapes(t: DataFrame, u: DataFrame) -> Iterator[tuple[str, DataFrame, dict[str, str]]]:
    """Yield plans of every shape that jobs take, with the source and kind of their column `v`."""
    yield "union", t.select(F.col("x").alias("v")).union(u.select("y")), {
        "a.t.x": "IDENTITY", "a.u.y": "IDENTITY"
    }  # fmt: skip
    yield "unpivot", t.unpivot(["k"], ["x", "y"], "of", "v"), dict.fromkeys(
        ["a.t.x", "a.t.y"], "IDENTITY"
    )  # fmt: skip
    first = F.first("x").over(Window.partitionBy("k").orderBy("y"))
    yield "window", t.withColumn("v", first), {"a.t.x": "AGGREGATION"}
    yield "cached", t.withColumn("v", F.col("x") + 1).persist(), {"a.t.x": "TRANSFORMATION"}
    twice = t.groupBy("k").agg(F.max("z").alias("v"))
    yield "self join", t.join(twice, "k"), {"a.t.z": "AGGREGATION"}
    least = F.min(F.struct("y", "x")).alias("s")
    yield "struct", t.groupBy("k").agg(least).select(F.col("s.x").alias("v")), {
        "a.t.x": "AGGREGATION"
    }  # fmt: skip
    yield (
        "translated",
        t.select(F.try_element_at(F.create_map(F.lit("a"), F.lit("b")), "k").alias("v")),
        {"a.t.k": "TRANSFORMATION"},
    )
    yield "nullif", t.select(F.nullif("x", F.lit(0)).alias("v")), {"a.t.x": "TRANSFORMATION"}


def test_plans_of_every_shape(spark: "SparkSession", t: DataFrame) -> None:
    u = spark.createDataFrame([], "k string, y int").alias("a.u")
    for what, made, expected in shapes(t, u):
        found = columns_of(made, T)
        assert direct(found.of["v"]) == expected, what
        assert not found.of["v"].unknown and not found.rows.unknown, what
    looked_up = columns_of(t.join(u.select("k", F.col("y").alias("v")), "k", how="left"), T)
    assert indirect(looked_up.of["v"]) == {"a.t.k JOIN", "a.u.k JOIN"}


def test_what_is_not_understood_is_unknown(spark: "SparkSession", t: DataFrame) -> None:
    opaque = columns_of(t.mapInPandas(lambda parts: parts, "v int").withColumn("w", F.lit(1)), T)
    assert opaque.of["v"].unknown and not opaque.of["v"].direct
    assert opaque.of["w"].is_empty
    assert opaque.rows.unknown == {"MapInPandas"}
    nobodys = spark.createDataFrame([(1,)], "v int")
    assert columns_of(t.crossJoin(nobodys), T).of["v"].unknown
    deep = F.col("x")
    for n in range(12):
        deep = F.when(F.col("y") == n, 0).otherwise(deep)
    assert columns_of(t.select(deep.alias("v")), T).of["v"].unknown
    assert case_depth("x CASE WHEN a THEN CASE WHEN b THEN 1 END END\nCASE WHEN c THEN 1 END") == 2


OTHER = {"string": "other", "bigint": 7, "int": 7, "date": date(2015, 1, 1)}


def test_what_is_not_told_does_not_matter(spark: "SparkSession") -> None:
    """Another value in an input column changes no output column that does not depend on it."""
    name, table = "silver.cdr_event", registry().tables["silver.cdr_event"]
    events = frame(spark, table, """
        caller_id | recipient_id | event_kind | day        | duration_s | caller_cell_id
        s1        | s2           | call       | 2015-12-05 | 60         | c1
        s1        | s3           | text       | 2015-12-05 | null       | c2
        s2        | s1           | call       | 2015-12-06 | 30         | null
    """)  # fmt: skip
    job = registry().jobs["silver.subscriber_day"]

    def made(rows: DataFrame) -> DataFrame:
        return job.function(rows.alias(name))

    found, before = columns_of(made(events), {name}), made(events).toPandas()
    changes = 0
    for column, kind in events.dtypes:
        if kind not in OTHER or (name, column) in found.rows.sources:
            continue
        other = events.withColumn(column, F.lit(OTHER[kind]).cast(kind))
        after = made(other).toPandas()
        for told, origin in found.of.items():
            if sorted(map(repr, before[told])) != sorted(map(repr, after[told])):
                assert (name, column) in origin.sources, (column, told)
                changes += 1
    assert changes > 3
