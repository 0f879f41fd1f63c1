"""Landings and runs tell of themselves, and `bangfu lineage` answers from what they told."""

import inspect
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openlineage.client import facet_v2
from openlineage.client.generated import base_subset_dataset, data_quality_metrics_dataset
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.errors import ChecksFailed, PrivacyError, UsageError
from lakehouse.lineage import plan
from lakehouse.run import House
from tests.deliveries import deliver

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MAPPING = """
    title = "村名"
    source = "statistics"
    owner = "statistics"
    purpose = "reference"
    extent = "delta"
    format = "csv"
    encoding = "utf-8"
    share_bad = 0.6
    key = ["place_id"]
    [columns]
    place_id = { head = "编号", type = "text", meaning = "Number." }
    place_name = { head = ["村名", "名称"], type = "text", meaning = "Name." }
    n_homes = { head = "户数", type = "integer", meaning = "Homes." }
"""
GOOD = "编号,村名,户数\nv1,大兴村,12\nv2,小兴村,七百八\nv3,新屯村,34\n".encode()
BAD = "编号,村名,户数\nv1,大兴村,七百八\n".encode()
DELTA = {"extent": "delta"}
DECEMBER, NOVEMBER = date(2015, 12, 31), date(2015, 11, 30)


@pytest.fixture(scope="module")
def house(spark: "SparkSession", tmp_path_factory: pytest.TempPathFactory) -> "Iterator[House]":
    """A lake in which a delivery landed, one was refused, a run went well and one did not."""
    with pytest.MonkeyPatch.context() as patch:
        feeds = tmp_path_factory.mktemp("feeds")
        (feeds / "place.toml").write_text(MAPPING, encoding="utf-8")
        patch.setenv("BANGFU_HOME", str(tmp_path_factory.mktemp("told")))
        patch.setenv("BANGFU_FEEDS", str(feeds))
        made = House(spark=spark)
        deliver(made.conf.landing, "place", "2015-12", GOOD, rows=3, manifest=DELTA)
        deliver(made.conf.landing, "place", "2015-11", BAD, rows=1, manifest=DELTA)
        deliver(made.conf.landing, "place", "2015-10", GOOD, rows=9, manifest=DELTA)
        made.landing.land_all()
        made.run("silver.place", DECEMBER)
        with pytest.raises(ChecksFailed):
            made.run("silver.place", NOVEMBER)
        yield made


