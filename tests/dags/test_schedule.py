"""Schedules follow from the registry and conf/schedules.toml. No Airflow here."""

import shutil
from datetime import UTC, date, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.conf import ROOT
from lakehouse.due import dates
from lakehouse.errors import DeclarationError
from lakehouse.registry import registry
from lakehouse.schedule import Schedule, Step, schedules
from models.poverty.spec import Poverty

TWO_CLOCKS = """
gather = true
[daily]
title = "Days"
cron = "30 9 * * *"
days_back = 1
every = "day"
[monthly]
title = "Months"
cron = "0 10 5 * *"
days_back = 5
every = "month"
"""


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ours, copied, for a test to change."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    monkeypatch.setenv("BANGFU_CONF", str(tmp_path / "conf"))
    return tmp_path / "conf" / "schedules.toml"


def graph(inputs: dict[str, list[str]], scored: str = "") -> Any:
    """A registry of two feeds (`day`, `month`) and of tables in the order of making.

    The table `scored` holds scores of the model `poverty`.
    """
    return SimpleNamespace(
        feeds={
            name: SimpleNamespace(name=name, every=name, onto=None) for name in ("day", "month")
        },
        jobs={
            name: SimpleNamespace(model="poverty" if name == scored else None) for name in inputs
        },
        inputs=lambda name: inputs.get(name, []),
        order=lambda: list(inputs),
    )


def home_of(found: list[Schedule]) -> dict[str, tuple[str, str]]:
    places = [(table, (one.name, step.name)) for one in found for step in one.steps
              for table in step.makes]  # fmt: skip
    assert len(places) == len(dict(places)), "a table is made by two tasks"
    return dict(places)


def check_edges(found: list[Schedule], known: Any) -> None:
    """Fail unless tasks make every table once and wait for all its inputs, and nothing else."""
    home = home_of(found)
    assert set(known.order()) <= set(home)
    for one in found:
        TopologicalSorter({step.name: step.after for step in one.steps}).prepare()
        for step in one.steps:
            if step.command[0] == "train":
                continue
            inputs = {table for made in step.makes for table in known.inputs(made)}
            inputs |= {f"model.{m}" for made in step.makes if (m := _model_of(made, known))}
            near = {home[table][1] for table in inputs if home.get(table, ("",))[0] == one.name}
            far = {table for table in inputs if home.get(table, ("",))[0] not in ("", one.name)}
            if step.command[0] in ("maintain", "alarms"):
                continue
            assert set(step.after) == near - {step.name}
            assert set(step.reads) == far


def _model_of(table: str, known: Any) -> str | None:
    return known.jobs[table].model if table in known.jobs else None


# -- which table belongs where ---------------------------------------------------------------


def test_a_table_is_as_slow_as_its_slowest_feed(conf: Path) -> None:
    conf.write_text(TWO_CLOCKS)
    known = graph(
        {
            "silver.call": ["bronze.day"],
            "silver.person": ["bronze.month"],
            "silver.caller": ["silver.call", "silver.person"],
            "gold.answer": ["silver.caller", "conf.line"],
            "gold.line": ["conf.line"],
        }
    )
    assert home_of(schedules(known, [])) == {
        "bronze.day": ("daily", "land"),
        "silver.call": ("daily", "silver"),
        "bronze.month": ("monthly", "land"),
        "silver.person": ("monthly", "silver"),
        "silver.caller": ("monthly", "silver"),
        "gold.answer": ("monthly", "gold_2"),
        "gold.line": ("monthly", "gold"),
    }


def test_scores_of_a_model_slow_nothing_down(conf: Path) -> None:
    conf.write_text(TWO_CLOCKS)
    known = graph(
        {
            "gold.features": ["bronze.month"],
            "gold.score": ["gold.features"],
            "gold.answer": ["gold.features", "gold.score"],
        },
        scored="gold.score",
    )
    found = {one.name: one for one in schedules(known, [Poverty])}
    gold = found["monthly"].steps[-1]
    assert gold.makes == ("gold.features", "gold.answer")
    assert gold.reads == ("gold.score",)


def test_a_model_is_fitted_for_a_new_target_and_scores_for_any_input() -> None:
    found = {one.name: one for one in schedules(registry(), [Poverty])}
    fit, score = found["poverty_fit"], found["poverty_score"]
    assert (fit.cron, fit.after) == (None, ("silver.survey_household",))
    assert fit.steps == (
        Step("fit", ("train", "poverty"), ("model.poverty",), reads=tuple(Poverty.tables())),
    )
    assert set(score.after) == {"gold.household_feature", "model.poverty"}
    assert score.steps[0].command == ("run", "gold.poverty_score")
    assert [step.name for one in found.values() for step in one.steps if step.may_wait] == ["score"]


