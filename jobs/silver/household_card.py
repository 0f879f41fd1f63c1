"""silver.household_card: what the registration survey found, household sheet."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.methods.register import linked_cards
from lakehouse.job import job
from lakehouse.schemas.people import HouseholdCard, Membership
from lakehouse.schemas.space import Area


@job(
    HouseholdCard,
    cards="bronze.household_card",
    membership=Membership,
    areas=Area,
    loads="cards",
)
def household_card(
    cards: DataFrame, membership: DataFrame, areas: DataFrame, *, as_of: date
) -> DataFrame:
    """Load every card under the registered household of the head that it names."""
    return (
        linked_cards(cards, membership, areas, as_of)
        .withColumn("n_members", F.col("n_members").try_cast("int"))
        .select(*HouseholdCard.columns, "violations")
    )
