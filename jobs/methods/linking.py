"""Linking records without a common key: which pairs are looked at, how they agree, who is the same.

The parts: passes (blocking.py), agreement levels (agreement.py), weights learnt from the data
(fellegi_sunter.py), components of linked pairs (clusters.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.methods import agreement, blocking
from jobs.methods.agreement import Comparison
from jobs.methods.blocking import Pass
from jobs.methods.fellegi_sunter import Totals, Weights, best_threshold, learn, probability

# A pass may find this many pairs for each record; random pairs are between so many records.
PAIRS_PER_RECORD, FEWEST = 20, 2_000
N_RANDOM, SEED = 500, 1
# How many passes of two columns a column takes part in.
PASSES_OF_TWO = 2


def compared(
    left: DataFrame,
    right: DataFrame | None,
    comparisons: Sequence[Comparison],
    passes: Sequence[Pass],
) -> DataFrame:
    """Return candidate pairs (l_row, r_row, pattern) of prepared records."""
    pairs = blocking.candidates(left, right, passes)
    return pairs.select("l_row", "r_row", agreement.pattern(comparisons).alias("pattern"))


def pattern_counts(
    pairs: DataFrame, left: DataFrame, right: DataFrame | None, comparisons: Sequence[Comparison]
) -> DataFrame:
    """Count each pattern among compared pairs and among random ones: what weights are learnt from.

    Bounded by the levels, however many records there are.
    """
    drawn = blocking.random_pairs(left, right, N_RANDOM, SEED)
    random = drawn.select(agreement.pattern(comparisons).alias("pattern"), F.lit(0).alias("one"))
    both = pairs.select("pattern", F.lit(1).alias("one")).unionByName(random)
    return both.groupBy("pattern").agg(
        F.sum("one").alias("n_candidates"), F.sum(1 - F.col("one")).alias("n_random")
    )


def totals(left: DataFrame, right: DataFrame | None, comparisons: Sequence[Comparison]) -> Totals:
    """Count the pairs of prepared records, and those that have both values, or the same one."""
    counts = [
        side.agg(
            F.count(F.lit(1)), *[F.count(one.column).cast("double") for one in comparisons]
        ).collect()[0]
        for side in ([left] if right is None else [left, right])
    ]
    if right is None:
        n_pairs, *there = (n * (n - 1) / 2 for n in counts[0])
    else:
        n_pairs, *there = (n * m for n, m in zip(*counts, strict=True))
    alone = [(one.column,) for one in comparisons]
    same = _costs(left, right, alone)
    return Totals(n_pairs, there, [same.get(one, 0.0) for one in alone])


def affordable_passes(
    left: DataFrame, right: DataFrame | None, comparisons: Sequence[Comparison], n_rows: int
) -> list[Pass]:
    """Choose passes: each column alone unless it finds too many pairs, these by twos.

    Codes are never a pass alone. Empty where nothing is fine enough.
    """
    most = PAIRS_PER_RECORD * max(n_rows, FEWEST)
    alone = [(one.column,) for one in comparisons if one.kind != "code"]
    cheap = _cheap(alone, _costs(left, right, alone), most)
    coarse = [one.column for one in comparisons if (one.column,) not in cheap]
    by_two = list(combinations(coarse, 2))
    costs = _costs(left, right, by_two)
    taken: list[Pass] = []
    for two in sorted(_cheap(by_two, costs, most), key=lambda one: costs[one]):
        if all(sum(column in other for other in taken) < PASSES_OF_TWO for column in two):
            taken.append(two)
    return [*cheap, *taken]


def _costs(
    left: DataFrame, right: DataFrame | None, passes: Sequence[tuple[str, ...]]
) -> dict[tuple[str, ...], float]:
    if not passes:
        return {}
    counted = blocking.n_pairs(left, right, passes).collect()
    return {passes[row["place"]]: row["n_pairs"] for row in counted}


def _cheap(
    passes: Sequence[tuple[str, ...]], costs: Mapping[tuple[str, ...], float], most: float
) -> list[tuple[str, ...]]:
    return [one for one in passes if 0 < costs.get(one, 0) <= most]


@dataclass(frozen=True)
class Learnt:
    """Weights, the probability from which pairs are linked, and the patterns that reach it.

    `match_share` is of candidates, by their probabilities.
    """

    weights: Weights
    threshold: float | None
    n_candidates: int
    n_patterns: int
    match_share: float
    patterns: pd.DataFrame


def learnt(
    comparisons: Sequence[Comparison],
    counts: DataFrame,
    of_all: Totals,
    passes: Sequence[Pass],
    at_least: float | None = None,
) -> Learnt:
    """Learn from pattern_counts, totals and the passes that chose the candidates.

    `at_least` stands for the threshold that is learnt.
    The threshold is None where there are no candidates.
    """
    told = counts.orderBy("pattern").toPandas()
    patterns, n_candidates, n_random = (told[name].to_numpy("int64") for name in told.columns)
    weights = learn(
        comparisons, patterns, n_candidates, n_random, of_all, _seen(comparisons, passes)
    )
    scores = weights.scores(patterns)
    threshold = at_least
    if at_least is None and n_candidates.any():
        threshold = best_threshold(scores, n_candidates)
    likely = probability(scores)
    reached = (likely >= (2 if threshold is None else threshold)) & (n_candidates > 0)
    known = pd.DataFrame(
        {
            "pattern": patterns[reached],
            "score": scores[reached],
            "probability": likely[reached],
            "reasons": [weights.reasons(int(one)) for one in patterns[reached]],
        }
    )
    n = int(n_candidates.sum())
    share = float((n_candidates * likely).sum() / n) if n else 0.0
    return Learnt(weights, threshold, n, len(told), share, known)


def _seen(comparisons: Sequence[Comparison], passes: Sequence[Pass]) -> list[tuple[int, int]]:
    """Return the twos of comparisons of which a pass sees every pair that is the same in both."""
    columns = [one.column for one in comparisons]
    return [
        two
        for two in combinations(range(len(columns)), 2)
        if any(set(one) <= {columns[place] for place in two} for one in passes)
    ]


def linked(pairs: DataFrame, found: Learnt) -> DataFrame:
    """Return the compared pairs that are linked, with score (bits), probability and reasons."""
    schema = "pattern long, score double, probability double, reasons string"
    known = pairs.sparkSession.createDataFrame(found.patterns, schema)
    return pairs.join(F.broadcast(known), "pattern", "inner").drop("pattern")
