"""What happens to the files of a delivery once they are written: emptied, cut, broken off."""

import os
from collections.abc import Callable
from pathlib import Path

from lakehouse.delivery import separator_of
from synth.deliver.contract import FileNote
from synth.deliver.files import Files
from synth.deliver.shapes import Shape

# Part of a file that comes over before a transfer breaks off.
KEPT = 2 / 3
TAIL = 1 << 20


def end(folder: Path, files: Files, shape: Shape, cut_at: Callable[[int], None]) -> list[FileNote]:
    """Do to the last file what the shape has, and return what the manifest says of all of them.

    A manifest is made after the fact, but for `cut_later`. `cut_at` is told where a last line
    that was cut begins.
    """
    last = folder / files.names()[-1]
    if shape.ending == "emptied":
        os.truncate(last, 0)
    elif shape.ending == "cut":
        os.truncate(last, int(last.stat().st_size * KEPT))
    elif shape.ending == "cut_line" and files.rows:
        cut_at(_cut_line(last, separator_of(files.feed).encode()))
    notes = files.notes()
    if shape.ending == "cut_later":
        os.truncate(last, int(last.stat().st_size * KEPT))
    return notes


def _cut_line(path: Path, separator: bytes) -> int:
    """End a text file behind a separator in the middle of its last line; return its first byte."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - TAIL))
        tail = file.read()
    first = tail.rstrip(b"\r\n").rfind(b"\n") + 1
    places = [at for at in range(first, len(tail)) if tail[at : at + 1] == separator]
    cut = places[len(places) // 2 - (len(places) > 1)] if places else first
    os.truncate(path, size - len(tail) + cut + 1)
    return size - len(tail) + first
