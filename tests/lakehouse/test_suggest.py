"""Mappings proposed for files never seen: valid, right about types, and without a value."""

import gzip
import json
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.errors import InputMissing, UsageError
from lakehouse.feed import Feed, feeds
from lakehouse.formats import rows_of
from lakehouse.mapping import read_feed
from lakehouse.suggest import suggest
from lakehouse.unpack import LIMITS
from tests.deliveries import GOOD, HEADS, csv_bytes, id_number

IDS = [id_number(f"2112231960{month:02d}01001") for month in range(1, 10)]
ROWS = [
    {"身份证号": number, "姓名": f"名{n}", "手机": f"1391234000{n}", "村": f"21122310120{n}",
     "日期": f"2015/{n + 1}/3", "时刻": f"2015-12-0{n + 1} 09:00:00", "性别": "男女"[n % 2],
     "享受": "是否"[n % 2], "金额": f"{n}.50", "人数": str(n), "备注": "" if n else "无",
     "period": "x"}
    for n, number in enumerate(IDS)
]  # fmt: skip
TYPES = {
    "person_id": ("identity", "person"), "person_name": ("text", None), "column_3":
    ("identity", "phone"), "column_4": ("area", None), "column_5": ("date", None),
    "column_6": ("timestamp", None), "sex": ("code", None), "column_8": ("yes_no", None),
    "column_9": ("decimal", None), "column_10": ("integer", None), "column_11": ("text", None),
    "period_12": ("text", None),
}  # fmt: skip


def proposed(path: Path, name: str = "my_feed") -> tuple[str, Feed]:
    """Return the text of the proposal, and the feed that it is read as."""
    text = suggest(path, name, feeds())
    mapping = path.parent / f"{name}.toml"
    mapping.write_text(text, encoding="utf-8")
    return text, read_feed(mapping, feeds())


def written(folder: Path, form: str) -> Path:
    path, heads = folder / f"some.{form}", list(ROWS[0])
    lines = [heads, *([row[head] for head in heads] for row in ROWS)]
    if form == "jsonl":
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), "utf-8")
    elif form == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif form == "xlsx":
        book = openpyxl.Workbook()
        for line in lines:
            book.active.append(line)
        book.save(path)
    else:
        separator = {"csv": ",", "tsv": "\t", "gz": ";"}[form]
        text = "\r\n".join(separator.join(line) for line in lines).encode("gb18030")
        path.write_bytes(gzip.compress(text) if form == "gz" else text)
    return path


@pytest.mark.parametrize("form", ["csv", "tsv", "gz", "jsonl", "xlsx", "parquet"])
def test_a_file_of_its_own_in_every_format(tmp_path: Path, form: str):
    path = written(tmp_path, form)
    text, feed = proposed(path)
    assert {name: (one.type, one.kind) for name, one in feed.fields.items()} == TYPES
    assert feed.format == {"gz": "csv"}.get(form, form)
    assert feed.key == ("person_id",)
    assert feed.fields["person_name"].personal
    assert [name for name, one in feed.fields.items() if one.optional] == ["column_11"]
    if form != "parquet":
        assert len([row for _, row, _, _ in rows_of(path, feed, LIMITS) if row]) == len(ROWS)
    # What a person may not see stays in the file: only heads and counts come out.
    values = {value for row in ROWS for head, value in row.items() if len(value) > 3}
    assert not [value for value in values if value in text]


def test_a_register_that_is_known_is_mapped_onto_it(tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_bytes(csv_bytes(GOOD, HEADS.replace("民族", "民族名称").replace("职业", "工作单位")))
    text = suggest(path, "people", feeds())
    assert 'onto = "person_register"' in text
    assert 'ethnicity = { head = "民族名称" }  # 民族?' in text
    assert "# work = { head = … }  # needed: What the person does." in text
    assert "# kept in bronze without a column: 工作单位" in text
    path.write_bytes(csv_bytes(GOOD, HEADS.replace("民族", "民族名称")))
    _, feed = proposed(path, "people")
    assert feed.onto == "person_register"
    assert next(row for _, row, _, _ in rows_of(path, feed, LIMITS))["ethnicity"] == "汉族"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01\n", b"PK\x03\x04 no archive\n"])
def test_what_is_no_file_of_rows_is_said(tmp_path: Path, content: bytes):
    path = tmp_path / "some.bin"
    path.write_bytes(content)
    with pytest.raises(InputMissing, match=r"some\.bin"):
        suggest(path, "my_feed", feeds())
    with pytest.raises(InputMissing, match="is not there"):
        suggest(tmp_path / "nothing", "my_feed", feeds())
    with pytest.raises(UsageError, match="small letters"):
        suggest(path, "My Feed", feeds())
