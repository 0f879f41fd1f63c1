"""Questions in SQL: what each option cuts away, held against pandas, and what mistakes are told."""

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from deltalake import DeltaTable

from lakehouse.errors import InputMissing, PrivacyError, UsageError
from lakehouse.ops import Ops
from lakehouse.query.query import Query, moment
from lakehouse.query.tables import Cut, area_prefix, open_table
from lakehouse.table import Column, Table
from tests.lakehouse import asked


def whole(home: Path, name: str) -> pd.DataFrame:
    """Return a table as it lies, read without any of what is tested."""
    path = home / "lake" / name.replace(".", "/")
    return DeltaTable(path).to_pyarrow_table().to_pandas(date_as_object=False)


def test_full_and_bare_names_mean_the_same(home: Path) -> None:
    expected = whole(home, "gold.poverty_by_area")["headcount_ratio"].sum()
    for name in ("gold.poverty_by_area", "poverty_by_area", "GOLD.Poverty_By_Area"):
        found = Query().frame(f"SELECT sum(headcount_ratio) AS s FROM {name}")
        assert found["s"][0] == pytest.approx(expected)


def test_tables_join_and_with_shadows_a_name(home: Path) -> None:
    found = Query().rows("""
        WITH area AS (SELECT area_code, area_name FROM silver.area WHERE level = 'town')
        SELECT area_name, count(*) AS n FROM area JOIN gold.poverty_by_area USING (area_code)
        GROUP BY 1 ORDER BY 1
    """)
    assert found == [{"area_name": f"地{code}", "n": 6}
                     for code in ("211223100", "211223101", "212100100")]  # fmt: skip


