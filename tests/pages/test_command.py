"""`bangfu report` as a user meets it. No Spark."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jobs.pages import pdf
from lakehouse.cli import app
from lakehouse.errors import BangfuError
from tests.pages import county


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("home")
    county.make(made / "lake")
    return made


@pytest.fixture(autouse=True)
def _at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANGFU_HOME", str(home))


def bangfu(*words: str) -> Result:
    return CliRunner().invoke(app, ["report", *words])


def test_it_writes_one_page_and_says_where(home: Path) -> None:
    done = bangfu("--area", "211223", "--as-of", "2015-12-31")
    page = home / "docs" / "report-211223-2015-12-31.html"
    assert done.exit_code == 0 and done.stdout.strip() == str(page) and page.is_file()


def test_it_answers_in_json(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "town.html"
    told = json.loads(bangfu("--area", "211223102000", "--out", str(out), "--json").stdout)
    assert told == {
        "area": "211223102",
        "name": "西丰县合成2镇",
        "as_of": "2015-12-31",
        "compared_with": None,
        "page": str(out),
        "pdf": None,
        "written": True,
    }
    assert out.is_file()


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = bangfu("--area", "2112", "--out", str(out), "--dry-run")
    assert done.exit_code == 0 and "Would write" in done.stderr and not out.exists()


MISTAKES = {
    "no code": (("--area", "西丰"), 2, "2 to 12 digits"),
    "no division": (("--area", "999999"), 2, "no division 999999"),
    "no answer": (("--area", "211223", "--as-of", "2014-12-31"), 11, "It has 2015-12-31."),
    "a folder": (("--area", "211223", "--out", "."), 2, "name the page"),
    "a page that cannot be": (("--area", "211223", "--out", "/dev/null/x.html"), 2, "cannot be"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_says_what_to_do(mistake: str) -> None:
    words, code, told = MISTAKES[mistake]
    error = bangfu(*words).exception
    assert isinstance(error, BangfuError) and error.exit_code == code and told in str(error)


def test_without_a_browser_it_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    error = bangfu("--area", "211223", "--pdf").exception
    assert isinstance(error, BangfuError) and error.exit_code == 11
    assert "apt-get install chromium fonts-wqy-microhei" in str(error)
    assert "fonts-noto-cjk" in str(error)
