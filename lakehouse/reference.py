"""Reference rows: conf/schemes/<name>.toml read as declared tables. Small, and hashed whole."""

import hashlib
from datetime import date
from typing import TYPE_CHECKING, Any

from lakehouse.conf import as_date, conf_dir, read_toml
from lakehouse.errors import DeclarationError, nearest
from lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def conf_rows(spark: "SparkSession", table: type[Table]) -> "DataFrame":
    """Return the rows of one conf table as a DataFrame."""
    schema = ", ".join(f"{column.name} {column.type}" for column in table.columns.values())
    return spark.createDataFrame([tuple(row.values()) for row in read_rows(table)], schema)


def conf_hash(table: type[Table]) -> str:
    """Return a hash of a conf table's rows: it changes when a number or a source does."""
    told = "\n".join(repr(row) for row in read_rows(table))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def read_rows(table: type[Table]) -> list[dict[str, Any]]:
    """Read and check the rows of one conf table.

    Raises DeclarationError naming file, row and key where a row does not fit its declaration.
    """
    path = conf_dir() / "schemes" / f"{table.name.split('.')[1]}.toml"
    rows = read_toml(path).get("row", [])
    made = []
    for number, row in enumerate(rows, start=1):
        where = f"{path}: row {number}"
        for word in row:
            if word not in table.columns:
                raise DeclarationError(
                    f"{where}: unknown key {word!r}.{nearest(word, list(table.columns))}"
                )
        made.append({name: _value(where, table, name, row) for name in table.columns})
    keys = [tuple(row[name] for name in table.key) for row in made]
    for number, key in enumerate(keys, start=1):
        if key in keys[: number - 1]:
            raise DeclarationError(f"{path}: row {number} repeats the key {key}.")
    return made


def _value(where: str, table: type[Table], name: str, row: dict[str, Any]) -> Any:
    column, value = table.columns[name], row.get(name)
    if value is None or value == "":
        if column.nullable:
            return None
        raise DeclarationError(f"{where}: {name} is missing ({column.meaning})")
    if column.codes and value not in column.codes.labels:
        raise DeclarationError(
            f"{where}: {name} is {value!r}.{nearest(str(value), list(column.codes))}"
        )
    if column.type == "double":
        value = float(value)
    if column.type == "date":
        value = as_date(value)
    kinds: dict[str, type] = {"string": str, "double": float, "int": int, "date": date}
    if not isinstance(value, kinds.get(column.type, object)):
        raise DeclarationError(f"{where}: {name} is {value!r}, which is no {column.type}.")
    return value
