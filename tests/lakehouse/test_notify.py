"""An alarm says which table, why and what to do, and holds no value of a row."""

import asyncio
import json
import threading
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from lakehouse import notify
from lakehouse.conf import settings
from lakehouse.ops import Ops

DAY = "2015-12-31"


@pytest.fixture
def ops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ops:
    monkeypatch.setenv("BANGFU_HOME", str(tmp_path))
    return Ops(settings())


def written() -> list[dict[str, Any]]:
    path = Path(settings().get("alarms", "file"))
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def ends(ops: Ops, table: str, state: str, error: str | None = None) -> None:
    run_id = ops.start(table, date.fromisoformat(DAY), "code", {})
    ops.finish(run_id, state=state, error=error)


def delivered(ops: Ops, feed: str) -> None:
    day = date.fromisoformat(DAY)
    ops.record_delivery(
        delivery_id=f"{feed}/{DAY}/d1", feed=feed, period=DAY, state="landed", content="c",
        extent="delta", arrived_at=datetime(day.year, day.month, day.day, tzinfo=UTC),
        landed_at=datetime(day.year, day.month, day.day, tzinfo=UTC),
    )  # fmt: skip


def test_a_closed_gate_names_the_table_behind_it(ops: Ops) -> None:
    ends(ops, "silver.area", "done")
    ends(ops, "silver.person", "failed", "silver.person was not written: table:share_bad.")
    tables = ["silver.area", "silver.person"]
    why = "bangfu run ended with 12: checks failed"
    notify.failed("registers", "silver", "run", tables, DAY, why)
    [told] = written()
    assert (told["tables"], told["as_of"]) == (["silver.person"], DAY)
    assert told["why"] == f"{why} silver.person was not written: table:share_bad."
    assert told["do"].startswith("`bangfu check silver.person`")


@pytest.mark.parametrize(
    ("why", "do"),
    [
        ("bangfu run ended with 11: something needed is missing", "`bangfu plan silver.area --as-"),
        ("bangfu run ended with 1: a bug in Bangfu", "The task's log has the traceback"),
        ("bangfu run ended with -9: killed by signal 9", "Look at memory and disk"),
    ],
)
def test_each_kind_of_failure_has_its_remedy(ops: Ops, why: str, do: str) -> None:
    assert notify.failed("registers", "silver", "run", ["silver.area"], DAY, why)["do"].startswith(
        do
    )


def test_a_command_without_a_table_is_to_be_run_by_hand(ops: Ops) -> None:
    told = notify.failed("maintenance", "alarms", "alarms --fail", [], None, "ended with 12: x")
    assert told["do"].startswith("`bangfu alarms --fail` by hand says more")


def test_a_deadline_names_the_tables_that_were_not_made(ops: Ops) -> None:
    from lakehouse.airflow_alarm import on_late

    ends(ops, "silver.cdr_event", "done")
    delivered(ops, "cdr")
    # 09:30 in Shanghai, as Airflow tells it.
    run = {"dag_id": "events", "run_type": "scheduled", "logical_date": f"{DAY}T01:30:00Z"}
    # Data sessions have never been delivered: what is made of them is not in use, and not late.
    tables = ["silver.cdr_event", "silver.subscriber_day", "silver.data_session"]
    asyncio.run(on_late({"dag_run": run | {"run_type": "backfill"}}, tables, 3))
    assert written() == []
    asyncio.run(on_late({"dag_run": run}, tables, 3))
    [told] = written()
    assert (told["kind"], told["tables"], told["as_of"]) == ("late", tables[1:2], DAY)
    ends(ops, "silver.subscriber_day", "done")
    asyncio.run(on_late({"dag_run": run}, tables, 3))
    assert len(written()) == 1


def test_a_webhook_hears_it_and_a_dead_one_stops_nothing(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for address in (f"http://127.0.0.1:{server.server_port}/", "http://127.0.0.1:9/", "file:///x"):
        monkeypatch.setenv("BANGFU__ALARMS__WEBHOOK", address)
        notify.failed("registers", "silver", "run", ["silver.area"], DAY, "it ended")
    server.shutdown()
    assert heard == written()[:1]
    assert len(written()) == 3
