"""What a column is made of, as OpenLineage tells it: direct sources, and what only decides."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Self

# A column of an input: its table and its name.
Source = tuple[str, str]
# How a value comes from a source, from taken as it is to gathered from many rows.
KINDS = ("IDENTITY", "TRANSFORMATION", "AGGREGATION")
IDENTITY, TRANSFORMATION, AGGREGATION = range(3)


@dataclass(frozen=True)
class Origin:
    """What one value is made of.

    `direct` gives by source the place of its kind in KINDS; `indirect` are sources that decide
    the value without being in it, each with a subtype of OpenLineage (CONDITIONAL, WINDOW, JOIN);
    `unknown` names what could not be read. A struct, and an array or map of structs, knows the
    origin of each field as `parts`.
    """

    direct: dict[Source, int] = field(default_factory=dict)
    indirect: frozenset[tuple[Source, str]] = frozenset()
    unknown: frozenset[str] = frozenset()
    parts: tuple[tuple[str, "Origin"], ...] = ()

    @property
    def sources(self) -> set[Source]:
        """Return every source, direct or not."""
        return {*self.direct, *(source for source, _ in self.indirect)}

    @property
    def is_empty(self) -> bool:
        """Tell whether no column is behind it: a constant, or a count of rows."""
        return not (self.direct or self.indirect or self.unknown or self.parts)

    def at_least(self, kind: int) -> Self:
        """Return this origin, no source closer than `kind`."""
        return self._each(
            lambda one: type(self)(
                {source: max(kind, was) for source, was in one.direct.items()},
                one.indirect,
                one.unknown,
            )
        )

    def because(self, others: Iterable["Origin"], subtype: str) -> Self:
        """Return this origin with all that `others` are made of as indirect sources."""
        known = list(others)
        more = frozenset((source, subtype) for one in known for source in one.sources)
        unknown = frozenset().union(*(one.unknown for one in known))
        if not (more or unknown):
            return self
        return self._each(
            lambda one: type(self)(one.direct, one.indirect | more, one.unknown | unknown)
        )

    def flat(self) -> Self:
        """Return this origin as that of one value without fields."""
        return type(self)(self.direct, self.indirect, self.unknown)

    def _each(self, change: Callable[["Origin"], Self]) -> Self:
        changed = change(self)
        parts = tuple((name, part._each(change)) for name, part in self.parts)
        return type(self)(changed.direct, changed.indirect, changed.unknown, parts)


NOTHING = Origin()


def merged(origins: Iterable[Origin]) -> Origin:
    """Return the origin of a value that may be any of these, or that all of these are in.

    Fields stay apart where all that have fields have the same ones.
    """
    told = [one for one in origins if not one.is_empty]
    if len(told) < 2:
        return told[0] if told else NOTHING
    direct: dict[Source, int] = {}
    for one in told:
        for source, kind in one.direct.items():
            direct[source] = max(kind, direct.get(source, IDENTITY))
    names = {tuple(name for name, _ in one.parts) for one in told}
    parts: tuple[tuple[str, Origin], ...] = ()
    if len(names) == 1:
        alike = zip(*(one.parts for one in told), strict=True)
        parts = tuple((same[0][0], merged(part for _, part in same)) for same in alike)
    return Origin(
        direct,
        frozenset().union(*(one.indirect for one in told)),
        frozenset().union(*(one.unknown for one in told)),
        parts,
    )


def struct(parts: Iterable[tuple[str, Origin]]) -> Origin:
    """Return the origin of a struct with these fields."""
    known = tuple(parts)
    whole = merged(part.flat() for _, part in known).at_least(TRANSFORMATION)
    return Origin(whole.direct, whole.indirect, whole.unknown, known)
