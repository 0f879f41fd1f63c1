"""conf/sources.toml: where deliveries that nobody sends are fetched from."""

import os
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from lakehouse.conf import conf_dir, read_toml
from lakehouse.errors import DeclarationError, InputMissing, nearest
from lakehouse.feed import Feed, feed

KINDS = ("table", "pages", "bucket")
# What a fetched delivery is written as, which the feed's mapping must say. Objects of an endpoint
# need not have the same keys.
FORMATS = {"table": ("jsonl", "parquet"), "pages": ("jsonl",)}
NEEDED = {"table": ("feed", "url", "table"), "pages": ("feed", "url"), "bucket": ("url",)}


@dataclass(frozen=True)
class Source:
    """One source that is asked.

    table: a table or view; `by` is the column that tells what is new: with `new = "time"` the rows
    of the period are asked for, with `new = "key"` those after the last key that came; without
    `by` all of them. pages: an endpoint of JSON; `{period}` in the url is the period; `rows` is
    where the list of rows is in an answer, `next` where the address, or the cursor, of the next
    page is; `cursor` is the parameter that takes a cursor, `page` one that counts from 1. bucket: a
    store where deliveries are put, complete; of one feed or, without `feed`, of any.
    """

    name: str
    kind: str
    url: str
    feed: str = ""
    table: str = ""
    by: str = ""
    new: str = "time"
    rows: str = ""
    next: str = ""
    cursor: str = ""
    page: str = ""
    token_env: str = ""
    batch: int = 50_000
    tries: int = 5
    seconds: float = 60.0

    def of_feed(self) -> Feed:
        """Return the feed. Raises DeclarationError where its mapping is not of a fetched format."""
        found, fitting = feed(self.feed), FORMATS[self.kind]
        if found.format not in fitting:
            raise DeclarationError(
                f"{self.name}: what is fetched is written as {' or '.join(fitting)}; the mapping "
                f"{found.name} says {found.format}. Write one onto it with another format."
            )
        return found

    def address(self) -> str:
        """Return the url with ${NAME} filled from the environment, where secrets are kept."""
        try:
            return _filled(self.url)
        except KeyError as missing:
            raise InputMissing(f"{self.name}: set {missing} in the environment.") from None


def _filled(text: str) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: os.environ[found[1]], text)


def sources(path: Path | None = None) -> dict[str, Source]:
    """Return every source by name. Raises DeclarationError naming file, key and nearest word."""
    path = path or conf_dir() / "sources.toml"
    return {name: _read(path, name, raw) for name, raw in read_toml(path).items()}


def source(name: str) -> Source:
    """Return one source. Raises InputMissing with the nearest name."""
    known = sources()
    if name not in known:
        raise InputMissing(f"conf/sources.toml has no [{name}].{nearest(name, list(known))}")
    return known[name]


def _read(path: Path, name: str, raw: dict[str, Any]) -> Source:
    known = [one.name for one in fields(Source) if one.name != "name"]
    for key in raw:
        if key not in known:
            raise DeclarationError(f"{path}: [{name}] has an unknown key {key!r}."
                                   f"{nearest(key, known)}")  # fmt: skip
    kind = raw.get("kind")
    if kind not in KINDS:
        raise DeclarationError(f"{path}: [{name}] kind is {kind!r}; known are {', '.join(KINDS)}.")
    for key in NEEDED[kind]:
        if not raw.get(key):
            raise DeclarationError(f"{path}: [{name}] needs {key!r}.")
    if raw.get("new", "time") not in ("time", "key"):
        raise DeclarationError(f"{path}: [{name}] new is time or key.")
    return Source(name=name, **raw)
