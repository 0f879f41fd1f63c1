"""Calls and messages: who is in touch with whom, and what passes on one day."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures, stream
from synth.people.identity import phone_numbers
from synth.places.outline import kilometres
from synth.places.places import Places

# What a contact is, the closest first, and the share of each among contacts within the network.
HOUSEHOLD, VILLAGE, TOWN, COUNTY, OTHER_OPERATOR = range(5)
SHARES = np.array([0.12, 0.52, 0.21, 0.15])
# Contacts of like wealth: how far down the ranks a contact is looked for.
REACH = {VILLAGE: 0.25, TOWN: 0.20, COUNTY: 0.10}
# Where people are by day: at home, at the town's mast, at the county seat's.
BY_DAY = np.array([0.74, 0.17, 0.09])
DAY = range(7, 19)


@dataclass(frozen=True)
class Network:
    """Everything that does not change from day to day.

    numbers: those of subscribers, then of other operators. contact lists the contacts of
    subscriber i from begins[i] to begins[i] + size[i], the most frequent first. home, town, seat:
    cells of a subscriber by row of the frame of cells.
    """

    numbers: np.ndarray
    contact: np.ndarray
    begins: np.ndarray
    size: np.ndarray
    activity: np.ndarray
    text_share: np.ndarray
    is_away: np.ndarray
    where: np.ndarray
    cell_id: np.ndarray


def network(
    owners: pd.DataFrame, masts: pd.DataFrame, places: Places, seed: int, given: Figures
) -> Network:
    """Return who is in touch with whom, where each lives, and how much each calls."""
    rng = stream(seed, "network")
    figures, n = given["phones"], len(owners)
    wealth, age = owners["wealth"].to_numpy(), owners["age"].to_numpy()
    size = 2 + rng.poisson((figures["contacts"] - 2) * np.exp(0.25 * wealth))
    owner = np.repeat(np.arange(n), size)
    kind = _kinds(owners, owner, rng, figures["off_net"])
    others = max(1, n // 2)
    contact = np.empty(len(owner), dtype=np.int64)
    town = places.villages["town_code"].astype("category").cat.codes.to_numpy()
    village = owners["village"].to_numpy()
    groups = {VILLAGE: village, TOWN: town[village], COUNTY: np.zeros(n, dtype=int)}
    for which, group in groups.items():
        mine = kind == which
        contact[mine] = _alike(owner[mine], group, wealth, REACH[which], rng)
    kin = kind == HOUSEHOLD
    contact[kin] = _kin(owner[kin], owners["household"].to_numpy(), rng)
    off = kind == OTHER_OPERATOR
    contact[off] = n + rng.integers(others, size=off.sum())
    # Those of the household and village come first, more or less, and are called most.
    order = np.lexsort((kind + 2.5 * rng.random(len(kind)), owner))
    spread = figures["activity"]["spread"]
    slower = np.exp(-0.015 * np.abs(age - 32))
    log = figures["activity"]["wealth"] * wealth + rng.normal(0, spread, n)
    return Network(
        numbers=np.concatenate(
            [owners["phone"], phone_numbers(figures["other_prefix"], others, rng)]
        ),
        contact=contact[order],
        begins=np.cumsum(size) - size,
        size=size,
        activity=figures["events_a_day"] * _mean_one(np.exp(log) * slower),
        text_share=np.clip(figures["text_share"] * (1.8 - age / 50), 0.03, 0.6),
        is_away=owners["is_away"].to_numpy(),
        where=_where(owners, masts, places, rng),
        cell_id=masts["cell_id"].to_numpy(),
    )


def day_of_calls(net: Network, day: date, seed: int, given: Figures) -> pd.DataFrame:
    """Return one local day's records, with the columns of the feed cdr."""
    rng = stream(seed, "calls", day)
    figures = given["phones"]
    n_events = rng.poisson(net.activity * (1.1 if day.weekday() >= 5 else 0.96))
    one = np.repeat(np.arange(len(n_events)), n_events)
    picked = (net.size[one] * rng.random(len(one)) ** 1.8).astype(int)
    other = net.contact[net.begins[one] + picked]
    # Other operators' customers call too: half of what passes with them came from them.
    turned = (other >= len(n_events)) & (rng.random(len(one)) < 0.5)
    caller, recipient = np.where(turned, other, one), np.where(turned, one, other)
    hours = np.array(figures["hours"], dtype=float)
    hour = rng.choice(24, size=len(one), p=hours / hours.sum())
    second = hour * 3600 + rng.integers(3600, size=len(one))
    is_text = rng.random(len(one)) < net.text_share[one]
    spread = figures["call_spread"]
    length = np.exp(rng.normal(np.log(figures["call_s"]) - spread**2 / 2, spread, len(one)))
    made = pd.DataFrame(
        {
            "event_kind": np.where(is_text, "text", "call"),
            "caller_id": net.numbers[caller],
            "recipient_id": net.numbers[recipient],
            "started_at": np.datetime64(day, "s") + second.astype("timedelta64[s]"),
            "duration_s": pd.array(length.clip(1, 7200).astype(int), dtype="Int64"),
            "caller_cell_id": _cell(net, caller, hour, rng, figures["located"]),
            "recipient_cell_id": _cell(net, recipient, hour, rng, figures["located"]),
        }
    )
    made["duration_s"] = made["duration_s"].mask(is_text)
    key = ["started_at", "caller_id", "recipient_id", "event_kind"]
    made = made[caller != recipient].sort_values(key, kind="stable")
    return made[~made.duplicated(key)].reset_index(drop=True)


