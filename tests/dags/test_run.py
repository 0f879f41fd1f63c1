"""The real DAGs, run by Airflow: on an empty lake without Spark, on a tiny county with it."""

from pathlib import Path
from typing import Any

import pytest

from lakehouse.io import newest_version
from lakehouse.ops import Ops
from lakehouse.registry import registry
from tests.dags.conftest import AS_OF, inside, lake_of


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("empty")


@pytest.fixture(scope="module")
def stopped(empty: Path) -> dict[str, Any]:
    """How tasks end where no delivery has come."""
    return inside(empty, AS_OF.isoformat(), "events", "poverty_score")


def test_without_deliveries_tables_fail_and_scores_are_not_due(stopped: dict[str, Any]) -> None:
    assert stopped["tasks"] == {
        "events": {"land": "success", "silver": "failed"},
        "poverty_score": {"score": "skipped"},
    }


def test_tasks_get_the_date_of_their_run(empty: Path, stopped: dict[str, Any]) -> None:
    """The morning of the date in Shanghai is the evening before in UTC."""
    log = (empty / "log.txt").read_text()
    assert "bangfu run silver.cdr_event silver.subscriber_day --as-of 2015-12-31" in log
    assert "bangfu run gold.poverty_score --as-of 2015-12-31" in log
    assert "bangfu run ended with 11: something needed is missing" in log


@pytest.mark.airflow
def test_every_task_succeeds_on_a_county(county: tuple[Path, dict[str, Any]]) -> None:
    home, ended = county
    assert ended["tasks"] == {
        "events": {"land": "success", "silver": "success"},
        "registers": {"land": "success", "silver": "success", "gold": "success"},
        "survey": {"land": "success", "silver": "success", "gold": "success"},
        "poverty_fit": {"fit": "success"},
        "poverty_score": {"score": "success"},
    }, (home / "log.txt").read_text()[-4000:]


@pytest.mark.airflow
def test_the_lake_holds_every_table(county: tuple[Path, dict[str, Any]]) -> None:
    home, _ = county
    conf = lake_of(home)
    ops = Ops(conf)
    for name in registry().jobs:
        assert newest_version(f"{conf.lake}/{name.replace('.', '/')}") is not None, name
        assert ops.last_done(name, AS_OF) is not None, name


@pytest.mark.airflow
def test_the_date_travels_with_what_is_made(county: tuple[Path, dict[str, Any]]) -> None:
    _, ended = county
    assert {*registry().jobs, "model.poverty"} <= set(ended["events"])
    for name, extra in ended["events"].items():
        assert extra == ({} if name.startswith("bronze.") else {"as_of": AS_OF.isoformat()}), name
