"""A changed declaration meets a table that stands: what becomes of each row, once, and back."""

import json
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import DeltaTable
from typer.testing import CliRunner

from lakehouse import ddl
from lakehouse.cli import app
from lakehouse.errors import ChecksFailed, DeclarationError, UsageError
from lakehouse.job import Job
from lakehouse.migrate import Migration
from lakehouse.migrate_plan import Planner
from lakehouse.migrate_rows import remade
from lakehouse.registry import Registry
from lakehouse.schemas.fields import DAY
from lakehouse.standing import PROPERTY
from lakehouse.table import CodeList, Column, Rule, Table
from tests.deliveries import deliver

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lakehouse.run import House

KEY = Column("string", "Key.")
KIND = Column("string", "Kind.", codes=CodeList("KIND", {"a": "甲", "b": "乙", "c": "丙"}))
SPAN = Column("int", "Span.", unit="m")
BEFORE = {"day": DAY, "key_id": KEY, "span": SPAN, "heft": Column("string", "Heft.", nullable=True),
          "kind": KIND, "gone": Column("string", "Gone.")}  # fmt: skip
AFTER = {
    "day": DAY,
    "key_id": KEY,
    "extent": Column("int", "Span.", unit="m", was="span"),
    "heft": Column("double", "Heft, as a number.", nullable=True),
    "kind": Column("string", "Kind.", codes=CodeList("KIND", {"a": "甲", "b": "乙"})),
    "note": Column("string", "Note.", nullable=True),
}
ROWS = (
    ("2015-12-01", "r1", 1, "1.5", "a", "g"),
    ("2015-12-01", "r2", 2, "heavy", "a", "g"),
    ("2015-12-01", "r3", 3, None, "c", "g"),
    ("2015-12-02", "r4", 4, "4", "b", "g"),
    ("2015-12-02", "r5", 5, "much", "c", "g"),
)


def declared(house: "House", columns: dict[str, Any], **keywords: Any) -> type[Table]:
    """Declare silver.walk, and have the house know it by that declaration."""
    told = {"key": ("day", "key_id"), "partition": "day", "share_bad": 0.6} | keywords
    table = type("Walk", (Table,), {"__doc__": "One row.", "__module__": "conf.feeds", **columns},
                 layer="silver", area=None, purpose="statistics", owner="x", **told)  # fmt: skip
    jobs = {table.name: Job(table, {}, declared)}
    house.__dict__["registry"] = Registry({table.name: table}, jobs, {})
    house.lake._as_declared.clear()
    return table


def walked(house: "House", table: type[Table], rows: tuple[Any, ...] = ROWS) -> "DataFrame":
    frame = house.spark.createDataFrame(
        list(rows), "d string, key_id string, span int, heft string, kind string, gone string"
    ).selectExpr("date(d) AS day", "* EXCEPT (d)")
    house.lake.replace(table, frame, "day >= DATE'2015-12-01'")
    return house.lake.read(table.name)


def seen(house: "House", *names: str) -> list[tuple[Any, ...]]:
    rows = house.lake.read("silver.walk").orderBy("key_id").select(*names).collect()
    return [tuple(row) for row in rows]


def aside(house: "House") -> list[tuple[str, list[str]]]:
    """Return key and reasons of the rows in quarantine, which the counts agree with."""
    found = house.lake.quarantine("silver.walk")
    rows = [] if found is None else found.collect()
    counted = sum(row["n_rows"] for row in house.ops.reasons("silver.walk"))
    assert counted == sum(len(row["violations"]) for row in rows)
    return sorted((json.loads(row["row"])["key_id"], row["violations"]) for row in rows)


def stopped(*_: Any) -> None:
    raise OSError("killed")


