"""gold.household_identification: who is recommended for help, and why."""

from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.methods.ages import age_on
from jobs.methods.inherit import inherited
from jobs.methods.multidimensional import deprivation_score
from jobs.methods.reasons import named
from lakehouse.job import job
from lakehouse.schemas.codes import INCOME_ITEM
from lakehouse.schemas.identification import HouseholdIdentification
from lakehouse.schemas.income import IncomeItem
from lakehouse.schemas.people import Household, HouseholdCard, MemberCard
from lakehouse.schemas.reference import IncomeLine, IncomeRule

# Exact sums: a household must not cross the line by the order in which its income is added.
EXACT_CNY, EXACT_SHARE, EXACT_PER_HEAD = "decimal(16,4)", "decimal(8,6)", "decimal(20,8)"
SAFE_GRADES = ("A", "B")


@job(
    HouseholdIdentification,
    cards=HouseholdCard,
    members=MemberCard,
    items=IncomeItem,
    households=Household,
    lines=IncomeLine,
    rules=IncomeRule,
)
def household_identification(
    cards: DataFrame,
    members: DataFrame,
    items: DataFrame,
    households: DataFrame,
    lines: DataFrame,
    rules: DataFrame,
    *,
    as_of: date,
    scheme: str,
    school_ages: list[int],
    deprivation_weights: dict[str, str],
    reported_tolerance_share: float,
) -> DataFrame:
    """Hold each card against the line in force, and against the three guarantees and water.

    Net income is shared by the registered members, whatever the card says. Included is who is
    below the line. Above it, a household is checked where a guarantee is missing, where people
    do not add up to those registered, or where the income that the card states is off by more
    than `reported_tolerance_share` of the line. Nothing is guessed: without a line, a rule, all
    twelve incomes or a member sheet the row is set aside.
    """
    of_scheme = lines.where((F.col("scheme") == scheme) & (F.col("year") == as_of.year))
    registered = households.select("household_id", F.col("n_members").alias("_n_registered"))
    evidence = (
        cards.withColumnRenamed("n_members", "_n_on_card")
        .join(registered, "household_id", how="left")
        .join(_incomes(items, rules, as_of), "household_id", how="left")
        .join(_guarantees(members, as_of, school_ages), "card_id", how="left")
    )
    judged = inherited(evidence, of_scheme, of="village_code", into="_line").transform(
        _held_against_line, deprivation_weights
    )
    return (
        judged.withColumn("as_of", F.lit(as_of))
        .withColumn("scheme", F.lit(scheme))
        .transform(_recommended, reported_tolerance_share)
        .withColumn("violations", _gaps())
        .select(*HouseholdIdentification.columns, "violations")
    )


def _incomes(items: DataFrame, rules: DataFrame, as_of: date) -> DataFrame:
    """Return one row per household: gross income and cost, by the rule that its area inherits."""
    amount = F.col("amount_cny").cast(EXACT_CNY)
    cost_share = F.try_element_at("_rule.cost_shares", "item")
    costed = inherited(items, _rules_in_force(rules, as_of), of="village_code", into="_rule")
    return costed.groupBy("household_id").agg(
        F.sum(amount).alias("_gross"),
        F.sum(amount * cost_share).alias("_cost"),
        F.min("_rule.income_rule").alias("income_rule"),
        F.count("*").alias("_n_items"),
        F.count(cost_share).alias("_n_costed"),
    )


def _rules_in_force(rules: DataFrame, as_of: date) -> DataFrame:
    """Return one row per area: its newest rule, with the cost share of each kind of income.

    Of two rules of one area from the same day, the first name in sort order.
    """
    newest_first = Window.partitionBy("area_code").orderBy(F.desc("valid_from"), "income_rule")
    share_of_item = F.struct("item", F.col("cost_share").cast(EXACT_SHARE))
    return (
        rules.where(F.col("valid_from") <= F.lit(as_of))
        .groupBy("area_code", "income_rule")
        .agg(
            F.max("valid_from").alias("valid_from"),
            F.map_from_entries(F.collect_list(share_of_item)).alias("cost_shares"),
        )
        .withColumn("rank", F.row_number().over(newest_first))
        .where("rank = 1")
        .drop("rank")
    )


