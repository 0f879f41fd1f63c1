"""What Airflow calls when a task failed for good, or a table is not as fresh as it promises."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lakehouse import notify
from lakehouse.conf import settings


def on_failure(context: Any) -> None:
    """Tell which table failed, why, and what to do. Called in the task's own process."""
    task = context["task"]
    notify.failed(
        task.dag_id,
        task.task_id,
        " ".join(getattr(task, "command", [task.task_id])),
        [one.name for one in task.outlets],
        getattr(task, "as_of", None),
        str(context.get("exception") or "the task's process ended"),
    )


async def on_late(context: dict[str, Any], tables: Sequence[str], fresh_days: int) -> None:
    """Tell which tables the run of a date has not made in time. Called in the triggerer.

    A backfill makes dates whose time is long over.
    """
    run = context["dag_run"]
    if run["run_type"] != "scheduled":
        return
    logical = datetime.fromisoformat(run["logical_date"])
    day = logical.astimezone(ZoneInfo(settings().zone)).date()
    await asyncio.to_thread(notify.late, run["dag_id"], tables, day, fresh_days)
