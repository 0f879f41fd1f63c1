"""Deliveries as they are handed over: clean rows in, folders by the contract out.

    deliver(landing, feed, "2015-12", date(2016, 1, 5), parts, plan, notes=folder)

One pass over the rows writes all deliveries that a clean one becomes: a wrong one and its
correction, a second copy. Memory holds a portion of the rows, however many there are.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

from lakehouse.conf import conf_dir
from lakehouse.delivery import MANIFEST
from lakehouse.feed import Feed, feeds_in
from synth.deliver import contract
from synth.deliver.endings import end
from synth.deliver.expect import Expected, of_line
from synth.deliver.faults import spoil
from synth.deliver.files import Files
from synth.deliver.formats import Wrote, style_of
from synth.deliver.ledger import Spool
from synth.deliver.plan import FaultPlan
from synth.deliver.shapes import LOST, Case, Shape, chain_of
from synth.deliver.spoilt import Spoilt
from synth.deliver.values import Rows, as_written

# A column of rows that no fault may touch.
PROTECTED = "_protected"
# Sources deliver from nine o'clock on, one delivery every two hours.
FIRST_AT, HOURS_APART = time(9), 2


@dataclass(frozen=True)
class Part:
    """Clean rows of one block: our column names, codes and units. Protected rows stay right."""

    block: str
    rows: Rows
    protected: np.ndarray | None = None


@dataclass(frozen=True)
class Written:
    """One delivery that is there now. `kind` is what is wrong with it as a whole, if anything."""

    folder: Path
    kind: str | None
    rows: int
    n_bytes: int
    is_new: bool


@dataclass(frozen=True)
class Outcome:
    """What a clean delivery became, in the order of arrival. `rows` counts the clean rows."""

    feed: str
    period: str
    rows: int
    written: list[Written]


def feeds_known() -> dict[str, Feed]:
    """Return the feeds that are delivered: the house's own, whatever a user maps besides."""
    return feeds_in(conf_dir() / "feeds")


def deliver(
    landing: Path, feed: Feed, period: str, arrival: date | datetime,
    parts: Iterable[Part | tuple[object, Rows]], plan: FaultPlan, *, extent: str | None = None,
    notes: Path | None = None, packed: bool = False, zone: str = "Asia/Shanghai",
) -> Outcome:  # fmt: skip
    """Write what a clean delivery becomes under `landing`; list its faults under `notes`.

    `parts` are read once, in their order. `arrival` is the day, or the moment, of the first
    delivery; `packed` is gzip, for text. What is there already, complete and the same, is left
    alone. Raises UsageError where another delivery has its name, InputMissing for a full disk.
    """
    style = style_of(feed, packed)
    kind = plan.kind_of(feed, period)
    rng = plan.stream("chain", feed.name, period)
    has_before = (feed.name, period) not in plan.firsts
    case = Case(feed, kind, style, rng, plan.rates.heads, has_before) if kind else None
    shapes = chain_of(case, style)
    first = _moment(arrival, zone)
    making: list[_Making] = []
    n_rows = 0
    with contract.disk(contract.folder_of(landing, feed, period, "d1").parent):
        try:
            for shape in shapes:
                making.append(_Making(landing, feed, period, extent, notes, shape, making))
            for at, part in enumerate(_parts(parts)):
                n_rows += len(part.rows)
                is_first = at == 0 and (feed.name, period) in plan.firsts
                for view, rows in _views(part, shapes, plan, feed, period):
                    clean = as_written(rows.rows, feed, zone)
                    spoilt = spoil(clean, feed, plan, period, part.block, rows.protected,
                                   is_first=is_first)  # fmt: skip
                    for one in making:
                        if one.shape.rows == view and not one.shape.is_copy:
                            one.add(spoilt, clean)
            for n, one in enumerate(making):
                one.finish(_later(first, n, one.shape.days))
            written = [one.publish() for one in making]
        finally:
            for one in making:
                one.abandon()
        _list_whole(notes, feed, period, making)
    return Outcome(feed.name, period, n_rows, written)


