"""Weights of agreement, learnt without labels: who is the same, from how pairs agree.

Fellegi, I. P. & Sunter, A. B. (1969), "A theory for record linkage", Journal of the American
Statistical Association 64(328), 1183-1210: a level that is frequent among pairs of one person (m)
and rare among others (u) adds log2(m/u). Both are estimated by expectation and maximisation, as in
Winkler, W. E. (1988), "Using the EM algorithm for weight computation in the Fellegi-Sunter model of
record linkage", Proceedings of the Section on Survey Research Methods, ASA, 667-671. Two samples
tell of the same pairs of records: random ones, and candidates, which passes chose because they
agree. So u is taken from random pairs, and the share of matches is one of all pairs: that two
strangers agree in what a pass asks for is rare among all pairs, not among candidates. How many
pairs have the same value is counted, since the sample holds hardly any of those that share a
number.

Strangers that agree in one thing may agree in another more often than by chance: a village has few
surnames. Where a pass sees every pair that has the same values in two columns, how often strangers
have both is counted as well. Thibaudeau, Y. (1993), "The discrimination power of dependency
structures in record linkage", Survey Methodology 19(1), 31-38.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jobs.methods.agreement import BITS, MISSING, Comparison, levels_of

Numbers = NDArray[np.float64]
# Half an observation of each level (Jeffreys' prior): what was never seen is rare, not impossible.
UNSEEN = 0.5
ROUNDS, ENOUGH = 500, 1e-7
# What the counts leave open (are namesakes of a village one person with another number, or people
# that villages often have?) is decided by a prior, worth this share of the matches: they agree.
PRIOR = 0.05
# Until then strangers are told too badly from matches to say what they have in common.
FIRST_TOGETHER = 20


@dataclass(frozen=True)
class Totals:
    """How many pairs there are, looked at or not.

    By comparison: how many have both values (`there`), and how many the same value (`same`).
    """

    pairs: float
    there: Sequence[float]
    same: Sequence[float]


@dataclass(frozen=True)
class Weights:
    """What was learnt: by comparison and level, m and u; which share of all pairs match."""

    comparisons: tuple[Comparison, ...]
    m: tuple[Numbers, ...]
    u: tuple[Numbers, ...]
    share: float
    # By two comparisons that are the same: bits that this is likelier of strangers than by chance.
    together: Mapping[tuple[int, int], float] = field(default_factory=dict)

    def bits(self, place: int) -> Numbers:
        """Return what each level of a comparison adds to the score, in bits."""
        return np.log2(self.m[place] / self.u[place])

    def scores(self, patterns: NDArray[np.int64]) -> Numbers:
        """Return the score of each pattern in bits: 0 is as likely one person as two."""
        told = np.full(len(patterns), _odds(self.share))
        for place, level in enumerate(_levels(patterns, len(self.comparisons))):
            there = level != MISSING
            told[there] += self.bits(place)[level[there]]
        return told - _together(self.comparisons, patterns, self.together)

    def reasons(self, packed: int) -> str:
        """Return what made the score of a pattern: each level with its bits, heaviest first."""
        levels = enumerate(levels_of(packed, len(self.comparisons)))
        told = [
            (float(self.bits(place)[level]), f"{_name(one)} {one.levels[level]}")
            for (place, level), one in zip(levels, self.comparisons, strict=True)
            if level is not None
        ]
        told += [
            (-bits, f"{' and '.join(_name(self.comparisons[one]) for one in two)} together")
            for two, bits in self.together.items()
            if bits and _together(self.comparisons, np.array([packed]), {two: bits})[0]
        ]
        told.sort(key=lambda reason: (-abs(reason[0]), reason[1]))
        return "; ".join(f"{said} {bits:+.1f}" for bits, said in told)


def probability(scores: Numbers) -> Numbers:
    """Return how likely a pair of a score is one person."""
    return 1 / (1 + np.exp2(-np.clip(scores, -500, 500)))


def learn(
    comparisons: Sequence[Comparison],
    patterns: NDArray[np.int64],
    n_candidates: NDArray[np.int64],
    n_random: NDArray[np.int64],
    totals: Totals,
    seen: Collection[tuple[int, int]] = (),
) -> Weights:
    """Estimate m, u and the share of matches from how often each pattern comes.

    `patterns` has each pattern once, the counts are among candidates and among random pairs.
    Matches that no pass finds are not counted: they are not linked either. `seen` has the pairs of
    comparisons where all pairs of records that are the same in both are candidates.
    """
    levels = _levels(patterns, len(comparisons))
    sizes = [len(one.levels) for one in comparisons]
    chosen, random = n_candidates.astype(float), n_random.astype(float)
    n_pairs = max(totals.pairs, chosen.sum(), 1.0)
    m = [_start(size) for size in sizes]
    u = [_shares(level, random, size) for level, size in zip(levels, sizes, strict=True)]
    share = (chosen.sum() / 10 + UNSEEN) / (n_pairs + 2 * UNSEEN)
    together = dict.fromkeys(seen, 0.0)
    for n_round in range(ROUNDS):
        bits = -_together(comparisons, patterns, together)
        for place, level in enumerate(levels):
            there = level != MISSING
            bits[there] += np.log2(m[place] / u[place])[level[there]]
        match = probability(bits + _odds(share))
        matches, others = chosen * match, random * (1 - match)
        # Never none and never all.
        before, share = share, (matches.sum() + UNSEEN) / (n_pairs + 2 * UNSEEN)
        m = [
            _leant(_shares(level, matches, size)) for level, size in zip(levels, sizes, strict=True)
        ]
        u = [
            _with_same(
                _shares(level, others, size), one, totals.there[place],
                totals.same[place] - matches[level == one.levels.index("same")].sum(),
            )
            for place, (one, level, size) in enumerate(zip(comparisons, levels, sizes, strict=True))
        ]  # fmt: skip
        if n_round >= FIRST_TOGETHER:
            strangers = chosen * (1 - match)
            together = {
                two: _likelier(comparisons, patterns, two, strangers, u, totals) for two in seen
            }
        if n_round > FIRST_TOGETHER and abs(share - before) < ENOUGH * share:
            break
    return Weights(tuple(comparisons), tuple(m), tuple(u), float(share), together)


def best_threshold(scores: Numbers, n_candidates: NDArray[np.int64]) -> float:
    """Return the probability from which on pairs are linked, so that F1 is expected to be highest.

    The expectation is the model's own: of n pairs of a probability p, n p are one person.
    """
    likely = probability(scores)
    order = np.argsort(-scores, kind="stable")
    linked, right = np.cumsum(n_candidates[order]), np.cumsum((n_candidates * likely)[order])
    f1 = 2 * right / (linked + right[-1])
    return float(likely[order[int(np.argmax(f1))]])


def _levels(patterns: NDArray[np.int64], n: int) -> list[NDArray[np.int64]]:
    return [patterns >> np.int64(place * BITS) & MISSING for place in range(n)]


def _start(size: int) -> Numbers:
    """Return a first guess of m: the higher the level, the likelier."""
    rising = np.arange(1, size + 1, dtype=float) ** 4
    return np.asarray(rising / rising.sum())


def _leant(m: Numbers) -> Numbers:
    """Return the shares of matches' levels, leant towards agreement."""
    rising = np.arange(1, len(m) + 1, dtype=float) ** 8
    return np.asarray((1 - PRIOR) * m + PRIOR * rising / rising.sum())


