"""A register that shrinks by a third overnight waits for a person's word, or for the right one."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.errors import DeclarationError, UsageError
from lakehouse.feed import feed
from lakehouse.hold import decide
from lakehouse.mapping import read_feed
from tests.deliveries import GOOD, csv_bytes, deliver, id_number

if TYPE_CHECKING:
    from lakehouse.run import House

PEOPLE = [
    line.replace(line.split(",")[0], id_number(f"211223196005{n:02d}{n:03d}"))
    for n, line in enumerate(GOOD * 10, start=1)
]
PERIOD = "person_register/2015-12"


def landed(house: "House") -> dict[str, str]:
    """Land what is pending; return the state of each delivery by its name."""
    return {one.delivery_id.rsplit("/", 1)[1]: one.state for one in house.landing.land_all()}


def give(house: "House", name: str, n: int, supersedes: str | None = None) -> None:
    """Deliver the first n people of December."""
    deliver(
        house.conf.landing, "person_register", "2015-12", csv_bytes(PEOPLE[:n]), name=name, rows=n,
        day=int(name[1:]), manifest={"supersedes": supersedes},
    )  # fmt: skip


def states(house: "House") -> dict[str, str]:
    return {row["delivery_id"].rsplit("/", 1)[1]: row["state"] for row in house.ops.deliveries()}


def test_what_shrank_waits_lands_or_never_does(house: "House") -> None:
    give(house, "d1", 30)
    assert landed(house) == {"d1": "landed"}
    give(house, "d2", 20)
    assert landed(house) == {"d2": "held"}
    assert house.lake.read("bronze.person_register").count() == 30
    assert not house.pending()
    assert landed(house) == {}

    with pytest.raises(UsageError, match=r"not held.*"):
        decide(house.ops, f"{PERIOD}/d1", "approved", "me", "so it is")
    with pytest.raises(UsageError, match="Did you mean 'person_register/2015-12/d2'"):
        decide(house.ops, f"{PERIOD}/d22", "approved", "me", "so it is")
    with pytest.raises(UsageError, match="--why is empty"):
        decide(house.ops, f"{PERIOD}/d2", "approved", "me", " ")
    decide(house.ops, f"{PERIOD}/d2", "approved", "me", "ten moved away")
    assert [one.delivery_id for one in house.pending()] == [f"{PERIOD}/d2"]
    assert landed(house) == {"d2": "landed"}
    assert house.lake.read("bronze.person_register").count() == 50

    # Rejected: never. Superseded by one that is not so small: that one lands.
    give(house, "d3", 12)
    give(house, "d4", 13)
    assert landed(house) == {"d3": "held", "d4": "held"}
    decide(house.ops, f"{PERIOD}/d3", "rejected", "me", "the last towns are missing")
    give(house, "d5", 19, supersedes="2015-12/d4")
    assert landed(house) == {"d5": "landed"}
    assert landed(house) == {}
    assert states(house) == {
        "d1": "landed", "d2": "landed", "d3": "rejected", "d4": "superseded", "d5": "landed",
    }  # fmt: skip


def test_a_correction_that_was_none_is_taken_back(house: "House") -> None:
    """The first content again, in place of what superseded it: it counts, and is no second copy."""
    give(house, "d1", 4)
    give(house, "d2", 3, supersedes="2015-12/d1")
    give(house, "d3", 4, supersedes="2015-12/d2")
    assert landed(house) == dict.fromkeys(("d1", "d2", "d3"), "landed")
    give(house, "d4", 4)
    assert landed(house) == {"d4": "duplicate"}


def test_the_command(house: "House") -> None:
    for name, n in (("d1", 30), ("d2", 20)):
        give(house, name, n)
    landed(house)

    def bangfu(*words: str) -> str:
        done = CliRunner().invoke(app, ["deliveries", *words])
        if done.exception:
            raise done.exception
        return done.stdout

    [held] = json.loads(bangfu("--state", "held", "--json"))
    assert (held["delivery_id"], held["reason"]) == (f"{PERIOD}/d2", "shrunk")
    assert "20 rows after 30 in person_register/2015-12/d1" in held["detail"]
    assert held["word"] is None
    bangfu("approve", f"{PERIOD}/d2", "--why", "ten moved away", "--by", "the head of the office")
    [held] = json.loads(bangfu("--state", "held", "--json"))
    assert (held["word"]["word"], held["word"]["who"]) == ("approved", "the head of the office")
    with pytest.raises(UsageError, match="Did you mean 'landed'"):
        bangfu("--state", "landet")
    [one] = json.loads(bangfu("--state", "landed", "--json"))
    assert one["n_read"] == 30


def test_how_far_it_may_shrink_is_the_mappings_to_say(tmp_path: Path) -> None:
    assert feed("person_register").hold_below == 0.7
    mine = tmp_path / "mine.toml"
    text = 'onto = "area"\nformat = "csv"\nhold_below = SHARE\n[columns]\n'
    for name in ("area_code", "area_name", "level", "valid_from", "is_position_synthetic"):
        text += f'{name} = {{ head = "{name}" }}\n'
    mine.write_text(text.replace("SHARE", "0"))
    assert read_feed(mine, {"area": feed("area")}).hold_below == 0
    mine.write_text(text.replace("SHARE", '0\nignore = "x"'))
    with pytest.raises(DeclarationError, match="ignore is a list of texts"):
        read_feed(mine, {"area": feed("area")})
    mine.write_text(text.replace("SHARE", "1.5"))
    with pytest.raises(DeclarationError, match=r"hold_below is 1\.5"):
        read_feed(mine, {"area": feed("area")})
