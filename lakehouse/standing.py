"""A table as it stands in the lake, beside the declaration that its rows were last held against.

The declaration lies in a property of the Delta table itself, so it is of the same version as the
rows, and RESTORE takes it back with them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PROPERTY = "bangfu.declaration"
# Delta's names of types -> those of a declaration.
NAMES = {"long": "bigint", "integer": "int"}


@dataclass(frozen=True)
class Kept:
    """One column of a Delta table: type as a declaration writes it, null allowed, comment."""

    type: str
    nullable: bool
    comment: str


@dataclass(frozen=True)
class Standing:
    """One Delta table: its columns, partition, texts and properties."""

    columns: dict[str, Kept]
    partition: tuple[str, ...]
    comment: str
    properties: dict[str, str]

    @property
    def declared(self) -> dict[str, Any] | None:
        """Return the rules, key and units that every row meets; None where nobody wrote it."""
        text = self.properties.get(PROPERTY)
        return json.loads(text) if text else None


def declaration(table: type[Table]) -> str:
    """Return what of a declaration a Delta schema cannot say: rules, key, units, as JSON."""
    from lakehouse.checks import conditions

    # Of every column: one that is not here was added since by a write, under its unit of today.
    units = {name: column.unit for name, column in table.columns.items()}
    told = {"key": list(table.key), "units": units, "rules": conditions(table)}
    return json.dumps(told, ensure_ascii=False)


def standing(path: str, spark: "Callable[[], SparkSession]") -> Standing:
    """Return the table at `path`. A local one is opened without Spark, in milliseconds."""
    if "://" not in path or path.startswith("file://"):
        from deltalake import DeltaTable

        local = DeltaTable(path)
        about = local.metadata()
        return _standing(
            local.schema().to_json(), about.partition_columns, about.description,
            about.configuration,
        )  # fmt: skip
    from delta.tables import DeltaTable as SparkTable

    table = SparkTable.forPath(spark(), path)
    detail = table.detail().collect()[0]
    return _standing(
        table.toDF().schema.json(), detail["partitionColumns"], detail["description"],
        detail["properties"],
    )  # fmt: skip


def _standing(
    schema: str, partition: list[str], comment: str | None, properties: dict[str, str]
) -> Standing:
    columns = {
        one["name"]: Kept(
            _type(one["type"]), one["nullable"], (one.get("metadata") or {}).get("comment", "")
        )
        for one in json.loads(schema)["fields"]
    }
    return Standing(columns, tuple(partition), comment or "", dict(properties))


def _type(told: Any) -> str:
    """Return a type of a Delta schema as a declaration writes it."""
    if isinstance(told, dict):
        if told["type"] == "map":
            return f"map<{_type(told['keyType'])},{_type(told['valueType'])}>"
        return f"array<{_type(told['elementType'])}>" if told["type"] == "array" else told["type"]
    return NAMES.get(told, told)
