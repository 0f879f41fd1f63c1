"""A very small county with the usual faults, made once for all tests."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from synth.county import Summary, make

SMALL = {"people": 400, "days": 2, "seed": 7}


@dataclass(frozen=True)
class Made:
    landing: Path
    truth: Path
    summary: Summary

    def told(self, name: str) -> dict[str, Any]:
        return json.loads((self.truth / f"{name}.json").read_text(encoding="utf-8"))


def made_in(folder: Path, **said: Any) -> Made:
    summary = make(folder / "landing", **(SMALL | said))
    return Made(folder / "landing", folder / "truth", summary)


@pytest.fixture(scope="session")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_in(tmp_path_factory.mktemp("usual"), faults="usual")


@pytest.fixture(scope="session")
def harsh(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_in(tmp_path_factory.mktemp("harsh"), faults="harsh")


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_in(tmp_path_factory.mktemp("clean"), faults="none")
