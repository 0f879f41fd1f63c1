"""The generator: a county, a city or a province, in files as departments and operators deliver.

    from synth.make import make
    make(Path("province"), Told(area="2112", people=100_000))

Nothing here is about real people. Places, outlines and the figures in conf/synth.toml are real;
positions of towns and villages, people, incomes, numbers and calls are made up.
"""

import os
import shutil
from collections import Counter
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lakehouse.errors import UsageError, nearest
from synth import deliveries, registers, truth
from synth.deliver.contract import claim, disk
from synth.deliver.delivery import Outcome, feeds_known
from synth.deliver.ledger import gather
from synth.deliver.plan import plan_faults
from synth.figures import cost_shares, figures, income_line
from synth.operator.network import join, write_block
from synth.parts import ALWAYS
from synth.places.places import counties_of, places
from synth.places.recode import recode
from synth.plan import Block, Told, blocks, people_of
from synth.state.block import seat_of
from synth.state.registry import strangers_of_county
from synth.town import County, Town, given_of, prepared, town
from synth.work import Tell, Work, in_order

# Below so many people, starting workers takes longer than they save.
WORTH_WORKERS = 100_000


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
    """What was made. Shares are of people on the last day; `rows` counts those of right files.

    cpu_seconds: by feed, of writing its deliveries; of telephone records, of making them as well.
    """

    facts: Facts
    villages: int
    written: int
    left: int
    rows: dict[str, int] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict, compare=False)
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
    villages = counties_of(told.area, told.divisions)
    given = {code: figures(code) for code in villages}
    shares = people_of(told, villages, given)
    towns = sum(
        places(code, shares[code], told.last, told.seed, given[code])
        .villages["town_code"]
        .nunique()
        for code in villages
    )
    days = sum(end.day for end in told.month_ends)
    share = (told.days if told.days is not None and told.days < days else days) / days
    calls = round(0.55 * told.people * told.events_a_month * told.months * share / 2)
    return {"people": told.people, "counties": len(villages), "towns": towns,
            "months": told.months, "calls": calls}  # fmt: skip


def counties(told: Told, tell: Tell) -> list[County]:
    """Return the counties asked for, prepared."""
    made = []
    change = None
    if told.later:
        change = recode(told.area, told.divisions, told.later, told.first, told.months)
        tell(f"codes change on {change.day}: {len(change.to):,} are dropped")
    for code, n in _shares(told).items():
        tell(f"county {code}: {n:,} people")
        given = given_of(told, code)
        where = places(code, n, told.last, told.seed, given, told.divisions)
        made.append(replace(prepared(told, where, n, given), recode=change))
        for line in made[-1].far_off:
            tell(f"    the census is missed: {line}")
    return made


def _shares(told: Told) -> dict[str, int]:
    """Return how many people each county gets."""
    villages = counties_of(told.area, told.divisions)
    return people_of(told, villages, {code: figures(code) for code in villages})


def make_block(work: Work, block: Block) -> Facts:
    """Make one town: leave its rows in the work folder and return its counts."""
    county = work.county(block.county)
    made = town(county, block)
    every = chain(registers.of_town(made), registers.of_departments(made))
    for feed, period, rows in registers.by_the_codes_of_then(county, every):
        if work.wants(feed):
            work.parts.leave("feed", feed, period, block.number, rows)
    for table, rows in truth.tables(made):
        work.parts.leave("truth", table, ALWAYS, block.number, rows)
    write_block(work.network(block.county), block.number, made.owners, work.told)
    return _facts(made)


def make_seat(work: Work, code: str, number: int, towns: list[int]) -> None:
    """Make what a county has but once, and join the telephones of its towns."""
    county = work.county(code)
    every = registers.of_county(county)
    for feed, period, rows in registers.by_the_codes_of_then(county, every):
        if work.wants(feed):
            work.parts.leave("feed", feed, period, number, rows)
    if county.recode:
        work.parts.leave("truth", "code_change", ALWAYS, number, _own_changes(county))
    strangers = strangers_of_county(seat_of(county))
    work.parts.leave("truth", "stranger", ALWAYS, number, strangers)
    work.parts.leave("truth", "line", ALWAYS, number, truth.lines(county))
    join(work.network(code), towns, county.masts, county.places, work.told, county.given)


