"""The trigger knocks once for what comes together, again for what waits on, and takes nothing."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lakehouse.conf import settings
from lakehouse.ops import Ops
from lakehouse.watch import Deliveries
from tests.deliveries import deliver

CALLS = [("bronze.cdr", "silver.cdr_event")]


@pytest.fixture
def landing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BANGFU_HOME", str(tmp_path))
    return settings().landing


class Counting(Deliveries):
    """The trigger, with the number of its looks."""

    looks = 0

    def waiting(self) -> set[str]:
        self.looks += 1
        return super().waiting()


async def knocks(steps: list[Callable[[], Any]], again_s: float = 60.0) -> list[int]:
    """Do one thing after the other, some looks between them; return what each knock told."""
    trigger = Counting(feeds=["cdr"], dated_by=CALLS, every_s=0.01, again_s=again_s)
    heard: list[int] = []

    async def listen() -> None:
        async for event in trigger.run():
            heard.append(event.payload["waiting"])

    listening = asyncio.create_task(listen())
    for step in steps:
        step()
        until = trigger.looks + 4
        while trigger.looks < until:
            await asyncio.sleep(0.01)
    listening.cancel()
    return heard


def test_it_knocks_once_for_each_set_and_deletes_nothing(landing: Path) -> None:
    def two() -> None:
        deliver(landing, "cdr", "2015-12-30", b"x", rows=1)
        deliver(landing, "cdr", "2015-12-31", b"y", rows=1)

    def other() -> None:
        deliver(landing, "area", "2015-12", b"x", rows=1)

    def third() -> None:
        deliver(landing, "cdr", "2015-12-31", b"z", rows=1, name="d2")

    assert asyncio.run(knocks([lambda: None, two, other, third])) == [2, 3]
    assert len(list(landing.glob("*/*/*/*/_READY"))) == 4


def test_an_incomplete_delivery_is_none(landing: Path) -> None:
    def unfinished() -> None:
        (deliver(landing, "cdr", "2015-12-31", b"x", rows=1) / "_READY").unlink()

    assert asyncio.run(knocks([unfinished])) == []


def test_what_still_waits_is_told_of_again(landing: Path) -> None:
    heard = asyncio.run(knocks([lambda: deliver(landing, "cdr", "2015-12-31", b"x", rows=1)], 0))
    assert set(heard) == {1} and len(heard) > 1


def test_a_store_that_does_not_answer_ends_no_watch(
    landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of the store is a file for a while."""
    ops = landing.parent / "ops.db"

    def broken() -> None:
        ops.unlink(missing_ok=True)
        ops.mkdir()

    def mended() -> None:
        ops.rmdir()
        deliver(landing, "cdr", "2015-12-31", b"x", rows=1)

    assert asyncio.run(knocks([broken, mended])) == [1]


def test_it_is_made_again_from_what_it_tells(landing: Path) -> None:
    trigger = Deliveries(feeds=["cdr"], dated_by=CALLS, every_s=5, again_s=60)
    path, words = trigger.serialize()
    assert path == f"{Deliveries.__module__}.{Deliveries.__name__}"
    assert json.loads(json.dumps(words)) == words
    again = Deliveries(**words)
    assert (again.serialize(), again.waiting()) == ((path, words), set())
    assert Ops(settings()).deliveries() == []
