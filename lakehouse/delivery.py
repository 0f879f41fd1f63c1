"""Deliveries as folders: finding them, reading manifests, checking files against them.

The contract is docs/deliveries.md. Nothing here starts Spark.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakehouse.errors import nearest
from lakehouse.feed import Feed

READY = "_READY"
MANIFEST = "manifest.json"


class Refused(Exception):
    """A delivery that cannot land as it is: a named reason, and a detail without row values."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class File:
    """One file of a delivery, as its manifest states it."""

    name: str
    n_bytes: int
    sha256: str
    rows: int
    totals: dict[str, float] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Delivery:
    """One complete delivery: `<source>/<feed>/<period>/<name>` under the landing root."""

    folder: Path
    source: str
    feed: str
    period: str
    name: str

    @property
    def delivery_id(self) -> str:
        return f"{self.feed}/{self.period}/{self.name}"

    @property
    def arrived_at(self) -> datetime:
        """Return when it was complete: as the manifest says, else by the flag's own time."""
        said = self.manifest().get("delivered_at")
        if said:
            return datetime.fromisoformat(said).astimezone(UTC)
        return datetime.fromtimestamp((self.folder / READY).stat().st_mtime, UTC)

    def manifest(self) -> dict[str, Any]:
        """Return the manifest. Raises Refused where it is missing or no JSON object."""
        try:
            read = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
            if not isinstance(read, dict):
                raise ValueError
        except (OSError, ValueError):
            detail = f"{MANIFEST} is missing or no JSON object"
            raise Refused("manifest_unreadable", detail) from None
        return read

    def files(self) -> list[File]:
        """Return the files that the manifest lists."""
        try:
            return [
                File(
                    str(one["name"]), int(one["bytes"]), str(one["sha256"]), int(one["rows"]),
                    dict(one.get("totals") or {}),
                )
                for one in self.manifest()["files"]
            ]  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise Refused("manifest_unreadable", f"the files are not as agreed: {error}") from None


def find(landing: Path, delivery_id: str | None = None) -> Iterator[Delivery]:
    """Yield every delivery that is complete (or the one), in order of feed, period, arrival."""
    flags = (
        landing.glob(f"*/*/*/*/{READY}")
        if delivery_id is None
        else (source / delivery_id / READY for source in landing.glob("*"))
    )
    found = [Delivery(flag.parent, *flag.parent.parts[-4:]) for flag in flags if flag.exists()]
    yield from sorted(found, key=_order)


def _order(one: Delivery) -> tuple[str, str, datetime, str, str]:
    return one.feed, one.period, arrival(one), one.name, one.source


def arrival(delivery: Delivery) -> datetime:
    """Return when a delivery was complete, also where its manifest cannot be read."""
    try:
        return delivery.arrived_at
    except (Refused, ValueError):
        return datetime.fromtimestamp((delivery.folder / READY).stat().st_mtime, UTC)


def check_files(delivery: Delivery, feed: Feed) -> str:
    """Hold the files against the manifest; return the hash of their content.

    Raises Refused: file_missing, file_changed, empty_file, period_malformed, unsafe_path.
    """
    try:
        datetime.strptime(delivery.period, period_form(feed))
    except ValueError:
        raise Refused("period_malformed", f"{delivery.period} is no {feed.every}") from None
    files = delivery.files()
    if not files:
        raise Refused("empty_file", "the manifest lists no file")
    for file in files:
        if file.name in ("", ".", "..") or Path(file.name).name != file.name or "\\" in file.name:
            raise Refused("unsafe_path", "a file's name in the manifest is that of another folder")
        path = delivery.folder / file.name
        if not path.is_file():
            raise Refused("file_missing", f"{file.name} is not in the delivery")
        size = path.stat().st_size
        if size == 0:
            raise Refused("empty_file", f"{file.name} has no bytes")
        if size != file.n_bytes or sha256(path) != file.sha256:
            raise Refused("file_changed", f"{file.name} differs from its manifest")
    return content_of(delivery)


def content_of(delivery: Delivery) -> str:
    """Return the hash of a delivery's content, as its manifest tells it. Raises Refused."""
    told = "\n".join(sorted(file.sha256 for file in delivery.files()))
    return hashlib.sha256(f"{delivery.feed}\n{told}".encode()).hexdigest()


def period_form(feed: Feed) -> str:
    """Return how a feed's periods are written, as strptime takes it."""
    return "%Y-%m-%d" if feed.every == "day" else "%Y-%m"


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def match_heads(found: list[str], feed: Feed, file: str) -> dict[str, str]:
    """Return head in the file -> our column. For heads that no column has, see `spare_heads`.

    Raises Refused: missing_head with the nearest, two_heads for one column, repeated_head.
    """
    trimmed = {_trimmed(head): head for head in found if head}
    matched: dict[str, str] = {}
    for column, spec in feed.delivered.items():
        known = [head for head in spec.head if head in trimmed]
        if not known and not spec.optional:
            spare = [head for head in trimmed if head not in matched]
            raise Refused(
                "missing_head",
                f"{file} has no head {spec.head[0]!r} for {column}.{nearest(spec.head[0], spare)}",
            )
        if len(known) > 1:
            told = " and ".join(repr(head) for head in known)
            raise Refused("two_heads", f"{file} has {told}, both of them heads of {column}")
        if known:
            matched[trimmed[known[0]]] = column
    # Of those that no column has, too, one would be lost.
    kept = {*map(_trimmed, matched), *spare_heads(found, feed).values()}
    for head, n in Counter(map(_trimmed, found)).items():
        if n > 1 and head in kept:
            raise Refused("repeated_head", f"{file} has {n} heads {head!r}")
    return matched


def spare_heads(found: Iterable[str], feed: Feed) -> dict[str, str]:
    """Return the heads that a mapping neither names nor leaves out on purpose, and them trimmed."""
    known = {head for spec in feed.delivered.values() for head in spec.head} | {*feed.ignore, ""}
    trimmed = {head: _trimmed(head) for head in found}
    return {head: name for head, name in trimmed.items() if name not in known}


def _trimmed(head: str) -> str:
    return head.strip().lstrip("\ufeff")


def separator_of(feed: Feed) -> str:
    """Return what stands between the fields of a text file."""
    return feed.separator or ("\t" if feed.format == "tsv" else ",")
