"""Delta tables made as they are declared, and brought up to a declaration that has changed."""

from typing import TYPE_CHECKING

from lakehouse.errors import DeclarationError
from lakehouse.table import Column, Table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def create(spark: "SparkSession", path: str, table: type[Table]) -> None:
    """Make an empty table with types, comments and properties of the declaration."""
    from delta.tables import DeltaTable

    builder = (
        DeltaTable.createIfNotExists(spark)
        .location(path)
        .comment(table.doc().splitlines()[0])
        # Plain tables: any Delta reader (DuckDB, delta-rs, Trino) can open them.
        .property("delta.enableDeletionVectors", "false")
        .property("delta.enableChangeDataFeed", "true" if table.write == "merge" else "false")
        .property("delta.deletedFileRetentionDuration", "interval 30 days")
        .property("bangfu.owner", table.owner)
        .property("bangfu.purpose", table.purpose)
        .property("bangfu.keepDays", str(table.keep_days))
    )
    for column in table.columns.values():
        builder = builder.addColumn(
            column.name, column.type, nullable=column.nullable, comment=_comment(column)
        )
    if table.partition:
        builder = builder.partitionedBy(table.partition)
    builder.execute()


def bring_up(spark: "SparkSession", path: str, table: type[Table]) -> None:
    """Give a table the columns that its declaration has gained since it was made.

    Rows that are there have null in them; a column that the declaration has lost is null from now
    on. Raises DeclarationError where a column has another type now.
    """
    from pyspark.sql.types import DataType

    there = {one.name: one for one in spark.read.format("delta").load(path).schema.fields}
    wanted = {name: DataType.fromDDL(one.type) for name, one in table.columns.items()}
    for name, kind in wanted.items():
        was = there[name].dataType if name in there else kind
        if was.simpleString() != kind.simpleString():
            raise DeclarationError(
                f"{table.name}.{name} is declared {kind.simpleString()}, and the table was made "
                f"with {was.simpleString()}. Move {path} away and run again: what was delivered "
                "is kept in bronze."
            )
    new = [
        f"`{name}` {column.type} COMMENT {quoted(_comment(column))}"
        for name, column in table.columns.items()
        if name not in there
    ]
    if new:
        spark.sql(f"ALTER TABLE delta.`{path}` ADD COLUMNS ({', '.join(new)})")
    for name in there.keys() - wanted.keys():
        if not there[name].nullable:
            spark.sql(f"ALTER TABLE delta.`{path}` ALTER COLUMN `{name}` DROP NOT NULL")


def quoted(text: str) -> str:
    """Return a text as a literal of Spark SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _comment(column: Column) -> str:
    return f"{column.meaning} [{column.unit}]" if column.unit else column.meaning
