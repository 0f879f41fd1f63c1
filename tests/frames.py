"""Data frames from text tables, and the comparison of a frame with one.

A text table has names in its first line and `|` between cells. It shows only the columns that
matter; the others take the example that their table declares. `null` is null, `[a, b]` an array,
`2015-12-05 04:00` a time in UTC.
"""

import importlib
import math
import pkgutil
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from pyspark.sql import DataFrame, SparkSession

import lakehouse.schemas
from lakehouse.errors import nearest
from lakehouse.feed import TYPES, Field, feed
from lakehouse.table import Table

Row = dict[str, Any]

TOLERANCE = 1e-9
# What a field of a delivery is where the text table does not say.
PLAIN = {"string": "x", "bigint": 1, "double": 0.0, "boolean": True, "date": date(2015, 1, 1)}
TOKENS = {"person": "p1", "household": "h1", "card": "k1", "phone": "s1"}


def frame(spark: SparkSession, table: type[Table] | str, text: str) -> DataFrame:
    """Return the rows of a text table as a frame of a table, or of a feed's typed view.

    `bronze.<feed>` gives the typed view. Lines number from 2 on, as in a delivered file.
    """
    if isinstance(table, str):
        given = feed(table.removeprefix("bronze."))
        types, defaults = given.parsed_types, _view_defaults(table, given.fields)
    else:
        types = {name: column.type for name, column in table.columns.items()}
        defaults = {
            name: _declared(column.example, column.type) for name, column in table.columns.items()
        }
    rows = []
    for place, told in enumerate(_read(text, types)):
        numbered = {"line": 2 + place} if "line" in types else {}
        rows.append(tuple((defaults | numbered | told)[name] for name in types))
    schema = ", ".join(f"{name} {kind}" for name, kind in types.items())
    return spark.createDataFrame(rows, schema)


def assert_rows(actual: DataFrame, table: type[Table], text: str) -> None:
    """Fail unless a job's frame has exactly the rows of the text, in the columns that it names.

    The order of rows is free, and doubles may differ by a billionth. The frame must have the
    declared columns with their types, in order, and beside them at most `violations`.
    """
    types = {name: column.type for name, column in table.columns.items()}
    made = dict(actual.dtypes)
    reasons = made.pop("violations", None)
    assert made == types and list(made) == list(types), f"{table.name} is declared {types}"
    assert reasons in (None, "array<string>"), "violations are an array of text"
    expected = _read(text, types | {"violations": "array<string>"})
    names = _names(text)
    left = _collected(actual, names)
    missing = []
    for row in expected:
        match = next((place for place, other in enumerate(left) if _same(row, other)), None)
        if match is None:
            missing.append(row)
        else:
            left.pop(match)
    told = [f"- {_shown(row, names)}" for row in missing]
    told += [f"+ {_shown(row, names)}" for row in left]
    assert not told, "\n".join([f"{table.name}: expected (-) and made (+)", *told])


def _collected(actual: DataFrame, names: list[str]) -> list[Row]:
    """Return the rows as Python values, timestamps in UTC whatever this machine's zone."""
    kinds = dict(actual.dtypes)
    texts = [f"string({name}) AS {name}" if kinds[name] == "timestamp" else name for name in names]
    rows = [row.asDict() for row in actual.selectExpr(*texts).collect()]
    for row in rows:
        for name in names:
            if kinds[name] == "timestamp" and row[name]:
                row[name] = datetime.fromisoformat(row[name]).replace(tzinfo=UTC)
    return rows


def _lines(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.strip()
    ]


def _names(text: str) -> list[str]:
    return _lines(text)[0]


def _read(text: str, types: dict[str, str]) -> list[Row]:
    """Return the rows of a text table, typed."""
    names, *lines = _lines(text)
    for name in names:
        assert name in types, f"There is no column {name!r}.{nearest(name, list(types))}"
    for cells in lines:
        assert len(cells) == len(names), f"{len(names)} names, but {len(cells)} cells: {cells}"
    return [
        {name: _typed(cell, types[name]) for name, cell in zip(names, cells, strict=True)}
        for cells in lines
    ]


def _typed(cell: str, kind: str) -> Any:
    if cell == "null":
        return None
    match kind:
        case "int" | "bigint":
            return int(cell)
        case "double":
            return float(cell)
        case "boolean":
            return {"true": True, "false": False}[cell]
        case "date":
            return date.fromisoformat(cell)
        case "timestamp":
            return datetime.fromisoformat(cell).replace(tzinfo=UTC)
        case "array<string>":
            assert cell.startswith("[") and cell.endswith("]"), f"{cell} is no [array]"
            return [part.strip() for part in cell[1:-1].split(",") if part.strip()]
    return cell


def _declared(example: Any, kind: str) -> Any:
    return _typed(example, kind) if isinstance(example, str) else example


def _view_defaults(table: str, fields: dict[str, Field]) -> Row:
    """Return a plain value for every column of a typed view."""
    examples = _examples()
    made: Row = {"delivery_id": "d1", "line": 2, "period": "2015-12-05", "violations": []}
    for name, field in fields.items():
        kind = TYPES[field.type]
        if field.optional:
            made[name] = None
        elif field.kind:
            made[name] = TOKENS[field.kind]
        elif name in examples:
            made[name] = _declared(examples[name], kind)
        elif field.labels:
            made[name] = next(iter(field.labels.values()))
        else:
            made[name] = PLAIN[kind]
    return made


@cache
def _examples() -> Row:
    """Return the example of every column name that some table declares one for."""
    for module in pkgutil.iter_modules(lakehouse.schemas.__path__):
        importlib.import_module(f"lakehouse.schemas.{module.name}")
    return {
        name: column.example
        for table in Table.__subclasses__()
        if table.__module__.startswith("lakehouse.schemas.")
        for name, column in table.columns.items()
        if column.example is not None
    }


def _same(expected: Row, made: Row) -> bool:
    return all(_equal(value, made[name]) for name, value in expected.items())


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(one == other)


def _shown(row: Row, names: list[str]) -> str:
    return " | ".join(str(row[name]) for name in names)
