"""gold.poverty_score: what the model `poverty` predicts for every registered household."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.methods.places import area_at
from lakehouse.job import job
from lakehouse.schemas.identification import HouseholdFeature, PovertyScore
from lakehouse.versions import Scorer


@job(PovertyScore, features=HouseholdFeature, model="poverty")
def poverty_score(features: DataFrame, *, model: Scorer) -> DataFrame:
    """Score every household, and rank it among those of its county.

    `poorest_share` is within the county: its office visits by it, and no window holds all people.
    Equal predictions have equal shares.
    """
    of_county = Window.partitionBy(area_at("county", "village_code"))
    return (
        features.withColumn("predicted_consumption_cny", model.prediction())
        .withColumn(
            "poorest_share", F.cume_dist().over(of_county.orderBy("predicted_consumption_cny"))
        )
        .withColumn("model_version", F.lit(model.version))
        .select(*PovertyScore.columns)
    )
