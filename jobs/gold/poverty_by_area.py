"""gold.poverty_by_area: poverty measured in every area of every level, from the survey."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.methods.inherit import inherited
from jobs.methods.places import DIGITS, area_at
from jobs.methods.poverty import headcount_ratio, poverty_gap, squared_gap
from jobs.methods.reasons import named
from lakehouse.job import job
from lakehouse.schemas.identification import PovertyByArea
from lakehouse.schemas.income import SurveyHousehold
from lakehouse.schemas.reference import IncomeLine

# What is held against the line, and the column of the survey that has it.
CONCEPTS = {"net_income": "net_income_cny", "consumption": "consumption_cny"}


@job(PovertyByArea, sampled=SurveyHousehold, lines=IncomeLine)
def poverty_by_area(sampled: DataFrame, lines: DataFrame, *, as_of: date, scheme: str) -> DataFrame:
    """Measure poverty of people in the survey of the year, up the tree of areas.

    Both net income and consumption are held against the one line of the scheme that the area
    has or inherits. A negative income counts as 0: nobody falls short by more than the line.
    Without a survey of the year there is no row, and without a line the row is set aside.
    """
    of_scheme = lines.where((F.col("scheme") == scheme) & (F.col("year") == as_of.year))
    measured = (
        _by_concept(_by_area(sampled.where(F.col("survey_year") == as_of.year)))
        .transform(inherited, of_scheme, of="area_code", into="_line")
        .withColumn("line_cny", F.col("_line.line_cny"))
        .withColumn("line_area_code", F.col("_line.area_code"))
        .groupBy("area_code", "level", "concept", "line_cny", "line_area_code")
        .agg(
            headcount_ratio("value", "line_cny", "people").alias("headcount_ratio"),
            poverty_gap("value", "line_cny", "people").alias("poverty_gap"),
            squared_gap("value", "line_cny", "people").alias("squared_gap"),
            F.count("*").alias("n_sampled"),
            F.sum("people").alias("n_people"),
        )
    )
    return (
        measured.withColumn("as_of", F.lit(as_of))
        .withColumn("violations", named({"line_cny:no_line": F.col("line_cny").isNull()}))
        .select(*PovertyByArea.columns, "violations")
    )


def _by_area(sampled: DataFrame) -> DataFrame:
    """Return each household once for every area that it lies in, with the people it stands for."""
    areas = F.array(
        *(
            F.struct(F.lit(level).alias("level"), area_at(level, "village_code").alias("area_code"))
            for level in DIGITS
        )
    )
    return sampled.withColumn("people", F.col("weight") * F.col("n_members")).select(
        "people", *CONCEPTS.values(), F.inline(areas)
    )


def _by_concept(rows: DataFrame) -> DataFrame:
    """Return each row once for every concept, with its value of 0 or more."""
    concepts = F.array(
        *(
            F.struct(F.lit(concept).alias("concept"), F.col(name).alias("value"))
            for concept, name in CONCEPTS.items()
        )
    )
    return rows.select("area_code", "level", "people", F.inline(concepts)).withColumn(
        "value", F.when(F.col("value") < 0, 0.0).otherwise(F.col("value"))
    )
