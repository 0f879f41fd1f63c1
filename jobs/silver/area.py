"""silver.area: the tree of divisions."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.methods.places import NATION, level_of
from jobs.methods.reasons import also
from lakehouse.job import job
from lakehouse.schemas.space import Area


@job(Area, areas="bronze.area", loads="areas")
def area(areas: DataFrame) -> DataFrame:
    """Load every division, and set aside those that do not fit into the tree.

    A province stands at the top: its parent is null or the nation. Everything else has a parent
    in the same delivery, current or retired.
    """
    parents = areas.select(F.col("area_code").alias("parent_code")).distinct()
    with_parents = areas.join(
        F.broadcast(parents.withColumn("_is_known", F.lit(True))), "parent_code", how="left"
    )
    needs_parent = F.col("level") != "province"
    misfits = {
        "level:disagrees_with_code": F.col("level") != level_of("area_code"),
        "parent_code:missing": needs_parent
        & F.col("parent_code").isNull()
        & ~F.array_contains("violations", "parent_code:not_an_area_code"),
        "parent_code:unknown_area": F.col("parent_code").isNotNull()
        & (needs_parent | (F.col("parent_code") != NATION))
        & F.col("_is_known").isNull(),
    }
    return with_parents.withColumn("violations", also(misfits)).select(*Area.columns, "violations")
