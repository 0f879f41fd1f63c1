"""Arrow columns of text without one Python string: bytes and whole numbers in, dictionaries out."""

from datetime import date

import numpy as np
import pyarrow as pa


def fixed(texts: np.ndarray) -> pa.StringArray:
    """Return texts of one width from their bytes, [row, width]."""
    n, width = texts.shape
    ends = np.arange(n + 1, dtype=np.int32) * width
    flat = pa.py_buffer(np.ascontiguousarray(texts))
    return pa.StringArray.from_buffers(n, pa.py_buffer(ends), flat)


def used(codes: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which of n codes occur, ascending, and the codes counted among those."""
    occurs = np.zeros(n, dtype=bool)
    occurs[codes] = True
    which = np.flatnonzero(occurs)
    place = np.zeros(n, dtype=np.int32)
    place[which] = np.arange(len(which), dtype=np.int32)
    return which, place.take(codes)


def coded(
    places: np.ndarray, texts: pa.Array, is_null: np.ndarray | None = None
) -> pa.DictionaryArray:
    """Return the texts at some places of a list."""
    return pa.DictionaryArray.from_arrays(pa.array(places, mask=is_null), texts)


def listed(codes: np.ndarray, texts: list[str]) -> pa.DictionaryArray:
    """Return texts of a list by code, -1 for none; the dictionary has those that occur."""
    is_null = codes < 0
    which, places = used(np.where(is_null, 0, codes), max(1, len(texts)))
    every = pa.array(texts or [""], pa.string())
    return coded(places, every.take(pa.array(which)), is_null if is_null.any() else None)


def moments(day: date, second: np.ndarray) -> pa.DictionaryArray:
    """Return `yyyy-MM-dd HH:mm:ss` for ascending seconds of one local day."""
    is_new = np.ones(len(second), dtype=bool)
    is_new[1:] = second[1:] != second[:-1]
    place = np.cumsum(is_new, dtype=np.int32) - 1
    return coded(place, fixed(_written(day, second[is_new])))


def _written(day: date, second: np.ndarray) -> np.ndarray:
    made = np.empty((len(second), 19), dtype=np.uint8)
    made[:] = np.frombuffer(f"{day} 00:00:00".encode(), dtype=np.uint8)
    left = second.astype(np.int64)
    for at, worth in ((11, 36_000), (12, 3_600), (14, 600), (15, 60), (17, 10), (18, 1)):
        made[:, at] += (left // worth).astype(np.uint8)
        left = left % worth
    return made
