"""What `bangfu method` asks of the methods: the whole table, and each group of it.

The rows are those of method_input: columns are named by their role (`value`, `weight`, `group`,
`stratum`, `psu`, `x0`, `x1` …), whatever their heads are in the user's file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.errors import ChecksFailed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Figures = dict[str, Any]
LONELY_TOLD = 5


def whole_and_groups(
    measure: Callable[[list[str]], list[Figures]], by: str | None
) -> list[Figures]:
    """Return the figures of all rows and then of each group by name, with `scope` and `group`.

    Rows without a group are in the whole and in a group named by the empty text, so that the
    groups add up to the whole.
    """
    (whole,) = measure([])
    told = [{"scope": "whole", "group": None} | whole]
    groups = measure(["group"]) if by else []
    named = [{"scope": "group"} | row | {"group": row["group"] or ""} for row in groups]
    return told + sorted(named, key=lambda row: str(row["group"]))


def fgt_and_gini(
    rows: "DataFrame", keys: list[str], weight: str | None, line: float
) -> list[Figures]:
    """Return P0, P1, P2 and the Gini coefficient of each group."""
    from pyspark.sql import functions as F

    from jobs.methods.columns import number, weight_of
    from jobs.methods.poverty import gini, headcount_ratio, poverty_gap, squared_gap

    counts = number("value").isNotNull() & weight_of(weight).isNotNull()
    measured = rows.groupBy(*keys).agg(
        F.count(F.when(counts, 1)).alias("n"),
        F.count(F.when(~counts, 1)).alias("n_left_out"),
        headcount_ratio("value", line, weight).alias("headcount_ratio"),
        poverty_gap("value", line, weight).alias("poverty_gap"),
        squared_gap("value", line, weight).alias("squared_gap"),
    )
    ginis = {_key(row, keys): row["gini"] for row in gini(rows, "value", weight, keys).collect()}
    return [row.asDict() | {"gini": ginis[_key(row, keys)]} for row in measured.collect()]


@dataclass(frozen=True)
class Design:
    """The columns of a sample's design, as the user names them; None where there is none.

    Without PSUs each row is one, without strata all are in one stratum.
    """

    strata: str | None
    psu: str | None

    def refuse_lonely(self, lonely: Sequence[str]) -> None:
        """Refuse strata of a single PSU by name. A file of one row just has no error."""
        if not lonely or not (self.strata or self.psu):
            return
        if not self.strata:
            raise ChecksFailed(
                f"All rows are of one PSU (--psu {self.psu}): nothing tells how PSUs differ."
            )
        more = f" and {len(lonely) - LONELY_TOLD} more" if len(lonely) > LONELY_TOLD else ""
        unit = f"--psu {self.psu}" if self.psu else "a row each"
        raise ChecksFailed(
            f"Strata (--strata {self.strata}) with a single PSU ({unit}): "
            f"{', '.join(lonely[:LONELY_TOLD])}{more}. Their variance is unknown: join each to a "
            "stratum that is like it."
        )


def alkire_foster(
    rows: "DataFrame",
    keys: list[str],
    weight: str | None,
    weights: Mapping[str, Fraction],
    cutoff: Fraction,
    design: Design,
) -> list[Figures]:
    """Return H, A, M0 and its error, and what it is made of, for each group.

    `weights` has the weight of each indicator by its head; the first is in column x0, and so on.
    """
    from pyspark.sql import functions as F

    from jobs.methods.multidimensional import censored_score, multidimensional_poverty
    from jobs.methods.survey import logit_interval, survey_mean

    by_role = {f"x{place}": str(one) for place, one in enumerate(weights.values())}
    sampled = survey_mean(
        rows,
        censored_score(by_role, str(cutoff)),
        weight,
        F.col("stratum") if design.strata else F.lit("all"),
        F.col("psu") if design.psu else F.col("row"),
        keys,
    ).collect()
    design.refuse_lonely(sorted({name for row in sampled for name in row["lonely_strata"]}))
    samples = {_key(row, keys): row for row in sampled}
    told = []
    for row in multidimensional_poverty(rows, by_role, str(cutoff), weight, keys).collect():
        m0, sample = row["adjusted_headcount_ratio"], samples[_key(row, keys)]
        degrees = sample["n_psu"] - sample["n_strata"]
        low, high = logit_interval(m0, sample["error"], degrees)
        figures = {
            "n": row["n_rows"],
            "n_left_out": row["n_left_out"],
            "share": row["population_share"],
            "H": row["headcount_ratio"],
            "A": row["intensity"],
            "M0": m0,
            "M0_se": sample["error"],
            "M0_low": low,
            "M0_high": high,
            "uncensored": _by_head(row["uncensored_headcounts"], weights),
            "censored": _by_head(row["censored_headcounts"], weights),
            "contributions": _by_head(row["contributions"], weights),
        }
        told.append({key: row[key] for key in keys} | figures)
    return told


def entropy(
    rows: "DataFrame", heads: Sequence[str], directions: Sequence[str], normalise: str
) -> tuple[int, list[Figures]]:
    """Return how many rows are complete, and weight and entropy of each indicator."""
    from jobs.methods.entropy import entropy_weights

    roles = [f"x{place}" for place in range(len(heads))]
    found = {
        row["indicator"]: row
        for row in entropy_weights(rows, roles, directions, normalise).collect()
    }
    told = [
        {"indicator": head, "weight": found[role]["weight"], "entropy": found[role]["entropy"]}
        for head, role in zip(heads, roles, strict=True)
    ]
    return rows.dropna().count(), told


def couple(
    rows: "DataFrame",
    heads: Sequence[str],
    model: str,
    weights: Sequence[Fraction] | None,
    folder: Path,
) -> int:
    """Write C, T, D, class and lagging system of each row in their order, as Parquet.

    Returns how many rows have a D.
    """
    from jobs.methods import coupling

    roles = [f"x{place}" for place in range(len(heads))]
    given = [str(weight) for weight in weights] if weights else None
    class_of_d = coupling.coordination_class("D")
    coupled = rows.select(
        "row",
        coupling.coupling_degree(roles, model).alias("C"),
        coupling.coordination_index(roles, given).alias("T"),
        coupling.coupling_coordination(roles, model, given).alias("D"),
        coupling.lagging(dict(zip(heads, roles, strict=True))).alias("lagging"),
    ).select(
        *("row", "C", "T", "D"),
        class_of_d["level"].alias("level"),
        class_of_d["name"].alias("class"),
        "lagging",
    )
    coupled.orderBy("row").write.parquet(str(folder))
    return rows.sparkSession.read.parquet(str(folder)).where("D IS NOT NULL").count()


def _key(row: Any, keys: list[str]) -> tuple[str | None, ...]:
    return tuple(row[key] for key in keys)


def _by_head(measures: Mapping[str, float | None], heads: Mapping[str, Any]) -> Figures:
    """Return {head: measure}, given the measures of x0, x1 and so on."""
    return {head: measures[f"x{place}"] for place, head in enumerate(heads)}