def test_only_tables_that_are_named_are_opened(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def spy(root: str, table: type[Table], cut: Cut) -> Any:
        opened.append(table.name)
        return open_table(root, table, cut)

    monkeypatch.setattr("lakehouse.query.query.open_table", spy)
    Query().rows("SELECT (SELECT count(*) FROM area) AS n, 'silver.person' AS x FROM home_place")
    assert opened == ["silver.area", "silver.home_place"]


def test_files_that_a_question_does_not_need_are_not_read(own_home: Path) -> None:
    for file in (own_home / "lake/gold/poverty_by_area/as_of=2013-12-31").glob("*.parquet"):
        file.unlink()
    where = "SELECT count(*) AS n FROM poverty_by_area WHERE as_of = DATE '2015-12-31'"
    assert Query().rows(where)[0]["n"] == 14
    assert Query(as_of="2014-12-31").rows("SELECT count(*) AS n FROM poverty_by_area")[0]["n"] == 14
    with pytest.raises(InputMissing, match="vacuum"):
        Query().rows("SELECT sum(n_sampled) FROM poverty_by_area")


# -- personal columns ---------------------------------------------------------------------------


def test_personal_columns_are_not_there(home: Path) -> None:
    found = Query().frame("SELECT * FROM silver.person")
    assert list(found.columns) == ["village_code", "delivery_id", "line"]
    assert len(found) == 50
    for sql in ("SELECT p FROM person p", "SUMMARIZE person", "SELECT COLUMNS('.*') FROM person",
                "SELECT * FROM home_place JOIN person ON true"):  # fmt: skip
        assert asked.SECRET not in str(Query().rows(sql))


@pytest.mark.parametrize("sql", [
    "SELECT person_id FROM silver.person",
    "SELECT count(DISTINCT p.person_id) FROM person AS p",
    "SELECT * EXCLUDE (birth_date) FROM person",
    "SELECT 1 FROM person JOIN home_place USING (sex)",
    "SELECT village_code FROM person ORDER BY sex",
    "SELECT COLUMNS(['sex']) FROM person",
])  # fmt: skip
def test_a_personal_column_that_is_named_is_told_so(sql: str, home: Path) -> None:
    with pytest.raises(PrivacyError, match=r"silver.person.(person_id|birth_date|sex) is personal"):
        Query().rows(sql)


# -- dates --------------------------------------------------------------------------------------


def test_as_of_cuts_every_kind_of_table(home: Path) -> None:
    day = date(2014, 12, 31)
    rows = whole(home, "gold.poverty_by_area")
    found = Query(as_of=day).frame("SELECT * FROM poverty_by_area")
    expected = rows[rows["as_of"] == pd.Timestamp(day)]
    assert len(found) == 14
    assert sorted(found["headcount_ratio"]) == sorted(expected["headcount_ratio"])

    days = whole(home, "silver.subscriber_day")
    found = Query(as_of="2015-12-28").frame("SELECT day FROM subscriber_day")
    assert sorted(found["day"]) == sorted(days[days["day"] <= pd.Timestamp("2015-12-28")]["day"])

    months = Query(as_of="2015-11-15").rows("SELECT DISTINCT month FROM home_place ORDER BY 1")
    assert [row["month"].month for row in months] == [10, 11]


def test_as_of_gives_rows_in_force(home: Path) -> None:
    areas = "SELECT area_code FROM area WHERE level = 'county' ORDER BY 1"
    both = [{"area_code": "211223000000"}, {"area_code": "211224000000"}]
    assert Query(as_of="2013-12-31").rows(areas) == both
    assert Query(as_of="2014-01-01").rows(areas) == both[:1]
    assert Query(as_of="1999-12-31").rows(areas) == []


def record(name: str, as_of: date, version: int) -> None:
    ops = Ops()
    ops.finish(ops.start(name, as_of, "c0de", {}), state="done", delta_version=version)


def test_a_table_that_holds_another_date_is_told(own_home: Path) -> None:
    record("silver.person", date(2015, 12, 31), 0)
    record("silver.area", date(2015, 12, 31), 0)
    told: list[str] = []
    query = Query(as_of="2014-12-31", tell=told.append)
    query.rows("SELECT count(*) FROM person, area, poverty_by_area")
    assert told == [
        "silver.person keeps one state, and holds that of 2015-12-31; "
        "`bangfu run silver.person --as-of 2014-12-31` makes that of 2014-12-31."
    ]
    told.clear()
    Query(as_of="2015-12-31", tell=told.append).rows("SELECT count(*) FROM person, area")
    assert told == []
    Query(as_of="2016-12-31", tell=told.append).rows("SELECT 1 FROM area, poverty_by_area")
    assert [note.split()[0] for note in told] == ["gold.poverty_by_area", "silver.area"]


def test_known_at_reads_the_version_of_that_time(own_home: Path) -> None:
    lake = own_home / "lake"
    times = [datetime.now(UTC)]
    for number in (1, 2):
        time.sleep(0.02)
        asked.write(lake, "silver.project", [{"project_id": f"j{n}"} for n in range(number)])
        time.sleep(0.02)
        times.append(datetime.now(UTC))
    record("silver.project", date(2014, 12, 31), 1)
    record("silver.project", date(2015, 12, 31), 2)
    told: list[str] = []
    sql = "SELECT count(*) AS n FROM project"
    found = [Query(known_at=at, as_of="2014-12-31", tell=told.append).rows(sql) for at in times]
    assert [rows[0]["n"] for rows in found] == [0, 1, 2]
    assert told == ["silver.project keeps one state, and holds that of 2015-12-31."]


def test_a_table_that_did_not_exist_then_says_since_when(home: Path) -> None:
    with pytest.raises(InputMissing, match=r"not there at 2001-01-01 .*it exists since 20[2-9]"):
        Query(known_at="2001-01-01").rows("SELECT * FROM project")


class Stay(Table, layer="silver", key=("stay_id",), area=None, purpose="reference", owner="tests"):
    """A table that says itself when each row was known."""

    stay_id = Column("string", "Which.", example="s")
    known_from = Column("timestamp", "Known since, UTC.")
    known_to = Column("timestamp", "Known until, UTC.", nullable=True)


def test_a_table_with_known_from_is_cut_by_it(tmp_path: Path) -> None:
    def at(day: int) -> datetime:
        return datetime(2016, 1, day, 12, tzinfo=UTC)

    asked.write(tmp_path, Stay, [
        {"stay_id": "corrected", "known_from": at(1), "known_to": at(5)},
        {"stay_id": "correction", "known_from": at(5), "known_to": None},
    ])  # fmt: skip
    for known_at, expected in ((at(1), ["corrected"]), (at(5), ["correction"]),
                               (at(5) - timedelta(seconds=1), ["corrected"]),
                               (at(1) - timedelta(seconds=1), [])):  # fmt: skip
        opened = open_table(str(tmp_path), Stay, Cut(known_at=known_at))
        assert opened.rows.to_table()["stay_id"].to_pylist() == expected


def test_a_day_of_knowledge_ends_at_midnight_of_the_house() -> None:
    assert moment("2016-01-15", "Asia/Shanghai") == datetime(
        2016, 1, 15, 15, 59, 59, 999999, tzinfo=UTC
    )
    assert moment("2016-01-15 08:00", "Asia/Shanghai") == datetime(2016, 1, 15, tzinfo=UTC)
    assert moment("2016-01-15T08:00+00:00", "Asia/Shanghai") == datetime(2016, 1, 15, 8, tzinfo=UTC)


# -- areas --------------------------------------------------------------------------------------

CODES = {"21": "21", "210000000000": "21", "2112": "2112", "211": "2110", "211223": "211223",
         "211223100000": "211223100", "2112231": "211223100", "211223101201": "211223101201",
         "110100": "1101"}  # fmt: skip


def test_zeros_at_the_end_of_a_code_say_nothing() -> None:
    assert {code: area_prefix(code) for code in CODES} == CODES
    for wrong in ("2", "21a", "2112231012011", "", "000000"):
        with pytest.raises(UsageError, match="--area"):
            area_prefix(wrong)


@pytest.mark.parametrize("code", ["21", "211200", "211223", "211223101000", "211223101202", "2121"])
def test_area_shows_the_rows_of_the_area_alone(code: str, home: Path) -> None:
    query = Query(area=code)
    for name, column in (("silver.person", "village_code"), ("silver.area", "area_code"),
                         ("gold.poverty_by_area", "area_code")):  # fmt: skip
        rows = whole(home, name)[column]
        expected = rows[rows.str.startswith(CODES.get(code, code.rstrip("0")))]
        found = query.frame(f"SELECT {column} FROM {name}")
        assert sorted(found[column]) == sorted(expected), name


def test_area_and_dates_cut_together(home: Path) -> None:
    found = Query(area="211223", as_of="2015-12-31").rows("SELECT * FROM poverty_by_area")
    assert len(found) == 6
    assert {(row["area_code"][:6], row["as_of"].year) for row in found} == {("211223", 2015)}


def test_no_area_means_no_rows(home: Path) -> None:
    with pytest.raises(PrivacyError, match=r"silver\.subscriber_day does not say in which area"):
        Query(area="211223").rows("SELECT count(*) FROM subscriber_day")


def test_an_unknown_area_is_a_mistake(home: Path) -> None:
    with pytest.raises(UsageError, match="2 to 12 digits"):
        Query(area="")
    with pytest.raises(UsageError, match=r"knows no division 211225\. Did you mean '211224'\?"):
        Query(area="211225")
