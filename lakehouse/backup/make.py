"""A backup made while the house works: in an order that needs nobody to wait.

1. the operations store, of one moment; then MLflow's database, of one moment;
2. the newest version of every table, of one moment: read until two readings agree;
3. the files of those versions; then landing, then artifacts.

So whatever the stores say was done is in the files. What was done a moment later may be in the
files without the stores knowing: a delivery in bronze and not in the ledger, for one. The next
landing takes it up: Delta knows its transaction, so no row comes twice.
"""

import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs

from lakehouse.backup import stores
from lakehouse.backup.pool import Entry, Pool, Source
from lakehouse.backup.restore import refuse_half_restored
from lakehouse.conf import Settings, conf_dir, feed_dirs
from lakehouse.delivery import READY
from lakehouse.errors import ChecksFailed, InputMissing, UsageError
from lakehouse.files import filesystem, local_path
from lakehouse.io import newest_version
from lakehouse.ops import Ops
from lakehouse.vault_key import key_version

LOG = re.compile(r"(\d{20})\.(?:(\d{20})\.compacted\.json|json|crc|checkpoint\..*parquet)$")
READINGS, PAUSE = 100, 0.2
Tell = Callable[[str], None]


def backup(
    conf: Settings,
    to: str,
    *,
    keys: Path | None = None,
    with_conf: bool = False,
    tell: Tell = lambda _: None,
) -> dict[str, Any]:
    """Back up a house to a folder; return the manifest. Files already there are not copied.

    `keys` is a folder for the vault's key, else the backup has none. Raises ChecksFailed where a
    file that a table needs is not there, InputMissing where there is no table.
    """
    refuse_half_restored(conf.home)
    if not _versions(conf.lake):
        raise InputMissing(f"{conf.lake} has no table to back up. Is BANGFU_HOME the right one?")
    if (local := local_path(to)) is not None:
        local.mkdir(parents=True, exist_ok=True, mode=0o700)  # bronze and quarantine are in it
    pool = Pool(to)
    started = datetime.now(UTC)
    known = {one.path: one for one in pool.manifest()[1]} if pool.backups() else {}
    with tempfile.TemporaryDirectory() as scratch:
        held = Path(scratch)
        tell("stores …")
        _hold_stores(conf, held)
        versions = agreed_versions(conf.lake, tell)
        entries = list(pool.add_all(_tree(str(held)), {}))
        for name, version in versions.items():
            tell(f"{name}, version {version} …")
            entries += _table(pool, conf.lake, name, version, known)
        tell("landing …")
        entries += pool.add_all(_deliveries(conf), known)
        entries += pool.add_all(_tree(conf.get("mlflow", "artifacts"), "artifacts/"), known)
        if with_conf:
            for number, folder in enumerate([conf_dir(), *feed_dirs()[1:]]):
                entries += pool.add_all(_tree(str(folder), f"conf/{number or 'base'}/"), {})
    kept = _keep_key(Path(conf.get("vault", "key_file")), keys)
    os.sync()  # files before the manifest that promises them
    return pool.publish(
        {
            "id": f"{started:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:4]}",
            "made_at": started.isoformat(),
            "seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
            "versions": versions,
            "artifacts": conf.get("mlflow", "artifacts"),
            "key_version": key_version(Path(conf.get("vault", "key_file"))),
            "keys": kept is not None,
            "conf": with_conf,
            "new_bytes": _new_bytes(entries, known),
        },
        entries,
    )


def _hold_stores(conf: Settings, held: Path) -> None:
    (held / "ops").mkdir()
    stores.dump(Ops(conf).engine, held / "ops")
    database = stores.sqlite_file(conf.get("mlflow", "tracking_uri"))
    if database is not None and database.exists():
        (held / "mlflow").mkdir()
        stores.copy_sqlite(database, held / "mlflow" / "mlflow.db")


def agreed_versions(root: str, tell: Tell = lambda _: None) -> dict[str, int]:
    """Return the newest version of every table of a lake, all of them as of one moment.

    Versions only grow: where two readings agree, all tables stood so between them. No writer
    waits, and it holds on any store. Raises ChecksFailed where they do not come to agree.
    """
    before = _versions(root)
    for _ in range(READINGS):
        now = _versions(root)
        if now == before:
            tell(f"{len(now)} tables stand still")
            return now
        before = now
        time.sleep(PAUSE)
    raise ChecksFailed(
        f"In {READINGS} readings some table of {root} always had a new version. Back up when "
        "fewer tables are written."
    )


