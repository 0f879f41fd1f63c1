"""Two processes that write one table at once lose nothing; unsafe set-ups are refused."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.errors import DeclarationError, InputMissing, UsageError
from lakehouse.io import Lake
from lakehouse.schemas.telecom import SubscriberDay
from lakehouse.table import Column, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lakehouse.run import House

HOLD = """
import sys, time
from types import SimpleNamespace
from lakehouse.io import Lake
lake = Lake.__new__(Lake)
lake.root = sys.argv[1]
with lake.lock("silver.subscriber_day"):
    print("held", flush=True)
    time.sleep(2)
"""


def days(house: "House", *numbers: int) -> "DataFrame":
    return house.spark.createDataFrame(
        [(f"s{n}", "2015-12-31", n, 1, 1, 1, None, 1, 1) for n in numbers],
        "subscriber_id string, d string, n_calls_out bigint, n_calls_in bigint,"
        "n_texts_out bigint, n_texts_in bigint, call_s bigint, n_contacts bigint, n_cells bigint",
    ).selectExpr("* EXCEPT (d)", "date(d) AS day")


def test_a_writer_waits_for_another_process(house: "House") -> None:
    """The lock is held by a real second process while this one writes."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, house.lake.root], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline().strip() == "held"
    began = time.perf_counter()
    with house.lake.lock("silver.subscriber_day"):
        waited = time.perf_counter() - began
    assert other.wait() == 0
    assert waited > 1


def test_modes_of_writing(house: "House") -> None:
    lake, day = house.lake, "day = DATE'2015-12-31'"
    assert lake.replace(SubscriberDay, days(house, 1, 2), day).created == 2
    # Another day that nothing is known of: not the two rows of the version before.
    assert (
        lake.replace(SubscriberDay, days(house, 1).limit(0), "day = DATE'2015-12-30'").created == 0
    )
    assert lake.replace(SubscriberDay, days(house, 3), day).created == 1
    assert lake.read(SubscriberDay.name).count() == 1
    merged = lake.merge(SubscriberDay, days(house, 3, 4), whole=False)
    assert (merged.created, merged.updated, merged.closed) == (1, 0, 0)
    merged = lake.merge(SubscriberDay, days(house, 4).selectExpr(
        "* EXCEPT (n_cells)", "n_cells + 1 AS n_cells"), whole=True)  # fmt: skip
    assert (merged.created, merged.updated, merged.closed) == (0, 1, 1)
    lake.append_once(SubscriberDay, days(house, 7), "land:x")
    lake.append_once(SubscriberDay, days(house, 7), "land:x")
    assert lake.read(SubscriberDay.name).count() == 2


def declared(**columns: Column) -> type[Table]:
    """Return a table of one name, with other columns each time."""
    members = {"key_id": Column("string", "Key."), "__doc__": "One row.", **columns}
    return type("Grown", (Table,), members | {"__module__": "conf.feeds"}, layer="silver",
                key=("key_id",), area=None, purpose="statistics", owner="x")  # fmt: skip


def test_a_table_takes_what_its_declaration_gains(house: "House") -> None:
    """As another process with the new declaration would: `House` anew."""

    def merge(columns: dict[str, Column], *rows: str) -> Lake:
        lake = Lake(house.spark, house.conf)
        lake.merge(declared(**columns), house.spark.sql(" UNION ALL ".join(rows)), whole=True)
        return lake

    span, heft = Column("int", "Span.", unit="m"), Column("double", "Heft: what's new.", unit="kg")
    merge({"span": span}, "SELECT 'a' AS key_id, 1 AS span")
    lake = merge({"span": span, "heft": heft}, "SELECT 'a' AS key_id, 1 AS span, 2D AS heft",
                 "SELECT 'b', 3, 4D")  # fmt: skip
    assert [tuple(row) for row in lake.read("silver.grown").orderBy("key_id").collect()] == [
        ("a", 1, 2.0), ("b", 3, 4.0)
    ]  # fmt: skip
    lake = merge({"heft": heft}, "SELECT 'c' AS key_id, 5D AS heft")
    assert [tuple(row) for row in lake.read("silver.grown").collect()] == [("c", None, 5.0)]
    with pytest.raises(DeclarationError, match=r"column retyped heft: double -> string\)\. `ban"):
        merge({"heft": Column("string", "Heft.")}, "SELECT 'c' AS key_id, '5' AS heft")


def test_a_table_whose_creation_was_killed_is_made(house: "House") -> None:
    """Killed at the first entry of a log, Delta leaves a folder that is no table, nor none."""
    log = Path(house.lake.path(SubscriberDay.name)) / "_delta_log"
    log.mkdir(parents=True)
    (log / ".00000000000000000000.json.0.tmp").write_text("{", encoding="utf-8")
    assert not house.lake.exists(SubscriberDay.name)
    assert house.lake.append_once(SubscriberDay, days(house, 7), "land:x").created == 1


def test_s3_without_a_safe_log_store_is_refused(house: "House") -> None:
    sections = house.conf.sections | {"lake": house.conf.sections["lake"] | {"root": "s3a://b/l"}}
    with pytest.raises(UsageError, match="lose each other"):
        Lake(house.spark, replace(house.conf, sections=sections))


def test_what_is_not_there_says_so(house: "House", tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match="bangfu plan gold"):
        house.lake.read("gold.poverty_by_area")
