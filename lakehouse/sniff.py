"""A file never seen, looked at: its format, encoding and heads, and what its columns hold.

Counts and types come out, never a value.
"""

import csv
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.delivery import Refused
from lakehouse.errors import InputMissing
from lakehouse.feed import Feed, Field
from lakehouse.formats import rows_of
from lakehouse.parse import ID_CHECK, ID_WEIGHTS
from lakehouse.schemas import codes
from lakehouse.table import CodeList, Table
from lakehouse.unpack import BROKEN, LIMITS, ZIP, open_bytes

MOST_ROWS = 5_000
# A column is taken for what so many of its values are.
ENOUGH = 0.9
ENCODINGS = ("utf-8-sig", "gb18030", "big5")
SEPARATORS = ",\t;|"
# Spark's letters, a pattern, and Python's letters, of days and moments; the first that fits.
DATES = (
    ("yyyy-MM-dd", r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"),
    ("yyyyMMdd", r"(19|20)\d{6}", "%Y%m%d"),
    ("yyyy/M/d", r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
    ("yyyy.M.d", r"\d{4}\.\d{1,2}\.\d{1,2}", "%Y.%m.%d"),
    ("yyyy年M月d日", r"\d{4}年\d{1,2}月\d{1,2}日", "%Y年%m月%d日"),
)
MOMENTS = (
    ("yyyy-MM-dd HH:mm:ss", r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", "%Y-%m-%d %H:%M:%S"),
    ("yyyy/M/d H:mm:ss", r"\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}:\d{2}", "%Y/%m/%d %H:%M:%S"),
    ("yyyy/M/d H:mm", r"\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}", "%Y/%m/%d %H:%M"),
    ("yyyyMMddHHmmss", r"(19|20)\d{12}", "%Y%m%d%H%M%S"),
)
CODE_LISTS = [one for one in vars(codes).values() if isinstance(one, CodeList)]
IS_NAME = re.compile("姓名|名字|联系人|地址|住址|name|address", re.IGNORECASE)
IS_CODE = re.compile("代码|编码|区划|code", re.IGNORECASE)


@dataclass(frozen=True)
class Seen:
    """What a file looks like. `columns` has up to 5,000 texts of each head."""

    format: str
    encoding: str
    separator: str
    columns: dict[str, list[str | None]]
    rows: int


@dataclass(frozen=True)
class Guess:
    """What a column seems to hold: the words of a mapping, and why."""

    words: dict[str, object]
    why: str


def look(path: Path) -> Seen:
    """Return what a file looks like.

    Raises InputMissing for one that is not there, is empty, or of no format that can land.
    """
    if not path.is_file() or not path.stat().st_size:
        raise InputMissing(f"{path} is not there, or is empty.")
    try:
        return _parquet(path) if _is_parquet(path) else _text(path)
    except (Refused, *BROKEN, pa.ArrowInvalid) as error:
        raise InputMissing(f"{path} cannot be read: {error}.") from None


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _parquet(path: Path) -> Seen:
    file = pq.ParquetFile(path)
    some = next(file.iter_batches(MOST_ROWS), None)
    names = file.schema_arrow.names
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    for row in some.to_pylist() if some else []:
        for name, value in row.items():
            columns[name].append(None if value is None else str(value))
    return Seen("parquet", "utf-8", ",", columns, file.metadata.num_rows)


def _is_workbook(path: Path) -> bool:
    with path.open("rb") as file:
        if file.read(4) != ZIP:
            return False
    try:
        with ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except BadZipFile:
        return False


def _text(path: Path) -> Seen:
    if _is_workbook(path):
        from python_calamine import CalamineWorkbook

        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).iter_rows()
        return _read(path, "xlsx", "utf-8", ",", [str(cell) for cell in next(iter(rows), [])])
    with open_bytes(path) as file:
        first = file.readline(LIMITS.longest_line)
        more = file.read(1 << 16)
    encoding = _encoding(first, more)
    text = first.decode(encoding, "replace").lstrip("\ufeff").strip()
    if text.startswith("{"):
        return _read(path, "jsonl", encoding, ",", _keys(path, encoding))
    separator = max(SEPARATORS, key=text.count)
    heads = next(csv.reader([text], delimiter=separator), [])
    return _read(path, "tsv" if separator == "\t" else "csv", encoding, separator, heads)


def _encoding(first: bytes, more: bytes) -> str:
    """Return the first encoding in which the head and what follows can be read."""
    whole = first + more[: more.rfind(b"\n") + 1]
    for encoding in ENCODINGS:
        try:
            text = whole.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\ufffd" not in text:
            is_marked = whole.startswith(b"\xef\xbb\xbf")
            return "utf-8" if encoding == "utf-8-sig" and not is_marked else encoding
    raise Refused("wrong_encoding", f"none of {', '.join(ENCODINGS)} fits")


def _keys(path: Path, encoding: str) -> list[str]:
    found: dict[str, None] = {}
    with open_bytes(path) as file:
        for line in islice(file, MOST_ROWS):
            try:
                row = json.loads(line.decode(encoding))
            except ValueError:
                continue
            found |= dict.fromkeys(row) if isinstance(row, dict) else {}
    return list(found)


def _read(path: Path, form: str, encoding: str, separator: str, heads: list[str]) -> Seen:
    heads = [head.strip() for head in heads if head.strip()]
    if not heads:
        raise Refused("missing_head", "its first line has no heads")
    feed = as_text(form, encoding, separator, heads)
    columns: dict[str, list[str | None]] = {head: [] for head in heads}
    n = 0
    for _, row, _, _ in rows_of(path, feed, LIMITS):
        n += 1
        if n <= MOST_ROWS and row:
            for head, text in zip(heads, row.values(), strict=True):
                columns[head].append(text)
    return Seen(form, encoding, separator, columns, n)


def as_text(form: str, encoding: str, separator: str, heads: list[str]) -> Feed:
    """Return a feed that reads every column of a file as text."""
    plain = Field("", (), "text", "", optional=True)
    return Feed(
        name="seen", title="", source="", owner="", purpose="", area=None, format=form,
        encoding=encoding, extent="full", every="month", table=Table,
        fields={f"c{n}": replace(plain, name=f"c{n}", head=(head,))
                for n, head in enumerate(heads)},
        separator=separator if form == "csv" and separator != "," else None,
    )  # fmt: skip


# -- what a column holds -------------------------------------------------------------------


def guess(head: str, texts: list[str | None]) -> Guess:
    """Return what a column seems to hold, by its texts and its head."""
    told = [text.strip() for text in texts if text and text.strip()]
    blank = 1 - len(told) / len(texts) if texts else 1.0
    optional = {"optional": True} if blank else {}
    if not told:
        return Guess({"type": "text", "optional": True}, "empty in all rows read")
    for words, why, fits in _tests(head, told):
        share = sum(map(fits, told)) / len(told)
        if share >= ENOUGH:
            return Guess(words | optional, f"{why} in {share:.0%}" + _blank(blank))
    personal: dict[str, object] = {"personal": True} if IS_NAME.search(head) else {}
    n = len(set(told))
    why = f"{n:,} different texts" + _blank(blank)
    why += "; a code? then say `codes` or `map`" if n <= 12 and len(told) > 10 * n else ""
    return Guess({"type": "text"} | personal | optional, why)


def _blank(share: float) -> str:
    return f"; {share:.0%} empty" if share else ""


Test = tuple[dict[str, object], str, Callable[[str], bool]]


def _tests(head: str, told: list[str]) -> Iterator[Test]:
    """Yield what a column may be, the narrowest first: words, in English, whether a text is one."""
    yield {"type": "identity", "kind": "person"}, "ID numbers", _is_person
    yield {"type": "identity", "kind": "phone"}, "mobile numbers", _matches(r"1[3-9]\d{9}")
    yield {"type": "yes_no"}, "yes or no", set(codes.YES_NO.labels.values()).__contains__
    for listed in sorted(CODE_LISTS, key=lambda one: len(one.labels)):
        if listed is not codes.YES_NO and len(set(told)) > 1:
            word = next(name for name, one in vars(codes).items() if one is listed)
            yield {"type": "code", "codes": word}, f"labels of {word}", set(
                listed.labels.values()
            ).__contains__  # fmt: skip
    for kind, forms in (("date", DATES), ("timestamp", MOMENTS)):
        used = [one for one in forms if any(_is_time(one)(text) for text in told)]
        if used:
            yield (
                {"type": kind, "formats": [form for form, *_ in used]}, f"{kind}s",
                lambda text, used=used: any(_is_time(one)(text) for one in used),  # type: ignore[misc]
            )  # fmt: skip
    for digits in (12, 9, 6):
        if digits == 12 or IS_CODE.search(head):
            words: dict[str, object] = {"type": "area"}
            words |= {"digits": digits} if digits < 12 else {}
            yield words, "area codes", _matches(rf"[1-6]\d{{{digits - 1}}}")
    for kind, word, most in (("longitude", "经度|lon|lng", 180), ("latitude", "纬度|lat", 90)):
        if re.search(word, head, re.IGNORECASE):
            yield {"type": kind}, f"{kind}s", lambda text, most=most: _within(text, most)  # type: ignore[misc]
    # Whole numbers that begin with a nought, or are very long, are numbers of things.
    yield {"type": "integer"}, "whole numbers", _matches(r"-?(0|[1-9]\d{0,14})")
    yield {"type": "decimal"}, "numbers", _matches(r"-?(0|[1-9]\d{0,14})(\.\d+)?")


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _is_person(text: str) -> bool:
    if not re.fullmatch(r"[1-6]\d{16}[\dXx]", text):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, ID_WEIGHTS, strict=False))
    return ID_CHECK[total % 11] == text[17].upper()


def _is_time(one: tuple[str, str, str]) -> Callable[[str], bool]:
    _, pattern, form = one

    def fits(text: str) -> bool:
        if not re.fullmatch(pattern, text):
            return False
        try:
            datetime.strptime(text, form)
        except ValueError:
            return False
        return True

    return fits


def _within(text: str, most: float) -> bool:
    try:
        return abs(float(text)) <= most
    except ValueError:
        return False
