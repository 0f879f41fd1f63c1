"""Map datums: against real points that were published in both, and there and back."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from lakehouse.datum import gcj02_of, wgs84_of

DATA = Path(__file__).parents[3] / "shared" / "data"
M_A_DEGREE = 111_195.0


def read(name: str) -> dict[str, dict[str, str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path.name} is not here: the real points are optional")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return {row["code"]: row for row in csv.DictReader(lines)}


def test_real_points_in_both_datums_agree() -> None:
    """Vonng/adcode publishes divisions of 2016 in GCJ-02, and points of them in WGS-84."""
    drawn = read("admin_liaoning_2016_vonng_adcode.csv.gz")
    true = read("points_liaoning_2016_wgs84.csv.gz")
    both = [code for code in true if drawn.get(code, {}).get("longitude")]
    assert len(both) > 3000
    lon, lat = (np.array([float(drawn[c][w]) for c in both]) for w in ("longitude", "latitude"))
    x, y = wgs84_of(lon, lat, "gcj-02")
    off_m = np.hypot(
        (x - [float(true[c]["lon"]) for c in both]) * np.cos(np.radians(lat)),
        y - [float(true[c]["lat"]) for c in both],
    ) * M_A_DEGREE  # fmt: skip
    # Published to six digits, that is 0.1 m.
    assert np.percentile(off_m, 95) < 1.0
    shift_m = np.hypot((x - lon) * np.cos(np.radians(lat)), y - lat) * M_A_DEGREE
    assert 300 < np.median(shift_m) < 800


def test_there_and_back_is_the_same_place() -> None:
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(74, 134, 1000), rng.uniform(18, 53, 1000)
    x, y = wgs84_of(*gcj02_of(lon, lat), "gcj-02")
    assert np.abs(x - lon).max() < 1e-8 and np.abs(y - lat).max() < 1e-8


def test_a_point_of_baidu() -> None:
    """116.404, 39.915 on Baidu's map is Tiananmen, at 116.39122, 39.90736 in WGS-84."""
    x, y = wgs84_of(np.array([116.404]), np.array([39.915]), "bd-09")
    assert (round(float(x[0]), 3), round(float(y[0]), 3)) == (116.391, 39.907)


def test_outside_china_nothing_is_shifted_and_nothing_stays_nothing() -> None:
    x, y = wgs84_of(np.array([2.35, np.nan]), np.array([48.86, np.nan]), "gcj-02")
    assert (x[0], y[0]) == (2.35, 48.86)
    assert np.isnan(x[1]) and np.isnan(y[1])
