"""What stops a question: its limits, and mistakes told with their place; and what is allowed."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lakehouse.conf import settings
from lakehouse.errors import InputMissing, UsageError
from lakehouse.query import Limits, Query
from tests.lakehouse import asked

# -- limits -------------------------------------------------------------------------------------


def limited(home: Path, **given: Any) -> Query:
    return Query(limits=Limits.of(settings(), **given))


LONG = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 1"
LIMITS = [
    ({"seconds": 0.3}, LONG, "limit of seconds", "--seconds"),
    ({"seconds": 0.3}, "SELECT a.range FROM range(1000000) a, range(9999) b", "limit of seconds",
     "--seconds"),
    ({"memory": "50MB"}, "SELECT list(range) FROM range(20000000)", "limit of memory", "--memory"),
    ({"memory": "50MB"}, "SELECT * FROM range(20000000) ORDER BY hash(range)", "limit of memory",
     "--memory"),
    ({"rows": 49}, "SELECT * FROM person", "limit of rows", "--max-rows"),
]  # fmt: skip


@pytest.mark.parametrize("given, sql, limit, option", LIMITS)
def test_a_limit_stops_a_question_and_names_itself(
    given: dict[str, Any], sql: str, limit: str, option: str, home: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    if limit == "limit of seconds":
        given = given | {"rows": 10**12}
    began = time.perf_counter()
    query = limited(home, **given)
    with pytest.raises(UsageError, match=limit) as raised, query.answer(sql) as answer:
        for _ in answer.batches():
            pass
    assert option in str(raised.value) and "[sql]" in str(raised.value)
    assert time.perf_counter() - began < 10
    assert list(tmp_path.iterdir()) == []


def test_the_limit_itself_is_allowed(home: Path) -> None:
    assert len(limited(home, rows=50).rows("SELECT * FROM person")) == 50


def test_limits_that_make_no_sense_are_told(home: Path) -> None:
    for given in ({"seconds": 0}, {"rows": -1}, {"threads": 0}, {"memory": "much"}):
        with pytest.raises(UsageError, match=next(iter(given))):
            limited(home, **given)


# -- mistakes -----------------------------------------------------------------------------------

MISTAKES: dict[str, tuple[str, str]] = {
    "a misspelt word": ("SELEC 1", "LINE 1: SELEC 1\n        ^^^^^"),
    "an unknown table": (
        "SELECT '甲',\n  x FROM gold.povery_by_area",
        "'gold.povery_by_area'. Did you mean 'gold.poverty_by_area'?\n\n"
        "LINE 2:   x FROM gold.povery_by_area\n                 ^^^^^^^^^^^^^^^^^^^",
    ),
    "a table after Chinese": (
        "SELECT '甲乙' FROM nowhere", "LINE 1: SELECT '甲乙' FROM nowhere\n"
        "                           ^^^^^^^",
    ),
    "an unknown column": (
        "SELECT levl FROM area",
        "Did you mean 'level'?\n\nLINE 1: SELECT levl FROM area\n               ^^^^",
    ),
    "a column of an alias": ("SELECT a.levl FROM area a", "Did you mean 'level'?"),
    "a column like none": ("SELECT zzz FROM area", "`bangfu tables silver.area`"),
    "an unknown function": ("SELECT nofunc(level) FROM area", "LINE 1: SELECT nofunc"),
    "settings": ("FROM conf.income_line", "`bangfu show conf.income_line`"),
    "nothing": ("  -- nothing", "no statement"),
    "two statements": ("SELECT 1; SELECT 2", "2 statements"),
    "a parameter": ("SELECT ?", "no value for a parameter"),
    "a pivot of unknown columns": ("PIVOT area ON level USING count(*)", "IN ('a', 'b')"),
    "the list of tables": ("SHOW TABLES", "`bangfu tables`"),
    "a number too long": ("SELECT 12345678901234567890123::HUGEINT", "more than 18 digits"),
    "too deep": ("SELECT " + "+".join(["1"] * 900), "nested too deeply"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place(mistake: str, home: Path) -> None:
    sql, told = MISTAKES[mistake]
    with pytest.raises(UsageError) as raised:
        Query().rows(sql)
    assert told in str(raised.value)


def test_an_error_tells_no_value_of_a_row(home: Path) -> None:
    for sql in ("SELECT CAST(area_name AS INT) FROM area", "SELECT area_code::TINYINT FROM area",
                "SELECT strptime(area_name, '%Y') FROM area"):  # fmt: skip
        with pytest.raises(UsageError) as raised:
            Query().rows(sql)
        message = str(raised.value).split("LINE")[0]
        assert "地" not in message and "2112" not in message, message
        assert "●" in message


def test_a_table_not_made_yet_says_what_to_do(home: Path) -> None:
    with pytest.raises(InputMissing, match=r"`bangfu plan gold\.poverty_score`"):
        Query().rows("SELECT * FROM poverty_score")


def test_a_table_without_rows_keeps_its_columns(home: Path) -> None:
    found = Query().frame("SELECT project_id, budget_cny FROM project")
    assert list(found.columns) == ["project_id", "budget_cny"]
    assert len(found) == 0


ALLOWED: dict[str, Callable[[list[dict[str, Any]]], bool]] = {
    "FROM area SELECT count(*) AS n": lambda rows: rows == [{"n": len(asked.AREAS)}],
    "TABLE area": lambda rows: len(rows) == len(asked.AREAS),
    "VALUES (1), (2)": lambda rows: len(rows) == 2,
    "DESCRIBE gold.poverty_by_area": lambda rows: rows[0]["column_name"] == "as_of",
    "DESCRIBE SELECT 1 AS one": lambda rows: rows[0]["column_name"] == "one",
    "SUMMARIZE area": lambda rows: "area_code" in str(rows),
    "EXPLAIN SELECT * FROM area": lambda rows: "ARROW_SCAN" in str(rows),
    "/* why */ explain -- now\n analyze SELECT 1;": lambda rows: "Time" in str(rows),
    "SELECT 1 AS a UNION ALL SELECT 2 ORDER BY a": lambda rows: [r["a"] for r in rows] == [1, 2],
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) FROM t":
        lambda rows: len(rows) == 5,
    "PIVOT area ON level IN ('town', 'village') USING count(*) GROUP BY valid_from":
        lambda rows: (rows[0]["town"], rows[0]["village"]) == (3, 5),
    "SELECT level, row_number() OVER (ORDER BY area_code) AS nth FROM area QUALIFY nth = 1":
        lambda rows: rows == [{"level": "province", "nth": 1}],
    "SELECT list_transform([1, 2], lambda x: x * 2) AS l": lambda rows: rows == [{"l": [2, 4]}],
    "SELECT sum(n_sampled) AS n, 1.5 AS d, 1 AS n FROM poverty_by_area":
        lambda rows: rows == [{"n": 882, "d": 1.5, "n_2": 1}],
}  # fmt: skip


@pytest.mark.parametrize("sql", ALLOWED)
def test_what_only_reads_is_allowed(sql: str, home: Path) -> None:
    assert ALLOWED[sql](Query().rows(sql))
