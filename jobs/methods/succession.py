"""Which division became which when codes ended, and what a place was called on any day.

Plain Python over the divisions of one province: some twenty thousand, in a tree. The rules are in
docs/methods/correspondence.md.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

# Digits that name a division of each level, from the top.
DIGITS = {"province": 2, "city": 4, "county": 6, "town": 9, "village": 12}
LEVELS = tuple(DIGITS)
# Within which areas a name is looked for, the nearest first. A province keeps its code.
SCOPES = {
    "city": ("province",),
    "county": ("city", "province"),
    "town": ("county",),
    "village": ("town", "county"),
}
# A code given in one year's book may be in force from a day of the year before, or after.
SLACK = timedelta(days=366)
MOST_OF_ITS_PARTS = 0.5
# How surely a place is known under another code, the surest first.
BASES = (
    "itself",
    "announced",
    "same_name_in_town",
    "same_name_in_county",
    "same_name_in_city",
    "same_name_in_province",
    "most_of_its_parts",
    "area_above",
)
# What a name ends in says what kind of division it is and how it was written down.
KIND = {
    "city": re.compile(r"(?:地区|自治州|盟|市)$"),
    "county": re.compile(r"(?:(?:满|蒙古|锡伯|回|朝鲜)族)*(?:自治县|自治旗|[市县区旗])$"),
    "town": re.compile(
        r"(?:(?:满|蒙古|锡伯|回|朝鲜)+族|各族)*(?:自治)?(?:乡|镇|街道办事处|办事处|街道|地区)$"
    ),
    "village": re.compile(
        r"(?:村民委员会|村委会|社区居民委员会|社区居委会|居民委员会|居委会|社区|村)+$"
    ),
}


@dataclass(frozen=True, slots=True)
class Division:
    """One code: its name, level, first day and first day no longer, and who follows by decree."""

    code: str
    name: str
    level: str
    begins: date
    ends: date | None = None
    announced: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """The code that follows one that ended (None: none is known), how, and how many it could be."""

    to: str | None
    basis: str
    candidates: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """From a day on and up to another, a place was, or belonged to, the division `code`."""

    since: date
    until: date | None
    code: str
    basis: str
    reason: str | None = None


def stem(name: str, level: str) -> str:
    """Return a name without what says village, community, town or township, county or city."""
    kind = KIND.get(level)
    return (kind.sub("", name) or name) if kind else name


def successors(divisions: Iterable[Division]) -> dict[str, Link]:
    """Return the link of each code that ended, by code.

    A code announced as the one that follows comes first. Else it is the only one of the name, on
    both sides, that came within a year of the end where the division lay: names as they are
    written before names without their kind, near before far. Else, for what has parts, where at
    least half of its parts went.
    """
    tree = {one.code: one for one in sorted(divisions, key=lambda one: one.code)}
    links: dict[str, Link] = {}
    for level in LEVELS:
        left = {one.code: one for one in tree.values() if one.level == level and one.ends}
        free = {one.code: one for one in tree.values() if one.level == level}
        for one in list(left.values()):
            if follows := _announced(one, tree):
                links[one.code] = Link(follows.code, "announced", 1)
                del left[one.code]
                free.pop(follows.code, None)
        for scope in SCOPES.get(level, ()):
            # As it is written first: a village and the community of its name often go together.
            for spelt in (str, _stems(level)):
                for old, new in _pairs(left, free, scope, spelt, links):
                    links[old] = Link(new, f"same_name_in_{scope}", 1)
                    del left[old], free[new]
        for code, candidates in _candidates(level, left, free, links).items():
            links[code] = Link(None, "area_above", candidates)
    for level in ("town", "county", "city"):
        _by_parts(level, tree, links)
    return dict(sorted(links.items()))


def _stems(level: str) -> Callable[[str], str]:
    return lambda name: stem(name, level)


def _announced(one: Division, tree: dict[str, Division]) -> Division | None:
    """Return the announced division, unless it is unknown or ended before this one did."""
    follows = tree.get(one.announced or "")
    if follows is None or follows.code == one.code or one.ends is None:
        return None
    return follows if follows.ends is None or follows.ends > one.ends else None


def _came(new: Division, old: Division) -> bool:
    """Tell whether one came when the other ended."""
    return (
        old.ends is not None
        and new.code != old.code
        and new.begins > old.begins
        and abs(new.begins - old.ends) <= SLACK
        and (new.ends is None or new.ends > old.ends)
    )


def _made_of(new: Division, old: Division) -> bool:
    """Tell whether one was made of the other: what it was joined to had been there before.

    A city made of a county has a past of its own: the county lay in it, or in another.
    """
    came_after = old.ends is not None and new.begins > max(old.begins, old.ends - SLACK)
    return came_after and new.level == old.level


def _pairs(
    left: dict[str, Division], free: dict[str, Division], scope: str,
    spelt: Callable[[str], str], links: dict[str, Link],
) -> list[tuple[str, str]]:  # fmt: skip
    """Return old and new codes whose name, so spelt, is the only one of its place on both sides."""
    olds: dict[tuple[str, str], list[Division]] = defaultdict(list)
    news: dict[tuple[str, str], list[Division]] = defaultdict(list)
    for one in left.values():
        olds[_place(one.code, scope, links), spelt(one.name)].append(one)
    for one in free.values():
        news[one.code[: DIGITS[scope]], spelt(one.name)].append(one)
    found = []
    for where, ended in olds.items():
        came = {old.code: [new for new in news[where] if _came(new, old)] for old in ended}
        wanted = Counter(new.code for all_of in came.values() for new in all_of)
        found += [
            (old, new[0].code)
            for old, new in came.items()
            if len(new) == 1 and wanted[new[0].code] == 1
        ]
    return found


def _place(code: str, scope: str, links: dict[str, Link]) -> str:
    """Return the first digits of the area that a code lies in, as they are after it ended."""
    begins = ""
    for level in LEVELS:
        begins += code[len(begins) : DIGITS[level]]
        link = links.get(begins.ljust(12, "0"))
        begins = link.to[: DIGITS[level]] if link and link.to else begins
        if level == scope:
            break
    return begins


def _candidates(
    level: str, left: dict[str, Division], free: dict[str, Division], links: dict[str, Link]
) -> dict[str, int]:
    """Return how many of each name came in the widest area that is looked through."""
    scope = SCOPES.get(level, ("province",))[-1]
    named: dict[tuple[str, str], list[Division]] = defaultdict(list)
    for one in free.values():
        named[one.code[: DIGITS[scope]], stem(one.name, level)].append(one)
    return {
        code: sum(
            _came(new, old) for new in named[_place(code, scope, links), stem(old.name, level)]
        )
        for code, old in left.items()
    }


def _by_parts(level: str, tree: dict[str, Division], links: dict[str, Link]) -> None:
    """Link what ended without a name to follow to where at least half of its parts went."""
    below = LEVELS[LEVELS.index(level) + 1]
    went: dict[str, list[str | None]] = defaultdict(list)
    for one in tree.values():
        if one.level == below:
            link = links.get(one.code, Link(one.code, "itself"))
            to = link.to[: DIGITS[level]].ljust(12, "0") if link.to else None
            went[one.code[: DIGITS[level]].ljust(12, "0")].append(to)
    for code, link in list(links.items()):
        one = tree[code]
        if one.level != level or link.to or not went[code]:
            continue
        (to, n), *_ = Counter(went[code]).most_common(1)
        later = tree.get(to or "")
        if later and later.code != code and n / len(went[code]) >= MOST_OF_ITS_PARTS:
            still = later.ends is None or (one.ends is not None and later.ends > one.ends)
            links[code] = Link(later.code, "most_of_its_parts", link.candidates) if still else link


def timelines(divisions: Iterable[Division]) -> Iterator[tuple[str, Span]]:
    """Yield what each code's place was called, day after day: the code, and a span in order.

    From the first day known to the last there is one division for each day: the place itself
    under its code of then or, where that is not known, the nearest area above it that is.
    """
    history = _History(divisions)
    for code in sorted(history.tree):
        for span in history.line(code):
            yield code, span


class _History:
    """The divisions, what followed each, and what each was made of."""

    def __init__(self, divisions: Iterable[Division]) -> None:
        self.tree = {one.code: one for one in divisions}
        self.links = successors(self.tree.values())
        self.made_of: dict[str, list[str]] = defaultdict(list)
        for code, link in self.links.items():
            is_whole = link.to and link.basis != "most_of_its_parts"
            if is_whole and _made_of(self.tree[link.to], self.tree[code]):
                self.made_of[link.to].append(code)
        self._lines: dict[str, list[Span]] = {}

    def line(self, code: str) -> list[Span]:
        """Return all spans of a code, in order."""
        if code not in self._lines:
            one = self.tree[code]
            own = Span(one.begins, one.ends, code, "itself")
            self._lines[code] = [*self._before(one), own, *self._after(one)]
        return self._lines[code]

    def _after(self, one: Division) -> list[Span]:
        """Return the spans after a code ended, if it did."""
        if one.ends is None:
            return []
        link = self.links[one.code]
        if link.to is None:
            why = "several_of_the_name" if link.candidates else "no_such_name"
            return list(self._above(one, one.ends, None, why))
        later = self.tree[link.to]
        spans = [Span(one.ends, later.ends, later.code, link.basis), *self._after(later)]
        return [_weakened(span, link.basis) for span in spans]

    def _before(self, one: Division) -> list[Span]:
        """Return the spans before a code began, from the first day known."""
        earlier = self.made_of[one.code]
        if len(earlier) != 1:
            why = "several_became_it" if earlier else "newly_made"
            return list(self._above(one, None, one.begins, why))
        old, basis = self.tree[earlier[0]], self.links[earlier[0]].basis
        spans = [*self._before(old), Span(old.begins, one.begins, old.code, basis)]
        return [_weakened(span, basis) for span in spans]

    def _above(
        self, one: Division, since: date | None, until: date | None, why: str
    ) -> Iterator[Span]:
        """Yield the spans of the nearest area above, from one day on and up to another."""
        for level in reversed(LEVELS[: LEVELS.index(one.level)]):
            code = one.code[: DIGITS[level]].ljust(12, "0")
            if code in self.tree:
                for span in self.line(code):
                    begins = max(span.since, since or span.since)
                    ends = min(filter(None, (span.until, until)), default=None)
                    if ends is None or begins < ends:
                        yield Span(begins, ends, span.code, "area_above", span.reason or why)
                return


def _weakened(span: Span, basis: str) -> Span:
    """Return the span, known no better than by this basis."""
    weakest = max(span.basis, basis, key=BASES.index)
    return Span(span.since, span.until, span.code, weakest, span.reason)
