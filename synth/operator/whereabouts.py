"""Where people are on one day: a plan of two places that leaves time for the way between them.

The plan follows from the day alone, so that calls, messages and data sessions, made apart, find
the same person in the same place; and all numbers of a person go with that person.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from lakehouse.errors import InputMissing
from synth.figures import Figures, stream
from synth.operator.cells import NO_CELL, Service
from synth.operator.network import Network

DAY_S, NEVER, BITS = 86_400, 131_071, 17
TOWN, SEAT, ELSEWHERE = 1, 2, 3
ONE_DAY = timedelta(days=1)
# On the way at this speed, and some minutes for setting out. A test allows twice the speed.
KM_AN_HOUR, SETTING_OUT_S = 60, 300
# Until when a phone is not located on a day on which its home came under another cell.
HANDED_OVER_S = 10_800


@dataclass(frozen=True)
class Plan:
    """Where each number is, strangers' included: in one cell until `t1`, after the way in another
    until `t2`, after the way back in the first again.

    times packs t1, t2 and the seconds of the way; places the two cells.
    """

    times: np.ndarray
    places: np.ndarray

    def locate(self, number: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the cells of numbers at seconds of the day, and who is not on the way."""
        times, places = self.times.take(number), self.places.take(number)
        t1, t2, way = times & NEVER, (times >> BITS) & NEVER, times >> (2 * BITS)
        there = (second >= t1 + way) & (second < t2)
        settled = there | (second < t1) | (second >= t2 + way)
        cell = np.where(there, places >> 16, places & 0xFFFF).astype(np.uint16)
        return cell, settled


def plan(net: Network, day: date, seed: int, given: Figures) -> Plan:
    """Return the plans of a day."""
    told, now = given["phones"], net.cover.service(day)
    then = net.cover.service(day - ONE_DAY)
    village, pick = np.array(net.who["village"]), np.array(net.who["pick"])
    home, before = now.home(village, pick), then.home(village, pick)
    today = _outing(net, day, seed, told)
    yesterday = _outing(net, day - ONE_DAY, seed, told)
    # Nobody set out on a day on which the network changed about their home, as below.
    earlier = net.cover.service(day - 2 * ONE_DAY).home(village, pick)
    stayed = yesterday.overnight & (before == earlier)
    goes = today.goes & ~stayed
    there = yesterday.cell(then, village)
    first = np.where(stayed, np.where(now.works[there], there, NO_CELL), home)
    second = np.where(goes, today.cell(now, village), home)
    t1 = np.select([stayed, goes], [yesterday.back - DAY_S, today.out], NEVER)
    t2 = np.where(goes & ~today.overnight, today.back, NEVER)
    # Where the network changed about somebody's home, it is the cell that moves, not the person.
    moved = (home != before) & ~stayed
    is_away = _is_away(net, day, told)
    travels = is_away != _is_away(net, day - ONE_DAY, told)
    first = np.select([travels | moved, is_away], [NO_CELL, _workplace(net, now, told)], first)
    second = np.where(moved, home, second)
    t1 = np.select([travels | is_away, moved], [NEVER, HANDED_OVER_S], t1)
    t2 = np.where(moved, NEVER, t2)
    return _packed(net, now, (first, second), (t1, t2))


def _packed(
    net: Network, now: Service, cells: tuple[np.ndarray, ...], turns: tuple[np.ndarray, ...]
) -> Plan:
    first, second = (each.astype(np.int64) for each in cells)
    km = now.km(first, second)
    way = np.where(first == second, 0, SETTING_OUT_S + km * 3600 / KM_AN_HOUR).astype(np.int64)
    t1, t2 = (each.astype(np.int64) for each in turns)
    carrier = np.array(net.who["carrier"])
    strangers = net.groups["abroad"].stop - len(net)
    times = (t1 | t2 << BITS | way << (2 * BITS))[carrier]
    places = (first | second << 16).astype(np.uint32)[carrier]
    return Plan(
        np.concatenate([times, np.full(strangers, NEVER, dtype=np.int64)]),
        np.concatenate([places, np.full(strangers, NO_CELL, dtype=np.uint32)]),
    )


@dataclass(frozen=True)
class Outing:
    """Who leaves home on a day, when, whereto, and back when: seconds of that day.

    to: 1 the town, 2 the county's seat, 3 elsewhere (the `which`-th cell there). Those who stay
    overnight are back on the next day.
    """

    goes: np.ndarray
    overnight: np.ndarray
    out: np.ndarray
    back: np.ndarray
    to: np.ndarray
    which: np.ndarray

    def cell(self, service: Service, village: np.ndarray) -> np.ndarray:
        """Return the cell that each goes to."""
        town = np.where(self.to == TOWN, service.town_cell[village], service.seat)
        if not len(service.away):
            return town
        return np.where(self.to == ELSEWHERE, service.away[self.which % len(service.away)], town)


def _outing(net: Network, day: date, seed: int, told: Figures) -> Outing:
    """Draw who goes out: to work on working days, now and then for a night, or for some hours.

    Whoever goes far leaves early: there is time for 700 km before midnight.
    """
    rng, n = stream(seed, "outings", net.county, day), len(net)
    goes, out, length, to = rng.random((4, n), dtype=np.float32)
    which = rng.integers(1 << 16, size=n, dtype=np.uint16)
    works = np.array(net.who["works"])
    works = (works > 0) & (day.weekday() < 5) & (goes < told["at_work"])
    is_his_day = (day.toordinal() + net.who["pick"].astype(np.int64)) % 7 == 0
    overnight = is_his_day & (goes < told["overnight"]) & ~works
    trip = (goes < net.who["trips"]) & ~works & ~overnight
    of_trip, of_night = (np.cumsum(told[name]) for name in ("trip_to", "night_to"))
    far = 1 + np.where(overnight, np.digitize(to, of_night), np.digitize(to, of_trip)).clip(max=2)
    to = np.where(works, net.who["works"], far)
    late = to == ELSEWHERE
    hours = [overnight, works, late]
    leaves = np.select(hours, [13 + 5 * out, 6.5 + 2 * out, 6 + 1.5 * out], 7 + 7.5 * out)
    returns = np.select(
        hours, [31 + 4 * length, 16.5 + 2.5 * length, 15 + 3 * length], leaves + 1.2 + 5 * length
    )
    return Outing(
        works | overnight | trip, overnight, (leaves * 3600).astype(np.int64),
        (returns * 3600).astype(np.int64), to, which,
    )  # fmt: skip


def _is_away(net: Network, day: date, told: Figures) -> np.ndarray:
    """Tell who is at work elsewhere on a day; about the New Year they are at home.

    Raises InputMissing for a year whose New Year is not known.
    """
    by_year = {each.year: each for each in told["new_year"]}
    if day.year not in by_year:
        raise InputMissing(
            f"conf/synth.toml [phones] new_year has no day for {day.year}. Enter it there."
        )
    pick, to_go = net.who["pick"].astype(np.int64), (by_year[day.year] - day).days
    at_home = (to_go <= 4 + pick % 12) & (to_go >= -6 - pick // 20)
    return net.has_month_away(day) & ~at_home


def _workplace(net: Network, now: Service, told: Figures) -> np.ndarray:
    """Return the cells of those who work elsewhere: none where that is out of the network."""
    n_there = len(net.cover.cell_id) - net.cover.n_own
    pick = net.who["pick"].astype(np.int64)
    if not n_there:
        return np.full(len(net), NO_CELL)
    row = net.cover.n_own + pick * 7919 % n_there
    return np.where((pick < 256 * told["away"]["within"]) & now.works[row], row, NO_CELL)
