"""What a declaration says otherwise than the table that stands in the lake. Reads no row."""

import re
from dataclasses import dataclass
from typing import Any

from lakehouse import ddl
from lakehouse.checks import conditions
from lakehouse.standing import PROPERTY, Standing
from lakehouse.table import Table

# What becomes of a table, by what changed.
HOW = {
    "column added": "alter",
    "may be null": "alter",
    "texts": "alter",
    "rule gone": "alter",
    "rule": "judge",  # each row is held against the rules; those that break one are set aside
    "key": "judge",
    "column renamed": "rewrite",
    "column retyped": "rewrite",
    "column removed": "rewrite",
    "partition": "rewrite",
    "unit": "anew",  # its rows cannot be told from others: made again, or not at all
    "no such cast": "anew",
}
# A write under such a change would mix two kinds of rows: it waits for `bangfu migrate`.
BEFORE_WRITING = (
    "column renamed", "column retyped", "no such cast", "key", "partition", "unit",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One difference: its kind (a key of HOW), of which column or rule, before and now."""

    kind: str
    what: str
    was: str = ""
    now: str = ""

    @property
    def how(self) -> str:
        return HOW[self.kind]


def sources(there: Standing, table: type[Table]) -> dict[str, list[str]]:
    """Return for each declared column the columns of the table that its values are in.

    None for a new one; two where a run wrote under the new name before the rename was declared.
    """
    return {
        name: [one for one in (name, column.was) if one is not None and one in there.columns]
        for name, column in table.columns.items()
    }


def left_over(there: Standing, table: type[Table]) -> list[str]:
    """Return the columns that stay though nobody declares them now: bronze is what came."""
    if table.layer != "bronze":
        return []
    used = {one for names in sources(there, table).values() for one in names}
    return [name for name in there.columns if name not in used]


def compare(there: Standing, table: type[Table]) -> list[Change]:
    """Return how a declaration differs from its table, in the order in which it is told."""
    found = sources(there, table)
    gone = there.columns.keys() - {one for names in found.values() for one in names}
    changes = [change for name in table.columns for change in _column(there, table, name, found)]
    for name in (one for one in there.columns if one in gone):
        if name not in left_over(there, table):
            changes.append(Change("column removed", name, there.columns[name].type))
        elif not there.columns[name].nullable:
            changes.append(Change("may be null", name))
    moved = {old: name for name, names in found.items() for old in names}
    partition = tuple(moved.get(one, one) for one in there.partition)
    wanted = (table.partition,) if table.partition else ()
    if partition != wanted:
        changes.append(Change("partition", "", ", ".join(partition), ", ".join(wanted)))
    changes += _declared(there, table, moved, found)
    if told := _texts(there, table, moved):
        changes.append(Change("texts", ", ".join(told)))
    return changes


def _column(
    there: Standing, table: type[Table], name: str, found: dict[str, list[str]]
) -> list[Change]:
    column = table.columns[name]
    if not found[name]:
        return [Change("column added", name, now=column.type)]
    changes = []
    if column.was in found[name]:
        changes.append(Change("column renamed", name, str(column.was), name))
    for kept in (there.columns[one] for one in found[name]):
        if kept.type != column.type:
            kind = "column retyped" if can_cast(kept.type, column.type) else "no such cast"
            changes.append(Change(kind, name, kept.type, column.type))
            break
    if column.nullable and not all(there.columns[one].nullable for one in found[name]):
        changes.append(Change("may be null", name))
    return changes


def can_cast(was: str, now: str) -> bool:
    """Tell whether values of one type may be read as another; which ones do is counted."""
    families = {_family(was), _family(now)}
    return "other" not in families and (len(families) == 1 or "text" in families)


def _family(kind: str) -> str:
    if kind.startswith("array") or kind == "binary":
        return "other"
    return {"string": "text", "date": "time", "timestamp": "time"}.get(kind, "number")


def _declared(
    there: Standing, table: type[Table], moved: dict[str, str], found: dict[str, list[str]]
) -> list[Change]:
    """Return changes of rules, key and units; where nobody kept them, all rules are new."""
    if there.declared is None:
        return [Change("rule", "all rules", "not recorded", f"{len(conditions(table))} rules")]
    told: dict[str, Any] = there.declared
    before = {_moved(name, moved): _moved(sql, moved) for name, sql in told["rules"].items()}
    now = conditions(table)
    # A new column is null in every row, and null meets every rule but that it is not.
    new = {f"{name}:" for name, names in found.items() if not names}
    changes = [
        Change("rule", name, before.get(name, ""), sql)
        for name, sql in now.items()
        if before.get(name) != sql
        and (name.endswith(":missing") or not name.startswith(tuple(new)))
    ]
    changes += [Change("rule gone", name, before[name]) for name in before.keys() - now.keys()]
    key = [moved.get(one, one) for one in told["key"]]
    if key != list(table.key):
        changes.append(Change("key", "", ", ".join(key), ", ".join(table.key)))
    units = {moved.get(name, name): unit for name, unit in told["units"].items()}
    for name, column in table.columns.items():
        if found[name] and name in units and units[name] != column.unit:
            changes.append(Change("unit", name, units[name] or "no unit", column.unit or "no unit"))
    return changes


def _moved(text: str, moved: dict[str, str]) -> str:
    """Return a rule, or its name, with columns called as they are now."""
    for old, new in moved.items():
        if old != new:
            text = re.sub(rf"\b{old}\b", new, text)
    return text


def _texts(there: Standing, table: type[Table], moved: dict[str, str]) -> list[str]:
    """Return whose comment or property reads otherwise now."""
    comments = {moved.get(name, name): kept.comment for name, kept in there.columns.items()}
    told = [
        name
        for name, column in table.columns.items()
        if name in comments and comments[name] != ddl.comment_of(column)
    ]
    told += ["the table"] if there.comment != ddl.comment(table) else []
    wanted = ddl.properties(table)
    return told + [
        name
        for name, value in wanted.items()
        if name != PROPERTY and there.properties.get(name) != value
    ]
