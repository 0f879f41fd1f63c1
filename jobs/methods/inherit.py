"""Settings that an area has of its own or inherits: county -> city -> province -> nation."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.methods.columns import ColumnOrName
from jobs.methods.places import NATION, area_at


def heritage(area_code: ColumnOrName) -> list[Column]:
    """Return the codes that an area takes a setting from, nearest first.

    A city or a province is its own county here and its own city: the code repeats.
    """
    return [*(area_at(level, area_code) for level in ("county", "city", "province")), F.lit(NATION)]


def inherited(rows: DataFrame, settings: DataFrame, *, of: str, into: str) -> DataFrame:
    """Return the rows with `into`: the setting of the nearest area that has one, as a struct.

    `settings` has one row per `area_code`, so `<into>.area_code` tells from whom; a second row
    of an area is an error. Null where not even the nation has it: never a default. The few
    settings travel to the rows as one map, so no row is shuffled.
    """
    by_area = settings.agg(
        F.map_from_entries(
            F.collect_list(F.struct("area_code", F.struct(*settings.columns)))
        ).alias("_by_area")
    )
    nearest = F.coalesce(*(F.try_element_at("_by_area", code) for code in heritage(of)))
    return rows.crossJoin(F.broadcast(by_area)).withColumn(into, nearest).drop("_by_area")
