"""`make airflow`: Airflow on this machine with our DAGs, until Ctrl-C.

For one user on one machine: SQLite, tasks as local processes, one generated password. Everything
lies under BANGFU_HOME/airflow.
"""

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from lakehouse.conf import ROOT, home_dir
from lakehouse.errors import BangfuError, InputMissing, UsageError

HOST = "127.0.0.1"
USER = "admin"
PASSWORDS = "simple_auth_manager_passwords.json.generated"
UP_WITHIN_S = 180
DOWN_WITHIN_S = 10


def start(port: int = 8080) -> None:
    """Run Airflow until Ctrl-C; say where it is and how to log in once it is healthy.

    Raises UsageError where the port is taken, InputMissing where a service does not come up.
    """
    with socket.socket() as probe:
        if probe.connect_ex((HOST, port)) == 0:
            raise UsageError(f"Port {port} is taken. `--port` names another one.")
    home = home_dir() / "airflow"
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with running(home, port):
            password = json.loads((home / PASSWORDS).read_text())[USER]
            print(
                f"Airflow is up: http://{HOST}:{port}\n"
                f"  log in as {USER} with the password {password}\n"
                f"  DAGs: {ROOT / 'dags'}, lake: {home_dir()}, logs: {home / 'logs'}\n"
                "  A run by hand takes its date from `as_of`. Ctrl-C ends everything.",
                flush=True,
            )
            signal.pause()
    except KeyboardInterrupt:
        print("Airflow is down.", flush=True)


@contextmanager
def running(home: Path, port: int) -> Iterator[None]:
    """Have Airflow up and healthy inside the block, and no process of it afterwards."""
    local = Local(home, port)
    try:
        local.run("db", "migrate")
        local.serve("api-server")
        local.run("pools", "set", "spark", "1", "Spark sessions on this machine")
        # Else the DAGs would appear some time after everything else is up.
        local.run("dags", "reserialize")
        # A task that starts before the API answers fails.
        local.wait("metadatabase")
        local.serve("scheduler", "--skip-serve-logs")
        local.serve("dag-processor")
        local.serve("triggerer", "--skip-serve-logs")
        local.wait("scheduler", "dag_processor", "triggerer")
        yield
    finally:
        local.end()


class Local:
    """The processes of one local Airflow, each in a session of its own, its output in a log."""

    def __init__(self, home: Path, port: int) -> None:
        self.port = port
        self.logs = home / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self._env = os.environ | environment(home, port)
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def serve(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """Start one Airflow command."""
        with (self.logs / f"{name}.log").open("ab") as log:
            self._started[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", name, *words],
                env=self._env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._started[name]

    def run(self, name: str, *words: str) -> None:
        """Run one Airflow command to its end. Raises InputMissing where it fails."""
        if self.serve(name, *words).wait():
            raise InputMissing(f"`airflow {name}` failed; {self.logs / name}.log says why.")
        del self._started[name]

    def wait(self, *wanted: str) -> None:
        """Wait until some services are healthy. Raises InputMissing where they do not get so."""
        for _ in range(UP_WITHIN_S):
            told = health(self.port)
            if all(told.get(name) == "healthy" for name in wanted):
                return
            for name, process in self._started.items():
                if process.poll() is not None:
                    raise InputMissing(f"`airflow {name}` ended; {self.logs / name}.log says why.")
            time.sleep(1)
        raise InputMissing(
            f"Airflow was not up within {UP_WITHIN_S} s ({', '.join(wanted)}); the logs are in "
            f"{self.logs}."
        )

    def end(self) -> None:
        """End all that was started and all that it started: tasks outlive Airflow otherwise."""
        # A second Ctrl-C must not stop the ending half-way.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        started = list(self._started.values())
        for process in started:
            process.terminate()
        for sign in (signal.SIGTERM, signal.SIGKILL):
            until = time.monotonic() + DOWN_WITHIN_S
            while (left := _members({one.pid for one in started})) and time.monotonic() < until:
                for process in started:
                    process.poll()
                time.sleep(0.2)
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, sign)


def environment(home: Path, port: int) -> dict[str, str]:
    """Return the settings of a light Airflow that shares one machine with its Spark tasks."""
    url = f"http://{HOST}:{port}"
    told = {
        "CORE__DAGS_FOLDER": ROOT / "dags",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": 2,
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": home / PASSWORDS,
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "API__HOST": HOST,
        "API__PORT": port,
        "API__BASE_URL": url,
        "API__WORKERS": 1,
        # All services sign and check each other's tokens with it; a new one at every start.
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.5,
        "DAG_PROCESSOR__REFRESH_INTERVAL": 10,
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 10,
        "DAG_PROCESSOR__PARSING_PROCESSES": 1,
    }
    named = {f"AIRFLOW__{key}": str(value) for key, value in told.items()}
    return named | {"AIRFLOW_HOME": str(home), "BANGFU_HOME": str(home_dir())}


def health(port: int) -> dict[str, str]:
    """Return service -> status as Airflow tells it; empty while nobody answers."""
    try:
        url = f"http://{HOST}:{port}/api/v2/monitor/health"
        with urllib.request.urlopen(url, timeout=5) as answer:  # nosec B310
            return {name: one["status"] for name, one in json.load(answer).items()}
    except OSError:
        return {}


def _members(sessions: set[int]) -> list[int]:
    """Return the processes of some sessions that are not over."""
    found = []
    for process in psutil.process_iter(["status"]):
        try:
            if (
                os.getsid(process.pid) in sessions
                and process.info["status"] != psutil.STATUS_ZOMBIE
            ):
                found.append(process.pid)
        except (ProcessLookupError, PermissionError):
            continue
    return found


def main() -> None:
    """Read the port from the command line and start."""
    parser = argparse.ArgumentParser(prog="python -m lakehouse.airflow_local", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="port of the web page and API")
    try:
        start(parser.parse_args().port)
    except BangfuError as error:
        print(f"bangfu: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