def _guarantees(members: DataFrame, as_of: date, school_ages: list[int]) -> DataFrame:
    """Return one row per card: how many member sheets it has, and what they say together."""
    is_of_school_age = age_on(as_of, "birth_date").between(*school_ages)
    is_out_of_school = is_of_school_age & (F.col("school") == "not_in_school")
    return members.groupBy("card_id").agg(
        F.count("*").alias("_n_sheets"),
        (~F.bool_or(is_out_of_school)).alias("is_schooling_kept"),
        F.bool_and("is_medical_covered").alias("is_medical_covered"),
    )


def _held_against_line(evidence: DataFrame, deprivation_weights: Mapping[str, str]) -> DataFrame:
    """Add net income per head, the line, what is guaranteed, and the share of deprivations."""
    per_head = (F.col("_gross") - F.col("_cost")) / F.nullif("_n_registered", F.lit(0))
    deprived = {
        "income": F.col("is_below_line"),
        "housing": ~F.col("is_housing_safe"),
        "schooling": ~F.col("is_schooling_kept"),
        "health": ~F.col("is_medical_covered"),
        "water": ~F.col("is_water_safe"),
    }
    return (
        evidence.withColumns(
            {
                "n_members": F.col("_n_registered"),
                "gross_income_cny": F.col("_gross").cast("double"),
                "cost_cny": F.col("_cost").cast("double"),
                # Rounded as a decimal, so that an income of the line itself equals it.
                "net_income_cny": per_head.cast(EXACT_PER_HEAD).cast("double"),
                "line_cny": F.col("_line.line_cny"),
                "line_area_code": F.col("_line.area_code"),
                "line_source": F.col("_line.source"),
                "is_housing_safe": F.col("housing_grade").isin(*SAFE_GRADES),
            }
        )
        .withColumn("is_below_line", F.col("net_income_cny") < F.col("line_cny"))
        .withColumns(deprived)
        .withColumn("deprivation_share", deprivation_score(deprivation_weights))
    )


def _recommended(judged: DataFrame, reported_tolerance_share: float) -> DataFrame:
    """Add the reasons, and what they make of the household."""
    below, n_members = F.col("is_below_line"), F.col("n_members")
    off = F.abs(F.col("reported_net_income_cny") - F.col("net_income_cny"))
    missing = {
        "housing_unsafe": ~F.col("is_housing_safe"),
        "schooling_broken": ~F.col("is_schooling_kept"),
        "medical_uncovered": ~F.col("is_medical_covered"),
        "water_unsafe": ~F.col("is_water_safe"),
    }
    doubts = {
        "members_disagree": (F.col("_n_on_card") != n_members) | (F.col("_n_sheets") != n_members),
        "reported_income_disagrees": off > reported_tolerance_share * F.col("line_cny"),
    }
    is_missing = reduce(or_, missing.values())
    is_doubtful = F.coalesce(reduce(or_, doubts.values()), F.lit(False))
    reasons = {
        "income_below_line": below,
        "income_not_below_line": ~below,
        **missing,
        "guarantees_met": ~is_missing,
        **doubts,
    }
    recommendation = (
        F.when(below, "include")
        .when(~below & (is_missing | is_doubtful), "check")
        .when(~below, "leave_out")
    )
    return judged.withColumn("reasons", named(reasons)).withColumn("recommendation", recommendation)


def _gaps() -> Column:
    """Return why a household cannot be judged."""
    n_items = F.coalesce("_n_items", F.lit(0))
    has_rule = F.col("income_rule").isNotNull()
    return named(
        {
            "household_id:not_on_register": F.col("_n_registered").isNull(),
            "gross_income_cny:missing_item": n_items != len(INCOME_ITEM.labels),
            "income_rule:no_rule": (n_items > 0) & ~has_rule,
            "cost_cny:no_cost_share": has_rule & (F.col("_n_costed") < n_items),
            "line_cny:no_line": F.col("_line").isNull(),
            "is_schooling_kept:no_member_sheet": F.col("_n_sheets").isNull(),
        }
    )
