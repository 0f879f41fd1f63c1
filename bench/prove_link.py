"""`make prove-link`: people of a county's registers linked under harsh faults, against the truth.

Six registers are delivered and landed; each of their rows names a person. The rows are linked by
what `bangfu method link` does, nothing said of who is who, and held against faults/, which knows
the number that was right. Beside it, what the number alone would link. The last table says how
often pairs of a score were one person.
"""

import argparse
import os
from datetime import date
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from bench.proof_house import folder_of
from jobs.methods import agreement, linking
from jobs.methods.agreement import Comparison
from lakehouse.commands import print_table, say
from lakehouse.parse import normal_identity
from lakehouse.run import House
from synth import outcomes
from synth.make import make
from synth.plan import Told

REGISTERS = ("person_register", "insured", "pension", "enrolment", "disability", "member_card")
COMPARISONS = (
    Comparison("number", "id"), Comparison("name", "name"), Comparison("born", "date"),
    Comparison("sex", "code"), Comparison("village", "code"),
)  # fmt: skip
# What a row says, by the name that it has in whichever register says it.
TOLD = {"number": "person_id", "name": "person_name", "born": "birth_date", "sex": "sex",
        "village": "village_code"}  # fmt: skip
LEAST_PRECISION, LEAST_RECALL = 0.998, 0.985
STEPS = (0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0)


def delivered(home: Path, told: Told) -> House:
    """Return a house in which the six registers have landed."""
    os.environ["BANGFU_HOME"] = str(home)
    make(home, told, own_folder=False, progress=lambda text: say(f"    {text}"))
    house = House()
    for name in REGISTERS:
        for one in house.landing.land_all(name):
            say(f"    {one.delivery_id}: {one.state}")
    return house


def mentions(house: House) -> DataFrame:
    """Return each row that names a person, as delivered, and `truly`: the number that is right."""
    each = []
    for name in REGISTERS:
        rows = house.lake.read(f"bronze.{name}")
        of = {
            word: F.col(column) if column in rows.columns else F.lit(None).cast("string")
            for word, column in TOLD.items()
        }
        card = F.trim("disability_card") if name == "disability" else F.lit(None).cast("string")
        each.append(
            rows.select(
                "delivery_id", "line", card.alias("card"), *[of[word].alias(word) for word in of]
            )
        )
    rows = reduce(DataFrame.unionByName, each)
    number = F.coalesce(normal_identity(F.col("number"), "person"), F.col("number"))
    faults = outcomes.listed(house, "row")
    right = [
        (one["delivery_id"], one["line"], one["right"])
        for one in faults
        if one["column"] == TOLD["number"] and one["delivery_id"].split("/")[0] in REGISTERS
    ]
    again = [
        (one["delivery_id"], one["line"], int(one["first_line"]))
        for one in faults
        if one["kind"] == "doubled_row" and one["delivery_id"].split("/")[0] in REGISTERS
    ]
    spark = house.spark
    rights = spark.createDataFrame(right, "delivery_id string, first long, right string")
    firsts = spark.createDataFrame(again, "delivery_id string, line long, first_line long")
    # A card may be all that a row has of a number; whose it is, the truth knows.
    cards = spark.read.parquet(str(house.conf.landing.parent / "truth" / "disability_card.parquet"))
    holders = cards.select(F.col("disability_card").alias("card"), "holder_id")
    return (
        rows.join(holders.dropDuplicates(["card"]), "card", "left")
        .join(firsts, ["delivery_id", "line"], "left")
        .withColumn("first", F.coalesce("first_line", "line"))
        .join(rights, ["delivery_id", "first"], "left")
        .withColumn("number", number)
        .withColumn("truly", F.coalesce(F.trim("right"), number, "holder_id"))
        .withColumn("row", F.monotonically_increasing_id())
        .select("row", "truly", *TOLD)
    )


