"""Files hold what they were given, in the source's words, whatever their format."""

import csv
import gzip
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from lakehouse.datum import wgs84_of
from lakehouse.delivery import find
from lakehouse.feed import Feed, Field
from lakehouse.parse import EPOCHS
from lakehouse.stream import check_parquet, read_file
from synth.deliver import values, workbook
from synth.deliver.delivery import Part, deliver, feeds_known
from synth.deliver.expect import read
from synth.deliver.plan import plan_faults
from synth.deliver.values import as_written
from tests.synth.made_rows import made, parts

FEEDS = feeds_known()
CLEAN = plan_faults("none", 1, [])
DAY = date(2016, 1, 5)


def deliver_clean(out: Path, feed: Feed, rows: list[Part], packed: bool = False) -> Path:
    period = "2015-12-31" if feed.every == "day" else "2015-12"
    [one] = deliver(out, feed, period, DAY, rows, CLEAN, packed=packed).written
    return one.folder


class Taken(list[dict[str, str | None]]):
    """Stands where landing has its staging."""

    def take(self, row: Any) -> None:
        assert row[1] is not None, row[2]
        self.append(row[1])


@pytest.mark.parametrize("name", FEEDS)
def test_the_house_reads_what_was_given(name: str, tmp_path: Path):
    feed = FEEDS[name]
    rows = list(parts(feed, 2, 60))
    folder = deliver_clean(tmp_path, feed, rows)
    [found] = find(tmp_path)
    [file] = found.files()
    path, taken = folder / file.name, Taken()
    if feed.format == "parquet":
        n, matched, _ = check_parquet(path, feed)
        table = pq.read_table(path)
        assert set(table.schema.types) == {pa.string()}
        taken += [{matched[head]: text for head, text in row.items()} for row in table.to_pylist()]
    else:
        told = read_file(path, feed, list(file.totals), taken)
        n = told.rows
        assert told.totals == file.totals
    assert n == file.rows == 120
    given = pd.concat([part.rows for part in rows], ignore_index=True)
    for column, spec in feed.delivered.items():
        # Positions are given in WGS-84 and written in the source's datum: tests of values.py.
        if feed.datum == "wgs-84" or spec.type not in ("longitude", "latitude"):
            _same(spec, [row.get(column) for row in taken], given[column])


def _same(spec: Field, texts: list[str | None], given: pd.Series) -> None:
    for text, right in zip(texts, given, strict=True):
        value, what = read(spec, text)
        assert what is None, (spec.name, text)
        if text is None:
            assert pd.isna(right)
        elif spec.type in ("integer", "decimal", "longitude", "latitude"):
            assert float(str(value)) * spec.scale == pytest.approx(right)
        elif spec.type == "yes_no":
            assert value == str(right).lower()
        elif spec.type == "date":
            assert value == right.date()
        elif spec.type == "timestamp":
            assert value == f"{right:%Y-%m-%d %H:%M:%S}"
        else:
            assert str(value)[: len(right)] == right, spec.name


def test_gzip_holds_the_same_bytes(tmp_path: Path):
    feed = FEEDS["person_register"]
    plain = deliver_clean(tmp_path / "plain", feed, list(parts(feed, 2, 30)))
    packed = deliver_clean(tmp_path / "packed", feed, list(parts(feed, 2, 30)), packed=True)
    content = (packed / "person_register_2015-12.csv.gz").read_bytes()
    assert gzip.decompress(content) == (plain / "person_register_2015-12.csv").read_bytes()
    assert content[3:8] == bytes(5)  # no name, no time


def test_values_that_need_quotes_have_them(tmp_path: Path):
    feed = FEEDS["project"]
    rows = made(feed, 3, 0).assign(project_name=["a,b", 'a"b', "c"])
    folder = deliver_clean(tmp_path, feed, [Part("b", rows)])
    text = (folder / "project_2015-12.csv").read_text(encoding="utf-8")
    at = list(feed.delivered).index("project_name")
    assert [row[at] for row in csv.reader(text.splitlines())][1:] == ["a,b", 'a"b', "c"]
    with pytest.raises(ValueError, match="line break"):
        deliver_clean(tmp_path / "broken", feed, [Part("b", rows.assign(project_name="a\nb"))])


def test_a_workbook_opens_in_other_programs(tmp_path: Path):
    feed = FEEDS["household_card"]
    rows = made(feed, 40, 0)
    rows["head_name"] = ["<甲&乙>", " 空 ", *rows["head_name"][2:]]
    folder = deliver_clean(tmp_path, feed, [Part("b", rows)])
    path = folder / "household_card_2015-12.xlsx"
    book = load_workbook(path)
    assert book.sheetnames == [feed.title]
    by_openpyxl = [list(row) for row in book.active.iter_rows(values_only=True)]
    by_calamine = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert len(by_openpyxl) == len(by_calamine) == 41
    assert by_openpyxl[0] == [spec.head[0] for spec in feed.delivered.values()]
    for one, other in zip(by_openpyxl, by_calamine, strict=True):
        assert [cell if cell is not None else "" for cell in one] == other
    name, wage = (list(feed.delivered).index(column) for column in ("head_name", "wage"))
    assert [row[name] for row in by_openpyxl[1:]] == list(rows["head_name"])
    assert [row[wage] for row in by_openpyxl[1:]] == pytest.approx(list(rows["wage"]))


