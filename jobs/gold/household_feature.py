"""gold.household_feature: what is known of every registered household without asking it."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.methods.ages import age_on
from lakehouse.job import job
from lakehouse.schemas.identification import HouseholdFeature
from lakehouse.schemas.people import Household, Membership, Person
from lakehouse.schemas.telecom import HomePlace, SubscriberDay

ADULT_AGE, OLD_AGE = 16, 65


@job(
    HouseholdFeature,
    households=Household,
    membership=Membership,
    persons=Person,
    homes=HomePlace,
    days=SubscriberDay,
    look_back={"days": 30},
)
def household_feature(
    households: DataFrame,
    membership: DataFrame,
    persons: DataFrame,
    homes: DataFrame,
    days: DataFrame,
    *,
    as_of: date,
    schooling_years: dict[str, float],
) -> DataFrame:
    """Describe each household by its members on the register and by its village's telephones.

    Ages are those on `as_of`. Of two heads the first token in sort order, as in the household.
    """
    families = _families(_members(membership, persons, as_of, schooling_years))
    dependants = F.col("n_children") + F.col("n_elderly")
    return (
        households.join(families, "household_id", how="left")
        .join(F.broadcast(_telephones(homes, days)), "village_code", how="left")
        .withColumn("as_of", F.lit(as_of))
        .withColumn("dependency_share", dependants / F.col("n_members"))
        .select(*HouseholdFeature.columns)
    )


def _members(
    membership: DataFrame, persons: DataFrame, as_of: date, schooling_years: dict[str, float]
) -> DataFrame:
    """Return one row per member, with age and, of adults, years of schooling."""
    years = F.create_map(
        *(F.lit(part) for code, n in schooling_years.items() for part in (code, float(n)))
    )
    age = age_on(as_of, "birth_date")
    return (
        membership.select("household_id", "person_id", "relation")
        .join(persons.drop("village_code", "delivery_id", "line"), "person_id", how="inner")
        .withColumn("age", age)
        .withColumn("years", F.when(age >= ADULT_AGE, F.try_element_at(years, "education")))
    )


def _families(members: DataFrame) -> DataFrame:
    """Return one row per household with what its members add up to."""
    is_of_working_age = F.col("age").between(ADULT_AGE, OLD_AGE - 1)
    head = F.when(F.col("relation") == "head", F.struct("person_id", "age", "sex"))
    works = F.col("work").isin("farming", "local_job", "migrant", "public")
    of_household = members.groupBy("household_id").agg(
        F.count_if(F.col("age") < ADULT_AGE).alias("n_children"),
        F.count_if(F.col("age") >= OLD_AGE).alias("n_elderly"),
        F.count_if(F.col("work") == "student").alias("n_students"),
        F.count_if(is_of_working_age & works).alias("n_workers"),
        F.count_if(F.col("work") == "migrant").alias("n_migrants"),
        F.min(head).alias("_head"),
        F.bool_or(F.col("ethnicity") != "han").alias("is_minority"),
        F.bool_or(F.col("work") == "public").alias("has_public_job"),
        F.avg("years").alias("schooling_years"),
        F.max("years").alias("best_schooling_years"),
    )
    return of_household.withColumns(
        {"head_age": F.col("_head.age"), "is_head_female": F.col("_head.sex") == "female"}
    )


def _telephones(homes: DataFrame, days: DataFrame) -> DataFrame:
    """Return one row per village with what its subscribers did in the look-back.

    Contacts and seconds are totals over active days of all, so who is active more counts more;
    a day without a call has 0 seconds.
    """
    used = days.groupBy("subscriber_id").agg(
        F.count("*").alias("n_days"),
        F.sum("n_contacts").alias("n_contacts"),
        F.coalesce(F.sum("call_s"), F.lit(0)).alias("call_s"),
    )
    return (
        homes.select("subscriber_id", "village_code")
        .join(used, "subscriber_id", how="inner")
        .groupBy("village_code")
        .agg(
            F.count("*").alias("village_n_subscribers"),
            F.avg("n_days").alias("village_active_days"),
            (F.sum("n_contacts") / F.sum("n_days")).alias("village_contacts"),
            (F.sum("call_s") / F.sum("n_days")).alias("village_call_s"),
        )
    )
