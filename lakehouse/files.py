"""Files by their URI: on this machine, or on a store that Arrow reaches."""

from pathlib import Path

import pyarrow.fs as pafs


def filesystem(uri: str) -> tuple[pafs.FileSystem, str]:
    """Return the file system of a URI or local path, and the path inside it."""
    if "://" in uri:
        files, inner = pafs.FileSystem.from_uri(uri)
        return files, inner
    return pafs.LocalFileSystem(), str(Path(uri).absolute())


def local_path(uri: str) -> Path | None:
    """Return a URI as a local path, or None where it is on another store."""
    if uri.startswith("file://"):
        return Path(uri.removeprefix("file://"))
    return None if "://" in uri else Path(uri)
