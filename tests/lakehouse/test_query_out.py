"""Where an answer goes: JSON, CSV, Parquet, a page with a chart, bars."""

import io
import json
import os
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from pyarrow import parquet

from lakehouse.errors import UsageError
from lakehouse.query import Query
from lakehouse.query.chart import figure
from lakehouse.registry import registry
from tests.lakehouse import asked

ALL_AREAS = "SELECT area_code, level FROM area ORDER BY area_code"


def test_json_is_one_value(bangfu: Any) -> None:
    sql = "SELECT DATE '2015-12-31' AS d, [1, 2] AS l, NULL AS n, 'nan'::DOUBLE AS x, '甲' AS 名"
    code, out, _ = bangfu("sql", sql, "--json")
    assert code == 0
    assert json.loads(out) == [{"d": "2015-12-31", "l": [1, 2], "n": None, "x": None, "名": "甲"}]
    assert json.loads(bangfu("sql", "SELECT 1 WHERE false", "--json")[1]) == []


def test_csv_holds_the_rows(bangfu: Any, home: Path) -> None:
    code, out, _ = bangfu(
        "sql", "SELECT area_code, level, [1, 2] AS l, NULL AS n FROM area", "--csv"
    )
    assert code == 0
    found = pd.read_csv(io.StringIO(out), dtype={"area_code": str})
    assert dict(zip(found["area_code"], found["level"], strict=True)) == asked.AREAS
    assert set(found["l"]) == {"[1, 2]"} and found["n"].isna().all()


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_a_file_holds_the_same_rows(suffix: str, bangfu: Any, tmp_path: Path) -> None:
    out = tmp_path / f"areas.{suffix}"
    code, _, told = bangfu("sql", ALL_AREAS, "--out", str(out))
    assert code == 0 and "12 rows" in told
    read = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}[suffix]
    dtype = {} if suffix == "parquet" else {"dtype": {"area_code": str}}
    found = read(out, **dtype)
    assert dict(zip(found["area_code"], found["level"], strict=True)) == asked.AREAS
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_a_table_without_rows_keeps_its_columns_in_a_file(bangfu: Any, tmp_path: Path) -> None:
    for suffix in ("csv", "parquet"):
        out = tmp_path / f"none.{suffix}"
        assert bangfu("sql", "SELECT project_id FROM project", "--out", str(out))[0] == 0
        read = pd.read_csv if suffix == "csv" else pd.read_parquet
        assert list(read(out).columns) == ["project_id"]


def test_many_rows_go_to_a_file_without_being_held(bangfu: Any, tmp_path: Path) -> None:
    out = tmp_path / "many.parquet"
    sql = "SELECT range AS n, repeat('x', 200) || range AS t FROM range(400000)"
    before = pa.total_allocated_bytes()
    assert bangfu("sql", sql, "--out", str(out), "--memory", "60MB")[0] == 0
    assert parquet.read_metadata(out).num_rows == 400_000
    assert pa.default_memory_pool().max_memory() - before < 80_000_000


def test_a_stopped_question_leaves_no_file(bangfu: Any, tmp_path: Path) -> None:
    code, _, told = bangfu("sql", ALL_AREAS, "--out", str(tmp_path / "x.csv"), "--max-rows", "3")
    assert code == UsageError.exit_code and "limit of rows" in told
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_told(bangfu: Any, home: Path, tmp_path: Path) -> None:
    for out, word in (("x.xlsx", "suffix"), ("none/x.csv", "no folder"),
                      (str(home / "lake/gold/x.csv"), "only runs write")):  # fmt: skip
        code, _, told = bangfu("sql", ALL_AREAS, "--out", out)
        assert code == UsageError.exit_code and word in told
    assert bangfu("sql", "SELECT 1", "--json", "--csv")[0] == UsageError.exit_code


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    """What is not read must not go on being read while the process ends."""
    numbers = pa.array(range(50_000))
    rows = pa.table(dict.fromkeys(registry().tables["silver.project"].columns, numbers))
    for _ in range(30):
        write_deltalake(str(tmp_path / "lake/silver/project"), rows, mode="append")
    with subprocess.Popen(
        [sys.executable, "-m", "lakehouse", "sql", "FROM project", "--csv"], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"BANGFU_HOME": str(tmp_path)},
    ) as asking:  # fmt: skip
        assert asking.stdout is not None and asking.stderr is not None
        assert asking.stdout.readline().startswith('"project_id"')
        asking.stdout.close()
        ends = threading.Timer(60, asking.kill)
        ends.start()
        assert asking.wait() == 1
        ends.cancel()
        assert "Traceback" not in asking.stderr.read()


# -- charts -------------------------------------------------------------------------------------


class Loads(HTMLParser):
    """What a page would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]


def test_a_page_stands_alone(bangfu: Any, tmp_path: Path) -> None:
    out = tmp_path / "chart.html"
    sql = "SELECT level AS 级别, count(*) AS 个数 FROM area WHERE level <> '<b>' GROUP BY 1"
    assert bangfu("sql", sql, "--out", str(out))[0] == 0
    page = out.read_text(encoding="utf-8")
    assert Loads(page).found == []
    assert 'charset="utf-8"' in page and "Noto Sans CJK SC" in page
    assert "共5行" in page and "&lt;b&gt;" in page


CHARTS = {
    "bars, codes being no numbers": ("SELECT area_code, length(area_code) AS n FROM area",
                                     ["bar"], "category"),
    "a line for each number": ("SELECT month, count(*) AS n, 2 AS m FROM home_place GROUP BY 1",
                               ["scatter", "scatter"], None),
    "a line for each text": ("SELECT DISTINCT as_of, concept, 1 AS n FROM poverty_by_area",
                             ["scatter", "scatter"], None),
    "points over a number": ("SELECT n_sampled, headcount_ratio FROM poverty_by_area",
                             ["scatter"], None),
    "a map": ("SELECT area_name, 124.5 AS lon, 42.7 AS lat, 3 AS d FROM area", ["scatter"], None),
}  # fmt: skip


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_fits_its_columns(chart: str, home: Path) -> None:
    sql, marks, axis = CHARTS[chart]
    rows = Query().table(sql)
    made, _ = figure(rows)
    assert [mark.type for mark in made.data] == marks
    assert made.layout.xaxis.type == axis
    n_drawn = sum(len(mark.x) for mark in made.data)
    assert n_drawn == rows.num_rows * (2 if "each number" in chart else 1)


def test_a_line_is_drawn_in_the_order_of_time(home: Path) -> None:
    rows = Query().table("SELECT day, count(*) AS n FROM subscriber_day GROUP BY 1 ORDER BY 1 DESC")
    line = figure(rows)[0].data[0]
    assert list(line.x) == sorted(line.x) and set(line.y) == {3}


def test_no_chart_without_numbers(bangfu: Any) -> None:
    for how in (["--chart"], ["--out", "x.html"]):
        code, _, told = bangfu("sql", "SELECT level FROM area", *how)
        assert code == UsageError.exit_code and "column of numbers" in told


def test_bars_in_the_terminal_are_as_long_as_their_numbers(bangfu: Any) -> None:
    code, out, _ = bangfu(
        "sql", "SELECT * FROM (VALUES ('甲', 4), ('乙', 2), ('丙', NULL))", "--chart"
    )
    assert code == 0
    lengths = [line.count("█") for line in out.splitlines() if line.strip()[:1] in "甲乙丙"]
    assert lengths[0] == 2 * lengths[1] > 0 and lengths[2] == 0