def _kinds(
    owners: pd.DataFrame, owner: np.ndarray, rng: np.random.Generator, off_net: float
) -> np.ndarray:
    """Return what each contact is; nobody at home has a number: it is one of the village."""
    kind = rng.choice(4, size=len(owner), p=SHARES / SHARES.sum())
    alone = ~owners["household"].duplicated(keep=False).to_numpy()
    kind[(kind == HOUSEHOLD) & alone[owner]] = VILLAGE
    kind[rng.random(len(owner)) < off_net] = OTHER_OPERATOR
    return kind


def _alike(
    owner: np.ndarray, group: np.ndarray, wealth: np.ndarray, reach: float, rng: np.random.Generator
) -> np.ndarray:
    """Return for each owner somebody of its group, the likelier the nearer in wealth."""
    ranked = np.lexsort((wealth, group))
    place = np.empty(len(ranked), dtype=np.int64)
    place[ranked] = np.arange(len(ranked))
    size = np.bincount(group)
    first = np.cumsum(size) - size
    own = group[owner]
    step = np.rint(rng.normal(0, 1, len(owner)) * np.maximum(1, reach * size[own])).astype(int)
    step = np.where(step == 0, 1, step)
    found = first[own] + (place[owner] - first[own] + step) % size[own]
    return ranked[found]


def _kin(owner: np.ndarray, household: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return another number of the owner's household. Owners are in order of household."""
    size = np.bincount(household)
    first = np.cumsum(size) - size
    own = household[owner]
    step = 1 + (rng.random(len(owner)) * (size[own] - 1)).astype(int)
    return first[own] + (owner - first[own] + step) % size[own]


def _where(
    owners: pd.DataFrame, masts: pd.DataFrame, places: Places, rng: np.random.Generator
) -> np.ndarray:
    """Return three cells of each subscriber: home, the town's mast, the county seat's.

    Home is the nearest mast in service; where it carries two cells, one of them for good.
    """
    working = np.flatnonzero(masts["valid_to"].isna())
    villages = places.villages
    middle = float(villages["lat"].mean())
    at = kilometres(villages["lon"].to_numpy(), villages["lat"].to_numpy(), middle)
    mast = kilometres(masts["lon"].to_numpy(), masts["lat"].to_numpy(), middle)[working]
    apart = ((at[:, None, :] - mast[None, :, :]) ** 2).sum(axis=2)
    nearest, second = np.argsort(apart, axis=1, kind="stable")[:, :2].T
    same_site = masts["site_id"].to_numpy()[working]
    may = same_site[nearest] == same_site[second]
    village = owners["village"].to_numpy()
    takes_second = may[village] & (rng.random(len(owners)) < 0.5)
    home = np.where(takes_second, second[village], nearest[village])
    # The town's first mast was put in its largest village, and the seat's town comes first.
    town = villages["town_code"].to_numpy()
    mast_town = town[masts["village"].to_numpy()[working]]
    of_town = {code: int(np.flatnonzero(mast_town == code)[0]) for code in np.unique(mast_town)}
    seat = of_town.get(town[0], 0)
    main = np.array([of_town.get(code, seat) for code in town])[village]
    return working[np.column_stack([home, main, np.full(len(owners), seat)])]


def _cell(
    net: Network, who: np.ndarray, hour: np.ndarray, rng: np.random.Generator, located: float
) -> np.ndarray:
    """Return the cell of each party; none for other operators', those away, and a few."""
    is_ours = who < len(net.is_away)
    ours = np.where(is_ours, who, 0)
    by_day = (hour >= DAY.start) & (hour < DAY.stop)
    stays = np.where(by_day, BY_DAY[0], 0.96)
    u = rng.random(len(who))
    place = np.select([u < stays, u < stays + (1 - stays) * 0.65], [0, 1], 2)
    cell = net.cell_id[net.where[ours, place]]
    known = is_ours & ~net.is_away[ours] & (rng.random(len(who)) < located)
    return np.where(known, cell, None)


def _mean_one(values: np.ndarray) -> np.ndarray:
    return values / values.mean()
