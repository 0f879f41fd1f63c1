"""gold.poverty_by_area: poverty measured in every area of every level, from the survey."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.methods.inherit import inherited
from jobs.methods.places import DIGITS, area_at
from jobs.methods.poverty import headcount_ratio, poverty_gap, shortfall, squared_gap
from jobs.methods.reasons import named
from jobs.methods.survey import survey_mean
from lakehouse.job import job
from lakehouse.schemas.identification import PovertyByArea
from lakehouse.schemas.income import SurveyHousehold
from lakehouse.schemas.reference import IncomeLine

# What is held against the line, and the column of the survey that has it.
CONCEPTS = {"net_income": "net_income_cny", "consumption": "consumption_cny"}
# Each measure is the mean of the shortfall to this power.
POWERS = {"headcount_ratio": 0.0, "poverty_gap": 1.0, "squared_gap": 2.0}
AREA = ["area_code", "concept"]


@job(PovertyByArea, sampled=SurveyHousehold, lines=IncomeLine)
def poverty_by_area(sampled: DataFrame, lines: DataFrame, *, as_of: date, scheme: str) -> DataFrame:
    """Measure poverty of people in the survey of the year, up the tree of areas.

    Both net income and consumption are held against the one line of the scheme that the area
    has or inherits. A negative income counts as 0: nobody falls short by more than the line.
    Without a survey of the year there is no row, and without a line the row is set aside.
    """
    of_scheme = lines.where((F.col("scheme") == scheme) & (F.col("year") == as_of.year))
    rows = (
        _by_concept(_by_area(sampled.where(F.col("survey_year") == as_of.year)))
        .transform(inherited, of_scheme, of="area_code", into="_line")
        .withColumn("line_cny", F.col("_line.line_cny"))
        .withColumn("line_area_code", F.col("_line.area_code"))
    )
    return (
        _measured(rows)
        .join(_errors(rows), AREA, how="inner")
        .withColumns({name: _where_known(name) for name in map(_error_of, POWERS)})
        .withColumn("as_of", F.lit(as_of))
        .withColumn("violations", named({"line_cny:no_line": F.col("line_cny").isNull()}))
        .select(*PovertyByArea.columns, "violations")
    )


def _measured(rows: DataFrame) -> DataFrame:
    """Return the measures of each area and concept, and the sample that they rest on."""
    return rows.groupBy(*AREA, "level", "line_cny", "line_area_code").agg(
        headcount_ratio("value", "line_cny", "people").alias("headcount_ratio"),
        poverty_gap("value", "line_cny", "people").alias("poverty_gap"),
        squared_gap("value", "line_cny", "people").alias("squared_gap"),
        F.count("*").alias("n_sampled"),
        F.sum("people").alias("n_people"),
        F.countDistinct("stratum", "psu").alias("n_psu"),
        F.countDistinct("stratum").alias("n_strata"),
    )


def _errors(rows: DataFrame) -> DataFrame:
    """Return the standard error of each measure: areas, concepts and measures are domains."""
    measures = F.array(
        *(
            F.struct(
                F.lit(name).alias("measure"),
                shortfall("value", "line_cny", alpha=power).alias("short"),
            )
            for name, power in POWERS.items()
        )
    )
    short = rows.select(*AREA, "people", "stratum", "psu", F.inline(measures))
    found = survey_mean(short, "short", "people", "stratum", "psu", by=[*AREA, "measure"])
    return found.groupBy(*AREA).agg(
        *(F.max(F.when(F.col("measure") == one, F.col("error"))).alias(_error_of(one))
          for one in POWERS)
    )  # fmt: skip


def _error_of(measure: str) -> str:
    return f"{measure}_error"


def _where_known(error: str) -> Column:
    """Return an error, null where it has no degree of freedom.

    Within a single PSU the deviations from its own mean add up to 0, which is no error of 0.
    """
    return F.when(F.col("n_psu") > F.col("n_strata"), F.col(error))


def _by_area(sampled: DataFrame) -> DataFrame:
    """Return each household once for every area that it lies in, with the people it stands for."""
    areas = F.array(
        *(
            F.struct(F.lit(level).alias("level"), area_at(level, "village_code").alias("area_code"))
            for level in DIGITS
        )
    )
    return sampled.withColumn("people", F.col("weight") * F.col("n_members")).select(
        "people", "stratum", "psu", *CONCEPTS.values(), F.inline(areas)
    )


def _by_concept(rows: DataFrame) -> DataFrame:
    """Return each row once for every concept, with its value of 0 or more."""
    concepts = F.array(
        *(
            F.struct(F.lit(concept).alias("concept"), F.col(name).alias("value"))
            for concept, name in CONCEPTS.items()
        )
    )
    kept = ["area_code", "level", "people", "stratum", "psu"]
    return rows.select(*kept, F.inline(concepts)).withColumn(
        "value", F.when(F.col("value") < 0, 0.0).otherwise(F.col("value"))
    )
