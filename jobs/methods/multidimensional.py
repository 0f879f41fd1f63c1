"""Multidimensional poverty by the Alkire-Foster method: H, A, M0, M1, M2 and what they are made of.

Alkire, S. & Foster, J. (2011), "Counting and multidimensional poverty measurement", Journal of
Public Economics 95(7-8), 476-487.

An indicator is a column of deprivations: 1 or true, 0 or false. Weights are numbers or text
like '1/3' and are taken as they are written: the sums are made of integers over the common
denominator, so a score equals a cutoff that it should equal. Weights may add up to anything, as
long as the cutoff is on their scale; scores, A and M0 are shares of the whole.

Missing: a row with an indicator that is null (or neither 0 nor 1), or without weight, is left
out of every measure and counted. Setting it to 0 or 1 is a choice to make beforehand, in sight.
"""

from collections.abc import Iterable, Mapping
from math import lcm

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.methods.columns import (
    TOLERANCE,
    ColumnOrName,
    Weight,
    column,
    exact,
    exact_weights,
    names,
    number,
    shares,
    total,
    weight_of,
    weighted_mean,
)
from jobs.methods.poverty import shortfall
from lakehouse.errors import UsageError

Indicators = Mapping[str, Weight]


def deprivation(indicator: ColumnOrName) -> Column:
    """Return 1.0 where the indicator says deprived, 0.0 where not, null where it says neither."""
    flag = number(indicator)
    return F.when(flag.isin(0.0, 1.0), flag)


def deprivation_score(indicators: Indicators) -> Column:
    """Return c, the weighted share of indicators in which the row is deprived, 0 to 1."""
    return _score({name: deprivation(name) for name in indicators}, indicators)


def is_poor(indicators: Indicators, cutoff: Weight) -> Column:
    """Return whether the weighted sum of deprivations reaches the cutoff; null if it is unknown.

    The cutoff is on the scale of the weights (2 of weights 1, 1, 1, 1; 1/3 of weights that add
    up to 1) and is itself poor, within 1e-9.
    """
    return deprivation_score(indicators) >= _reached(indicators, cutoff)


def censored_score(indicators: Indicators, cutoff: Weight) -> Column:
    """Return c(k): the score of who is poor, 0 of who is not. Its mean is M0."""
    score = deprivation_score(indicators)
    return F.when(is_poor(indicators, cutoff), score).when(score.isNotNull(), 0.0)


def headcount_ratio(
    indicators: Indicators, cutoff: Weight, weight: ColumnOrName | None = None
) -> Column:
    """Return H, the share of the population that is poor, as an aggregate."""
    return weighted_mean(is_poor(indicators, cutoff), weight)


def adjusted_headcount_ratio(
    indicators: Indicators, cutoff: Weight, weight: ColumnOrName | None = None
) -> Column:
    """Return M0 = H x A, the mean of the censored scores, as an aggregate."""
    return weighted_mean(censored_score(indicators, cutoff), weight)


def intensity(indicators: Indicators, cutoff: Weight, weight: ColumnOrName | None = None) -> Column:
    """Return A, the mean score of the poor, as an aggregate; null where nobody is poor."""
    score = deprivation_score(indicators)
    return weighted_mean(F.when(is_poor(indicators, cutoff), score), weight)


def adjusted_gap(
    achievements: Mapping[str, float],
    weights: Indicators,
    cutoff: Weight,
    weight: ColumnOrName | None = None,
    *,
    alpha: float,
) -> Column:
    """Return M_alpha as an aggregate: M0, M1 (gaps) or M2 (squared gaps) for alpha 0, 1 or 2.

    `achievements` gives the line of each column, below which one is deprived in it; `weights`
    those of the same columns. Gaps of who is not poor count as 0.
    """
    if set(achievements) != set(weights):
        raise UsageError(
            f"Lines are given for {', '.join(achievements)}, weights for {', '.join(weights)}."
        )
    flags, gaps = (
        {name: shortfall(name, line, alpha=power) for name, line in achievements.items()}
        for power in (0, alpha)
    )
    score = _score(flags, weights)
    censored = F.when(score >= _reached(weights, cutoff), _score(gaps, weights))
    return weighted_mean(F.coalesce(censored, F.when(score.isNotNull(), 0.0)), weight)


