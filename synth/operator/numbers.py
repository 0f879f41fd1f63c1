"""Telephone numbers: a keyed one-to-one map of plain counts, so that no table of them is kept."""

import numpy as np

from lakehouse.errors import UsageError
from synth.figures import stream

WIDTH = 11
ROUNDS = 6
# The ten digits as bytes, and how they are cut: 37 -> b"37".
ZERO = ord("0")


def digits(counts: np.ndarray, prefix: str, seed: int) -> np.ndarray:
    """Return numbers as bytes, [row, 11]: the prefix, then digits that look drawn by lot.

    Different counts have different numbers; the map is a Feistel network on pairs of halves,
    whose round tables come from the seed. Raises UsageError for more counts than numbers.
    """
    half = (WIDTH - len(prefix)) // 2
    room = 10 ** (2 * half)
    if len(counts) and int(counts.max()) >= room:
        raise UsageError(
            f"The prefix {prefix} has {room:,} numbers: fewer people, or a shorter one."
        )
    left, right = np.divmod(counts.astype(np.int64), 10**half)
    for table in _tables(half, prefix, seed):
        left, right = right, (left + table[right]) % 10**half
    written = _written(half)
    made = np.empty((len(counts), WIDTH), dtype=np.uint8)
    made[:, : len(prefix)] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    made[:, len(prefix) : len(prefix) + half] = written[left]
    made[:, len(prefix) + half :] = written[right]
    return made


def counts_of(made: np.ndarray, prefix: str, seed: int) -> np.ndarray:
    """Return the counts again, from the bytes of numbers: the way back, for tests and truth."""
    half = (WIDTH - len(prefix)) // 2
    worth = 10 ** np.arange(half - 1, -1, -1, dtype=np.int64)
    rest = made[:, len(prefix) :].astype(np.int64) - ZERO
    left, right = rest[:, :half] @ worth, rest[:, half:] @ worth
    for table in reversed(_tables(half, prefix, seed)):
        left, right = (right - table[left]) % 10**half, left
    return left * 10**half + right


def as_text(made: np.ndarray) -> np.ndarray:
    """Return the bytes of numbers as an array of str, for frames of few rows."""
    flat = np.ascontiguousarray(made).view(f"S{made.shape[1]}").ravel()
    return flat.astype(f"U{made.shape[1]}").astype(object)


def _tables(half: int, prefix: str, seed: int) -> list[np.ndarray]:
    rng = stream(seed, "numbers", prefix)
    return [rng.integers(10**half, size=10**half) for _ in range(ROUNDS)]


def _written(half: int) -> np.ndarray:
    """Return the digits of 0 .. 10**half - 1 as bytes: [number, half]."""
    worth = 10 ** np.arange(half - 1, -1, -1)
    return (np.arange(10**half)[:, None] // worth % 10 + ZERO).astype(np.uint8)
