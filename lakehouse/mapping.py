"""Reading a mapping: one TOML file in conf/feeds/, or in a user's own folder, becomes a Feed.

Every mistake names the file, the key and the nearest word that is known.
"""

import codecs
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from lakehouse.conf import read_toml
from lakehouse.errors import DeclarationError, nearest
from lakehouse.feed import ABOUT_THE_ROW, TYPES, Feed, Field
from lakehouse.feed_table import bronze_table
from lakehouse.schemas import codes
from lakehouse.table import CodeList

FORMATS = ("csv", "tsv", "xlsx", "parquet")
NAME = re.compile(r"[a-z][a-z0-9_]*$")
KINDS = ("person", "household", "card", "phone", "subscriber")
DATUMS = ("wgs-84", "gcj-02", "bd-09")
AREA_DIGITS = (2, 4, 6, 9, 12)
_NEEDED = ("title", "source", "owner", "purpose", "extent", "format", "columns")
# A mapping onto another feed takes these from it, unless it says otherwise.
_INHERITED = ("title", "source", "owner", "purpose", "area", "extent", "every", "share_bad")
_FEED_KEYS = {
    *_NEEDED, "area", "every", "encoding", "share_bad", "onto", "key", "sheet", "separator",
    "datum", "zone",
}  # fmt: skip
_FIELD_KEYS = {
    "head", "type", "meaning", "optional", "personal", "codes", "map", "formats", "kind",
    "scale", "unit", "digits", "value", "missing",
}  # fmt: skip
_CODE_LISTS = {name: one for name, one in vars(codes).items() if isinstance(one, CodeList)}


def onto_of(path: Path) -> str | None:
    """Return the feed that a mapping is written onto, or None for a feed of its own."""
    return read_toml(path).get("onto")


def read_feed(path: Path, known: dict[str, Feed]) -> Feed:
    """Read one mapping; `known` has the feeds that it may be written onto.

    Raises DeclarationError naming the file, the key and the nearest word.
    """
    raw = read_toml(path)
    if not NAME.match(path.stem):
        raise DeclarationError(
            f"{path}: name the file in small letters, digits and _: my_feed.toml."
        )
    _refuse_unknown(path, "", raw, _FEED_KEYS)
    onto = _onto(path, raw, known)
    if onto:
        raw = {word: getattr(onto, word) for word in _INHERITED} | raw
    for word in _NEEDED:
        if word not in raw:
            raise DeclarationError(f"{path}: {word!r} is missing.")
    _check_feed(path, raw)
    fields = _fields(path, raw, onto)
    return Feed(
        name=path.stem,
        title=raw["title"],
        source=raw["source"],
        owner=raw["owner"],
        purpose=raw["purpose"],
        area=raw.get("area"),
        format=raw["format"],
        encoding=raw.get("encoding", "utf-8"),
        extent=raw["extent"],
        every=raw.get("every", "month"),
        fields=fields,
        table=bronze_table(path.stem, raw, fields),
        sheet=raw.get("sheet"),
        separator=raw.get("separator"),
        datum=raw.get("datum", "wgs-84"),
        zone=raw.get("zone"),
        key=tuple(raw.get("key", ())),
        onto=onto.name if onto else None,
        share_bad=raw.get("share_bad", 0.2),
    )


def _onto(path: Path, raw: dict[str, Any], known: dict[str, Feed]) -> Feed | None:
    if "onto" not in raw:
        return None
    own = [name for name, one in known.items() if one.onto is None]
    _one_of(path, "onto", raw["onto"], tuple(own))
    if "key" in raw:
        raise DeclarationError(f"{path}: key is for a table of its own; this maps onto another.")
    return known[raw["onto"]]


