"""The command line as a user meets it: real processes, exit codes, no traceback for a mistake."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def bangfu(home: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lakehouse", *words],
        capture_output=True,
        text=True,
        env=os.environ | {"BANGFU_HOME": str(home), "COLUMNS": "160"} | env,
    )


def test_every_command_has_help_with_an_example(tmp_path: Path) -> None:
    told = bangfu(tmp_path, "--help").stdout
    for command in ("demo", "synth", "land", "run", "plan", "train", "show", "check",
                    "quarantine", "history", "docs", "doctor", "feeds", "sql", "tables", "report",
                    "method"):  # fmt: skip
        assert command in told
    from typer.testing import CliRunner

    from lakehouse.cli import app

    for command in app.registered_commands:
        assert command.callback is not None
        helped = CliRunner().invoke(app, [command.callback.__name__, "--help"])
        assert helped.exit_code == 0
        assert "xample" in helped.output or command.callback.__name__ == "doctor"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_told_without_a_traceback(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "lakehouse", "feeds"], stdout=full, stderr=subprocess.PIPE,
            text=True, env=os.environ | {"BANGFU_HOME": str(tmp_path)},
        )  # fmt: skip
    assert ended.returncode == 11
    assert "a disk is full" in ended.stderr
    assert "Traceback" not in ended.stderr


MISTAKES = {
    "no such command": (("rnu",), 2, ""),
    "a date that is none": (("plan", "--as-of", "2015-13-01"), 2, "no date"),
    "no day known yet": (("plan",), 2, "--as-of 2015-12-31"),
    "a table nobody declares": (("show", "silver.persn"), 11, "Did you mean 'silver.person'?"),
    "an input that is not there": (("run", "gold.poverty_by_area", "--as-of", "2015-12-31"), 11,
                                   "waits for silver.survey_household"),
    "restricted rows": (("show", "bronze.cdr", "--rows", "5"), 13, "restricted zone"),
    "unknown faults": (("synth", "--out", "x", "--faults", "many"), 2, "none, usual or harsh"),
    "nothing checked": (("check",), 11, "bangfu run all"),
    "a feed nobody maps": (("land", "--feed", "rooster"), 11, "Did you mean 'roster'?"),
    "a model nobody declares": (("train", "povery", "--as-of", "2015-12-31"), 11, "poverty"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_without_a_traceback(mistake: str, tmp_path: Path) -> None:
    words, code, told = MISTAKES[mistake]
    done = bangfu(tmp_path, *words)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_declaration_ends_with_10(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    (feeds / "mine.toml").write_text('title = "x"\nsorce = "me"\n')
    done = bangfu(tmp_path, "plan", "--as-of", "2015-12-31", BANGFU_FEEDS=str(feeds))
    assert done.returncode == 10
    assert "mine.toml" in done.stderr
    assert "Did you mean 'source'?" in done.stderr


def test_answers_are_one_json_value(tmp_path: Path) -> None:
    plan = json.loads(bangfu(tmp_path, "plan", "--as-of", "2015-12-31", "--json").stdout)
    assert plan["tables"][0]["table"] == "silver.area"
    assert plan["tables"][0]["why"] == "waits for bronze.area"
    doctor = json.loads(bangfu(tmp_path, "doctor", "--json").stdout)
    assert {"Python", "Java", "pyspark"} <= {one["what"] for one in doctor}
    assert all(one["state"] != "missing" for one in doctor)
    declared = json.loads(bangfu(tmp_path, "show", "bronze.cdr", "--json").stdout)
    assert declared["rows"] == []
    assert "started_at" in [column["column"] for column in declared["columns"]]


def test_dry_runs_write_nothing(tmp_path: Path) -> None:
    out = tmp_path / "landing"
    assert bangfu(tmp_path, "synth", "--out", str(out), "--dry-run").returncode == 0
    assert bangfu(tmp_path, "docs", "--out", str(tmp_path / "site"), "--dry-run").returncode == 0
    assert bangfu(tmp_path, "land", "--dry-run").returncode == 0
    done = bangfu(tmp_path, "run", "all", "--as-of", "2015-12-31", "--dry-run")
    assert done.returncode == 0
    assert not out.exists()
    assert not (tmp_path / "site").exists()
    assert not (tmp_path / "lake").exists()


def test_java_that_is_missing_is_said_plainly(tmp_path: Path) -> None:
    done = bangfu(tmp_path, "doctor", JAVA_HOME=str(tmp_path / "none"))
    assert done.returncode == 11
    assert "openjdk-17" in done.stdout + done.stderr
    root = Path(__file__).parents[2]
    first = subprocess.run([sys.executable, str(root / "bin" / "preflight.py")],
                           capture_output=True, text=True,
                           env=os.environ | {"JAVA_HOME": str(tmp_path / "none")})  # fmt: skip
    assert first.returncode == 11
    assert "openjdk-17" in first.stderr
