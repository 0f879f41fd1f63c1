"""Airflow runs in processes of its own here, each with its own home and database."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lakehouse.airflow_local import environment
from lakehouse.conf import ROOT, Settings, settings

AS_OF = date(2015, 12, 31)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "airflow: real runs of minutes; only with -m airflow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out Airflow's real runs, which take minutes, unless they are asked for."""
    if "airflow" in config.option.markexpr:
        return
    left = [item for item in items if item.get_closest_marker("airflow")]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


# Small tables and short lives: one partition each, and no time spent on compiling for speed.
LIGHT = {
    "BANGFU__SPARK__spark.sql.shuffle.partitions": "1",
    "BANGFU__SPARK__spark.sql.adaptive.enabled": "false",
    "BANGFU__SPARK__spark.databricks.delta.snapshotPartitions": "1",
    "BANGFU__SPARK__spark.sql.codegen.wholeStage": "false",
    "BANGFU__SPARK__spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "BANGFU__SPARK__spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}


def inside(home: Path, *words: str) -> dict[str, Any]:
    """Run tests/dags/inside.py with an Airflow and a lake of its own; return its answer."""
    out, log = home / "answer.json", home / "log.txt"
    env = os.environ | LIGHT | environment(home / "airflow", 8080)
    with log.open("w") as file:
        done = subprocess.run(
            [sys.executable, "-m", "tests.dags.inside", str(out), *words],
            cwd=ROOT, env=env | {"BANGFU_HOME": str(home / "lake")},
            stdout=file, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    assert done.returncode == 0, log.read_text()[-4000:]
    answer: dict[str, Any] = json.loads(out.read_text())
    return answer


def lake_of(home: Path) -> Settings:
    """Return the settings under which `inside` runs, of the same home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BANGFU_HOME", str(home / "lake"))
        return settings()


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow makes of dags/."""
    return inside(tmp_path_factory.mktemp("parsed"))