def multidimensional_poverty(
    rows: DataFrame,
    indicators: Indicators,
    cutoff: Weight,
    weight: ColumnOrName | None = None,
    by: str | Iterable[str] = (),
) -> DataFrame:
    """Return one row per group with all measures of Alkire and Foster.

    `n_rows` counted and `n_left_out` for something missing; `population`, the sum of weights,
    and `population_share`, its share of all groups, so that M0 of all is the sum of
    share x M0. `headcount_ratio` H, `intensity` A, `adjusted_headcount_ratio` M0. By indicator:
    `uncensored_headcounts` of all who are deprived, `censored_headcounts` of the poor who are,
    and `contributions` to M0, adding up to 1. A mean over nobody is null: A and contributions
    where nobody is poor, everything where nobody has weight.
    """
    keys = names(by)
    # Everything is worked out once per row, so that the aggregates are sums of plain columns.
    w = F.when(deprivation_score(indicators).isNotNull(), weight_of(weight))
    known = rows.select(
        *keys,
        w.alias("_w"),
        (w * is_poor(indicators, cutoff).cast("double")).alias("_poor_w"),
        deprivation_score(indicators).alias("_score"),
        *(deprivation(name).alias(f"_{place}") for place, name in enumerate(indicators)),
    )
    places = range(len(indicators))
    sums = known.groupBy(*keys).agg(
        F.count("_w").alias("n_rows"),
        (F.count("*") - F.count("_w")).alias("n_left_out"),
        F.coalesce(F.sum("_w"), F.lit(0.0)).alias("population"),
        F.sum("_poor_w").alias("_poor"),
        F.sum(F.col("_poor_w") * F.col("_score")).alias("_mass"),
        *(F.sum(F.col("_w") * F.col(f"_{place}")).alias(f"_raw_{place}") for place in places),
        *(F.sum(F.col("_poor_w") * F.col(f"_{place}")).alias(f"_cut_{place}") for place in places),
    )
    return _measures(sums, keys, indicators)


def _measures(sums: DataFrame, keys: list[str], indicators: Indicators) -> DataFrame:
    """Return the measures of each group, given its weighted sums."""
    everybody = F.sum("population").over(Window.partitionBy())
    uncensored = {name: _ratio(f"_raw_{j}", "population") for j, name in enumerate(indicators)}
    censored = {name: _ratio(f"_cut_{j}", "population") for j, name in enumerate(indicators)}
    contributions = {
        name: F.lit(float(share)) * _ratio(f"_cut_{j}", "_mass")
        for j, (name, share) in enumerate(shares(indicators).items())
    }
    return sums.select(
        *keys,
        "n_rows",
        "n_left_out",
        "population",
        _ratio("population", everybody).alias("population_share"),
        _ratio("_poor", "population").alias("headcount_ratio"),
        _ratio("_mass", "_poor").alias("intensity"),
        _ratio("_mass", "population").alias("adjusted_headcount_ratio"),
        _map(uncensored).alias("uncensored_headcounts"),
        _map(censored).alias("censored_headcounts"),
        _map(contributions).alias("contributions"),
    )


def _ratio(part: ColumnOrName, whole: ColumnOrName) -> Column:
    return column(part) / F.nullif(column(whole), F.lit(0.0))


def _score(cells: Mapping[str, Column], weights: Indicators) -> Column:
    """Return the weighted mean of a row's cells; null where one of them is."""
    fractions = exact_weights(weights)
    unit = lcm(*(fraction.denominator for fraction in fractions.values()))
    # Doubles hold integers below 2^53 exactly: only the one division rounds.
    whole = F.lit(float(sum(fractions.values()) * unit))
    return (
        total(F.lit(float(fractions[name] * unit)) * cell for name, cell in cells.items()) / whole
    )


def _reached(weights: Indicators, cutoff: Weight) -> float:
    """Return the score from which a row is poor; refuse a cutoff that nobody or all reach."""
    whole = sum(exact_weights(weights).values())
    share = exact(cutoff) / whole
    if not 0 < share <= 1 + TOLERANCE:
        raise UsageError(
            f"The cutoff {cutoff} is not above 0 and up to {float(whole):g}, the sum of weights."
        )
    return float(share) - TOLERANCE


def _map(measures: Mapping[str, Column]) -> Column:
    parts = [(F.lit(name), measure) for name, measure in measures.items()]
    return F.create_map(*(part for pair in parts for part in pair))
