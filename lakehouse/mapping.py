"""Reading a mapping: one TOML file in conf/feeds/, or in a user's own folder, becomes a Feed.

Every mistake names the file, the key and the nearest word that is known.
"""

import codecs
import re
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from lakehouse.conf import read_toml
from lakehouse.errors import DeclarationError, nearest
from lakehouse.expect import Expect, expected
from lakehouse.feed import Feed, Field
from lakehouse.feed_table import bronze_table
from lakehouse.mapping_field import fields_of, one_of, refuse_unknown

FORMATS = ("csv", "tsv", "xlsx", "jsonl", "fixed", "parquet")
NAME = re.compile(r"[a-z][a-z0-9_]*$")
DATUMS = ("wgs-84", "gcj-02", "bd-09")
_NEEDED = ("title", "source", "owner", "purpose", "extent", "format", "columns")
# A mapping onto another feed takes these from it, unless it says otherwise.
_INHERITED = (
    "title",
    "source",
    "owner",
    "purpose",
    "area",
    "extent",
    "every",
    "share_bad",
    "hold_below",
    "ignore",
)
_FEED_KEYS = {
    *_NEEDED, "area", "every", "encoding", "share_bad", "onto", "key", "sheet", "separator",
    "datum", "zone", "hold_below",
    "ignore", "expect",
}  # fmt: skip


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
    refuse_unknown(path, "", raw, _FEED_KEYS)
    onto = _onto(path, raw, known)
    if onto:
        raw = {word: getattr(onto, word) for word in _INHERITED} | raw
    for word in _NEEDED:
        if word not in raw:
            raise DeclarationError(f"{path}: {word!r} is missing.")
    _check_feed(path, raw)
    fields = fields_of(path, raw, onto)
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
        ignore=_texts(path, "ignore", raw),
        expect=_expected(path, raw, fields, onto),
        hold_below=_share(path, "hold_below", raw, 0.7),
    )


def _expected(
    path: Path, raw: dict[str, Any], fields: dict[str, Field], onto: Feed | None
) -> dict[str, Expect]:
    types = {name: field.type for name, field in fields.items() if field.is_delivered}
    own = expected(path, raw, types)
    theirs = onto.expect if onto else {}
    return {
        figure: one for figure, one in theirs.items() if figure.partition(".")[2] in types
    } | own


def _onto(path: Path, raw: dict[str, Any], known: dict[str, Feed]) -> Feed | None:
    if "onto" not in raw:
        return None
    own = [name for name, one in known.items() if one.onto is None]
    one_of(path, "onto", raw["onto"], tuple(own))
    if "key" in raw:
        raise DeclarationError(f"{path}: key is for a table of its own; this maps onto another.")
    return known[raw["onto"]]


def _check_feed(path: Path, raw: dict[str, Any]) -> None:
    one_of(path, "format", raw["format"], FORMATS)
    one_of(path, "extent", raw["extent"], ("full", "delta"))
    one_of(path, "every", raw.get("every", "month"), ("month", "day"))
    one_of(path, "datum", raw.get("datum", "wgs-84"), DATUMS)
    _check_encoding(path, raw.get("encoding", "utf-8"))
    if raw.get("sheet") and raw["format"] != "xlsx":
        raise DeclarationError(f"{path}: sheet is for xlsx, and this is {raw['format']}.")
    _check_places(path, raw)
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


def _check_places(path: Path, raw: dict[str, Any]) -> None:
    """Fixed width has places and no heads; every other format has heads and no places."""
    for name, spec in raw["columns"].items() if isinstance(raw["columns"], dict) else ():
        if not isinstance(spec, dict):
            continue
        where, is_fixed = f"{path}: columns.{name}", raw["format"] == "fixed"
        if is_fixed and "head" in spec:
            raise DeclarationError(
                f"{where}: a file of fixed width has no heads: write at = [1, 18], the first and "
                "the last byte of the field."
            )
        if "at" in spec and not is_fixed:
            raise DeclarationError(f"{where}.at is for fixed width, and this is {raw['format']}.")
        at = spec.get("at")
        is_place = isinstance(at, list) and [type(one) for one in at] == [int, int]
        if at is not None and not (is_place and 1 <= at[0] <= at[1]):
            raise DeclarationError(
                f"{where}.at is {at!r}: write [first, last], bytes counted from 1."
            )


def _share(path: Path, word: str, raw: dict[str, Any], usual: float) -> float:
    share = raw.get(word, usual)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise DeclarationError(f"{path}: {word} is {share!r}; write a share from 0 to 1.")
    return float(share)


def _texts(path: Path, word: str, raw: dict[str, Any]) -> tuple[str, ...]:
    told = raw.get(word, ())
    if isinstance(told, str) or not all(isinstance(one, str) for one in told):
        raise DeclarationError(f'{path}: {word} is a list of texts: ["…", "…"].')
    return tuple(told)


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
