"""What a delivery holds, counted from its files: text of any column, codes, a register."""

from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from lakehouse.conf import settings
from lakehouse.feed import feed
from lakehouse.measure import COUNTED, measure

COLUMNS = [
    "event_kind", "caller_id", "recipient_id", "started_at", "duration_s", "caller_cell_id",
    "recipient_cell_id",
]  # fmt: skip


def staged(path: Path, rows: list[tuple[str | None, ...]]) -> str:
    """Write rows as a reader stages them: our columns, all text."""
    columns = [*map(list, zip(*rows, strict=True)), [None] * len(rows)]
    made = {c: pa.array(v, pa.string()) for c, v in zip(COLUMNS, columns, strict=True)}
    pq.write_table(pa.table(made), path)
    return str(path)


@pytest.fixture
def known(tmp_path: Path) -> str:
    pq.write_table(pa.table({"cell_id": ["c1", "c2"]}), tmp_path / "cells.parquet")
    return str(tmp_path / "cells.parquet")


def test_counts_are_those_of_the_rows(tmp_path: Path, known: str) -> None:
    path = staged(tmp_path / "1.parquet", [
        ("call", "138", "139", "2015-12-05 04:00:00", "60", "c1"),
        (" text ", "138", "137", "2015-12-05 04:00:00", "", "c9"),
        ("video", "", "137", "2015-12-05 04:00:00", None, None),
        ("call", "136", "139", None, "7", "c2"),
    ])  # fmt: skip
    registers = {"caller_cell_id": [ds.dataset(known).scanner(["cell_id"])]}
    figures, codes = measure(settings(), path, feed("cdr"), 4, registers)
    assert codes == {"event_kind": {"call": 2, "text": 1, "": 1}}
    assert figures == {
        "rows": 4, "nulls.event_kind": 0, "nulls.caller_id": 1, "distinct.caller_id": 2,
        "nulls.recipient_id": 0, "distinct.recipient_id": 2, "nulls.started_at": 1,
        "nulls.duration_s": 2, "nulls.caller_cell_id": 1, "located.caller_cell_id": 2,
        "nulls.recipient_cell_id": 4,
    }  # fmt: skip


def test_many_identities_are_counted_by_a_part_of_them(tmp_path: Path) -> None:
    n = 40_000
    rows = [("call", f"1{k:010d}", f"1{k % 7}", "2015-12-05 04:00:00", "1", "c1") for k in range(n)]
    path = staged(tmp_path / "1.parquet", rows)
    exact, _ = measure(settings(), path, feed("cdr"), n, {})
    parts, _ = measure(settings(), path, feed("cdr"), 3 * COUNTED, {})
    assert exact["distinct.caller_id"] == n
    # A quarter of them: the standard deviation is sqrt(3 / n), .9 %.
    assert parts["distinct.caller_id"] != n
    assert parts["distinct.caller_id"] == pytest.approx(n, rel=0.04)
