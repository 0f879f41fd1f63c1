"""The two sides of a call or message."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def sides(events: DataFrame) -> DataFrame:
    """Return two rows per event: each party as `subscriber_id`, with `other_id` and `cell_id`.

    `is_out` marks the party that called or wrote. A party without a cell (another operator's
    subscriber, or not located) has a row too, with a null cell.
    """
    out = F.struct(
        F.col("caller_id").alias("subscriber_id"),
        F.col("recipient_id").alias("other_id"),
        F.col("caller_cell_id").alias("cell_id"),
        F.lit(True).alias("is_out"),
    )
    taken = F.struct(
        F.col("recipient_id").alias("subscriber_id"),
        F.col("caller_id").alias("other_id"),
        F.col("recipient_cell_id").alias("cell_id"),
        F.lit(False).alias("is_out"),
    )
    return events.select(
        "day",
        "started_at",
        "event_kind",
        "duration_s",
        F.explode(F.array(out, taken)).alias("side"),
    ).select("day", "started_at", "event_kind", "duration_s", "side.*")
