"""What the methods share: numbers out of columns, exact weights, means that leave out nulls."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.errors import UsageError

ColumnOrName = Column | str
Weight = float | int | str

# Sums of rounded terms miss a cutoff or a class edge by some 1e-16; no real gap is this small.
TOLERANCE = 1e-9


def column(it: ColumnOrName) -> Column:
    """Return the column itself, or the column of that name."""
    return F.col(it) if isinstance(it, str) else it


def number(it: ColumnOrName) -> Column:
    """Return the column as a double; NaN and infinities are missing, as null is."""
    value = column(it).cast("double")
    return F.when(F.abs(value) < F.lit(float("inf")), value)


def weight_of(weight: ColumnOrName | None) -> Column:
    """Return the weight of a row, 1 where there are no weights."""
    return F.lit(1.0) if weight is None else number(weight)


def names(by: str | Iterable[str]) -> list[str]:
    """Return the names of the grouping columns, given as one name or several."""
    return [by] if isinstance(by, str) else list(by)


def total(terms: Iterable[Column]) -> Column:
    """Return the sum of the columns within a row; null where one of them is."""
    first, *others = terms
    for term in others:
        first = first + term
    return first


def weighted_mean(value: ColumnOrName, weight: ColumnOrName | None = None) -> Column:
    """Return the weighted mean as an aggregate.

    A row without value or weight counts neither above nor below the line. Where nothing
    counts, or all that counts has weight zero, the mean is null.
    """
    x, w = number(value), weight_of(weight)
    return F.sum(x * w) / F.nullif(F.sum(F.when(x.isNotNull(), w)), F.lit(0.0))


def exact(weight: Weight) -> Fraction:
    """Return a weight, given as a number or as text like '1/3' or '0.25', without rounding."""
    try:
        # By way of its shortest text, 0.1 is a tenth and not the double next to it.
        return Fraction(str(weight))
    except (ValueError, ZeroDivisionError):
        raise UsageError(
            f"A weight is a number or a fraction like '1/3', not {weight!r}."
        ) from None


def exact_weights(weights: Mapping[str, Weight]) -> dict[str, Fraction]:
    """Return the weights without rounding; refuse negative ones and a sum of zero."""
    fractions = {name: exact(weight) for name, weight in weights.items()}
    below = [name for name, weight in fractions.items() if weight < 0]
    if below:
        raise UsageError(f"A weight is at least 0; that of {', '.join(below)} is not.")
    if not sum(fractions.values()):
        raise UsageError(f"The weights of {', '.join(weights) or 'no column'} add up to nothing.")
    return fractions


def shares(weights: Mapping[str, Weight]) -> dict[str, Fraction]:
    """Return the weights divided by their sum."""
    fractions = exact_weights(weights)
    whole = sum(fractions.values())
    return {name: weight / whole for name, weight in fractions.items()}
