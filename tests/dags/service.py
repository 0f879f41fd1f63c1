"""A running `make airflow` and its API, for tests: CLI calls cost ten seconds each."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from lakehouse.airflow_local import HOST
from tests.dags.conftest import LIGHT

# Long enough for a machine that is busy with something else; a good run takes a fraction of it.
WITHIN_S = 900
# So that a test need not wait: retries at once, landing looked at all the time.
EAGER = {
    "BANGFU__AIRFLOW__RETRY_AFTER_S": "2",
    "BANGFU__AIRFLOW__WATCH_EVERY_S": "2",
    "BANGFU__AIRFLOW__WATCH_AGAIN_S": "60",
}


class Service:
    """One `make airflow` on a lake of its own."""

    def __init__(self, lake: Path) -> None:
        self.lake = lake
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lakehouse.airflow_local", "--port", str(self.port)],
            env=os.environ | LIGHT | EAGER | {"BANGFU_HOME": str(lake)},
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.said = "".join(self.process.stdout.readline() for _ in range(4))
        found = re.search(r"log in as (\S+) with the password (\S+)", self.said)
        assert found, self.said
        self._token = ""
        told = self.ask("/auth/token", username=found[1], password=found[2])
        self._token = told["access_token"]

    # -- the API ---------------------------------------------------------------------------

    def ask(self, path: str, method: str | None = None, **body: Any) -> Any:
        """Get a path, or post to it where there is something to say.

        SQLite has one writer: Airflow answers 5xx where it is busy, and has done nothing then.
        """
        request = urllib.request.Request(
            f"http://{HOST}:{self.port}{path}",
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            method=method,
        )
        for again in (True, True, True, True, False):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code < 500 or not again:
                    raise AssertionError(f"{path}: {error.code} {error.read()!r}") from None
                time.sleep(2)
        raise AssertionError(path)

    def pause(self, dag: str, is_paused: bool = True) -> None:
        self.ask(f"/api/v2/dags/{dag}", "PATCH", is_paused=is_paused)

    def backfill(self, dag: str, first: str, last: str) -> None:
        """Have Airflow backfill what its clock would have run from one day to another.

        As many runs at once as it likes.
        """
        self.ask(
            "/api/v2/backfills", dag_id=dag, from_date=f"{first}T00:00:00+08:00",
            to_date=f"{last}T23:59:00+08:00",
        )  # fmt: skip

    def runs(self, dag: str, kind: str) -> list[dict[str, Any]]:
        """Return the runs of a DAG of one type, the oldest first."""
        found = self.ask(f"/api/v2/dags/{dag}/dagRuns?order_by=id&limit=100")["dag_runs"]
        return [run for run in found if run["run_type"] == kind]

    def tasks(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        path = f"/api/v2/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
        return self.ask(path)["task_instances"]

    def over(self, dag: str, kind: str, n: int = 1) -> list[dict[str, Any]]:
        """Wait until so many runs of a DAG are over; return them."""

        def found() -> list[dict[str, Any]] | None:
            runs = [run for run in self.runs(dag, kind) if run["state"] in ("success", "failed")]
            return runs if len(runs) >= n else None

        return self.until(found, f"{n} runs of {dag} ({kind}) are over")

    def until(self, look: Callable[[], Any], what: str) -> Any:
        """Wait until something is so; return it."""
        end = time.monotonic() + WITHIN_S
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.5)
        raise AssertionError(f"not so within {WITHIN_S} s: {what}")

    # -- processes -------------------------------------------------------------------------

    def started(self, *words: str) -> list[psutil.Process]:
        """Return all that runs below `make airflow`, or what has some words in its command."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = process.cmdline()
            except psutil.Error:
                continue
            if all(word in line for word in words):
                found.append(process)
        return found

    def end(self) -> list[psutil.Process]:
        """Press Ctrl-C; return what is left of all that it had started."""
        started = self.started()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=180)
        return psutil.wait_procs(started, timeout=5)[1]
