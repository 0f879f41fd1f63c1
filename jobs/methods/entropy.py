"""Entropy weights: an indicator weighs the more, the more unequally it is spread over the rows.

Shannon, C. E. (1948), "A mathematical theory of communication", Bell System Technical Journal
27(3), 379-423; as weights of criteria: Xu, X. (2004), "A note on the subjective and objective
integrated approach to determine attribute weights", European Journal of Operational Research
156(2), 530-532.

P_ij = x_ij / sum_i x_ij; E_j = -sum_i P ln P / ln m over m rows, with 0 ln 0 = 0;
w_j = (1 - E_j)/sum(1 - E). Weights depend on what is done to x before, so it has to be said:

- `none`: x as it is (Xu). Directions mean nothing then, and a '-' is refused.
- `minmax`: (x - min)/(max - min), and (max - x)/(max - min) for '-'.
- `minmax_shifted`: .01 + .98 times that, so that no row is 0.

An indicator that is the same in all rows tells nothing: E = 1 and weight 0; where all are so,
the weights are equal. Its normalised value is .5, neither best nor worst. A row with a missing
indicator is left out. With `none`, negative values have no P: that entropy and all weights are
null. Without rows, all are null.
"""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.methods.columns import Weight, number, shares, total
from lakehouse.errors import UsageError, nearest

NORMALISE = ("none", "minmax", "minmax_shifted")
LEAST_SHIFTED, MOST_SHIFTED = 0.01, 0.99


def entropy_weights(
    rows: DataFrame, columns: Sequence[str], directions: Sequence[str] = (), normalise: str = "none"
) -> DataFrame:
    """Return one row per indicator: `indicator`, `weight` and `entropy`.

    `directions` has '+' (more is better) or '-' for each column; none means all '+'.
    """
    statistics = _statistics(rows, columns, _checked(columns, directions, normalise), normalise)
    indicators = F.array(
        *(
            F.struct(
                F.lit(name).alias("indicator"),
                F.col("_weights")[place].alias("weight"),
                F.col("_entropies")[place].alias("entropy"),
            )
            for place, name in enumerate(columns)
        )
    )
    return statistics.select(F.inline(indicators))


def composite(
    rows: DataFrame,
    columns: Sequence[str],
    directions: Sequence[str] = (),
    normalise: str = "minmax_shifted",
    *,
    weights: Mapping[str, Weight] | None = None,
    panel: DataFrame | None = None,
    name: str = "score",
) -> DataFrame:
    """Return the rows with U, the weighted sum of their normalised indicators.

    Within [.01, .99] when shifted and [0, 1] with `minmax`; with `none` on the indicators' own
    scale. `weights` are the entropy weights unless given, and are divided by their sum. The
    extremes and entropies are those of `panel`, by default the rows themselves: give all years
    together where years are compared. A value beyond the panel's extremes counts as the
    extreme. A row with a missing indicator has a null.
    """
    signs = _checked(columns, directions, normalise)
    if weights is not None and set(weights) != set(columns):
        raise UsageError(
            f"Weights are given for {', '.join(weights)}, but the columns are {', '.join(columns)}."
        )
    statistics = _statistics(rows if panel is None else panel, columns, signs, normalise)
    given = None if weights is None else shares(weights)
    parts = [
        value * (F.col("_weights")[place] if given is None else F.lit(float(given[column])))
        for place, (column, value) in enumerate(
            zip(columns, _normalised(columns, signs, normalise), strict=True)
        )
    ]
    scored = rows.crossJoin(F.broadcast(statistics)).withColumn(name, total(parts))
    return scored.drop(*statistics.columns)


