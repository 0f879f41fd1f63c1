"""The files of one delivery: one after the other as they fill up, and what the manifest says."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from lakehouse.feed import Feed
from synth.deliver.contract import FileNote, note_of
from synth.deliver.formats import FILES, File, LineChanges, Style, Wrote
from synth.deliver.values import counted_of


class Files:
    """The files of one delivery, one after the other as they fill up."""

    def __init__(self, folder: Path, feed: Feed, period: str, style: Style) -> None:
        self.folder, self.rows = folder, 0
        self.feed, self._style = feed, style
        self._stem = f"{feed.name}_{period}"
        self._counted = counted_of(feed)
        self._done: list[_Done] = []
        self._open: File | None = None
        self._next()

    def add(
        self, rows: pa.Table, changes: LineChanges, as_text: dict[str, pa.Array],
        counted: np.ndarray | None,
    ) -> Wrote:  # fmt: skip
        """Write a portion of rows under our column names.

        `counted` is what each row adds to the control total.
        """
        layout = self._style.layout
        marks = {at: as_text[name] for at, (_, name) in enumerate(layout) if name in as_text}
        laid = self._laid(rows)
        done, wrote = 0, Wrote()
        while done < len(rows):
            assert self._open is not None
            n = min(self._open.room(), len(rows) - done)
            if not n:
                self._end()
                self._next()
                continue
            masks = {at: mask.slice(done, n) for at, mask in marks.items()}
            wrote = self._open.add(laid.slice(done, n), changes, masks)
            if counted is not None:
                self._done[-1].total += int(counted[done : done + n].sum())
            done += n
        self.rows += len(rows)
        return wrote

    def place_of(self, row: int) -> str:
        """Return the name of the file that a row of the delivery (from 0) is in."""
        return next(one.name for one in reversed(self._done) if one.first <= row)

    def close(self) -> None:
        """End the last file."""
        self._end()

    def notes(self) -> list[FileNote]:
        """Return what the manifest says of each file as it lies there now."""
        return [
            note_of(
                self.folder / one.name,
                one.rows,
                {self._counted: one.total} if self._counted else {},
            )
            for one in self._done
        ]

    def names(self) -> list[str]:
        """Return the names of the files, in their order."""
        return [one.name for one in self._done]

    def abandon(self) -> None:
        """Let go of an open file after a failure."""
        if self._open is not None:
            self._open.abandon()
            self._open = None

    def _laid(self, rows: pa.Table) -> pa.Table:
        """Return the columns as the file has them, under the places that they have there."""
        running = pa.array(range(self.rows + 1, self.rows + len(rows) + 1)).cast(pa.string())
        columns = [running if name is None else rows.column(name) for _, name in self._style.layout]
        return pa.table(columns, names=[str(at) for at in range(len(columns))])

    def _next(self) -> None:
        number = f"_{len(self._done) + 1}" if self._done else ""
        name = f"{self._stem}{number}.{self.feed.format}{'.gz' if self._style.packed else ''}"
        self._done.append(_Done(name, self.rows))
        self._open = FILES[self.feed.format](self.folder / name, self.feed, self._style)

    def _end(self) -> None:
        if self._open is not None:
            self._open.close()
            self._done[-1].rows = self._open.rows
            self._open = None


@dataclass
class _Done:
    """One file: its name, the row of the delivery (from 0) that it begins with."""

    name: str
    first: int
    rows: int = 0
    total: int = 0
