"""Data sessions: what smartphones fetch and send on one local day, and where they are then."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from synth.figures import Figures, stream
from synth.operator import columns
from synth.operator.behaviour import month_spread
from synth.operator.cells import NO_CELL
from synth.operator.network import Network
from synth.operator.overlap import by_second, free
from synth.operator.records import (
    DAYS_A_MONTH,
    DRAWN_AT_ONCE,
    HELD_AT_ONCE,
    LEVELS,
    hour_table,
    located,
    party,
)
from synth.operator.whereabouts import DAY_S, plan

LONGEST_S = 14_400
# How much of a heavy user's data is more sessions, the rest being larger ones; and how unlike the
# sessions of one user are: deviations of logarithms.
BY_SESSIONS, SIZE_SPREAD, UP_SPREAD = 0.25, 0.9, 0.5


@dataclass(frozen=True)
class Sessions:
    """Sessions of one day and county, one array element each; `number` is of the network."""

    second: np.ndarray
    number: np.ndarray
    duration_s: np.ndarray
    up_bytes: np.ndarray
    down_bytes: np.ndarray
    cell: np.ndarray

    def __len__(self) -> int:
        return len(self.second)


def sessions(net: Network, day: date, seed: int, given: Figures) -> Iterator[Sessions]:
    """Yield a day's sessions in the order of time, a piece at a time; no number has two at once."""
    rng, told = stream(seed, "sessions", net.county, day), given["phones"]
    second, number, duration = _drawn(net, day, rng, told)
    where, until = plan(net, day, seed, given), np.zeros(len(net), dtype=np.int32)
    size = _session_bytes(net, day, seed, told)
    order = by_second(second)
    for low in range(0, max(1, len(order)), HELD_AT_ONCE):
        some = order[low : low + HELD_AT_ONCE]
        start, whose, lasts = second[some], number[some], duration[some]
        cell, is_settled = where.locate(whose, start)
        is_free = free(whose[:, None], start, start + lasts, until)
        kept = np.flatnonzero(is_settled & is_free)
        cell[rng.random(len(cell), dtype=np.float32) >= told["data"]["located"]] = NO_CELL
        noise = SIZE_SPREAD * rng.standard_normal(len(kept), dtype=np.float32)
        total = size[whose[kept]] * np.exp(noise - SIZE_SPREAD**2 / 2)
        up = told["data"]["up_share"] * np.exp(UP_SPREAD * rng.standard_normal(len(kept)))
        sent = total * np.minimum(up, 0.9)
        yield Sessions(
            start[kept], whose[kept], lasts[kept], sent.astype(np.int64),
            (total - sent).astype(np.int64), cell[kept],
        )  # fmt: skip


def month_mb(net: Network, day: date, seed: int, told: Figures) -> np.ndarray:
    """Return the data of each number in the month of a day, MB: its own level, and the month."""
    noise = stream(seed, "data", net.county, f"{day:%Y-%m}").normal(size=len(net))
    data = told["data"]
    return net.who["mb"] * np.exp(month_spread(data) * np.sqrt(1 - data["lasting"]) * noise)


def _rate(net: Network, told: Figures) -> np.ndarray:
    """Return sessions a day of each number."""
    data = told["data"]
    spread = BY_SESSIONS * month_spread(data)
    more = (net.who["mb"] / data["p50_mb"]) ** BY_SESSIONS / np.exp(spread**2 / 2)
    return more * data["sessions_a_month"] / DAYS_A_MONTH


def _session_bytes(net: Network, day: date, seed: int, told: Figures) -> np.ndarray:
    """Return the mean size of a session of each number in the month of a day."""
    return month_mb(net, day, seed, told) * 1e6 / (DAYS_A_MONTH * _rate(net, told))


def _drawn(
    net: Network, day: date, rng: np.random.Generator, told: Figures
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return second, number and length of the sessions that begin in a day."""
    who = net.who
    rate = _rate(net, told) * (net.is_served(day) & who["is_smartphone"])
    hours = hour_table(told)
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    mean, spread = told["data"]["session_s"], told["data"]["session_spread"]
    for low in range(0, len(net), DRAWN_AT_ONCE):
        some = np.arange(low, min(low + DRAWN_AT_ONCE, len(net)), dtype=np.int32)
        one = np.repeat(some, rng.poisson(rate[some]))
        level = rng.integers(LEVELS, size=len(one), dtype=np.uint16)
        second = hours[who["late"][one], level].astype(np.int32) * 3600
        second += rng.integers(3600, size=len(one), dtype=np.int32)
        noise = spread * rng.standard_normal(len(one), dtype=np.float32)
        length = np.rint(mean * np.exp(noise - spread**2 / 2)).clip(1, LONGEST_S)
        parts.append((second, one, np.minimum(length, DAY_S - second).astype(np.int32)))
    second, number, length = (np.concatenate(each) for each in zip(*parts, strict=True))
    return second, number, length


def session_part(net: Network, day: date, seed: int, given: Figures) -> Iterator[pa.Table]:
    """Yield a county's sessions of a day as tables under the heads of the feed data_session."""
    for some in sessions(net, day, seed, given):
        yield pa.table(
            {
                "subscriber": party(net, some.number, seed, given),
                "cell": located(net, some.cell),
                "started_at": columns.moments(day, some.second),
                "duration_s": pa.array(some.duration_s),
                "up_bytes": pa.array(some.up_bytes),
                "down_bytes": pa.array(some.down_bytes),
            }
        )
