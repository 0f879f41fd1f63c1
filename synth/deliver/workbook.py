"""Workbooks written as they stream: one sheet, text in its cells, numbers where they are numbers.

The sheet's XML is put together column by column, a few thousand rows at a time, and goes straight
into the archive: memory does not grow with the rows, and no entry carries a date of its own.
"""

from html import escape
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pyarrow as pa
import pyarrow.compute as pc

from synth.deliver.contract import Sink

EPOCH = (2016, 1, 1, 0, 0, 0)
# Rows of a sheet below its head: Excel has 1,048,576 in all.
MOST_ROWS = 1_048_575
# A larger entry would need ZIP64, which not every reader of workbooks knows.
MOST_BYTES = 1_900_000_000
AT_ONCE = 8_192

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = (
    f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
    "</Types>"
)
_ROOT = (
    f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>"
)
_BOOK = (
    f'{_XML}<workbook xmlns="{_SHEETS}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="%s" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_OF_BOOK = (
    f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>"
)
_SHEET = f'{_XML}<worksheet xmlns="{_SHEETS}"><sheetData>'
_END = "</sheetData></worksheet>"


class Workbook:
    """One XLSX file of one sheet. `numbers` are the columns held as numbers."""

    def __init__(self, path: Path, title: str, heads: list[str], numbers: list[bool]) -> None:
        self.rows = 0
        self._line = 1
        self._numbers = numbers
        self._letters = [_letters(at) for at in range(len(heads))]
        self._file = Sink(path)
        self._archive = ZipFile(self._file, "w", ZIP_DEFLATED)
        name = escape(title)
        for part, text in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _ROOT),
            ("xl/workbook.xml", _BOOK % name),
            ("xl/_rels/workbook.xml.rels", _OF_BOOK),
        ):
            self._archive.writestr(_entry(part), text)
        self._sheet: IO[bytes] = self._archive.open(_entry("xl/worksheets/sheet1.xml"), "w")
        self._n_bytes = self._sheet.write(_SHEET.encode())
        head = pa.table({str(at): pa.array([text]) for at, text in enumerate(heads)})
        self._put(head, [False] * len(heads), {})

    def room(self) -> int:
        """Return how many rows more can be given at once; 0 when the sheet is full."""
        return min(AT_ONCE, MOST_ROWS - self.rows) if self._n_bytes < MOST_BYTES else 0

    def add(self, rows: pa.Table, as_text: dict[int, pa.Array]) -> None:
        """Write rows of text, no more than there is room for.

        `as_text` marks by column the cells of numbers that are none (3200元).
        """
        self._put(rows, self._numbers, as_text)
        self.rows += len(rows)

    def close(self) -> None:
        """End the sheet, and the archive."""
        self._sheet.write(_END.encode())
        self.abandon()

    def abandon(self) -> None:
        """Let go of the file, whatever state it is in."""
        self._sheet.close()
        self._archive.close()
        self._file.close()

    def _put(self, rows: pa.Table, numbers: list[bool], as_text: dict[int, pa.Array]) -> None:
        lines = pa.array(range(self._line, self._line + len(rows))).cast(pa.string())
        cells = [
            _cells(rows.column(at).combine_chunks(), letters, lines, numbers[at], as_text.get(at))
            for at, letters in enumerate(self._letters)
        ]
        xml = pc.binary_join_element_wise(
            '<row r="', lines, '">', *cells, "</row>", "", null_handling="skip"
        )
        self._n_bytes += self._sheet.write(_content(xml))
        self._line += len(rows)


def _cells(
    texts: pa.Array, letters: str, lines: pa.Array, is_number: bool, as_text: pa.Array | None
) -> pa.Array:
    """Return the cells of a column as XML; null where there is none."""
    if is_number:
        plain = _joined(f'<c r="{letters}', lines, '"><v>', texts, "</v></c>")
        if as_text is None:
            return plain
    safe = texts
    for sign, instead in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        safe = pc.replace_substring(safe, sign, instead) if _has(safe, sign) else safe
    # Blanks at an end are kept by a reader only where it is told to.
    kept = ' xml:space="preserve"' if _has_blank_ends(safe) else ""
    worded = _joined(
        f'<c r="{letters}', lines, f'" t="inlineStr"><is><t{kept}>', safe, "</t></is></c>"
    )
    return worded if not is_number else pc.if_else(as_text, worded, plain)


def _joined(*parts: str | pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "", null_handling="emit_null")


def _has(texts: pa.Array, sign: str) -> bool:
    return bool(pc.any(pc.match_substring(texts, sign)).as_py())


def _has_blank_ends(texts: pa.Array) -> bool:
    return not pc.utf8_trim_whitespace(texts).equals(texts)


def _content(texts: pa.Array) -> memoryview:
    """Return all texts of an array on end, without a copy."""
    _, offsets, data = texts.buffers()
    ends = memoryview(offsets).cast("i")
    first, last = ends[texts.offset], ends[texts.offset + len(texts)]
    return memoryview(data)[first:last]


def _letters(at: int) -> str:
    """Return the letters of a column by its place, the first being 0."""
    name, at = "", at + 1
    while at:
        at, left = divmod(at - 1, 26)
        name = chr(ord("A") + left) + name
    return name


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, EPOCH)
    entry.compress_type = ZIP_DEFLATED
    return entry
