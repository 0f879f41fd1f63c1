"""A synthetic county in a house of the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.run import House
from synth.make import make
from synth.plan import Told

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@contextmanager
def delivered(
    spark: "SparkSession", home: Path, asked: Told, *, only: frozenset[str] | None = None
) -> Iterator[House]:
    """A county made in a house of its own: all its feeds, or some."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BANGFU_HOME", str(home))
        house = House(spark=spark)
        make(home, asked, only=only, own_folder=False)
        yield house
