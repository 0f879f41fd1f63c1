"""Divisions of any year in one form, areas that are not there, and what changed between years."""

import gzip
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from lakehouse.errors import InputMissing, UsageError
from synth.extract import extract
from synth.places.changes import changes, middle, standing, stem
from synth.places.divisions import COLUMNS, divisions, found, is_urban
from tests.synth.census_rows import SHARED

PACKAGE = {
    "provinces": "code,name\n37,山东省\n",
    "cities": "code,name,provinceCode\n3701,济南市,37\n",
    "areas": "code,name,cityCode,provinceCode\n370102,历下区,3701,37\n",
    "streets": "code,name,areaCode,provinceCode,cityCode\n370102001,解放路街道,370102,37,3701\n",
    "villages": "code,name,streetCode,provinceCode,cityCode,areaCode\n"
    "370102001001,历山名郡社区,370102001,37,3701,370102\n",
}  # fmt: skip


def _package(folder: Path, begins: str = "", ends: str = "", without: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for stem_, text in PACKAGE.items():
        if stem_ != without:
            raw = text.encode()
            raw = gzip.compress(raw) if ends else raw
            (folder / f"{begins}{stem_}.csv{ends}").write_bytes(raw)


def test_packed_divisions():
    rows = divisions()
    assert list(rows.columns) == COLUMNS
    assert rows["level"].value_counts().to_dict() == {
        "village": 16_727, "town": 1_406, "county": 100, "city": 14, "province": 1,
    }  # fmt: skip
    assert rows["area_code"].is_monotonic_increasing and rows["area_code"].is_unique
    assert set(rows["parent_code"]) - {""} <= set(rows["area_code"])
    county = divisions(None, "211223")
    assert list(county["level"][:3]) == ["province", "city", "county"]
    assert county["area_code"].iloc[3:].str.startswith("211223").all()


def test_every_form_of_the_same_table(tmp_path: Path):
    _package(tmp_path / "package" / "dist")
    rows = divisions(tmp_path / "package")
    assert list(rows["area_code"]) == [
        "370000000000", "370100000000", "370102000000", "370102001000", "370102001001",
    ]  # fmt: skip
    assert list(rows["parent_code"]) == ["", *rows["area_code"][:4]]
    _package(tmp_path / "shared", begins="admin_shandong_2023_", ends=".gz", without="provinces")
    # The name of the province comes from the books of codes.
    assert divisions(tmp_path / "shared" / "admin_shandong_2023").equals(rows)
    rows[COLUMNS[:4]].to_csv(tmp_path / "own.csv.gz", index=False)
    assert divisions(tmp_path / "own.csv.gz").equals(rows)
    vonng = rows.rename(columns={"area_code": "code", "area_name": "name",
                                 "parent_code": "parent"})  # fmt: skip
    vonng = vonng.assign(area_code="0531", ur_code=["", "", "", "", "111"]).drop(
        columns="urban_class"
    )
    sums = vonng.iloc[[2]].assign(code="370101000000", name="市辖区")
    pd.concat([vonng, sums]).to_csv(tmp_path / "vonng.csv", index=False)
    assert divisions(tmp_path / "vonng.csv").equals(
        rows.assign(urban_class=["", "", "", "", "111"])
    )


def test_what_is_no_table(tmp_path: Path):
    with pytest.raises(InputMissing, match=r"there is no provinces\.csv, cities\.csv"):
        divisions(tmp_path / "none")
    _package(tmp_path / "a", without="villages")
    with pytest.raises(InputMissing, match=r"no villages\.csv"):
        divisions(tmp_path / "a")
    (tmp_path / "b.csv").write_text("x,y\n1,2\n")
    with pytest.raises(InputMissing, match="heads"):
        divisions(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("area", "offered"),
    [
        ("211299", "211282 开原市, 211281 调兵山市"),
        ("210282", "210214 普兰店区"),  # Its code until 2015.
        ("110101", "Nothing is near it; the table is of 21 辽宁省"),
        ("昌途县", "211224 昌图县"),
        ("西丰", "211223 西丰县"),
        ("211223100999", "211223100417"),
    ],
)
def test_area_that_is_not_there(area: str, offered: str):
    with pytest.raises(UsageError, match="no area") as said:
        found(divisions(), area)
    assert offered in str(said.value)


def test_area_that_is_there():
    assert len(found(divisions(), "21")) == len(divisions())
    assert set(found(divisions(), "211223")["level"]) == {"county", "town", "village"}


def test_urban_by_class_or_by_number():
    rows = pd.DataFrame(
        {
            "area_code": ["211223100001", "211223100201", "211223100202"],
            "urban_class": ["", "", "121"],
        }
    )
    assert list(is_urban(rows)) == [True, False, True]


def _tree(*villages: tuple[str, str]) -> pd.DataFrame:
    towns = sorted({code[:9] for code, _ in villages})
    names = {"990101100": "甲镇", "990101101": "乙镇", "990101201": "乙乡", "990101102": "丙镇"}
    rows = [("990101000000", "某县", "county", "990100000000", "")]
    rows += [(f"{code}000", names[code], "town", "990101000000", "") for code in towns]
    rows += [(code, name, "village", f"{code[:9]}000", "") for code, name in villages]
    return pd.DataFrame(rows, columns=COLUMNS)


BEFORE = _tree(
    ("990101100201", "东村委会"), ("990101100202", "西村委会"), ("990101100203", "南村委会"),
    ("990101201200", "河村委会"), ("990101201201", "山村委会"), ("990101201202", "泉村委会"),
    ("990101102200", "同名村"), ("990101100204", "同名村"),
)  # fmt: skip
AFTER = _tree(
    ("990101100201", "东村村民委员会"), ("990101100202", "新西村委会"),
    ("990101100005", "南社区"), ("990101101200", "河村村民委员会"),
    ("990101101201", "山村委会"), ("990101102207", "泉村委会"), ("990101101209", "同名村"),
)  # fmt: skip


def test_changes_of_a_county():
    """乡 became 镇 and took its villages along; one village moved, one became a community."""
    got = changes(BEFORE, AFTER)
    village = got[got["level"] == "village"].set_index("old_code")
    assert village.loc["990101100201", "change"] == "respelt"
    assert village.loc["990101100202", ["change", "new_name"]].tolist() == ["renamed", "新西村委会"]
    dropped = got[got["change"] == "dropped"].set_index("old_code")
    assert dropped["new_code"].to_dict() == {
        "990101201000": "990101101000",  # 乙乡 -> 乙镇
        "990101100203": "990101100005",
        "990101201200": "990101101200",
        "990101201201": "990101101201",
        "990101201202": "990101102207",
        "990101102200": "",  # Two bore the name, one does now.
        "990101100204": "",
    }
    assert dropped.loc["990101201200", "within"] == "town"
    assert dropped.loc["990101201202", "within"] == "county"
    assert dropped.loc["990101100204", "candidates"] == 1
    added = got[got["change"] == "added"].set_index("new_code")
    assert added.loc["990101101209", "old_code"] == ""
    assert added.loc["990101100005", "old_name"] == "南村委会"


def test_tree_of_a_day():
    on = date(2015, 7, 1)
    before = standing(BEFORE, AFTER, on, date(2015, 6, 30), date(2000, 1, 1))
    assert list(before["area_name"]) == list(BEFORE.sort_values("area_code")["area_name"])
    assert before["valid_to"].isna().all()
    after = standing(BEFORE, AFTER, on, on, date(2000, 1, 1)).set_index("area_code")
    assert after.index.is_unique
    assert after.loc["990101100203", "valid_to"] == pd.Timestamp(on)
    assert after.loc["990101100005", "valid_from"] == pd.Timestamp(on)
    assert after.loc["990101100202", "area_name"] == "新西村委会"
    assert after.loc["990101100202", "valid_from"] == pd.Timestamp("2000-01-01")


def test_middle_of_the_period():
    assert middle(date(2015, 1, 1), 24) == date(2016, 1, 1)
    assert middle(date(2015, 11, 1), 3) == date(2015, 12, 1)


def test_stems():
    assert stem("永丰村村民委员会", "village") == stem("永丰村委会", "village") == "永丰"
    assert stem("成平满族乡", "town") == "成平"
    assert stem("村", "village") == "村"


def test_real_change_of_2016_to_2023():
    path = SHARED / "admin_liaoning_2016_vonng_adcode.csv.gz"
    if not path.is_file():
        pytest.skip(f"{path} is not here: it is not part of the project.")
    before = divisions(path)
    assert len(before[before["level"] == "county"]) == 100
    got = changes(before, divisions())
    n = got[got["level"] == "village"]["change"].value_counts()
    assert (n["dropped"], n["added"]) == (2_388, 2_851)
    # 523 have another name for what is left of it, as many again are only written otherwise.
    assert n["renamed"] == pytest.approx(526, abs=5)
    dropped = got[(got["level"] == "village") & (got["change"] == "dropped")]
    linked = dropped[dropped["new_code"] != ""]
    assert len(linked) > 1_800 and linked["new_code"].is_unique
    same_place = linked["old_code"].str[:6] == linked["new_code"].str[:6]
    assert same_place.all()
    assert divisions(SHARED / "admin_liaoning_2023").equals(divisions())


def test_extract_of_the_package_is_the_packed_one(tmp_path: Path):
    _package(tmp_path / "package" / "dist")
    made = tmp_path / "a.csv.gz"
    assert extract(tmp_path / "package", made) == 0  # Another province: nothing of Liaoning.
    first = made.read_bytes()
    extract(tmp_path / "package", made)
    assert made.read_bytes() == first
