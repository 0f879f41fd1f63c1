"""Named reasons: why a row is set aside, or why an answer is what it is."""

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.reasons import named

__all__ = ["also", "named"]


def also(conditions: Mapping[str, Column]) -> Column:
    """Return the row's `violations` and, after them, the names of the conditions that hold."""
    return F.concat("violations", named(conditions))
