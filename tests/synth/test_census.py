"""A county's row of a census table, whatever its heads; and single figures without one."""

from pathlib import Path

import numpy as np
import pytest

from lakehouse.errors import ChecksFailed, InputMissing, UsageError
from synth.people.census import age_group, cited
from synth.people.census_table import from_table
from tests.synth.census_rows import MEN, WOMEN, real_census, row_of_2010, row_of_2020, written


def test_shares_of_a_row(tmp_path: Path):
    found = from_table(written(tmp_path / "2020.csv", row_of_2020()), "211223")
    assert found.household_size == 2.25
    people = sum(MEN) + sum(WOMEN)
    assert found.people == people
    assert found.collective_share == pytest.approx(1 - 90_000 / people)
    assert found["sex_age"]["male 0"] == pytest.approx(300 / people)
    assert found["sex_age"]["female 85+"] == pytest.approx(600 / people)
    assert found["household_size"]["one"] == 0.4
    assert found["generations"]["three"] == pytest.approx(0.0975)
    assert found["old_members"]["none"] == pytest.approx(1 - 13_100 / 40_000)
    assert found["industry"]["farming"] == 0.6
    assert found["industry"]["public"] == pytest.approx(0.08)
    assert found["tap_water"]["yes"] == 0.75
    assert found["minority"]["no"] == pytest.approx(0.475)
    grown = sum(MEN[4:]) + sum(WOMEN[4:])
    assert found["illiterate"]["female illiterate"] == pytest.approx(2000 / grown)
    assert {"car", "schooling", "marital"} <= set(found.left_out)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_heads_of_another_year(tmp_path: Path, encoding: str):
    new = from_table(written(tmp_path / "2020.csv", row_of_2020()), "211223")
    old = from_table(written(tmp_path / "2010.csv", row_of_2010(), encoding=encoding), "211223")
    assert old.household_size == new.household_size
    for name in ("sex_age", "household_size", "generations", "old_members", "tap_water"):
        assert np.allclose(old[name].shares, new[name].shares)
    assert "illiterate" not in old


def _without(row: dict[str, str], head: str, instead: str | None = None) -> dict[str, str]:
    value = row.pop(head)
    return row | ({instead: value} if instead else {})


def test_missing_head_is_named_with_the_nearest(tmp_path: Path):
    row = _without(row_of_2020(), "二代户数", "二代户总数")
    with pytest.raises(InputMissing, match=r"no column 二代户数 or 二代户\. .*'二代户总数'"):
        from_table(written(tmp_path / "a.csv", row), "211223")
    # A margin that is missing whole is left out, but not for a slip of the pen.
    row = _without(row_of_2020(), "住房內有管道自来水", "住房內有管道自來水")
    with pytest.raises(InputMissing, match="住房内有管道自来水"):
        from_table(written(tmp_path / "b.csv", row), "211223")
    row = _without(row_of_2020(), "住房內有管道自来水")
    assert "tap_water" in from_table(written(tmp_path / "c.csv", row), "211223").left_out


def test_what_is_no_county_or_no_number(tmp_path: Path):
    path = written(tmp_path / "a.csv", row_of_2020())
    with pytest.raises(UsageError, match=r"no row for 211224\. Near it: 211223 西丰县"):
        from_table(path, "211224")
    with pytest.raises(InputMissing, match="is not there"):
        from_table(tmp_path / "none.csv", "211223")
    with pytest.raises(InputMissing, match="家庭户数 is '四万', no number"):
        from_table(written(tmp_path / "b.csv", row_of_2020() | {"家庭户数": "四万"}), "211223")
    with pytest.raises(ChecksFailed, match="by sex and age"):
        from_table(written(tmp_path / "c.csv", row_of_2020() | {"男_0岁": "30300"}), "211223")
    with pytest.raises(ChecksFailed, match="old_members are more than"):
        from_table(written(tmp_path / "d.csv", row_of_2020() | {"有一个老人": "90000"}), "211223")


def test_county_is_found_under_the_code_of_that_year(tmp_path: Path):
    row = row_of_2010() | {"区划代码": "210282", "地区": "普兰店市"}
    assert from_table(written(tmp_path / "a.csv", row), "210214").household_size == 2.25


def test_cited_figures_are_those_of_the_nearest_area():
    county, city, province = (cited(code) for code in ("211223", "211282", "210224"))
    assert county.household_size == 2.9
    assert city.household_size == 2.37
    assert province.household_size == 2.29
    assert province["age"]["65+"] == 0.1742
    assert "industry" not in province and city["industry"]["farming"] == 0.514
    with pytest.raises(InputMissing, match=r"\[census\.37\]"):
        cited("370102")


def test_age_groups_begin_where_the_census_has_them():
    assert list(age_group(np.array([0, 0.9, 1, 4.9, 5, 84.9, 85, 103]))) == [
        0,
        0,
        1,
        1,
        2,
        17,
        18,
        18,
    ]


def test_real_tables(tmp_path: Path):
    found = from_table(real_census(2020), "211223")
    assert found.people == 225_123
    assert found["minority"]["yes"] == pytest.approx(0.5255)
    assert found["industry"]["farming"] == pytest.approx(0.6764, abs=1e-4)
    assert found["tap_water"]["yes"] == pytest.approx(0.5992, abs=1e-4)
    assert not found.left_out
    older = from_table(real_census(2010), "211223")
    assert older.household_size == pytest.approx(3.046, abs=1e-3)
    assert older.left_out == ("car",)
    # One row of the table has a misread cell.
    with pytest.raises(ChecksFailed, match="550,537"):
        from_table(real_census(2010), "211422")