def n_same(rows: DataFrame, column: str) -> int:
    """Return how many pairs of rows have the same value."""
    counts = rows.where(F.col(column).isNotNull()).groupBy(column).count()
    [row] = counts.agg(F.sum(F.col("count") * (F.col("count") - 1) / 2)).collect()
    return int(row[0] or 0)


def linked(house: House, rows: DataFrame) -> tuple[DataFrame, linking.Learnt]:
    """Return candidate pairs with their probability and `is_right`, and what was learnt."""
    records = agreement.prepared(rows, COMPARISONS).localCheckpoint()
    passes = linking.affordable_passes(records, None, COMPARISONS, rows.count())
    say(f"    passes: {'; '.join(' + '.join(one) for one in passes)}")
    pairs = linking.compared(records, None, COMPARISONS, passes).localCheckpoint()
    counts = linking.pattern_counts(pairs, records, None, COMPARISONS)
    of_all = linking.totals(records, None, COMPARISONS)
    learnt = linking.learnt(COMPARISONS, counts, of_all, passes)
    every = linking.learnt(COMPARISONS, counts, of_all, passes, at_least=0.0)
    truths = [
        rows.select(F.col("row").alias(f"{side}_row"), F.col("truly").alias(f"{side}_truly"))
        for side in ("l", "r")
    ]
    told = linking.linked(pairs, every).join(truths[0], "l_row").join(truths[1], "r_row")
    return told.withColumn("is_right", F.col("l_truly") == F.col("r_truly")), learnt


def figures(told: DataFrame, threshold: float, n_true: int) -> dict[str, float]:
    """Return precision, recall and F1 of pairs of at least a probability."""
    taken = told.where(F.col("probability") >= threshold)
    [(n, right)] = taken.agg(F.count(F.lit(1)), F.count_if("is_right")).collect()
    return {"pairs": n, "precision": right / n, "recall": right / n_true,
            "f1": 2 * right / (n + n_true)}  # fmt: skip


def reliability(told: DataFrame) -> list[dict[str, Any]]:
    """Return by probability how many pairs there are, expected and found to be one person."""
    step = sum((F.col("probability") >= one).cast("int") for one in STEPS[1:-1])
    rows = told.groupBy(step.alias("step")).agg(
        F.count(F.lit(1)).alias("pairs"), F.mean("probability").alias("expected"),
        F.mean(F.col("is_right").cast("double")).alias("found"),
    )  # fmt: skip
    return [
        {"probability": f"{STEPS[row['step']]:g} to {STEPS[row['step'] + 1]:g}"} | row.asDict()
        for row in rows.orderBy("step").collect()
    ]


def main() -> None:
    """Print precision and recall; end with 1 where one is under the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the house")
    said = parser.parse_args()
    told = Told(people=said.people, first=date(2015, 12, 1), months=1, days=1, faults="harsh",
                seed=said.seed)  # fmt: skip
    with folder_of("link", said.keep) as home:
        house = delivered(home, told)
        rows = mentions(house).localCheckpoint()
        n_true, by_number = n_same(rows, "truly"), n_same(rows, "number")
        both = n_same(rows.withColumn("both", F.concat("truly", "number")), "both")
        pairs, learnt = linked(house, rows)
        found = figures(pairs, learnt.threshold or 1.0, n_true)
        alone = {"pairs": by_number, "precision": both / by_number, "recall": both / n_true,
                 "f1": 2 * both / (by_number + n_true)}  # fmt: skip
        heads = {name: name for name in ("how", "pairs", "precision", "recall", "f1")}
        print_table(
            f"{rows.count():,} rows of {len(REGISTERS)} registers, {n_true:,} pairs of one person",
            [{"how": "linked"} | found, {"how": "by the number alone"} | alone], heads,
        )  # fmt: skip
        heads = {name: name for name in ("probability", "pairs", "expected", "found")}
        print_table("Reliability by score", reliability(pairs), heads)
    if found["precision"] < LEAST_PRECISION or found["recall"] < LEAST_RECALL:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
