"""Where each table stands in the drawing of the graph: columns by layer and depth."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lakehouse.table import LAYERS

NODE_WIDTH, NODE_HEIGHT = 168, 28
COLUMN_GAP, ROW_GAP = 48, 11
MARGIN, HEAD = 12, 34
SPREAD, SWEEPS = 2, 6
SOURCES = ("conf", "vault", "bronze")


@dataclass(frozen=True)
class Node:
    """One table in the drawing: its upper left corner, and its short name."""

    name: str
    x: int
    y: int

    @property
    def layer(self) -> str:
        """Return the layer, which colours the box."""
        return _layer(self.name)

    @property
    def label(self) -> str:
        """Return the name without its layer."""
        return self.name.split(".")[1]


@dataclass(frozen=True)
class Drawing:
    """Nodes by name, edges as SVG paths by (from, to), column heads, and the size of all."""

    nodes: dict[str, Node]
    edges: dict[tuple[str, str], str]
    heads: list[tuple[int, str]]
    width: int
    height: int


def draw(inputs: Mapping[str, Iterable[str]]) -> Drawing:
    """Place every table right of all that it is made from.

    `inputs` names for each table those it reads. Sources (conf, vault, bronze) share the first
    column; then come the layers, each with as many columns as it is deep. The order within a
    column follows the neighbours (barycentre), ties by name, so the drawing is always the same.
    """
    columns = _columns(inputs)
    for _ in range(SWEEPS):
        _sort_by_neighbours(columns, inputs)
    tallest = max(len(column) for _, column in columns)
    step = NODE_HEIGHT + ROW_GAP
    nodes = {}
    for place, (_, column) in enumerate(columns):
        x = MARGIN + place * (NODE_WIDTH + COLUMN_GAP)
        # Short columns are spread a little, so that edges find their way between.
        pitch = min(SPREAD * step, tallest * step // len(column))
        top = HEAD + (tallest * step - len(column) * pitch) // 2
        for row, name in enumerate(column):
            nodes[name] = Node(name, x, top + row * pitch)
    edges = {
        (source, name): _curve(nodes[source], nodes[name])
        for name, sources in inputs.items()
        for source in sorted(sources)
    }
    width = 2 * MARGIN + len(columns) * (NODE_WIDTH + COLUMN_GAP) - COLUMN_GAP
    heads = [
        (MARGIN + place * (NODE_WIDTH + COLUMN_GAP), head)
        for place, (head, _) in enumerate(columns)
    ]
    return Drawing(nodes, edges, heads, width, HEAD + tallest * step + MARGIN)


def depths(inputs: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return for each table the length of the longest way to it from a source."""
    found: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in found:
            found[name] = 1 + max((depth(one) for one in inputs.get(name, ())), default=-1)
        return found[name]

    for name in inputs:
        depth(name)
    return found


def _columns(inputs: Mapping[str, Iterable[str]]) -> list[tuple[str, list[str]]]:
    """Return (head, names) of each column from left to right; a layer's first has the head."""
    deep = depths(inputs)
    columns = [("sources", sorted(name for name in inputs if _layer(name) in SOURCES))]
    for layer in LAYERS:
        names = sorted(name for name in inputs if _layer(name) == layer)
        if layer in SOURCES or not names:
            continue
        # What no job makes (a model does) opens its layer.
        least = min((deep[name] for name in names if deep[name]), default=0)
        by_depth: dict[int, list[str]] = {}
        for name in names:
            by_depth.setdefault(max(deep[name], least), []).append(name)
        for place, depth in enumerate(sorted(by_depth)):
            columns.append((layer if place == 0 else "", by_depth[depth]))
    return [(head, names) for head, names in columns if names]


def _layer(name: str) -> str:
    return name.split(".")[0]


def _sort_by_neighbours(
    columns: list[tuple[str, list[str]]], inputs: Mapping[str, Iterable[str]]
) -> None:
    """Sort each column by the mean place of what its tables are joined to, in place."""
    near: dict[str, set[str]] = {name: set(sources) for name, sources in inputs.items()}
    for name, sources in inputs.items():
        for source in sources:
            near.setdefault(source, set()).add(name)
    place = {
        name: (row + 0.5) / len(column) for _, column in columns for row, name in enumerate(column)
    }
    for _, column in [*columns, *reversed(columns)]:
        wanted = {
            name: sum(place[one] for one in near[name]) / len(near[name]) if near[name] else 1.0
            for name in column
        }
        column.sort(key=lambda name: (wanted[name], name))
        place |= {name: (row + 0.5) / len(column) for row, name in enumerate(column)}


def _curve(source: Node, target: Node) -> str:
    x1, y1 = source.x + NODE_WIDTH, source.y + NODE_HEIGHT // 2
    x2, y2 = target.x, target.y + NODE_HEIGHT // 2
    bend = max(COLUMN_GAP // 2, (x2 - x1) // 3)
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
