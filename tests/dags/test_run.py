"""The real DAGs, run by Airflow on an empty lake: who waits, who fails, what is told. No Spark."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from lakehouse.conf import ROOT
from tests.dags.conftest import AS_OF, inside


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("empty")


# Onto a daily feed, so that the DAG `events` asks; nobody listens at that port.
SOURCES = """
[switch]
kind = "pages"
feed = "switch"
url = "http://127.0.0.1:9/calls?day={period}"
tries = 1
"""


@pytest.fixture(scope="module")
def stopped(empty: Path) -> dict[str, Any]:
    """How tasks end where no delivery has come, and the one source does not answer."""
    conf = shutil.copytree(ROOT / "conf", empty / "conf")
    (conf / "sources.toml").write_text(SOURCES)
    cdr = (conf / "feeds" / "cdr.toml").read_text()
    (conf / "feeds" / "switch.toml").write_text(re.sub("format = .*", 'format = "jsonl"', cdr))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BANGFU_CONF", str(conf))
        return inside(empty, AS_OF.isoformat(), "events", "poverty_score")


def test_a_source_that_does_not_answer_holds_up_no_landing(
    empty: Path, stopped: dict[str, Any]
) -> None:
    log = (empty / "log.txt").read_text()
    assert "bangfu fetch switch --period 2015-12-31" in log
    assert stopped["tasks"]["events"]["fetch"] == "failed"
    assert stopped["tasks"]["events"]["land"] == "success"


def test_what_failed_is_told_with_table_reason_and_remedy(
    empty: Path, stopped: dict[str, Any]
) -> None:
    alarms = [json.loads(line) for line in (empty / "lake/alarms.jsonl").read_text().splitlines()]
    [told] = [one for one in alarms if one["task"] == "silver"]
    assert (told["kind"], told["dag"], told["as_of"]) == ("failed", "events", "2015-12-31")
    assert told["tables"][0] == "silver.cdr_event"
    assert "waits for bronze.cdr" in told["why"]
    assert "`bangfu plan silver.cdr_event --as-of 2015-12-31`" in told["do"]


def test_without_deliveries_tables_fail_and_scores_are_not_due(stopped: dict[str, Any]) -> None:
    assert stopped["tasks"] == {
        "events": {"fetch": "failed", "land": "success", "dates": "success", "silver": "failed"},
        "poverty_score": {"dates": "success", "score": "skipped"},
    }


def test_tasks_get_the_date_of_their_run(empty: Path, stopped: dict[str, Any]) -> None:
    """The morning of the date in Shanghai is the evening before in UTC."""
    log = (empty / "log.txt").read_text()
    assert re.search(r"bangfu run silver.cdr_event .*subscriber_day --as-of 2015-12-31", log)
    assert "bangfu run gold.poverty_score --as-of 2015-12-31" in log
    assert "bangfu run ended with 11: something needed is missing" in log
