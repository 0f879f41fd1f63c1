"""What only Airflow's own process can tell: `python -m tests.dags.inside OUT [AS_OF DAG …]`.

Without DAGs it writes what Airflow made of dags/ to OUT as JSON; with some, it runs them for
that date, one after the other, and writes how each task ended. Tests run it in a process of its
own, because Airflow takes its settings and its database on import.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pendulum
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.definitions.taskgroup import MappedTaskGroup
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.timetables.base import TimeRestriction
from airflow.utils import db

from lakehouse.airflow_task import Bangfu


def facts(bag: DagBag) -> dict[str, Any]:
    return {"import_errors": bag.import_errors, "dags": {k: _dag(v) for k, v in bag.dags.items()}}


def _dag(dag: DAG) -> dict[str, Any]:
    return {
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "tags": sorted(dag.tags),
        "doc": dag.doc_md,
        "runs": _next_runs(dag),
        "can_backfill": coerce_to_core_timetable(dag.timetable).periodic,
        "watched": sorted(_watched(dag)),
        "promised_days": sorted(one.interval.days for one in dag.deadline or ()),
        "started_by": sorted(_started_by(dag)),
        "tasks": {
            task.task_id: {
                "command": task.command,
                "is_dated": task.as_of is not None,
                "is_of_each_date": isinstance(task.task_group, MappedTaskGroup),
                "upstream": sorted(task.upstream_task_ids),
                "inlets": [one.name for one in task.inlets],
                "outlets": [one.name for one in task.outlets],
                "uris": [one.uri for one in task.outlets],
                "pool": task.pool,
                "retries": task.retries,
                "retry_delay_s": task.retry_delay.total_seconds(),
                "backoff": task.retry_exponential_backoff,
            }
            for task in dag.tasks
            if type(task) is Bangfu
        },
        "dates_follow": sorted(dag.get_task("dates").upstream_task_ids)
        if dag.has_task("dates")
        else None,
        "asked": [
            one["source"]
            for task in dag.tasks
            if task.task_id == "fetch"
            for one in task.expand_input.value
        ],
    }


def _started_by(dag: DAG) -> list[str]:
    condition = coerce_to_core_timetable(dag.timetable).asset_condition
    return [key.name for key, _ in condition.iter_assets()] if condition else []


def _watched(dag: DAG) -> list[str]:
    """Return the feeds whose deliveries start the DAG."""
    condition = getattr(dag.timetable, "asset_condition", None)
    assets = condition.objects if condition else []
    return [feed for asset in assets for one in asset.watchers for feed in one.trigger.feeds]


def _next_runs(dag: DAG) -> list[tuple[str, str]]:
    """Return when the first three runs after New Year 2016 start, and their logical dates."""
    timetable = coerce_to_core_timetable(dag.timetable)
    runs = []
    earliest = pendulum.datetime(2016, 1, 1, tz="Asia/Shanghai")
    while timetable.periodic and timetable.can_be_scheduled and len(runs) < 3:
        info = timetable.next_dagrun_info(
            last_automated_data_interval=None,
            restriction=TimeRestriction(earliest, None, catchup=True),
        )
        if info is None:
            break
        runs.append((info.run_after.isoformat(), info.logical_date.isoformat()))
        earliest = info.run_after.add(seconds=1)
    return runs


def run(bag: DagBag, as_of: str, names: list[str]) -> dict[str, Any]:
    """Run DAGs one after the other; return how each task ended.

    Those with a clock get a logical date of that day's morning in Shanghai, which is the day
    before in UTC; the others, as asset-triggered runs, have none and get the parameter.
    """
    ended = {}
    for name in names:
        dag = bag.dags[name]
        for task in dag.tasks:
            task.retries = 0
        # `dag.test` looks for them in the database, where only the DAG processor puts them.
        dag.deadline = None
        morning = pendulum.parse(as_of, tz="Asia/Shanghai").at(7)
        if dag.has_task("land"):
            made = dag.test(logical_date=morning)
        else:
            made = dag.test(logical_date=None, run_conf={"as_of": as_of})
        ended[name] = {one.task_id: one.state for one in made.get_task_instances()}
    return ended


if __name__ == "__main__":
    out, *wanted = sys.argv[1:]
    if wanted:
        db.initdb()
        told = {"tasks": run(DagBag(), wanted[0], wanted[1:])}
    else:
        told = facts(DagBag())
    Path(out).write_text(json.dumps(told))
