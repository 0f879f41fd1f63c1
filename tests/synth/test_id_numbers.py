"""ID numbers as delivered: each valid, but for those that are listed as faults."""

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest
from id_validator import validator

from lakehouse.delivery import find
from lakehouse.feed import Feed
from synth.deliver.delivery import feeds_known
from synth.deliver.faults import LINES
from synth.make import make
from synth.people.id_areas import OPEN, codes_of_all_years
from tests.synth.conftest import Made
from tests.synth.raw import raw
from tests.synth.truth_county import TOLD

FEEDS = feeds_known()
Place = tuple[str, str, str, int, str]


class Numbers(NamedTuple):
    """ID numbers as they stand in the files, and the faults listed in them, by place."""

    cells: dict[Place, str]
    listed: dict[Place, dict[str, Any]]
    known: set[str]


def columns_of(feed: Feed) -> list[str]:
    return [name for name, spec in feed.delivered.items()
            if spec.type == "identity" and spec.kind == "person"]  # fmt: skip


def is_valid(text: str) -> bool:
    """Tell whether it is an ID number: eighteen characters, a day of birth, ISO 7064 MOD 11-2."""
    if not re.fullmatch("[0-9]{17}[0-9X]", text):
        return False
    try:
        date.fromisoformat(f"{text[6:10]}-{text[10:12]}-{text[12:14]}")
    except ValueError:
        return False
    product = 0
    for digit in text[:17]:
        product = (product + int(digit)) * 2 % 11
    return (product + (10 if text[17] == "X" else int(text[17]))) % 11 == 1


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Numbers:
    out = tmp_path_factory.mktemp("harsh")
    make(out, replace(TOLD, people=3_000, first=date(2015, 12, 1), months=1, faults="harsh"))
    return read_numbers(out)


def read_numbers(out: Path) -> Numbers:
    """Read all deliveries that are not refused and no copies: of these no rows are listed."""
    faults = pq.read_table(out / "faults" / "row.parquet").to_pylist()
    whole = pq.read_table(out / "faults" / "delivery.parquet").to_pylist()
    left_out = {
        (one["feed"], one["period"], one["delivery"]) for one in whole
        if one["expected"] == "refused" or one["reason"] == "same_content"
    }  # fmt: skip
    of_line = {_place(one)[:4] for one in faults if one["kind"] in (*LINES, "truncated_line")}
    cells: dict[Place, str] = {}
    for one in find(out / "landing"):
        feed, key = FEEDS[one.feed], (one.feed, one.period, one.name)
        columns = columns_of(feed)
        if not columns or key in left_out:
            continue
        found = raw(one.folder, feed)
        for line in found.rows.keys() - {place[3] for place in of_line if place[:3] == key}:
            texts = {name: found.cell(line, name) for name in columns}
            cells |= {(*key, line, name): text for name, text in texts.items() if text}
    listed = {_place(one): one for one in faults if one["column"] in columns_of(FEEDS[one["feed"]])}
    known = {
        number
        for table in ("person", "stranger")
        for number in pq.read_table(out / "truth" / f"{table}.parquet")["person_id"].to_pylist()
    }
    return Numbers(cells, listed, known)


def _place(one: dict[str, Any]) -> Place:
    return one["feed"], one["period"], one["delivery"], one["line"], one["column"]


def test_numbers_are_valid_unless_listed(numbers: Numbers):
    right = {text: is_valid(text) for text in set(numbers.cells.values())}
    wrong = {place for place, text in numbers.cells.items() if not right[text]}
    assert wrong == numbers.listed.keys()
    assert len(wrong) > 200
    valid = {text for text, is_right in right.items() if is_right}
    assert all(validator.is_valid(text) for text in sorted(valid)[::97])
    assert valid <= numbers.known
    assert {FEEDS[place[0]].format for place in numbers.cells} == {"csv", "tsv", "xlsx"}


def test_listed_numbers_are_wrong_in_the_way_that_is_said(numbers: Numbers):
    found: Counter[str] = Counter()
    for place, one in numbers.listed.items():
        right, written = one["right"], one["written"]
        assert right in numbers.known
        assert numbers.cells[place] == written
        assert _is_so(one["kind"], right, written), one
        found[one["kind"]] += 1
    assert min(found.values()) > 3
    assert found.keys() == {
        "wrong_check_digit", "swapped_digits", "wrong_digit", "id_15_digits", "lower_case_x",
        "full_width_digits", "trailing_blank", "ideographic_blank",
    }  # fmt: skip


def _is_so(kind: str, right: str, written: str) -> bool:
    other = [at for at, (a, b) in enumerate(zip(right, written, strict=False)) if a != b]
    if kind == "id_15_digits":
        return len(written) == 15 and f"{written[:6]}19{written[6:]}" == right[:17]
    if kind in ("full_width_digits", "trailing_blank", "ideographic_blank"):
        return unicodedata.normalize("NFKC", written).strip() == right
    if kind == "lower_case_x":
        return written.upper() == right
    if kind == "swapped_digits":
        return len(other) == 2 and other[1] == other[0] + 1 and sorted(right) == sorted(written)
    return len(other) == 1 and (other == [17]) == (kind == "wrong_check_digit")


def test_area_codes_are_those_of_the_year_of_birth(clean: Made):
    """A code in force then; whose county is in no book of the year has its first code."""
    spans = codes_of_all_years()
    now = set(spans.loc[spans["last_year"] == OPEN, "area_code"])
    first = spans.groupby("area_code")["first_year"].min()
    renamed = set(zip(spans["successor"], spans["last_year"] + 1, strict=True))
    in_force = {
        (code, year)
        for code, begin, end in spans[["area_code", "first_year", "last_year"]].to_numpy()
        for year in range(begin, min(end, TOLD.last.year) + 1)
    }
    old = 0
    for table in ("person", "stranger"):
        for number in pq.read_table(clean.truth / f"{table}.parquet")["person_id"].to_pylist():
            code, year = number[:6], int(number[6:10])
            is_first = year < first[code] and (code, first[code]) not in renamed
            assert (code, year) in in_force or is_first, (table, number[:10])
            old += code not in now
    assert old > 200
