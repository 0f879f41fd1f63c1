"""Clean rows for any feed, made of nothing but its mapping: for tests of deliveries and faults."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lakehouse.feed import Feed, Field
from synth.deliver.delivery import Part
from synth.figures import stream
from tests.deliveries import id_number

VILLAGES = [f"2112231{at:05d}" for at in range(101, 161)]
RETIRED = ["211223900201", "211223900202", "210102900201"]
NAMES = ["王丽", "李国华", "张明", "欧阳修", "那英", "刘x"]


def parts(feed: Feed, blocks: int, rows: int, protect: bool = False) -> Iterator[Part]:
    """Yield blocks of rows; with `protect` every fifth row is one that no fault may touch."""
    for block in range(blocks):
        frame = made(feed, rows, block)
        protected = np.arange(rows) % 5 == 0 if protect else None
        yield Part(f"b{block}", frame, protected)


def made(feed: Feed, n: int, block: int) -> pd.DataFrame:
    """Return n rows, no two of them alike, the same for the same block."""
    rng = stream(7, "rows", feed.name, block)
    at = np.arange(n) + block * n
    return pd.DataFrame({name: _values(spec, at, rng) for name, spec in feed.delivered.items()})


def _values(spec: Field, at: np.ndarray, rng: np.random.Generator) -> pd.Series:
    n = len(at)
    match spec.type, spec.kind:
        case "identity", "person":
            values = pd.Series([_id(one, rng) for one in at])
        case "identity", "phone":
            values = pd.Series([f"154{one:08d}" for one in at])
        case "identity", _:
            values = pd.Series([f"{spec.kind[0].upper()}{one // 3:06d}" for one in at])
        case "text", _:
            names = rng.choice(NAMES, n)
            values = pd.Series(names if spec.personal else [f"{spec.name}{one}" for one in at])
        case "code", _:
            values = pd.Series(rng.choice(sorted(set(spec.labels.values())), n))
        case "yes_no", _:
            values = pd.Series(rng.random(n) < 0.5)
        case "area", _:
            values = pd.Series(rng.choice(VILLAGES, n)).str[: spec.digits]
        case "integer", _:
            values = pd.Series(rng.integers(1, 90, n))
        case "longitude" | "latitude", _:
            values = pd.Series((122 if spec.type == "longitude" else 41) + rng.random(n).round(6))
        case "decimal", _:
            values = pd.Series(rng.integers(10, 90_000, n) * spec.scale * 0.5)
        case "timestamp", _:
            seconds = pd.to_timedelta(rng.integers(0, 86_400, n), unit="s")
            values = pd.Series(pd.Timestamp("2015-12-30") + seconds)
        case _:
            days = pd.to_timedelta(rng.integers(0, 20_000, n), unit="D")
            values = pd.Series(pd.Timestamp("1960-01-01") + days)
    return values.where(rng.random(n) > 0.1) if spec.optional else values


def _id(one: int, rng: np.random.Generator) -> str:
    day = pd.Timestamp("1940-01-01") + pd.Timedelta(days=int(one * 7 % 25_000))
    return id_number(f"211223{day:%Y%m%d}{one // 25_000 * 7 % 1000:03d}")
