"""Train from Delta tables and score every household in Spark, through the runner."""

from bisect import bisect_right
from datetime import date

import pytest
from pyspark.sql import functions as F

from jobs.gold.poverty_score import poverty_score
from lakehouse.run import House
from lakehouse.schemas.identification import HouseholdFeature, PovertyScore
from lakehouse.schemas.income import SurveyHousehold
from lakehouse.schemas.people import RosterEntry
from lakehouse.training import train
from lakehouse.versions import load
from models.poverty.spec import Poverty
from tests.frames import assert_rows, frame
from tests.models.households import households, spark_types

YEAR_END = date(2015, 12, 31)
N, N_SAMPLED, N_LISTED = 600, 400, 150


class Stub:
    """A scorer that says 1,000 yuan per member."""

    version = "7"

    def prediction(self):
        return F.col("n_members") * 1000.0


def test_rank_is_within_the_county_and_equals_share_it(spark):
    features = frame(spark, HouseholdFeature, """
        household_id | village_code | n_members
        a            | 211223101201 | 2
        b            | 211223102201 | 3
        c            | 211223101202 | 3
        d            | 211223101202 | 5
        e            | 210181204201 | 9
    """)  # fmt: skip
    assert_rows(poverty_score(features, model=Stub()), PovertyScore, """
        household_id | predicted_consumption_cny | poorest_share | model_version
        a            | 2000.0                    | 0.25          | 7
        b            | 3000.0                    | 0.75          | 7
        c            | 3000.0                    | 0.75          | 7
        d            | 5000.0                    | 1.0           | 7
        e            | 9000.0                    | 1.0           | 7
    """)  # fmt: skip


@pytest.fixture(scope="module")
def house(conf, spark):
    """A lake of 600 households: 400 surveyed, one of them not registered, 150 listed."""
    made = House(conf, spark)
    rows = households(N, seed=11).assign(as_of=YEAR_END)
    types = spark_types()
    features = spark.createDataFrame(rows.drop(columns=["consumption_cny", "weight"])).select(
        *(
            F.when(~F.isnan(name), F.col(name)).cast(kind).alias(name)
            if str(rows[name].dtype) == "float64"
            else F.col(name).cast(kind)
            for name, kind in types.items()
        )
    )
    written = made.lake.replace(HouseholdFeature, features, f"as_of = DATE'{YEAR_END}'")
    # A table by date is there for the dates that it was made for.
    run_id = made.ops.start(HouseholdFeature.name, YEAR_END, "test", {})
    made.ops.finish(run_id, state="done", delta_version=written.version)
    surveyed = rows[["household_id", "village_code", "consumption_cny", "weight"]].head(N_SAMPLED)
    surveyed.loc[0, "household_id"] = "unknown"
    made.lake.merge(SurveyHousehold, _filled(spark, SurveyHousehold, surveyed), whole=True)
    listed = rows[["household_id", "village_code"]].tail(N_LISTED + 10)
    gone = ["2015-06-30"] * 10 + [None] * N_LISTED
    stays = _filled(spark, RosterEntry, listed.assign(valid_to=gone))
    made.lake.merge(RosterEntry, stays, whole=True)
    return made


def _filled(spark, table, rows):
    """Return rows with the declared example in each column that they lack."""
    given = spark.createDataFrame(rows)
    told = {
        name: F.col(name) if name in rows else F.lit(column.example)
        for name, column in table.columns.items()
    }
    return given.select(
        *(told[name].cast(column.type).alias(name) for name, column in table.columns.items())
    )


def test_scores_wait_for_a_model_and_follow_it(house):
    [waiting] = house.run("gold.poverty_score", YEAR_END)
    assert waiting.state == "waiting"
    assert waiting.why == "waits for model.poverty (`bangfu train poverty`)"

    trained = train(house, "poverty", YEAR_END)
    assert trained.is_champion, trained.why
    assert trained.figures["quota"] == N_LISTED / N
    assert trained.figures["n_unmatched"] == 1
    assert trained.figures["n_fitted"] + trained.figures["n_held_out"] == N_SAMPLED - 1
    assert train(house, "poverty", YEAR_END).is_new is False

    [made] = house.run("gold.poverty_score", YEAR_END)
    assert (made.state, made.good, made.quarantined) == ("done", N, 0)
    _holds_against_pandas(house, trained.version)
    assert house.run("gold.poverty_score", YEAR_END)[0].state == "fresh"


def _holds_against_pandas(house, version):
    """Hold Spark's scores and shares against the version in memory and plain counting."""
    scores = house.lake.read("gold.poverty_score").toPandas().set_index("household_id").sort_index()
    rows = households(N, seed=11).set_index("household_id", drop=False).sort_index()
    expected = load(house.conf, "poverty", version).predict(rows[list(Poverty.columns)])
    assert scores["predicted_consumption_cny"].to_numpy() == pytest.approx(expected)
    assert set(scores["model_version"]) == {version}
    for _, county in scores.groupby(scores["village_code"].str[:6]):
        ordered = sorted(county["predicted_consumption_cny"])
        for row in county.itertuples():
            n_poorer = bisect_right(ordered, row.predicted_consumption_cny)
            assert row.poorest_share == pytest.approx(n_poorer / len(ordered))
