"""Where backups lie: files by the hash of their content, and one manifest for each backup.

files/<2 digits>/<SHA-256>      each content once, whichever backups have it
manifests/<id>.files.jsonl.gz   the files of one backup: path, bytes, SHA-256, time
manifests/<id>.json             the backup itself; written last, so half of one is none
"""

import gzip
import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow.fs as pafs

from lakehouse.errors import ChecksFailed, InputMissing, nearest
from lakehouse.files import filesystem

CHUNK = 1 << 20
THREADS = 4


@dataclass(frozen=True)
class Entry:
    """One file of a backup: its place there, size, content, and when the original changed (ns)."""

    path: str
    bytes: int
    sha256: str
    mtime: int = 0


@dataclass(frozen=True)
class Source:
    """One file to be backed up: its place in the backup, and where it is."""

    path: str
    files: pafs.FileSystem
    at: str
    bytes: int
    mtime: int


class Pool:
    """The backups under one folder, local or of any store that Arrow opens."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.files, self.root = filesystem(folder)

    # -- files ------------------------------------------------------------------------------

    def contents(self) -> dict[str, int]:
        """Return hash -> bytes of every content that is there."""
        chosen = pafs.FileSelector(f"{self.root}/files", recursive=True, allow_not_found=True)
        return {
            one.base_name: one.size
            for one in self.files.get_file_info(chosen)
            if one.type == pafs.FileType.File and len(one.base_name) == 64
        }

    def add_all(self, sources: Iterable[Source], known: dict[str, Entry]) -> Iterator[Entry]:
        """Copy what is not there yet; yield an entry for each file that is still there.

        `known` are the files of the backup before: one of the same size and time is not read.
        """
        there = self.contents()

        def add(source: Source) -> Entry | None:
            before = known.get(source.path)
            if (
                before
                and (before.bytes, before.mtime) == (source.bytes, source.mtime)
                and there.get(before.sha256) == before.bytes
            ):
                return before
            try:
                return self._add(source)
            except FileNotFoundError:
                return None  # VACUUM or a cleaner took it; who needs it finds that it lacks

        with ThreadPoolExecutor(THREADS) as threads:
            yield from (entry for entry in threads.map(add, sources) if entry)

    def _add(self, source: Source) -> Entry:
        """Copy one file under its hash: whole or not at all."""
        draft = f"{self.root}/files/draft-{uuid.uuid4().hex}"
        told, size = hashlib.sha256(), 0
        with source.files.open_input_stream(source.at, compression=None) as read:
            self.files.create_dir(f"{self.root}/files", recursive=True)
            with self.files.open_output_stream(draft, compression=None) as write:
                while chunk := read.read(CHUNK):
                    told.update(chunk)
                    size += len(chunk)
                    write.write(chunk)
        digest = told.hexdigest()
        self.files.create_dir(f"{self.root}/files/{digest[:2]}", recursive=True)
        self.files.move(draft, self._place(digest))
        return Entry(source.path, size, digest, source.mtime)

    def _place(self, digest: str) -> str:
        return f"{self.root}/files/{digest[:2]}/{digest}"

    def copy(self, entry: Entry, files: pafs.FileSystem, to: str) -> None:
        """Write one content to a place. Raises ChecksFailed where it is not what it was."""
        files.create_dir(str(PurePosixPath(to).parent), recursive=True)
        with files.open_output_stream(to, compression=None) as write:
            told = self._read(entry, write)
        if told:
            files.delete_file(to)
            raise ChecksFailed(f"The backup's file {entry.path} is {told}. It was not restored.")

    def damage(self, entry: Entry) -> str | None:
        """Say what is wrong with one content: missing or changed. None where it is whole."""
        return self._read(entry, None)

    def _read(self, entry: Entry, write: Any) -> str | None:
        told = hashlib.sha256()
        try:
            with self.files.open_input_stream(self._place(entry.sha256), compression=None) as read:
                while chunk := read.read(CHUNK):
                    told.update(chunk)
                    if write:
                        write.write(chunk)
        except FileNotFoundError:
            return "missing"
        return None if told.hexdigest() == entry.sha256 else "changed"

    # -- manifests --------------------------------------------------------------------------

    def publish(self, manifest: dict[str, Any], entries: list[Entry]) -> dict[str, Any]:
        """Write a backup's list of files, and last its manifest; return the manifest."""
        lines = "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in entries)
        packed = gzip.compress(lines.encode(), mtime=0)
        manifest = manifest | {
            "n_files": len(entries),
            "bytes": sum(one.bytes for one in entries),
            "files_sha256": hashlib.sha256(packed).hexdigest(),
        }
        self._write(f"{manifest['id']}.files.jsonl.gz", packed)
        told = json.dumps(manifest, ensure_ascii=False, indent=2)
        self._write(f"{manifest['id']}.json", told.encode())
        return manifest

    def _write(self, name: str, content: bytes) -> None:
        folder = f"{self.root}/manifests"
        self.files.create_dir(folder, recursive=True)
        with self.files.open_output_stream(f"{folder}/{name}.draft", compression=None) as write:
            write.write(content)
        self.files.move(f"{folder}/{name}.draft", f"{folder}/{name}")

    def backups(self) -> list[str]:
        """Return the ids of whole backups, the oldest first: they begin with their time."""
        chosen = pafs.FileSelector(f"{self.root}/manifests", allow_not_found=True)
        names = [one.base_name for one in self.files.get_file_info(chosen)]
        return sorted(Path(name).stem for name in names if name.endswith(".json"))

    def manifest(self, backup_id: str | None = None) -> tuple[dict[str, Any], list[Entry]]:
        """Return one backup, the newest where none is named. Raises InputMissing, ChecksFailed."""
        known = self.backups()
        if not known:
            raise InputMissing(f"{self.folder} has no whole backup.")
        if backup_id is not None and backup_id not in known:
            raise InputMissing(
                f"{self.folder} has no backup {backup_id!r}.{nearest(backup_id, known)}"
            )
        name = f"{self.root}/manifests/{backup_id or known[-1]}"
        told = json.loads(self._content(f"{name}.json"))
        packed = self._content(f"{name}.files.jsonl.gz")
        if hashlib.sha256(packed).hexdigest() != told["files_sha256"]:
            raise ChecksFailed(f"The list of files of backup {told['id']} is damaged.")
        lines = gzip.decompress(packed).decode().splitlines()
        return told, [Entry(**json.loads(line)) for line in lines]

    def _content(self, path: str) -> bytes:
        try:
            with self.files.open_input_stream(path, compression=None) as read:
                content: bytes = read.read()
        except FileNotFoundError:
            raise ChecksFailed(f"{Path(path).name} is missing from {self.folder}.") from None
        return content

    def prune(self, keep: int) -> tuple[int, int]:
        """Let go of all but the newest backups; return how many, and how many contents went.

        Not beside a running backup: its files are in no manifest yet.
        """
        old = self.backups()[:-keep]
        for backup_id in old:
            for end in (".json", ".files.jsonl.gz"):
                self.files.delete_file(f"{self.root}/manifests/{backup_id}{end}")
        used = {entry.sha256 for one in self.backups() for entry in self.manifest(one)[1]}
        chosen = pafs.FileSelector(f"{self.root}/files", recursive=True, allow_not_found=True)
        unused = [
            one.path
            for one in self.files.get_file_info(chosen)
            if one.type == pafs.FileType.File and one.base_name not in used
        ]
        for path in unused:
            self.files.delete_file(path)
        return len(old), len(unused)
