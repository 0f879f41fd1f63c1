"""The rows of a table as a changed declaration has them: values moved and cast, rules held.

A value that the new type cannot hold without loss leaves a reason, as in reading a delivery; a
row with a reason is set aside whole, as it was.
"""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse import checks, ddl
from lakehouse.changes import left_over, sources
from lakehouse.io import Lake, partition_condition
from lakehouse.ops import Ops
from lakehouse.reasons import named
from lakehouse.standing import Standing
from lakehouse.table import Table

if TYPE_CHECKING:
    from datetime import date

SLICE = "migrate:"
WHOLE, BEFORE = "_whole", "_before"
MARKS = (WHOLE, "violations", "is_repeat")
# Reasons, by the type that a value cannot be; `bangfu quarantine explain` knows them.
CANNOT = {
    "int": "not_a_whole_number",
    "bigint": "not_a_whole_number",
    "date": "not_a_date",
    "timestamp": "not_a_time",
    "boolean": "not_yes_or_no",
}


def judged(rows: DataFrame, there: Standing, table: type[Table]) -> DataFrame:
    """Return a table's rows under a declaration, `violations` marked; `_whole`: the row as it was.

    Expects only changes that `migrate` can make. Every row comes out once.
    """
    found = sources(there, table)
    values: list[Column] = []
    lost: dict[str, Column] = {}
    for name, column in table.columns.items():
        of = [_value(there, one, column.type) for one in found[name]]
        value = F.coalesce(*of) if of else F.lit(None).cast(column.type)
        values.append(value.alias(name, metadata={"comment": ddl.comment_of(column)}))
        if retyped := [one for one in found[name] if there.columns[one].type != column.type]:
            is_lost = (_is_lost(there, one, column.type) for one in retyped)
            lost[f"{name}:{_cannot(column.type)}"] = reduce(or_, is_lost)
    new_name = {old: name for name, names in found.items() for old in names}
    kept = [F.col(old).alias(new_name.get(old, old)) for old in there.columns]
    if len({new_name.get(old, old) for old in there.columns}) < len(kept):
        kept = [F.col(old) for old in there.columns]  # one value under two names: both are kept
    made = rows.select(
        *values,
        *left_over(there, table),
        F.struct(*kept).alias(WHOLE),
        named(lost).alias("violations"),
    )
    return checks.mark(made, table)


def _value(there: Standing, name: str, now: str) -> Column:
    return F.col(name) if there.columns[name].type == now else F.col(name).try_cast(now)


def _is_lost(there: Standing, name: str, now: str) -> Column:
    """Tell whether a value has no like in the new type: 1.5 as an int is no 1."""
    old, new = F.col(name), F.col(name).try_cast(now)
    if "string" in (there.columns[name].type, now):
        return old.isNotNull() & new.isNull()
    return old.isNotNull() & ~new.try_cast(there.columns[name].type).eqNullSafe(old)


def _cannot(kind: str) -> str:
    return CANNOT.get(kind, "not_a_number")


def set_aside(marked: DataFrame, slice_: str) -> DataFrame:
    """Return the rows with a reason as quarantine keeps them: each as it was, as JSON."""
    lineage = [
        (F.col(name) if name in marked.columns else F.lit(None)).cast(kind).alias(name)
        for name, kind in (("delivery_id", "string"), ("line", "bigint"))
    ]
    return marked.where(F.size("violations") > 0).select(
        F.lit(slice_).alias("slice"), *lineage, "violations", F.to_json(WHOLE).alias("row")
    )


def doubled(marked: DataFrame, table: type[Table]) -> int:
    """Count the good rows beyond the first of their key."""
    of_key = checks.good_rows(marked).groupBy(*table.key).agg(F.count(F.lit(1)).alias("n"))
    found = of_key.agg(F.sum(F.col("n") - 1).alias("more")).collect()[0]["more"]
    return int(found or 0)


def remade(lake: Lake, ops: Ops, table: type[Table], as_of: "date", redo_days: int) -> None:
    """Let go of what migrations set aside of rows that a run has just made again.

    The run judged them itself, and its own slice says so: no row counts twice.
    """
    for slice_ in {row["slice"] for row in ops.reasons(table.name)}:
        if not slice_.startswith(SLICE):
            continue
        kept, counts = None, dict[str, int]()
        aside = lake.quarantine(table.name)
        if table.write != "merge" and aside is not None:
            kept, counts = _others(aside.where(F.col("slice") == slice_), table, as_of, redo_days)
        lake.write_quarantine(table.name, kept, slice_)
        ops.record_reasons(table.name, slice_, counts)


def _others(
    aside: DataFrame, table: type[Table], as_of: "date", redo_days: int
) -> tuple[DataFrame | None, dict[str, int]]:
    """Return the rows set aside of other partitions than the one made again, and their reasons."""
    told = F.from_json("row", f"{table.partition} date")
    is_again = F.coalesce(F.expr(partition_condition(table, as_of, redo_days)), F.lit(False))
    kept = aside.select("*", told.alias(BEFORE)).select("*", f"{BEFORE}.*").where(~is_again)
    kept = kept.select(*aside.columns)
    counts = kept.select(F.explode("violations").alias("reason")).groupBy("reason").count()
    found = {row["reason"]: int(row["count"]) for row in counts.collect()}
    return (kept if found else None), found
