"""Which version a run reads: of a merged table the state of its own date. Real Delta, no Spark."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lakehouse.conf import Settings, settings
from lakehouse.inputs import rows_version, version_for
from lakehouse.io import newest_version, table_path
from lakehouse.ops import Ops
from lakehouse.registry import registry

OCTOBER, NOVEMBER, DECEMBER = date(2015, 10, 31), date(2015, 11, 30), date(2015, 12, 31)


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("BANGFU_HOME", str(tmp_path))
    return settings()


def makes(conf: Settings, name: str, day: date, ago: timedelta = timedelta()) -> None:
    """Write a next version of a table, and record the run that made it."""
    path = table_path(conf.lake, name)
    write_deltalake(path, pa.table({"n": [1]}), mode="append")
    ops = Ops(conf)
    run_id = ops.start(name, day, "code", {})
    at = datetime.now(UTC) - ago
    ops.finish(run_id, state="done", delta_version=newest_version(path), started_at=at)


def read(conf: Settings, name: str, day: date) -> int | None:
    return version_for(conf, Ops(conf), registry().tables[name], day)


def test_a_merged_table_is_read_as_of_its_own_date(conf: Settings) -> None:
    assert read(conf, "silver.person", OCTOBER) is None
    for day in (OCTOBER, NOVEMBER):
        makes(conf, "silver.person", day)
    assert [read(conf, "silver.person", day) for day in (OCTOBER, NOVEMBER)] == [0, 1]
    # Never made for that date: as it stands.
    assert read(conf, "silver.person", DECEMBER) == 1


def test_a_state_whose_files_may_be_gone_is_no_input(conf: Settings) -> None:
    """But where a table has a history, that says the state as long as it is kept."""
    for name, version in (("silver.area", None), ("silver.person", 0)):
        makes(conf, name, OCTOBER, ago=timedelta(days=31))
        assert read(conf, name, OCTOBER) == 0
        makes(conf, name, NOVEMBER)
        assert read(conf, name, OCTOBER) == version


def test_a_partition_that_was_never_made_is_no_input(conf: Settings) -> None:
    makes(conf, "gold.household_feature", OCTOBER)
    assert read(conf, "gold.household_feature", OCTOBER) == 0
    assert read(conf, "gold.household_feature", NOVEMBER) is None


def test_upkeep_changes_no_input(conf: Settings) -> None:
    for day in (OCTOBER, NOVEMBER, DECEMBER):
        makes(conf, "silver.cdr_event", day)
    path = table_path(conf.lake, "silver.cdr_event")
    table = DeltaTable(path)
    table.optimize.compact()
    table.vacuum(0, dry_run=False, enforce_retention_duration=False)
    assert (newest_version(path) or 0) > 2
    assert rows_version(path) == read(conf, "silver.cdr_event", DECEMBER) == 2
