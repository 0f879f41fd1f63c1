"""A table's declaration as a Great Expectations suite: what the gate holds its rows against.

Apart from lakehouse/checks.py, since Great Expectations takes seconds to import.
"""

from typing import Any

import great_expectations.expectations as gxe

from lakehouse.table import Column, Table


class ExpectNoRows(gxe.UnexpectedRowsExpectation):  # type: ignore[misc]
    """Expect that a query finds nothing; rows that it finds are counted, never read.

    Great Expectations' own asks each query twice: for its count, and for the rows as an example.
    """

    metric_dependencies = ("unexpected_rows_query.row_count",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: object = None,
    ) -> dict[str, Any]:
        metrics = metrics | {"unexpected_rows_query.table": []}
        return super()._validate(metrics, runtime_configuration, execution_engine)


def expectations(table: type[Table]) -> dict[str, gxe.Expectation]:
    """Return the table's Great Expectations by the name that reasons and pages use."""
    made: dict[str, gxe.Expectation] = {
        "table:columns": gxe.ExpectTableColumnsToMatchSet(column_set=list(table.columns)),
        "table:key_is_unique": _unique(table),
    }
    for column in table.columns.values():
        made |= _column_expectations(column)
    for rule in table.rules.values():
        broken = f"SELECT 1 AS broken FROM {{batch}} WHERE NOT coalesce({_braced(rule.sql)}, true)"
        made[rule.name] = ExpectNoRows(description=rule.meaning, unexpected_rows_query=broken)
    for whole in table.table_rules.values():
        holds = f"SELECT coalesce({_braced(whole.sql)}, false) AS holds FROM {{batch}}"
        made[f"table:{whole.name}"] = ExpectNoRows(
            description=whole.meaning,
            unexpected_rows_query=f"SELECT 1 AS broken FROM ({holds}) WHERE NOT holds",
        )
    return made


def _column_expectations(column: Column) -> dict[str, gxe.Expectation]:
    """Return what `_column_conditions` says of a column, as Great Expectations says it."""
    name = column.name
    made: dict[str, gxe.Expectation] = {}
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


def _unique(table: type[Table]) -> gxe.Expectation:
    # Great Expectations' own puts all rows in order by key. Two hashes of 64 bits stand for it
    # here: that two keys share both is less likely than a memory fault. A hash skips nulls, so
    # which columns are null is told as well.
    key = ", ".join(table.key)
    nulls = "".join(f"{name} IS NULL, " for name in table.key if table.columns[name].nullable)
    hashes = f"xxhash64({key}), xxhash64('', {nulls}{key})"
    broken = f"SELECT 1 AS broken FROM {{batch}} GROUP BY {hashes} HAVING count(*) > 1"
    return ExpectNoRows(description=f"{key}: no two rows are alike.", unexpected_rows_query=broken)