def _check_feed(path: Path, raw: dict[str, Any]) -> None:
    _one_of(path, "format", raw["format"], FORMATS)
    _one_of(path, "extent", raw["extent"], ("full", "delta"))
    _one_of(path, "every", raw.get("every", "month"), ("month", "day"))
    _one_of(path, "datum", raw.get("datum", "wgs-84"), DATUMS)
    _check_encoding(path, raw.get("encoding", "utf-8"))
    if raw.get("sheet") and raw["format"] != "xlsx":
        raise DeclarationError(f"{path}: sheet is for xlsx, and this is {raw['format']}.")
    if raw.get("separator") and (raw["format"] != "csv" or len(raw["separator"]) != 1):
        raise DeclarationError(f"{path}: separator is one character, and for csv.")
    if "zone" in raw and raw["zone"] not in available_timezones():
        near = nearest(str(raw["zone"]), sorted(available_timezones()))
        raise DeclarationError(
            f"{path}: zone is {raw['zone']!r}; write one as Asia/Shanghai.{near}"
        )
    if not isinstance(raw["columns"], dict) or not raw["columns"]:
        raise DeclarationError(f"{path}: [columns] has no column.")
    named = [("key", name) for name in raw.get("key", ())]
    named += [("area", raw["area"])] if raw.get("area") and "onto" not in raw else []
    for word, name in named:
        if name not in raw["columns"]:
            raise DeclarationError(
                f"{path}: {word} names {name!r}, which is no column."
                f"{nearest(name, list(raw['columns']))}"
            )


def _check_encoding(path: Path, encoding: str) -> None:
    try:
        is_by_bytes = "\n".encode(codecs.lookup(encoding).name) == b"\n"
    except (LookupError, TypeError):
        near = nearest(str(encoding), ["utf-8", "utf-8-sig", "gb18030", "gbk", "big5"])
        raise DeclarationError(f"{path}: encoding {encoding!r} is not known.{near}") from None
    if not is_by_bytes:
        raise DeclarationError(
            f"{path}: files in {encoding} are not read line by line: save them as utf-8."
        )


# -- fields --------------------------------------------------------------------------------


def _fields(path: Path, raw: dict[str, Any], onto: Feed | None) -> dict[str, Field]:
    fields = {}
    for name, spec in raw["columns"].items():
        if not isinstance(spec, dict):
            raise DeclarationError(f'{path}: columns.{name} is written as {{ head = ["…"], … }}.')
        _refuse_unknown(path, f"columns.{name}.", spec, _FIELD_KEYS)
        if name in ABOUT_THE_ROW or name == "arrived_at":
            raise DeclarationError(f"{path}: columns.{name}: bronze has a column of that name.")
        fields[name] = _field_onto(path, name, spec, onto) if onto else _field(path, name, spec)
    _refuse_shared_heads(path, fields)
    _check_positions(path, raw, fields)
    return {**_left_out(path, fields, onto), **fields} if onto else fields


def _left_out(path: Path, fields: dict[str, Field], onto: Feed) -> dict[str, Field]:
    """Return all fields of the other feed, in its order; those not mapped are null."""
    for name, field in onto.fields.items():
        if name not in fields and not field.optional:
            raise DeclarationError(
                f"{path}: {onto.name} needs {name!r} ({field.meaning}): name its head under "
                "[columns], or give it a `value`."
            )
    return {name: replace(field, head=(), value=None) for name, field in onto.fields.items()}


def _field_onto(path: Path, name: str, spec: dict[str, Any], onto: Feed) -> Field:
    """Read a field that another feed declares: what the mapping does not say is as there."""
    if name not in onto.fields:
        raise DeclarationError(
            f"{path}: {onto.name} has no column {name!r}.{nearest(name, list(onto.fields))}"
        )
    there, where = onto.fields[name], f"columns.{name}"
    for word in ("type", "codes", "kind"):
        if word in spec:
            raise DeclarationError(f"{path}: {where}.{word} is {onto.name}'s to say.")
    listed = there.codes or codes.YES_NO
    labels = _mapped(path, where, spec["map"], listed) if "map" in spec else there.labels
    return replace(
        there,
        head=_heads(path, where, spec),
        labels=labels,
        meaning=spec.get("meaning", there.meaning),
        formats=tuple(spec.get("formats", there.formats)),
        scale=float(spec.get("scale", there.scale)),
        digits=_digits(path, where, spec, there.type),
        value=_value(spec),
        missing=tuple(spec.get("missing", there.missing)),
    )


