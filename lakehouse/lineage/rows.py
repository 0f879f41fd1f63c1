"""From rows with one key to the delivered lines that carry it: deliveries and lines, no values.

A table with `delivery_id` and `line` answers itself. From another one the way goes to the tables
that its run read, by the key columns that both have: one name means one thing everywhere. What is
found carries the key; which of it entered a figure, only the job knows. Needs no Spark.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from lakehouse.errors import InputMissing, PrivacyError, UsageError, nearest
from lakehouse.io import LINEAGE, arrow_rows, table_path
from lakehouse.lineage.trail import Trail
from lakehouse.stale import look_back
from lakehouse.table import RESTRICTED, Table

# Rows of one table that the way goes on from, and lines that are listed of one delivery.
MOST_ROWS = 1000
Keys = Mapping[str, list[Any]]


@dataclass
class Found:
    """How many rows of a table carry a key, the lines that they came with, where that ends."""

    table: str
    version: int
    by: list[str]
    rows: int = 0
    lines: dict[str, list[int]] = field(default_factory=dict)
    stops: str | None = None
    found: list["Found"] = field(default_factory=list)


def find_rows(
    trail: Trail, table: str, given: Mapping[str, str], as_of: date | None = None
) -> Found:
    """Return the lines behind the rows of a table that have the key given as text.

    Raises PrivacyError in the restricted zone, UsageError for what is no key, InputMissing where
    no row has it.
    """
    declared = trail.known.tables[table]
    if declared.layer in RESTRICTED:
        raise PrivacyError(f"{table} is in the restricted zone: its rows are not looked for.")
    allowed = [name for name in declared.columns if _is_key(declared, name)]
    for name in given:
        if name not in allowed:
            raise UsageError(
                f"{table} has no key {name!r}.{nearest(name, allowed)} "
                f"--key takes {', '.join(allowed)}."
            )
    run = trail.run(table, as_of)
    keys = {name: [text] for name, text in given.items()}
    found, _ = _found(trail, run, table, run["delta_version"], keys)
    if not (found.rows or found.stops):
        raise InputMissing(f"{table} has no row with this key at version {found.version}.")
    return found


def _found(
    trail: Trail, run: Mapping[str, Any], table: str, version: int, keys: Keys
) -> tuple[Found, pa.Table | None]:
    """Return what carries the keys in a table that a run wrote or read, and those rows' keys."""
    declared = trail.known.tables[table]
    found = Found(table, version, list(keys))
    path = table_path(trail.conf.lake, table)
    try:
        rows = arrow_rows(DeltaTable(path, version=version), path)
        where = _where(rows.schema, declared, keys, *_reach(trail, run, table))
        found.rows = rows.count_rows(filter=where)
        carried = [name for name in rows.schema.names if _is_key(declared, name)]
        from_file = [name for name in LINEAGE if name in declared.columns]
        few = rows.head(MOST_ROWS, columns=[*carried, *from_file], filter=where)
    except (DeltaError, FileNotFoundError):
        found.stops = f"version {version} of {table} is no longer kept"
        return found, None
    if found.rows > MOST_ROWS:
        found.stops = f"only the first {MOST_ROWS:,} of these rows are followed"
    if from_file:
        for row in few.select(from_file).to_pylist():
            found.lines.setdefault(row["delivery_id"], []).append(row["line"])
        found.lines = {one: sorted(set(lines)) for one, lines in sorted(found.lines.items())}
    elif found.rows:
        _go_on(trail, table, version, run, few, found)
    return found, few


def _go_on(
    trail: Trail, table: str, version: int, run: Mapping[str, Any], few: pa.Table, found: Found
) -> None:
    """Add what carries these rows' keys in the tables that they were made from.

    A table that shares no key with them may share one with what was found in another of them.
    """
    made = run if run["table_name"] == table else trail.run_of(table, version, run["as_of"])
    if made is None:
        found.stops = "no run of this version is recorded"
        return
    sources = {name: trail.known.tables.get(name) for name in made["inputs"]}
    left = [name for name, one in sources.items() if one and one.layer in ("silver", "gold")]
    carrying: list[tuple[type[Table], pa.Table]] = [(trail.known.tables[table], few)]
    for holder, rows in carrying:  # grows while it is gone through
        for name in list(left):
            if shared := _shared(holder, trail.known.tables[name]):
                keys = {one: pc.unique(rows[one].drop_null()).to_pylist() for one in shared}
                one, more = _found(trail, made, name, made["inputs"][name], keys)
                found.found.append(one)
                left.remove(name)
                if more is not None:
                    carrying.append((trail.known.tables[name], more))
    stopped = [f"{name} shares no key" for name in left]
    stopped += [f"{name} is restricted" for name in sources if name.startswith("bronze.")]
    if stopped:
        found.stops = "; ".join(filter(None, (found.stops, *stopped)))


def _shared(holder: type[Table], source: type[Table]) -> list[str]:
    """Return the columns by which rows of one table are found in another: ids, or a key's."""
    return [
        name
        for name in source.columns
        if _is_key(holder, name)
        and _is_key(source, name)
        and (name.endswith("_id") or name in (*holder.key, *source.key))
    ]


def _is_key(declared: type[Table], name: str) -> bool:
    """Tell whether a column is a surrogate, the code of a place, or text of the table's key."""
    if name not in declared.columns or declared.columns[name].type != "string":
        return False
    is_id = name.endswith(("_id", "_code")) and name != "delivery_id"
    return is_id or name in declared.key


def _reach(trail: Trail, run: Mapping[str, Any], table: str) -> tuple[date, date]:
    """Return the first and last day of a table's partitions that a run wrote or read."""
    as_of: date = run["as_of"]
    job = trail.known.jobs[run["table_name"]]
    is_own = run["table_name"] == table
    return as_of - timedelta(days=job.redo_days if is_own else look_back(job, table)), as_of


def _where(
    schema: pa.Schema, declared: type[Table], keys: Keys, first: date, last: date
) -> ds.Expression:
    """Return the condition of rows with the keys, in the partitions in reach."""
    where = ds.scalar(True)
    for name, values in keys.items():
        where &= ds.field(name).isin(pa.array(values, schema.field(name).type))
    if declared.partition == "as_of":
        where &= ds.field("as_of") == last
    elif declared.partition in ("day", "month"):
        begin = first.replace(day=1) if declared.partition == "month" else first
        where &= (ds.field(declared.partition) >= begin) & (ds.field(declared.partition) <= last)
    return where
