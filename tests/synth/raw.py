"""Delivered files read as bytes, and what landing would make of them, without Spark."""

import csv
import gzip
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from openpyxl import load_workbook

from lakehouse.delivery import Delivery, Refused, check_files
from lakehouse.feed import Feed
from lakehouse.stream import check_parquet, read_file

Cells = list[str | None]


@dataclass
class Raw:
    """One delivery: heads, then rows by line, the first below the head being 2."""

    feed: Feed
    heads: list[str]
    rows: dict[int, Cells | None]
    lines: dict[int, bytes]
    starts: dict[int, int]

    def column(self, name: str) -> int:
        """Return the place of our column in the file."""
        return next(self.heads.index(h) for h in self.feed.delivered[name].head if h in self.heads)

    def cell(self, line: int, name: str) -> str | None:
        """Return one value as it stands there."""
        cells = self.rows[line]
        assert cells is not None
        return cells[self.column(name)] or None


def raw(folder: Path, feed: Feed) -> Raw:
    """Read the one file of a delivery."""
    [path] = [one for one in folder.iterdir() if f".{feed.format}" in one.suffixes]
    if feed.format == "parquet":
        table = pq.read_table(path)
        rows = [list(row.values()) for row in table.to_pylist()]
        return Raw(feed, table.column_names, dict(enumerate(rows, 2)), {}, {})
    if feed.format == "xlsx":
        sheet = load_workbook(path, read_only=True).active
        cells = [[_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
        return Raw(feed, [str(head) for head in cells[0]], dict(enumerate(cells[1:], 2)), {}, {})
    return _text_file(path, feed)


def separator(feed: Feed) -> str:
    """Return what stands between two fields of a text file."""
    return feed.separator or ("\t" if feed.format == "tsv" else ",")


def _text_file(path: Path, feed: Feed) -> Raw:
    content, at = path.read_bytes(), 0
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    comma = separator(feed)
    made = Raw(feed, [], {}, {}, {})
    for line, piece in enumerate(content.splitlines(keepends=True), 1):
        made.lines[line], made.starts[line] = piece.rstrip(b"\r\n"), at
        at += len(piece)
        try:
            [cells] = csv.reader(
                [made.lines[line].decode(feed.encoding).lstrip("\ufeff")], delimiter=comma
            )
        except UnicodeDecodeError:
            cells = None
        made.rows[line] = [cell or None for cell in cells] if cells else None
    made.heads = [str(head) for head in made.rows.pop(1) or []]
    return made


def _text(cell: object) -> str | None:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return None if cell is None else f"{cell:.10g}" if isinstance(cell, float) else str(cell)


@dataclass
class Landed:
    """What landing makes of a delivery: why it is refused, or its rows and the lines set aside."""

    delivery: Delivery
    refused: str | None = None
    content: str = ""
    rows: list[tuple[str | None, ...]] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


def landed(one: Delivery, feed: Feed) -> Landed:
    """Go the way of landing: the files against the manifest, heads, rows, counts, totals."""
    found = Landed(one)
    try:
        found.content = check_files(one, feed)
        for file in one.files():
            n = _parquet(one, file.name, feed, found) if feed.format == "parquet" else None
            if n is None:
                taken = _Taken(feed, found)
                told = read_file(one.folder / file.name, feed, list(file.totals), taken)  # type: ignore[arg-type]
                n = told.rows
                assert told.set_aside or told.totals == file.totals
            assert n == file.rows
            if not n:
                raise Refused("no_rows", file.name)
    except Refused as refused:
        found.refused = refused.reason
    return found


@dataclass
class _Taken:
    feed: Feed
    into: Landed

    def take(self, row: Any) -> None:
        if row[1] is None:
            self.into.bad.append(row[2])
        else:
            self.into.rows.append(tuple(row[1].get(name) for name in self.feed.delivered))


def _parquet(one: Delivery, file: str, feed: Feed, found: Landed) -> int:
    n, matched, _ = check_parquet(one.folder / file, feed)
    heads = {column: head for head, column in matched.items()}
    for row in pq.read_table(one.folder / file).to_pylist():
        found.rows.append(tuple(row.get(heads.get(name, "")) for name in feed.delivered))
    return n
