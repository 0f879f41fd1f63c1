"""silver.cdr_event: calls and messages by local day."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.methods.clock import local_date
from jobs.methods.reasons import also
from lakehouse.job import job
from lakehouse.schemas.telecom import CdrEvent

# Records of a day come in for two more days (roaming, outages): a run makes those days again.
LATE_DAYS = 2


@job(
    CdrEvent,
    records="bronze.cdr",
    loads="records",
    look_back={"records": LATE_DAYS},
    redo_days=LATE_DAYS,
)
def cdr_event(records: DataFrame, *, zone: str) -> DataFrame:
    """Load every record under the local day on which it started.

    A record of another day than its delivery is about is set aside, since no run would find it.
    Cells are taken as they are: what is unknown or out of service shows where places are used.
    """
    wrong = {
        "started_at:outside_period": F.col("day").cast("string") != F.col("period"),
        "recipient_id:same_as_caller": F.col("recipient_id") == F.col("caller_id"),
    }
    return (
        records.withColumn("day", local_date("started_at", zone))
        .withColumn("violations", also(wrong))
        .select(*CdrEvent.columns, "violations")
    )