def _field(path: Path, name: str, spec: dict[str, Any]) -> Field:
    where = f"columns.{name}"
    for word in ("type", "meaning"):
        if word not in spec:
            raise DeclarationError(f"{path}: {where}.{word} is missing.")
    _one_of(path, f"{where}.type", spec["type"], tuple(TYPES))
    if spec["type"] == "identity":
        _one_of(path, f"{where}.kind", spec.get("kind"), KINDS)
    if spec["type"] in ("date", "timestamp") and not spec.get("formats"):
        raise DeclarationError(f"{path}: {where}.formats is missing.")
    listed, labels = _labels(path, where, spec)
    return Field(
        name=name,
        head=_heads(path, where, spec),
        type=spec["type"],
        meaning=spec["meaning"],
        optional=spec.get("optional", False),
        personal=spec.get("personal", spec["type"] == "identity"),
        kind=spec.get("kind"),
        formats=tuple(spec.get("formats", ())),
        scale=float(spec.get("scale", 1)),
        unit=spec.get("unit"),
        digits=_digits(path, where, spec, spec["type"]),
        value=_value(spec),
        missing=tuple(spec.get("missing", ())),
        labels=labels,
        codes=listed,
    )


def _heads(path: Path, where: str, spec: dict[str, Any]) -> tuple[str, ...]:
    if ("head" in spec) == ("value" in spec):
        raise DeclarationError(
            f"{path}: {where} has either a head (the source has such a field) or a value."
        )
    heads = spec.get("head", ())
    return (heads,) if isinstance(heads, str) else tuple(heads)


def _value(spec: dict[str, Any]) -> str | None:
    return None if "value" not in spec else str(spec["value"])


def _digits(path: Path, where: str, spec: dict[str, Any], kind: str) -> int:
    digits = spec.get("digits", 12)
    if "digits" in spec and (kind != "area" or digits not in AREA_DIGITS):
        raise DeclarationError(
            f"{path}: {where}.digits is for an area code, of {', '.join(map(str, AREA_DIGITS))}."
        )
    return int(digits)


def _labels(path: Path, where: str, spec: dict[str, Any]) -> tuple[CodeList | None, dict[str, str]]:
    """Return the code list of a field, and what its codes are called in the source."""
    given = spec.get("map")
    if spec["type"] == "yes_no":
        return None, _mapped(path, where, given, codes.YES_NO)
    if spec["type"] != "code":
        return None, {}
    if "codes" not in spec and given:
        # A list of the mapping's own: what it maps to, each called as in the source.
        return CodeList(where, {code: text for text, code in given.items()}), dict(given)
    _one_of(path, f"{where}.codes", spec.get("codes"), tuple(_CODE_LISTS))
    listed = _CODE_LISTS[spec["codes"]]
    return listed, _mapped(path, where, given, listed)


def _mapped(
    path: Path, where: str, given: dict[str, str] | None, listed: CodeList
) -> dict[str, str]:
    """Return text -> code: as the mapping says, else each code by its label."""
    for code in (given or {}).values():
        _one_of(path, f"{where}.map", code, tuple(listed.labels))
    return dict(given or {label: code for code, label in listed.labels.items()})


def _refuse_shared_heads(path: Path, fields: dict[str, Field]) -> None:
    seen: dict[str, str] = {}
    for field in fields.values():
        for head in field.head:
            if head in seen:
                raise DeclarationError(
                    f"{path}: the head {head!r} is mapped to two columns, {seen[head]} and "
                    f"{field.name}."
                )
            seen[head] = field.name


def _check_positions(path: Path, raw: dict[str, Any], fields: dict[str, Field]) -> None:
    """A datum other than WGS-84 is converted, which takes one longitude and one latitude."""
    found = [sum(f.type == kind for f in fields.values()) for kind in ("longitude", "latitude")]
    if raw.get("datum", "wgs-84") != "wgs-84" and found != [1, 1]:
        raise DeclarationError(
            f"{path}: datum {raw['datum']!r} needs one column of type longitude and one of type "
            f"latitude; here are {found[0]} and {found[1]}."
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