def _own_changes(county: County) -> pd.DataFrame:
    """Return what changed in one county: codes, names, the day, how it is known."""
    assert county.recode is not None
    table = county.recode.table
    code = table["old_code"].where(table["old_code"] != "", table["new_code"])
    rows = table[code.str.startswith(county.places.area)]
    return rows.assign(
        day=np.datetime64(county.recode.day), candidates=rows["candidates"].astype(int)
    )


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
    UsageError and InputMissing for what cannot be made, before anything is written.
    """
    tell = progress or (lambda _: None)
    if only and (unknown := only - set(feeds_known())):
        raise UsageError(f"{min(unknown)}: no such feed.{nearest(min(unknown), feeds_known())}")
    _shares(told)
    for end in told.month_ends:
        income_line(told.area, end)
        cost_shares(told.area, end)
    if own_folder:
        claim(out, asdict(told))
    work = Work(out / ".work", told, only)
    shutil.rmtree(work.root, ignore_errors=True)
    with disk(out):
        summary = _made(out, work, workers or _workers(told), tell)
    shutil.rmtree(work.root)
    return summary


def _workers(told: Told) -> int:
    return (os.cpu_count() or 1) if told.people >= WORTH_WORKERS else 1


def _made(out: Path, work: Work, workers: int, tell: Tell) -> Summary:
    made = counties(work.told, tell)
    for county in made:
        work.keep(county)
    villages = {one.places.area: one.places.villages for one in made}
    cut = blocks(villages, {one.places.area: one.people for one in made})
    facts = in_order([(work, block) for block in cut], make_block, workers, "towns", tell)
    seats = [
        (work, code, len(cut) + n, [block.number for block in cut if block.county == code])
        for n, code in enumerate(villages)
    ]
    in_order(seats, make_seat, workers, "counties", tell)
    for feed, period, rows in registers.of_operator(work.told, made[0].given):
        work.parts.leave("feed", feed, period, len(cut) + len(seats), rows)
    every, known = deliveries.asked(work), feeds_known()
    faults = plan_faults(
        work.told.faults, work.told.seed, [(known[feed], period) for feed, period in every],
        [code for one in made for code in retired(one)],
    )  # fmt: skip
    each = [(out, work, tuple(villages), faults, feed, period) for feed, period in every]
    done = in_order(each, deliveries.write, workers, "deliveries", tell)
    return _ended(out, work, facts, sum(map(len, villages.values())), done, tell)


def _ended(
    out: Path,
    work: Work,
    facts: list[Facts],
    n_villages: int,
    done: list[tuple[Outcome, float]],
    tell: Tell,
) -> Summary:
    """Put truth and faults together, and say what was made."""
    tell("truth and faults")
    for table in sorted({table for table, _ in work.parts.tables("truth")}):
        work.parts.parquet("truth", table, out / "truth" / f"{table}.parquet")
    told = work.told
    faults = gather(out / "faults", told.faults, told.seed)
    rows: Counter[str] = Counter()
    cpu: Counter[str] = Counter()
    for one, seconds in done:
        rows[one.feed] += one.rows
        cpu[one.feed] += seconds
    written = [each.is_new for one, _ in done for each in one.written]
    sums = {one.name: sum(getattr(each, one.name) for each in facts) for one in fields(Facts)}
    summary = Summary(Facts(**sums), n_villages, sum(written), len(written) - sum(written),
                      dict(sorted(rows.items())), dict(cpu), faults)  # fmt: skip
    line = income_line(told.area, told.last)
    about = {name: value for name, value in asdict(told).items() if value is not None}
    notes = {"meta": about | {"line_cny": line, "counts": summary.lasting()}, "faults": faults}
    truth.write_notes(out / "truth", notes)
    return summary


def retired(county: County) -> list[str]:
    """Return the codes of villages that have ended."""
    areas = county.places.areas
    return sorted(areas.loc[areas["valid_to"].notna() & (areas["level"] == "village"), "area_code"])
