"""Which records are one, directly or through others: connected components of pairs.

Large-star and small-star by turns. Kiveris, R., Lattanzi, S., Mirrokni, V., Rastogi, V. &
Vassilvitskii, S. (2014), "Connected components in MapReduce and beyond", Proceedings of the ACM
Symposium on Cloud Computing, 18:1-18:13.
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

EDGE = ["above", "below"]


def components(pairs: DataFrame, left: str, right: str) -> DataFrame:
    """Return the component (its smallest record) of every record that is in a pair.

    The rounds grow with the logarithm of the longest chain; each is kept, so that the next does
    not work it out again.
    """
    ends = F.greatest(left, right), F.least(left, right)
    edges = pairs.where(F.col(left) != F.col(right)).select(
        *(end.alias(name) for end, name in zip(ends, EDGE, strict=True))
    )
    edges, before = edges.distinct().localCheckpoint(), None
    while (now := _told(edges)) != before:
        before = now
        edges = _small_star(_large_star(edges)).localCheckpoint()
    members = edges.select(F.col("above").alias("record"), F.col("below").alias("component"))
    heads = edges.select(F.col("below").alias("record"), F.col("below").alias("component"))
    return members.unionByName(heads.distinct())


def _large_star(edges: DataFrame) -> DataFrame:
    """Link each record's higher neighbours to the lowest of them all."""
    back = edges.select(F.col("below").alias("above"), F.col("above").alias("below"))
    least = F.least(F.min("below").over(_of("above")), "above")
    near = edges.unionByName(back).withColumn("least", least)
    return near.where("below > above").select(
        F.col("below").alias("above"), F.col("least").alias("below")
    )


def _small_star(edges: DataFrame) -> DataFrame:
    """Link each record, and its lower neighbours, to the lowest of them."""
    near = edges.withColumn("least", F.min("below").over(_of("above")))
    own = near.select("above", F.col("least").alias("below"))
    others = near.where("below <> least").select(
        F.col("below").alias("above"), F.col("least").alias("below")
    )
    return own.unionByName(others).where("above <> below").distinct()


def _of(column: str) -> "Window":
    whole = Window.unboundedPreceding, Window.unboundedFollowing
    return Window.partitionBy(column).rowsBetween(*whole)


def _told(edges: DataFrame) -> tuple[int, int]:
    """Return what changes when the edges do: how many they are, and a sum of their hashes."""
    row = edges.agg(
        F.count(F.lit(1)).alias("n"),
        F.coalesce(F.sum(F.xxhash64(*EDGE).cast("decimal(38,0)")), F.lit(0)).alias("hash"),
    ).collect()[0]
    return int(row["n"]), int(row["hash"])
