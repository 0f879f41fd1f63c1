"""Which delivery has which fault as a whole: settled for a run before anything is written."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import pandas as pd

from lakehouse.feed import Feed
from synth.deliver.rates import Group, Rates, rates
from synth.deliver.shapes import KINDS
from synth.figures import stream


@dataclass(frozen=True)
class FaultPlan:
    """The faults of a run: rates, and the kind of each delivery that has one as a whole.

    `firsts` are the first deliveries of each feed, which have every kind of row fault.
    `retired_villages` are codes that have ended.
    """

    level: str
    seed: int
    rates: Rates = field(repr=False)
    retired_villages: tuple[str, ...] = field(default=(), repr=False)
    chosen: dict[tuple[str, str], str] = field(default_factory=dict, hash=False)
    firsts: frozenset[tuple[str, str]] = frozenset()

    @property
    def has_faults(self) -> bool:
        """Tell whether anything at all is put in."""
        return self.level != "none"

    def kind_of(self, feed: Feed, period: str) -> str | None:
        """Return what is wrong with a delivery as a whole, if anything is."""
        return self.chosen.get((feed.name, period))

    def stream(self, *name: object) -> np.random.Generator:
        """Return the random numbers of one part of the faults."""
        return stream(self.seed, "faults", *name)

    def draw(self, name: str, texts: np.ndarray) -> np.ndarray:
        """Return a number from 0 to 1 for each text: the same wherever and whenever it stands."""
        key = f"{crc32(f'{self.seed}/{name}'.encode()):016x}"
        known = np.where(pd.isna(texts), "", texts).astype(object)
        values = pd.util.hash_array(known, hash_key=key, categorize=False)
        return values.astype(np.float64) / 2**64


def plan_faults(
    level: str, seed: int, deliveries: Iterable[tuple[Feed, str]],
    retired_villages: Iterable[str] = (),
) -> FaultPlan:  # fmt: skip
    """Return the faults of a run of some deliveries (feed, period), in their order.

    Each delivery draws by the shares of the level. A kind that none has drawn is put into one
    that is free, as long as the run is large enough. Raises UsageError for an unknown level.
    """
    of_level = rates(level)
    every = list(deliveries)
    firsts: dict[str, str] = {}
    for feed, period in every:
        firsts.setdefault(feed.name, period)
    return FaultPlan(
        level, seed, of_level, tuple(sorted(retired_villages)),
        _chosen(of_level, seed, every) if level != "none" else {},
        frozenset(firsts.items()),
    )  # fmt: skip


def _chosen(
    of_level: Rates, seed: int, every: list[tuple[Feed, str]]
) -> dict[tuple[str, str], str]:
    chosen: dict[tuple[str, str], str] = {}
    for feed, period in every:
        if kind := _drawn(of_level, stream(seed, "faults", "whole", feed.name, period), feed):
            chosen[feed.name, period] = kind
    most = of_level.least_deliveries * len(every)
    for group, kind in _in_turn(of_level.groups):
        free = [
            one
            for one in every
            if (one[0].name, one[1]) not in chosen and kind in _possible(group, one[0])
        ]
        if kind in chosen.values() or not free or len(chosen) + 1 > most:
            continue
        feed, period = free[stream(seed, "faults", "at least one", kind).integers(len(free))]
        chosen[feed.name, period] = kind
    return chosen


def _drawn(of_level: Rates, rng: np.random.Generator, feed: Feed) -> str | None:
    """Return the kind that a delivery draws: of the group that a number from 0 to 1 falls into."""
    drawn, up_to = rng.random(), 0.0
    for group in of_level.groups:
        up_to += group.share if group.every in (None, feed.every) else 0.0
        if drawn < up_to:
            kinds = _possible(group, feed)
            return kinds[rng.integers(len(kinds))] if kinds else None
    return None


def _possible(group: Group, feed: Feed) -> list[str]:
    """Return the kinds of a group that a feed can have."""
    if group.every not in (None, feed.every):
        return []
    return [kind for kind in group.kinds if KINDS[kind].possible(feed)]


def _in_turn(groups: tuple[Group, ...]) -> list[tuple[Group, str]]:
    """Return the first kind of each group, then the second of each, and so on."""
    longest = max(len(group.kinds) for group in groups)
    return [
        (group, group.kinds[place])
        for place in range(longest)
        for group in groups
        if place < len(group.kinds) and group.share
    ]
