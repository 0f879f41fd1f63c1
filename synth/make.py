"""The generator: a county, a city or a province, in files as departments and operators deliver.

    from synth.make import make
    make(Path("province"), Told(area="2112", people=100_000))

Nothing here is about real people. Places, outlines and the figures in conf/synth.toml are real;
positions of towns and villages, people, incomes, numbers and calls are made up.
"""

import os
import pickle
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from synth import registers, truth
from synth.figures import figures
from synth.parts import ALWAYS, Parts
from synth.places.places import counties_of, places
from synth.plan import Block, Told, blocks, people_of
from synth.town import County, Town, prepared, town

# Below so many people, starting workers takes longer than they save.
WORTH_WORKERS = 100_000
TOLD_EVERY = 0.1  # Progress is told at each tenth.

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Facts:
    """Counts of one block, which add up to those of the whole."""

    people: int
    households: int
    rural_households: int
    subscribers: int
    poor: int
    consumption_poor: int
    candidates: int
    listed: int
    surveyed: int


@dataclass(frozen=True)
class Summary:
    """What was made. Shares are of people on the last day; `rows` counts those of right files."""

    facts: Facts
    villages: int
    written: int
    left: int
    rows: dict[str, int] = field(default_factory=dict)
    faults: dict[str, Any] = field(default_factory=dict)

    @property
    def poor_share(self) -> float:
        """Return the share of people below the line by income."""
        return round(self.facts.poor / self.facts.people, 4)

    def lasting(self) -> dict[str, Any]:
        """Return what a second run with the same arguments says as well."""
        facts = asdict(self.facts)
        shares = {
            name: round(facts.pop(count) / facts["people"], 4)
            for name, count in (("poor_share", "poor"),
                                ("consumption_poor_share", "consumption_poor"))
        }  # fmt: skip
        return facts | shares | {"villages": self.villages, "rows": self.rows}

    def told(self) -> dict[str, Any]:
        """Return everything, for --json."""
        return self.lasting() | {
            "deliveries_written": self.written, "deliveries_left": self.left, "faults": self.faults
        }  # fmt: skip


def planned(told: Told) -> dict[str, int]:
    """Return what would be made: counties, towns, people, months, about how many calls."""
    villages = counties_of(told.area)
    given = {code: figures(code) for code in villages}
    shares = people_of(told, villages, given)
    towns = sum(
        places(code, shares[code], told.last, told.seed, given[code]).villages["town_code"].nunique()
        for code in villages
    )
    days = sum(end.day for end in told.month_ends)
    share = (told.days if told.days is not None and told.days < days else days) / days
    calls = round(0.55 * told.people * told.events_a_month * told.months * share / 2)
    return {"people": told.people, "counties": len(villages), "towns": towns,
            "months": told.months, "calls": calls}  # fmt: skip


def counties(told: Told, tell: Tell) -> list[County]:
    """Return the counties asked for, prepared. Their people consume on one scale."""
    codes = counties_of(told.area)
    given = {code: figures(code) for code in codes}
    shares = people_of(told, codes, given)
    made = []
    for code in codes:
        tell(f"county {code}: {shares[code]:,} people")
        where = places(code, shares[code], told.last, told.seed, given[code])
        made.append(prepared(told, where, shares[code], given[code]))
    weight = np.array([one.people for one in made])
    mean = np.array([one.level.log_mean for one in made])
    spread = np.array([one.level.log_std for one in made])
    middle = float(np.average(mean, weights=weight))
    wide = float(np.sqrt(np.average(spread**2 + (mean - middle) ** 2, weights=weight)))
    return [replace(one, wealth=(middle, wide)) for one in made]


@dataclass(frozen=True)
class Work:
    """The work folder of a run, which any worker can go on in."""

    root: Path
    told: Told

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


def make_block(work: Work, block: Block) -> Facts:
    """Make one town: leave its rows in the work folder and return its counts."""
    made = town(work.county(block.county), block)
    for feed, period, rows in registers.of_town(made):
        work.parts.leave("feed", feed, period, block.number, rows)
    for table, rows in truth.tables(made).items():
        work.parts.leave("truth", table, ALWAYS, block.number, rows)
    registers.leave_numbers(made, work.network(block.county))
    return _facts(made)


def make_seat(work: Work, code: str, number: int, names: list[str]) -> None:
    """Make what a county has but once, and join the telephones of its towns."""
    county = work.county(code)
    for feed, period, rows in registers.of_county(county):
        work.parts.leave("feed", feed, period, number, rows)
    for table, rows in truth.of_county(county).items():
        work.parts.leave("truth", table, ALWAYS, number, rows)
    registers.join_numbers(county, work.network(code), names)


def _facts(made: Town) -> Facts:
    homes, size = made.life.homes, made.life.homes["n_members"]
    return Facts(
        people=len(made.who.people),
        households=len(homes),
        rural_households=int(homes["is_rural"].sum()),
        subscribers=len(made.owners),
        poor=int(size[homes["is_poor"]].sum()),
        consumption_poor=int(size[homes["is_poor_by_consumption"]].sum()),
        candidates=int(made.listed.is_candidate.sum()),
        listed=int(made.listed.is_listed.sum()),
        surveyed=len(made.survey),
    )


def make(
    out: Path,
    told: Told,
    *,
    workers: int | None = None,
    only: frozenset[str] | None = None,
    own_folder: bool = True,
    progress: Tell | None = None,
) -> Summary:
    """Write landing/, truth/ and faults/ under `out`. The same arguments give the same bytes.

    `only` names the feeds to deliver (all if None). A delivery that is there already, complete
    and the same, is left alone. `own_folder` refuses a folder that holds anything else. Raises
    UsageError and InputMissing for what cannot be made.
    """
    tell = progress or (lambda _: None)
    if own_folder:
        claim(out, asdict(told))
    work = Work(out / ".work", told)
    shutil.rmtree(work.root, ignore_errors=True)
    with disk(out):
        summary = _made(out, told, work, workers or _workers(told), only, tell)
    shutil.rmtree(work.root)
    tell("done")
    return summary


def _workers(told: Told) -> int:
    return (os.cpu_count() or 1) if told.people >= WORTH_WORKERS else 1


def _made(
    out: Path, told: Told, work: Work, workers: int, only: frozenset[str] | None, tell: Tell
) -> Summary:
    made = counties(told, tell)
    for county in made:
        work.keep(county)
    villages = {one.places.area: one.places.villages for one in made}
    cut = blocks(villages, {one.places.area: one.people for one in made})
    facts = in_order([(work, block) for block in cut], make_block, workers, "towns", tell)
    seats = [
        (work, code, len(cut) + n, [block.name for block in cut if block.county == code])
        for n, code in enumerate(villages)
    ]
    in_order(seats, make_seat, workers, "counties", tell)
    asked = deliveries(work, told, list(villages), only)
    done = in_order([(out, work, *one) for one in asked], write, workers, "deliveries", tell)
    return _ended(out, told, work, Facts(**_sums(facts)), sum(map(len, villages.values())), done)
