"""Every DAG, from declarations and conf/schedules.toml; lakehouse/schedule.py has the rules.

One host must not run two Spark sessions at once, so tasks that start one take the pool `spark`:
make it with `airflow pools set spark 1 "Spark sessions"` (`make airflow` does). A backfill heeds no
`max_active_runs`, but the pool.
"""

from collections import defaultdict
from datetime import timedelta

from airflow.sdk import (
    DAG,
    Asset,
    AssetAny,
    AssetOrTimeSchedule,
    AssetWatcher,
    AsyncCallback,
    CronTriggerTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    TriggerRule,
    task_group,
)

from lakehouse.airflow_alarm import on_failure, on_late
from lakehouse.airflow_task import Bangfu, Dates, Fetch
from lakehouse.conf import settings
from lakehouse.model import model_names, model_spec
from lakehouse.registry import registry
from lakehouse.schedule import Notes, Schedule, Step, schedules
from lakehouse.watch import Deliveries

CONF = settings()
SPECS = [model_spec(name) for name in model_names()]
NOTES = Notes(registry(), SPECS)
AS_OF = Param(
    None,
    type=["null", "string"],
    format="date",
    description="Date to work as of; empty: the local day of the run.",
)
TRY_AGAIN = {
    "retries": int(CONF.get("airflow", "retries")),
    "retry_delay": timedelta(seconds=float(CONF.get("airflow", "retry_after_s"))),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(seconds=float(CONF.get("airflow", "retry_most_s"))),
    "on_failure_callback": on_failure,
}


def asset(name: str) -> Asset:
    """Return what stands for a table, or for the versions of a model."""
    return Asset(name=name, uri=f"bangfu://{name.replace('.', '/')}")


def deliveries(schedule: Schedule) -> Asset:
    """Return what stands for the deliveries that a DAG lands: something watches for them."""
    trigger = Deliveries(
        feeds=schedule.feeds,
        dated_by=schedule.dated_by,
        every_s=float(CONF.get("airflow", "watch_every_s")),
        again_s=float(CONF.get("airflow", "watch_again_s")),
    )
    name = f"deliveries.{schedule.name}"
    return Asset(
        name, f"bangfu://deliveries/{schedule.name}", watchers=[AssetWatcher(name, trigger)]
    )


def starts(schedule: Schedule) -> CronTriggerTimetable | AssetOrTimeSchedule | AssetAny:
    """Return what starts a DAG: its clock, any of the assets that it follows, or either."""
    after = [deliveries(schedule)] if schedule.feeds else [asset(name) for name in schedule.after]
    if schedule.cron is None:
        return AssetAny(*after)
    clock = CronTriggerTimetable(
        schedule.cron,
        timezone=CONF.zone,
        # The data interval, and with it the logical date, begins on the as-of date.
        interval=schedule.back,
        # A DAG seen for the first time starts with its next run, not with a past one.
        run_immediately=timedelta(minutes=10),
    )
    return AssetOrTimeSchedule(timetable=clock, assets=AssetAny(*after)) if after else clock


def deadlines(schedule: Schedule) -> list[DeadlineAlert]:
    """Return an alert for each freshness that tables of a DAG promise, from their as-of date."""
    promised = defaultdict(list)
    for step in schedule.steps if schedule.cron else ():
        for name in step.makes:
            promised[registry().tables[name].fresh_days].append(name)
    return [
        DeadlineAlert(
            DeadlineReference.DAGRUN_LOGICAL_DATE,
            timedelta(days=days),
            AsyncCallback(on_late, {"tables": tables, "fresh_days": days}),
            name=f"{days} days",
        )
        for days, tables in promised.items()
    ]


def bangfu(step: Step, as_of: str | None) -> Bangfu:
    """Return the task of one step. One without a date goes on whatever became of those before."""
    return Bangfu(
        task_id=step.name,
        command=step.command,
        as_of=as_of,
        may_wait=step.may_wait,
        pool="spark",
        trigger_rule=TriggerRule.ALL_SUCCESS if as_of else TriggerRule.ALL_DONE,
        owner=", ".join(NOTES.owners(step)) or "platform",
        doc_md=NOTES.step(step),
        inlets=[asset(name) for name in step.reads],
        outlets=[asset(name) for name in step.makes],
    )


def dag(schedule: Schedule) -> DAG:
    """Return one DAG: sources, landing, the dates of the run, and for each date its tables."""
    with DAG(
        schedule.name,
        description=schedule.title,
        doc_md=NOTES.schedule(schedule),
        schedule=starts(schedule),
        catchup=False,
        max_active_runs=1,
        deadline=deadlines(schedule),
        tags=["bangfu", *NOTES.owners(*schedule.steps)],
        params={"as_of": AS_OF},
        # What has begun ends before the next date begins: tables that are merged have one state.
        default_args=TRY_AGAIN | {"weight_rule": "upstream"},
    ) as made:
        undated = {step.name: bangfu(step, None) for step in schedule.steps if not step.is_dated}
        for step in schedule.steps:
            if step.name in undated:
                undated[step.name].set_upstream([undated[before] for before in step.after])
        if schedule.sources:
            asked = [{"source": name, "every": every} for name, every in schedule.sources]
            fetch = Fetch.partial(
                task_id="fetch", zone=CONF.zone, map_index_template="{{ task.source }}"
            )
            fetch.expand_kwargs(asked) >> undated["land"]
        if dated := [step for step in schedule.steps if step.is_dated]:
            settled = Dates(
                task_id="dates",
                dated_by=schedule.dated_by,
                makes_its_day=schedule.makes_its_day,
                zone=CONF.zone,
            )
            settled.set_upstream(list(undated.values()))
            of_date(dated).expand(as_of=settled.output)
    return made


def of_date(steps: list[Step]):
    """Return the group of tasks that makes the tables of one date; one group for each date."""

    @task_group(group_id="of_date", prefix_group_id=False)
    def made(as_of: str) -> None:
        tasks = {step.name: bangfu(step, as_of) for step in steps}
        for step in steps:
            tasks[step.name].set_upstream([tasks[one] for one in step.after if one in tasks])

    return made


for one in schedules(registry(), SPECS):
    globals()[one.name] = dag(one)
