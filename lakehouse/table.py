"""How a table is declared. No Spark here: declarations import in milliseconds.

A table is declared once, as a class in lakehouse/schemas/. The Delta table, the row split, the
Great Expectations suite, the documentation page and (later) the access policy are made from it.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from lakehouse.errors import DeclarationError, nearest

LAYERS = ("conf", "vault", "bronze", "silver", "gold")
RESTRICTED = ("vault", "bronze")
WRITES = ("replace", "merge", "append", "history")
NUMBERS = ("int", "bigint", "double")
SIMPLE = ("string", "boolean", "date", "timestamp", "binary", *NUMBERS)
TYPE = re.compile(rf"(?:array<)?(?:{'|'.join(SIMPLE)})>?$|decimal\(\d+,\d+\)$|map<string,string>$")


@dataclass(frozen=True)
class CodeList:
    """A closed list of codes with the Chinese label of each, as sources write it."""

    name: str
    labels: dict[str, str]
    source: str = ""

    def __iter__(self) -> Any:
        return iter(self.labels)

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True)
class Column:
    """One column: Spark SQL type, meaning, and what its values may be.

    A column is never null unless `nullable`. `least` and `most` are inclusive bounds. `was` is
    the name it had before: `bangfu migrate` moves the values of a table made under that name.
    """

    type: str
    meaning: str
    unit: str | None = None
    least: float | None = None
    most: float | None = None
    codes: CodeList | None = None
    nullable: bool = False
    personal: bool = False
    link: str | None = None
    example: Any = None
    name: str = ""
    # Not part of what decides rows: it may go once every lake is migrated.
    was: str | None = field(default=None, repr=False)

    def linked(self, table: str) -> "Column":
        """Return this column, its values being keys of `table`."""
        return replace(self, link=table)

    def optional(self) -> "Column":
        """Return this column, null where unknown."""
        return replace(self, nullable=True)

    def means(self, text: str) -> "Column":
        """Return this column with the meaning it has in one table."""
        return replace(self, meaning=text)


@dataclass(frozen=True)
class Rule:
    """A row rule: a Spark SQL condition that every row meets. Null counts as met."""

    sql: str
    meaning: str
    name: str = ""


@dataclass(frozen=True)
class TableRule:
    """A whole-table rule: a Spark SQL condition over aggregates, such as `count(*) > 0`."""

    sql: str
    meaning: str
    name: str = ""


@dataclass(frozen=True)
class Release:
    """The table may leave the house in cells of at least `at_least` by the column `count`."""

    count: str
    at_least: int


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Table:
    """Base of all declarations. Class keywords say what the machine needs to know.

    name       where the class has another: what the table is called, without its layer
    layer      conf, vault, bronze, silver, gold
    key        columns that name one row
    area       the column that places a row in an area, or None where rows have none
               (then only a role for the whole province sees them)
    purpose    what its rows may be used for
    owner      who answers for it
    partition  the column that a run replaces, if any
    write      replace (the partition), merge (by key), append (once per delivery), history
    fresh_days how old the newest rows may be; keep_days how long rows are kept
    share_bad  the share of rows that may be quarantined before the gate closes
    history    whether what it said before is kept, where it holds one state (lakehouse/clocks.py)
    release    whether and how its rows may leave the house

    Raises DeclarationError on import, naming the table, where the declaration is wrong.
    """

    name: ClassVar[str]
    layer: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    area: ClassVar[str | None]
    purpose: ClassVar[str]
    owner: ClassVar[str]
    partition: ClassVar[str | None]
    write: ClassVar[str]
    fresh_days: ClassVar[int]
    keep_days: ClassVar[int]
    share_bad: ClassVar[float]
    history: ClassVar[bool]
    release: ClassVar[Release | None]
    columns: ClassVar[dict[str, Column]]
    rules: ClassVar[dict[str, Rule]]
    table_rules: ClassVar[dict[str, TableRule]]

    def __init_subclass__(cls, **keywords: Any) -> None:
        layer = keywords.get("layer", "?")
        # Before the keywords: a column may be called `purpose` or `name` as well.
        columns, rules, table_rules = _take_members(cls)
        cls.name = f"{layer}.{keywords.pop('name', None) or snake(cls.__name__)}"
        _take_keywords(cls, dict(keywords))
        cls.columns, cls.rules, cls.table_rules = columns, rules, table_rules
        _check(cls)
        _check_same_meaning(cls)

    @classmethod
    def doc(cls) -> str:
        return (cls.__doc__ or "").strip()

    @classmethod
    def is_personal(cls) -> bool:
        return any(column.personal for column in cls.columns.values())


_MISSING = object()
_KEYWORDS: dict[str, Any] = {
    "layer": _MISSING,
    "key": _MISSING,
    "area": _MISSING,
    "purpose": _MISSING,
    "owner": _MISSING,
    "partition": None,
    "write": None,
    "fresh_days": 366,
    "keep_days": 3660,
    "share_bad": 0.2,
    "history": True,
    "release": None,
}
_WHY = {
    "layer": f"one of {', '.join(LAYERS)}",
    "key": "the columns that name one row",
    "area": "the column that places a row in an area, or None",
    "purpose": "what its rows may be used for",
    "owner": "who answers for it",
}


def _take_keywords(cls: type[Table], given: dict[str, Any]) -> None:
    for word in given:
        if word not in _KEYWORDS:
            raise DeclarationError(
                f"{cls.name} has an unknown keyword {word!r}.{nearest(word, list(_KEYWORDS))}"
            )
    for word, default in _KEYWORDS.items():
        value = given.get(word, default)
        if value is _MISSING:
            raise DeclarationError(f"{cls.name} does not say {word}= ({_WHY[word]}).")
        setattr(cls, word, value)
    cls.write = cls.write or ("replace" if cls.partition else "merge")


def _take_members(
    cls: type[Table],
) -> tuple[dict[str, Column], dict[str, Rule], dict[str, TableRule]]:
    columns: dict[str, Column] = {}
    rules: dict[str, Rule] = {}
    table_rules: dict[str, TableRule] = {}
    for name, member in list(vars(cls).items()):
        if isinstance(member, Column):
            columns[name] = replace(member, name=name)
            if hasattr(Table, name):
                delattr(cls, name)
        elif isinstance(member, Rule):
            rules[name] = replace(member, name=name)
        elif isinstance(member, TableRule):
            table_rules[name] = replace(member, name=name)
    return columns, rules, table_rules


def _check(cls: type[Table]) -> None:
    def no(problem: str) -> DeclarationError:
        return DeclarationError(f"{cls.name} {problem}")

    if cls.layer not in LAYERS:
        raise no(f"has layer={cls.layer!r}; known are {', '.join(LAYERS)}.")
    if cls.write not in WRITES:
        raise no(f"has write={cls.write!r}; known are {', '.join(WRITES)}.")
    if not cls.doc():
        raise no("has no docstring: say what one row is.")
    if not cls.purpose or not cls.owner:
        raise no("has an empty purpose or owner.")
    _check_names(cls)
    for column in cls.columns.values():
        _check_column(cls, column)
    if cls.release:
        _check_release(cls, cls.release)


def _check_names(cls: type[Table]) -> None:
    named = [("key", name) for name in cls.key]
    named += [("area", cls.area)] if cls.area is not None else []
    named += [("partition", cls.partition)] if cls.partition is not None else []
    for word, name in named:
        if name not in cls.columns:
            raise DeclarationError(
                f"{cls.name} has no column {name!r}, which its {word} names."
                f"{nearest(name, list(cls.columns))}"
            )
    for name in cls.key:
        if cls.columns[name].nullable:
            raise DeclarationError(f"{cls.name} has a key column {name!r} that may be null.")


def _check_release(cls: type[Table], release: Release) -> None:
    if release.count not in cls.columns:
        raise DeclarationError(
            f"{cls.name} releases by the count {release.count!r}, which is no column of it."
        )
    personal = [column.name for column in cls.columns.values() if column.personal]
    if personal:
        raise DeclarationError(
            f"{cls.name} may be released, yet holds the personal column {personal[0]!r}."
        )


def _check_column(cls: type[Table], column: Column) -> None:
    where = f"{cls.name}.{column.name}"
    if not TYPE.match(column.type):
        raise DeclarationError(
            f"{where} has the type {column.type!r}.{nearest(column.type, list(SIMPLE))}"
        )
    if not column.meaning:
        raise DeclarationError(f"{where} does not say what it means.")
    if column.was in cls.columns:
        raise DeclarationError(f"{where} was {column.was!r}, which is still a column of it.")
    if column.codes and column.type not in ("string", "int", "array<string>"):
        raise DeclarationError(f"{where} has a code list but is no string, int or array<string>.")
    bounded = column.least is not None or column.most is not None
    if bounded and column.type not in NUMBERS and not column.type.startswith("decimal"):
        raise DeclarationError(f"{where} has bounds but is no number.")


# One name means one thing everywhere: first declaration wins, others must agree.
_first: dict[str, tuple[str, str, str | None]] = {}


def _check_same_meaning(cls: type[Table]) -> None:
    # Bronze has every field as text, as it came; a history has the columns of its table.
    if cls.layer == "bronze" or cls.write == "history":
        return
    for column in cls.columns.values():
        mine = (cls.name, column.type, column.unit)
        # What a mapping declares goes with its folder: it binds nobody else.
        is_ours = cls.__module__ != "conf.feeds"
        table, kind, unit = (_first.setdefault if is_ours else _first.get)(column.name, mine)
        if table != cls.name and (kind, unit) != (column.type, column.unit):
            raise DeclarationError(
                f"{cls.name}.{column.name} is {column.type} in {column.unit or 'no unit'}, but "
                f"{table}.{column.name} is {kind} in {unit or 'no unit'}: one name, one meaning."
            )
