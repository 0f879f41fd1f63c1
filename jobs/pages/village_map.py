"""The map of an area as SVG shapes: outlines of counties, and a mark for each village."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from jobs.methods.outline import Ring, county_rings
from jobs.pages import words
from jobs.pages.disclosure import padded
from jobs.pages.figures import Figures, Village
from jobs.pages.labels import Box, Label, placed

WIDTH, MOST_HEIGHT = 720.0, 900.0
# A strip above for a remark and one below for the scale; names need room where no outline does.
TOP, BOTTOM, SIDE, SIDE_OF_TOWN = 34.0, 34.0, 18.0, 56.0
KM_A_DEGREE = 111.195  # On a sphere of 6,371 km.
LEAST_EXTENT = 0.02  # degrees: a single village has a map too
# Ten steps from dark (poor fit) to light (good fit): viridis, even in lightness, so that it
# also reads in grey and for the colour-blind.
CLASS_COLOURS = (
    "#440154", "#482878", "#3e4989", "#31688e", "#26828e",
    "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725",
)  # fmt: skip
# From this class on needs and capacity are said to fit (协调): a round mark instead of a square.
FITS_FROM = 6
# Up to this class a number in the mark is white.
DARK_UP_TO = 5
SHARE_EDGES = (0.02, 0.05, 0.10, 0.15, 0.20)
SHARE_COLOURS = ("#fef0d9", "#fdd49e", "#fdbb84", "#fc8d59", "#e34a33", "#990000")
NO_FIGURE, TOO_FEW = "none", "人数过少，不显示"
# Up to so many marks, the radius of the least and of the largest, in pixels.
RADII = ((40, 9.0, 20.0), (250, 6.6, 13.0), (1500, 2.6, 8.0), (10**9, 1.4, 5.0))
NUMBERED_FROM = 5.5  # pixels: a number has room
SCALE_KM = (1, 2, 5, 10, 20, 50, 100, 200)
MOST_TOWN_LABELS, MOST_AVOIDED = 60, 1500


@dataclass(frozen=True)
class Mark:
    """One village on the map. `tip` has the lines that a pointer brings up."""

    x: float
    y: float
    radius: float
    level: int | None
    is_round: bool
    is_dark: bool
    class_colour: str
    share_colour: str
    tip: str

    @property
    def is_numbered(self) -> bool:
        return self.level is not None and self.radius >= NUMBERED_FROM


@dataclass(frozen=True)
class Map:
    """Shapes in pixels of a picture `WIDTH` wide."""

    height: float
    outlines: list[str]
    marks: list[Mark]
    class_labels: list[Label]
    share_labels: list[Label]
    scale_km: int
    scale_px: float
    n_without_position: int
    is_synthetic: bool
    is_dense: bool
    sizes: list[tuple[int, float]]


class Projection:
    """Longitude and latitude to pixels, true to distance at the middle latitude."""

    def __init__(self, points: list[tuple[float, float]], side: float = SIDE) -> None:
        lons, lats = [p[0] for p in points], [p[1] for p in points]
        self.west, self.north = min(lons), max(lats)
        self.squeeze = math.cos(math.radians((min(lats) + max(lats)) / 2))
        wide = max((max(lons) - self.west) * self.squeeze, LEAST_EXTENT)
        tall = max(self.north - min(lats), LEAST_EXTENT)
        self.top = TOP + side - SIDE
        self.px_a_degree = min((WIDTH - 2 * side) / wide, (MOST_HEIGHT - self.top - BOTTOM) / tall)
        self.left = (WIDTH - wide * self.px_a_degree) / 2
        self.height = self.top + tall * self.px_a_degree + BOTTOM + side - SIDE

    def __call__(self, lon: float, lat: float) -> tuple[float, float]:
        x = self.left + (lon - self.west) * self.squeeze * self.px_a_degree
        y = self.top + (self.north - lat) * self.px_a_degree
        return round(x, 1), round(y, 1)

    @property
    def px_a_km(self) -> float:
        """Return how many pixels a kilometre is."""
        return self.px_a_degree / KM_A_DEGREE


def draw(figures: Figures) -> Map | None:
    """Draw the villages, or return None where none has a position.

    An area of counties is drawn within its outlines; a town fills the picture, and of its county
    is seen what lies there.
    """
    places = figures.area.places
    at = {
        village.code: (place.lon, place.lat)
        for village in figures.villages
        if (place := places.get(village.code)) and place.lon is not None and place.lat is not None
    }
    shown = [village for village in figures.villages if village.code in at]
    if not shown:
        return None
    rings = [ring for code in figures.counties() for ring in county_rings(code[:6])]
    is_town = figures.area.level == "town"
    framed = [] if is_town else [point for ring in rings for point in ring]
    points = [*framed, *(at[village.code] for village in shown)]
    project = Projection(points, SIDE_OF_TOWN if is_town else SIDE)
    households = max((village.n_households or 0 for village in shown), default=0)
    size = _Size(len(shown), households)
    is_dense = len(shown) > MOST_AVOIDED
    marks = [
        _mark(figures, village, project(*at[village.code]), size, is_dense) for village in shown
    ]
    # Large marks first, so that small ones stay in reach of the pointer.
    marks.sort(key=lambda mark: (-mark.radius, mark.x, mark.y))
    named = {code: project(*point) for code, point in _named(figures, at).items()}
    km = _scale_km(project.px_a_km)
    return Map(
        height=round(project.height, 1),
        outlines=[_path(ring, project) for ring in rings],
        marks=marks,
        class_labels=_labels(figures, named, marks, project.height, has_shares=False),
        share_labels=_labels(figures, named, marks, project.height, has_shares=True),
        scale_km=km,
        scale_px=round(km * project.px_a_km, 1),
        n_without_position=len(figures.villages) - len(shown),
        is_synthetic=any(places[village.code].is_synthetic for village in shown),
        is_dense=is_dense,
        sizes=size.keys(),
    )


def class_colour(level: int | None) -> str:
    """Return the colour of a class of coordination, 1 to 10."""
    return CLASS_COLOURS[level - 1] if level else NO_FIGURE


def share_colour(share: float | None) -> str:
    """Return the colour of a share; classes are closed below."""
    if share is None:
        return NO_FIGURE
    return SHARE_COLOURS[sum(share >= edge for edge in SHARE_EDGES)]


class _Size:
    """The radius of a mark: its area is in proportion to households, down to a least."""

    def __init__(self, n_marks: int, most: int) -> None:
        self.most = most
        self.least_px, self.most_px = next(px for n, *px in RADII if n_marks <= n)

    def __call__(self, n_households: int | None) -> float:
        if not n_households or not self.most:
            return self.least_px
        px = self.most_px * math.sqrt(n_households / self.most)
        return round(max(self.least_px, px), 1)

    def keys(self) -> list[tuple[int, float]]:
        """Return round numbers of households with their radius, for the legend."""
        if self.most < 4:
            return []
        unit = 10 ** max(0, len(str(self.most)) - 2)
        whole = self.most // unit * unit
        steps = sorted({max(1, whole // 4), max(1, whole // 2), whole})
        return [(n, self(n)) for n in steps]


def _mark(
    figures: Figures, village: Village, at: tuple[float, float], size: _Size, is_dense: bool
) -> Mark:
    share = figures.shares.get(_code_of_share(figures, village))
    tip = list(_tip(figures, village, share))
    return Mark(
        *at,
        radius=size(village.n_households),
        level=village.level,
        is_round=village.level is None or village.level >= FITS_FROM,
        is_dark=village.level is not None and village.level <= DARK_UP_TO,
        class_colour=class_colour(village.level),
        share_colour=share_colour(share),
        # Of thousands of villages, a page tells no more than place and class.
        tip="\n".join(tip[:1] + tip[2:3] if is_dense else tip),
    )


def _code_of_share(figures: Figures, village: Village) -> str:
    digits = {"village": 12, "town": 9, "county": 6}[figures.share_level]
    return padded(village.code[:digits])


def _tip(figures: Figures, village: Village, share: float | None) -> Iterator[str]:
    yield figures.area.names_down_to(village.code)
    if village.coupling_coordination is None:
        yield TOO_FEW
        return
    yield f"登记户数 {village.n_households:,}"
    yield f"协调度 D {village.coupling_coordination:.3f}（{village.level} 级 {village.class_name}）"
    yield f"生活需求满足 U1 {village.living_needs_met:.3f}"
    yield f"生产能力 U2 {village.production_capacity:.3f}"
    yield f"耦合度 C {village.coupling_degree:.3f}"
    yield words.lagging(village.lagging)
    whose = {"village": "", "town": "全乡镇", "county": "全县"}[figures.share_level]
    yield f"{whose}建议纳入户占比 " + (TOO_FEW if share is None else f"{share:.1%}")


def _named(figures: Figures, at: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Return what is named on the map, and where: villages in a town, else towns or counties."""
    if figures.area.level == "town":
        return at
    digits = 9
    if len({code[:9] for code in at}) > MOST_TOWN_LABELS:
        digits = 6
    points: dict[str, list[tuple[float, float]]] = {}
    for code, point in at.items():
        points.setdefault(padded(code[:digits]), []).append(point)
    named = {}
    for code, around in points.items():
        place = figures.area.places.get(code)
        if place and place.lon is not None and place.lat is not None:
            named[code] = (place.lon, place.lat)
        else:
            lon, lat = (sum(axis) / len(around) for axis in zip(*around, strict=True))
            named[code] = (lon, lat)
    return named


def _labels(
    figures: Figures,
    named: dict[str, tuple[float, float]],
    marks: list[Mark],
    height: float,
    has_shares: bool,
) -> list[Label]:
    """Return the names where they cover least, with the share recommended where asked."""
    wanted = []
    for code, (x, y) in named.items():
        share = figures.shares.get(code) if has_shares else None
        text = figures.area.name(code) + ("" if share is None else f" {share:.1%}")
        wanted.append((x, y, text))
    # Among thousands of marks a name covers some wherever it stands.
    few = marks if len(marks) <= MOST_AVOIDED else []
    boxes = [Box.around(mark.x, mark.y, mark.radius) for mark in few]
    return placed(wanted, boxes, Box(2, TOP - 4, WIDTH - 2, height - BOTTOM + 4))


def _scale_km(px_a_km: float) -> int:
    """Return the round number of km that is a sixth of the picture or a little less."""
    return max((km for km in SCALE_KM if km * px_a_km <= WIDTH / 6), default=SCALE_KM[0])


def _path(ring: Ring, project: Projection) -> str:
    points = list(dict.fromkeys(project(*point) for point in ring))
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + "Z"