@pytest.mark.parametrize("gather", ["true", "false"])
def test_our_tasks_follow_our_registry(conf: Path, gather: str) -> None:
    conf.write_text(conf.read_text().replace("gather = true", f"gather = {gather}"))
    found = schedules(registry(), [Poverty])
    check_edges(found, registry())
    n_tasks = sum(len(one.steps) for one in found)
    assert (n_tasks < len(registry().jobs)) == (gather == "true")


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Draw tables of any layer that read feeds, conf and any earlier tables."""
    inputs: dict[str, list[str]] = {}
    for number in range(draw(st.integers(1, 9))):
        there = [*inputs, "bronze.day", "bronze.month", "conf.line"]
        name = f"{draw(st.sampled_from(['silver', 'gold']))}.t{number}"
        inputs[name] = draw(st.lists(st.sampled_from(there), max_size=4, unique=True))
    return inputs


@settings(max_examples=200, deadline=None)
@given(inputs=graphs(), gather=st.booleans())
def test_no_grouping_loses_an_edge_or_makes_a_circle(
    inputs: dict[str, list[str]], gather: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.getbasetemp() / f"gather_{gather}"
        folder.mkdir(exist_ok=True)
        text = TWO_CLOCKS.replace("true", str(gather).lower())
        (folder / "schedules.toml").write_text(text)
        (folder / "sources.toml").touch()
        patch.setenv("BANGFU_CONF", str(folder))
        check_edges(schedules(graph(inputs), []), graph(inputs))


# -- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("every = \"day\"", "evry = \"day\""), r"\[events\].*'evry'. Did you mean 'every'"),
        (("\"consumption_survey\"", "\"survey\""), r"\[survey\] names the feed 'survey'"),
        (("every = \"month\"\n", ""), r"nobody would land area"),
        (("cron = \"30 9 * * *\"\n", ""), r"\[events\] has no cron"),
        (("gather = true", "gathr = true"), r"'gathr' is no section"),
    ],
)  # fmt: skip
def test_mistakes_are_named(conf: Path, wrong: tuple[str, str], told: str) -> None:
    text = conf.read_text()
    assert wrong[0] in text
    conf.write_text(text.replace(*wrong))
    with pytest.raises(DeclarationError, match=told):
        schedules(registry(), [Poverty])


# -- dates -----------------------------------------------------------------------------------

# 09:30 and 07:00 in Shanghai on 2016-01-01: the second is still 2015 in UTC.
MORNING = datetime(2016, 1, 1, 1, 30, tzinfo=UTC)
EARLY = datetime(2015, 12, 31, 23, 0, tzinfo=UTC)
DUE = [date(2015, 11, 30), date(2015, 12, 31)]


@pytest.mark.parametrize(
    ("given", "logical", "run_type", "expected"),
    [
        ("2015-10-31", MORNING, "manual", ["2015-10-31"]),
        (None, MORNING, "scheduled", ["2015-11-30", "2015-12-31", "2016-01-01"]),
        (None, EARLY, "backfill", ["2016-01-01"]),
        (None, None, "asset_triggered", ["2015-11-30", "2015-12-31"]),
        (None, None, "manual", ["2016-01-01"]),
    ],
    ids=["asked for", "by the clock", "backfill", "a knock", "by hand"],
)
def test_the_dates_of_a_run(
    given: str | None, logical: datetime | None, run_type: str, expected: list[str]
) -> None:
    made = dates(given, logical, run_type, EARLY, "Asia/Shanghai", DUE)
    assert [one.isoformat() for one in made] == expected


def test_scores_are_backfilled_for_the_day_of_the_clock_but_not_made_for_it() -> None:
    """By the clock only what their inputs were made for; a backfill asks for its day."""
    told = (None, MORNING, "scheduled", MORNING.replace(day=6), "Asia/Shanghai", DUE, False)
    assert dates(*told) == DUE
    assert dates(*told[:2], "backfill", *told[3:]) == [date(2016, 1, 1)]


def test_the_dates_of_a_dag_follow_from_its_own_feeds() -> None:
    """A register read by a slower table is no reason to make that table more often."""
    found = {one.name: one for one in schedules(registry(), [Poverty])}
    assert found["events"].dated_by == (
        ("bronze.cdr", "silver.cdr_event"),
        ("bronze.data_session", "silver.data_session"),
    )
    assert {came for came, _ in found["registers"].dated_by} == {
        f"bronze.{feed}" for feed in found["registers"].feeds
    }
    assert found["poverty_score"].dated_by == (("gold.household_feature", "gold.poverty_score"),)
    assert (found["poverty_score"].cron, found["poverty_score"].makes_its_day) == (
        found["registers"].cron,
        False,
    )


def test_sources_are_asked_by_the_dag_that_lands_their_feed(conf: Path) -> None:
    source = 'kind = "pages"\nurl = "http://127.0.0.1:9/"\n'
    (conf.parent / "sources.toml").write_text(
        f'[calls]\nfeed = "cdr"\n{source}[people]\nfeed = "person_register"\n{source}'
    )
    found = {one.name: one.sources for one in schedules(registry(), [])}
    assert found["events"] == (("calls", "day"),)
    assert found["registers"] == (("people", "month"),)
