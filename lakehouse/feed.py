"""A feed: how one kind of delivery is written, read from its mapping in conf/feeds/.

The mapping makes the bronze table (every field as text) and the typed view of it that silver
jobs read. No code per feed.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lakehouse.conf import feed_dirs, read_toml
from lakehouse.errors import DeclarationError, InputMissing, nearest
from lakehouse.schemas import codes
from lakehouse.schemas.fields import DELIVERY_ID, LINE
from lakehouse.table import CodeList, Column, Table

FORMATS = ("csv", "tsv", "xlsx", "parquet")
# The type of a field in the mapping -> the type of its column in the typed view.
TYPES = {
    "text": "string",
    "code": "string",
    "area": "string",
    "identity": "string",
    "integer": "bigint",
    "decimal": "double",
    "yes_no": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
KINDS = ("person", "household", "card", "phone")
_FEED_KEYS = {
    "title", "source", "owner", "purpose", "area", "extent", "every", "format", "encoding",
    "columns", "share_bad",
}  # fmt: skip
_FIELD_KEYS = {
    "head", "type", "meaning", "optional", "personal", "codes", "map", "formats", "kind",
    "scale", "unit",
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One field of a feed: the heads it goes by, its type, and how its text is read."""

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
    # Text in the source -> our code.
    labels: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Feed:
    """One kind of delivery. `every` is month (a register as it stood) or day (events)."""

    name: str
    title: str
    source: str
    format: str
    encoding: str
    extent: str
    every: str
    fields: dict[str, Field] = field(hash=False)
    table: type[Table] = field(hash=False)

    @property
    def parsed_types(self) -> dict[str, str]:
        """Return the columns of the typed view, with their Spark types."""
        typed = {name: TYPES[field.type] for name, field in self.fields.items()}
        return typed | {
            "delivery_id": "string",
            "line": "bigint",
            "period": "string",
            "violations": "array<string>",
        }


def read_feed(path: Path) -> Feed:
    """Read one mapping. Raises DeclarationError naming the file, the key and the nearest word."""
    raw = read_toml(path)
    _refuse_unknown(path, "", raw, _FEED_KEYS)
    for word in ("title", "source", "owner", "purpose", "extent", "format", "columns"):
        if word not in raw:
            raise DeclarationError(f"{path}: {word!r} is missing.")
    _one_of(path, "format", raw["format"], FORMATS)
    _one_of(path, "extent", raw["extent"], ("full", "delta"))
    _one_of(path, "every", raw.get("every", "month"), ("month", "day"))
    fields = {name: _read_field(path, name, spec) for name, spec in raw["columns"].items()}
    return Feed(
        name=path.stem,
        title=raw["title"],
        source=raw["source"],
        format=raw["format"],
        encoding=raw.get("encoding", "utf-8"),
        extent=raw["extent"],
        every=raw.get("every", "month"),
        fields=fields,
        table=_bronze_table(path.stem, raw, fields),
    )


def _read_field(path: Path, name: str, spec: dict[str, Any]) -> Field:
    where = f"columns.{name}"
    _refuse_unknown(path, where + ".", spec, _FIELD_KEYS)
    for word in ("head", "type", "meaning"):
        if word not in spec:
            raise DeclarationError(f"{path}: {where}.{word} is missing.")
    _one_of(path, f"{where}.type", spec["type"], tuple(TYPES))
    if spec["type"] == "identity":
        _one_of(path, f"{where}.kind", spec.get("kind"), KINDS)
    if spec["type"] in ("date", "timestamp") and not spec.get("formats"):
        raise DeclarationError(f"{path}: {where}.formats is missing.")
    return Field(
        name=name,
        head=tuple(spec["head"]),
        type=spec["type"],
        meaning=spec["meaning"],
        optional=spec.get("optional", False),
        personal=spec.get("personal", spec["type"] == "identity"),
        kind=spec.get("kind"),
        formats=tuple(spec.get("formats", ())),
        scale=float(spec.get("scale", 1)),
        unit=spec.get("unit"),
        labels=_labels(path, where, spec),
    )


def _labels(path: Path, where: str, spec: dict[str, Any]) -> dict[str, str]:
    if spec["type"] == "yes_no":
        return {label: code for code, label in codes.YES_NO.labels.items()}
    if spec["type"] != "code":
        return {}
    known = {name: value for name, value in vars(codes).items() if isinstance(value, CodeList)}
    _one_of(path, f"{where}.codes", spec.get("codes"), tuple(known))
    listed = known[spec["codes"]]
    labels = spec.get("map") or {label: code for code, label in listed.labels.items()}
    for code in labels.values():
        _one_of(path, f"{where}.map", code, tuple(listed.labels))
    return dict(labels)


def _bronze_table(name: str, raw: dict[str, Any], fields: dict[str, Field]) -> type[Table]:
    members: dict[str, Any] = {
        field.name: Column("string", field.meaning, nullable=True, personal=field.personal)
        for field in fields.values()
    }
    members["period"] = Column("string", "Day or month that the delivery is about.")
    members["delivery_id"] = DELIVERY_ID
    members["line"] = LINE
    members["arrived_at"] = Column("timestamp", "When the delivery was complete, UTC.")
    members["__doc__"] = f"{raw['title']}: every field as text, as it came."
    class_name = "".join(part.capitalize() for part in name.split("_"))
    return type(
        class_name,
        (Table,),
        members,
        layer="bronze",
        key=("delivery_id", "line"),
        area=raw.get("area"),
        purpose=raw["purpose"],
        owner=raw["owner"],
        partition="period",
        write="append",
        share_bad=raw.get("share_bad", 0.2),
    )


def _refuse_unknown(path: Path, where: str, given: dict[str, Any], known: set[str]) -> None:
    for word in given:
        if word not in known:
            raise DeclarationError(
                f"{path}: unknown key {where}{word!r}.{nearest(word, sorted(known))}"
            )


def _one_of(path: Path, where: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise DeclarationError(
            f"{path}: {where} is {value!r}; known are {', '.join(known)}."
            f"{nearest(str(value), list(known))}"
        )


@cache
def feeds() -> dict[str, Feed]:
    """Return every feed by name; a user's own folder wins over ours."""
    files = {path.stem: path for folder in feed_dirs() for path in sorted(folder.glob("*.toml"))}
    return {name: read_feed(path) for name, path in files.items()}


def feed(name: str) -> Feed:
    """Return one feed. Raises InputMissing with the nearest name."""
    known = feeds()
    if name not in known:
        raise InputMissing(
            f"There is no feed {name!r} in {', '.join(map(str, feed_dirs()))}."
            f"{nearest(name, list(known))}"
        )
    return known[name]
