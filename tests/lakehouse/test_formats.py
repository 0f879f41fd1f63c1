"""Files of every format as rows of text; what is packed; what is refused, and in which word."""

import gzip
import io
import json
import os
import textwrap
import tracemalloc
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.delivery import (
    Delivery,
    Refused,
    check_files,
    match_heads,
    sha256,
    spare_heads,
)  # fmt: skip
from lakehouse.errors import DeclarationError
from lakehouse.feed import Feed
from lakehouse.formats import rows_of
from lakehouse.mapping import read_feed
from lakehouse.stream import Origin, StagedWriter, count_rows, read_file, read_parquet
from lakehouse.unpack import LIMITS, Limits

HEADED = """
    person_id = { head = "号码", type = "identity", kind = "person", meaning = "Number." }
    amount = { head = ["金额", "金额(元)"], type = "decimal", meaning = "Yuan.", optional = true }
"""
OPTIONAL = HEADED.replace('meaning = "Number."', 'meaning = "Number.", optional = true')
PLACED = """
    code = { at = [1, 4], type = "text", meaning = "Code." }
    name = { at = [5, 10], type = "text", meaning = "Name: three characters." }
    amount = { at = [11, 16], type = "decimal", meaning = "Yuan." }
"""


def feed(tmp_path: Path, columns: str = HEADED, **said: str) -> Feed:
    told = {"title": "x", "source": "s", "owner": "o", "purpose": "benefits", "extent": "full",
            "format": "csv"} | said  # fmt: skip
    lines = [f'{key} = "{value}"' for key, value in told.items()]
    path = tmp_path / "some_feed.toml"
    path.write_text("\n".join([*lines, "[columns]", textwrap.dedent(columns)]), encoding="utf-8")
    return read_feed(path, {})


def rows(path: Path, of: Feed, limits: Limits = LIMITS) -> list[tuple[int, object, str | None]]:
    return [(line, row and tuple(row.values()), why) for line, row, why, _ in
            rows_of(path, of, limits)]  # fmt: skip


def refused(path: Path, of: Feed, limits: Limits = LIMITS) -> str:
    with pytest.raises(Refused) as told:
        rows(path, of, limits)
    return told.value.reason


# -- JSON lines ----------------------------------------------------------------------------


def test_json_lines_keep_numbers_as_they_are_written(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"号码": "11010519491231002X", "金额(元)": 1200.50, "备注": [1]}\n'
        "\n"
        '{"号码": 110105194912310021}\n'
        '{"号码": "1", "金额(元)": {"元": 3}}\n'
        '{"号码": true, "金额(元)": null}\n'
        '{"号码": \n'
        "[1]\n"
        '{"号码": 1, "号码": 2}\n'
        '{"号码": NaN}',
        encoding="utf-8",
    )
    of = feed(tmp_path, format="jsonl")
    assert rows(path, of) == [
        (1, ("11010519491231002X", "1200.50", [("备注", '["1"]')]), None),
        (3, ("110105194912310021", None), None),
        (4, ("1", '{"元": "3"}'), None),
        (5, ("true", None), None),
        (6, None, "not_json"),
        (7, None, "not_an_object"),
        (8, None, "repeated_key"),
        (9, ("NaN", None), None),
    ]
    assert count_rows(path, of) == 8


def test_json_lines_without_a_head_that_is_needed(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"身份号码": "1"}\n{"金额": 3}\n', encoding="utf-8")
    assert refused(path, feed(tmp_path, format="jsonl")) == "missing_head"


def test_json_that_goes_too_deep_or_is_another_text(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"号码": "1"}\n'.encode() + b"[" * 100_000 + b"\n" + b'{"\xff": 1}\n')
    assert [why for *_, why in rows(path, feed(tmp_path, format="jsonl"))] == [
        None, "not_json", "wrong_encoding",
    ]  # fmt: skip


# -- fixed width ---------------------------------------------------------------------------


def test_fixed_width_counts_bytes(tmp_path: Path):
    """Two bytes a character in GB18030, as old systems write it."""
    path = tmp_path / "a.txt"
    lines = ["A001张三丰  1.50", "A002王五   12.00", "A003李", "", "A004赵六    3.00  rest"]
    path.write_bytes("\r\n".join(lines).encode("gb18030") + b"\r\nA005\xff\xff\xff\xff  1.0000\r\n")
    of = feed(tmp_path, PLACED, format="fixed", encoding="gb18030")
    assert rows(path, of) == [
        (1, ("A001", "张三丰", "1.50"), None),
        (2, ("A002", "王五", "12.00"), None),
        (3, None, "wrong_line_length"),
        (5, ("A004", "赵六", "3.00"), None),
        (6, None, "wrong_encoding"),
    ]
    assert count_rows(path, of) == 5


