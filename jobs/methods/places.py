"""Divisions by their 12-digit code, and distances between places."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.methods.columns import ColumnOrName, column
from jobs.methods.reasons import also

NATION = "000000000000"
# Digits that name a division of each level; zeros fill up the rest.
DIGITS = {"province": 2, "city": 4, "county": 6, "town": 9, "village": 12}
# Mean radius of the Earth by IUGG, (2a + b)/3 of WGS-84.
EARTH_RADIUS_KM = 6371.0088


def area_at(level: str, area_code: ColumnOrName) -> Column:
    """Return the code of the division of that level that an area lies in, or is."""
    return F.rpad(F.substring(column(area_code), 1, DIGITS[level]), 12, "0")


def level_of(area_code: ColumnOrName) -> Column:
    """Return the highest level whose digits name the area; null for the nation."""
    code = column(area_code)
    return F.when(
        code != NATION,
        F.coalesce(*(F.when(area_at(level, code) == code, F.lit(level)) for level in DIGITS)),
    )


def check_village(rows: DataFrame, areas: DataFrame, as_of: date) -> DataFrame:
    """Return the rows with a reason in `violations` where `village_code` is no village in force.

    A code that the tree does not have, or not yet, is unknown; one that has ended is retired. A
    null has its reason from the typed view.
    """
    tree = areas.where(F.col("valid_from") <= F.lit(as_of)).select(
        F.col("area_code").alias("village_code"),
        F.col("level").alias("_level"),
        F.coalesce(F.col("valid_to") <= F.lit(as_of), F.lit(False)).alias("_is_retired"),
    )
    no_village = {
        "village_code:unknown_area": F.col("village_code").isNotNull() & F.col("_level").isNull(),
        "village_code:retired_area": F.col("_is_retired"),
        "village_code:not_a_village": F.col("_level") != "village",
    }
    return (
        rows.join(F.broadcast(tree), "village_code", how="left")
        .withColumn("violations", also(no_village))
        .drop("_level", "_is_retired")
    )


def great_circle_km(
    lon: ColumnOrName, lat: ColumnOrName, other_lon: ColumnOrName, other_lat: ColumnOrName
) -> Column:
    """Return the great-circle distance of two points in degrees, by the haversine formula.

    Sinnott, R. W. (1984), "Virtues of the haversine", Sky and Telescope 68(2), 159: unlike the
    law of cosines it keeps its digits where the points are near.
    """
    x, y, other_x, other_y = (F.radians(column(it)) for it in (lon, lat, other_lon, other_lat))
    half_chord = F.pow(F.sin((other_y - y) / 2), F.lit(2.0)) + F.cos(y) * F.cos(other_y) * F.pow(
        F.sin((other_x - x) / 2), F.lit(2.0)
    )
    # Rounding may pass 1 at opposite points. least() would turn an unknown place into one there.
    within = F.when(half_chord > 1, 1.0).otherwise(half_chord)
    return 2 * EARTH_RADIUS_KM * F.asin(F.sqrt(within))


def nearest_village(rows: DataFrame, areas: DataFrame, as_of: date) -> DataFrame:
    """Return the rows with `village_code`: the nearest village of the county of `county_code`.

    Only villages in force that have a position count; ties go to the lower code. Null where the
    row has no position or its county no such village. Each row meets its county's villages in
    one array, so that no row is multiplied.
    """
    ended = F.coalesce(F.col("valid_to") <= F.lit(as_of), F.lit(False))
    villages = (
        areas.where((F.col("level") == "village") & (F.col("valid_from") <= F.lit(as_of)) & ~ended)
        .where("lon IS NOT NULL AND lat IS NOT NULL")
        .groupBy(area_at("county", "area_code").alias("_county"))
        .agg(F.array_sort(F.collect_list(F.struct("area_code", "lon", "lat"))).alias("_villages"))
    )
    by_distance = F.transform(
        "_villages",
        lambda village: F.struct(
            great_circle_km("lon", "lat", village.lon, village.lat), village.area_code
        ),
    )
    nearest = F.array_min(by_distance)["area_code"]
    return (
        rows.withColumn("_county", area_at("county", "county_code"))
        .join(F.broadcast(villages), "_county", how="left")
        .withColumn("village_code", F.when(F.expr("lon IS NOT NULL AND lat IS NOT NULL"), nearest))
        .drop("_county", "_villages")
    )
