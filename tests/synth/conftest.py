"""A very small county with the usual faults, made once for all tests."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth.figures import figures
from synth.make import Summary, make
from synth.places.places import places
from synth.plan import Block, Told, blocks
from synth.town import County, Town, prepared, town
from tests.synth.truth_county import Files, made_often

SMALL = Told(people=400, days=2, seed=7)
# Two years of a few thousand people, town by town.
LONG = Told(people=6_000, first=SMALL.first.replace(year=2014, month=1), months=24, seed=3)


@dataclass(frozen=True)
class Made:
    landing: Path
    truth: Path
    summary: Summary

    def told(self, name: str) -> dict[str, Any]:
        return json.loads((self.truth / f"{name}.json").read_text(encoding="utf-8"))


def made_in(folder: Path, only: frozenset[str] | None = None, **said: Any) -> Made:
    summary = make(folder, replace(SMALL, **said), only=only)
    return Made(folder / "landing", folder / "truth", summary)


def whole(area: str, people: int, seed: int = 1) -> Town:
    """Return a county as if it were one town."""
    told = Told(area=area, people=people, seed=seed)
    where = places(area, people, told.last, seed, figures(area))
    county = prepared(told, where, people, figures(area))
    everywhere = np.arange(len(where.villages))
    return town(county, Block(area, f"{area}000000", everywhere, people, 0, 0, 1))


@pytest.fixture(scope="session")
def county() -> County:
    where = places(LONG.area, LONG.people, LONG.last, LONG.seed, figures(LONG.area))
    return prepared(LONG, where, LONG.people, figures(LONG.area))


@pytest.fixture(scope="session")
def towns(county: County) -> list[Town]:
    every = blocks({LONG.area: county.places.villages}, {LONG.area: LONG.people})
    return [town(county, block) for block in every]


@pytest.fixture(scope="session")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_in(tmp_path_factory.mktemp("usual"), faults="usual")


@pytest.fixture(scope="session")
def harsh(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_in(tmp_path_factory.mktemp("harsh"), faults="harsh")


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_in(tmp_path_factory.mktemp("clean"), faults="none")


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return made_often(tmp_path_factory.mktemp("often"))
