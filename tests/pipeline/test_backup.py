"""The rehearsal: a house backed up while it works, lost, brought back, and going on."""

import gzip
import json
import shutil
import sqlite3
import stat
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.fs as pafs
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from lakehouse.backup import stores
from lakehouse.backup.make import agreed_versions, backup
from lakehouse.backup.pool import Pool
from lakehouse.backup.restore import MARK, restore, verify
from lakehouse.cli import app
from lakehouse.conf import settings
from lakehouse.errors import ChecksFailed, InputMissing, UsageError
from lakehouse.ops import Ops
from lakehouse.ops_tables import meta, reason_table
from lakehouse.run import House
from tests.deliveries import deliver, id_number
from tests.postgres import postgres

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

HAMLETS = """
    title = "村名"
    source = "statistics"
    owner = "statistics"
    purpose = "reference"
    extent = "delta"
    format = "csv"
    [columns]
    hamlet_code = { head = "code", type = "text", meaning = "Number." }
    """
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
    hamlet_code = { head = "code", type = "text", meaning = "Number." }
    """
PEOPLE = [f"{id_number(f'2112231960050100{n}')},d{n}" for n in (1, 2, 3)]
DAY = date(2015, 12, 31)


def rows(frame: "DataFrame") -> list[Any]:
    return sorted(map(str, frame.collect()))


def hamlets(house: House, name: str) -> None:
    """Land a delivery of one row of its own."""
    deliver(house.conf.landing, "hamlet", "2015-12", f"code\n{name}\n".encode(), rows=1,
            name=name, manifest={"extent": "delta"})  # fmt: skip
    assert [one.state for one in house.landing.land_all("hamlet")] == ["landed"]


def keepers(house: House, lines: list[str], name: str, day: int = 1) -> str:
    """Land a register of keepers; return what became of it."""
    text = "\n".join(["id,code", *lines, ""])
    deliver(house.conf.landing, "keeper", "2015-12", text.encode(), rows=len(lines), name=name,
            day=day)  # fmt: skip
    [one] = house.landing.land_all("keeper")
    return one.state


def test_the_rehearsal(
    house: House, spark: "SparkSession", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mappings = tmp_path / "feeds"
    mappings.mkdir()
    (mappings / "hamlet.toml").write_text(HAMLETS, encoding="utf-8")
    (mappings / "keeper.toml").write_text(KEEPERS, encoding="utf-8")
    monkeypatch.setenv("BANGFU_FEEDS", str(mappings))
    old_home, kept, safe = house.conf.home, tmp_path / "kept", tmp_path / "safe"
    assert keepers(house, PEOPLE, "d1") == "landed"
    hamlets(house, "d1")
    house.run("silver.keeper", DAY)
    people = rows(house.lake.read("silver.keeper"))
    tokens = rows(house.lake.read("vault.identity"))
    assert len(people) == 3

    # d2 lands after the operations store was held and before the versions are: bronze has it, the
    # ledger has not. d3 lands while files are copied: it is in neither.
    def meanwhile(told: str) -> None:
        if told.endswith("tables stand still"):
            hamlets(house, "d3")

    held = stores.dump

    def dump(engine: sa.Engine, folder: Path) -> None:
        held(engine, folder)
        hamlets(house, "d2")

    with monkeypatch.context() as patch:
        patch.setattr(stores, "dump", dump)
        made = backup(settings(), str(kept), keys=safe, tell=meanwhile)
    assert made["versions"]["bronze/hamlet"] == 2
    [key] = safe.iterdir()
    assert key.name == f"vault-{made['key_version']}.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert not list(kept.rglob("*.key"))
    assert verify(str(kept))["damaged"] == []

    # The next one copies only what is new: here d3 and the stores.
    again = backup(settings(), str(kept))
    assert again["n_files"] > made["n_files"] and again["new_bytes"] < made["bytes"] / 3
    assert again["keys"] is False

    shutil.rmtree(old_home)
    home = tmp_path / "home"
    monkeypatch.setenv("BANGFU_HOME", str(home))
    told = restore(settings(), str(kept), made["id"], keys=safe)
    assert told["has_key"]
    new = House(spark=spark)
    assert rows(new.lake.read("silver.keeper")) == people
    assert rows(new.lake.read("vault.identity")) == tokens
    assert [row["delivery_id"] for row in new.ops.deliveries("hamlet")] == ["hamlet/2015-12/d1"]
    assert sorted(row[0] for row in new.lake.read("bronze.hamlet").collect()) == ["d1", "d2"]
    assert {one.state for one in new.run("silver.keeper", DAY)} == {"fresh"}

    goes_on(new, tokens)


def waits_for_its_key(house: House) -> None:
    """Without its key no person gets a token, least of all under a new one."""
    key = Path(house.conf.get("vault", "key_file"))
    away = key.rename(key.with_suffix(".away"))
    with pytest.raises(InputMissing, match=r"vault's key .* is not there"):
        house.run("silver.keeper", DAY)
    assert not key.exists()
    away.rename(key)


def goes_on(new: House, tokens: list[Any]) -> None:
    """Land what the ledger did not know, no row of it twice; then a second copy, and a change."""
    landed = {one.delivery_id: (one.state, one.created) for one in new.landing.land_all()}
    assert landed == {"hamlet/2015-12/d2": ("landed", 1), "hamlet/2015-12/d3": ("landed", 1)}
    assert sorted(row[0] for row in new.lake.read("bronze.hamlet").collect()) == ["d1", "d2", "d3"]
    # The same register under another name is a duplicate; with a fourth person, three keep tokens.
    assert keepers(new, PEOPLE, "d2") == "duplicate"
    fourth = id_number("21122319900101001")
    assert keepers(new, [*PEOPLE, f"{fourth},d1"], "d3", day=9) == "landed"
    waits_for_its_key(new)
    [made_again] = new.run("silver.keeper", DAY)
    assert set(tokens) < set(rows(new.lake.read("vault.identity")))
    assert (made_again.read, made_again.unchanged, made_again.created) == (4, 3, 1)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house without Spark: one Delta table written by another library, a run, a key, a model."""
    import pyarrow as pa
    from deltalake import write_deltalake

    home = tmp_path / "home"
    monkeypatch.setenv("BANGFU_HOME", str(home))
    for number in (1, 2):
        write_deltalake(str(home / "lake/gold/walk"), pa.table({"n": [number]}), mode="append")
    Ops().start("gold.walk", DAY, "c1", {"silver.walk": 3})
    (home / "keys").mkdir()
    (home / "keys" / "vault.key").write_text("ab" * 32)
    with sqlite3.connect(home / "mlflow.db") as write:
        write.execute("CREATE TABLE runs (artifact_uri TEXT)")
        write.execute("INSERT INTO runs VALUES (?)", (f"{home}/mlflow/poverty/1",))
    (home / "mlflow" / "poverty").mkdir(parents=True)
    (home / "mlflow" / "poverty" / "model.gz").write_bytes(gzip.compress(b"weights"))
    return home


