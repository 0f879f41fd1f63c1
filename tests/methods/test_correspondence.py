"""`bangfu method correspondence`: what it tells of two files, and what it refuses."""

import csv
from pathlib import Path

import pytest

from lakehouse.errors import ChecksFailed, UsageError
from tests.methods.asking import ask, refused, table

OLD = {
    "dm": ["21", "2112", "211223", "211223101", "211223101201", "211223101202"],
    "mc": ["辽宁省", "铁岭市", "西丰县", "房木镇", "双庙村", "榆树村"],
}
NEW = {
    "dm": ["21", "2112", "211223", "211223101", "211223101209"],
    "mc": ["辽宁省", "铁岭市", "西丰县", "房木街道", "双庙村委会"],
}
HEADS = ("--code", "dm", "--name", "mc")


def told(path: Path) -> dict[str, tuple[str, str, str]]:
    with path.open(encoding="utf-8") as file:
        return {
            row["old_code"]: (row["new_code"], row["basis"], row["reason"])
            for row in csv.DictReader(file)
        }


def test_each_old_division_has_a_row_and_both_directions_agree(spark, tmp_path: Path):
    old, new = table(tmp_path / "old.csv", OLD), table(tmp_path / "new.csv", NEW)
    forth, back = tmp_path / "forth.csv", tmp_path / "back.csv"
    counts = ask("correspondence", old, new, *HEADS, "--out", forth)
    assert (counts["n_old"], counts["n_new"]) == (6, 5)
    assert counts["levels"]["town"] == {"itself": 1, "renamed": 1}
    rows = told(forth)
    assert list(rows) == [code.ljust(12, "0") for code in OLD["dm"]]
    assert rows["211223101201"] == ("211223101209", "same_name_in_town", "")
    assert rows["211223101202"] == ("211223101000", "area_above", "no_such_name")
    ask("correspondence", new, old, *HEADS, "--out", back)
    assert told(back)["211223101209"] == ("211223101201", "same_name_in_town", "")


def test_what_is_no_table_of_divisions(spark, tmp_path: Path):
    new = table(tmp_path / "new.csv", NEW)
    twice = table(tmp_path / "twice.csv", {"dm": ["2112", "211200000000"], "mc": ["甲", "乙"]})
    error = refused("correspondence", twice, new, *HEADS)
    assert isinstance(error, ChecksFailed) and "1 codes for 2 rows" in str(error)
    short = table(tmp_path / "short.csv", {"dm": ["21122"], "mc": ["甲"]})
    error = refused("correspondence", short, new, *HEADS)
    assert isinstance(error, ChecksFailed)
    assert "2, 4, 6, 9 or 12 digits" in str(error) and "21122" not in str(error)
    error = refused("correspondence", new, new)
    assert isinstance(error, UsageError) and "'code'" in str(error)


@pytest.mark.parametrize("heads", [("--code", "mc"), ("--name", "dm", "--code", "mc")])
def test_names_are_no_codes(spark, tmp_path: Path, heads):
    new = table(tmp_path / "new.csv", NEW)
    assert "other than codes" in str(refused("correspondence", new, new, *HEADS, *heads))
