"""Nights and local dates at their edges."""

from datetime import date, datetime

import pytest
from pyspark.sql import functions as F

from jobs.methods.clock import local_date, night_of
from lakehouse.errors import UsageError

SHANGHAI = "Asia/Shanghai"  # 8 hours ahead of UTC
# (UTC, date in Shanghai, its night from 20 to 7, from 0 to 6, from 19 to 24)
TIMES = """
    2024-05-01 11:59:59 | 2024-05-01 | day        | day        | 2024-05-01
    2024-05-01 12:00:00 | 2024-05-01 | 2024-05-01 | day        | 2024-05-01
    2024-05-01 15:59:59 | 2024-05-01 | 2024-05-01 | day        | 2024-05-01
    2024-05-01 16:00:00 | 2024-05-02 | 2024-05-01 | 2024-05-01 | day
    2024-05-01 22:00:00 | 2024-05-02 | 2024-05-01 | day        | day
    2024-05-01 22:59:59 | 2024-05-02 | 2024-05-01 | day        | day
    2024-05-01 23:00:00 | 2024-05-02 | day        | day        | day
    2023-12-31 17:00:00 | 2024-01-01 | 2023-12-31 | 2023-12-31 | day
"""


def test_nights_and_dates_at_their_edges(spark):
    lines = [[cell.strip() for cell in line.split("|")] for line in TIMES.strip().splitlines()]
    times = spark.createDataFrame([(line[0],) for line in lines], "text string").select(
        F.to_timestamp("text").alias("at")
    )
    made = times.select(
        local_date("at", SHANGHAI),
        night_of("at", SHANGHAI, 20, 7),
        night_of(F.col("at"), SHANGHAI, 0, 6),
        night_of("at", SHANGHAI, 19, 24),
    ).collect()
    expected = [
        tuple(None if cell == "day" else date.fromisoformat(cell) for cell in line[1:])
        for line in lines
    ]
    assert [tuple(row) for row in made] == expected


def test_null_has_no_night_and_another_zone_another_date(spark):
    times = spark.createDataFrame([(None,), (datetime(2024, 7, 1, 23, 30),)], "at timestamp_ntz")
    made = times.select(local_date("at", "UTC"), night_of("at", "UTC", 20, 7)).collect()
    assert [tuple(row) for row in made] == [(None, None), (date(2024, 7, 1),) * 2]
    # Summer time: Berlin is two hours ahead in July.
    assert times.select(local_date("at", "Europe/Berlin")).collect()[1][0] == date(2024, 7, 2)


def test_session_zone_does_not_matter(spark):
    times = spark.sql("SELECT timestamp '2024-05-01 16:00:00Z' AS at")
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    try:
        made = times.select(local_date("at", SHANGHAI), night_of("at", SHANGHAI, 20, 7)).first()
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)
    assert tuple(made) == (date(2024, 5, 2), date(2024, 5, 1))


@pytest.mark.parametrize(("start", "end"), [(7, 7), (0, 24), (20, 25), (-1, 7)])
def test_refused(start, end):
    with pytest.raises(UsageError, match="A night "):
        night_of("at", SHANGHAI, start, end)
