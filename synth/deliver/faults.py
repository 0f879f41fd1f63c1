"""Faults in the rows of one portion of a delivery: put in on purpose, each one written down.

What is picked hangs on the seed, the feed, the period and the block alone, so that neither the
number of workers nor their order changes anything. A row has one fault at most, a protected row
none.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from lakehouse.feed import Feed, Field
from synth.deliver.expect import of_cell, of_repeat, of_second_place
from synth.deliver.formats import OTHER_ENCODING
from synth.deliver.kinds import (
    CELLS,
    TEXT_FILES,
    Kind,
    Slip,
    allowed,
    columns_for,
    is_readable,
    names_of,
    spelt_otherwise,
)
from synth.deliver.plan import FaultPlan
from synth.deliver.spoilt import Fault, Spoilt, line_change, replaced
from synth.deliver.values import in_datum, position_of

LINES = ("wrong_field_count", "undecodable_line", "other_encoding_line")
# How often a value is tried for a fault that few values can have.
TRIES = 60


def spoil(
    written: pa.Table, feed: Feed, plan: FaultPlan, period: str, block: str,
    protected: np.ndarray | None, *, is_first: bool,
) -> Spoilt:  # fmt: skip
    """Return a portion of clean text with the faults that the plan's level has for it.

    `is_first` is the first portion of the feed's first delivery: each kind at least once there.
    """
    if not plan.has_faults or not len(written):
        return Spoilt(written)
    picking = _Picking(written, feed, plan, period, block, protected, is_first)
    picking.people()
    for kind in plan.rates.rows:
        picking.rows_of(kind)
    picking.at_least_one()
    return picking.spoilt()


class _Picking:
    """The rows of a portion that still have no fault, and those that have."""

    def __init__(
        self, written: pa.Table, feed: Feed, plan: FaultPlan, period: str, block: str,
        protected: np.ndarray | None, is_first: bool,
    ) -> None:  # fmt: skip
        self.written, self.feed, self.plan = written, feed, plan
        self.rng = plan.stream(feed.name, period, block)
        self.is_first, self._forced = is_first, 0
        free = np.arange(len(written))
        if protected is not None:
            free = free[~np.asarray(protected, bool)]
        self.free: list[int] = self.rng.permutation(free).tolist()
        self.faults: list[Fault] = []
        self.lines: list[Fault] = []
        self.doubled: list[int] = []
        self.second: list[Fault] = []
        self._columns = {name: written.column(name) for name in feed.delivered}

    def text(self, name: str, row: int) -> str | None:
        """Return a clean value."""
        return self._columns[name][row].as_py()

    def rows_of(self, kind: str) -> None:
        """Pick as many rows for a kind as its share of the portion's rows is."""
        tries = self._tries(kind)
        if tries is None:
            return
        n, wanted = 0, self._number(self.plan.rates.rows[kind])
        skipped: list[int] = []
        left = wanted * TRIES + 500
        while n < wanted and self.free and left:
            row = self.free.pop()
            left -= 1
            if tries(row):
                n += 1
            else:
                skipped.append(row)
        self.free += reversed(skipped)

    def people(self) -> None:
        """Spell some people otherwise: the same people in every delivery of the feed."""
        share = self.plan.rates.people["other_spelling"]
        for number, name in names_of(self.feed) if allowed(self.feed, "other_spelling") else []:
            ids = self._columns[number].to_numpy(zero_copy_only=False)
            is_other = self.plan.draw(self.feed.name, ids) < share
            self._spell(name, [row for row in self.free if is_other[row]])

    def at_least_one(self) -> None:
        """Spell one person otherwise, where each kind is wanted and nobody is yet."""
        if not any(one.kind == "other_spelling" for one in self.faults):
            for _, name in names_of(self.feed) if allowed(self.feed, "other_spelling") else []:
                self._spell(name, self.free[: self._least()])

    def _spell(self, name: str, rows: list[int]) -> None:
        picked = {row for row in rows if self._spelt(name, row)}
        self.free = [row for row in self.free if row not in picked]

    def spoilt(self) -> Spoilt:
        """Return the portion as written: second rows put in, values replaced, lines marked."""
        n = len(self.written)
        twins = np.sort(np.array(self.doubled, np.int64))
        order = np.insert(np.arange(n), twins + 1, twins) if len(twins) else np.arange(n)
        order = np.concatenate([order, [one.row for one in self.second]]).astype(np.int64)

        before = twins.tolist()

        def at(row: int) -> int:
            return row + bisect_left(before, row)

        for one in (*self.faults, *self.lines):
            one.row = at(one.row)
        for place, one in enumerate(self.second):
            one.row, one.first = n + len(twins) + place, at(one.row)
        repeated = of_repeat(self.feed)
        doubled = [
            Fault(at(row) + 1, "doubled_row", first=at(row), expected=repeated) for row in before
        ]
        rows = self.written.take(order) if len(order) > n else self.written
        changes = {one.row: line_change(one.kind, self.feed, self.rng) for one in self.lines}
        told = sorted(
            [*self.faults, *self.lines, *doubled, *self.second],
            key=lambda one: (one.row, str(one.column)),
        )
        return Spoilt(replaced(rows, told), told, changes, order)

    # -- one kind ----------------------------------------------------------------------

    def _tries(self, kind: str) -> Callable[[int], bool] | None:
        """Return what puts a kind of fault into a row, or None where the feed cannot have it."""
        if not self.plan.rates.rows[kind] or not allowed(self.feed, kind):
            return None
        if kind in CELLS:
            fields = columns_for(self.feed, CELLS[kind])
            return (lambda row: self._cell(kind, CELLS[kind], fields, row)) if fields else None
        if kind in LINES:
            return (lambda row: self._line(kind, row)) if self._has_lines() else None
        if kind == "doubled_row":
            return self._double
        if kind == "other_datum":
            names = position_of(self.feed)
            return (lambda row: self._moved(names, row)) if names else None
        assert kind == "in_two_households", f"{kind} is no kind of fault"
        pair = second_place_of(self.feed)
        return (lambda row: self._second_place(pair, row)) if pair else None

    def _number(self, share: float) -> int:
        """Return a share of the rows, a fraction by chance; where forced, one at least."""
        n = int(share * len(self.written) + self.rng.random())
        return n or self._least()

    def _least(self) -> int:
        most = self.plan.rates.least_rows * len(self.written)
        if not self.is_first or self._forced + 1 > most:
            return 0
        self._forced += 1
        return 1

    def _has_lines(self) -> bool:
        return self.feed.format in TEXT_FILES and self.feed.encoding in OTHER_ENCODING

    def _cell(self, name: str, kind: Kind, fields: list[Field], row: int) -> bool:
        one = fields[self.rng.integers(len(fields))]
        text = self.text(one.name, row)
        if text is None or not is_readable(one, text):
            return False
        written = kind.write(Slip(self.feed, one, text, self.rng, self.plan.retired_villages))
        if written is None or written == text:
            return False
        expected = kind.expected(self.feed, one, text, written)
        self.faults.append(Fault(row, name, one.name, text, written, expected=expected))
        return True

    def _line(self, kind: str, row: int) -> bool:
        if kind == "other_encoding_line" and all(
            (self.text(name, row) or "").isascii() for name in self.feed.delivered
        ):
            return False
        self.lines.append(Fault(row, kind))
        return True

    def _double(self, row: int) -> bool:
        self.doubled.append(row)
        return True

    def _spelt(self, name: str, row: int) -> bool:
        text = self.text(name, row)
        if not text:
            return False
        written = spelt_otherwise(text)
        expected = of_cell(self.feed.delivered[name], text, written)
        self.faults.append(Fault(row, "other_spelling", name, text, written, expected=expected))
        return True

    def _moved(self, names: tuple[str, str], row: int) -> bool:
        """Write a position in the other datum: GCJ-02 for WGS-84, and the reverse."""
        right = [self.text(name, row) for name in names]
        if None in right:
            return False
        lon, lat = (np.array([float(str(text))]) for text in right)
        if self.feed.datum == "wgs-84":
            other = in_datum(lon, lat, "gcj-02")
        else:
            from lakehouse.datum import wgs84_of

            other = wgs84_of(lon, lat, self.feed.datum)
        for name, text, value in zip(names, right, other, strict=True):
            written = f"{value[0]:.10g}"
            expected = of_cell(self.feed.delivered[name], text, written)
            self.faults.append(Fault(row, "other_datum", name, text, written, expected=expected))
        return True

    def _second_place(self, pair: tuple[str, str], row: int) -> bool:
        """Let a person stand in another household, or on another card, as well."""
        person, group = pair
        is_key = self.feed.key == (group,)
        if is_key and not self.free:
            return False
        places = self.free if is_key else range(len(self.written))
        at = places[self.rng.integers(len(places))]
        other = self.text(group, at)
        if other is None or other == self.text(group, row) or self.text(person, row) is None:
            return False
        if is_key:
            # The row of that household stays right, so that it is the one that counts.
            self.free.remove(at)
        expected = of_second_place(self.feed, group)
        self.second.append(
            Fault(row, "in_two_households", group, self.text(group, row), other, None, expected)
        )
        return True


def second_place_of(feed: Feed) -> tuple[str, str] | None:
    """Return the columns of the person and of the household or card that a row is about."""

    def first(*kinds: str) -> str | None:
        fields: Iterator[Field] = iter(feed.delivered.values())
        return next((one.name for one in fields if one.kind in kinds), None)

    person, group = first("person"), first("household") or first("card")
    return (person, group) if person and group else None
