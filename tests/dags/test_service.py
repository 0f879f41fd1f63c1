"""`make airflow` for real: it comes up, runs DAGs, one starts the next, and it leaves nothing."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lakehouse.airflow_local import HOST, health
from tests.dags.conftest import AS_OF, LIGHT

pytestmark = pytest.mark.airflow
WITHIN_S = 240
CHAIN = ("survey", "poverty_fit", "poverty_score")


class Service:
    """A running `make airflow`, and its API."""

    def __init__(self, lake: Path) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lakehouse.airflow_local", "--port", str(self.port)],
            env=os.environ | LIGHT | {"BANGFU_HOME": str(lake)},
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.said = "".join(self.process.stdout.readline() for _ in range(4))
        found = re.search(r"log in as (\S+) with the password (\S+)", self.said)
        assert found, self.said
        self._token = ""
        told = self.ask("/auth/token", username=found[1], password=found[2])
        self._token = told["access_token"]

    def ask(self, path: str, **body: Any) -> Any:
        """Get a path, or post to it where there is something to say."""
        request = urllib.request.Request(
            f"http://{HOST}:{self.port}{path}",
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def runs(self, dag: str) -> list[dict[str, Any]]:
        return self.ask(f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]

    def wait(self, dag: str) -> dict[str, Any]:
        """Wait until the one run of a DAG is over."""
        for _ in range(WITHIN_S):
            if (found := self.runs(dag)) and found[0]["state"] in ("success", "failed"):
                return found[0]
            time.sleep(1)
        raise AssertionError(f"{dag} is not over after {WITHIN_S} s: {self.runs(dag)}")

    def started(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> list[psutil.Process]:
        """Press Ctrl-C; return what is left of all that it had started."""
        started = self.started()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        return psutil.wait_procs(started, timeout=5)[1]


@pytest.fixture(scope="module")
def service(county: tuple[Path, dict[str, Any]]) -> Iterator[Service]:
    """Airflow on the lake of the county, where all is made: its runs need no Spark."""
    made = Service(county[0] / "lake")
    yield made
    if made.process.poll() is None:
        made.end()


def test_it_is_healthy_and_has_the_pool(service: Service) -> None:
    assert {"metadatabase", "scheduler", "dag_processor"} <= {
        name for name, status in health(service.port).items() if status == "healthy"
    }
    assert service.ask("/api/v2/pools/spark")["slots"] == 1
    assert service.ask("/api/v2/importErrors")["total_entries"] == 0


def test_what_is_made_starts_what_rests_on_it_for_the_same_date(service: Service) -> None:
    asked = {"logical_date": None, "conf": {"as_of": AS_OF.isoformat()}}
    service.ask("/api/v2/dags/survey/dagRuns", **asked)
    for dag in CHAIN:
        run = service.wait(dag)
        assert run["state"] == "success", dag
        assert run["run_type"] == ("manual" if dag == "survey" else "asset_triggered")
        tasks = service.ask(f"/api/v2/dags/{dag}/dagRuns/{run['dag_run_id']}/taskInstances")
        for task in tasks["task_instances"]:
            assert (task["state"], task["pool"]) == ("success", "spark")
            dates = (None,) if task["task_id"] == "land" else (AS_OF.isoformat(),)
            assert task["rendered_fields"].get("as_of") in dates


def test_ctrl_c_leaves_no_process_even_of_a_running_task(service: Service) -> None:
    """Another date is stale, so that its task starts Spark."""
    asked = {"logical_date": None, "conf": {"as_of": "2015-12-30"}}
    service.ask("/api/v2/dags/events/dagRuns", **asked)
    for _ in range(WITHIN_S):
        if "java" in [one.name() for one in service.started()]:
            break
        time.sleep(1)
    else:
        raise AssertionError("no task has started Spark")
    assert service.end() == []
    assert health(service.port) == {}
