"""Where events go: a file of JSON lines a day, always, and a collector where one is set.

A line is written whole or not at all, whoever else writes. A collector that is down costs one
timeout a minute and no event: the file keeps them all, and what was not sent is counted beside it.
"""

import fcntl
import json
import logging
import os
import time
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from lakehouse.conf import Settings

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent

UNSENT = "unsent.jsonl"
AGAIN_AFTER_S = 60.0
log = logging.getLogger(__name__)


class Events:
    """The events of one house, kept under conf [lineage] root."""

    def __init__(self, conf: Settings) -> None:
        self.namespace = conf.get("lineage", "namespace")
        self.root = Path(conf.get("lineage", "root"))
        words = ("url", "endpoint", "api_key", "timeout_s")
        url, endpoint, key, timeout = (conf.get("lineage", word).strip() for word in words)
        self.collector = collector(url, endpoint, key, float(timeout)) if url else None

    def emit(self, event: "RunEvent") -> None:
        """Keep one event, and send it where a collector is set. Raises OSError of the file."""
        from openlineage.client.serde import Serde

        append(self.root / f"{event.eventTime[:10]}.jsonl", Serde.to_json(event))
        why = self.collector.send(event) if self.collector else None
        if why:
            told = {"at": event.eventTime, "run": event.run.runId, "why": why}
            append(self.root / UNSENT, json.dumps(told))


class Collector:
    """An HTTP collector, such as Marquez, as this process has found it so far."""

    def __init__(self, url: str, endpoint: str, api_key: str, timeout_s: float) -> None:
        from openlineage.client.transport.http import (
            ApiKeyTokenProvider,
            HttpConfig,
            HttpTransport,
            TokenProvider,
        )

        auth = ApiKeyTokenProvider({"apiKey": api_key}) if api_key else TokenProvider({})
        self.transport = HttpTransport(
            HttpConfig(url, endpoint, timeout=timeout_s, auth=auth, retry={"total": 0})
        )
        self.url, self.timeout_s = url, timeout_s
        self._not_before, self._is_told = 0.0, False

    def send(self, event: "RunEvent") -> str | None:
        """Send one event within the timeout; return why it could not be, or None."""
        if time.monotonic() < self._not_before:
            return "not tried"
        ended: list[str | None] = []
        # What sockets do not bound (names that do not resolve, an answer in drops), this does.
        thread = Thread(target=lambda: ended.append(self._posted(event)), daemon=True)
        thread.start()
        thread.join(self.timeout_s)
        why = ended[0] if ended else f"no answer in {self.timeout_s:g} s"
        if why and not why.startswith("HTTP"):
            self._not_before = time.monotonic() + AGAIN_AFTER_S
        if why and not self._is_told:
            self._is_told = True
            log.warning(
                "Lineage: the collector %s does not take events (%s). The file keeps them; "
                "%s beside it counts what was not sent.", self.url, why, UNSENT,
            )  # fmt: skip
        return why

    def _posted(self, event: "RunEvent") -> str | None:
        from requests import HTTPError

        try:
            self.transport.emit(event)
        except HTTPError as error:
            return f"HTTP {error.response.status_code if error.response is not None else ''}"
        except Exception as error:
            return type(error).__name__
        return None


@cache
def collector(url: str, endpoint: str, api_key: str, timeout_s: float) -> Collector:
    """Return this process's one collector of a URL."""
    return Collector(url, endpoint, api_key, timeout_s)


def append(path: Path, line: str) -> None:
    """Append one line, whole, whatever other processes append; mends a line cut by a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        size = os.fstat(handle).st_size
        is_cut = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        left = memoryview((("\n" if is_cut else "") + line + "\n").encode())
        while left:
            left = left[os.write(handle, left) :]
    finally:
        os.close(handle)
