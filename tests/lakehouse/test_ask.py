"""`bangfu sql`, `tables` and `show` as a user meets them: terminal, prompt, exit codes."""

import io
import json
import os
import re
import signal
import stat
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from lakehouse.commands.look import MASK
from lakehouse.query import Query
from lakehouse.query.prompt import Prompt
from tests.lakehouse import asked

ALL_AREAS = "SELECT area_code, level FROM area ORDER BY area_code"


def test_the_terminal_shows_the_first_rows_and_counts_the_others(bangfu: Any) -> None:
    code, out, _ = bangfu("sql", ALL_AREAS, "--rows", "2")
    assert code == 0
    assert "210000000000" in out and "211200000000" in out and "211223000000" not in out
    assert f"2 rows shown, {len(asked.AREAS) - 2} more" in out


def test_counting_stops_at_the_limit_of_rows(bangfu: Any) -> None:
    code, out, _ = bangfu("sql", "FROM range(100000)", "--rows", "2", "--max-rows", "15000")
    assert code == 0
    assert "2 rows shown, at least 19,998 more" in out


def test_wide_rows_are_turned_and_markup_is_shown_as_it_is(bangfu: Any) -> None:
    columns = ", ".join(f"{number} AS c{number}" for number in range(10))
    code, out, _ = bangfu("sql", f"SELECT {columns}, '[red]x[/red]' AS t, 2015 AS year")
    assert code == 0
    assert re.search(r"c9 +9", out) and "[red]x[/red]" in out and re.search(r"year +2015", out)


# -- the prompt and the pipe --------------------------------------------------------------------


def test_sql_comes_from_a_pipe(bangfu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 1 AS one\n;"))
    assert json.loads(bangfu("sql", "--json")[1]) == [{"one": 1}]


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str | type[BaseException]) -> None:
    """Let input() give lines, or raise what a key raises."""
    left = iter(lines)

    def give(_: str) -> str:
        line = next(left)
        if isinstance(line, str):
            return line
        raise line

    monkeypatch.setattr("builtins.input", give)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_prompt_goes_on_after_a_mistake(
    bangfu: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    typed(monkeypatch, "selec 1;", "select ';' as semicolon,", "41 + 1 as answer;", "drop table x;",
          "select never", KeyboardInterrupt, ".tables poverty", ".describe silver.area", ".help",
          ".decsribe x", ".tables nothing_like_it", "select 2 as two;", EOFError)  # fmt: skip
    code, out, error = bangfu("sql")
    assert code == 0
    assert "42" in out and "two" in out and "never" not in out
    assert "gold.poverty_by_area" in out and "parent_code" in out and ".quit" in out
    assert "^^^^^" in error and "DROP is refused" in error and "'.describe'" in error
    assert "No table is about" in error
    history = home / "sql_history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    history.unlink()


def test_quit_leaves_the_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[str] = []
    typed(monkeypatch, "select 1;", ".quit", "select 2;")
    Prompt(asked_for.append, lambda _: None).run(tmp_path / "history")
    assert asked_for == ["select 1;"]


@pytest.mark.parametrize("what", ["count(*)", "a.range"])
def test_ctrl_c_stops_a_question_at_once(what: str, home: Path) -> None:
    began = time.perf_counter()
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        Query().rows(f"SELECT {what} FROM range(10000000) a, range(10000000) b "
                     "WHERE hash(a.range + b.range) % 100000000000 = 3")  # fmt: skip
    assert time.perf_counter() - began < 10


# -- bangfu tables, bangfu show -----------------------------------------------------------------


def test_tables_lists_what_may_be_asked(bangfu: Any) -> None:
    code, out, _ = bangfu("tables", "--json")
    found = {one["table"]: one for one in json.loads(out)}
    assert code == 0
    assert {name.split(".")[0] for name in found} == {"silver", "gold"}
    person, poverty = found["silver.person"], found["gold.poverty_by_area"]
    assert (person["rows"], person["area"], person["chinese"]) == (50, "village_code", "人口")
    assert person["hidden"] > 0 and poverty["hidden"] == 0
    assert (poverty["rows"], poverty["newest"]) == (42, "2015-12-31")
    assert (found["silver.project"]["rows"], found["gold.poverty_score"]["rows"]) == (0, None)


def test_tables_of_other_layers_show_no_rows(bangfu: Any) -> None:
    found = {one["table"]: one for one in json.loads(bangfu("tables", "--all", "--json")[1])}
    assert found["bronze.cdr"]["rows"] is None and "vault.identity" in found


def test_tables_are_found_by_a_word(bangfu: Any) -> None:
    assert "gold.need_capacity_coupling" in bangfu("tables", "耦合协调")[1]
    code, _, told = bangfu("tables", "povrety_by_area")
    assert code == 11 and "Did you mean 'poverty_by_area'?" in told


def test_one_table_tells_its_columns(bangfu: Any) -> None:
    for name in ("gold.household_identification", "household_identification"):
        told = json.loads(bangfu("tables", name, "--json")[1])
        columns = {column["column"]: column for column in told["columns"]}
        assert columns["line_cny"]["unit"] == "yuan"
        assert columns["scheme"]["codes"] and columns["net_income_cny"]["personal"]
    assert "personal: hidden" in bangfu("tables", "silver.person")[1]


def test_show_masks_what_is_personal(bangfu: Any) -> None:
    rows = json.loads(bangfu("show", "silver.person", "--rows", "3", "--json")[1])["rows"]
    assert [row["line"] for row in rows] == [2, 7, 12]
    assert {row["person_id"] for row in rows} == {MASK}
    assert json.loads(bangfu("show", "gold.poverty_score", "--json")[1])["rows"] == []


def test_options_reach_the_question(bangfu: Any) -> None:
    sql = "SELECT DISTINCT as_of, area_code[:4] AS city FROM poverty_by_area"
    _, out, _ = bangfu("sql", sql, "--as-of", "2014-12-31", "--area", "2112", "--json")
    assert json.loads(out) == [{"as_of": "2014-12-31", "city": "2112"}]
    assert bangfu("sql", sql, "--known-at", "2001-01-01")[0] == 11
    assert bangfu("sql", sql, "--area", "99")[0] == 2
    assert bangfu("sql", "SELECT person_id FROM person")[0] == 13
    code, _, told = bangfu("sql", "FROM range(100000000) a, range(100000) b", "--seconds", "0.2",
                           "--csv", "--max-rows", "1000000000000")  # fmt: skip
    assert code == 2 and "--seconds" in told
