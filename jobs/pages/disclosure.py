"""Which figures may be shown: none with too few people behind it, and none by subtraction.

Somebody who has every report, of all areas and all dates, may add and subtract what they show.
So the decision is made for the whole tree of areas and all dates at once, whoever asks:

1. A figure rests on parts, which are sets of people: those counted, and the rest of a known
   whole. Each part is empty or holds `at_least` people, or the area is hidden. Under a hidden
   area all are hidden.
2. The areas hidden under one that is shown are the difference of the two, so the parts of all of
   them together are empty or large enough too; else the smallest area shown is hidden as well.
3. Between two dates on which an area is shown, those who came into a part, those who left it and
   those who stayed are each empty or large enough: else the later date is hidden, and a page
   goes on telling the date before (`held`). The same holds for areas that are hidden together.

Whatever is got by adding and subtracting is then a sum of sets that are empty or large enough.
The rule hides exact values. It does not keep anybody from bounding a hidden one, and a date that
is made again later changes what its neighbours may tell.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

# People by the dates on which they are in a part: bit i is set for date i, the oldest being 0.
Part = Counter[int]
# The parts of a figure, by area. Those of an area are the sums of those below it.
Parts = Mapping[str, Sequence[Part]]
Areas = frozenset[str]
DIGITS = (2, 4, 6, 9, 12)


def padded(digits: str) -> str:
    """Return a code as 12 digits."""
    return digits.ljust(12, "0")


def digits_of(code: str) -> int:
    """Return how many digits name an area of 12: 2, 4, 6, 9 or 12."""
    return next(n for n in DIGITS if not code[n:].strip("0"))


def above(code: str) -> str | None:
    """Return the area that an area lies in; None for a province."""
    place = DIGITS.index(digits_of(code))
    return padded(code[: DIGITS[place - 1]]) if place else None


def with_those_above(code: str) -> Iterator[str]:
    """Yield an area, the one that it lies in, and so on up to the province."""
    # A town right below its city has no county: no area twice.
    yield from dict.fromkeys(padded(code[:n]) for n in reversed(DIGITS) if n <= digits_of(code))


def summed_up(parts: Iterable[tuple[str, int, int, int]], n_parts: int) -> dict[str, list[Part]]:
    """Return parts by area, from (area, number of the part, dates, people), up the tree."""
    made: dict[str, list[Part]] = defaultdict(lambda: [Counter() for _ in range(n_parts)])
    for code, part, dates, people in parts:
        for area in with_those_above(code):
            made[area][part][dates] += people
    return dict(made)


def shown_areas(
    parts: Parts, n_dates: int, at_least: int, within: Sequence[Areas] | None = None
) -> list[Areas]:
    """Return the areas that may be shown on each date, the oldest first.

    `within` are those of a figure that this one is taken off or added to: no others are shown.
    """
    below: dict[str | None, list[str]] = defaultdict(list)
    for code in sorted(parts):
        below[above(code)].append(code)
    shown: list[Areas] = []
    for at in range(n_dates):
        now: set[str] = set()
        for whole in [None, *sorted(parts, key=lambda code: (digits_of(code), code))]:
            if whole is None or whole in now:
                family = _Family(parts, below[whole], at, at_least, shown)
                free = [one for one in below[whole] if within is None or one in within[at]]
                now |= family.shown(free, whole)
        shown.append(frozenset(now))
    return shown


@dataclass(frozen=True)
class _Family:
    """The areas right below one area, on one date."""

    parts: Parts
    members: Sequence[str]
    at: int
    at_least: int
    earlier: Sequence[Areas]

    def shown(self, free: Iterable[str], whole: str | None) -> set[str]:
        """Return those shown; the area above is, unless there is none."""
        kept = {one for one in free if self._is_safe_alone(one)}
        while whole is not None and (found := self._unsafe(kept, whole)):
            kept.remove(found)
        return kept

    def _is_safe_alone(self, one: str) -> bool:
        dates = [since for since, areas in enumerate(self.earlier) if one in areas]
        return all(self._holds([one], since) for since in [None, *dates])

    def _unsafe(self, kept: set[str], whole: str) -> str | None:
        """Return the area to hide next, because what is hidden could be subtracted."""
        hidden = set(self.members) - kept
        if hidden and not self._holds(hidden, None):
            return self._smallest(kept, hidden, None)
        for since, areas in enumerate(self.earlier):
            before = set(self.members) - areas
            if whole not in areas:
                continue
            if hidden & before:
                # Known on both dates is only what both hide together.
                together = hidden | before
                if not self._holds(together, since):
                    return self._smallest(kept - together, together, since)
                continue
            if hidden and not self._holds(hidden, since):
                return self._smallest(kept, hidden, since)
            if before and not self._holds(before, since):
                return self._smallest(kept & before, before, since)
        return None

    def _smallest(self, kept: set[str], block: Iterable[str], since: int | None) -> str:
        """Return the area that adds least to what is too small in a block; ties by code."""
        number = next(i for i, n in enumerate(self._sums(block, since)) if self._is_few(n))
        adds = {one: self._sums([one], since)[number] for one in kept}
        return min(kept, key=lambda one: (not adds[one], adds[one], one))

    def _holds(self, block: Iterable[str], since: int | None) -> bool:
        return not any(self._is_few(n) for n in self._sums(block, since))

    def _is_few(self, n: int) -> bool:
        return 0 < n < self.at_least

    def _sums(self, block: Iterable[str], since: int | None) -> list[int]:
        """Return the people in each part; or, since a date, those who came, left and stayed."""
        now = 1 << self.at
        wanted = [(now, now)]
        if since is not None:
            then = 1 << since
            wanted = [(now | then, now), (now | then, then), (now | then, now | then)]
        members = list(block)
        return [
            sum(
                people
                for one in members
                for dates, people in self.parts[one][number].items()
                if dates & mask == bits
            )
            for number in range(len(self.parts[members[0]]))
            for mask, bits in wanted
        ]
