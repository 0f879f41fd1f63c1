"""Columns of every type as text."""

from datetime import date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest

from lakehouse.arrow_text import as_text, texts_of, total

NOON = datetime(2015, 12, 5, 12)


@pytest.mark.parametrize(
    ("values", "kind", "text"),
    [
        (["a", None], pa.string(), ["a", None]),
        (["a"], pa.large_string(), ["a"]),
        (["a", "a"], pa.dictionary(pa.int32(), pa.string()), ["a", "a"]),
        # A whole number among numbers with gaps, as pandas writes it, has no point.
        ([211223.0, 0.5, None], pa.float64(), ["211223", "0.5", None]),
        ([Decimal("1.20")], pa.decimal128(5, 2), ["1.20"]),
        ([True, False], pa.bool_(), ["true", "false"]),
        ([date(2015, 12, 5)], pa.date32(), ["2015-12-05"]),
        ([NOON], pa.timestamp("s"), ["2015-12-05 12:00:00"]),
        ([NOON, NOON.replace(microsecond=100)], pa.timestamp("ns"),
         ["2015-12-05 12:00:00", "2015-12-05 12:00:00.0001"]),
        ([NOON], pa.timestamp("us", "Asia/Shanghai"), ["2015-12-05 12:00:00"]),
        ([time(1, 2, 3)], pa.time32("s"), ["01:02:03"]),
        ([b"ab"], pa.binary(2), ["ab"]),
        ([[1, None]], pa.list_(pa.int64()), ["[1, null]"]),
        ([{"a": NOON}], pa.struct([("a", pa.timestamp("us"))]), ['{"a": "2015-12-05 12:00:00"}']),
    ],
)  # fmt: skip
def test_each_type(values: list[object], kind: pa.DataType, text: list[str | None]) -> None:
    assert as_text(pa.array(values, kind)).to_pylist() == text


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(pa.ArrowInvalid):
        as_text(pa.array([b"\xff"]))


def test_what_no_column_has_stands_row_by_row() -> None:
    columns = {"甲": pa.array(["1", None]), "乙": pa.array(["3", "4"])}
    assert texts_of(columns, 2).to_pylist() == [
        [("甲", "1"), ("乙", "3")],
        [("甲", None), ("乙", "4")],
    ]
    assert texts_of({}, 2).to_pylist() == [None, None]


def test_a_total_counts_what_reads_as_a_number() -> None:
    assert total(pa.array(["1", " 2.5 ", "1e3", ".5", "-4", "x", "", None])) == 1000.0
    assert total(pa.array([], pa.string())) == 0.0
