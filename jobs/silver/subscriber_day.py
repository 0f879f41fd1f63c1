"""silver.subscriber_day: what every number did on a local day."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.methods.parties import sides
from jobs.silver.cdr_event import LATE_DAYS
from lakehouse.job import job
from lakehouse.schemas.telecom import CdrEvent, SubscriberDay


@job(SubscriberDay, events=CdrEvent, look_back={"events": LATE_DAYS}, redo_days=LATE_DAYS)
def subscriber_day(events: DataFrame) -> DataFrame:
    """Count the events of every number, on either side of them.

    Other operators' numbers have rows too: a record does not say whose a number is. They are
    seen only through our subscribers, and their cells are not known.
    """
    is_call, is_out = F.col("event_kind") == "call", F.col("is_out")
    return (
        sides(events)
        .groupBy("subscriber_id", "day")
        .agg(
            F.count_if(is_call & is_out).alias("n_calls_out"),
            F.count_if(is_call & ~is_out).alias("n_calls_in"),
            F.count_if(~is_call & is_out).alias("n_texts_out"),
            F.count_if(~is_call & ~is_out).alias("n_texts_in"),
            F.sum(F.when(is_call, F.col("duration_s"))).alias("call_s"),
            F.count_distinct("other_id").alias("n_contacts"),
            F.count_distinct("cell_id").alias("n_cells"),
        )
        .select(*SubscriberDay.columns)
    )