def told(house: "House") -> list[dict[str, Any]]:
    files = sorted(Path(house.conf.get("lineage", "root")).glob("2*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def ends(house: "House", job: str) -> list[dict[str, Any]]:
    every = [one for one in told(house) if one["job"]["name"] == job]
    begun = [one["run"]["runId"] for one in every if one["eventType"] == "START"]
    ended = [one for one in every if one["eventType"] != "START"]
    assert begun == [one["run"]["runId"] for one in ended]
    return ended


def test_a_run_tells_what_it_read_and_made(house: "House") -> None:
    done, failed = ends(house, "silver.place")
    run = house.ops.last_done("silver.place", DECEMBER)
    assert run is not None
    assert done["run"]["runId"].replace("-", "") == run["run_id"]
    assert done["eventType"] == "COMPLETE"
    nominal = done["run"]["facets"]["nominalTime"]
    assert nominal["nominalStartTime"] == "2015-12-31T00:00:00+08:00"
    [bronze] = done["inputs"]
    read = bronze["inputFacets"]["subset"]["inputCondition"]["partitions"]
    assert [one["dimensions"]["delivery_id"] for one in read] == ["place/2015-12/d1"]
    assert bronze["facets"]["version"]["datasetVersion"] == str(house.lake.version("bronze.place"))
    [output] = done["outputs"]
    facets = output["facets"]
    assert facets["version"]["datasetVersion"] == str(run["delta_version"])
    assert {one["name"] for one in facets["schema"]["fields"]} >= {"place_id", "n_homes", "line"}
    [source] = facets["columnLineage"]["fields"]["n_homes"]["inputFields"]
    assert (source["name"], source["field"]) == ("bronze.place", "n_homes")
    assert facets["dataQualityMetrics"]["rowCount"] == 3
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 2
    checks = {one["name"]: one for one in facets["dataQualityAssertions"]["assertions"]}
    assert checks["table:key_is_unique"]["success"]
    aside = checks["n_homes:not_a_whole_number"]
    assert (aside["severity"], aside["column"], aside["actual"]) == (
        "warn", "n_homes", "1 rows aside"
    )  # fmt: skip

    assert failed["eventType"] == "FAIL"
    message = failed["run"]["facets"]["errorMessage"]["message"]
    [kept] = [one for one in house.ops.runs("silver.place") if one["state"] == "failed"]
    assert message == kept["error"]
    [output] = failed["outputs"]
    assert "version" not in output["facets"] and "outputStatistics" not in output["outputFacets"]
    checks = {one["name"]: one for one in output["facets"]["dataQualityAssertions"]["assertions"]}
    assert not checks["table:share_bad"]["success"]


def test_a_landing_tells_its_files_and_heads(house: "House") -> None:
    by_state = {
        tag["value"]: one
        for one in ends(house, "bronze.place")
        for tag in one["run"]["facets"]["tags"]["tags"]
        if tag["key"] == "state"
    }
    landed = by_state["landed"]
    [file] = landed["inputs"]
    assert re.fullmatch(r"landing/place/2015-1\d/d1/data\.csv", file["name"])
    assert len(file["facets"]["version"]["datasetVersion"]) == 64
    size = file["inputFacets"]["inputStatistics"]
    assert (size["rowCount"], size["size"]) in ((3, len(GOOD)), (1, len(BAD)))
    fields = landed["outputs"][0]["facets"]["columnLineage"]["fields"]
    heads = {name: [one["field"] for one in told["inputFields"]] for name, told in fields.items()}
    assert heads == {"place_id": ["编号"], "place_name": ["村名", "名称"], "n_homes": ["户数"]}
    refused = by_state["refused"]
    assert refused["eventType"] == "FAIL"
    assert refused["run"]["facets"]["errorMessage"]["message"].startswith("control_total: ")
    assert "version" not in refused["outputs"][0]["facets"]


# What the standard calls each facet, and the library its class.
NAMES = {
    "tags": "TagsRunFacet", "nominalTime": "NominalTimeRunFacet",
    "errorMessage": "ErrorMessageRunFacet", "jobType": "JobTypeJobFacet",
    "documentation": "DocumentationJobFacet", "ownership": "OwnershipJobFacet",
    "version": "DatasetVersionDatasetFacet", "schema": "SchemaDatasetFacet",
    "columnLineage": "ColumnLineageDatasetFacet", "subset": "InputSubsetInputDatasetFacet",
    "dataQualityAssertions": "DataQualityAssertionsDatasetFacet",
    "dataQualityMetrics": "DataQualityMetricsDatasetFacet",
    "inputStatistics": "InputStatisticsInputDatasetFacet",
    "outputStatistics": "OutputStatisticsOutputDatasetFacet",
}  # fmt: skip


def facet_classes() -> dict[str, Any]:
    modules = [one for one in vars(facet_v2).values() if inspect.ismodule(one)]
    modules += [base_subset_dataset, data_quality_metrics_dataset]
    return {name: one for module in modules for name, one in vars(module).items()}


def test_every_facet_is_as_the_standard_has_it(house: "House") -> None:
    """Its name, the address of its schema, and what it holds are those of the library's class."""
    classes, seen = facet_classes(), set()
    for event in told(house):
        assert event["schemaURL"].endswith("#/$defs/RunEvent")
        groups = [event["run"]["facets"], event["job"]["facets"]]
        for one in (*event["inputs"], *event["outputs"]):
            groups += [one.get(word, {}) for word in ("facets", "inputFacets", "outputFacets")]
        for name, facet in (pair for group in groups for pair in group.items()):
            made = classes[NAMES[name]]
            assert facet["_schemaURL"] == made._get_schema()
            given = {word: value for word, value in facet.items() if not word.startswith("_")}
            made(**given)  # raises where something is missing, unknown or malformed
            seen.add(name)
    assert seen == set(NAMES)


def test_no_value_of_a_row_is_told(house: "House") -> None:
    text = json.dumps(told(house), ensure_ascii=False)
    for value in ("大兴村", "小兴村", "七百八", "v3"):
        assert value not in text


def bangfu(*words: str) -> Any:
    done = CliRunner().invoke(app, ["lineage", *words, "--json"])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return json.loads(done.stdout)


def test_a_column_leads_to_heads_and_deliveries(house: "House") -> None:
    step = bangfu("silver.place.n_homes")
    [bronze] = step["steps"]
    assert (bronze["table"], bronze["column"]) == ("bronze.place", "n_homes")
    assert (bronze["how"], bronze["heads"]) == ("DIRECT TRANSFORMATION", ["户数"])
    [delivery] = bronze["deliveries"]
    assert delivery["files"] == ["data.csv"]
    assert (delivery["delivery_id"], delivery["rows"]) == ("place/2015-12/d1", 3)
    assert "bronze.place.place_name (FILTER)" in step["rows_by"]
    down = bangfu("bronze.place.n_homes", "--down")
    assert ("silver.place", "n_homes") in {(s["table"], s["column"]) for s in down["steps"]}
    with pytest.raises(UsageError, match="Did you mean 'n_homes'"):
        bangfu("silver.place.n_home")


def test_without_events_only_columns_are_not_known(
    house: "House", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BANGFU__LINEAGE__ROOT", str(tmp_path))
    step = bangfu("silver.place.n_homes")
    assert "columns are not known" in step["note"]
    assert [one["table"] for one in step["steps"]] == ["bronze.place"]


def test_a_key_leads_to_the_line_and_shows_no_value(house: "House") -> None:
    found = bangfu("silver.place", "--key", "place_id=v3", "--as-of", "2015-12-31")
    assert found["lines"] == {"place/2015-12/d1": [4]}
    assert "新屯村" not in json.dumps(found, ensure_ascii=False)
    with pytest.raises(UsageError, match="no key 'place_name'"):
        bangfu("silver.place", "--key", "place_name=x")
    with pytest.raises(PrivacyError):
        bangfu("bronze.place", "--key", "place_id=v3")


def test_the_picture_asks_nobody(house: "House", tmp_path: Path) -> None:
    out = tmp_path / "p.html"
    done = CliRunner().invoke(app, ["lineage", "silver.place", "--plot", "--out", str(out)])
    assert done.exit_code == 0, done.output
    html = out.read_text(encoding="utf-8")
    assert "▶ place" in html and "place/2015-12/d1 (landed)" in html
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", html)


def test_telling_never_stops_a_run(
    house: "House", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("of another version")

    (tmp_path / "file").touch()
    monkeypatch.setattr(plan, "columns_of", broken)
    before = len(told(house))
    [again] = house.run("silver.place", DECEMBER, force=True)
    assert again.state == "done"
    end = told(house)[-1]
    assert (len(told(house)), end["eventType"]) == (before + 2, "COMPLETE")
    assert "columnLineage" not in end["outputs"][0]["facets"]
    # No folder can be made there: nothing is kept, and nothing raised.
    monkeypatch.setattr(house.lineage.events, "root", tmp_path / "file" / "lineage")
    run = house.ops.last_done("silver.place", DECEMBER)
    assert run is not None
    job = house.registry.jobs["silver.place"]
    house.lineage.started(run["run_id"], job, DECEMBER, run["inputs"])
    assert len(told(house)) == before + 2
