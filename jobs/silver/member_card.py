"""silver.member_card: what the registration survey found, member sheet."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.methods.places import check_village
from lakehouse.job import job
from lakehouse.schemas.people import MemberCard
from lakehouse.schemas.space import Area


@job(MemberCard, cards="bronze.member_card", areas=Area, loads="cards")
def member_card(cards: DataFrame, areas: DataFrame, *, as_of: date) -> DataFrame:
    """Load every member sheet.

    A member need not be on the register: the survey counts who lives there.
    """
    return (
        check_village(cards, areas, as_of)
        .withColumn("months_away", F.col("months_away").try_cast("int"))
        .select(*MemberCard.columns, "violations")
    )
