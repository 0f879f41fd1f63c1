"""The answer held against the truth that the generator knows.

Runs in the restricted zone: it needs the vault to find a household's token. No job reads truth.
"""

from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.run import House


def judge(house: House, truth: Path, as_of: date) -> dict[str, Any]:
    """Return how identification, survey estimate and model compare with the truth.

    Households with a card are judged by identification; the headcount ratio by people; the
    model by how well its score orders all households (area under the ROC curve).
    """
    known = house.vault.token_of(
        house.spark.read.parquet(str(truth / "household.parquet")), "household", "household_id"
    ).where("household_id IS NOT NULL")
    known = known.select(
        "household_id", "n_members", "is_rural", "is_poor", "is_poor_by_consumption"
    ).persist()
    told = _people(known) | _identification(house, known, as_of) | _survey(house, as_of)
    if house.lake.exists("gold.poverty_score"):
        told |= _score(house, known, as_of)
    known.unpersist()
    return told


def _one(rows: DataFrame) -> dict[str, Any]:
    """Return the single row of an aggregate."""
    return dict(rows.collect()[0].asDict())


def _people(known: DataFrame) -> dict[str, Any]:
    """Count households, and the share of rural people below the line: what the survey samples."""
    rural = F.when(F.col("is_rural"), F.col("n_members"))
    poor = F.when(F.col("is_rural") & F.col("is_poor"), F.col("n_members")).otherwise(0)
    return _one(
        known.agg(
            F.count(F.lit(1)).alias("households"),
            (F.sum(poor) / F.sum(rural)).alias("true_rural_headcount_ratio"),
        )
    )


def _identification(house: House, known: DataFrame, as_of: date) -> dict[str, Any]:
    named = house.lake.read("gold.household_identification").where(F.col("as_of") == F.lit(as_of))
    joined = known.join(named.select("household_id", "recommendation"), "household_id", how="left")
    included = F.coalesce(F.col("recommendation") == "include", F.lit(False))
    poor = F.col("is_poor")
    found = _one(
        joined.agg(
            F.count_if(included).alias("included"),
            F.count_if(poor).alias("truly_poor"),
            F.count_if(included & poor).alias("both"),
        )
    )
    return {
        "households_recommended": found["included"],
        "households_truly_poor": found["truly_poor"],
        "exclusion_error": _share(found["truly_poor"] - found["both"], found["truly_poor"]),
        "inclusion_error": _share(found["included"] - found["both"], found["included"]),
    }


def _survey(house: House, as_of: date) -> dict[str, Any]:
    county = (
        house.lake.read("gold.poverty_by_area")
        .where((F.col("as_of") == F.lit(as_of)) & (F.col("level") == "county"))
        .where(F.col("concept") == "net_income")
        .select("headcount_ratio", "n_sampled")
        .limit(1)
    )
    return {
        {"headcount_ratio": "estimated_rural_headcount_ratio"}.get(key, key): value
        for key, value in _one(county).items()
    }


def _score(house: House, known: DataFrame, as_of: date) -> dict[str, Any]:
    """Area under the ROC curve by ranks: the share of pairs that the score puts right."""
    scored = (
        house.lake.read("gold.poverty_score")
        .where(F.col("as_of") == F.lit(as_of))
        .select("household_id", "predicted_consumption_cny")
        .join(known, "household_id", how="inner")
    )
    by_score = scored.groupBy("predicted_consumption_cny").agg(
        F.count_if(F.col("is_poor_by_consumption")).alias("poor"),
        F.count_if(~F.col("is_poor_by_consumption")).alias("others"),
    )
    above = Window.orderBy(F.desc("predicted_consumption_cny")).rowsBetween(
        Window.unboundedPreceding, Window.currentRow
    )
    found = _one(
        by_score.withColumn("richer", F.sum("others").over(above) - F.col("others")).agg(
            F.sum(F.col("poor") * (F.col("richer") + F.col("others") / 2)).alias("right"),
            F.sum("poor").alias("poor"),
            F.sum("others").alias("others"),
        )
    )
    return {"model_auc": _share(found["right"], found["poor"] * found["others"])}


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
