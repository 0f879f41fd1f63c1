"""Named reasons: why a row is set aside, or why an answer is what it is."""

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F


def named(conditions: Mapping[str, Column]) -> Column:
    """Return the names of the conditions that hold, in the order given. Null does not hold."""
    return F.array_compact(
        F.array(*(F.when(holds, F.lit(name)) for name, holds in conditions.items()))
    )


def also(conditions: Mapping[str, Column]) -> Column:
    """Return the row's `violations` and, after them, the names of the conditions that hold."""
    return F.concat("violations", named(conditions))
