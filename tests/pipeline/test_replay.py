"""Lines that were no rows come back once the mapping is mended, and only once."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.errors import UsageError
from lakehouse.feed import feeds
from lakehouse.replay import replay, waiting
from tests.deliveries import deliver

if TYPE_CHECKING:
    from lakehouse.run import House

MAPPING = """
    title = "村名"
    source = "statistics"
    owner = "statistics"
    purpose = "reference"
    extent = "delta"
    format = "csv"
    encoding = "utf-8"
    [columns]
    code = { head = "code", type = "text", meaning = "Number." }
    name = { head = "name", type = "text", meaning = "Name." }
"""
# One line is of another encoding, one has a field too many.
FILE = b"code,name\n1,a\n2," + "大兴村".encode("gb18030") + b"\n3,c,x\n4,d\n"
ID = "place/2015-12/d1"


@pytest.fixture
def place(house: "House", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mapping, and a delivery that has landed by it."""
    mapping = tmp_path / "place.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    monkeypatch.setenv("BANGFU_FEEDS", str(tmp_path))
    deliver(house.conf.landing, "place", "2015-12", FILE, rows=4, manifest={"extent": "delta"})
    [one] = house.landing.land_all()
    assert (one.state, one.created, one.quarantined) == ("landed", 2, 2)
    return mapping


def mend(mapping: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say the right encoding, in a folder that this process has not read yet."""
    folder.mkdir()
    text = mapping.read_text(encoding="utf-8").replace('"utf-8"', '"gb18030"')
    (folder / "place.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("BANGFU_FEEDS", str(folder))
    assert feeds()["place"].encoding == "gb18030"


def kept(house: "House") -> tuple[list[tuple[int, str]], dict[str, int], tuple[int, int, int]]:
    """Return rows of bronze, counts by reason, and what the ledger says."""
    rows = house.lake.read("bronze.place").orderBy("line").collect()
    reasons = {row["reason"]: row["n_rows"] for row in house.ops.reasons("bronze.place")}
    [told] = house.ops.deliveries("place")
    counts = (told["n_read"], told["n_created"], told["n_quarantined"])
    aside = house.lake.quarantine("bronze.place")
    assert aside is not None
    assert aside.count() == sum(reasons.values()) == counts[2]
    return [(row["line"], row["name"]) for row in rows], reasons, counts


AFTER = ([(2, "a"), (3, "大兴村"), (5, "d")], {"wrong_field_count": 1}, (4, 3, 1))


def test_a_mended_mapping_brings_lines_back_once(
    house: "House", place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(waiting(house.landing)) == [ID]
    again = replay(house.landing, ID)
    assert (again.rows, again.still_aside) == (0, 2)
    mend(place, tmp_path / "mended", monkeypatch)

    # Killed after the rows are in bronze, before quarantine knows.
    with monkeypatch.context() as patch:
        patch.setattr(house.lake, "write_quarantine", lambda *_: (_ for _ in ()).throw(OSError()))
        with pytest.raises(OSError):
            replay(house.landing, ID)
    assert house.lake.read("bronze.place").count() == 3

    again = replay(house.landing, ID)
    assert (again.rows, again.still_aside) == (1, 1)
    assert kept(house) == AFTER
    assert replay(house.landing, ID).rows == 0
    assert kept(house) == AFTER
    with pytest.raises(UsageError, match="has no lines set aside"):
        replay(house.landing, "place/2015-12/d2")


def test_the_command(
    house: "House", place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bangfu(*words: str) -> object:
        done = CliRunner().invoke(app, ["quarantine", *words, "--json"])
        if done.exception:
            raise done.exception
        return json.loads(done.stdout)

    told = bangfu("explain", "bronze.place", "wrong_encoding")
    assert isinstance(told, dict)
    assert (told["rows"], told["declared"]) == (1, "place.toml")
    with pytest.raises(UsageError, match="Did you mean 'wrong_encoding'"):
        bangfu("explain", "bronze.place", "wrong_encodings")
    # `show` needs no name.
    assert bangfu("bronze.place") == bangfu("show", "bronze.place")

    deliver(house.conf.landing, "place", "2015-11", "code,name\n1,村\n".encode("gb18030"), rows=1,
            manifest={"extent": "delta", "files": [{"name": "data.csv"}]})  # fmt: skip
    assert [one.state for one in house.landing.land_all()] == ["refused"]
    bangfu("replay", "place/2015-11/d1", "--refused")
    assert [one.delivery_id for one in house.pending()] == ["place/2015-11/d1"]
