"""A new key over the vault: people keep their tokens, wherever it stops; no other table changes."""

import stat
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse import vault
from lakehouse.errors import InputMissing
from lakehouse.vault_key import key_version, next_key
from tests.deliveries import deliver, id_number
from tests.pipeline.test_backup import KEEPERS, PEOPLE, keepers

if TYPE_CHECKING:
    from lakehouse.run import House

DAY = date(2015, 12, 31)


@pytest.fixture
def kept(house: "House", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "House":
    """A house with three people in silver."""
    (tmp_path / "keeper.toml").write_text(KEEPERS, encoding="utf-8")
    monkeypatch.setenv("BANGFU_FEEDS", str(tmp_path))
    assert keepers(house, PEOPLE, "d1") == "landed"
    house.run("silver.keeper", DAY)
    return house


def told(house: "House") -> tuple[dict[str, str], set[str]]:
    """Return surrogate -> HMAC, and the versions of the key."""
    rows = house.lake.read("vault.identity").collect()
    return {row["surrogate"]: row["identity_hmac"] for row in rows}, {
        row["key_version"] for row in rows
    }


def people(house: "House") -> list[Any]:
    return sorted(map(str, house.lake.read("silver.keeper").collect()))


def a_fourth(house: "House", name: str) -> None:
    """A fourth person comes: three keep their tokens, and she gets one."""
    before = told(house)[0]
    line = f"{id_number('21122319900101001')},d1"
    assert keepers(house, [*PEOPLE, line], name, day=9) == "landed"
    [made] = house.run("silver.keeper", DAY)
    assert (made.read, made.unchanged, made.created) == (4, 3, 1)
    after, versions = told(house)
    assert before.items() < after.items() and len(after) == 4
    assert versions == {key_version(house.vault.key_file)}


def test_the_vault_alone_changes(kept: "House") -> None:
    before, [old] = told(kept)
    rows, version = people(kept), kept.lake.version("silver.keeper")

    assert kept.vault.rotate() == 3

    after, [new] = told(kept)
    assert after.keys() == before.keys() and not {*after.values()} & {*before.values()}
    assert new != old and key_version(kept.vault.key_file) == new
    assert stat.S_IMODE(kept.vault.key_file.stat().st_mode) == 0o600
    assert not next_key(kept.vault.key_file).exists()
    assert (people(kept), kept.lake.version("silver.keeper")) == (rows, version)
    assert {one.state for one in kept.run("silver.keeper", DAY)} == {"fresh"}
    assert kept.vault.counts() == [{"kind": "person", "key_version": new, "n": 3}]
    kept.vault.rotate()
    a_fourth(kept, "d2")


@pytest.mark.parametrize("after_commit", [False, True])
def test_where_it_is_killed_the_next_one_settles_it(
    kept: "House", monkeypatch: pytest.MonkeyPatch, after_commit: bool
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    old = key_version(kept.vault.key_file)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        if after_commit:
            patch.setattr(Path, "replace", killed)
        else:
            patch.setattr(type(kept.lake), "replace", killed)
        kept.vault.rotate()
    assert next_key(kept.vault.key_file).exists()
    assert key_version(kept.vault.key_file) == old
    a_fourth(kept, "d2")
    assert (key_version(kept.vault.key_file) != old) is after_commit
    kept.vault.rotate()
    assert told(kept)[1] == {key_version(kept.vault.key_file)}


def test_a_key_that_changes_while_people_are_read(
    kept: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are worked out later have the tokens of the key under which they were read."""
    line = f"{id_number('21122319900101001')},d1"
    assert keepers(kept, [*PEOPLE, line], "d2", day=9) == "landed"
    before = vault.Vault._replaced

    def rotated(self: vault.Vault, *args: Any) -> Any:
        rows = before(self, *args)
        vault.Vault(self.lake, self.key_file).rotate()
        return rows

    with monkeypatch.context() as patch:
        patch.setattr(vault.Vault, "_replaced", rotated)
        [made] = kept.run("silver.keeper", DAY)
    assert (made.read, made.unchanged, made.created) == (4, 3, 1)


def test_another_key_is_refused(kept: "House") -> None:
    key = kept.vault.key_file
    own = key.read_text()
    key.write_text("ab" * 32)
    deliver(kept.conf.landing, "keeper", "2015-12", f"id,code\n{PEOPLE[0]}\n".encode(),
            rows=1, name="d2", day=9)  # fmt: skip
    kept.landing.land_all()
    with pytest.raises(InputMissing, match="second tokens"):
        kept.run("silver.keeper", DAY)
    key.write_text(own)
    assert {one.state for one in kept.run("silver.keeper", DAY)} == {"done"}