def _shares(level: NDArray[np.int64], n: Numbers, size: int) -> Numbers:
    there = level != MISSING
    counted = np.bincount(level[there], weights=n[there], minlength=size) + UNSEEN
    return np.asarray(counted / counted.sum())


def _with_same(u: Numbers, one: Comparison, there: float, same: float) -> Numbers:
    """Return the shares of strangers' levels, that of the same value by how many pairs have it."""
    place = one.levels.index("same")
    told = u.copy()
    told[place] = 0
    share = min((max(same, 0.0) + UNSEEN) / (there + 2 * UNSEEN), 1 - 1e-9)
    told *= (1 - share) / max(told.sum(), 1e-300)
    told[place] = share
    return np.asarray(told)


def _together(
    comparisons: Sequence[Comparison],
    patterns: NDArray[np.int64],
    together: Mapping[tuple[int, int], float],
) -> Numbers:
    """Return the bits that each pattern has for being the same in two columns at once."""
    same = [
        level == one.levels.index("same")
        for one, level in zip(comparisons, _levels(patterns, len(comparisons)), strict=True)
    ]
    told = np.zeros(len(patterns))
    for (a, b), bits in together.items():
        told += bits * (same[a] & same[b])
    return told


def _likelier(
    comparisons: Sequence[Comparison],
    patterns: NDArray[np.int64],
    two: tuple[int, int],
    strangers: Numbers,
    u: Sequence[Numbers],
    totals: Totals,
) -> float:
    """Return by how many bits strangers are the same in two columns more often than by chance.

    Never less than none. Less than a pair of strangers, found or expected, counts as one: what
    hardly ever happens tells too little.
    """
    both = _together(comparisons, patterns, {two: 1.0}) > 0
    chance = 1.0
    there = totals.pairs
    for place in two:
        chance *= u[place][comparisons[place].levels.index("same")]
        there *= totals.there[place] / max(totals.pairs, 1.0)
    found = float(strangers[both].sum())
    return max(0.0, float(np.log2(max(found, 1.0) / max(there * chance, 1.0))))


def _name(one: Comparison) -> str:
    return one.head or one.column


def _odds(share: float) -> float:
    return float(np.log2(share / (1 - share)))
