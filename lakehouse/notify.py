"""Telling people that something failed: which tables, why, what to do. No row values.

A line of JSON goes to the file of conf [alarms], and by POST to its webhook where there is one.
"""

import json
import logging
import urllib.request
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from lakehouse.conf import Settings, settings
from lakehouse.ops import Ops

log = logging.getLogger(__name__)
WEBHOOK_WITHIN_S = 10
# Exit code -> what to type. The error's own words say more where it has some.
DO = {
    1: "The task's log has the traceback; clear the task once the bug is mended",
    2: "Mend the command in conf/schedules.toml",
    10: "Mend the declaration that it names, then clear the task",
    11: "`bangfu plan {table} --as-of {as_of}` shows what is missing; clear the task once it is "
    "there",
    12: "`bangfu check {table}` and `bangfu quarantine show {table}` show what failed; mend the "
    "mapping or the rule, or ask for a right delivery, then clear the task",
    13: "Nothing was shown. Ask who answers for the table before trying again",
}
KILLED = "Look at memory and disk of the machine (`bangfu doctor`), then clear the task"


def failed(
    dag: str, task: str, command: str, tables: Sequence[str], as_of: str | None, why: str
) -> dict[str, Any]:
    """Tell that a task failed for good; return what was told.

    The tables named are those whose newest run failed, where the operations store knows.
    """
    conf = settings()
    ops = Ops(conf)
    errors = {name: error for name in tables if (error := _error_of(ops, name, as_of))}
    missed = [*errors] or [*tables]
    told = {
        "kind": "failed",
        "dag": dag,
        "task": task,
        "as_of": as_of,
        "tables": missed,
        "why": " ".join([why, *(error for error in errors.values() if error not in why)]),
        "do": _what_to_do(why, command, missed, as_of),
    }
    tell(conf, told)
    return told


def late(dag: str, tables: Sequence[str], as_of: date, fresh_days: int) -> dict[str, Any] | None:
    """Tell which tables were not made for a date within the days that they promise, if any.

    One that waits for a feed which has never delivered is not in use, and not late.
    """
    conf = settings()
    ops = Ops(conf)
    missed = [one for one in tables if ops.last_done(one, as_of) is None]
    if missed:
        from lakehouse.overview import Overview

        idle = Overview(conf).idle(as_of)
        missed = [one for one in missed if one not in idle]
    if not missed:
        return None
    told = {
        "kind": "late",
        "dag": dag,
        "as_of": as_of.isoformat(),
        "tables": missed,
        "why": f"They promise to be at most {fresh_days} days old, and were not made for {as_of}.",
        "do": f"`bangfu plan {missed[0]} --as-of {as_of}` shows what it waits for; "
        "`bangfu deliveries` shows what came.",
    }
    tell(conf, told)
    return told


def tell(conf: Settings, told: dict[str, Any]) -> None:
    """Write an alarm to the log, the file and the webhook. Raises nothing: work goes on."""
    told = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **told}
    line = json.dumps(told, ensure_ascii=False)
    log.error("%s", line)
    try:
        path = Path(conf.get("alarms", "file"))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        if address := conf.get("alarms", "webhook"):
            _post(address, line)
    except OSError as error:
        log.error("An alarm could not be passed on: %s", type(error).__name__)


def _post(address: str, line: str) -> None:
    if not address.startswith(("http://", "https://")):
        raise OSError("the webhook is no http address")
    request = urllib.request.Request(address, line.encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=WEBHOOK_WITHIN_S).close()  # nosec B310


def _error_of(ops: Ops, table: str, as_of: str | None) -> str | None:
    """Return the error of a table's newest run, if it failed on that date."""
    last = next(iter(ops.runs(table, limit=1)), None)
    if last is None or last["state"] != "failed" or as_of not in (None, str(last["as_of"])):
        return None
    return str(last["error"])


def _what_to_do(why: str, command: str, tables: Sequence[str], as_of: str | None) -> str:
    if not tables:
        return f"`bangfu {command}` by hand says more; then clear the task."
    for code, words in DO.items():
        if f"ended with {code}:" in why:
            return words.format(table=tables[0], as_of=as_of) + "."
    return KILLED + "."
