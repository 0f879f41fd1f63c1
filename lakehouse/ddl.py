"""Delta tables made as they are declared, and brought up to a declaration that has changed."""

import shutil
from typing import TYPE_CHECKING

from lakehouse.errors import DeclarationError
from lakehouse.files import local_path
from lakehouse.standing import PROPERTY, declaration, standing
from lakehouse.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import SparkSession


def create(spark: "SparkSession", path: str, table: type[Table]) -> None:
    """Make an empty table with types, comments and properties of the declaration."""
    from delta.tables import DeltaTable

    builder = DeltaTable.createIfNotExists(spark).location(path).comment(comment(table))
    for name, value in properties(table).items():
        builder = builder.property(name, value)
    for column in table.columns.values():
        builder = builder.addColumn(
            column.name, column.type, nullable=column.nullable, comment=comment_of(column)
        )
    if table.partition:
        builder = builder.partitionedBy(table.partition)
    builder.execute()


def remove_unborn(path: str) -> None:
    """Remove the log of a table that has no version: its creation was killed.

    Delta takes such a log neither for a table nor for none. Only where the table's lock is held;
    on other stores there is none, and mostly no folder without files.
    """
    folder = local_path(path)
    if folder and (folder / "_delta_log").is_dir():
        shutil.rmtree(folder / "_delta_log")


def properties(table: type[Table]) -> dict[str, str]:
    """Return the properties of a table: what Delta does with it, and what is declared of it."""
    return {
        # Plain tables: any Delta reader (DuckDB, delta-rs, Trino) can open them.
        "delta.enableDeletionVectors": "false",
        "delta.enableChangeDataFeed": "true" if table.write in ("merge", "history") else "false",
        "delta.deletedFileRetentionDuration": "interval 30 days",
        **_statistics(table),
        "bangfu.owner": table.owner,
        "bangfu.purpose": table.purpose,
        "bangfu.keepDays": str(table.keep_days),
        PROPERTY: declaration(table),
    }


def _statistics(table: type[Table]) -> dict[str, str]:
    """Return of which columns the log keeps the least and greatest values of each file.

    Of those that questions narrow down: places and times. Of tokens and texts they would tell
    nothing about a file, and something about a person.
    """
    told = [
        one.name
        for one in table.columns.values()
        if (one.type in ("date", "timestamp") or one.link == "silver.area")
        and not one.personal
        and one.name != table.partition
    ]
    if not told:
        return {"delta.dataSkippingNumIndexedCols": "0"}
    return {"delta.dataSkippingStatsColumns": ",".join(told)}


def bring_up(spark: "SparkSession", path: str, table: type[Table]) -> None:
    """Give a table the columns that its declaration has gained since it was made.

    Rows that are there have null in them; a column that the declaration has lost is null from now
    on. Raises DeclarationError where a write would mix rows of two kinds: `bangfu migrate` first.
    """
    from lakehouse.changes import BEFORE_WRITING, compare

    there = standing(path, lambda: spark)
    changes = compare(there, table)
    for change in changes:
        if change.kind in BEFORE_WRITING:
            told = f"{change.was or 'none'} -> {change.now or 'none'}"
            what = f"{change.kind} {change.what}".strip()
            raise DeclarationError(
                f"{table.name} was made by another declaration ({what}: {told}). `bangfu migrate "
                f"{table.name}` shows what that means for its rows, and --apply does it."
            )
    add_columns(spark, path, table, [one.what for one in changes if one.kind == "column added"])
    lost = [one.what for one in changes if one.kind in ("column removed", "may be null")]
    allow_null(spark, path, (name for name in lost if not there.columns[name].nullable))


def add_columns(spark: "SparkSession", path: str, table: type[Table], names: list[str]) -> None:
    """Add declared columns to a table, null in every row that is there."""
    new = [
        f"`{name}` {table.columns[name].type} COMMENT {quoted(comment_of(table.columns[name]))}"
        for name in names
    ]
    if new:
        spark.sql(f"ALTER TABLE delta.`{path}` ADD COLUMNS ({', '.join(new)})")


def allow_null(spark: "SparkSession", path: str, names: "Iterable[str]") -> None:
    """Let columns be null that were made NOT NULL."""
    for name in names:
        spark.sql(f"ALTER TABLE delta.`{path}` ALTER COLUMN `{name}` DROP NOT NULL")


def describe(spark: "SparkSession", path: str, table: type[Table]) -> None:
    """Write comments and properties of the declaration on a table that has its columns."""
    told = ", ".join(
        f"`{column.name}` COMMENT {quoted(comment_of(column))}" for column in table.columns.values()
    )
    spark.sql(f"ALTER TABLE delta.`{path}` ALTER COLUMN {told}")
    spark.sql(f"COMMENT ON TABLE delta.`{path}` IS {quoted(comment(table))}")
    record(spark, path, table)


def record(spark: "SparkSession", path: str, table: type[Table]) -> None:
    """Write on a table by which declaration it stands."""
    told = ", ".join(f"'{key}' = {quoted(value)}" for key, value in properties(table).items())
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ({told})")


def quoted(text: str) -> str:
    """Return a text as a literal of Spark SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def comment(table: type[Table]) -> str:
    """Return the comment of a table: the first line of its declaration."""
    return table.doc().splitlines()[0]


def comment_of(column: Column) -> str:
    """Return the comment of a column: its meaning and unit."""
    return f"{column.meaning} [{column.unit}]" if column.unit else column.meaning
