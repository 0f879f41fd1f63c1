"""One Spark session for all tests: small partitions, no UI."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lakehouse.run import House


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[SparkSession]":
    from lakehouse.spark import session

    scratch = tmp_path_factory.mktemp("spark")
    made = session(
        **{
            # Test tables have tens of rows: one partition each, no adaptive replanning.
            "master": "local[2]",
            "spark.sql.shuffle.partitions": 1,
            "spark.default.parallelism": 1,
            "spark.sql.adaptive.enabled": "false",
            # Compiling generated code costs more than running it over tens of rows.
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
            "spark.databricks.delta.snapshotPartitions": 1,
            "spark.driver.memory": "2g",
            "spark.local.dir": str(scratch / "tmp"),
            "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        }
    )
    yield made
    made.stop()


@pytest.fixture
def house(
    spark: "SparkSession", tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> "House":
    """An empty house of its own: lake, landing, stores and key under a folder of the test."""
    from lakehouse.run import House

    monkeypatch.setenv("BANGFU_HOME", str(tmp_path_factory.mktemp("house")))
    return House(spark=spark)
