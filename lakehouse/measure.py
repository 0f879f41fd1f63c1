"""What a delivery holds as a whole, counted in one pass over its rows of text before they land.

DuckDB reads the files as Arrow hands them over, batch by batch, and holds none of them; it costs a
third of what writing the rows does. Nothing but counts comes out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow.dataset as ds

from lakehouse.conf import Settings
from lakehouse.feed import Feed, Field
from lakehouse.files import filesystem
from lakehouse.query.query import LOCKED

# Different identities are counted one by one in a delivery of so many rows. In a larger one those
# are counted whose hash falls into one of 2, 4, 8 … parts: off by a tenth of a per cent.
COUNTED = 1 << 20
# Stands for all values that are in no code list; no code is called so.
UNKNOWN = ""


def measure(
    conf: Settings,
    uri: str,
    feed: Feed,
    n_rows: int,
    registers: Mapping[str, Sequence[ds.Scanner]],
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Return figures by name (counts, not shares), and for each code field its rows by code.

    `uri` is a Parquet file of our columns as text; `registers` has for a field scans whose only
    column is the values that it may have. Code "" is unknown.
    """
    every = 1
    while n_rows > COUNTED * every:
        every *= 2
    asked: dict[str, str] = {"rows": "count(*)"}
    for field in feed.delivered.values():
        asked |= _asked(field, every, len(registers.get(field.name, ())))
    with duckdb.connect(config=_config(conf)) as engine:
        for name, scans in registers.items():
            for place, scan in enumerate(scans):
                engine.register(f"register {place} {name}", scan)
        files, inner = filesystem(uri)
        engine.register("staged", ds.dataset(inner, filesystem=files, format="parquet"))
        delivered = feed.delivered.values()
        fields = ", ".join(f"{_value(one)} AS {_quoted(one.name)}" for one in delivered)
        columns = ", ".join(f"{sql} AS {_quoted(name)}" for name, sql in asked.items())
        # Names and texts are the mapping's, quoted.
        sql = f"SELECT {columns} FROM (SELECT {fields} FROM staged)"
        row = engine.execute(sql).fetchone()
    told = dict(zip(asked, row or (), strict=True))
    codes = {
        name: _by_code(field, told.pop(f"code.{name}") or {})
        for name, field in feed.delivered.items()
        if field.labels
    }
    return {name: float(value) for name, value in told.items()}, codes


def _config(conf: Settings) -> dict[str, Any]:
    return LOCKED | {
        "memory_limit": conf.get("sql", "memory"),
        "threads": int(conf.get("sql", "threads")),
    }


def _asked(field: Field, every: int, n_registers: int) -> dict[str, str]:
    """Return the aggregates of one field by figure. A field is empty, or has its text."""
    name = _quoted(field.name)
    made = {f"nulls.{field.name}": f"count(*) - count({name})"}
    if field.type == "identity":
        # The hash of null is a number too.
        part = f"{name} IS NOT NULL AND hash({name}) % {every} = 0"
        made[f"distinct.{field.name}"] = f"{every} * count(DISTINCT hash({name})) FILTER ({part})"
    if field.labels:
        listed = ", ".join(map(_text, field.labels))
        made[f"code.{field.name}"] = (
            f"histogram(CASE WHEN {name} IN ({listed}) THEN {name} "
            f"WHEN {name} IS NOT NULL THEN {_text(UNKNOWN)} END)"
        )
    if n_registers:
        known = (
            f"FROM {_quoted(f'register {place} {field.name}')}" for place in range(n_registers)
        )
        made[f"located.{field.name}"] = f"count(*) FILTER ({name} IN ({' UNION ALL '.join(known)}))"
    return made


def _value(field: Field) -> str:
    """Return a field's text, null where it is empty or says that there is nothing."""
    name = _quoted(field.name)
    text = f"trim({name}, ' ')" if field.labels or field.missing else name
    filled = f"nullif({text}, '')"
    if not field.missing:
        return filled
    listed = ", ".join(map(_text, field.missing))
    return f"CASE WHEN {filled} NOT IN ({listed}) THEN {text} END"


def _by_code(field: Field, found: Mapping[str, int]) -> dict[str, float]:
    """Return rows by our code: several texts may stand for one."""
    counts: dict[str, float] = {}
    for text, n in found.items():
        code = field.labels.get(text, UNKNOWN)
        counts[code] = counts.get(code, 0) + n
    return counts


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
