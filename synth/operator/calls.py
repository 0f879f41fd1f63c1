"""Calls and messages: what passes on one local day between a county's numbers and the world.

A day is made in one go from the network: who starts how much, with whom, when; then in order of
time, what cannot be falls away: somebody on the way between two places, or talking already.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import pyarrow as pa

from synth.figures import Figures, stream
from synth.operator import columns
from synth.operator.cells import NO_CELL
from synth.operator.network import Network
from synth.operator.overlap import by_second, free
from synth.operator.records import (
    DAYS_A_MONTH,
    DRAWN_AT_ONCE,
    HELD_AT_ONCE,
    LEVELS,
    hour_table,
    length_table,
    located,
    party,
)
from synth.operator.whereabouts import DAY_S, Plan, plan

WEEKEND, WORKING_DAY = 1.10, 0.96
# Rows of a table, at least, but for the last.
ROWS_AT_ONCE = 1 << 20
DOMESTIC, INTERNATIONAL, OTHER = range(3)
SCOPES = ["domestic", "international", "other"]
KINDS = ["call", "text"]
# Answers to a message, and answers to those.
ANSWERS = 3
# Records that come of one event that somebody starts: answers come in, clashes go. Measured; a
# test holds the mean.
RECORDS_A_START = 1.055


@dataclass(frozen=True)
class Events:
    """Records of one day and county, one array element each.

    caller and recipient are numbers of the network; a cell is a row of its cover, NO_CELL for
    none. A message has duration 0.
    """

    second: np.ndarray
    caller: np.ndarray
    recipient: np.ndarray
    is_text: np.ndarray
    duration_s: np.ndarray
    scope: np.ndarray
    caller_cell: np.ndarray | None = None
    recipient_cell: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.second)

    def at(self, which: np.ndarray) -> "Events":
        """Return some of the records."""
        return Events(*(None if each is None else each[which] for each in _arrays(self)))


def _arrays(one: Events) -> list[np.ndarray | None]:
    return [getattr(one, field.name) for field in fields(one)]


def joined(parts: list[Events]) -> Events:
    """Return the records of several parts, one part after the other."""
    pieces = zip(*(_arrays(part) for part in parts), strict=True)
    return Events(*(None if each[0] is None else np.concatenate(each) for each in pieces))


def events(net: Network, day: date, seed: int, given: Figures, a_month: float) -> Iterator[Events]:
    """Yield a day's calls and messages in the order of time, a piece at a time.

    On the average there are `a_month` records a number and month. Of one person, no two last at
    the same time, whatever the number; where both ends of a way are seen, there is time for it.
    """
    rng, told = stream(seed, "calls", net.county, day), given["phones"]
    drawn = _drawn(net, day, rng, told, a_month)
    where, n = plan(net, day, seed, given), net.groups["abroad"].stop
    carrier = np.arange(n, dtype=np.int32)
    carrier[: len(net)] = net.who["carrier"]
    until = np.zeros(n, dtype=np.int32)
    order = by_second(drawn.second)
    for low in range(0, max(1, len(order)), HELD_AT_ONCE):
        some = drawn.at(order[low : low + HELD_AT_ONCE])
        yield _held(some, where, carrier, until, rng, told)


def _held(
    some: Events, where: Plan, carrier: np.ndarray, until: np.ndarray, rng: np.random.Generator,
    told: Figures,
) -> Events:  # fmt: skip
    """Return what can be of some records, with the cells; brings `until` up to date."""
    caller_cell, is_settled = where.locate(some.caller, some.second)
    recipient_cell, is_there = where.locate(some.recipient, some.second)
    # Who is on the way takes no call.
    could = np.flatnonzero(is_settled & is_there)
    some, caller_cell, recipient_cell = some.at(could), caller_cell[could], recipient_cell[could]
    lost = rng.integers(LEVELS, size=(2, len(some)), dtype=np.uint16) >= told["located"] * LEVELS
    caller_cell[lost[0]] = NO_CELL
    recipient_cell[lost[1]] = NO_CELL
    parties = np.stack([carrier.take(some.caller), carrier.take(some.recipient)], axis=1)
    lasts = np.where(some.is_text, 1, some.duration_s)
    is_free = free(parties, some.second, some.second + lasts, until)
    first = [each for each in _arrays(some)[:-2] if each is not None]
    return Events(*(each[is_free] for each in [*first, caller_cell, recipient_cell]))


# -- drawing -------------------------------------------------------------------------------


def _drawn(
    net: Network, day: date, rng: np.random.Generator, told: Figures, a_month: float
) -> Events:
    """Draw what the numbers in service start in a day."""
    who, served = net.who, net.is_served(day)
    a_day = a_month / DAYS_A_MONTH * (WEEKEND if day.weekday() >= 5 else WORKING_DAY)
    rate = who["activity"] * served * (a_day / RECORDS_A_START)
    is_live = np.append(served, np.ones(net.groups["abroad"].stop - len(net), dtype=bool))
    hours, lengths = hour_table(told), length_table(told)
    parts = []
    for low in range(0, len(net), DRAWN_AT_ONCE):
        some = np.arange(low, min(low + DRAWN_AT_ONCE, len(net)), dtype=np.int32)
        one = np.repeat(some, rng.poisson(rate[some]))
        started = _started(net, one, rng, told, (hours, lengths))
        started = started.at(is_live[started.caller] & is_live[started.recipient])
        parts += [started, *_answers(started, rng, told)]
    return joined(parts)


def _started(
    net: Network, one: np.ndarray, rng: np.random.Generator, told: Figures,
    tables: tuple[np.ndarray, np.ndarray],
) -> Events:  # fmt: skip
    """Draw the other party, the time, kind and length of what some numbers start."""
    n, who = len(one), net.who[one[0] : one[-1] + 1] if len(one) else net.who[:0]
    own = one - (one[0] if n else 0)
    bits = rng.integers(0, 1 << 64, size=2 * n, dtype=np.uint64).view(np.uint16).reshape(8, n)
    second = tables[0][who["late"][own], bits[0]].astype(np.int32) * 3600
    second += (bits[1].astype(np.uint32) * 3600 >> 16).astype(np.int32)
    is_text = bits[2] < (who["text_share"] * LEVELS)[own]
    # The first of the contacts are called most: the square of what is drawn evenly.
    place = bits[3].astype(np.uint32)
    place = (place * place >> 16) * who["n_contacts"][own] >> 16
    other = net.contact[net.starts[one] + place].astype(np.int32)
    passing = np.flatnonzero(bits[4] < told["passing"] * LEVELS)
    abroad = bits[5][passing] < (who["abroad"] * LEVELS)[own[passing]]
    kind = np.where(is_text[passing], OTHER, np.where(abroad, INTERNATIONAL, DOMESTIC))
    scope = np.zeros(n, dtype=np.uint8)
    scope[passing] = kind
    for which, name in ((DOMESTIC, "stranger"), (INTERNATIONAL, "abroad"), (OTHER, "service")):
        those, group = passing[kind == which], net.groups[name]
        other[those] = rng.integers(group.start, group.stop, size=len(those), dtype=np.int32)
    # Of what passes between two, one starts as much as the other; nobody writes to a service.
    turned = ((bits[6] & 1) == 1) | (scope == OTHER)
    length = np.where(is_text, 0, tables[1][who["talk"][own], bits[7]])
    return Events(
        second, np.where(turned, other, one), np.where(turned, one, other), is_text,
        np.minimum(length, DAY_S - second).astype(np.uint16), scope,
    )  # fmt: skip


def _answers(started: Events, rng: np.random.Generator, told: Figures) -> Iterator[Events]:
    """Yield answers to messages between people, and answers to those."""
    written = started.at(started.is_text & (started.scope == DOMESTIC))
    for _ in range(ANSWERS):
        answered = rng.random(len(written)) < told["answers"]
        written = written.at(answered)
        after = rng.exponential(told["answer_s"], len(written)).astype(np.int32)
        second = written.second + 4 + after
        turned = Events(second, written.recipient, written.caller, *_arrays(written)[3:])
        written = turned.at(second < DAY_S)
        yield written


# -- as delivered --------------------------------------------------------------------------


def day_part(
    net: Network, day: date, seed: int, given: Figures, a_month: float
) -> Iterator[pa.Table]:
    """Yield a county's records of a day as tables under the heads of the feed cdr, and `scope`.

    Text is dictionaries over bytes, which a Parquet writer writes as it is.
    """
    waiting: list[Events] = []
    for some in events(net, day, seed, given, a_month):
        waiting.append(some)
        if sum(map(len, waiting)) >= ROWS_AT_ONCE:
            yield table(net, day, joined(waiting), seed, given)
            waiting = []
    if waiting:
        yield table(net, day, joined(waiting), seed, given)


def table(net: Network, day: date, some: Events, seed: int, given: Figures) -> pa.Table:
    """Return records as a table of text under the heads of the source; lengths are numbers."""
    return pa.table(
        {
            "kind": columns.coded(some.is_text.astype(np.int8), pa.array(KINDS)),
            "caller": party(net, some.caller, seed, given),
            "recipient": party(net, some.recipient, seed, given),
            "started_at": columns.moments(day, some.second),
            "duration_s": pa.array(some.duration_s.astype(np.int32), mask=some.is_text),
            "caller_cell": located(net, some.caller_cell),
            "recipient_cell": located(net, some.recipient_cell),
            "scope": columns.coded(some.scope.astype(np.int8), pa.array(SCOPES)),
        }
    )
