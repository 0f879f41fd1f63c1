"""Checks compiled from a declaration: one Spark pass that splits rows by the reasons they break.

lakehouse/suite.py has the same declaration as a Great Expectations suite, for the rows that remain.
Nothing here shows a row value.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DataType

from lakehouse.errors import DeclarationError, nearest
from lakehouse.reasons import named
from lakehouse.table import Column as Declared
from lakehouse.table import Table

DUPLICATE = "duplicate_key"
# Where a row of a table that is loaded is from.
ORIGIN = ("delivery_id", "line")
# So many rows are sent to every process instead of sorting what they are joined to.
FEW = 500_000


def conditions(table: type[Table]) -> dict[str, str]:
    """Return every row condition of a table as reason -> Spark SQL. Null counts as met."""
    made = {}
    for column in table.columns.values():
        made.update(_column_conditions(column))
    return made | {rule.name: rule.sql for rule in table.rules.values()}


def _column_conditions(column: Declared) -> dict[str, str]:
    name, made = column.name, {}
    if not column.nullable:
        made[f"{name}:missing"] = f"{name} IS NOT NULL"
    if column.least is not None:
        made[f"{name}:below_least"] = f"{name} >= {column.least!r}D"
    if column.most is not None:
        made[f"{name}:above_most"] = f"{name} <= {column.most!r}D"
    if column.codes:
        listed = ", ".join(f"'{code}'" for code in column.codes)
        made[f"{name}:unknown_code"] = (
            f"forall({name}, code -> code IN ({listed}))"
            if column.type.startswith("array")
            else f"{name} IN ({listed})"
        )
    if column.type == "double":
        made[f"{name}:not_finite"] = f"NOT isnan({name}) AND abs({name}) < double('infinity')"
    return made


def conform(rows: DataFrame, table: type[Table]) -> DataFrame:
    """Return the declared columns, and `violations` if given.

    Raises DeclarationError where a column is missing or of another type.
    """
    given = {one.name: one.dataType for one in rows.schema.fields}
    for column in table.columns.values():
        if column.name not in given:
            raise DeclarationError(
                f"The job of {table.name} gives no column {column.name!r}."
                f"{nearest(column.name, list(given))}"
            )
        wanted = DataType.fromDDL(column.type)
        if given[column.name].simpleString() != wanted.simpleString():
            raise DeclarationError(
                f"The job of {table.name} gives {column.name} as "
                f"{given[column.name].simpleString()}, declared {column.type}."
            )
    more = ["violations"] if "violations" in given else []
    return rows.select(*table.columns, *more)


def mark(rows: DataFrame, table: type[Table]) -> DataFrame:
    """Return rows with `violations`: the reasons that each row breaks, in a fixed order.

    `is_repeat` is false for all of them here; `resolve_repeats` may find some.
    A row may bring reasons of its own, from typing or a job. What is null then is null because of
    them, so nothing is reported as missing a second time.
    """
    own = F.col("violations") if "violations" in rows.columns else named({})
    broken = {reason: ~F.expr(sql) for reason, sql in conditions(table).items()}
    for reason, is_broken in broken.items():
        if reason.endswith(":missing"):
            broken[reason] = is_broken & (F.size(own) == 0)
    new = named(broken)
    both = F.array_distinct(F.concat(own, new))
    violations = F.when(F.size(own) == 0, new).otherwise(both)
    return rows.withColumns({"violations": violations, "is_repeat": F.lit(False)})


def resolve_repeats(rows: DataFrame, table: type[Table]) -> DataFrame:
    """Mark the second and later rows of a key: `is_repeat`, or the reason `duplicate_key`.

    The first good row by delivery and line wins. A later row that says the same is a repeat (it
    changes nothing); one that says something else goes to quarantine, for a person to decide.

    Rows are read thrice, so they ought to be cached: hashes of keys tell which rows could be
    meant, only those are put in order, and what is found is joined to the rows.
    """
    good = rows.where(F.size("violations") == 0).withColumn("_hash", F.xxhash64(*table.key))
    twice = good.groupBy("_hash").count().where("count > 1").select("_hash").localCheckpoint()
    if twice.isEmpty():
        return rows
    later = _later(_small(good, twice, "left_semi"), table).localCheckpoint()
    is_repeat = F.coalesce("_same", F.lit(False))
    is_other = F.coalesce(~F.col("_same"), F.lit(False))
    return (
        _small(rows, later, "left")
        .withColumn("is_repeat", is_repeat)
        .withColumn(
            "violations", F.when(is_other, F.array(F.lit(DUPLICATE))).otherwise(F.col("violations"))
        )
        .drop("_same")
    )


def _later(good: DataFrame, table: type[Table]) -> DataFrame:
    """Return where later rows of a key are from, and whether they say the same as the first."""
    told = [name for name in table.columns if name not in ORIGIN]
    in_order = Window.partitionBy(*table.key).orderBy(*ORIGIN)
    so_far = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    return (
        good.withColumn("_told", F.struct(*told))
        .withColumn("_rank", F.row_number().over(in_order))
        .withColumn("_same", F.col("_told").eqNullSafe(F.first("_told").over(so_far)))
        .where("_rank > 1")
        .select(*ORIGIN, "_same")
    )


def _small(rows: DataFrame, few: DataFrame, how: str) -> DataFrame:
    """Join rows to what is usually few, whatever Spark expects of it."""
    on = [name for name in few.columns if name in rows.columns]
    return rows.join(F.broadcast(few) if few.count() <= FEW else few, on, how)


@dataclass(frozen=True)
class Split:
    """How many rows were made, are good, repeat another, and are set aside by which reasons.

    `of_slice` has the reasons of each slice of the quarantine.
    """

    made: int
    good: int
    repeated: int
    quarantined: int
    of_slice: dict[str, dict[str, int]]

    @property
    def reasons(self) -> dict[str, int]:
        """Return rows by reason, all slices together."""
        told: Counter[str] = Counter()
        for counts in self.of_slice.values():
            told.update(counts)
        return dict(told)


def slices(table: type[Table], as_of: date, redo_days: int = 0) -> list[str]:
    """Return the slices of the quarantine that a run writes: one for each partition it makes.

    So a row that two runs set aside is there once.
    """
    match table.partition:
        case "day":
            return [str(as_of - timedelta(days=n)) for n in range(redo_days, -1, -1)]
        case "month":
            return [str(as_of.replace(day=1))]
    return [str(as_of)]


def slice_of(table: type[Table], names: Sequence[str]) -> Column:
    """Return the slice of a row out of those of a run: the day of its delivery, else its own."""
    *_, last = names
    if len(names) == 1:
        return F.lit(last)
    is_loaded = "delivery_id" in table.columns
    day = (
        F.split_part("delivery_id", F.lit("/"), F.lit(2))
        if is_loaded
        else F.col("day").cast("string")
    )
    return F.when(day.isin(*names), day).otherwise(last)


def count(marked: DataFrame, slice_: Column | None = None) -> Split:
    """Count marked rows in one pass. A row with two reasons counts once, and under both."""
    of = F.when(F.size("violations") > 0, F.lit("") if slice_ is None else slice_)
    groups = (
        marked.groupBy("violations", "is_repeat", of.alias("slice"))
        .agg(F.count(F.lit(1)).alias("n"))
        .collect()  # a few combinations of reasons, not rows
    )
    of_slice: dict[str, dict[str, int]] = {}
    for group in groups:
        for reason in group["violations"]:
            counts = of_slice.setdefault(group["slice"], {})
            counts[reason] = counts.get(reason, 0) + group["n"]
    bad = sum(group["n"] for group in groups if group["violations"])
    repeated = sum(g["n"] for g in groups if g["is_repeat"] and not g["violations"])
    made = sum(group["n"] for group in groups)
    return Split(made, made - bad - repeated, repeated, bad, of_slice)


def good_rows(marked: DataFrame) -> DataFrame:
    return marked.where((F.size("violations") == 0) & ~F.col("is_repeat"))


def quarantine_rows(marked: DataFrame, table: type[Table], slice_: Column) -> DataFrame:
    """Return rows set aside, as they are kept: where from, why, and the row itself as JSON."""
    lineage = [
        (F.col(name) if name in marked.columns else F.lit(None).cast(kind)).alias(name)
        for name, kind in (("delivery_id", "string"), ("line", "bigint"))
    ]
    return marked.where(F.size("violations") > 0).select(
        slice_.alias("slice"),
        *lineage,
        "violations",
        F.to_json(F.struct(*table.columns)).alias("row"),
    )
