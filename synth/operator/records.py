"""What records of calls and of data have in common: times, lengths, numbers and cells as text."""

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from synth.figures import Figures
from synth.operator import columns
from synth.operator.behaviour import CLASSES
from synth.operator.cells import NO_CELL
from synth.operator.network import Network
from synth.operator.numbers import digits

DAYS_A_MONTH = 365.2425 / 12
LEVELS, LONGEST_S = 1 << 16, 7200
# Numbers drawn for, and events held against each other, at a time.
DRAWN_AT_ONCE, HELD_AT_ONCE = 1 << 16, 1 << 18


def hour_table(told: Figures) -> np.ndarray:
    """Return the hour by class of evening people and 16 even bits: [class, level]."""
    hours = np.array(told["hours"], dtype=float)
    tilt = np.linspace(-1, 1, CLASSES)[:, None] * np.isin(np.arange(24), told["evening"])
    share = hours * np.exp(told["evening_spread"] * tilt)
    ends = np.cumsum(share, axis=1) / share.sum(axis=1, keepdims=True)
    levels = (np.arange(LEVELS) + 0.5) / LEVELS
    return np.stack([np.searchsorted(end, levels) for end in ends]).clip(0, 23).astype(np.uint8)


def length_table(told: Figures) -> np.ndarray:
    """Return the length of a call in s by class of talkers and 16 even bits: [class, level]."""
    spread, between = told["call_spread"], told["talk_spread"]
    middle = np.exp(between * np.linspace(-1.5, 1.5, CLASSES))
    middle *= told["call_s"] / middle.mean()
    z = ndtri((np.arange(LEVELS) + 0.5) / LEVELS)
    lengths = np.exp(np.log(middle)[:, None] - spread**2 / 2 + spread * z[None, :])
    return np.rint(lengths).clip(1, LONGEST_S).astype(np.uint16)


def party(net: Network, number: np.ndarray, seed: int, given: Figures) -> pa.DictionaryArray:
    """Return numbers of the network as text."""
    which, places = columns.used(number, net.groups["abroad"].stop)
    return columns.coded(places, columns.fixed(texts(net, which, seed, given)))


def located(net: Network, cell: np.ndarray) -> pa.DictionaryArray:
    """Return cells, rows of the network's cover, as text; null for none."""
    cells = pa.array(net.cover.cell_id)
    is_null = cell == NO_CELL
    which, places = columns.used(np.where(is_null, 0, cell), max(1, len(cells)))
    return columns.coded(places, cells.take(pa.array(which)), is_null)


def texts(net: Network, number: np.ndarray, seed: int, given: Figures) -> np.ndarray:
    """Return ascending numbers of the network as bytes: [number, 11]."""
    told, group = given["phones"], net.groups
    base = int(net.who["count"][0])
    other, service, abroad = (group[name].start for name in ("other", "service", "abroad"))
    ends = np.searchsorted(number, [other, service, abroad])
    own, known, services, far = np.split(number.astype(np.int64), ends)
    return np.concatenate(
        [
            digits(net.who["count"][own].astype(np.int64), told["prefix"], seed),
            digits(base + known - other, told["other_prefix"], seed),
            digits(services - service, told["service_prefix"], seed),
            digits((base + far - abroad) % 10**6, told["foreign_prefix"], seed),
        ]
    )
