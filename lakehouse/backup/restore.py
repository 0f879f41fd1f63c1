"""A backup brought back into an empty home, every file held against its hash."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs

from lakehouse.backup import stores
from lakehouse.backup.pool import THREADS, Entry, Pool
from lakehouse.conf import Settings
from lakehouse.errors import ChecksFailed, InputMissing, UsageError
from lakehouse.files import filesystem
from lakehouse.ops import Ops
from lakehouse.vault_key import key_version

MARK = "_RESTORING"
Tell = Callable[[str], None]


def refuse_half_restored(home: Path) -> None:
    """Raise InputMissing where a restore into this home has begun and not ended."""
    if (home / MARK).exists():
        raise InputMissing(
            f"{home} is half restored. Run the same `bangfu restore` again: it begins anew and "
            "leaves no half."
        )


def verify(folder: str, backup_id: str | None = None) -> dict[str, Any]:
    """Read every file of a backup (the newest); return `{id, files, bytes, damaged}`.

    `damaged` lists places and what is wrong: missing, or changed. Names only.
    """
    pool = Pool(folder)
    manifest, entries = pool.manifest(backup_id)
    once = {one.sha256: one for one in entries}
    with ThreadPoolExecutor(THREADS) as threads:
        found = dict(zip(once, threads.map(pool.damage, once.values()), strict=True))
    damaged = [{"file": one.path, "is": found[one.sha256], "sha256": one.sha256}
               for one in entries if found[one.sha256]]  # fmt: skip
    return {"id": manifest["id"], "files": len(entries), "bytes": manifest["bytes"],
            "damaged": damaged}  # fmt: skip


def restore(
    conf: Settings,
    folder: str,
    backup_id: str | None = None,
    *,
    keys: Path | None = None,
    tell: Tell = lambda _: None,
) -> dict[str, Any]:
    """Bring a backup (the newest) back into the home of `conf`, which must be empty.

    `keys` is the vault's key, or the folder that has it; else that of the backup or of the home.
    Returns the manifest and `has_key`. Raises UsageError where something is there, ChecksFailed
    where a file is damaged, InputMissing where the key is not the one of this lake.
    """
    pool = Pool(folder)
    manifest, entries = pool.manifest(backup_id)
    key = _key(conf, folder, manifest, keys)
    mark = conf.home / MARK
    if not (mark.exists() and mark.read_text() == manifest["id"]):
        _refuse_full(conf)
    conf.home.mkdir(parents=True, exist_ok=True)
    mark.write_text(manifest["id"])
    parts = {
        "lake/": conf.lake,
        "landing/": conf.get("lake", "landing"),
        "artifacts/": conf.get("mlflow", "artifacts"),
        "conf/": str(conf.home / "conf"),
    }
    for prefix, target in parts.items():
        mine = [one for one in entries if one.path.startswith(prefix)]
        tell(f"{prefix[:-1]}: {len(mine)} files …")
        _copy(pool, mine, prefix, target)
    _restore_stores(pool, conf, manifest, entries)
    _place_key(key, Path(conf.get("vault", "key_file")))
    mark.unlink()
    return manifest | {"has_key": key is not None}


def _key(conf: Settings, folder: str, manifest: dict[str, Any], keys: Path | None) -> Path | None:
    """Return the key to use, none where there is none. Raises InputMissing for another lake's."""
    wanted, own = manifest["key_version"], Path(conf.get("vault", "key_file"))
    name = f"vault-{wanted}.key"
    beside = Path(folder.removeprefix("file://")) / "keys" / name
    found = keys / name if keys and keys.is_dir() else keys
    if keys and not (found and found.exists()):
        raise InputMissing(f"{keys} has not the key of this lake, {name}.")
    key = found or next((one for one in (own, beside) if one.exists()), None)
    if key is not None and wanted and key_version(key) != wanted:
        raise InputMissing(
            f"{key} is another key ({key_version(key)}) than the one that this lake's tokens were "
            f"made with ({wanted}): people would get second tokens. Give --keys with {name}."
        )
    return key


def _refuse_full(conf: Settings) -> None:
    """Raise UsageError where the home has tables, deliveries, runs or models."""
    database = stores.sqlite_file(conf.get("mlflow", "tracking_uri"))
    there = {
        conf.lake: _has_files(conf.lake),
        conf.get("lake", "landing"): _has_files(conf.get("lake", "landing")),
        "the operations store": not stores.is_empty(Ops(conf).engine),
        "MLflow's database": database is not None and database.exists(),
    }
    if full := [name for name, is_full in there.items() if is_full]:
        raise UsageError(
            f"A backup is restored into an empty home only; there is something in "
            f"{', '.join(full)}. Give another with --to, or move it away."
        )


def _has_files(root: str) -> bool:
    files, inner = filesystem(root)
    chosen = pafs.FileSelector(inner, recursive=True, allow_not_found=True)
    found = (one for one in files.get_file_info(chosen) if one.type == pafs.FileType.File)
    return any("/_locks/" not in one.path for one in found)


def _copy(pool: Pool, entries: Iterable[Entry], prefix: str, target: str) -> None:
    files, inner = filesystem(target)

    def one(entry: Entry) -> None:
        pool.copy(entry, files, f"{inner}/{entry.path.removeprefix(prefix)}")

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(one, entries))


def _restore_stores(
    pool: Pool, conf: Settings, manifest: dict[str, Any], entries: list[Entry]
) -> None:
    """Fill both databases, the operations store last: till then nothing seems to have been made."""
    with tempfile.TemporaryDirectory() as scratch:
        held = Path(scratch)
        _copy(pool, [one for one in entries if one.path.startswith("mlflow/")], "mlflow/", scratch)
        _copy(pool, [one for one in entries if one.path.startswith("ops/")], "ops/", scratch)
        database = stores.sqlite_file(conf.get("mlflow", "tracking_uri"))
        if (held / "mlflow.db").exists():
            if database is None:
                raise UsageError(
                    "The backup has an MLflow database, and this home's is a server's."
                )
            stores.move_artifacts(
                held / "mlflow.db", manifest["artifacts"], conf.get("mlflow", "artifacts")
            )
            database.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(held / "mlflow.db", database)
        engine = Ops(conf).engine
        if stores.is_empty(engine):  # else a restore that was stopped right after it
            stores.load(engine, held)


def _place_key(key: Path | None, own: Path) -> None:
    if key is None or own.exists():
        return
    own.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as write, key.open("rb") as read:
        shutil.copyfileobj(read, write)


def checked(told: dict[str, Any]) -> None:
    """Raise ChecksFailed where `verify` found damage."""
    if told["damaged"]:
        first = ", ".join(f"{one['file']} ({one['is']})" for one in told["damaged"][:3])
        raise ChecksFailed(
            f"Backup {told['id']}: {len(told['damaged'])} of {told['files']} files are damaged: "
            f"{first}. Delete files/<2 digits>/<SHA-256> of what is changed, and back up again."
        )
