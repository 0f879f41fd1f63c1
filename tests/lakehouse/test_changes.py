"""What a declaration says otherwise than a table: told from schemas alone, no row read."""

import json

import pytest

from lakehouse import ddl
from lakehouse.changes import Change, can_cast, compare
from lakehouse.errors import DeclarationError
from lakehouse.standing import PROPERTY, Kept, Standing
from lakehouse.table import CodeList, Column, Rule, Table

AREA = Column("string", "Village.")
SPAN = Column("int", "Span.", unit="m", least=0)


def declared(*, key: tuple[str, ...] = ("key_id",), partition: str | None = None,
             layer: str = "silver", **members: Column | Rule) -> type[Table]:  # fmt: skip
    told = {"key_id": Column("string", "Key."), "__doc__": "One row.", **members}
    return type("Made", (Table,), told | {"__module__": "conf.feeds"}, layer=layer, key=key,
                area=None, purpose="statistics", owner="x", partition=partition)  # fmt: skip


def made(table: type[Table]) -> Standing:
    """The table as `ddl.create` makes it."""
    columns = {
        name: Kept(column.type, column.nullable, ddl.comment_of(column))
        for name, column in table.columns.items()
    }
    partition = (table.partition,) if table.partition else ()
    return Standing(columns, partition, ddl.comment(table), ddl.properties(table))


def kinds(before: type[Table], after: type[Table]) -> list[tuple[str, str]]:
    return [(one.kind, one.what) for one in compare(made(before), after)]


def test_nothing_differs() -> None:
    table = declared(span=SPAN, area=AREA.optional(), partition="area",
                     fits=Rule("span < 9", "It fits."))  # fmt: skip
    assert compare(made(table), table) == []


def test_columns_that_come_go_and_change_their_names() -> None:
    before = declared(span=SPAN, area=AREA)
    assert kinds(before, declared(span=SPAN, area=AREA, more=AREA.optional())) == [
        ("column added", "more")
    ]
    assert kinds(before, declared(span=SPAN, area=AREA, more=AREA)) == [
        ("column added", "more"), ("rule", "more:missing")
    ]  # fmt: skip
    assert set(kinds(before, declared(area=AREA))) == {
        ("column removed", "span"),
        ("rule gone", "span:missing"),
        ("rule gone", "span:below_least"),
    }  # fmt: skip
    # A rename moves rules, key and unit along: nothing else differs.
    renamed = declared(width=Column("int", "Span.", unit="m", least=0, was="span"), area=AREA)
    assert kinds(before, renamed) == [("column renamed", "width")]
    with pytest.raises(DeclarationError, match="still a column"):
        declared(span=SPAN, area=Column("string", "Village.", was="span"))


def test_bronze_keeps_what_its_mapping_no_longer_names() -> None:
    before = declared(span=AREA.optional(), layer="bronze")
    assert kinds(before, declared(layer="bronze")) == []


def test_rules_types_keys_partitions_and_units() -> None:
    listed = Column("string", "Kind.", codes=CodeList("KIND", {"a": "甲", "b": "乙"}))
    before = declared(span=SPAN, kind=listed, fits=Rule("span < 9", "It fits."))
    narrow = Column("string", "Kind.", codes=CodeList("KIND", {"a": "甲"}))
    tight = declared(span=SPAN, kind=narrow, fits=Rule("span < 8", "It fits."))
    assert kinds(before, tight) == [("rule", "kind:unknown_code"), ("rule", "fits")]
    assert set(kinds(before, declared(span=SPAN.optional(), kind=listed))) == {
        ("may be null", "span"), ("rule gone", "span:missing"), ("rule gone", "fits")
    }  # fmt: skip
    text = declared(span=Column("string", "Span.", unit="m"), kind=listed)
    assert ("column retyped", "span") in kinds(before, text)
    feet = declared(span=Column("int", "Span.", unit="ft", least=0), kind=listed,
                    fits=Rule("span < 9", "It fits."))  # fmt: skip
    # A unit is no comment: its numbers mean something else.
    assert ("unit", "span") in kinds(before, feet)
    other = declared(key=("key_id", "kind"), partition="kind", span=SPAN, kind=listed,
                     fits=Rule("span < 9", "It fits."))  # fmt: skip
    assert {kind for kind, _ in kinds(before, other)} == {"key", "partition", "texts"}


def test_a_table_made_before_declarations_were_kept() -> None:
    table = declared(span=SPAN)
    there = made(table)
    old = Standing(
        there.columns,
        there.partition,
        there.comment,
        {name: value for name, value in there.properties.items() if name != PROPERTY},
    )
    assert compare(old, table) == [Change("rule", "all rules", "not recorded", "3 rules")]
    assert json.loads(there.properties[PROPERTY])["units"] == {"key_id": None, "span": "m"}


def test_which_types_may_be_read_as_which() -> None:
    assert can_cast("string", "double") and can_cast("double", "int") and can_cast("date", "string")
    assert can_cast("timestamp", "date") and can_cast("decimal(10,2)", "double")
    assert not can_cast("int", "date")
    assert not can_cast("array<string>", "string")
