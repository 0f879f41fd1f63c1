"""Events go to a file, whole whoever writes, and to a collector, which never holds anybody up."""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState

from lakehouse.conf import settings
from lakehouse.lineage.send import Events, append, collector

RUN = "01890a5d-ac96-774b-bcce-b302099a8057"


class Taking(BaseHTTPRequestHandler):
    """Keeps what it is sent; answers as its server is told to."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.server.pause)
        self.server.taken.append((self.path, self.headers["Authorization"], json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    made.taken, made.status, made.pause = [], 201, 0.0
    Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BANGFU_HOME", str(tmp_path))
    collector.cache_clear()
    return tmp_path / "lineage"


def events(monkeypatch: pytest.MonkeyPatch, url: str, timeout_s: str = "5") -> Events:
    told = {"URL": url, "TIMEOUT_S": timeout_s, "API_KEY": "k1"}
    for name, value in told.items():
        monkeypatch.setenv(f"BANGFU__LINEAGE__{name}", value)
    return Events(settings())


def event() -> RunEvent:
    return RunEvent(
        eventTime="2026-01-02T03:04:05+00:00", eventType=RunState.START, run=Run(RUN),
        job=Job("bangfu", "silver.person"),
    )  # fmt: skip


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_collector_takes_what_the_file_keeps(
    server: ThreadingHTTPServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = events(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    told.emit(event())
    [(path, key, taken)] = server.taken
    assert (path, key) == ("/api/v1/lineage", "Bearer k1")
    assert [taken] == lines(home / "2026-01-02.jsonl")
    assert not (home / "unsent.jsonl").exists()


def test_one_that_is_down_is_said_once_and_counted(
    server: ThreadingHTTPServer, home: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    server.shutdown()
    server.server_close()
    told = events(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            told.emit(event())
    assert len([one for one in caplog.records if "does not take events" in one.message]) == 1
    assert "k1" not in caplog.text
    assert len(lines(home / "2026-01-02.jsonl")) == 3
    whys = [one["why"] for one in lines(home / "unsent.jsonl")]
    assert whys == ["ConnectionError", "not tried", "not tried"]


def test_one_that_is_slow_costs_one_timeout(
    server: ThreadingHTTPServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.pause = 3.0
    told = events(monkeypatch, f"http://127.0.0.1:{server.server_port}", "0.2")
    began = time.monotonic()
    for _ in range(5):
        told.emit(event())
    assert time.monotonic() - began < 1.5
    assert len(lines(home / "unsent.jsonl")) == 5


def test_one_that_refuses_an_event_is_sent_the_next(
    server: ThreadingHTTPServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.status = 422
    told = events(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    told.emit(event())
    told.emit(event())
    assert [one["why"] for one in lines(home / "unsent.jsonl")] == ["HTTP 422"] * 2
    assert len(server.taken) == 2


def test_lines_of_many_processes_stay_whole(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text('{"cut by a crash')
    code = (
        "import sys; from pathlib import Path; from lakehouse.lineage.send import append\n"
        "for _ in range(40): append(Path(sys.argv[1]), '\"' + sys.argv[2] * 300_000 + '\"')"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(file), letter]) for letter in "abc"
    ]
    assert [one.wait() for one in writers] == [0, 0, 0]
    append(file, '"d"')
    cut, *whole = file.read_text().splitlines()
    assert cut == '{"cut by a crash'
    assert sorted({json.loads(line)[:1] for line in whole}) == list("abcd")
    assert {len(line) for line in whole} == {300_002, 3} and len(whole) == 121
