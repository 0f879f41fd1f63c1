"""One thing at a time: what a party is busy with keeps it from what begins meanwhile."""

import numpy as np

SECOND_BITS = 20


def by_party(party: np.ndarray) -> np.ndarray:
    """Return the order that puts parties together and keeps the order within each."""
    low = (party & 0xFFFF).astype(np.uint16).argsort(kind="stable")
    if not len(party) or int(party.max()) < 1 << 16:
        return low
    # Of 16-bit numbers numpy makes a radix sort, several times as fast as one of wider ones.
    return low.take((party >> 16).astype(np.uint16).take(low).argsort(kind="stable"))


def by_second(second: np.ndarray) -> np.ndarray:
    """Return the order of seconds of a day, stable."""
    is_odd = (second & 1).astype(bool)
    halves = np.concatenate([np.flatnonzero(~is_odd), np.flatnonzero(is_odd)])
    return halves.take((second >> 1).astype(np.uint16).take(halves).argsort(kind="stable"))


def free(parties: np.ndarray, start: np.ndarray, end: np.ndarray, until: np.ndarray) -> np.ndarray:
    """Tell which events find all their parties free. Brings `until` up to date.

    parties: [event, side], events in order of start; until: by party, the second at which what
    came before ended. What begins while anything before it lasts falls away, even where that one
    falls away too: so no two that are left overlap.
    """
    n_sides = parties.shape[1]
    flat = np.ascontiguousarray(parties).ravel()
    order = by_party(flat)
    party = flat.take(order).astype(np.int64) << SECOND_BITS
    event = order // n_sides
    begins = party + start.take(event)
    lasts = np.maximum.accumulate(party + end.take(event))
    whose = flat.take(order)
    clash = until.take(whose) > start.take(event)
    clash[1:] |= lasts[:-1] > begins[1:]
    is_free = np.ones(len(parties), dtype=bool)
    is_free[event[clash]] = False
    last = np.flatnonzero(np.append(whose[1:] != whose[:-1], True)) if len(whose) else order
    ended = (lasts[last] & ((1 << SECOND_BITS) - 1)).astype(until.dtype)
    until[whose[last]] = np.maximum(until[whose[last]], ended)
    return is_free