def test_a_rename_a_retype_a_narrower_list(house: "House", monkeypatch: pytest.MonkeyPatch) -> None:
    walked(house, declared(house, BEFORE))
    before, schema = seen(house, *BEFORE), house.lake.read("silver.walk").schema
    table = declared(house, AFTER)
    with pytest.raises(DeclarationError, match=r"column renamed extent.*`bangfu migrate silver.wa"):
        house.lake.replace(table, house.lake.read("silver.walk"), "day = DATE'2015-12-01'")

    [plan] = Planner(house).plan()
    assert (plan.rows, plan.kept, plan.aside, plan.refused) == (5, 2, 3, [])
    assert plan.reasons == {"heft:not_a_number": 2, "kind:unknown_code": 2}
    assert {one.kind for one in plan.changes} == {
        "column renamed", "column retyped", "column removed", "column added", "rule", "rule gone",
        "texts",
    }  # fmt: skip

    # Killed with rows in quarantine and none gone from the table; then with the rows gone, before
    # the declaration is written down.
    for owner, step in ((Migration, "_write_rows"), (ddl, "record")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, step, stopped)
            with pytest.raises(OSError, match="killed"):
                Migration(house).apply("silver.walk")
    line = Migration(house).apply("silver.walk")
    assert line is not None
    assert (line["n_rows"], line["n_kept"], line["n_aside"], line["state"]) == (5, 2, 3, "done")
    assert len(house.ops.migrations()) == 1
    assert Planner(house).plan() == []
    assert Migration(house).apply("silver.walk") is None

    assert seen(house, "key_id", "extent", "heft", "note") == [("r1", 1, 1.5, None),
                                                               ("r4", 4, 4.0, None)]  # fmt: skip
    assert aside(house) == [
        ("r2", ["heft:not_a_number"]),
        ("r3", ["kind:unknown_code"]),
        ("r5", ["heft:not_a_number", "kind:unknown_code"]),
    ]
    # Any reader: no column mapping, deletion vector or widened type has come with it.
    plain = DeltaTable(house.lake.path("silver.walk"))
    assert plain.to_pyarrow_table().num_rows == 2
    assert plain.protocol().reader_features in (None, [])
    assert plain.metadata().partition_columns == ["day"]

    Migration(house).undo()
    assert seen(house, *BEFORE) == before
    assert house.lake.read("silver.walk").schema == schema
    assert aside(house) == []
    assert len(Planner(house).plan()) == 1
    with pytest.raises(UsageError, match="nothing to undo"):
        Migration(house).undo()


def test_a_tighter_rule_and_later_writes(house: "House") -> None:
    """Only files with a bad row are touched; what is made again is judged by its run, not twice."""
    first = declared(house, BEFORE)
    walked(house, first)
    table = declared(house, BEFORE | {"is_short": Rule("span < 3", "Spans are short.")})
    [plan] = Planner(house).plan()
    assert (plan.rows, plan.aside, plan.rewrites) == (5, 3, False)
    line = Migration(house).apply("silver.walk")
    assert line is not None
    assert [row[0] for row in seen(house, "key_id")] == ["r1", "r2"]
    assert [key for key, _ in aside(house)] == ["r3", "r4", "r5"]

    # The run of 2 December judges its rows itself: those of 1 December stay with the migration.
    house.lake.replace(table, walked_again(house), "day = DATE'2015-12-02'")
    remade(house.lake, house.ops, table, date(2015, 12, 2), 0)
    assert [key for key, _ in aside(house)] == ["r3"]
    with pytest.raises(UsageError, match=r"would lose .* WRITE of 1 rows"):
        Migration(house).undo(line["migration_id"])
    Migration(house).undo(line["migration_id"], force=True)
    assert len(seen(house, "key_id")) == 5
    assert aside(house) == []


def walked_again(house: "House") -> "DataFrame":
    return house.spark.sql(
        "SELECT date'2015-12-02' AS day, 'r4' AS key_id, 1 AS span, '4' AS heft, 'b' AS kind, "
        "'g' AS gone"
    )


def test_what_cannot_be_told_is_refused_or_made_anew(house: "House") -> None:
    walked(house, declared(house, BEFORE))
    # Metres as feet, and a key that is no key: no row says what it would be.
    declared(house, BEFORE | {"span": Column("int", "Span.", unit="ft")}, key=("kind",))
    [plan] = Planner(house).plan()
    assert (plan.rows, plan.aside) == (5, 0)
    assert "unit span: m -> ft" in plan.refused[0] and "--rebuild" in plan.refused[0]
    with pytest.raises(ChecksFailed, match="--rebuild"):
        Migration(house).apply("silver.walk")
    declared(house, BEFORE, key=("kind",))
    [plan] = Planner(house).plan()
    assert "2 rows share a key with another" in plan.refused[0]
    # Rows that have no value yet for a column that may not be null: all of them.
    declared(house, BEFORE | {"more": Column("string", "More.")})
    [plan] = Planner(house).plan()
    assert (plan.aside, len(plan.refused)) == (5, 1)

    # Another partition moves rows; an emptied table waits for its run.
    declared(house, BEFORE, partition="kind", key=("key_id",), write="merge")
    line = Migration(house).apply("silver.walk")
    assert line is not None and (line["n_rows"], line["n_kept"]) == (5, 5)
    declared(house, BEFORE, partition=None, key=("kind",))
    line = Migration(house, Planner(house, rebuild=True)).apply("silver.walk")
    assert line is not None and (line["n_rows"], line["n_emptied"]) == (5, 5)
    assert seen(house, "key_id") == []
    Migration(house).undo()
    assert len(seen(house, "key_id")) == 5


