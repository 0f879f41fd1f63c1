"""silver.household: registered households, put together from their members."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.job import job
from lakehouse.schemas.people import Household, Membership


@job(Household, membership=Membership)
def household(membership: DataFrame) -> DataFrame:
    """Count the members of each household, and take its head and village.

    Of two heads the first token in sort order. The village is the head's; without a head the
    one that most members have, of equally many the lowest code.
    """
    head = F.when(F.col("relation") == "head", F.col("person_id"))
    of_household = Window.partitionBy("household_id")
    in_village = Window.partitionBy("household_id", "village_code")
    head_first = of_household.orderBy(
        F.asc_nulls_last(head), F.desc("n_in_village"), "village_code", "person_id"
    )
    return (
        membership.withColumn("n_members", F.count("*").over(of_household).cast("int"))
        .withColumn("n_in_village", F.count("*").over(in_village))
        .withColumn("rank", F.row_number().over(head_first))
        .where("rank = 1")
        .withColumn("head_person_id", head)
        .select(*Household.columns)
    )