def test_a_full_sheet_goes_on_in_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 70)
    feed = FEEDS["household_card"]
    rows = list(parts(feed, 4, 45))
    deliver_clean(tmp_path, feed, rows)
    [found] = find(tmp_path)
    assert [(file.name, file.rows) for file in found.files()] == [
        ("household_card_2015-12.xlsx", 70),
        ("household_card_2015-12_2.xlsx", 70),
        ("household_card_2015-12_3.xlsx", 40),
    ]
    taken, totals = Taken(), 0.0
    for file in found.files():
        told = read_file(found.folder / file.name, feed, list(file.totals), taken)  # type: ignore[arg-type]
        assert told.totals == file.totals
        totals += sum(told.totals.values())
    given = pd.concat([part.rows for part in rows])
    assert [row["card_id"] for row in taken] == list(given["card_id"])
    assert totals == given["n_members"].sum()


def test_portions_change_no_line(tmp_path: Path):
    feed = FEEDS["roster"]
    rows = made(feed, 90, 0)
    whole = deliver_clean(tmp_path / "whole", feed, [Part("b", rows)])
    cut = [Part(f"b{at}", rows.iloc[at : at + 7]) for at in range(0, 90, 7)]
    cut_folder = deliver_clean(tmp_path / "cut", feed, cut)
    name = "roster_2015-12.csv"
    assert (whole / name).read_bytes() == (cut_folder / name).read_bytes()


def test_arrow_tables_that_are_written_already(tmp_path: Path):
    feed = FEEDS["cdr"]
    frame = made(feed, 30, 0)
    table = pa.table(as_written(frame, feed))
    coded = pa.table(
        {
            name: pa.array(frame[name], from_pandas=True)
            if feed.delivered[name].type == "code"
            else table[name].combine_chunks().cast(pa.string()).dictionary_encode()
            for name in feed.delivered
        }
    )
    one = deliver_clean(tmp_path / "frame", feed, [Part("b", frame)])
    other = deliver_clean(tmp_path / "table", feed, [Part("b", coded)])
    name = "cdr_2015-12-31.parquet"
    assert pq.read_table(one / name).equals(pq.read_table(other / name))


# -- single values -------------------------------------------------------------------------


def field(kind: str, **said: Any) -> Field:
    return Field("x", ("头",), kind, "", **said)


def one_column(spec: Field, given: Any, **said: Any) -> list[str | None]:
    feed = replace(FEEDS["roster"], fields={"x": spec}, **said)
    return as_written(pd.DataFrame({"x": given}), feed).column("x").to_pylist()


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("yyyyMMdd", "20160105"),
        ("yyyy-MM-dd", "2016-01-05"),
        ("yyyy/M/d", "2016/1/5"),
        ("yyyy年M月d日", "2016年1月5日"),
        ("yyyy-MM-dd HH:mm:ss", "2016-01-05 07:08:09"),
        ("yyyy-MM-dd'T'HH:mm", "2016-01-05T07:08"),
        ("yyyyMMddHHmmss", "20160105070809"),
        ("epoch_s", "1451948889"),
        ("epoch_ms", "1451948889000"),
    ],
)
def test_times_by_the_pattern_of_the_mapping(pattern: str, written: str):
    moment = datetime(2016, 1, 5, 7, 8, 9)
    kind = "timestamp" if len(pattern) > 10 or "epoch" in pattern else "date"
    given = [pd.Timestamp(moment), pd.NaT]
    spec = field(kind, formats=(pattern,), optional=True)
    assert one_column(spec, given, zone="Asia/Shanghai") == [written, None]
    if kind == "date":
        assert one_column(spec, [moment.date(), None]) == [written, None]
    assert values.EPOCHS == EPOCHS


def test_numbers_in_the_source_unit():
    amounts = [12000.0, 3.5, np.nan, -0.1, 123456789.25]
    assert one_column(field("decimal"), amounts) == ["12000", "3.5", None, "-0.1", "123456789.2"]
    assert one_column(field("decimal", scale=10_000.0), [25_000.0, 120_000.0]) == ["2.5", "12"]
    assert one_column(field("integer"), [1.0, np.nan, 30.0]) == ["1", None, "30"]
    assert one_column(field("integer"), [10**14]) == ["100000000000000"]


def test_areas_codes_and_answers():
    assert one_column(field("area", digits=9), ["211223101201"]) == ["211223101"]
    spec = field("code", labels={"男": "male", "男性": "male", "女": "female"}, optional=True)
    assert one_column(spec, ["female", None, "male"]) == ["女", None, "男"]
    with pytest.raises(ValueError, match="1 codes are not in the code list"):
        one_column(spec, ["female", "other"])
    yes = field("yes_no", labels={"是": "true", "否": "false"}, optional=True)
    assert one_column(yes, [True, False, None]) == ["是", "否", None]


@pytest.mark.parametrize("datum", ["gcj-02", "bd-09"])
def test_positions_in_the_datum_of_the_source(datum: str):
    fields = {"x": field("longitude"), "y": field("latitude")}
    feed = replace(FEEDS["cell"], fields=fields, datum=datum)
    given = pd.DataFrame({"x": [124.7261, 123.8], "y": [42.7332, 41.9]})
    written = as_written(given, feed).to_pandas().astype(float)
    assert (written["x"] - given["x"]).between(0.003, 0.02).all()
    lon, lat = wgs84_of(written["x"].to_numpy(), written["y"].to_numpy(), datum)
    assert np.abs(lon - given["x"]).max() < 2e-6
    assert np.abs(lat - given["y"]).max() < 2e-6
