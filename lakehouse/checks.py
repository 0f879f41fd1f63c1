"""Checks compiled from a declaration: one Spark pass that splits rows, and a gate.

The split marks each row with the reasons it breaks; the gate is a Great Expectations suite over
the rows that remain, compiled from the same declaration. Nothing here shows a row value.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DataType

from lakehouse.errors import DeclarationError, nearest
from lakehouse.table import Column, Table

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation

DUPLICATE = "duplicate_key"


def conditions(table: type[Table]) -> dict[str, str]:
    """Return every row condition of a table as reason -> Spark SQL. Null counts as met."""
    made = {}
    for column in table.columns.values():
        made.update(_column_conditions(column))
    return made | {rule.name: rule.sql for rule in table.rules.values()}


def _column_conditions(column: Column) -> dict[str, str]:
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
    own = F.col("violations") if "violations" in rows.columns else F.array().cast("array<string>")
    broken = [
        F.when(~F.coalesce(F.expr(sql), F.lit(True)), F.lit(reason))
        for reason, sql in conditions(table).items()
    ]
    found = F.array_compact(F.array(*broken)) if broken else F.array().cast("array<string>")
    new = F.filter(found, lambda reason: (F.size(own) == 0) | ~reason.endswith(":missing"))
    violations = F.array_distinct(F.concat(own, new))
    return rows.withColumns({"violations": violations, "is_repeat": F.lit(False)})


def resolve_repeats(rows: DataFrame, table: type[Table]) -> DataFrame:
    """Mark the second and later rows of a key: `is_repeat`, or the reason `duplicate_key`.

    The first good row by delivery and line wins. A later row that says the same is a repeat (it
    changes nothing); one that says something else goes to quarantine, for a person to decide.
    """
    told = [name for name in table.columns if name not in ("delivery_id", "line")]
    is_bad = F.size("violations") > 0
    of_key = Window.partitionBy(*table.key, "_bad")
    in_order = of_key.orderBy("delivery_id", "line")
    ranked = (
        rows.withColumn("_bad", is_bad)
        .withColumn("_told", F.struct(*told))
        .withColumn("_rank", F.row_number().over(in_order))
        .withColumn(
            "_first",
            F.first("_told").over(
                in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
            ),
        )
    )
    later = ~F.col("_bad") & (F.col("_rank") > 1)
    same = F.col("_told").eqNullSafe(F.col("_first"))
    return (
        ranked.withColumn("is_repeat", later & same)
        .withColumn(
            "violations",
            F.when(later & ~same, F.array(F.lit(DUPLICATE))).otherwise(F.col("violations")),
        )
        .drop("_bad", "_told", "_rank", "_first")
    )


@dataclass(frozen=True)
class Split:
    """How many rows were made, are good, repeat another, and are set aside by which reasons."""

    made: int
    good: int
    repeated: int
    quarantined: int
    reasons: dict[str, int]


def count(marked: DataFrame) -> Split:
    """Count marked rows in one pass. A row with two reasons counts once, and under both."""
    groups = (
        marked.groupBy("violations", "is_repeat")
        .agg(F.count(F.lit(1)).alias("n"))
        .collect()  # a few combinations of reasons, not rows
    )
    reasons: dict[str, int] = {}
    for group in groups:
        for reason in group["violations"]:
            reasons[reason] = reasons.get(reason, 0) + group["n"]
    bad = sum(group["n"] for group in groups if group["violations"])
    repeated = sum(g["n"] for g in groups if g["is_repeat"] and not g["violations"])
    made = sum(group["n"] for group in groups)
    return Split(made, made - bad - repeated, repeated, bad, reasons)


def good_rows(marked: DataFrame) -> DataFrame:
    return marked.where((F.size("violations") == 0) & ~F.col("is_repeat"))


def quarantine_rows(marked: DataFrame, table: type[Table], slice_: str) -> DataFrame:
    """Return rows set aside, as they are kept: where from, why, and the row itself as JSON."""
    lineage = [
        (F.col(name) if name in marked.columns else F.lit(None).cast(kind)).alias(name)
        for name, kind in (("delivery_id", "string"), ("line", "bigint"))
    ]
    return marked.where(F.size("violations") > 0).select(
        F.lit(slice_).alias("slice"),
        *lineage,
        "violations",
        F.to_json(F.struct(*table.columns)).alias("row"),
    )


def expectations(table: type[Table]) -> "dict[str, Expectation]":
    """Return the table's Great Expectations by the name that reasons and pages use."""
    import great_expectations.expectations as gxe

    made: dict[str, Expectation] = {
        "table:columns": gxe.ExpectTableColumnsToMatchSet(column_set=list(table.columns)),
        "table:key_is_unique": _unique(table),
    }
    for column in table.columns.values():
        made |= _column_expectations(column)
    for rule in table.rules.values():
        broken = f"SELECT 1 AS broken FROM {{batch}} WHERE NOT coalesce({_braced(rule.sql)}, true)"
        made[rule.name] = gxe.UnexpectedRowsExpectation(
            description=rule.meaning, unexpected_rows_query=broken
        )
    for whole in table.table_rules.values():
        holds = f"SELECT coalesce({_braced(whole.sql)}, false) AS holds FROM {{batch}}"
        made[f"table:{whole.name}"] = gxe.UnexpectedRowsExpectation(
            description=whole.meaning,
            unexpected_rows_query=f"SELECT 1 AS broken FROM ({holds}) WHERE NOT holds",
        )
    return made


def _column_expectations(column: Column) -> "dict[str, Expectation]":
    """Return what `_column_conditions` says of a column, as Great Expectations says it."""
    import great_expectations.expectations as gxe

    name = column.name
    made: dict[str, Expectation] = {}
    if not column.nullable:
        made[f"{name}:missing"] = gxe.ExpectColumnValuesToNotBeNull(column=name)
    if column.least is not None:
        made[f"{name}:below_least"] = gxe.ExpectColumnValuesToBeBetween(
            column=name, min_value=column.least
        )
    if column.most is not None:
        made[f"{name}:above_most"] = gxe.ExpectColumnValuesToBeBetween(
            column=name, max_value=column.most
        )
    if column.codes and column.type == "string":
        made[f"{name}:unknown_code"] = gxe.ExpectColumnValuesToBeInSet(
            column=name, value_set=list(column.codes)
        )
    return made


def _braced(sql: str) -> str:
    """Return SQL as Great Expectations wants it: it formats `{batch}`, so other braces double."""
    return sql.replace("{", "{{").replace("}", "}}")


def _unique(table: type[Table]) -> Any:
    import great_expectations.expectations as gxe

    if len(table.key) == 1:
        return gxe.ExpectColumnValuesToBeUnique(column=table.key[0])
    return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(table.key))
