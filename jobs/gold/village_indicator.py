"""gold.village_indicator: what the coupling of each village is computed from."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.methods.columns import weighted_mean
from lakehouse.job import job
from lakehouse.schemas.coupling import VillageIndicator
from lakehouse.schemas.identification import HouseholdFeature, HouseholdIdentification
from lakehouse.schemas.project import Project
from lakehouse.schemas.telecom import HomePlace


@job(
    VillageIndicator,
    features=HouseholdFeature,
    identified=HouseholdIdentification,
    projects=Project,
    homes=HomePlace,
)
def village_indicator(
    features: DataFrame,
    identified: DataFrame,
    projects: DataFrame,
    homes: DataFrame,
    *,
    as_of: date,
    production_kinds: list[str],
) -> DataFrame:
    """Put together the figures of every village that has registered households.

    Households count where they are registered, whatever village their card names. A project
    counts from the day it starts; one that is only planned has produced nothing yet. A village
    without a project or a located subscriber has 0 of them.
    """
    subscribers = homes.groupBy("village_code").agg(F.count("*").alias("_n_subscribers"))
    n_households = F.col("n_households")
    figures = {
        "project_cny": F.coalesce("_project_cny", F.lit(0.0)) / n_households,
        "served_share": F.least(F.coalesce("_n_served", F.lit(0)) / n_households, F.lit(1.0)),
        "n_subscribers": F.coalesce("_n_subscribers", F.lit(0)) / n_households,
    }
    return (
        _households(features, identified)
        .join(
            F.broadcast(_production(projects, as_of, production_kinds)), "village_code", how="left"
        )
        .join(F.broadcast(subscribers), "village_code", how="left")
        .withColumn("as_of", F.lit(as_of))
        .withColumns(figures)
        .select(*VillageIndicator.columns)
    )


def _households(features: DataFrame, identified: DataFrame) -> DataFrame:
    """Return one row per village with the shares of its households and people."""
    found = identified.select(
        "household_id",
        "is_below_line",
        "is_housing_safe",
        "is_schooling_kept",
        "is_medical_covered",
        "is_water_safe",
    )
    n_adults = F.col("n_members") - F.col("n_children")
    return (
        features.join(found, "household_id", how="left")
        .groupBy("village_code")
        .agg(
            F.count("*").alias("n_households"),
            _share_without(F.col("is_below_line")).alias("above_line_share"),
            _share_without(~F.col("is_housing_safe")).alias("housing_safe_share"),
            _share_without(~F.col("is_schooling_kept")).alias("schooling_kept_share"),
            _share_without(~F.col("is_medical_covered")).alias("medical_covered_share"),
            _share_without(~F.col("is_water_safe")).alias("water_safe_share"),
            (F.sum("n_workers") / F.sum("n_members")).alias("worker_share"),
            weighted_mean("schooling_years", n_adults).alias("schooling_years"),
        )
    )


def _share_without(need: Column) -> Column:
    """Return the share of households not found in need; no card, no finding."""
    return F.count_if(~F.coalesce(need, F.lit(False))) / F.count("*")


def _production(projects: DataFrame, as_of: date, kinds: list[str]) -> DataFrame:
    """Return one row per village with the money and reach of its production projects."""
    is_at_work = (F.col("started_date") <= F.lit(as_of)) & (F.col("project_status") != "planned")
    return (
        projects.where(F.col("project_kind").isin(*kinds) & is_at_work)
        .groupBy("village_code")
        .agg(
            F.sum("budget_cny").alias("_project_cny"),
            F.sum("n_beneficiaries").alias("_n_served"),
        )
    )
