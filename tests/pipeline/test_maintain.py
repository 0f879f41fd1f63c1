"""Upkeep does what its dry run tells, once, and takes nothing that somebody may need."""

import json
import os
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import DataFrame
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.errors import DeclarationError
from lakehouse.maintain import Upkeep
from lakehouse.schemas.telecom import CdrEvent
from tests.frames import frame

if TYPE_CHECKING:
    from lakehouse.run import House

TODAY = date(2015, 12, 31)
LONG_AGO = datetime.now(UTC) - timedelta(days=500)


@pytest.fixture
def worn(house: "House") -> "House":
    """A lake with a day of small files, a day past its time, and what crashes left."""
    one = [
        frame(house.spark, CdrEvent, f"""
            caller_id | recipient_id | started_at       | day
            s{n}      | t{n}         | 2015-12-30 04:00 | 2015-12-30
        """)
        for n in range(10)
    ]  # fmt: skip
    # A union has the files of all its parts.
    house.lake.append_once(CdrEvent, reduce(DataFrame.unionByName, one), "test:small")
    old = frame(house.spark, CdrEvent, """
        caller_id | recipient_id | started_at       | day
        s1        | s2           | 2014-11-20 04:00 | 2014-11-20
    """)  # fmt: skip
    house.lake.append_once(CdrEvent, old, "test:old")
    leave(table(house) / "day=2015-12-30" / "part-of-a-crash.parquet")
    leave(Path(house.conf.lake) / "_staging" / "cdr__2015-12-30__d1" / "rows.parquet")
    (Path(house.conf.lake) / "_staging" / "going_on").mkdir()
    checks = Path(house.conf.get("docs", "root")) / "quality/uncommitted/validations/silver/cdr"
    for run in ("20140101T000000.000000Z", "20140102T000000.000000Z"):
        leave(checks / "__none__" / run / "lake-silver.json")
    events = Path(house.conf.get("lineage", "root"))
    for day in (LONG_AGO, datetime.now(UTC)):
        leave(events / f"{day:%Y-%m-%d}.jsonl")
    for state in ("done", "done", "failed", "running"):
        run_id = house.ops.start("silver.cdr_event", TODAY, "code", {})
        house.ops.finish(run_id, state=state, started_at=LONG_AGO)
    house.ops.record_checks(run_id, "silver.cdr_event", [{"expectation": "x", "success": True}])
    return house


def table(house: "House") -> Path:
    return Path(house.lake.path(CdrEvent.name))


def leave(file: Path) -> None:
    """Write a file that is old enough to be a leftover."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"left")
    for one in (file, file.parent):
        os.utime(one, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))


def upkeep(house: "House", dry_run: bool) -> list[tuple[str, str, int]]:
    done = Upkeep(house, TODAY, dry_run=dry_run, old_rows=True).run()
    return [(one.step, one.what, one.n) for one in done]


def everything(house: "House") -> list[Any]:
    files = sorted(str(one) for one in house.conf.home.rglob("*") if "ops.db" not in one.name)
    return [files, house.ops.runs(), house.ops.check_history()]


def test_it_does_what_the_dry_run_tells_and_then_nothing(worn: "House") -> None:
    before = everything(worn)
    told = upkeep(worn, dry_run=True)
    assert everything(worn) == before
    assert told == [
        ("old rows", "silver.cdr_event", 1),
        ("compact", "silver.cdr_event", 10),
        ("vacuum", "silver.cdr_event", 1),
        ("staging", "cdr__2015-12-30__d1", 1),
        # Of two that are done one; what never ended; with their checks.
        ("records", "runs and checks", 2),
        ("pages", "Data Docs", 1),
        ("events", "lineage", 1),
    ]
    version = worn.lake.version(CdrEvent.name)
    assert upkeep(worn, dry_run=False) == told
    assert worn.lake.read(CdrEvent.name).count() == 10
    # Whoever has begun to read the version before goes on.
    assert worn.lake.read(CdrEvent.name, version).count() == 11
    assert [row["state"] for row in worn.ops.runs()] == ["done", "failed"]
    assert not worn.ops.check_history()
    assert upkeep(worn, dry_run=False) == []


def test_rows_past_their_days_stay_unless_asked_for(worn: "House") -> None:
    done = [one.step for one in Upkeep(worn, TODAY, dry_run=True, old_rows=False).run()]
    assert "old rows" not in done and "compact" in done
    told = CliRunner().invoke(app, ["maintain", "--dry-run", "--as-of", "2015-12-31", "--json"])
    assert [one["step"] for one in json.loads(told.stdout)] == done


def test_versions_that_runs_read_are_never_taken(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BANGFU__MAINTAIN__VERSION_DAYS", "6")
    from lakehouse.run import House

    with pytest.raises(DeclarationError, match="at least 7"):
        Upkeep(House(spark=house.spark), TODAY, dry_run=True, old_rows=False)
