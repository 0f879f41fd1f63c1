"""Champion, previous and the gate, on a real MLflow registry in SQLite. No Spark.

The tests of this file are one story: each goes on from the one before.
"""

from contextlib import nullcontext
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from lakehouse import training, versions
from lakehouse.errors import InputMissing
from lakehouse.ops import Ops
from lakehouse.training import Plan, Sample, Trained, is_held_out, learn, train
from models.poverty.spec import Poverty
from tests.models.households import households

YEAR_END = date(2015, 12, 31)
GOOD = Sample(households(1000, seed=1), quota=0.3, n_unmatched=2)


def plan(version: int) -> Plan:
    """Return a plan that differs from others by the Delta version of its inputs."""
    return Plan(Poverty, YEAR_END, dict.fromkeys(Poverty.tables(), version))


def alias(conf, name: str) -> str | None:
    return versions.version_of(conf, "poverty", name)


def events(conf) -> list[tuple[str, str, str | None]]:
    rows = Ops(conf).model_events("poverty")
    return [(row["event"], row["version"], row["champion_before"]) for row in rows]


def test_nothing_is_champion_before_training(conf):
    assert versions.champion_version(conf, "poverty") is None
    with pytest.raises(InputMissing, match="nothing to go back to"):
        versions.rollback(conf, "poverty")
    assert events(conf) == []


def test_a_model_that_says_no_more_than_geography_is_refused(conf):
    told = learn(conf, plan(1), Sample(households(1000, seed=2, by="town"), quota=0.3))
    assert not told.is_champion
    assert "below geography's" in told.why[0]
    assert told.figures["auc"] < told.figures["geography.auc"] + 0.05
    assert (alias(conf, "candidate"), alias(conf, "champion")) == ("1", None)
    assert events(conf) == [("refused", "1", None)]
    assert Ops(conf).model_events("poverty")[0]["why"] == "; ".join(told.why)


def test_a_model_that_holds_is_champion_and_trained_once(conf, monkeypatch):
    reads = []
    monkeypatch.setattr(training, "read", lambda house, plan: reads.append(plan) or GOOD)
    monkeypatch.setattr(training, "_inputs", lambda conf, spec: plan(2).inputs)
    house = SimpleNamespace(conf=conf, lake=SimpleNamespace(lock=lambda name: nullcontext()))
    first = train(house, "poverty", YEAR_END)
    again = train(house, "poverty", YEAR_END)
    assert (first.version, first.is_new, first.is_champion, first.why) == ("2", True, True, [])
    assert (again.version, again.is_new, again.is_champion, again.why) == ("2", False, True, [])
    assert len(reads) == 1
    assert again.figures == {k: v for k, v in first.figures.items() if v is not None}
    assert again.groups == first.groups
    assert events(conf)[1:] == [("promoted", "2", None)]


def test_what_mlflow_keeps(conf):
    mlflow, version = versions.mlflow_at(conf), versions.client(conf).get_model_version
    kept = version("poverty", "2")
    run = mlflow.get_run(kept.run_id)
    n_held = int(GOOD.rows["household_id"].map(is_held_out).sum())
    assert (run.data.metrics["n_held_out"], run.data.metrics["n_fitted"]) == (n_held, 1000 - n_held)
    assert run.data.metrics["n_unmatched"] == 2
    assert run.data.params["version.gold.household_feature"] == "2"
    named = {(one.dataset.name, one.dataset.digest) for one in run.inputs.dataset_inputs}
    assert named == {(table, "v2") for table in Poverty.tables()}
    card = mlflow.artifacts.load_text(f"runs:/{kept.run_id}/card.md")
    assert "proxy-means test" in card and "It decides nothing." in card
    signature = mlflow.models.get_model_info("models:/poverty/2").signature.inputs
    assert {one.name: versions.SPARK_TYPES[one.type.name] for one in signature.inputs} == (
        Poverty.column_types()
    )


def test_the_kept_model_scores_as_the_fitted_one(conf):
    is_held = GOOD.rows["household_id"].map(is_held_out)
    fitted = Poverty.part("fit").fit(GOOD.rows[~is_held], Poverty.parameter_values())
    kept = versions.load(conf, "poverty", "2")
    assert (kept.predict(GOOD.rows) == fitted.predict(GOOD.rows)).all()


def test_a_worse_challenger_leaves_the_champion(conf):
    rows = GOOD.rows.copy()
    rng = np.random.default_rng(3)
    is_fitted = ~rows["household_id"].map(is_held_out)
    # What it learns from is drawn away from the truth; what it is judged by is the same.
    rows.loc[is_fitted, "consumption_cny"] *= np.exp(0.25 * rows["n_elderly"][is_fitted])
    rows.loc[is_fitted, "consumption_cny"] *= rng.lognormal(0, 0.2, int(is_fitted.sum()))
    told = learn(conf, plan(3), Sample(rows, quota=0.3))
    assert [why for why in told.why if "the champion's" in why]
    assert told.figures["champion.auc"] > told.figures["auc"]
    assert (alias(conf, "candidate"), alias(conf, "champion")) == ("3", "2")


def test_a_new_champion_and_back(conf):
    told = learn(conf, plan(4), GOOD)
    assert told.figures["champion.auc"] == told.figures["auc"]
    assert (alias(conf, "champion"), alias(conf, "previous")) == ("4", "2")
    assert versions.rollback(conf, "poverty") == "2"
    assert (alias(conf, "champion"), alias(conf, "previous")) == ("2", "4")
    assert events(conf)[-2:] == [("promoted", "4", "2"), ("rolled_back", "2", "4")]
    known = training._known(conf, plan(4))
    assert isinstance(known, Trained) and not known.is_champion


def test_a_training_stopped_on_its_way_is_done_again(conf, monkeypatch):
    def killed(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(versions, "promote", killed)
        with pytest.raises(KeyboardInterrupt):
            learn(conf, plan(5), GOOD)
    assert training._known(conf, plan(5)) is None
    assert alias(conf, "champion") == "2"
    assert learn(conf, plan(5), GOOD).version == "6"
    assert alias(conf, "champion") == "6"


def test_a_champion_that_lacks_a_column_is_no_bar(conf):
    told = training._champions(conf, Poverty, GOOD.rows.drop(columns="n_migrants"), 0.3)
    assert told is None


def test_no_scores_with_another_major_version(conf, monkeypatch):
    scorer = versions.Scorer(conf, "poverty", "2")
    mlflow = versions.mlflow_at(conf)
    scorer._check_packages(mlflow)
    monkeypatch.setattr(versions.metadata, "version", lambda package: "99.0")
    with pytest.raises(InputMissing, match=r"was trained with \S+ [\d.]+, here is 99.0"):
        scorer._check_packages(mlflow)


def test_training_needs_rows_on_both_sides(conf):
    with pytest.raises(InputMissing, match=r"is there a row in silver.survey_household for 2015"):
        learn(conf, plan(9), Sample(GOOD.rows.head(0), quota=0.3))
