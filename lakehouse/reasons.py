"""Named reasons of a row, as an array: compiled so that a row without any costs next to nothing."""

from collections.abc import Mapping
from functools import reduce
from operator import or_

from pyspark.sql import Column
from pyspark.sql import functions as F

NONE = "array<string>"


def named(conditions: Mapping[str, Column]) -> Column:
    """Return the names of the conditions that hold, in the order given. Null does not hold."""
    none = F.array().cast(NONE)
    if not conditions:
        return none
    # No function with a lambda: Spark would not compile the stage that holds one.
    names = [F.when(holds, F.lit(name)).otherwise("") for name, holds in conditions.items()]
    some = F.array_remove(F.array(*names), "")
    return F.when(reduce(or_, conditions.values()), some).otherwise(none)
