"""silver.income_item: the twelve kinds of income of every card, as rows."""

from datetime import date

from pyspark.sql import DataFrame

from jobs.methods.register import linked_cards
from lakehouse.job import job
from lakehouse.schemas.codes import INCOME_ITEM
from lakehouse.schemas.income import IncomeItem
from lakehouse.schemas.people import Membership
from lakehouse.schemas.space import Area


@job(IncomeItem, cards="bronze.household_card", membership=Membership, areas=Area)
def income_item(
    cards: DataFrame, membership: DataFrame, areas: DataFrame, *, as_of: date
) -> DataFrame:
    """Turn the income columns of every card into one row per kind.

    All twelve rows carry whatever is wrong with the card, so that no household is left with a
    part of its income and a missing amount never passes as 0. A card that repeats another adds
    nothing.
    """
    told_once = ["household_id", "village_code", "delivery_id", "line", "violations"]
    return (
        linked_cards(cards, membership, areas, as_of)
        .where("NOT is_repeat")
        .unpivot(told_once, list(INCOME_ITEM), "item", "amount_cny")
        .select(*IncomeItem.columns, "violations")
    )
