"""Each format of text as numbered rows: CSV, JSON lines, fixed width, XLSX.

One pass, constant memory: lines are numbered, bytes checked against the encoding, lengths
capped, fields counted. What cannot be read as a row is yielded with its reason.
"""

import csv
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from lakehouse.delivery import Refused, match_heads, separator_of, spare_heads
from lakehouse.errors import nearest
from lakehouse.feed import UNMAPPED, Feed
from lakehouse.unpack import Limits, check_workbook, open_bytes

ENCODINGS = ("utf-8-sig", "gb18030", "utf-16")
# Heads of JSON lines are the keys of so many first ones.
FIRST_LINES = 1000
RAW_KEPT = 1000

# The text of a row by column; what no column has is in UNMAPPED, as pairs of head and text.
Fields = dict[str, Any]
# A row of the file: its line, then its fields, or the reason why it is none.
Row = tuple[int, Fields | None, str | None, bytes]


def rows_of(
    path: Path, feed: Feed, limits: Limits, heads: list[str] | None = None
) -> Iterator[Row]:
    """Yield the rows of one file of text or XLSX. Raises Refused where none can be read.

    The heads of the file are put into `heads`, once the first row is there.
    """
    readers = {"xlsx": _xlsx, "jsonl": _json_lines, "fixed": _fixed}
    return readers.get(feed.format, _separated)(path, feed, limits, [] if heads is None else heads)


def _fields(
    row: Mapping[str, str | None], matched: dict[str, str], spare: dict[str, str]
) -> Fields:
    """Return the text by column of a row by head, and by head what no column has."""
    found: Fields = {column: row.get(head) or None for head, column in matched.items()}
    if new := [(name, row[head] or None) for head, name in spare.items() if head in row]:
        found[UNMAPPED] = new
    return found


def has_head(feed: Feed) -> bool:
    """Tell whether the first line of a file has heads, and no row."""
    return feed.format not in ("jsonl", "fixed")


def numbered(file: IO[bytes], first: int, limits: Limits) -> Iterator[tuple[int, bytes, bool]]:
    """Yield number, bytes and whether it is too long of each line that is not blank."""
    line, longest = first - 1, limits.longest_line
    while raw := file.readline(longest):
        line += 1
        is_too_long = len(raw) == longest and not raw.endswith(b"\n")
        if is_too_long:
            while rest := file.readline(longest):
                if rest.endswith(b"\n"):
                    break
        if is_too_long or raw.strip():
            yield line, raw[:RAW_KEPT] if is_too_long else raw, is_too_long


# -- CSV, TSV ------------------------------------------------------------------------------


def _separated(path: Path, feed: Feed, limits: Limits, found: list[str]) -> Iterator[Row]:
    separator = separator_of(feed)
    with open_bytes(path, limits) as file:
        first = file.readline(limits.longest_line)
        heads, matched = _heads(first, path, feed, separator)
        found += heads
        spare = spare_heads(heads, feed)
        for line, raw, is_too_long in numbered(file, 2, limits):
            if is_too_long:
                yield line, None, "line_too_long", raw
                continue
            try:
                text = decoded(raw, feed.encoding)
            except UnicodeDecodeError:
                yield line, None, "wrong_encoding", raw
                continue
            values = next(csv.reader([text], delimiter=separator), [])
            if len(values) != len(heads):
                yield line, None, "wrong_field_count", raw
                continue
            named = dict(zip(heads, values, strict=True))
            yield line, _fields(named, matched, spare), None, raw


def _heads(
    first: bytes, path: Path, feed: Feed, separator: str
) -> tuple[list[str], dict[str, str]]:
    """Return the heads of the first line, and the column of each. Raises Refused."""
    try:
        heads = next(csv.reader([decoded(first, feed.encoding)], delimiter=separator), [])
        return heads, match_heads(heads, feed, path.name)
    except (UnicodeDecodeError, Refused) as error:
        is_decoded = isinstance(error, Refused) and error.reason != "missing_head"
        other = None if is_decoded else _fitting_encoding(first, path, feed)
        if other and other.removesuffix("-sig") != feed.encoding.lower():
            raise Refused(
                "wrong_encoding", f"{path.name} reads as {other}, not {feed.encoding}"
            ) from None
        if isinstance(error, Refused):
            raise
        raise Refused("wrong_encoding", f"{path.name} is not {feed.encoding}") from None


def _fitting_encoding(first: bytes, path: Path, feed: Feed) -> str | None:
    """Return another encoding under which the first line holds all heads, if there is one."""
    for encoding in ENCODINGS:
        try:
            heads = first.decode(encoding).strip().split(separator_of(feed))
            match_heads([head.strip('"') for head in heads], feed, path.name)
        except (UnicodeDecodeError, Refused):
            continue
        return encoding
    return None


def decoded(raw: bytes, encoding: str) -> str:
    """Return a line as text. Raises UnicodeDecodeError."""
    text = raw.decode(encoding)
    # GB18030 maps nearly every byte; what it cannot mean lands in the private use area.
    if "\ufffd" in text:
        raise UnicodeDecodeError(encoding, raw, 0, len(raw), "replacement character")
    return text.lstrip("\ufeff").rstrip("\r\n")


