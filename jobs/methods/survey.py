"""Sampling errors of a mean from a stratified, clustered sample.

Taylor linearisation with primary sampling units drawn with replacement: Wolter, K. M. (2007),
Introduction to Variance Estimation, 2nd ed., ch. 6. With c(k) of jobs.methods.multidimensional
as the value, the mean is M0 and this is its error.
"""

from collections.abc import Iterable
from math import exp, log

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from scipy.stats import t as student  # type: ignore[import-untyped]

from jobs.methods.columns import ColumnOrName, column, names, number, weight_of


def survey_mean(
    rows: DataFrame,
    value: ColumnOrName,
    weight: ColumnOrName | None,
    strata: ColumnOrName,
    psu: ColumnOrName,
    by: str | Iterable[str] = (),
) -> DataFrame:
    """Return the weighted `mean` of each group, its standard `error` and the design it rests on.

    u = w(y - mean)/sum w, and the variance is the sum over strata of n/(n-1) times the squared
    deviations of the PSUs' sums of u from their mean. `n_psu` and `n_strata` are those of all
    rows, since a group's PSUs without a member of it add zeros; a PSU is known by its number
    within its stratum. A row without value or weight stays in the design only. `lonely_strata`
    names strata of a single PSU, in text: they have no variance, so the error is then null. So it
    is where the whole group is in one PSU: deviations from its own mean add up to 0 there, which
    tells nothing of other PSUs.
    """
    keys = names(by)
    y, w = number(value), weight_of(weight)
    stratum, unit = column(strata).cast("string"), column(psu).cast("string")
    units = rows.groupBy(*keys, stratum.alias("_stratum"), unit.alias("_psu")).agg(
        F.coalesce(F.sum(w * y), F.lit(0.0)).alias("_wy"),
        F.coalesce(F.sum(F.when(y.isNotNull(), w)), F.lit(0.0)).alias("_w"),
    )
    group = Window.partitionBy(*keys)
    whole = F.nullif(F.sum("_w").over(group), F.lit(0.0))
    mean = F.sum("_wy").over(group) / whole
    scores = (
        units.withColumn("_mean", mean)
        .withColumn("_u", (F.col("_wy") - F.col("_mean") * F.col("_w")) / whole)
        .groupBy(*keys, "_stratum")
        .agg(
            F.max("_mean").alias("_mean"),
            F.sum("_u").alias("_u"),
            _squares("_u").alias("_uu"),
            F.count_if(F.col("_w") > 0).alias("_inside"),
        )
    )
    return _summed_over_strata(scores, _design(units), keys)


def logit_interval(
    mean: float | None, error: float | None, degrees: int, level: float = 0.95
) -> tuple[float, float] | tuple[None, None]:
    """Return the interval of a share on the logit scale; it stays within 0 and 1.

    The reach is Student's t with as many `degrees` as there are PSUs less strata. A share of
    exactly 0 or 1 has no logit, and an error of 0 no width: both ends are then the share itself.
    """
    if mean is None or error is None or degrees < 1:
        return None, None
    if error == 0 or not 0 < mean < 1:
        return mean, mean
    middle = log(mean / (1 - mean))
    reach = float(student.ppf((1 + level) / 2, degrees)) * error / (mean * (1 - mean))
    return 1 / (1 + exp(reach - middle)), 1 / (1 + exp(-reach - middle))


def _squares(name: str) -> Column:
    return F.sum(F.col(name) * F.col(name))


def _design(units: DataFrame) -> DataFrame:
    """Return the number of PSUs of each stratum, and of the whole sample."""
    sample = Window.partitionBy()
    return (
        units.select("_stratum", "_psu")
        .distinct()
        .groupBy("_stratum")
        .agg(F.count("*").alias("_n"))
        .withColumn("n_psu", F.sum("_n").over(sample))
        .withColumn("n_strata", F.count("*").over(sample))
        .withColumnRenamed("_stratum", "_of")
    )


def _summed_over_strata(scores: DataFrame, design: DataFrame, keys: list[str]) -> DataFrame:
    """Return the estimates of each group, given its strata's sums of u and of u squared."""
    n = F.col("_n")
    lonely = n == 1
    spread = F.greatest(F.col("_uu") - F.col("_u") * F.col("_u") / n, F.lit(0.0))
    variance = F.when(~lonely, n / (n - 1) * spread)
    is_known = ~F.bool_or(lonely) & (F.sum("_inside") > 1)
    return (
        scores.join(F.broadcast(design), F.col("_stratum").eqNullSafe(F.col("_of")), how="inner")
        .groupBy(*keys)
        .agg(
            F.max("_mean").alias("mean"),
            F.when(is_known, F.sqrt(F.sum(variance))).alias("error"),
            F.max("n_psu").alias("n_psu"),
            F.max("n_strata").alias("n_strata"),
            F.array_sort(F.collect_list(F.when(lonely, F.col("_stratum")))).alias("lonely_strata"),
        )
    )
