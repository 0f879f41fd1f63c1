"""Work that dies at one step: `python -m bench.proof_steps STEP NTH`, run by the proof of landing.

The process kills itself and its JVM (SIGKILL to its group) as the nth delivery or table reaches
the step. Nothing of the house is changed but that.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.proof_house import AS_OF, TABLES
from lakehouse import add_file, io, ops, run, vault
from lakehouse.run import House

# Step -> where it is: before or after the call of a method.
LANDING = ("staged", "data files", "log entry", "lines set aside", "ledger line")
SILVER = (
    "identities", "before quarantine", "between quarantine and silver", "silver's data files",
    "silver", "run recorded",
)  # fmt: skip
# Of tables that are merged: what they said before is kept first.
HISTORY = ("history",)
STEPS = (*LANDING, *SILVER, *HISTORY)


def die() -> None:
    """Kill this process, and the JVM that it started."""
    os.killpg(os.getpgid(0), signal.SIGKILL)


def after(of: Any, name: str, nth: int) -> None:
    """Die once the nth call of a method has ended."""
    _around(of, name, nth, lambda real: (real(), die()))


def before(of: Any, name: str, nth: int) -> None:
    """Die in place of the nth call of a method."""
    _around(of, name, nth, lambda _: die())


def _around(of: Any, name: str, nth: int, instead: Callable[[Callable[[], Any]], Any]) -> None:
    real, seen = getattr(of, name), 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal seen
        seen += 1
        call = lambda: real(*args, **kwargs)  # noqa: E731
        return instead(call) if seen == nth else call()

    setattr(of, name, wrapped)


def with_data_files(name: str, nth: int) -> None:
    """Die as soon as a file of the nth write is there and its log entry is not."""
    real, seen = getattr(io.Lake, name), 0

    def watched(self: Any, table: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == nth:
            path = Path(self.path(table.name))
            there = _count(path)
            threading.Thread(target=_watch, args=(path, there), daemon=True).start()
        return real(self, table, *args, **kwargs)

    setattr(io.Lake, name, watched)


def _watch(path: Path, there: tuple[int, int]) -> None:
    before = there[1] or 1  # A table that was not there is created first, without rows.
    while True:
        files, entries = _count(path)
        if files > there[0] and entries <= before:
            die()
        time.sleep(0.0005)


def _count(path: Path) -> tuple[int, int]:
    entries = sum(1 for _ in (path / "_delta_log").glob("*.json"))
    return sum(1 for one in path.rglob("*.parquet") if "_delta_log" not in one.parts), entries


def arm(step: str, nth: int) -> None:
    """Set up that the process dies at a step."""
    match step:
        case "staged":
            before(io.Lake, "append_file", nth)
        case "data files":
            after(add_file, "_moved", nth)
        case "log entry":
            after(io.Lake, "append_file", nth)
        case "lines set aside":
            after(io.Lake, "write_quarantine", nth)
        case "ledger line":
            after(ops.Ops, "record_delivery", nth)


def arm_silver(step: str, nth: int) -> None:
    """Set up that the process dies at a step of the nth table of silver."""
    # The last of the tables is replaced day by day, the others are merged.
    write, of_kind = ("replace", 1) if nth == len(TABLES) else ("merge", nth)
    match step:
        case "identities":
            # The first two of the tables have no people.
            after(vault.Vault, "_enrol", nth - 2)
        case "before quarantine":
            before(io.Lake, "write_quarantine", nth)
        case "between quarantine and silver":
            before(io.Lake, write, of_kind)
        case "history":
            after(run, "keep", nth)
        case "silver's data files":
            with_data_files(write, of_kind)
        case "silver":
            after(io.Lake, write, of_kind)
        case "run recorded":
            after(ops.Ops, "finish", nth)


def main(step: str, nth: int) -> None:
    """Land and make silver, and die on the way."""
    house = House()
    if step in LANDING:
        arm(step, nth)
    house.landing.land_all()
    if step in (*SILVER, *HISTORY):
        arm_silver(step, nth)
    for table in TABLES:
        house.run(table, AS_OF)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
