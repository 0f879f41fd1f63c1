"""The vault's key: which file, which version, and identities keyed by it on the workers.

A file has one key a line, the oldest first. An identity is keyed by the first, the outcome by the
second and so on, so that a new key can be put over what stands without knowing the identities.
"""

import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from lakehouse.errors import InputMissing

KEY_BYTES = 32


def ensure_key(path: Path) -> None:
    """Make a key where there is none; readable by its owner only."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_keys(path, [secrets.token_hex(KEY_BYTES)])


def write_keys(path: Path, keys: list[str]) -> None:
    """Write keys to a new file that only its owner reads, down to the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write("\n".join(keys))
        file.flush()
        os.fsync(file.fileno())


def keys_of(path: Path) -> list[str]:
    """Return the keys of a file, the oldest first. Raises InputMissing where it is gone."""
    try:
        return path.read_text().split()
    except FileNotFoundError:
        raise InputMissing(
            f"The vault's key {path} is not there. Restore it from its backup: "
            "without it no new delivery can be linked to old rows."
        ) from None


def key_version(path: Path) -> str | None:
    """Return the first digits of a key's own hash, as the vault's rows have it; None without."""
    return version_of(keys_of(path)) if path.exists() else None


def version_of(keys: list[str]) -> str:
    """Return the first digits of the hash of keys."""
    return hashlib.sha256(bytes.fromhex("".join(keys))).hexdigest()[:8]


def keyed(path: str, version: str, text: Column, first: int = 0) -> Column:
    """Return the HMAC-SHA-256 of a text under the keys from `first` on, as hexadecimal text.

    The keys are read by the workers: they are in no query plan, log or table.
    """

    @F.arrow_udf(StringType())  # type: ignore[untyped-decorator]
    def under_keys(texts: pa.Array) -> pa.Array:
        keys = _keys(path, version)[first:]
        return pa.array([_under(keys, one) for one in texts.to_pylist()], pa.string())

    return under_keys(text)


def _under(keys: list[bytes], text: str) -> str:
    for key in keys:
        text = hmac.digest(key, text.encode(), "sha256").hex()
    return text


@lru_cache(maxsize=4)
def _keys(path: str, version: str) -> list[bytes]:
    """Return the keys of one version: a worker may outlive a rotation, or meet its new file."""
    for file in (Path(path), next_key(Path(path))):
        if key_version(file) == version:
            return [bytes.fromhex(key) for key in keys_of(file)]
    raise InputMissing(f"The vault's key {path} was changed meanwhile: run the command again.")


def next_key(path: Path) -> Path:
    """Return where the keys of a rotation lie until the vault has taken them."""
    return path.with_name(f"{path.name}.next")