def _versions(root: str) -> dict[str, int]:
    """Return path below the root -> newest version: layers and quarantine are two folders deep."""
    files, inner = filesystem(root)

    def folders(path: str) -> list[str]:
        found = files.get_file_info(pafs.FileSelector(path, allow_not_found=True))
        return [one.base_name for one in found
                if one.type == pafs.FileType.Directory and not one.base_name.startswith("_")
                ]  # fmt: skip

    names = [f"{layer}/{name}" for layer in folders(inner) for name in folders(f"{inner}/{layer}")]
    found = {name: newest_version(f"{root}/{name}") for name in sorted(names)}
    return {name: version for name, version in found.items() if version is not None}


def _table(pool: Pool, root: str, name: str, version: int, known: dict[str, Entry]) -> list[Entry]:
    """Copy one table up to a version, with its history as far as files are there."""
    from deltalake import DeltaTable

    path = f"{root}/{name}"
    needed = {Path(one).name for one in DeltaTable(path, version=version).file_uris()}
    entries = list(pool.add_all(_until(_tree(path, f"lake/{name}/"), version), known))
    if lost := needed - {Path(one.path).name for one in entries}:
        raise ChecksFailed(
            f"{name} needs {len(lost)} files at version {version} that are not there: it cannot "
            "be read either. Was VACUUM given less than its 30 days?"
        )
    return entries


def _until(sources: Iterator[Source], version: int) -> Iterator[Source]:
    """Leave out commits after a version, and what points at them."""
    for source in sources:
        folder, _, name = source.path.rpartition("/")
        if folder.endswith("/_delta_log"):
            found = LOG.match(name)
            if not found or int(found[2] or found[1]) > version:
                continue
        yield source


def _tree(root: str, prefix: str = "") -> Iterator[Source]:
    """Yield the files below a folder, without hidden ones (Hadoop's own checksums)."""
    files, inner = filesystem(root)
    chosen = pafs.FileSelector(inner, recursive=True, allow_not_found=True)
    for one in files.get_file_info(chosen):
        if one.type == pafs.FileType.File and not one.base_name.startswith("."):
            below = one.path[len(inner) :].lstrip("/")
            yield Source(prefix + below, files, one.path, one.size, one.mtime_ns or 0)


def _deliveries(conf: Settings) -> Iterator[Source]:
    """Yield the files of complete deliveries; one that is being written comes with the next."""
    found = list(_tree(conf.get("lake", "landing"), "landing/"))
    ready = {one.path.rpartition("/")[0] for one in found if one.path.endswith(f"/{READY}")}
    for one in found:
        if "/".join(one.path.split("/")[:5]) in ready:
            yield one


def _keep_key(key_file: Path, folder: Path | None) -> Path | None:
    """Copy the vault's key to a folder, readable by its owner only; return where it is."""
    version = key_version(key_file)
    if folder is None or version is None:
        return None
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = folder / f"vault-{version}.key"
    if not kept.exists():
        handle = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as write, key_file.open("rb") as read:
            shutil.copyfileobj(read, write)
    return kept


def keys_folder(to: str, with_keys: bool, keys_to: Path | None) -> Path | None:
    """Return where a key goes. Raises UsageError where that is unsafe or said twice."""
    if not with_keys and keys_to is None:
        return None
    if with_keys and keys_to is not None:
        raise UsageError("--with-keys puts the key in the backup, --keys-to elsewhere: say one.")
    if with_keys and "://" in to and not to.startswith("file://"):
        raise UsageError("--with-keys is for a local folder; give --keys-to FOLDER.")
    folder = keys_to or Path(to.removeprefix("file://")) / "keys"
    if keys_to and "://" not in to and folder.resolve().is_relative_to(Path(to).resolve()):
        raise UsageError("--keys-to lies in the backup itself; if that is meant, say --with-keys.")
    return folder


def _new_bytes(entries: list[Entry], known: dict[str, Entry]) -> int:
    old = {one.sha256 for one in known.values()}
    return sum({one.sha256: one.bytes for one in entries if one.sha256 not in old}.values())
