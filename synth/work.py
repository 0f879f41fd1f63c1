"""The work folder of a run, and tasks done by some workers in an order of their own."""

import pickle  # nosec B403
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from synth.parts import Parts
from synth.plan import Told
from synth.town import County

TOLD_EVERY = 0.1  # Progress is told at each tenth.

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Work:
    """The work folder of a run, which any worker can go on in. `only` names the feeds asked for."""

    root: Path
    told: Told
    only: frozenset[str] | None = None

    def wants(self, feed: str) -> bool:
        """Tell whether a feed is to be delivered."""
        return self.only is None or feed in self.only

    @property
    def parts(self) -> Parts:
        """Return the clean rows left so far."""
        return Parts(self.root / "parts")

    def network(self, county: str) -> Path:
        """Return the folder of a county's telephone network."""
        return self.root / "network" / county

    def keep(self, county: County) -> None:
        """Keep a county for the workers."""
        path = self._county(county.places.area)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(county))
        _read.cache_clear()

    def county(self, code: str) -> County:
        """Return a county that was kept; each worker reads it once."""
        return _read(self._county(code))

    def _county(self, code: str) -> Path:
        return self.root / "county" / f"{code}.pickle"


@cache
def _read(path: Path) -> County:
    # Our own file in our own work folder.
    made: County = pickle.loads(path.read_bytes())  # nosec B301
    return made


def in_order(
    tasks: list[tuple[Any, ...]], do: Callable[..., Any], workers: int, what: str, tell: Tell
) -> list[Any]:
    """Return what a function makes of each task, in their order, done by some workers."""
    every, made = max(1, round(len(tasks) * TOLD_EVERY)), []

    def told(results: Iterable[Any]) -> Iterator[Any]:
        for n, result in enumerate(results, 1):
            if n % every == 0 or n == len(tasks):
                tell(f"{what}: {n:,} of {len(tasks):,}")
            yield result

    if workers == 1 or len(tasks) < 2:
        return list(told(do(*task) for task in tasks))
    # A fresh process for each worker: one that has Arrow's threads, or a JVM, is not to be forked.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        made = list(told(pool.map(do, *zip(*tasks, strict=True))))
    return made
