"""A tiny lake to ask, made once."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def asked_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.lakehouse import asked

    home = tmp_path_factory.mktemp("home")
    asked.make(home / "lake")
    return home


@pytest.fixture
def home(asked_lake: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a lake that tests only read."""
    monkeypatch.setenv("BANGFU_HOME", str(asked_lake))
    return asked_lake


@pytest.fixture
def own_home(asked_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(asked_lake, tmp_path / "own")
    monkeypatch.setenv("BANGFU_HOME", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def bangfu(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> Any:  # fmt: skip
    """Run one command line in this process; return its exit code and what it said."""
    from lakehouse.cli import main

    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bangfu", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, error = capsysbinary.readouterr()
        return int(ended.value.code or 0), out.decode(), error.decode()

    return run
