"""A source that hangs up in the middle of a page: nothing of it lands until it comes whole."""

import json
import os
import subprocess  # nosec B404
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deltalake import DeltaTable

from lakehouse.conf import conf_dir

PAGES, A_PAGE = 5, 200
MAPPING = """
title = "就业登记"
source = "labour"
owner = "labour"
purpose = "statistics"
extent = "delta"
every = "day"
format = "jsonl"
[columns]
job_id = { head = "id", type = "text", meaning = "Number." }
"""
SOURCE = """
[job_service]
kind = "pages"
feed = "job"
url = "http://127.0.0.1:{port}/jobs"
rows = "items"
page = "page"
tries = 2
"""


class Endpoint(BaseHTTPRequestHandler):
    """Five pages; while `dies`, it hangs up in the middle of the third."""

    dies = True

    def do_GET(self) -> None:
        """Answer with a page, or half of it."""
        number = int(self.path.partition("page=")[2] or 1)
        rows = [{"id": f"{number}-{n}"} for n in range(A_PAGE)] if number <= PAGES else []
        content = json.dumps({"items": rows}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        is_half = self.dies and number == 3
        self.wfile.write(content[: len(content) // 2] if is_half else content)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def dying_source(folder: Path) -> tuple[str, str]:
    """Return where fetching stood, and what came of it in the end."""
    home = folder / "dying_source"
    conf = home / "conf"
    conf.mkdir(parents=True)
    for one in conf_dir().iterdir():
        if one.name != "sources.toml":
            (conf / one.name).symlink_to(one)
    (home / "my_feeds").mkdir()
    (home / "my_feeds" / "job.toml").write_text(MAPPING, encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    (conf / "sources.toml").write_text(SOURCE.format(port=server.server_port), encoding="utf-8")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fetch = ("fetch", "job_service", "--period", "2015-12-05")
    first = _bangfu(home, *fetch)
    left = [one for one in (home / "landing").rglob("*") if one.is_file()]
    Endpoint.dies = False
    codes = [
        _bangfu(home, *fetch),
        _bangfu(home, "land"),
        _bangfu(home, *fetch),
        _bangfu(home, "land"),
    ]
    server.shutdown()
    table = home / "lake" / "bronze" / "job"
    ids = (
        DeltaTable(table).to_pyarrow_table(columns=["job_id"])["job_id"].to_pylist()
        if not any(codes)
        else []
    )
    good = len(ids) == len(set(ids)) == PAGES * A_PAGE
    stood = f"it ended with {first} and left {len(left)} files"
    if first == 0 or left or not good:
        return stood, f"{len(ids)} rows, {len(set(ids))} different, codes {codes}"
    return stood, "the same"


def _bangfu(home: Path, *words: str) -> int:
    env = os.environ | {
        "BANGFU_HOME": str(home), "BANGFU_CONF": str(home / "conf"),
        "BANGFU_FEEDS": str(home / "my_feeds"),
    }  # fmt: skip
    with (home / "log.txt").open("ab") as log:
        return subprocess.run(  # nosec B603
            [sys.executable, "-m", "lakehouse", *words],
            env=env,
            stdout=log,
            stderr=log,
            check=False,
        ).returncode
