"""silver.survey_household: the households of the consumption survey."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.methods.places import check_village
from jobs.methods.register import link_head
from lakehouse.job import job
from lakehouse.schemas.income import SurveyHousehold
from lakehouse.schemas.people import Membership
from lakehouse.schemas.space import Area


@job(
    SurveyHousehold,
    sampled="bronze.consumption_survey",
    membership=Membership,
    areas=Area,
    loads="sampled",
)
def survey_household(
    sampled: DataFrame, membership: DataFrame, areas: DataFrame, *, as_of: date
) -> DataFrame:
    """Load every sampled household under the registered household of its head.

    What is set aside here leaves the sample, and the weights that remain add up to less: its
    share is held against `share_bad`.
    """
    return (
        link_head(check_village(sampled, areas, as_of), membership)
        .withColumn("survey_year", F.col("survey_year").try_cast("int"))
        .withColumn("n_members", F.col("n_members").try_cast("int"))
        .select(*SurveyHousehold.columns, "violations")
    )
