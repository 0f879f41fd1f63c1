"""A portion of a delivery as it is written, with the faults that are in it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.delivery import separator_of
from lakehouse.feed import Feed
from synth.deliver.expect import Expected
from synth.deliver.formats import OTHER_ENCODING, LineChanges
from synth.deliver.values import counted_of, numbers_of

UNDECODABLE = b"\xff\xff"  # Begins no character of GB18030 or UTF-8.


@dataclass(slots=True)
class Fault:
    """One fault: its row in the portion as written (from 0), the value that it is in, its twin.

    `expected` is None for a line whose bytes decide; `first` is the row that a second row repeats.
    """

    row: int
    kind: str
    column: str | None = None
    right: str | None = None
    written: str | None = None
    first: int | None = None
    expected: Expected | None = None


@dataclass
class Spoilt:
    """A portion as it is written, and what is wrong in it."""

    rows: pa.Table
    faults: list[Fault] = field(default_factory=list)
    changes: LineChanges = field(default_factory=dict)
    order: np.ndarray | None = None

    def counted(self, feed: Feed, clean: pa.Table) -> np.ndarray | None:
        """Return what each row adds to the control total. No fault changes a counted number."""
        name = counted_of(feed)
        if name is None:
            return None
        numbers = clean.column(name).cast(pa.float64()).fill_null(0).to_numpy()
        return numbers if self.order is None else numbers[self.order]

    def as_text(self, feed: Feed) -> dict[str, pa.Array]:
        """Return by column of numbers the cells that a workbook holds as text."""
        marks: dict[str, np.ndarray] = {}
        numbers = numbers_of(feed) if feed.format == "xlsx" else ()
        for one in self.faults if numbers else ():
            if one.column in numbers and not _is_plain(one.written):
                marks.setdefault(str(one.column), np.zeros(len(self.rows), bool))[one.row] = True
        return {name: pa.array(mask) for name, mask in marks.items()}


def line_change(kind: str, feed: Feed, rng: np.random.Generator) -> Callable[[bytes, str], bytes]:
    separator = separator_of(feed).encode()
    if kind == "undecodable_line":
        return lambda line, _: line.replace(separator, separator + UNDECODABLE, 1)
    if kind == "other_encoding_line":
        other = OTHER_ENCODING[feed.encoding]
        return lambda line, encoding: line.decode(encoding).encode(other)
    if rng.random() < 0.5 and len(feed.delivered) > 2:
        return lambda line, _: line.rsplit(separator, 2)[0]
    return lambda line, _: line + separator


def replaced(rows: pa.Table, faults: list[Fault]) -> pa.Table:
    """Return the rows with the values that the faults write."""
    by_column: dict[str, dict[int, str | None]] = {}
    for one in faults:
        if one.column:
            by_column.setdefault(one.column, {})[one.row] = one.written
    for name, texts in by_column.items():
        mask = np.zeros(len(rows), bool)
        mask[list(texts)] = True
        new = pa.array([texts[row] for row in sorted(texts)], pa.string())
        values = rows.column(name).combine_chunks().cast(pa.string())
        made = pc.replace_with_mask(values, pa.array(mask), new)
        rows = rows.set_column(rows.schema.get_field_index(name), name, made)
    return rows


def _is_plain(text: str | None) -> bool:
    try:
        return str(float(str(text))) != "" and str(text).isascii() and str(text).strip() == text
    except ValueError:
        return False
