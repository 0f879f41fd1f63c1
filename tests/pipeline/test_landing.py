"""Landing, with everything that can be wrong with a delivery: named, counted, nothing lost."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.feed import feed
from lakehouse.landing import Landed
from lakehouse.parse import parse
from tests.deliveries import GOOD, HEADS, csv_bytes, deliver, id_number

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lakehouse.run import House

IDS = [id_number("2112231960050100" + str(n)) for n in range(6)]
ROWS = [line.replace(line.split(",")[0], IDS[n]) for n, line in enumerate(GOOD)]


def by_id(landed: list[Landed]) -> dict[str, Landed]:
    return {one.delivery_id.split("/", 1)[1]: one for one in landed}


def lists(file: str) -> dict[str, list[dict[str, str | int]]]:
    """Return a manifest of one file, other than the one delivered."""
    return {"files": [{"name": file, "bytes": 5, "sha256": "0", "rows": 3}]}


@pytest.fixture
def landing(house: "House") -> Path:
    return house.conf.landing


def test_refused_deliveries_are_named_and_the_right_ones_land(
    house: "House", landing: Path
) -> None:
    good = csv_bytes(ROWS)
    feed = "person_register"
    deliver(landing, feed, "2015-01", csv_bytes(ROWS, encoding="utf-8"), name="utf8", rows=3)
    deliver(landing, feed, "2015-01", csv_bytes(ROWS, HEADS.replace("民族", "民族名称")),
            name="renamed", rows=3)  # fmt: skip
    deliver(landing, feed, "2015-01", csv_bytes(ROWS, HEADS.replace("民族", "甲乙丙丁")),
            name="missing", rows=3)  # fmt: skip
    deliver(landing, feed, "2015-01", b"", name="empty", rows=0)
    deliver(landing, feed, "2015-01", csv_bytes([]), name="heads_only", rows=0)
    deliver(landing, feed, "2015-01", good, name="short", rows=4)
    deliver(landing, feed, "2015-01", good, name="changed", rows=3,
            manifest=lists("data.csv"))  # fmt: skip
    deliver(landing, feed, "2015-01", good, name="lost", rows=3,
            manifest=lists("other.csv"))  # fmt: skip
    deliver(landing, feed, "2015-01", good, name="other_feed", rows=3, manifest={"feed": "roster"})
    deliver(landing, "persons_register", "2015-01", good, name="nobody", rows=3)
    deliver(landing, feed, "2015/1".replace("/", "-1-"), good, name="when", rows=3)
    deliver(landing, feed, "2015-01", good, name="z_right", rows=3, day=2)

    landed = house.landing.land_all()

    reasons = {one.delivery_id.rsplit("/", 1)[1]: (one.state, one.reason) for one in landed}
    assert reasons == {
        "utf8": ("refused", "wrong_encoding"),
        "renamed": ("refused", "missing_head"),
        "missing": ("refused", "missing_head"),
        "empty": ("refused", "empty_file"),
        "heads_only": ("refused", "no_rows"),
        "short": ("refused", "control_total"),
        "changed": ("refused", "file_changed"),
        "lost": ("refused", "file_missing"),
        "other_feed": ("refused", "manifest_disagrees"),
        "nobody": ("refused", "unknown_feed"),
        "when": ("refused", "period_malformed"),
        "z_right": ("landed", None),
    }
    details = {one.delivery_id.rsplit("/", 1)[1]: one.detail or "" for one in landed}
    assert "reads as utf-8" in details["utf8"]
    assert "Did you mean '民族名称'?" in details["renamed"]
    assert house.lake.read("bronze.person_register").count() == 3
    assert not house.pending()


def test_bad_lines_are_kept_beside_and_counted(house: "House", landing: Path) -> None:
    lines = csv_bytes(ROWS).splitlines()
    lines.insert(2, ",".join(["x"] * 9).encode())
    lines.insert(3, b"\x81" + b"," * 10)
    lines.insert(4, b"a" * (1 << 20) + b"b")
    lines.append(b"")
    deliver(landing, "person_register", "2015-12", b"\n".join(lines) + b"\n", rows=6)

    [one] = house.landing.land_all()

    assert (one.state, one.read, one.created, one.quarantined) == ("landed", 6, 3, 3)
    kept = house.lake.quarantine("bronze.person_register")
    assert kept is not None
    assert {(row["line"], row["violations"][0]) for row in kept.collect()} == {
        (3, "wrong_field_count"),
        (4, "wrong_encoding"),
        (5, "line_too_long"),
    }
    # The lines after the bad ones keep their own numbers.
    lines_read = {row["line"] for row in house.lake.read("bronze.person_register").collect()}
    assert lines_read == {2, 6, 7}


def test_the_same_content_lands_once_under_any_name(house: "House", landing: Path) -> None:
    good = csv_bytes(ROWS)
    deliver(landing, "person_register", "2015-12", good, name="first", rows=3)
    assert [one.state for one in house.landing.land_all()] == ["landed"]
    deliver(landing, "person_register", "2015-12", good, name="again", file="copy.csv", rows=3)
    [twin] = house.landing.land_all()
    assert (twin.state, twin.read, twin.unchanged, twin.created) == ("duplicate", 3, 3, 0)
    assert house.lake.read("bronze.person_register").count() == 3


def test_a_name_that_is_used_again_is_told_and_does_not_land(house: "House", landing: Path) -> None:
    """Two sources took one name; later a sender wrote over what had landed."""
    place = {"feed": "person_register", "period": "2015-01", "name": "d1"}
    made = deliver(landing, content=csv_bytes(ROWS), rows=3, source="a", **place)
    deliver(landing, content=csv_bytes(ROWS[:2]), rows=2, source="b", **place)
    first, again = house.landing.land_all()
    assert (first.state, first.created) == ("landed", 3)
    assert (again.state, again.reason) == ("refused", "name_used_again")
    assert again.detail and again.detail.startswith("b has other files")

    shutil.rmtree(landing / "b")
    assert house.landing.land_all() == []
    shutil.rmtree(made)
    deliver(landing, content=csv_bytes(ROWS[:1]), rows=1, source="a", **place)
    assert [one.reason for one in house.landing.land_all()] == ["name_used_again"]
    [kept] = house.ops.deliveries()
    assert (kept["state"], kept["n_created"]) == ("landed", 3)


def test_a_register_that_stands_as_before_lands_for_its_month(
    house: "House", landing: Path
) -> None:
    """Changed and changed back: the last month is as the first, not as the one between."""
    rows = {"2015-10": ROWS, "2015-11": ROWS[:2], "2015-12": ROWS}
    for period, lines in rows.items():
        deliver(landing, "person_register", period, csv_bytes(lines), rows=len(lines))
    assert [one.state for one in house.landing.land_all()] == ["landed"] * 3


def test_a_crash_between_append_and_ledger_doubles_nothing(
    house: "House", landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(landing, "person_register", "2015-12", csv_bytes(ROWS), rows=3)
    with monkeypatch.context() as patch:
        patch.setattr(house.ops, "record_delivery", lambda **_: (_ for _ in ()).throw(OSError()))
        with pytest.raises(OSError):
            house.landing.land_all()
    assert house.lake.read("bronze.person_register").count() == 3  # appended, not recorded

    [one] = house.landing.land_all()

    assert (one.state, one.created) == ("landed", 3)
    assert house.lake.read("bronze.person_register").count() == 3


def test_parquet_is_numbered_and_a_truncated_file_is_refused(
    house: "House", landing: Path, tmp_path: Path
) -> None:
    table = pa.table(
        {
            "kind": ["call", "text"],
            "caller": ["13800000001", "+86 138-0000-0002"],
            "recipient": ["13800000002", "13800000001"],
            "started_at": ["2015-12-05 08:00:00", "2015-12-05 09:00:00"],
            "duration_s": [60, None],
            "caller_cell": ["c1", None],
            "recipient_cell": [None, "c1"],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    deliver(landing, "cdr", "2015-12-05", whole[:-20], file="a.parquet", name="cut", rows=2)
    deliver(landing, "cdr", "2015-12-05", whole, file="a.parquet", name="whole", rows=2, day=2)

    landed = by_id(house.landing.land_all())

    assert landed["2015-12-05/cut"].reason == "truncated_parquet"
    assert landed["2015-12-05/whole"].created == 2
    rows = house.lake.read("bronze.cdr").orderBy("line").collect()
    assert [(row["line"], row["duration_s"]) for row in rows] == [(2, "60"), (3, None)]
    # One number written in two ways is one identity: two numbers, two surrogates.
    calls = feed("cdr")
    house.vault.tokens(parse(house.lake.read("bronze.cdr"), calls, "Asia/Shanghai"), calls)
    assert house.lake.read("vault.identity").where("kind = 'phone'").count() == 2


def test_tokens_replace_identities_and_a_wrong_check_digit_is_named(
    house: "House", landing: Path, spark: "SparkSession"
) -> None:
    old = IDS[0][:6] + IDS[0][8:17]  # as until 1999
    wrong = IDS[3][:-1] + ("1" if IDS[3][-1] != "1" else "2")
    bad = [
        ROWS[0].replace(IDS[0], wrong),
        ROWS[1].replace("19620304", "19800230"),
        ROWS[2].replace("满族", "火星族"),
        ROWS[0].replace("211223101201", "21122310120"),
        ROWS[0],
        ROWS[0].replace(IDS[0], old),
        ROWS[0].replace(IDS[0], f"{old[:6]}620230{old[12:]}"),
    ]
    deliver(landing, "person_register", "2015-12", csv_bytes(bad), rows=7)
    house.landing.land_all()

    register = feed("person_register")
    typed = house.vault.tokens(
        parse(house.lake.read("bronze.person_register"), register, "Asia/Shanghai"), register
    )

    rows = {row["line"]: row for row in typed.collect()}
    assert [rows[line]["violations"] for line in range(2, 9)] == [
        ["person_id:check_digit"],
        ["birth_date:not_a_date"],
        ["ethnicity:unknown_code"],
        ["village_code:not_an_area_code"],
        [],
        [],
        ["person_id:malformed"],
    ]
    assert rows[2]["person_id"] is None
    assert rows[5]["person_id"] == rows[6]["person_id"] == rows[7]["person_id"] != IDS[0]
    assert len(rows[6]["person_id"]) == 16
    seen = {str(value) for row in house.lake.read("vault.identity").collect() for value in row}
    assert not seen & {IDS[0], wrong, "H1"}