def test_a_lake_made_before_declarations_were_kept(house: "House") -> None:
    """Nobody knows what its rows were held against: every rule, once."""
    table = declared(house, BEFORE)
    walked(house, table)
    path = house.lake.path(table.name)
    house.spark.sql(f"ALTER TABLE delta.`{path}` UNSET TBLPROPERTIES ('{PROPERTY}')")
    [plan] = Planner(house).plan()
    assert [(one.kind, one.what) for one in plan.changes] == [("rule", "all rules")]
    assert (plan.rows, plan.kept) == (5, 5)
    Migration(house).apply(table.name)
    assert Planner(house).plan() == []


DOC = (Path(__file__).parents[2] / "docs" / "changes.md").read_text(encoding="utf-8")
MAPPED, CHANGED = re.findall(r"```toml\n(.*?)```", DOC, re.S)
[FILE] = re.findall(r"`hamlets.csv`:\n\n```\n(.*?)```", DOC, re.S)
COLOUR = 'colour = { head = "colour", type = "text", optional = true, meaning = "Colour." }'


def test_a_mapping_that_renames_and_retypes(
    house: "House", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk of docs/changes.md; then landings and runs go on."""

    def mapped(folder: str, mapping: str) -> None:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "hamlet.toml").write_text(mapping, encoding="utf-8")
        monkeypatch.setenv("BANGFU_FEEDS", str(tmp_path / folder))
        house.__dict__.pop("registry", None)
        house.lake._as_declared.clear()

    def bangfu(*words: str) -> Any:
        done = CliRunner().invoke(app, ["migrate", *words, "--json"])
        if done.exception:
            raise done.exception
        return json.loads(done.stdout)

    mapped("old", MAPPED + COLOUR)
    deliver(house.conf.landing, "hamlet", "2015-11", FILE.encode(), rows=3)
    assert [one.state for one in house.landing.land_all()] == ["landed"]
    house.run("silver.hamlet", date(2015, 11, 30))
    mapped("new", MAPPED.split("[columns]")[0] + "[columns]\n" + CHANGED)
    plan = {one["table"]: one for one in bangfu()}
    assert list(plan) == ["bronze.hamlet", "silver.hamlet", "silver.hamlet_history"]
    for name in ("silver.hamlet", "silver.hamlet_history"):
        assert (plan[name]["kept"], plan[name]["aside"]) == (2, 1)
    done = bangfu("--apply")
    assert [(one["n_rows"], one["n_aside"]) for one in done] == [(3, 0), (3, 1), (3, 1)]
    assert bangfu("--apply") == [] and bangfu() == []
    assert len(bangfu("log")) == 3
    # Delta still knows what has landed: a retry would append nothing.
    bronze = DeltaTable(house.lake.path("bronze.hamlet"))
    assert bronze.transaction_version("land:hamlet/2015-11/d1") == 1
    # What a mapping no longer names stays in bronze, and only there.
    assert "colour" in house.lake.read("bronze.hamlet").columns
    assert house.lake.read("silver.hamlet").columns == ["code", "extent", "note", "delivery_id",
                                                        "line"]  # fmt: skip

    [made] = house.run("silver.hamlet", date(2015, 11, 30))
    assert (made.read, made.unchanged, made.quarantined) == (3, 2, 1)
    [slice_] = {row["slice"] for row in house.ops.reasons("silver.hamlet")}
    assert slice_ == "2015-11-30"
    deliver(
        house.conf.landing, "hamlet", "2015-12", b"code,size,note\n1,12,n\n2,8,\n3,7,\n", rows=3
    )
    assert [one.state for one in house.landing.land_all()] == ["landed"]
    [made] = house.run("silver.hamlet", date(2015, 12, 31))
    assert (made.read, made.created, made.updated, made.unchanged) == (3, 1, 1, 1)
