"""What was set aside, read once more (重放): after a mapping is mended, rows leave quarantine once.

Lines of a file that were no rows are read again by today's mapping; what is a row now is appended
to bronze. Rows that silver set aside need no replay of their own: a changed mapping or rule makes
the table stale, and its next run reads them again.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.delivery import Delivery, Refused, check_files, find
from lakehouse.errors import InputMissing, UsageError, nearest
from lakehouse.feed import Feed, feeds
from lakehouse.lineage.tell import told_landing
from lakehouse.staging import Staged, staged

if TYPE_CHECKING:
    from lakehouse.landing import Landing


@dataclass(frozen=True)
class Replayed:
    """What became of the lines of one delivery that were set aside: now rows, or still none."""

    delivery_id: str
    rows: int
    still_aside: int
    why_not: str | None = None


def waiting(landing: "Landing", feed: str | None = None) -> dict[str, int]:
    """Return how many lines are set aside of the landed deliveries (of one feed) that have any."""
    return {
        row["delivery_id"]: row["n_quarantined"]
        for row in landing.ops.deliveries(feed)
        if row["state"] == "landed" and row["n_quarantined"]
    }


def replay(landing: "Landing", delivery_id: str) -> Replayed:
    """Read the set-aside lines of one landed delivery again. Exactly once, wherever it stops.

    Raises UsageError for a delivery that has none, InputMissing where its files are gone.
    """
    known = waiting(landing)
    if delivery_id not in known:
        raise UsageError(f"{delivery_id} has no lines set aside.{nearest(delivery_id, [*known])}")
    delivery = next(find(landing.conf.landing, delivery_id), None)
    if delivery is None:
        raise InputMissing(f"The files of {delivery_id} are not under {landing.conf.landing}.")
    feed, before = feeds()[delivery.feed], known[delivery_id]
    with told_landing(landing, delivery) as ends:
        try:
            check_files(delivery, feed)
            with staged(landing.lake, landing.conf, delivery, feed) as one:
                n_bad = _appended(landing, delivery, feed, one)
        except Refused as refused:
            ends({"state": "refused", "reason": refused.reason, "detail": refused.detail})
            return Replayed(delivery_id, 0, before, str(refused))
        ends({"state": "landed", "created": before - n_bad, "quarantined": n_bad})
    return Replayed(delivery_id, before - n_bad, n_bad)


def _appended(landing: "Landing", delivery: Delivery, feed: Feed, one: Staged) -> int:
    """Append what bronze does not have yet; return how many lines are no rows still."""
    spark, version = landing.lake.spark, landing.lake.version(feed.table.name)
    there = landing.in_bronze(delivery, feed).select("line")
    fresh = spark.read.parquet(one.rows).join(there, "line", "left_anti")
    bad = one.bad(spark)
    if bad is not None:
        # Bronze keeps a row that was read once; only what never was one is still aside.
        bad = bad.join(there, "line", "left_anti")
    # Two replays that saw the same bronze are one: Delta takes the second for a repetition.
    app_id = f"replay:{delivery.delivery_id}:{version}"
    landing.lake.append_once(feed.table, fresh.withColumn("period", F.lit(delivery.period)), app_id)
    n_bad = landing.set_aside(delivery, feed, bad)
    landing.ops.recount(delivery.delivery_id, n_bad)
    return n_bad
