"""Income poverty and inequality: the Foster-Greer-Thorbecke family and the Gini coefficient.

Foster, J., Greer, J. & Thorbecke, E. (1984), "A class of decomposable poverty measures",
Econometrica 52(3), 761-766. The weighted Gini is that of Alfons & Templ (2013), "Estimation of
social exclusion indicators from complex surveys: the R package laeken", J. Stat. Softw. 54(15).
"""

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.methods.columns import ColumnOrName, names, number, weight_of, weighted_mean
from lakehouse.errors import UsageError

# The Gini is summed up within slices of 1/64 of a logarithm, which depend on no other row.
SLICES_PER_LOG = 64


def shortfall(value: ColumnOrName, line: ColumnOrName | float, *, alpha: float) -> Column:
    """Return ((line - value)/line)^alpha below the line and 0 from the line on.

    With alpha 0 this is 1 for who is strictly below, else 0. `line` is a number, or a column
    where areas or years have their own. Null where the value is missing, or the line is
    missing or not above 0. A negative value falls short by more than the line: not cut off.
    """
    if alpha < 0:
        raise UsageError(f"alpha of a poverty measure is at least 0, not {alpha}.")
    if isinstance(line, int | float) and not line > 0:
        raise UsageError(f"A poverty line is above 0, not {line}.")
    y, z = number(value), number(F.lit(line) if isinstance(line, int | float) else line)
    z = F.when(z > 0, z)
    return F.when(y < z, F.pow((z - y) / z, F.lit(float(alpha)))).when(y >= z, 0.0)


def fgt(
    value: ColumnOrName,
    line: ColumnOrName | float,
    weight: ColumnOrName | None = None,
    *,
    alpha: float,
) -> Column:
    """Return P_alpha, the weighted mean of the shortfalls to the power alpha, as an aggregate.

    Shares, 0 to 1 unless values are negative. A row without value, weight or a positive line is
    left out above and below; where nothing with weight is left, it is null, never 0.
    """
    return weighted_mean(shortfall(value, line, alpha=alpha), weight)


def headcount_ratio(
    value: ColumnOrName, line: ColumnOrName | float, weight: ColumnOrName | None = None
) -> Column:
    """Return P0, the share of the population below the line."""
    return fgt(value, line, weight, alpha=0)


def poverty_gap(
    value: ColumnOrName, line: ColumnOrName | float, weight: ColumnOrName | None = None
) -> Column:
    """Return P1, the mean shortfall as a share of the line; who is not poor lacks nothing."""
    return fgt(value, line, weight, alpha=1)


def squared_gap(
    value: ColumnOrName, line: ColumnOrName | float, weight: ColumnOrName | None = None
) -> Column:
    """Return P2, the mean squared shortfall: among the poor, the poorest count most."""
    return fgt(value, line, weight, alpha=2)


def gini(
    rows: DataFrame,
    value: ColumnOrName,
    weight: ColumnOrName | None = None,
    by: str | Iterable[str] = (),
) -> DataFrame:
    """Return one row per group with its `gini`.

    G = (2 sum w x cw - sum w^2 x)/(sum w sum w x) - 1, x ascending and cw the weight up to and
    with this row; no small-sample correction, so one rich among n gives (n-1)/n. Equal values
    are first made one row with their common weight, which leaves G as it is and takes the
    order of ties out of it. A row without value or weight is left out; a group with no weight,
    or whose values do not add up to more than 0, has a null.

    No group is sorted in one piece: slices of the value's logarithm are summed up apart and
    then chained by the weight below each.
    """
    keys = names(by)
    x, w = number(value), weight_of(weight)
    counted = x.isNotNull() & w.isNotNull()
    tied = rows.groupBy(*keys, F.when(counted, x).alias("_x")).agg(
        F.sum(F.when(counted, w)).alias("_w")
    )
    slice_ = F.signum("_x") * F.floor(F.log1p(F.abs("_x")) * SLICES_PER_LOG)
    within = (
        Window.partitionBy(*keys, "_slice")
        .orderBy("_x")
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    slices = (
        tied.withColumn("_slice", slice_.cast("int"))
        .withColumn("_cw", F.sum("_w").over(within))
        .groupBy(*keys, "_slice")
        .agg(
            F.sum("_w").alias("_w"),
            F.sum(F.col("_w") * F.col("_x")).alias("_wx"),
            F.sum(F.col("_w") * F.col("_x") * (2 * F.col("_cw") - F.col("_w"))).alias("_area"),
        )
    )
    return _chained(slices, keys)


def _chained(slices: DataFrame, keys: list[str]) -> DataFrame:
    """Return the Gini of each group from the sums of its slices."""
    before = Window.partitionBy(*keys).orderBy("_slice").rowsBetween(Window.unboundedPreceding, -1)
    below = F.coalesce(F.sum("_w").over(before), F.lit(0.0))
    w, wx = F.sum("_w"), F.sum("_wx")
    area = F.sum(F.col("_area") + 2 * F.col("_below") * F.col("_wx"))
    return (
        slices.withColumn("_below", below)
        .groupBy(*keys)
        .agg(F.when((w > 0) & (wx > 0), area / F.nullif(w * wx, F.lit(0.0)) - 1).alias("gini"))
    )