@pytest.mark.parametrize(
    ("columns", "said", "word"),
    [
        (HEADED, {"format": "fixed"}, "has no heads"),
        (PLACED, {"format": "csv"}, "at is for fixed width"),
        (PLACED.replace("[1, 4]", "[4, 1]"), {"format": "fixed"}, r"at is \[4, 1\]"),
        (PLACED.replace("[1, 4]", "[0, 4]"), {"format": "fixed"}, "counted from 1"),
        (PLACED.replace("at = [1, 4], ", ""), {"format": "fixed"}, "either a head"),
        (HEADED + "    amount = { head = 'b', type = 'text', meaning = 'M.' }", {}, "not valid"),
        (HEADED.replace('"金额"', '"号码"'), {}, "mapped to two columns"),
    ],
)
def test_mistakes_of_a_mapping(tmp_path: Path, columns: str, said: dict[str, str], word: str):
    with pytest.raises(DeclarationError, match=word):
        feed(tmp_path, columns, **said)


# -- packed --------------------------------------------------------------------------------

GOOD = "号码,金额\n1,2\n3,4\n".encode()


def zipped(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("folder")
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def locked(content: bytes) -> bytes:
    """Say of every member that it has a password."""
    made = bytearray(content)
    for begins, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = made.find(begins)
        while at >= 0:
            made[at + flag] |= 1
            at = made.find(begins, at + 4)
    return bytes(made)


@pytest.mark.parametrize("packed", [GOOD, gzip.compress(GOOD), zipped(a=GOOD)])
def test_packed_or_not_the_rows_are_the_same(tmp_path: Path, packed: bytes):
    path = tmp_path / "a.csv"
    path.write_bytes(packed)
    of = feed(tmp_path)
    assert rows(path, of) == [(2, ("1", "2"), None), (3, ("3", "4"), None)]
    assert count_rows(path, of) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped(a=GOOD, b=GOOD), "zip_members"),
        (zipped(), "zip_members"),
        (zipped(a=GOOD * 500)[:-60], "truncated_zip"),
        (gzip.compress(GOOD * 500)[:-40], "truncated_gzip"),
        (locked(zipped(a=GOOD)), "zip_locked"),
    ],
)
def test_broken_archives(tmp_path: Path, content: bytes, reason: str):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(Refused) as told, staging(tmp_path) as into:
        read_file(path, feed(tmp_path), [], into)
    assert told.value.reason == reason


def staging(tmp_path: Path) -> StagedWriter:
    files, folder = pa.fs.LocalFileSystem(), str(tmp_path / "staging")
    origin = Origin("some_feed/2015-12/d1", datetime(2015, 12, 5, 4, tzinfo=UTC))
    return StagedWriter(files, folder, ["person_id", "amount"], origin)


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped(a=content)])
def test_what_unpacks_too_far_is_refused_while_it_is_read(tmp_path: Path, pack):
    path = tmp_path / "a.csv"
    path.write_bytes(pack("号码,金额\n".encode() + b"1,2\n" * 2_000_000))
    assert refused(path, feed(tmp_path), Limits(unpacked_free=1 << 20)) == "zip_bomb"
    # A small file may be packed as well as it likes.
    assert next(rows_of(path, feed(tmp_path), LIMITS))[1] == {"person_id": "1", "amount": "2"}


# -- Parquet -------------------------------------------------------------------------------


def parquet(tmp_path: Path, columns: dict[str, pa.Array]) -> Path:
    path = tmp_path / "a.parquet"
    # Pages as they are: packed ones would be refused before they are read.
    pq.write_table(pa.table(columns), path, compression="none", use_dictionary=False)
    return path


def test_parquet_becomes_text_with_its_lines_and_what_no_column_has(tmp_path: Path):
    path = parquet(
        tmp_path,
        {
            "号码": pa.array(["1", None, "3"]),
            "金额": pa.array([1.5, 2.0, None]),
            "新列": pa.array(
                [datetime(2015, 12, 5, 4), None, datetime(2015, 12, 5, 4, 0, 0, 120000)]
            ),
        },
    )
    of = feed(tmp_path, format="parquet")
    with staging(tmp_path) as into:
        first = read_parquet(path, of, ["amount"], into)
        read_parquet(path, of, [], into, before=first.rows)
    assert (first.rows, first.totals, first.heads) == (3, {"amount": 3.5}, ["号码", "金额", "新列"])
    found = pq.read_table(tmp_path / "staging" / "rows.parquet").to_pylist()
    told = [(one["line"], one["person_id"], one["amount"], one["unmapped"]) for one in found]
    assert told[:3] == [
        (2, "1", "1.5", [("新列", "2015-12-05 04:00:00")]),
        (3, None, "2", [("新列", None)]),
        (4, "3", None, [("新列", "2015-12-05 04:00:00.12")]),
    ]
    assert [line for line, *_ in told] == [2, 3, 4, 5, 6, 7]
    assert {one["delivery_id"] for one in found} == {"some_feed/2015-12/d1"}