class _Making:
    """One delivery being written beside its place."""

    def __init__(
        self, landing: Path, feed: Feed, period: str, extent: str | None, notes: Path | None,
        shape: Shape, before: list["_Making"],
    ) -> None:  # fmt: skip
        self.feed, self.period, self.shape = feed, period, shape
        self.name = f"d{len(before) + 1}"
        self.before = before[-1] if before else None
        self.folder = contract.folder_of(landing, feed, period, self.name)
        self._extent = extent or feed.extent
        self._there = contract.unfinished(self.folder)
        self._files = None if shape.is_copy else Files(self._there, feed, period, shape.style)
        self._spool = Spool(notes, "row", f"{feed.name}__{period}__{self.name}")
        self.files: list[contract.FileNote] = []

    def add(self, spoilt: Spoilt, clean: pa.Table) -> None:
        """Write a portion, and list what is wrong in it."""
        assert self._files is not None
        first = self._files.rows
        wrote = self._files.add(
            spoilt.rows, spoilt.changes, spoilt.as_text(self.feed),
            spoilt.counted(self.feed, clean),
        )  # fmt: skip
        if self.shape.lands and spoilt.faults:
            self._spool.add(self._listed(spoilt, first, wrote))

    def finish(self, at: datetime) -> None:
        """End the files as the shape has it, and write the manifest."""
        if self._files is None:
            assert self.before is not None
            self.files = [
                _copied(one, self.before._there, self._there) for one in self.before.files
            ]
        else:
            self._files.close()
            self.files = end(self._there, self._files, self.shape, self._cut_line)
        supersedes = None
        if self.shape.supersedes and self.before:
            supersedes = f"{self.period}/{self.before.name}"
        text = contract.manifest(
            self.feed, self.period, self._extent, at.isoformat(), supersedes, self.files
        )
        (self._there / MANIFEST).write_text(text, encoding="utf-8")
        self._spool.close()

    def publish(self) -> Written:
        """Put the delivery in its place."""
        is_new = contract.publish(self._there, self.folder)
        return Written(
            self.folder, self.shape.kind, sum(one.rows for one in self.files),
            sum(one.n_bytes for one in self.files), is_new,
        )  # fmt: skip

    def abandon(self) -> None:
        """Let go of what was not published."""
        if self._files is not None:
            self._files.abandon()
        shutil.rmtree(self._there, ignore_errors=True)

    def _listed(self, spoilt: Spoilt, first: int, wrote: Wrote) -> Iterator[dict[str, Any]]:
        assert self._files is not None
        heads = [head for head, _ in self.shape.style.layout]
        for one in spoilt.faults:
            expected = one.expected or of_line(self.feed, wrote.changed[one.row], heads)
            yield self._place(one.row + first) | {
                "byte": None if wrote.starts is None else int(wrote.starts[one.row]),
                "column": one.column,
                "kind": one.kind,
                "right": one.right,
                "written": one.written,
                "first_line": None if one.first is None else one.first + first + 2,
                "expected": expected.outcome,
                "reason": expected.reason,
            }

    def _place(self, row: int) -> dict[str, Any]:
        assert self._files is not None
        return {
            "feed": self.feed.name, "period": self.period, "delivery": self.name,
            "file": self._files.place_of(row), "line": row + 2,
        }  # fmt: skip

    def _cut_line(self, byte: int) -> None:
        """List the last line as the one that was cut; what else was wrong in it is gone."""
        assert self._files is not None
        place = self._place(self._files.rows - 1)
        self._spool.drop(place["line"])
        told = {"kind": self.shape.kind, "byte": byte, "expected": "quarantined"}
        self._spool.add([place | told | {"reason": "wrong_field_count"}])


def _parts(parts: Iterable[Part | tuple[object, Rows]]) -> Iterator[Part]:
    """Yield parts that have rows; a column of protected rows is taken for what it is."""
    for given in parts:
        part = given if isinstance(given, Part) else Part(str(given[0]), given[1])
        if not len(part.rows):
            continue
        if part.protected is None and PROTECTED in _names(part.rows):
            part = replace(part, protected=np.asarray(part.rows[PROTECTED]))
        yield part


def _names(rows: Rows) -> list[str]:
    return rows.column_names if isinstance(rows, pa.Table) else list(rows.columns)


def _views(
    part: Part, shapes: list[Shape], plan: FaultPlan, feed: Feed, period: str
) -> Iterator[tuple[str, Part]]:
    """Yield each way in which the rows of a part are delivered: all, fewer, one column shifted."""
    for view in dict.fromkeys(shape.rows for shape in shapes if not shape.is_copy):
        if view == "fewer":
            rng = plan.stream("fewer", feed.name, period, part.block)
            kept = np.flatnonzero(rng.random(len(part.rows)) >= LOST)
            protected = None if part.protected is None else part.protected[kept]
            yield view, Part(part.block, _at(part.rows, kept), protected)
        elif view == "shifted":
            column = next(shape.column for shape in shapes if shape.rows == view)
            yield view, replace(part, rows=_shifted(part.rows, str(column)))
        elif view == "all":
            yield view, part


def _at(rows: Rows, places: np.ndarray) -> Rows:
    return rows.take(places) if isinstance(rows, pa.Table) else rows.iloc[places]


def _shifted(rows: Rows, column: str) -> Rows:
    """Return rows with one column a row further down; the last value stands in the first."""
    down = np.roll(np.arange(len(rows)), 1)
    if isinstance(rows, pa.Table):
        at = rows.column_names.index(column)
        return rows.set_column(at, column, rows.column(column).take(down))
    values = rows[column].take(down)
    return rows.assign(**{column: pd.Series(values.array, rows.index)})


def _copied(one: contract.FileNote, there: Path, here: Path) -> contract.FileNote:
    name = f"copy_of_{one.name}"
    shutil.copyfile(there / one.name, here / name)
    return replace(one, name=name)


def _moment(arrival: date | datetime, zone: str) -> datetime:
    if isinstance(arrival, datetime):
        return arrival if arrival.tzinfo else arrival.replace(tzinfo=ZoneInfo(zone))
    return datetime.combine(arrival, FIRST_AT, ZoneInfo(zone))


def _later(first: datetime, n: int, days: int) -> datetime:
    """Return when the n-th delivery of a chain comes: on the same day, or days later."""
    return first + timedelta(days=days, hours=HOURS_APART * n)


def _list_whole(notes: Path | None, feed: Feed, period: str, making: list[_Making]) -> None:
    spool = Spool(notes, "delivery", f"{feed.name}__{period}")
    for one in making:
        expected = one.shape.expected or Expected("repaired")
        if one.shape.kind:
            spool.add([{
                "feed": feed.name, "period": period, "delivery": one.name,
                "kind": one.shape.kind, "what": one.shape.what, "expected": expected.outcome,
                "reason": expected.reason,
            }])  # fmt: skip
    spool.close()