def bangfu(*words: str) -> Any:
    done = CliRunner().invoke(app, [*words])
    if done.exception:
        raise done.exception
    return json.loads(done.stdout) if "--json" in words else None


def test_the_command(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, other = str(tmp_path / "kept"), tmp_path / "other"
    with pytest.raises(UsageError, match="lies in the backup itself"):
        bangfu("backup", "--to", kept, "--keys-to", f"{kept}/safe")
    [made] = bangfu("backup", "--to", kept, "--with-keys", "--with-conf", "--json")
    assert made["versions"] == {"gold/walk": 1}
    bangfu("backup", "verify", kept)
    with pytest.raises(UsageError, match="into an empty home only"):
        bangfu("restore", kept)
    [told] = bangfu("restore", kept, "--to", str(other), "--json")
    assert told["has_key"] and (other / "conf/base/base.toml").exists()
    [run] = Ops().runs()
    assert (run["inputs"], run["as_of"]) == ({"silver.walk": 3}, DAY)
    with sqlite3.connect(other / "mlflow.db") as read:
        [[place]] = read.execute("SELECT artifact_uri FROM runs")
    assert place == f"{other}/mlflow/poverty/1"
    model = (other / "mlflow/poverty/model.gz").read_bytes()
    assert model == (small / "mlflow/poverty/model.gz").read_bytes()
    assert stat.S_IMODE((other / "keys/vault.key").stat().st_mode) == 0o600

    bangfu("backup", "--to", kept, "--json")
    bangfu("backup", "prune", kept, "--keep", "1")
    [left] = bangfu("backup", "list", kept, "--json")
    assert left["keys"] is False
    bangfu("backup", "verify", kept)


def test_damage_halves_and_other_keys_are_refused(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    monkeypatch.setattr(Pool, "publish", lambda *_: (_ for _ in ()).throw(OSError("killed")))
    with pytest.raises(OSError, match="killed"):
        backup(settings(), str(kept))
    with pytest.raises(InputMissing, match="no whole backup"):
        verify(str(kept))
    monkeypatch.undo()
    monkeypatch.setenv("BANGFU_HOME", str(small))
    made = backup(settings(), str(kept))

    other = tmp_path / "other"
    monkeypatch.setenv("BANGFU_HOME", str(other))
    wrong = tmp_path / "wrong.key"
    wrong.write_text("cd" * 32)
    with pytest.raises(InputMissing, match="another key"):
        restore(settings(), str(kept), keys=wrong)
    assert not (other / "lake").exists()

    # A byte of one file turns: told by verify, and restore stops half way, which nobody can use.
    entry = next(one for one in Pool(str(kept)).manifest()[1] if one.path.endswith(".parquet"))
    place = kept / "files" / entry.sha256[:2] / entry.sha256
    content = place.read_bytes()
    place.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    [damaged] = verify(str(kept))["damaged"]
    assert (damaged["file"], damaged["is"]) == (entry.path, "changed")
    with pytest.raises(ChecksFailed, match="is changed"):
        restore(settings(), str(kept))
    with pytest.raises(InputMissing, match="half restored"):
        House()
    place.write_bytes(content)
    assert restore(settings(), str(kept))["id"] == made["id"]
    assert not (other / MARK).exists()


def test_versions_are_of_one_moment(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit between two readings makes a third; a file that a version needs is never missing."""
    readings = iter([{"gold/walk": 0}, {"gold/walk": 1}, {"gold/walk": 1}])
    with monkeypatch.context() as patch:
        patch.setattr("lakehouse.backup.make._versions", lambda _: next(readings))
        assert agreed_versions("x") == {"gold/walk": 1}
    next((small / "lake/gold/walk").glob("*.parquet")).unlink()
    with pytest.raises(ChecksFailed, match="needs 1 files at version 1"):
        backup(settings(), str(small.parent / "kept"))


def test_a_store_of_another_kind(small: Path) -> None:
    """Any file system of Arrow's, here one under a sub tree, as a bucket would be."""
    pool = Pool("file://" + str(small.parent / "bucket"))
    assert isinstance(pool.files, pafs.LocalFileSystem)
    made = backup(settings(), pool.folder)
    assert pool.backups() == [made["id"]]


def test_the_operations_store_moves_to_postgresql(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = sa.create_engine(f"sqlite:///{tmp_path}/ops.db")
    meta.create_all(source)
    at = datetime(2015, 12, 31, 1, 2, 3, tzinfo=UTC)
    told = {"table_name": "silver.walk", "slice": "2015-12-31", "reason": "late", "n_rows": 3}
    with source.begin() as write:
        write.execute(reason_table.insert().values(told))
        write.execute(meta.tables["run"].insert().values(
            run_id="r1", table_name="silver.walk", as_of=DAY, state="done", counts={"read": 3},
            started_at=at, seconds=1.5))  # fmt: skip
    (tmp_path / "dumped").mkdir()
    stores.dump(source, tmp_path / "dumped")
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        target = sa.create_engine(url)
        meta.create_all(target)
        assert stores.is_empty(target)
        stores.load(target, tmp_path / "dumped")
        with target.begin() as write:
            # Numbering goes on after what was restored.
            write.execute(reason_table.insert().values(told | {"slice": "2016-01-01"}))
            [run] = write.execute(sa.select(meta.tables["run"])).mappings()
            assert (run["counts"], run["as_of"], run["started_at"]) == ({"read": 3}, DAY, at)
            none = sa.text("SELECT count(*) FROM run WHERE inputs IS NULL")
            assert write.execute(none).scalar() == 1
        (tmp_path / "back").mkdir()
        stores.dump(target, tmp_path / "back")
        target.dispose()
    text = (tmp_path / "back" / "reason.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["id"] for line in text.splitlines()] == [1, 2]