# -- JSON lines ----------------------------------------------------------------------------


def _json_lines(path: Path, feed: Feed, limits: Limits, keys: list[str]) -> Iterator[Row]:
    """Yield an object a line. A key that a line does not have is a field without a value.

    Numbers stay as they are written; objects and lists within become JSON again.
    """
    with open_bytes(path, limits) as file:
        read = (_object(line, feed, limits) for line in numbered(file, 1, limits))
        first = list(islice(read, FIRST_LINES))
        keys += dict.fromkeys(head for one in first if one[1] for head in one[1])
        matched, spare, known = match_heads(keys, feed, path.name), spare_heads(keys, feed), {*keys}
        for line, found, reason, raw in chain(first, read):
            if found is None:
                yield line, None, reason, raw
            else:
                text = {head: _json_text(value) for head, value in found.items()}
                if new := found.keys() - known:
                    keys += sorted(new)
                    known |= new
                    matched, spare = match_heads(keys, feed, path.name), spare_heads(keys, feed)
                yield line, _fields(text, matched, spare), None, raw


def _object(
    told: tuple[int, bytes, bool], feed: Feed, limits: Limits
) -> tuple[int, dict[str, Any] | None, str | None, bytes]:
    line, raw, is_too_long = told
    if is_too_long:
        return line, None, "line_too_long", raw
    try:
        found = json.loads(
            decoded(raw, feed.encoding), parse_int=str, parse_float=str, parse_constant=str,
            object_pairs_hook=_pairs,
        )  # fmt: skip
    except UnicodeDecodeError:
        return line, None, "wrong_encoding", raw
    except (ValueError, RecursionError) as error:
        twice = isinstance(error, _Twice)
        return line, None, "repeated_key" if twice else "not_json", raw
    if not isinstance(found, dict):
        return line, None, "not_an_object", raw
    return line, found, None, raw


class _Twice(ValueError):
    """An object has one key twice."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


def _json_text(value: Any) -> str | None:
    if value in ("", None):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# -- fixed width ---------------------------------------------------------------------------


def _fixed(path: Path, feed: Feed, limits: Limits, _: list[str]) -> Iterator[Row]:
    """Yield a row a line, each field from its bytes. A line that ends earlier is none."""
    places = {name: (at[0] - 1, at[1]) for name, spec in feed.delivered.items() if (at := spec.at)}
    needed = max(end for _, end in places.values())
    with open_bytes(path, limits) as file:
        for line, raw, is_too_long in numbered(file, 1, limits):
            text = raw.rstrip(b"\r\n")
            if is_too_long:
                yield line, None, "line_too_long", raw
            elif len(text) < needed:
                yield line, None, "wrong_line_length", raw
            else:
                try:
                    row = {
                        name: decoded(text[begin:end], feed.encoding).strip() or None
                        for name, (begin, end) in places.items()
                    }
                except UnicodeDecodeError:
                    yield line, None, "wrong_encoding", raw
                    continue
                yield line, row, None, raw


# -- XLSX ----------------------------------------------------------------------------------

FORMULA = re.compile(rb"<f[ >/]")


def _xlsx(path: Path, feed: Feed, limits: Limits, found: list[str]) -> Iterator[Row]:
    from python_calamine import CalamineError, CalamineWorkbook, ZipError

    check_workbook(path, limits)
    _refuse_formulas(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        if feed.sheet and feed.sheet not in book.sheet_names:
            near = nearest(feed.sheet, book.sheet_names)
            raise Refused("missing_sheet", f"{path.name} has no sheet {feed.sheet!r}.{near}")
        sheet = book.get_sheet_by_name(feed.sheet) if feed.sheet else book.get_sheet_by_index(0)
    except (CalamineError, ZipError, OSError, IndexError):
        raise Refused("unreadable_workbook", f"{path.name} is no XLSX workbook") from None
    rows = iter(sheet.iter_rows())
    heads = [str(cell) for cell in next(rows, [])]
    matched = match_heads(heads, feed, path.name)
    found += heads
    spare = spare_heads(heads, feed)
    for line, cells in enumerate(rows, start=2):
        if all(cell in ("", None) for cell in cells):
            continue
        named = dict(zip(heads, [cell_text(cell) for cell in cells], strict=False))
        yield line, _fields(named, matched, spare), None, b""


def _refuse_formulas(path: Path) -> None:
    """Refuse a workbook that computes: what is stored may not be what its sender saw."""
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                with book.open(name) as sheet:
                    kept = b""
                    while some := sheet.read(1 << 20):
                        if FORMULA.search(kept + some):
                            raise Refused("formula", f"{path.name}: {name} has a formula")
                        kept = some[-2:]


def cell_text(cell: Any) -> str | None:
    """Return a spreadsheet cell as the text a person sees; whole numbers without a point."""
    if cell in ("", None):
        return None
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        return cell.date().isoformat()
    if isinstance(cell, date | datetime):
        return cell.isoformat(sep=" ") if isinstance(cell, datetime) else cell.isoformat()
    return str(cell)
