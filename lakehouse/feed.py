"""A feed: how one kind of delivery is written, read from its mapping in conf/feeds/.

The mapping makes the bronze table (every field as text) and the typed view of it that silver
jobs read. No code per feed. A mapping may be written `onto` another feed: the same facts from
another source, under other heads; jobs then read both as one. docs/feeds.md shows how.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lakehouse.conf import feed_dirs
from lakehouse.errors import InputMissing, nearest
from lakehouse.expect import Expect, check_registers
from lakehouse.table import CodeList, Table

# The type of a field in the mapping -> the type of its column in the typed view.
TYPES = {
    "text": "string",
    "code": "string",
    "area": "string",
    "identity": "string",
    "integer": "bigint",
    "decimal": "double",
    "longitude": "double",
    "latitude": "double",
    "yes_no": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
# What the typed view tells of each row besides its fields.
ABOUT_THE_ROW = {
    "delivery_id": "string",
    "line": "bigint",
    "period": "string",
    "violations": "array<string>",
}
# The column of bronze that has what a file has and its mapping does not name, by head.
UNMAPPED = "unmapped"


@dataclass(frozen=True)
class Field:
    """One field of a feed: the heads it goes by, its type, and how its text is read.

    A field without a head has a `value`: the text that stands for it in every row.
    """

    name: str
    head: tuple[str, ...]
    type: str
    meaning: str
    optional: bool = False
    personal: bool = False
    kind: str | None = None
    formats: tuple[str, ...] = ()
    scale: float = 1.0
    unit: str | None = None
    # Digits of an area code as the source writes it; fewer than 12 are filled up with zeros.
    digits: int = 12
    value: str | None = None
    # Text that says that there is no value, besides an empty field.
    missing: tuple[str, ...] = ()
    # Text in the source -> our code.
    labels: dict[str, str] = field(default_factory=dict, hash=False)
    codes: CodeList | None = None
    # Of a line of fixed width: first and last byte, counted from 1.
    at: tuple[int, int] | None = None
    # The name it had before, for tables that were made under it; decides nothing of a row.
    was: str | None = field(default=None, repr=False)

    @property
    def is_delivered(self) -> bool:
        """Tell whether files have such a field; others have one value for all rows."""
        return bool(self.head or self.at)


@dataclass(frozen=True)
class Feed:
    """One kind of delivery. `every` is month (a register as it stood) or day (events).

    `onto` names the feed whose fields these are, where the mapping is of another source of it.
    `key` names one row of the table that the mapping makes for itself.
    """

    name: str
    title: str
    source: str
    owner: str
    purpose: str
    area: str | None
    format: str
    encoding: str
    extent: str
    every: str
    fields: dict[str, Field] = field(hash=False)
    table: type[Table] = field(hash=False)
    sheet: str | None = None
    separator: str | None = None
    datum: str = "wgs-84"
    zone: str | None = None
    key: tuple[str, ...] = ()
    onto: str | None = None
    share_bad: float = 0.2
    # A full register with fewer rows than this share of the one before waits for a person's word.
    hold_below: float = 0.7
    # Heads that stay in the file: bronze does not have them, and they are no news.
    ignore: tuple[str, ...] = ()
    # What is expected of a delivery as a whole, by figure.
    expect: dict[str, Expect] = field(default_factory=dict, hash=False)

    @property
    def delivered(self) -> dict[str, Field]:
        """Return the fields that a file has; the others have one value for all rows."""
        return {name: field for name, field in self.fields.items() if field.is_delivered}

    @property
    def parsed_types(self) -> dict[str, str]:
        """Return the columns of the typed view, with their Spark types."""
        typed = {name: TYPES[field.type] for name, field in self.fields.items()}
        return typed | ABOUT_THE_ROW

    @property
    def fingerprint(self) -> str:
        """Return a hash of what decides how text is read: a changed mapping makes tables stale."""
        told = repr((sorted(self.fields.items()), self.datum, self.zone))
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def feeds() -> dict[str, Feed]:
    """Return every feed by name; a user's own folder wins over ours."""
    return feeds_in(*feed_dirs())


def feeds_in(*folders: Path) -> dict[str, Feed]:
    """Return the feeds of some folders by name; a later folder wins."""
    return _read(folders)


def feed(name: str) -> Feed:
    """Return one feed. Raises InputMissing with the nearest name."""
    known = feeds()
    if name not in known:
        raise InputMissing(
            f"There is no feed {name!r} in {', '.join(map(str, feed_dirs()))}."
            f"{nearest(name, list(known))}"
        )
    return known[name]


def family(name: str, known: dict[str, Feed]) -> list[Feed]:
    """Return a feed and the mappings onto it: together they are what jobs read as one."""
    return [known[name], *(one for one in known.values() if one.onto == name)]


@cache
def _read(folders: tuple[Path, ...]) -> dict[str, Feed]:
    from lakehouse.mapping import onto_of, read_feed

    files = {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}
    own = {name: path for name, path in files.items() if onto_of(path) is None}
    known = {name: read_feed(path, {}) for name, path in own.items()}
    for name, path in files.items():
        if name not in own:
            known[name] = read_feed(path, known)
    check_registers(
        {name: one.expect for name, one in known.items()},
        {name: list(one.delivered) for name, one in known.items()},
    )
    return known
