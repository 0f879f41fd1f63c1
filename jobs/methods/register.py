"""What the jobs that load the household register, or link to it, have in common."""

from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.methods.places import check_village
from jobs.methods.reasons import also


def checked_register(register: DataFrame, areas: DataFrame, as_of: date) -> DataFrame:
    """Return the rows of the register with the reasons that hold for person and membership alike.

    Somebody who stands in two households stays in that of the first good row by delivery and
    line; the other rows are set aside, so that nobody shares two incomes.
    """
    good_and_early = (
        Window.partitionBy("person_id")
        .orderBy(F.size("violations") > 0, "delivery_id", "line")
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    wrong = {
        "birth_date:after_as_of": F.col("birth_date") > F.lit(as_of),
        "person_id:in_two_households": F.col("person_id").isNotNull()
        & (F.col("household_id") != F.col("_household_id")),
    }
    return (
        check_village(register, areas, as_of)
        .withColumn("_household_id", F.first("household_id").over(good_and_early))
        .withColumn("violations", also(wrong))
        .drop("_household_id")
    )


def link_head(rows: DataFrame, membership: DataFrame) -> DataFrame:
    """Return the rows with `household_id`: the registered household of the person `head_id`.

    The person need not be its head. Of several households the one that the person heads, then
    the first token. A head whom the register does not have is a reason to set the row aside.
    """
    # False sorts before true: a household that the person heads comes first.
    best = F.min(F.struct((F.col("relation") != "head").alias("_is_other"), "household_id"))
    homes = membership.groupBy(F.col("person_id").alias("head_id")).agg(best.alias("_home"))
    unknown = F.col("head_id").isNotNull() & F.col("_home").isNull()
    return (
        rows.join(homes, "head_id", how="left")
        .withColumn("household_id", F.col("_home.household_id"))
        .withColumn("violations", also({"head_id:not_on_register": unknown}))
        .drop("_home")
    )


def linked_cards(
    cards: DataFrame, membership: DataFrame, areas: DataFrame, as_of: date
) -> DataFrame:
    """Return the rows of the household cards, linked and with all reasons that hold for a card.

    A household has one card: its first good row by delivery and line. A later one that says
    anything else, incomes too, is set aside; one that says the same has `is_repeat`.
    """
    linked = link_head(check_village(cards, areas, as_of), membership)
    about_the_file = ("delivery_id", "line", "period", "violations")
    told = F.struct(*(name for name in linked.columns if name not in about_the_file))
    good_and_early = Window.partitionBy("household_id").orderBy(
        F.size("violations") > 0, "delivery_id", "line"
    )
    up_to_here = good_and_early.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    is_later = (F.size("violations") == 0) & (F.row_number().over(good_and_early) > 1)
    return (
        linked.withColumn("_says_the_same", told == F.first(told).over(up_to_here))
        .withColumn("_is_later", is_later)
        .withColumn("is_repeat", F.col("_is_later") & F.col("_says_the_same"))
        .withColumn(
            "violations",
            also({"household_id:second_card": F.col("_is_later") & ~F.col("_says_the_same")}),
        )
        .drop("_is_later", "_says_the_same")
    )
