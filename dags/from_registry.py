"""Every DAG, from declarations and conf/schedules.toml; lakehouse/schedule.py has the rules.

One host must not run two Spark sessions at once, so tasks take the pool `spark`: make it with
`airflow pools set spark 1 "Spark sessions"` (`make airflow` does).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, AssetAny, CronTriggerTimetable, Param

from lakehouse.airflow_task import Bangfu
from lakehouse.conf import settings
from lakehouse.model import model_names, model_spec
from lakehouse.registry import registry
from lakehouse.schedule import Notes, Schedule, as_of, schedules

ZONE = settings().zone
DATE = (
    "{{ as_of(params.as_of, dag_run.logical_date, dates(triggering_asset_events), "
    "dag_run.run_after, zone) }}"
)
AS_OF = Param(
    None,
    type=["null", "string"],
    format="date",
    description="Date to work as of; empty: the local day of the run.",
)


def asset(name: str) -> Asset:
    """Return what stands for a table, or for the versions of a model."""
    return Asset(name=name, uri=f"bangfu://{name.replace('.', '/')}")


def dates(events: Mapping[Any, Any]) -> list[str]:
    """Return the as-of dates that the events which started a run carry."""
    told = [event.extra.get("as_of") for found in events.values() for event in found]
    return [one for one in told if one]


def starts(schedule: Schedule) -> CronTriggerTimetable | AssetAny:
    """Return what starts a DAG: its clock, or any of the assets that it follows."""
    if schedule.cron is None:
        return AssetAny(*map(asset, schedule.after))
    return CronTriggerTimetable(
        schedule.cron,
        timezone=ZONE,
        # The data interval, and with it the logical date, begins on the as-of date.
        interval=schedule.back,
        # A DAG seen for the first time starts with its next run, not with a past one.
        run_immediately=timedelta(minutes=10),
    )


def dag(schedule: Schedule, notes: Notes) -> DAG:
    """Return one DAG. The run of a date works as of the local day of its logical date."""
    with DAG(
        schedule.name,
        description=schedule.title,
        doc_md=notes.schedule(schedule),
        schedule=starts(schedule),
        catchup=False,
        max_active_runs=1,
        tags=["bangfu", *notes.owners(*schedule.steps)],
        params={"as_of": AS_OF},
        user_defined_macros={"as_of": as_of, "dates": dates, "zone": ZONE},
        default_args={"pool": "spark", "retries": 2, "retry_delay": timedelta(minutes=10)},
    ) as made:
        tasks = {
            step.name: Bangfu(
                task_id=step.name,
                command=step.command,
                as_of=DATE if step.is_dated else None,
                may_wait=step.may_wait,
                owner=", ".join(notes.owners(step)),
                doc_md=notes.step(step),
                inlets=[asset(name) for name in step.reads],
                outlets=[asset(name) for name in step.makes],
            )
            for step in schedule.steps
        }
        for step in schedule.steps:
            for before in step.after:
                tasks[before] >> tasks[step.name]
    return made


SPECS = [model_spec(name) for name in model_names()]
for one in schedules(registry(), SPECS):
    globals()[one.name] = dag(one, Notes(registry(), SPECS))
