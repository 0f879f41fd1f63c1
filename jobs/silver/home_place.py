"""silver.home_place: where each subscriber spends the night."""

from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.methods.clock import night_of
from jobs.methods.parties import sides
from lakehouse.job import job
from lakehouse.schemas.telecom import CdrEvent, Cell, HomePlace

SUBSCRIBER_MONTH = ["subscriber_id", "month"]


@job(HomePlace, events=CdrEvent, cells=Cell, look_back={"events": 30})
def home_place(
    events: DataFrame,
    cells: DataFrame,
    *,
    as_of: date,
    zone: str,
    night_start_h: int,
    night_end_h: int,
    min_nights: int,
) -> DataFrame:
    """Take the cell with most nights of the month of `as_of`, out of `min_nights` or more.

    A night counts for the month of its evening. Cells that are unknown, or out of service on
    the day of the event, are no evidence. A cell that was moved counts as one for each place.
    """
    nights = (
        sides(events)
        .withColumn("night", night_of("started_at", zone, night_start_h, night_end_h))
        .withColumn("month", F.trunc("night", "month"))
        .where(F.col("month") == F.lit(as_of.replace(day=1)))
        .join(
            F.broadcast(cells.select("cell_id", "village_code", "valid_from", "valid_to")),
            "cell_id",
            how="inner",
        )
        .where("day >= valid_from AND (valid_to IS NULL OR day < valid_to)")
    )
    observed = nights.groupBy(SUBSCRIBER_MONTH).agg(
        F.count_distinct("night").alias("n_nights_observed")
    )
    by_cell = nights.groupBy(*SUBSCRIBER_MONTH, "cell_id", "village_code").agg(
        F.count_distinct("night").alias("n_nights")
    )
    most_nights_first = Window.partitionBy(SUBSCRIBER_MONTH).orderBy(
        F.desc("n_nights"), "cell_id", "village_code"
    )
    return (
        by_cell.withColumn("rank", F.row_number().over(most_nights_first))
        .where("rank = 1")
        .join(observed, SUBSCRIBER_MONTH, how="inner")
        .where(F.col("n_nights_observed") >= min_nights)
        .withColumn("night_share", F.col("n_nights") / F.col("n_nights_observed"))
        .select(*HomePlace.columns)
    )
