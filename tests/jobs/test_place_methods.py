"""Codes, distances, ages and inheritance, on small tables of their own."""

from datetime import date
from math import pi

import pytest
from pyspark.sql import functions as F

from jobs.methods.ages import age_on
from jobs.methods.inherit import inherited
from jobs.methods.places import area_at, great_circle_km, level_of


def test_levels_and_areas_above_of_a_code(spark):
    codes = {
        "210000000000": "province",
        "211200000000": "city",
        "211223000000": "county",
        "211223101000": "town",
        "211223101201": "village",
        "000000000000": None,
    }
    rows = spark.createDataFrame([(code,) for code in codes], "code string").select(
        "code", level_of("code").alias("level"), area_at("city", "code").alias("city")
    )
    made = {row["code"]: (row["level"], row["city"]) for row in rows.collect()}
    assert {code: level for code, (level, _) in made.items()} == codes
    assert made["211223101201"][1] == "211200000000"
    assert made["210000000000"][1] == "210000000000"


def test_great_circle_distances(spark):
    rows = spark.createDataFrame(
        [
            # A degree of latitude, a degree of longitude at 60 degrees, and half the Earth.
            (120.0, 41.0, 120.0, 42.0),
            (0.0, 0.0, 180.0, 0.0),
            (124.7, 42.7, 124.7, 42.7),
            (120.0, 41.0, None, 42.0),
        ],
        "a double, b double, c double, d double",
    ).select(great_circle_km("a", "b", "c", "d").alias("km"))
    degree, half, nothing, unknown = (row["km"] for row in rows.collect())
    assert degree == pytest.approx(6371.0088 * pi / 180, abs=1e-9)
    assert half == pytest.approx(6371.0088 * pi, abs=1e-6)
    assert nothing == 0
    assert unknown is None


def test_ages_in_completed_years(spark):
    born = ["2000-05-01", "2000-05-02", "2000-02-29", "2015-05-01", "2015-05-02", None]
    rows = spark.createDataFrame([(day,) for day in born], "born string").select(
        age_on(date(2015, 5, 1), F.to_date("born")).alias("in_may"),
        age_on(date(2015, 2, 28), F.to_date("born")).alias("in_february"),
    )
    made = rows.collect()
    assert [row["in_may"] for row in made] == [15, 14, 15, 0, -1, None]
    assert made[2]["in_february"] == 14  # 29 February: not before 1 March


def test_a_setting_comes_from_the_nearest_area_that_has_one(spark):
    settings = spark.createDataFrame(
        [("211223000000", 1), ("211200000000", 2), ("210000000000", 3)], "area_code string, n int"
    )
    areas = ["211223101201", "211224101201", "210100000000", "210000000000", "220101101201", None]
    rows = spark.createDataFrame([(code,) for code in areas], "village_code string")
    made = {
        row["village_code"]: (row["found"] and (row["found"]["area_code"], row["found"]["n"]))
        for row in inherited(rows, settings, of="village_code", into="found").collect()
    }
    assert made == {
        "211223101201": ("211223000000", 1),
        "211224101201": ("211200000000", 2),
        "210100000000": ("210000000000", 3),
        "210000000000": ("210000000000", 3),
        "220101101201": None,
        None: None,
    }
    nobody = inherited(rows, settings.where("n > 9"), of="village_code", into="found")
    assert nobody.where("found IS NOT NULL").count() == 0
