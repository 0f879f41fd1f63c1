"""A bucket, or any folder that Arrow can reach, where deliveries are put as the contract says.

`<prefix>/<feed>/<period>/<delivery>/` with files, manifest and flag: what is complete there is
copied into landing, hidden until it is whole, the flag last.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.fs as pafs

from lakehouse.delivery import READY, Delivery
from lakehouse.errors import InputMissing
from lakehouse.sources.declared import Source


def copy_new(source: Source, landing: Path, period: str | None = None) -> list[Delivery]:
    """Copy complete deliveries (of one period) that landing does not have; return them.

    Raises InputMissing where the store does not answer. What was copied before that stays.
    """
    try:
        files, root = pafs.FileSystem.from_uri(source.address())
        listed = files.get_file_info(pafs.FileSelector(root, recursive=True))
        wanted = [one for one in _complete(listed, root, source, landing) if not one.is_there()]
        found = [one for one in wanted if period in (None, one.delivery.period)]
        for one in found:
            one.copy(files)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputMissing(
            f"{source.name}: the store cannot be read ({type(error).__name__}). Check its address, "
            "the key in the environment, and that the bucket is there."
        ) from None
    return [one.delivery for one in found]


class _There:
    """One complete delivery in the store, and where it goes in landing."""

    def __init__(self, paths: list[str], delivery: Delivery) -> None:
        self.paths, self.delivery = paths, delivery

    def is_there(self) -> bool:
        return (self.delivery.folder / READY).exists()

    def copy(self, files: pafs.FileSystem) -> None:
        folder = self.delivery.folder
        hidden = folder.parent / f".{folder.name}.tmp"
        shutil.rmtree(hidden, ignore_errors=True)
        hidden.mkdir(parents=True)
        for path in self.paths:
            pafs.copy_files(
                path, str(hidden / PurePosixPath(path).name), files, pafs.LocalFileSystem()
            )
        # A folder without its flag is nobody's: a run that died between the two left it.
        shutil.rmtree(folder, ignore_errors=True)
        hidden.rename(folder)
        (folder / READY).touch()


def _complete(
    listed: list[pafs.FileInfo], root: str, source: Source, landing: Path
) -> Iterator[_There]:
    """Yield every delivery whose flag is there, by its path. Others are not finished, or none."""
    found: dict[PurePosixPath, list[str]] = {}
    for one in listed:
        if one.is_file:
            found.setdefault(PurePosixPath(one.path).parent, []).append(one.path)
    for folder, paths in sorted(found.items()):
        parts = folder.relative_to(root).parts
        flag = str(folder / READY)
        if flag in paths and len(parts) == 3 and not any(part.startswith(".") for part in parts):
            feed, period, name = parts
            if source.feed in ("", feed):
                home = landing / source.name / feed / period / name
                delivery = Delivery(home, source.name, feed, period, name)
                yield _There([path for path in paths if path != flag], delivery)
