"""The DAGs as Airflow sees them hold exactly what the registry says."""

import importlib.util
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lakehouse.conf import ROOT
from lakehouse.model import model_names, model_spec
from lakehouse.registry import registry

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def maker(told: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Table -> (DAG, task) that makes it; a table made twice fails here."""
    found: dict[str, tuple[str, str]] = {}
    for dag_id, dag in told["dags"].items():
        for task_id, task in dag["tasks"].items():
            for table in task["outlets"]:
                assert table not in found, f"{table} is made by {found[table]} and {dag_id}"
                found[table] = (dag_id, task_id)
    return found


def test_airflow_reads_the_dags_without_an_error(told: dict[str, Any]) -> None:
    assert told["import_errors"] == {}
    assert list(told["dags"]) != []


def test_every_table_is_made_by_one_task(maker: dict[str, tuple[str, str]]) -> None:
    landed = {f"bronze.{feed}" for feed in registry().feeds}
    assert set(registry().jobs) | landed <= set(maker)


def test_a_task_makes_what_its_command_names(told: dict[str, Any]) -> None:
    for dag in told["dags"].values():
        for task in dag["tasks"].values():
            verb, *words = task["command"]
            if verb == "run":
                assert words == task["outlets"]
                assert words == sorted(words, key=registry().order().index)
            if verb == "train":
                assert [f"model.{word}" for word in words] == task["outlets"]
            if verb == "land":
                assert words[1::2] == [one.removeprefix("bronze.") for one in task["outlets"]]
            assert task["is_dated"] == task["is_of_each_date"] == (verb in ("run", "train"))


def test_edges_are_those_of_the_registry(
    told: dict[str, Any], maker: dict[str, tuple[str, str]]
) -> None:
    """Edges between tasks of one DAG are upstream, those between DAGs are inlets.

    Landing comes before all: the dates of a run follow it, and every other task follows them.
    """
    edges, inlets = set(), set()
    for made, one in _registry_edges():
        if one not in maker or maker[one] == maker[made]:
            continue
        if maker[one][0] == maker[made][0]:
            edges.add((maker[made], maker[one][1].replace("land", "dates")))
        else:
            inlets.add((maker[made], one))
    tasks = {
        (dag_id, task_id): task
        for dag_id, dag in told["dags"].items()
        for task_id, task in dag["tasks"].items()
        if dag_id != "maintenance"
    }
    edges |= {(key, "dates") for key, task in tasks.items() if task["is_dated"]}
    assert {(key, one) for key, task in tasks.items() for one in task["upstream"]} == edges
    assert all(dag["dates_follow"] in ([], ["land"], None) for dag in told["dags"].values())
    assert {(key, one) for key, task in tasks.items() for one in task["inlets"]} == inlets


def _registry_edges() -> Iterator[tuple[str, str]]:
    """Yield (made, read) for tables and, as `model.<name>`, for models."""
    for name, job in registry().jobs.items():
        yield from ((name, one) for one in registry().inputs(name))
        if job.model:
            yield name, f"model.{job.model}"
    for name in model_names():
        yield from ((f"model.{name}", one) for one in model_spec(name).tables())


def test_no_dag_reads_what_a_slower_one_makes(
    told: dict[str, Any], maker: dict[str, tuple[str, str]]
) -> None:
    """Else a daily table would show the state of last month. Scores of models may be older."""
    starts = {
        dag_id: [datetime.fromisoformat(start) for start, _ in dag["runs"]]
        for dag_id, dag in told["dags"].items()
    }
    gap = {dag_id: times[1] - times[0] for dag_id, times in starts.items() if times}
    for dag_id in gap:
        for task in told["dags"][dag_id]["tasks"].values():
            for one in task["inlets"]:
                assert gap.get(maker[one][0], gap[dag_id]) <= gap[dag_id], (dag_id, one)


@pytest.mark.parametrize(
    ("dag_id", "dates"),
    [
        # Days of logical dates of the first runs in 2016: what they work as of.
        ("events", ["2015-12-31", "2016-01-01", "2016-01-02"]),
        ("registers", ["2015-12-31", "2016-01-31", "2016-02-29"]),
        ("survey", ["2015-12-31", "2016-12-31", "2017-12-31"]),
        ("poverty_score", ["2015-12-31", "2016-01-31", "2016-02-29"]),
    ],
)
def test_a_run_is_dated_by_the_last_day_it_is_about(
    told: dict[str, Any], dag_id: str, dates: list[str]
) -> None:
    runs = told["dags"][dag_id]["runs"]
    local = [datetime.fromisoformat(logical).astimezone(SHANGHAI).date() for _, logical in runs]
    assert [one.isoformat() for one in local] == dates


def test_models_are_started_by_what_was_made(told: dict[str, Any]) -> None:
    started_by = {name: dag["started_by"] for name, dag in told["dags"].items()}
    assert started_by == {
        "events": ["deliveries.events"],
        "registers": ["deliveries.registers"],
        "survey": ["deliveries.survey"],
        "maintenance": [],
        "poverty_fit": ["silver.survey_household"],
        "poverty_score": ["gold.household_feature", "model.poverty"],
    }


def test_every_feed_is_watched_by_the_dag_that_lands_it(told: dict[str, Any]) -> None:
    """So a daily table never waits for a monthly feed, nor for its landing."""
    for dag in told["dags"].values():
        landed = [one for task in dag["tasks"].values() for one in task["command"][2::2]
                  if task["command"][0] == "land"]  # fmt: skip
        assert dag["watched"] == sorted(landed)
    watched = [feed for dag in told["dags"].values() for feed in dag["watched"]]
    assert sorted(watched) == sorted(registry().feeds)


def test_airflow_can_backfill_every_table(
    told: dict[str, Any], maker: dict[str, tuple[str, str]]
) -> None:
    for table in registry().jobs:
        assert told["dags"][maker[table][0]]["can_backfill"], table


def test_each_promise_of_freshness_is_a_deadline(told: dict[str, Any]) -> None:
    for dag_id in ("events", "registers", "survey", "poverty_score"):
        dag = told["dags"][dag_id]
        made = {one for task in dag["tasks"].values() for one in task["outlets"]}
        promised = {registry().tables[name].fresh_days for name in made}
        assert dag["promised_days"] == sorted(promised)


def test_dags_do_not_overrun_the_machine(told: dict[str, Any]) -> None:
    for dag_id, dag in told["dags"].items():
        assert (dag["catchup"], dag["max_active_runs"]) == (False, 1), dag_id
        for task in dag["tasks"].values():
            assert task["pool"] == "spark"
            assert task["retries"] > 0 and task["retry_delay_s"] >= 60 and task["backoff"] == 2


def test_pages_and_tags_come_from_the_declarations(told: dict[str, Any]) -> None:
    for dag in told["dags"].values():
        for task in dag["tasks"].values():
            for name, uri in zip(task["outlets"], task["uris"], strict=True):
                kind, bare = name.split(".")
                declared = model_spec(bare) if kind == "model" else registry().tables[name]
                assert declared.owner in dag["tags"]
                assert f"- `{name}`: {declared.doc().split()[0]}" in dag["doc"]
                assert uri == f"bangfu://{kind}/{bare}"


def test_no_file_is_named_like_a_package() -> None:
    """Airflow puts dags/ on the path, where such a file would take the package's place."""
    for file in (ROOT / "dags").glob("*.py"):
        found = importlib.util.find_spec(file.stem)
        assert found is None or found.origin == str(file), f"{file.name} hides {found}"
