"""A synthetic county: what departments and the operator would deliver, and the truth.

    from synth.county import make
    make(Path(".bangfu/landing"), people=40_000)

Nothing here is about real people. Places, the outline and the figures in conf/synth.toml are
real; positions of towns and villages, people, incomes, numbers and calls are made up.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lakehouse.errors import UsageError
from lakehouse.feed import feed
from synth import truth as truths
from synth.deliver.faults import LEVELS, Faults
from synth.deliver.files import write
from synth.figures import Figures, figures
from synth.lives.lives import Lives
from synth.operator.calls import day_of_calls, network
from synth.operator.phones import cells, subscribers
from synth.people.population import Population
from synth.plan import Block, Told
from synth.town import prepared, town
from synth.places.places import Places, places
from synth.state.cards import Cards, cards
from synth.state.projects import projects
from synth.state.survey import consumption_survey

FEWEST_PEOPLE = 200
# Registers arrive some days after their month, a day's calls on the next morning.
DAYS_AFTER = 5

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Summary:
    """What was made. Shares are of people on the register; `rows` counts those of right files."""

    people: int
    households: int
    rural_households: int
    villages: int
    subscribers: int
    poor_share: float
    consumption_poor_share: float
    candidates: int
    listed: int
    surveyed: int
    deliveries_written: int = 0
    deliveries_left: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    faults: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class County:
    """Everything about the county before it is written."""

    places: Places
    who: Population
    life: Lives
    owners: pd.DataFrame
    listed: Cards
    survey: pd.DataFrame
    given: Figures = field(repr=False)


def make(
    out: Path,
    *,
    area: str = "211223",
    people: int = 40_000,
    as_of: date = date(2015, 12, 31),
    days: int = 5,
    seed: int = 1,
    faults: str = "none",
    progress: Tell | None = None,
    truth: Path | None = None,
) -> Summary:
    """Write a county's deliveries under `out` and the truth beside it (or under `truth`).

    The same arguments give the same bytes. A delivery that is there already, complete and the
    same, is left alone. Raises UsageError for arguments that make no county.
    """
    if faults not in LEVELS:
        raise UsageError(f"faults={faults!r}: known are {', '.join(LEVELS)}.")
    if people < FEWEST_PEOPLE or days < 0:
        raise UsageError(f"people={people}, days={days}: at least {FEWEST_PEOPLE} people, 0 days.")
    tell = progress or (lambda _: None)
    county = imagine(area, people, as_of, seed, tell)
    wrong = _faults(county, faults, seed)
    n_written: Counter[bool] = Counter()
    rows: Counter[str] = Counter()
    for name, period, arrival, frame in _frames(county, as_of, days, seed, tell):
        rows[name] += len(frame)
        for one in wrong.deliver(frame, feed(name), period, arrival.isoformat()):
            n_written[write(Path(out), one)] += 1
    summary = _summary(county, n_written, rows, wrong)
    told = {"area": area, "people": people, "as_of": as_of, "days": days, "seed": seed}
    truths.write(
        truth or Path(out).parent / "truth",
        {
            "household": truths.households(county.life, county.listed, county.survey),
            "subscriber_home": truths.subscriber_homes(county.owners, county.places),
        },
        {
            "meta": {**told, "faults": faults, "line_cny": county.life.line_cny}
            | {"counts": _lasting(summary)},
            "faults": wrong.told(),
        },
    )
    tell("done")
    return summary


def imagine(area: str, people: int, as_of: date, seed: int, tell: Tell) -> County:
    """Return the county: places, people, how they live, who is listed, who is asked."""
    given = figures(area)
    first = as_of.replace(day=1)
    told = Told(area=area, people=people, first=first, months=1, seed=seed)
    tell("places")
    where = places(area, people, as_of, seed, given)
    tell("people")
    of = prepared(told, where, people, given)
    everywhere = np.arange(len(where.villages))
    made = town(of, Block(area, where.villages["town_code"][0], everywhere, people, 0, 0, 1))
    who, life = made.who, made.life
    owners = subscribers(who, life, seed, given)
    tell("cards")
    listed = cards(who, where, life, owners, as_of, seed, given)
    town_of = where.villages.set_index("village_code")["town_code"]
    survey = consumption_survey(who, life.homes, town_of, as_of, seed, given)
    return County(where, who, life, owners, listed, survey, given)


def _frames(
    county: County, as_of: date, days: int, seed: int, tell: Tell
) -> Iterator[tuple[str, str, date, pd.DataFrame]]:
    """Yield feed, period, day of arrival and rows; a day's calls are made when asked for."""
    masts = cells(county.places, len(county.who.people), as_of, seed, county.given)
    projects_of = projects(county.places, county.life.homes, as_of, seed, county.given)
    month, arrival = f"{as_of:%Y-%m}", as_of + timedelta(days=DAYS_AFTER)
    for name, rows in {
        "area": county.places.areas,
        "person_register": _register(county),
        "household_card": county.listed.household,
        "member_card": county.listed.member,
        "consumption_survey": county.survey,
        "roster": county.listed.roster,
        "project": projects_of,
        "cell": masts,
    }.items():
        tell(name)
        yield name, month, arrival, rows
    net = network(county.owners, masts, county.places, seed, county.given)
    for ago in reversed(range(days)):
        day = as_of - timedelta(days=ago)
        tell(f"cdr {day}")
        yield (
            "cdr",
            day.isoformat(),
            day + timedelta(days=1),
            day_of_calls(net, day, seed, county.given),
        )


def _register(county: County) -> pd.DataFrame:
    people, homes = county.who.people, county.life.homes
    return people.assign(
        household_id=homes["household_id"].to_numpy()[people["household"]],
        village_code=homes["village_code"].to_numpy()[people["household"]],
        sex=np.where(people["is_male"], "male", "female"),
    )


def _faults(county: County, level: str, seed: int) -> Faults:
    """Return the faults to put in: only into people and cards that no answer hangs on."""
    people, areas = county.who.people, county.places.areas
    asked = np.isin(county.life.homes["household"], county.survey["household"])
    needed = (county.listed.is_candidate | asked)[people["household"]]
    not_head = (people["relation"] != "head").to_numpy()
    off_list = ~county.listed.is_listed[county.listed.household.index]
    ended = areas[areas["valid_to"].notna() & (areas["level"] == "village")]
    return Faults(
        level,
        seed,
        unknown_village=f"{county.places.area}999999",
        retired_villages=sorted(ended["area_code"]),
        may_spoil={
            "person_register": not_head & ~needed,
            "household_card": off_list,
        },
    )


def _summary(
    county: County, n_written: Counter[bool], rows: Counter[str], wrong: Faults
) -> Summary:
    homes = county.life.homes
    size = homes["n_members"]
    return Summary(
        people=len(county.who.people),
        households=len(homes),
        rural_households=int(homes["is_rural"].sum()),
        villages=len(county.places.villages),
        subscribers=len(county.owners),
        poor_share=round(float(np.average(homes["is_poor"], weights=size)), 4),
        consumption_poor_share=round(
            float(np.average(homes["is_poor_by_consumption"], weights=size)), 4
        ),
        candidates=int(county.listed.is_candidate.sum()),
        listed=int(county.listed.is_listed.sum()),
        surveyed=len(county.survey),
        deliveries_written=n_written[True],
        deliveries_left=n_written[False],
        rows=dict(rows),
        faults=wrong.told(),
    )


def _lasting(summary: Summary) -> dict[str, Any]:
    """Return what a second run with the same arguments says as well."""
    told = asdict(summary)
    for name in ("deliveries_written", "deliveries_left", "faults"):
        del told[name]
    return told