def _checked(columns: Sequence[str], directions: Sequence[str], normalise: str) -> list[str]:
    """Return one direction per column; refuse what makes no sense."""
    signs = list(directions) or ["+"] * len(columns)
    if normalise not in NORMALISE:
        raise UsageError(
            f"normalise is one of {', '.join(NORMALISE)}, not {normalise!r}."
            + nearest(normalise, list(NORMALISE))
        )
    if not columns or len(set(columns)) < len(columns):
        raise UsageError("Entropy weights need at least one column, and each only once.")
    if len(signs) != len(columns) or not set(signs) <= {"+", "-"}:
        raise UsageError(f"Give '+' or '-' for each of the {len(columns)} columns, or none at all.")
    if normalise == "none" and "-" in signs:
        raise UsageError(
            "A '-' needs normalise = 'minmax' or 'minmax_shifted': values that are taken as they "
            "are cannot be reversed."
        )
    return signs


def _statistics(
    rows: DataFrame, columns: Sequence[str], signs: Sequence[str], normalise: str
) -> DataFrame:
    """Return one row with arrays, in the columns' order: extremes, entropies and weights.

    One pass finds the extremes, one the sums. With x over its sum S, the entropy is
    (ln S - sum(x ln x)/S)/ln m, so no third pass for S is needed.
    """
    values = [number(name) for name in columns]
    complete = rows.where(total(values).isNotNull())
    extremes = complete.agg(
        F.array(*(F.min(x) for x in values)).alias("_least"),
        F.array(*(F.max(x) for x in values)).alias("_most"),
    )
    normalised = complete.crossJoin(F.broadcast(extremes)).select(
        "_least",
        "_most",
        *(x.alias(f"_{place}") for place, x in enumerate(_normalised(columns, signs, normalise))),
    )
    entropies = [_entropy(F.col(f"_{place}")) for place in range(len(columns))]
    return (
        normalised.agg(
            # The same in every row: the first is any.
            F.first("_least").alias("_least"),
            F.first("_most").alias("_most"),
            F.array(*entropies).alias("_entropies"),
        )
        .withColumn("_spread", F.transform("_entropies", lambda entropy: 1 - entropy))
        .withColumn("_spreads", total(F.col("_spread")[j] for j in range(len(columns))))
        .withColumn(
            "_weights",
            F.transform(
                "_spread",
                lambda spread: F.when(F.col("_spreads") == 0, 1.0 / len(columns)).otherwise(
                    spread / F.nullif("_spreads", F.lit(0.0))
                ),
            ),
        )
        .select("_least", "_most", "_entropies", "_weights")
    )


def _entropy(x: Column) -> Column:
    """Return E of the values as an aggregate, 0 to 1."""
    whole, least = F.nullif(F.sum(x), F.lit(0.0)), F.min(x)
    x_ln_x = F.sum(F.when(x > 0, x * F.ln(x)).otherwise(0.0))
    entropy = (F.ln(whole) - x_ln_x / whole) / F.nullif(F.ln(F.count(x)), F.lit(0.0))
    within = F.greatest(F.least(entropy, F.lit(1.0)), F.lit(0.0))
    return F.when(least < 0, None).when(least == F.max(x), 1.0).when(least.isNotNull(), within)


def _normalised(columns: Sequence[str], signs: Sequence[str], normalise: str) -> list[Column]:
    """Return the columns on the scale of `normalise`, on rows that carry `_least` and `_most`."""
    values = [number(name) for name in columns]
    if normalise == "none":
        return values
    low, high = (LEAST_SHIFTED, MOST_SHIFTED) if normalise == "minmax_shifted" else (0.0, 1.0)
    scaled = []
    for place, (x, sign) in enumerate(zip(values, signs, strict=True)):
        least, most = F.col("_least")[place], F.col("_most")[place]
        worst, best = (least, most) if sign == "+" else (most, least)
        cut_off = F.greatest(F.least(x, most), least)
        share = F.when(least == most, 0.5).otherwise(
            (cut_off - worst) / F.nullif(best - worst, F.lit(0.0))
        )
        scaled.append(F.when(x.isNotNull() & least.isNotNull(), low + (high - low) * share))
    return scaled
