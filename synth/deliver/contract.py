"""The delivery contract: manifests, folders that appear whole or not at all, errors of the disk.

The contract itself is docs/deliveries.md. Nothing here knows what is inside a file.
"""

import errno
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakehouse.delivery import MANIFEST, READY
from lakehouse.errors import InputMissing, UsageError
from lakehouse.feed import Feed

# Lies in a folder that a command made, and says with which arguments.
CLAIM = ".synth.json"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)


@dataclass(frozen=True)
class FileNote:
    """What a manifest says of one file."""

    name: str
    n_bytes: int
    sha256: str
    rows: int
    totals: dict[str, int] = field(default_factory=dict, hash=False)

    def told(self) -> dict[str, Any]:
        """Return the file's part of the manifest."""
        told: dict[str, Any] = {
            "name": self.name,
            "bytes": self.n_bytes,
            "sha256": self.sha256,
            "rows": self.rows,
        }
        return told | {"totals": self.totals} if self.totals else told


def note_of(path: Path, rows: int, totals: dict[str, int] | None = None) -> FileNote:
    """Return what the manifest says of a file as it lies there now."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileNote(path.name, path.stat().st_size, digest, rows, totals or {})


def manifest(
    feed: Feed, period: str, extent: str, delivered_at: str, supersedes: str | None,
    files: list[FileNote],
) -> str:  # fmt: skip
    """Return a manifest as text. `supersedes` is `<period>/<delivery>` of an earlier one."""
    told = {
        "feed": feed.name,
        "period": period,
        "extent": extent,
        "delivered_at": delivered_at,
        "supersedes": supersedes,
        "files": [one.told() for one in files],
    }
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def folder_of(landing: Path, feed: Feed, period: str, name: str) -> Path:
    """Return where a delivery lies."""
    return landing / feed.source / feed.name / period / name


def unfinished(folder: Path) -> Path:
    """Return an empty folder beside a delivery's own, to write it in; what a crash left goes."""
    there = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(there, ignore_errors=True)
    there.mkdir(parents=True)
    return there


def publish(there: Path, folder: Path) -> bool:
    """Move a finished delivery to its place, `_READY` last. Return whether it is new.

    One that is there, complete and the same, is left alone. Raises UsageError where another
    delivery bears the same name: names are never used again.
    """
    if (folder / READY).exists():
        if not _same(there, folder):
            raise UsageError(
                f"{folder} holds another delivery. Choose another folder, or remove this one."
            )
        shutil.rmtree(there)
        return False
    shutil.rmtree(folder, ignore_errors=True)
    there.rename(folder)
    (folder / READY).touch()
    return True


def _same(there: Path, folder: Path) -> bool:
    """Tell whether two folders have the same manifest, and files of the same sizes."""

    def sizes(one: Path) -> dict[str, int]:
        return {path.name: path.stat().st_size for path in one.iterdir() if path.name != READY}

    manifests = [(one / MANIFEST).read_bytes() for one in (there, folder)]
    return manifests[0] == manifests[1] and sizes(there) == sizes(folder)


def claim(out: Path, told: dict[str, Any]) -> None:
    """Take a folder for a command's output; `told` is what makes the output what it is.

    A folder that the same command made goes on where it stopped. Raises UsageError where the
    folder holds anything else, or was made with other arguments.
    """
    text = json.dumps(told, ensure_ascii=False, indent=2, default=str) + "\n"
    note = out / CLAIM
    with disk(out):
        if note.is_file():
            _refuse_other(out, note, json.loads(text))
            return
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(
                f"--out {out} holds something else. Choose a folder that is empty or new."
            )
        out.mkdir(parents=True, exist_ok=True)
        part = note.with_suffix(".tmp")
        part.write_text(text, encoding="utf-8")
        part.rename(note)


def _refuse_other(out: Path, note: Path, told: dict[str, Any]) -> None:
    try:
        there = dict(json.loads(note.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise UsageError(f"{note} cannot be read. Choose another folder for --out.") from None
    names = sorted(there.keys() | told.keys())
    other = [name for name in names if there.get(name) != told.get(name)]
    if other:
        was = ", ".join(f"{name} {there.get(name)}" for name in other)
        now = ", ".join(f"{name} {told.get(name)}" for name in other)
        raise UsageError(
            f"--out {out} was made with {was}; now it is {now}. Choose another folder, or remove "
            "this one."
        )


@contextmanager
def disk(where: Path) -> Iterator[None]:
    """Turn what a disk says into an error that a user can mend.

    Raises InputMissing (exit code 11) without room, UsageError (2) where writing is not allowed.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise InputMissing(
                f"No room to write {where}: {os.strerror(error.errno)}. Free some, or choose "
                "another disk with --out, and give the same command again: what is complete is "
                "kept, what was half written is gone."
            ) from error
        if error.errno in _NOT_OURS:
            raise UsageError(
                f"{where} cannot be written: {os.strerror(error.errno)}. Choose another folder "
                "with --out."
            ) from error
        raise


class Sink(io.FileIO):
    """A file being written. After a failure it takes no more, so that nobody fails twice.

    Archives and Parquet writers close themselves when they are thrown away: into a full disk
    that would raise once more, where nobody can catch it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "wb")
        self.is_broken = False

    def write(self, data: Any) -> int:
        """Write all of the bytes, or raise OSError."""
        left = memoryview(data).cast("B")
        size = len(left)
        while len(left) and not self.is_broken:
            try:
                left = left[super().write(left) :]
            except OSError:
                self.is_broken = True
                raise
        return size