def test_parquet_whose_pages_are_broken_is_refused(tmp_path: Path):
    path = parquet(tmp_path, {"号码": pa.array(["1" * 50] * 1000)})
    of = feed(tmp_path, OPTIONAL, format="parquet")
    raw = bytearray(path.read_bytes())
    raw[4:40] = bytes(36)  # The head of the first page; the footer is whole.
    path.write_bytes(raw)
    with pytest.raises(Refused) as told, staging(tmp_path) as into:
        read_parquet(path, of, [], into)
    assert told.value.reason == "broken_parquet"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    path = parquet(tmp_path, {"号码": pa.array([b"1", "大".encode("gb18030")])})
    with pytest.raises(Refused) as told, staging(tmp_path) as into:
        read_parquet(path, feed(tmp_path, OPTIONAL, format="parquet"), [], into)
    assert told.value.reason == "broken_parquet"


# -- lines and workbooks -------------------------------------------------------------------


def test_a_line_without_an_end_is_set_aside_by_its_number(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes("号码,金额\n".encode() + b"1,2\n" + b"9" * 5_000 + b"\n3,4\n")
    of, limits = feed(tmp_path), Limits(longest_line=1_000)
    assert [(line, why) for line, _, why in rows(path, of, limits)] == [
        (2, None), (3, "line_too_long"), (4, None),
    ]  # fmt: skip
    assert len(next(raw for _, _, why, raw in rows_of(path, of, limits) if why)) == 1_000


def test_a_line_of_two_gibibytes_is_set_aside_in_the_memory_of_one_that_is_allowed(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes("号码,金额\n".encode() + b"1,2\n")
    with path.open("r+b") as file:  # A hole: it takes no room on disk.
        file.seek(2**31, os.SEEK_END)
        file.write(b"\n3,4\n")
    tracemalloc.start()
    try:
        found = [(line, why) for line, _, why in rows(path, feed(tmp_path), LIMITS)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == [(2, None), (3, "line_too_long"), (4, None)]
    assert peak < 8 * LIMITS.longest_line


def workbook(path: Path, cells: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in cells:
        book.active.append(row)
    book.save(path)
    return path


def test_a_formula_is_refused(tmp_path: Path):
    of = feed(tmp_path, format="xlsx")
    plain = workbook(tmp_path / "plain.xlsx", [["号码", "金额"], ["1", 2.0], ["=1", 3]])
    assert refused(plain, of) == "formula"
    good = workbook(tmp_path / "good.xlsx", [["号码", "金额"], ["1", 2.0]])
    assert rows(good, of) == [(2, ("1", "2"), None)]
    assert refused(good, of, Limits(unpacked_free=100, unpacked_ratio=1)) == "zip_bomb"
    (tmp_path / "no.xlsx").write_bytes(GOOD)
    assert refused(tmp_path / "no.xlsx", of) == "unreadable_workbook"


def test_heads_that_are_new(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("\ufeff号码, 金额 ,新列,旧列,\n1,2,3,4,5\n", encoding="utf-8")
    of, heads = feed(tmp_path), []
    known = {"person_id": "1", "amount": "2"}
    assert next(rows_of(path, of, LIMITS, heads))[1] == known | {
        "unmapped": [("新列", "3"), ("旧列", "4")]
    }
    assert spare_heads(heads, of) == {"新列": "新列", "旧列": "旧列"}
    of = replace(of, ignore=("旧列",))
    assert next(rows_of(path, of, LIMITS))[1] == known | {"unmapped": [("新列", "3")]}


def test_a_head_told_twice_is_refused_unless_nobody_reads_it(tmp_path: Path):
    of = replace(feed(tmp_path, HEADED), ignore=("旧列", "号码"))
    for twice, is_refused in (("号码", True), ("新列", True), ("旧列", False)):
        heads = ["号码", "金额", "新列", "旧列", f" {twice}"]
        if is_refused:
            with pytest.raises(Refused, match=f"2 heads '{twice}'") as refused:
                match_heads(heads, of, "a.csv")
            assert refused.value.reason == "repeated_head"
        else:
            assert match_heads(heads, of, "a.csv") == {"号码": "person_id", "金额": "amount"}


def test_keys_that_come_late_are_fields_too(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    lines = [{"号码": "1"}] * 1000 + [{"号码": "2", "金额": 3, "新列": True}]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    heads: list[str] = []
    of = feed(tmp_path, OPTIONAL, format="jsonl")
    *_, last = rows_of(path, of, LIMITS, heads)
    assert last[1] == {"person_id": "2", "amount": "3", "unmapped": [("新列", "true")]}
    assert heads == ["号码", "新列", "金额"]


# -- manifests -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../a.csv", "/etc/passwd", "sub/a.csv", "..", "..\\a.csv", ""])
def test_a_path_that_climbs_out_is_refused(tmp_path: Path, name: str):
    folder = tmp_path / "landing" / "s" / "some_feed" / "2015-12" / "d1"
    folder.mkdir(parents=True)
    (folder.parent / "a.csv").write_bytes(GOOD)
    told = {"name": name, "bytes": len(GOOD), "sha256": sha256(folder.parent / "a.csv"), "rows": 2}
    (folder / "manifest.json").write_text(json.dumps({"files": [told]}), encoding="utf-8")
    with pytest.raises(Refused, match="unsafe_path"):
        check_files(Delivery(folder, "s", "some_feed", "2015-12", "d1"), feed(tmp_path))
