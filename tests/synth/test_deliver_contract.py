"""Deliveries appear whole or not at all, once, under their own name."""

import json
import resource
import weakref
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lakehouse.delivery import Delivery, check_files, find
from lakehouse.errors import BangfuError, InputMissing, UsageError
from lakehouse.feed import Feed
from synth.deliver.contract import CLAIM, claim
from synth.deliver.delivery import Outcome, Part, deliver, feeds_known
from synth.deliver.plan import plan_faults
from tests.synth.made_rows import made, parts

DAY = date(2016, 1, 5)
CLEAN = plan_faults("none", 1, [])
FORMATS = {
    "csv": ("person_register", False), "gzip": ("person_register", True),
    "xlsx": ("household_card", False), "parquet": ("cell", False),
}  # fmt: skip


def written(out: Path, feed: Feed, n: int = 50, packed: bool = False) -> Outcome:
    return deliver(out, feed, "2015-12", DAY, parts(feed, 2, n), CLEAN, packed=packed)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def register() -> Feed:
    return feeds_known()["person_register"]


@pytest.mark.parametrize("kind", FORMATS)
def test_manifest_tells_what_is_there(kind: str, tmp_path: Path):
    name, packed = FORMATS[kind]
    feed = feeds_known()[name]
    [one] = written(tmp_path, feed, packed=packed).written
    [found] = find(tmp_path)
    check_files(found, feed)
    assert one.folder == tmp_path / feed.source / name / "2015-12" / "d1" == found.folder
    assert found.manifest()["delivered_at"] == "2016-01-05T09:00:00+08:00"
    assert (found.manifest()["extent"], found.manifest()["supersedes"]) == ("full", None)
    [file] = found.files()
    assert (file.rows, file.n_bytes, one.is_new) == (100, one.n_bytes, True)


@pytest.mark.parametrize("kind", FORMATS)
def test_same_rows_same_bytes_and_left_alone(kind: str, tmp_path: Path):
    name, packed = FORMATS[kind]
    feed = feeds_known()[name]
    written(tmp_path / "one", feed, packed=packed)
    written(tmp_path / "two", feed, packed=packed)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    flag = tmp_path / "one" / feed.source / name / "2015-12" / "d1" / "_READY"
    before = flag.stat().st_mtime_ns
    [again] = written(tmp_path / "one", feed, packed=packed).written
    assert not again.is_new
    assert flag.stat().st_mtime_ns == before
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_name_is_never_used_again(register: Feed, tmp_path: Path):
    written(tmp_path, register)
    before = files(tmp_path)
    with pytest.raises(UsageError, match="holds another delivery"):
        written(tmp_path, register, n=51)
    assert files(tmp_path) == before


def test_what_a_crash_left_is_made_again(register: Feed, tmp_path: Path):
    [one] = written(tmp_path, register).written
    before = files(tmp_path)
    (one.folder / "_READY").unlink()
    (one.folder / "person_register_2015-12.csv").write_bytes(b"half")
    left = one.folder.with_name(".d1.tmp")
    left.mkdir()
    (left / "half").write_bytes(b"half")
    assert written(tmp_path, register).written[0].is_new
    assert files(tmp_path) == before


def test_a_stop_in_the_middle_leaves_nothing_that_looks_whole(register: Feed, tmp_path: Path):
    def stopped() -> Iterator[Part]:
        yield Part("b0", made(register, 10, 0))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(tmp_path, register, "2015-12", DAY, stopped(), CLEAN)
    assert files(tmp_path) == {}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_full_disk_is_told_and_leaves_nothing(kind: str, tmp_path: Path):
    name, packed = FORMATS[kind]
    feed = feeds_known()[name]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(InputMissing, match=r"No room to write .*Free some, .*--out") as error:
            written(tmp_path, feed, n=4_000, packed=packed)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.exit_code == 11
    assert f"{feed.source}/{name}/2015-12" in str(error.value)
    assert files(tmp_path) == {}


def test_where_nothing_can_be_written_is_told(register: Feed, tmp_path: Path):
    (tmp_path / "police").write_text("a file where a folder should be")
    with pytest.raises(BangfuError, match="cannot be written") as error:
        written(tmp_path, register)
    assert error.value.exit_code == 2


def test_memory_holds_one_portion(register: Feed, tmp_path: Path):
    alive: list[weakref.ref[object]] = []

    def watched() -> Iterator[Part]:
        for block in range(6):
            rows = made(register, 20, block)
            assert sum(one() is not None for one in alive) <= 1
            alive.append(weakref.ref(rows))
            yield Part(f"b{block}", rows)
            del rows

    assert deliver(tmp_path, register, "2015-12", DAY, watched(), CLEAN).rows == 120


def test_no_rows_are_a_file_with_a_head(register: Feed, tmp_path: Path):
    deliver(tmp_path, register, "2015-12", DAY, [], CLEAN)
    [found] = find(tmp_path)
    assert [file.rows for file in found.files()] == [0]


def test_a_folder_of_something_else_is_refused(tmp_path: Path):
    told = {"area": "2112", "people": 5000, "first": date(2015, 12, 1), "census": None}
    claim(tmp_path / "new", told)
    claim(tmp_path / "new", told)
    assert json.loads((tmp_path / "new" / CLAIM).read_text())["first"] == "2015-12-01"
    with pytest.raises(UsageError, match="was made with people 5000; now it is people 6000"):
        claim(tmp_path / "new", told | {"people": 6000})
    (tmp_path / "mine").mkdir()
    claim(tmp_path / "mine", told)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").touch()
    (tmp_path / "file").touch()
    for taken in ("full", "file"):
        with pytest.raises(UsageError, match="holds something else"):
            claim(tmp_path / taken, told)
    assert not (tmp_path / "full" / CLAIM).exists()


def test_chain_supersedes_by_name_and_comes_later(register: Feed, tmp_path: Path):
    plan = replace(plan_faults("harsh", 1, []), chosen={("person_register", "2015-12"): "shrunk"})
    deliver(tmp_path, register, "2015-12", DAY, parts(register, 3, 200), plan)
    few, whole = sorted(find(tmp_path), key=lambda one: one.name)
    assert few.manifest()["supersedes"] is None
    assert whole.manifest()["supersedes"] == "2015-12/d1"
    assert (whole.arrived_at - few.arrived_at).days == 1
    assert 0.6 < rows(few) / rows(whole) < 0.74


def rows(one: Delivery) -> int:
    return sum(file.rows for file in one.files())
