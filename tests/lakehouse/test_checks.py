"""The row split and the Great Expectations suite say the same of the same rows."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lakehouse import checks
from lakehouse.gate import COUNTS, Gate
from lakehouse.schemas.identification import PovertyByArea
from lakehouse.schemas.telecom import HomePlace
from lakehouse.table import Rule, Table, TableRule

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return Gate(tmp_path_factory.mktemp("quality"))


def homes(spark: "SparkSession", n: int) -> "DataFrame":
    """Random homes of which many break one rule or several, seeded."""
    random = np.random.default_rng(7)
    rows = [
        (
            None if random.random() < 0.1 else f"s{i}",
            "2015-12-01",
            "c1",
            None if random.random() < 0.1 else "211223101201",
            int(random.integers(-1, 40)),
            int(random.integers(0, 40)),
            float(random.uniform(-0.2, 1.2)),
        )
        for i in range(n)
    ]
    return spark.createDataFrame(
        rows, "subscriber_id string, month string, cell_id string, village_code string,"
        "n_nights bigint, n_nights_observed bigint, night_share double",
    ).selectExpr("* EXCEPT (month)", "date(month) AS month").select(*HomePlace.columns)  # fmt: skip


def test_both_agree_on_every_count(spark: "SparkSession", gate: Gate) -> None:
    marked = checks.mark(homes(spark, 400), HomePlace).persist()
    split = checks.count(marked)

    results = {
        one["expectation"]: (one["observed"] or {}).get("unexpected_count")
        for one in gate.run_suite(HomePlace, marked, COUNTS)
        if isinstance(one["observed"], dict)
    }

    assert split.quarantined > 100
    assert split.made == 400 == split.good + split.quarantined
    for reason in checks.conditions(HomePlace):
        if reason in results:
            assert results[reason] == split.reasons.get(reason, 0), reason
    compared = set(checks.conditions(HomePlace)) & set(results)
    assert {"subscriber_id:missing", "n_nights:below_least", "night_share:above_most"} <= compared
    assert "nights_fit_the_month" in split.reasons


def test_a_rule_fails_in_both_or_in_neither(spark: "SparkSession", gate: Gate) -> None:
    marked = checks.mark(homes(spark, 60), HomePlace).persist()
    split = checks.count(marked)
    for rows, wanted in ((marked, False), (checks.good_rows(marked), True)):
        told = {one["expectation"]: one["success"] for one in gate.validate(HomePlace, rows, split)}
        assert told["nights_fit_the_month"] is wanted
        assert told["n_nights:below_least"] is wanted


def test_the_gate_closes_on_a_whole_table_rule(spark: "SparkSession", gate: Gate) -> None:
    from tests.frames import frame

    rows = frame(spark, PovertyByArea, """
        area_code    | level
        211223101201 | village
    """)  # fmt: skip
    marked = checks.mark(rows, PovertyByArea)
    results = gate.validate(PovertyByArea, marked, checks.count(marked))
    assert [one["expectation"] for one in results if not one["success"]] == [
        "table:reaches_the_county"
    ]


def test_too_many_bad_rows_close_the_gate(spark: "SparkSession", gate: Gate) -> None:
    marked = checks.mark(homes(spark, 60), HomePlace).persist()
    split = checks.count(marked)
    assert split.quarantined / split.made > HomePlace.share_bad
    told = gate.validate(HomePlace, checks.good_rows(marked), split)
    assert [one["expectation"] for one in told if not one["success"]] == ["table:share_bad"]


def test_repeats_and_contradictions(spark: "SparkSession") -> None:
    from tests.frames import frame

    rows = frame(spark, _register(), """
        person_id | sex    | delivery_id | line
        a         | male   | d1          | 2
        a         | male   | d1          | 3
        a         | female | d1          | 4
        b         | null   | d1          | 5
        b         | male   | d1          | 6
    """)  # fmt: skip
    marked = checks.resolve_repeats(checks.mark(rows, _register()), _register())
    told = {row["line"]: (row["is_repeat"], row["violations"]) for row in marked.collect()}
    assert told == {
        2: (False, []),
        3: (True, []),
        4: (False, ["duplicate_key"]),
        5: (False, ["sex:missing"]),  # a bad row does not stand in the way of a good one
        6: (False, []),
    }
    split = checks.count(marked)
    assert (split.made, split.good, split.repeated, split.quarantined) == (5, 2, 1, 2)


def _register() -> type[Table]:
    from lakehouse.schemas.people import Person

    return Person


def test_data_docs_hold_no_value(gate: Gate, spark: "SparkSession") -> None:
    marked = checks.mark(homes(spark, 60), HomePlace)
    gate.validate(HomePlace, marked, checks.count(marked))
    page = gate.build_docs()
    assert ">silver.home_place</a>" in page.read_text()
    assert ">gold.poverty_by_area</a>" in page.read_text()
    text = "".join(file.read_text() for file in Path(page.parent).rglob("*.html"))
    assert "s17" not in text
    assert "211223101201" not in text


def test_braces_of_a_rule_survive_great_expectations() -> None:
    """It formats its queries, so that `{4}` of a pattern must come out as it went in."""
    from lakehouse.suite import expectations
    from tests.lakehouse.test_declarations import SAYS, declare

    pattern = "max(n_id) RLIKE '^[0-9]{4}$'"
    thing = declare(
        SAYS, row=Rule(pattern, "Of a row."), whole=TableRule(pattern, "Of the whole table.")
    )
    queries = expectations(thing)
    for name in ("row", "table:whole"):
        assert pattern in queries[name].unexpected_rows_query.format(batch="rows")
