"""What may be asked, told: every table with its rows and newest date, from Delta's log alone."""

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from lakehouse.conf import settings
from lakehouse.errors import InputMissing, nearest
from lakehouse.io import arrow_rows, newest_version, table_path
from lakehouse.ops import Ops
from lakehouse.query.tables import OFFERED, offered, state_of
from lakehouse.registry import registry
from lakehouse.table import Table


def named(name: str) -> type[Table] | None:
    """Return the table that a full or bare name means, one that may be asked before others."""
    tables = [*offered(registry()), *registry().tables.values()]
    return next((table for table in tables if name.lower() in _names(table)), None)


def listed(pattern: str | None = None, every: bool = False) -> list[dict[str, Any]]:
    """Return the tables by name, those whose name or meaning holds a pattern.

    Histories are there where a pattern finds them, or for `every`.
    Raises InputMissing where there is none.
    """
    histories = registry().histories if not pattern else {}  # found by name alone
    tables = [one for one in offered(registry()) if every or one.name not in histories]
    if every:
        others = [one for one in registry().tables.values() if one.layer not in OFFERED]
        tables += sorted(others, key=lambda table: table.name)
    word = (pattern or "").lower().replace("*", "").replace("%", "")
    kept = [one for one in tables if word in f"{one.name} {_chinese(one)} {one.doc()}".lower()]
    if not kept:
        near = nearest(word, [name for one in tables for name in _names(one)])
        raise InputMissing(f"No table is about {pattern!r}.{near}")
    ops = Ops(settings())
    return [_line(table, ops) for table in kept]


def about(table: type[Table]) -> dict[str, Any]:
    """Return what is known of one table and its columns."""
    return _line(table, Ops(settings())) | {
        "key": list(table.key),
        "purpose": table.purpose,
        "columns": [
            {"column": column.name, "type": column.type, "unit": column.unit,
             "personal": column.personal, "meaning": column.meaning,
             "codes": column.codes.labels if column.codes else {}}
            for column in table.columns.values()
        ],
    }  # fmt: skip


def _line(table: type[Table], ops: Ops) -> dict[str, Any]:
    rows, newest = _size(table, ops) if table.layer in OFFERED else (None, None)
    return {
        "table": table.name,
        "chinese": _chinese(table),
        "meaning": table.doc().splitlines()[0],
        "rows": rows,
        "newest": newest,
        "area": table.area,
        "hidden": sum(column.personal for column in table.columns.values()),
    }


def _size(table: type[Table], ops: Ops) -> tuple[int | None, date | None]:
    """Return the rows of a table, and its newest date: by partition, or of the last run."""
    path = table_path(settings().lake, table.name)
    if newest_version(path) is None:
        return None, None
    delta = DeltaTable(path)
    files = pa.table(delta.get_add_actions(flatten=True))
    counts, names = files["num_records"], files.column_names
    n_rows = (pc.sum(counts).as_py() or 0) if not counts.null_count else None
    if n_rows is None:  # written by something that keeps no statistics
        n_rows = arrow_rows(delta, path).count_rows()
    if table.partition is None:
        return n_rows, state_of(ops, table.name, delta.version())
    key = f"partition.{table.partition}"
    key = key if key in names else f"max.{table.partition}"
    return n_rows, pc.max(files[key]).as_py() if key in names and len(counts) else None


def _names(table: type[Table]) -> tuple[str, str]:
    return table.name, table.name.partition(".")[2]


def _chinese(table: type[Table]) -> str:
    from jobs.pages.words import table_name

    told = table_name(table.name)
    return "" if told == table.name else told
