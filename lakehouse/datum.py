"""Chinese map datums to WGS-84: GCJ-02 (as AMap and Tencent draw) and BD-09 (as Baidu does).

GCJ-02 shifts a position by some 500 m, by a published polynomial with sines on the Krasovsky
ellipsoid; BD-09 shifts GCJ-02 once more. The shift has no closed inverse: it is taken back by
iteration until a step is below 1e-9 degree (0.1 mm). Outside a box around China it is nothing.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, StructField, StructType

from lakehouse.feed import Feed

Degrees = npt.NDArray[np.float64]
SEMI_MAJOR_M = 6378245.0
ECCENTRICITY_SQUARED = 0.00669342162296594323
BOX = (72.004, 137.8347, 0.8293, 55.8271)
BD_TURN = np.pi * 3000.0 / 180.0
STEP = 1e-9
POSITION = StructType([StructField("lon", DoubleType()), StructField("lat", DoubleType())])


def gcj02_of(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Return WGS-84 positions as GCJ-02 draws them."""
    x, y = lon - 105.0, lat - 35.0
    root, xy = np.sqrt(np.abs(x)), x * y
    ripple = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * xy + 0.2 * root
    north = (
        north + (ripple + _waves(y, 20.0, 40.0, 3.0) + _waves(y, 160.0, 320.0, 30.0, 12.0)) * 2 / 3
    )
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * xy + 0.1 * root
    east = (
        east + (ripple + _waves(x, 20.0, 40.0, 3.0) + _waves(x, 150.0, 300.0, 30.0, 12.0)) * 2 / 3
    )
    phi = np.radians(lat)
    flat = 1 - ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    along = SEMI_MAJOR_M * (1 - ECCENTRICITY_SQUARED) / flat**1.5
    across = SEMI_MAJOR_M / np.sqrt(flat) * np.cos(phi)
    west, east_, south, north_ = BOX
    inside = (lon >= west) & (lon <= east_) & (lat >= south) & (lat <= north_)
    return (
        lon + np.where(inside, np.degrees(east / across), 0.0),
        lat + np.where(inside, np.degrees(north / along), 0.0),
    )


def _waves(at: Degrees, first: float, second: float, slow: float, fast: float = 1.0) -> Degrees:
    """Return two sine waves of the polynomial, the second one slower."""
    return first * np.sin(at / fast * np.pi) + second * np.sin(at / slow * np.pi)


def wgs84_of(lon: Degrees, lat: Degrees, datum: str) -> tuple[Degrees, Degrees]:
    """Return positions of a datum (gcj-02, bd-09) in WGS-84."""
    if datum == "bd-09":
        lon, lat = _gcj02_of_bd09(lon, lat)
    x, y = lon.copy(), lat.copy()
    for _ in range(10):
        x_there, y_there = gcj02_of(x, y)
        dx, dy = lon - x_there, lat - y_there
        x, y = x + dx, y + dy
        if max(np.nanmax(np.abs(dx), initial=0), np.nanmax(np.abs(dy), initial=0)) < STEP:
            break
    return x, y


def _gcj02_of_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    x, y = lon - 0.0065, lat - 0.006
    radius = np.hypot(x, y) - 0.00002 * np.sin(y * BD_TURN)
    angle = np.arctan2(y, x) - 0.000003 * np.cos(x * BD_TURN)
    return radius * np.cos(angle), radius * np.sin(angle)


def in_wgs84(rows: DataFrame, feed: Feed) -> DataFrame:
    """Return a typed view with its longitude and latitude in WGS-84; null where one is null."""
    if feed.datum == "wgs-84":
        return rows
    by_type = {field.type: name for name, field in feed.fields.items()}
    lon, lat = by_type["longitude"], by_type["latitude"]
    columns = rows.columns
    return (
        rows.withColumn("_at", _converted(feed.datum, F.col(lon), F.col(lat)))
        .withColumn(lon, F.col("_at.lon"))
        .withColumn(lat, F.col("_at.lat"))
        .select(*columns)
    )


def _converted(datum: str, lon: Column, lat: Column) -> Column:
    @F.arrow_udf(POSITION)  # type: ignore[untyped-decorator]
    def converted(lons: pa.Array, lats: pa.Array) -> pa.Array:
        x, y = wgs84_of(
            lons.to_numpy(zero_copy_only=False), lats.to_numpy(zero_copy_only=False), datum
        )
        ends = [pa.array(end, pa.float64(), from_pandas=True) for end in (x, y)]
        return pa.StructArray.from_arrays(ends, ["lon", "lat"])

    return converted(lon, lat)
