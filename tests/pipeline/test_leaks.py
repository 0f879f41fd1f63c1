"""Names and numbers planted outside the restricted zone are found, and nothing else is."""

import gzip
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.errors import PrivacyError
from lakehouse.leaks import leaks, words
from tests.deliveries import deliver, id_number

if TYPE_CHECKING:
    from lakehouse.run import House

KEEPERS = """
    title = "管护员"
    source = "statistics"
    owner = "statistics"
    purpose = "reference"
    extent = "full"
    format = "csv"
    key = ["person_id"]
    [columns]
    person_id = { head = "id", type = "identity", kind = "person", meaning = "Who keeps it." }
    person_name = { head = "name", type = "text", personal = true, meaning = "Name." }
    phone = { head = "phone", type = "identity", kind = "phone", meaning = "Asked." }
    note = { head = "note", type = "text", meaning = "What else is said." }
    """
ID = id_number("21122319600501001")
DAY = date(2015, 12, 31)


@pytest.fixture
def keepers(house: "House", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "House":
    """A house whose sender writes about a person into a column that is said to be harmless."""
    (tmp_path / "keeper.toml").write_text(KEEPERS, encoding="utf-8")
    monkeypatch.setenv("BANGFU_FEEDS", str(tmp_path))
    house = type(house)(house.conf, house.spark)
    text = f"id,name,phone,note\n{ID},欧阳小明,138-0000-0001,林区\n"
    deliver(house.conf.landing, "keeper", "2015-12", text.encode(), rows=1)
    house.landing.land_all()
    house.run("silver.keeper", DAY)
    return house


def test_what_is_planted_is_found(keepers: "House") -> None:
    home = keepers.conf.home
    assert leaks(keepers) == []

    for file, text in {
        "logs/run.log": f"cannot read {ID.lower()}!",
        "pages/report.html": "<td>本村欧阳小明的户</td>",
        "lineage/events.jsonl": '{"by": "138 0000 0001"}',
    }.items():
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_text(text, encoding="utf-8")
    log = Path(keepers.lake.path("silver.keeper")) / "_delta_log" / "0.crc"
    log.write_text(f'{{"minValues": {{"id": "{ID}"}}}}', encoding="utf-8")
    (home / "old.gz").write_bytes(gzip.compress(b"x" * (2**20 - 5) + f" {ID} ".encode()))

    found = {one.place: (one.kind, one.n_values) for one in leaks(keepers)}
    assert found == {
        "logs/run.log": ("person", 1),
        "pages/report.html": ("name", 1),
        "lineage/events.jsonl": ("phone", 1),
        "old.gz": ("person", 1),
        "silver.keeper (its log)": ("person", 1),
    }


def test_a_column_that_was_said_to_be_harmless(keepers: "House") -> None:
    """A sender put a name into a note: it is in the table. Statistics of its log hold no text."""
    text = f"id,name,phone,note\n{ID},欧阳小明,138-0000-0001,欧阳小明的家\n"
    deliver(keepers.conf.landing, "keeper", "2015-12", text.encode(), rows=1, name="d2", day=2)
    keepers.landing.land_all()
    keepers.run("silver.keeper", DAY)
    found = {one.place: one.kind for one in leaks(keepers)}
    assert found == {f"silver.keeper{of}.note": "name" for of in ("", "_history")}

    done = CliRunner().invoke(app, ["leaks", "--json"])
    assert isinstance(done.exception, PrivacyError) and done.exception.exit_code == 13
    assert '"silver.keeper.note"' in done.stdout
    assert not {"欧阳小明", ID} & words(done.stdout + str(done.exception))


def test_words() -> None:
    assert words("c1 21122319600501001X, 138-0000-0001; ab 12") == {
        "21122319600501001X", "13800000001",
    }  # fmt: skip
    assert {"王小明", "张三", "欧阳小明"} <= words("王小明 张三, 请欧阳小明来") | {"张三"}
    assert "张三" not in words("这里有张三先生和别人一起来")  # two characters: alone only
