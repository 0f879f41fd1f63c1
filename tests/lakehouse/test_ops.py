"""The operations store, apart from what commands show of it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from lakehouse.conf import settings
from lakehouse.ops import Ops


def test_processes_that_come_first_at_once_all_find_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = 4
    for n in range(10):
        monkeypatch.setenv("BANGFU_HOME", str(tmp_path / str(n)))
        conf, gate = settings(), Barrier(at_once)

        def first(_: int, conf=conf, gate=gate) -> list[object]:  # type: ignore[no-untyped-def]
            gate.wait()
            return Ops(conf).deliveries()

        with ThreadPoolExecutor(at_once) as pool:
            assert list(pool.map(first, range(at_once))) == [[]] * at_once
