"""A delivered file as a stream of bytes: unpacked where it is packed, never too far."""

import gzip
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from lakehouse.delivery import Refused

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
# What a broken archive raises while it is read.
BROKEN = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Limits:
    """How far reading goes, from conf/base.toml [landing].

    longest_line: bytes of a line. unpacked_ratio, unpacked_free: a packed file may not become
    more than so many times its size, once it is larger than so many bytes.
    """

    longest_line: int = 1 << 20
    unpacked_ratio: int = 200
    unpacked_free: int = 1 << 28

    def most_of(self, packed: int) -> int:
        """Return how many bytes a file of so many packed ones may become."""
        return max(self.unpacked_free, packed * self.unpacked_ratio)


LIMITS = Limits()


def open_bytes(path: Path, limits: Limits = LIMITS) -> IO[bytes]:
    """Open a delivered file as bytes, unpacked where it is gzip or zip, whatever it is called.

    Raises Refused: zip_members for an archive of more or less than one file, zip_locked for one
    with a password, truncated_zip; and, while it is read, zip_bomb.
    """
    with path.open("rb") as file:
        begins = file.read(4)
    most = limits.most_of(path.stat().st_size)
    if begins[:2] == GZIP:
        return _counted(cast(IO[bytes], gzip.open(path)), most, path.name)
    if begins == ZIP:
        return _counted(_member(path), most, path.name)
    return path.open("rb")


def check_workbook(path: Path, limits: Limits = LIMITS) -> None:
    """Refuse a workbook that unpacks further than allowed, by the sizes that it states."""
    try:
        with zipfile.ZipFile(path) as book:
            told = sum(one.file_size for one in book.infolist())
    except (zipfile.BadZipFile, OSError):
        raise Refused("unreadable_workbook", f"{path.name} is no XLSX workbook") from None
    if told > limits.most_of(path.stat().st_size):
        raise Refused("zip_bomb", f"{path.name} would unpack to {told:,} bytes")


def _member(path: Path) -> IO[bytes]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise Refused("truncated_zip", f"{path.name} ends before its list of files") from None
    members = [one for one in archive.infolist() if not one.is_dir()]
    if len(members) != 1:
        archive.close()
        raise Refused("zip_members", f"{path.name} holds {len(members)} files; one is read")
    try:
        return archive.open(members[0])
    except RuntimeError:
        archive.close()
        raise Refused("zip_locked", f"{path.name} has a password") from None


class _Counted(io.RawIOBase):
    """A stream that stops once it has given more than allowed."""

    def __init__(self, inside: IO[bytes], most: int, name: str) -> None:
        self._inside, self._most, self._name, self._given = inside, most, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]
        some = self._inside.read(len(into))
        into[: len(some)] = some
        self._given += len(some)
        if self._given > self._most:
            raise Refused("zip_bomb", f"{self._name} unpacks to more than {self._most:,} bytes")
        return len(some)

    def close(self) -> None:
        self._inside.close()
        super().close()


def _counted(inside: IO[bytes], most: int, name: str) -> IO[bytes]:
    return io.BufferedReader(_Counted(inside, most, name), 1 << 16)
