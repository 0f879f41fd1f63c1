"""Which version of a table a run as of a date reads.

Runs for several dates go on at once (a backfill heeds no `max_active_runs`), so a table that is
merged may hold the state of another date by the time that it is read: its own one is read then,
out of its history or, where a table keeps none, as Delta's version of that time.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lakehouse.clocks import says_each_date
from lakehouse.files import filesystem
from lakehouse.io import newest_version, table_path
from lakehouse.table import Table

if TYPE_CHECKING:
    from datetime import date

    from lakehouse.conf import Settings
    from lakehouse.ops import Ops

# Commits of upkeep: the rows are those of the version before.
UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END")


def version_for(conf: "Settings", ops: "Ops", table: type[Table], as_of: "date") -> int | None:
    """Return the version to read of a silver or gold table, or None where there is none.

    None too where a table partitioned by as-of date was never made for this one, and where the
    state of a merged table is so long ago that its files may be gone.
    """
    newest = rows_version(table_path(conf.lake, table.name))
    if newest is None or table.partition in ("day", "month"):
        return newest
    mine, last = ops.last_done(table.name, as_of), ops.last_done(table.name)
    if table.partition == "as_of":
        return newest if mine else None
    if mine is None or last is None or last["as_of"] == as_of:
        return newest
    kept = timedelta(days=float(conf.get("maintain", "version_days")))
    if says_each_date(table):
        return mine["delta_version"]  # which names the state; its history says it
    is_kept = datetime.now(UTC) - utc(mine["started_at"]) < kept
    return mine["delta_version"] if is_kept else None


def utc(at: datetime) -> datetime:
    """Return a moment of the operations store with its zone, which SQLite does not keep."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def rows_version(path: str) -> int | None:
    """Return the newest version of a Delta table that changed its rows."""
    version = newest_version(path)
    while version is not None and version > 0 and _operation(path, version) in UPKEEP:
        version -= 1
    return version


def _operation(path: str, version: int) -> str | None:
    """Return what made a version, from its log; None where the log no longer has it."""
    files, inner = filesystem(path)
    try:
        with files.open_input_stream(f"{inner}/_delta_log/{version:020d}.json") as log:
            lines = log.read().decode().splitlines()
    except FileNotFoundError:
        return None
    told = (json.loads(line).get("commitInfo") for line in lines if '"commitInfo"' in line)
    return next((one["operation"] for one in told if one), None)
