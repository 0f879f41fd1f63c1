"""Coupling coordination of n systems U_1..U_n in [0, 1]: C (coupling), T (level), D (both).

Three models of C that give different numbers, so that one has to be named:

- `standard`: geometric over arithmetic mean, n (prod U)^(1/n) / sum U. Liao, C. (1999),
  "Quantitative judgement and classification system for coordinated development of environment
  and economy" (in Chinese), Tropical Geography 19(2), 171-177, with adjustment coefficient 1/2.
- `wang`: sqrt{[1 - mean |U_i - U_j|] [prod(U_i/max U)]^(1/(n-1))}. Wang, S., Kong, W., Ren, L.,
  Zhi, D. & Dai, B. (2021), "Research on misuses and modification of coupling coordination
  degree model in China" (in Chinese), Journal of Natural Resources 36(3), 793-810.
- `fan`: 1 - 2 population standard deviations of U. Fan et al. (2024), Statistics & Decision (in
  Chinese) 40(22), doi:10.13546/j.cnki.tjyjc.2024.22.007.

T = sum a_i U_i and D = sqrt(C T). A system that is null makes everything null, and so does one
below 0 or, for `wang` and `fan`, above 1: it was not normalised. Two equally low systems have
C = 1: read D.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import comb

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.methods.columns import TOLERANCE, ColumnOrName, Weight, number, shares, total
from lakehouse.errors import UsageError, nearest

CONVENTIONS = ("lower_closed", "upper_closed")
CLASSES = (
    "极度失调",
    "严重失调",
    "中度失调",
    "轻度失调",
    "濒临失调",
    "勉强协调",
    "初级协调",
    "中级协调",
    "良好协调",
    "优质协调",
)
PHASES = ("低水平耦合", "拮抗", "磨合", "高水平耦合")
PHASE_EDGES = (0.3, 0.5, 0.8)


def coupling_degree(systems: Sequence[ColumnOrName], model: str = "standard") -> Column:
    """Return C, 0 to 1: how alike the systems are, not how high.

    Where all systems are 0, `standard` and `wang` divide 0 by 0 and have no limit (it depends on
    the way there). C is then 0: nothing is there that could couple, and D is 0 in any case.
    `fan` gives 1, as its formula does.
    """
    if model not in MODELS:
        raise UsageError(
            f"A model is one of {', '.join(MODELS)}, not {model!r}." + nearest(model, list(MODELS))
        )
    values = _systems(systems)
    degree = MODELS[model](values)
    most = float("inf") if model == "standard" else 1 + TOLERANCE
    known = total(values).isNotNull()  # greatest() and least() would pass over a null
    fits = known & (F.least(*values) >= 0) & (F.greatest(*values) <= most)
    return F.when(fits, _within_0_1(degree))


def coordination_index(
    systems: Sequence[ColumnOrName], weights: Sequence[Weight] | None = None
) -> Column:
    """Return T, the weighted mean of the systems; equal weights unless given.

    Weights are numbers or text like '1/3' and are divided by their sum.
    """
    values = _systems(systems)
    given = [1] * len(values) if weights is None else weights
    if len(given) != len(values):
        raise UsageError(f"{len(values)} systems need {len(values)} weights, not {len(given)}.")
    parts = shares({str(place): weight for place, weight in enumerate(given)})
    return total(
        F.lit(float(part)) * value for part, value in zip(parts.values(), values, strict=True)
    )


def coupling_coordination(
    systems: Sequence[ColumnOrName],
    model: str = "standard",
    weights: Sequence[Weight] | None = None,
) -> Column:
    """Return D = sqrt(C T), 0 to 1: high only where the systems are both alike and high."""
    return F.sqrt(coupling_degree(systems, model) * coordination_index(systems, weights))


def coordination_class(d: ColumnOrName, convention: str = "lower_closed") -> Column:
    """Return the class of D as a struct: `level` 1 to 10, each .1 wide, and its Chinese `name`.

    With `lower_closed` a D of .5 is the first of 勉强协调 (as in SPSSAU), with `upper_closed`
    the last of 濒临失调 (as in Acta Geographica Sinica 76(4), 781). A D within 1e-9 of an edge
    is on it. Null outside 0 to 1.
    """
    level = _level(d, [tenth / 10 for tenth in range(1, 10)], convention)
    named = F.struct(level.alias("level"), _name(level, CLASSES).alias("name"))
    return F.when(level.isNotNull(), named)


def coupling_phase(c: ColumnOrName, convention: str = "lower_closed") -> Column:
    """Return the phase of C: 低水平耦合 up to .3, 拮抗 to .5, 磨合 to .8, then 高水平耦合."""
    return _name(_level(c, PHASE_EDGES, convention), PHASES)


def lagging(systems: Mapping[str, ColumnOrName], within: float = 0.1) -> Column:
    """Return the name of the lowest system, or null where it is `within` of the highest.

    Of two equally low systems the one named first. Null where a system is.
    """
    values = dict(zip(systems, _systems(list(systems.values())), strict=True))
    least, most = F.least(*values.values()), F.greatest(*values.values())
    lowest = F.coalesce(*(F.when(value == least, F.lit(name)) for name, value in values.items()))
    behind = total(values.values()).isNotNull() & (most - least > within + TOLERANCE)
    return F.when(behind, lowest)


def _systems(systems: Sequence[ColumnOrName]) -> list[Column]:
    if isinstance(systems, str) or len(systems) < 2:
        raise UsageError("Coupling is between at least two systems.")
    return [number(system) for system in systems]


def _product(values: Sequence[Column]) -> Column:
    product = values[0]
    for value in values[1:]:
        product = product * value
    return product


def _standard(values: Sequence[Column]) -> Column:
    geometric = F.pow(_product(values), F.lit(1 / len(values)))
    arithmetic = total(values) / len(values)
    return F.when(arithmetic == 0, 0.0).otherwise(geometric / F.nullif(arithmetic, F.lit(0.0)))


def _wang(values: Sequence[Column]) -> Column:
    n = len(values)
    most = F.greatest(*values)
    apart = total(F.abs(one - other) for one, other in combinations(values, 2)) / comb(n, 2)
    ratios = _product([value / F.nullif(most, F.lit(0.0)) for value in values])
    inner = F.greatest(1 - apart, F.lit(0.0)) * F.pow(ratios, F.lit(1 / (n - 1)))
    return F.when(most == 0, 0.0).otherwise(F.sqrt(inner))


def _fan(values: Sequence[Column]) -> Column:
    mean = total(values) / len(values)
    variance = total((value - mean) * (value - mean) for value in values) / len(values)
    return 1 - 2 * F.sqrt(variance)


MODELS: dict[str, Callable[[Sequence[Column]], Column]] = {
    "standard": _standard,
    "wang": _wang,
    "fan": _fan,
}


def _within_0_1(value: Column) -> Column:
    """Cut off what rounding puts beyond 0 and 1; null stays null."""
    return F.when(value.isNotNull(), F.least(F.greatest(value, F.lit(0.0)), F.lit(1.0)))


def _name(level: Column, names: Sequence[str]) -> Column:
    # Not element_at(): under ANSI, Spark 4.2 takes its result for never null, and a null level
    # then gets whatever name came last.
    return F.coalesce(*(F.when(level == place, name) for place, name in enumerate(names, start=1)))


def _level(value: ColumnOrName, edges: Sequence[float], convention: str) -> Column:
    """Return 1 and one more for each edge that the value has passed; null outside 0 to 1."""
    if convention not in CONVENTIONS:
        raise UsageError(
            f"A convention is one of {', '.join(CONVENTIONS)}, not {convention!r}."
            + nearest(convention, list(CONVENTIONS))
        )
    it = number(value)
    on_edge = -TOLERANCE if convention == "lower_closed" else TOLERANCE
    passed = total((it >= edge + on_edge).cast("int") for edge in edges)
    return F.when((it >= -TOLERANCE) & (it <= 1 + TOLERANCE), passed + 1)
