"""A quick chart of an answer: a page that opens without a network, or bars in the terminal.

The first column is across, columns of numbers go up. Dates make lines, few categories bars,
lon and lat points. A second column of text makes one series of each of its values.
"""

import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse import plots
from lakehouse.errors import UsageError
from lakehouse.query.out import First, shown

COLOURS = ["#b2361c", "#2a6f97", "#6a994e", "#bc8034", "#6d597a", "#4d908e", "#8d6e63", "#577590"]
MOST_BARS, MOST_SERIES, MOST_POINTS, FEW_DAYS = 60, 12, 20_000, 15
# Marks, the axis across, and what is left out.
Drawn = tuple[list[Any], dict[str, Any], str]


def page(rows: pa.Table, sql: str) -> str:
    """Return a page with a chart, the number of rows and the question. Nothing is loaded by it."""
    made, note = figure(rows)
    return plots.page("查询结果", f"共{rows.num_rows:,}行{note}", [made], code=sql, lang="zh-CN")


def figure(rows: pa.Table) -> tuple[Any, str]:
    """Return a Plotly figure, and in Chinese what it leaves out. Raises UsageError."""
    import plotly.graph_objects as go

    across = rows.schema.field(0)
    numbers = [field.name for field in rows.schema if _is_number(field.type)]
    up = [name for name in numbers if name != across.name]
    if not up or not rows.num_rows:
        raise UsageError("A chart needs rows, and a column of numbers after the first column.")
    if {"lon", "lat"} <= set(numbers):
        marks, axis, note = _places(rows, numbers)
    elif _is_number(across.type) or pa.types.is_temporal(across.type):
        marks, axis, note = _curves(rows, across, up)
    else:
        marks, axis, note = _columns(rows, across.name, up)
    made = go.Figure(marks)
    made.update_layout(
        colorway=COLOURS, height=560,
        xaxis={"title": {"text": across.name}} | axis,
    )  # fmt: skip
    if len(marks) == 1:
        made.update_yaxes(title={"text": marks[0].name})
    return made, note


def _places(rows: pa.Table, numbers: list[str]) -> Drawn:
    """Draw places, coloured by the first other number, named by the first text."""
    import plotly.graph_objects as go

    rows, note = _first(rows, MOST_POINTS, "点")
    texts = [field.name for field in rows.schema if pa.types.is_string(field.type)]
    colours = [name for name in numbers if name not in ("lon", "lat")]
    marker: dict[str, Any] = {"size": 8}
    if colours:
        marker |= {"color": rows[colours[0]].to_pylist(), "colorscale": "Viridis",
                   "showscale": True, "colorbar": {"title": {"text": colours[0]}}}  # fmt: skip
    east, north = rows["lon"].to_pylist(), rows["lat"].to_pylist()
    names = rows[texts[0]].to_pylist() if texts else None
    mark = go.Scatter(x=east, y=north, name="lat", mode="markers", marker=marker, text=names)
    # A degree to the east is as long as it is there.
    axis = {"title": {"text": "lon"}, "scaleanchor": "y", "scaleratio": _east(rows["lat"])}
    return [mark], axis, note


def _curves(rows: pa.Table, across: pa.Field, up: list[str]) -> Drawn:
    """Draw lines over time, or points over a number."""
    import plotly.graph_objects as go

    rows, note = _first(rows.sort_by(across.name), MOST_POINTS, "点")
    mode = "lines+markers" if pa.types.is_temporal(across.type) else "markers"
    marks = [
        go.Scatter(x=part[across.name].to_pylist(), y=part[y].to_pylist(), name=name, mode=mode)
        for name, y, part in _series(rows, across.name, up)
    ]
    axis: dict[str, Any] = {}
    if pa.types.is_date(across.type):
        days = rows[across.name].unique().to_pylist()
        axis = {"tickformat": "%Y-%m-%d"} | ({"tickvals": days} if len(days) < FEW_DAYS else {})
    return marks, axis, note


def _columns(rows: pa.Table, across: str, up: list[str]) -> Drawn:
    """Draw bars over the first values of a column, each with a place of its own."""
    import plotly.graph_objects as go

    every = rows[across].unique()
    rows = rows.filter(pc.is_in(rows[across], value_set=every.slice(0, MOST_BARS)))
    marks = [
        go.Bar(x=part[across].to_pylist(), y=part[y].to_pylist(), name=name)
        for name, y, part in _series(rows, across, up)
    ]
    # Codes are digits, yet no numbers.
    note = f"，图中为前{MOST_BARS}项" if len(every) > MOST_BARS else ""
    return marks, {"type": "category"}, note


def _east(latitudes: pa.ChunkedArray) -> float:
    """Return how long a degree to the east is, in degrees to the north."""
    middle = pc.mean(latitudes).as_py()
    return 1.0 if middle is None else math.cos(math.radians(middle))


def _series(rows: pa.Table, across: str, up: list[str]) -> list[tuple[str, str, pa.Table]]:
    """Return (name, column that goes up, rows) of each series.

    Where a value of the first column comes again, a column of text says of what each row is.
    """
    is_once = len(rows[across].unique()) == rows.num_rows
    texts = [f.name for f in rows.schema if f.name != across and pa.types.is_string(f.type)]
    values = rows[texts[0]].unique() if texts and not is_once else pa.array([])
    if not 0 < len(values) <= MOST_SERIES:
        return [(name, name, rows) for name in up]
    return [(str(value), up[0], rows.filter(pc.equal(rows[texts[0]], value))) for value in values]


def _first(rows: pa.Table, n: int, word: str) -> tuple[pa.Table, str]:
    if rows.num_rows <= n:
        return rows, ""
    return rows.slice(0, n), f"，图中为前{n:,}{word}"


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def print_bars(first: First) -> None:
    """Print a bar for each row: its texts and dates, and its first number."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    rows = first.rows
    numbers = [name for name in first.names if any(_counts(row[name]) for row in rows)]
    if not numbers:
        raise UsageError("A chart needs rows, and a column of numbers.")
    value, labels = numbers[0], [name for name in first.names if name not in numbers]
    console = Console()
    if not console.is_terminal:
        console = Console(width=100)
    most = max(abs(row[value]) for row in rows if _counts(row[value])) or 1
    table = Table(box=None, padding=(0, 1))
    table.add_column(escape(" ".join(labels)), overflow="fold")
    table.add_column(escape(value), justify="right")
    table.add_column("")
    for row in rows:
        label = " ".join(shown(row[name]) for name in labels)
        length = abs(row[value]) / most if _counts(row[value]) else 0
        table.add_row(escape(label), shown(row[value]), _bar(length * console.width * 0.4))
    console.print(table)
    console.print(first.told(len(rows)), highlight=False)


def _counts(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _bar(cells: float) -> str:
    eighths = round(cells * 8)
    return "█" * (eighths // 8) + ("▏▎▍▌▋▊▉"[eighths % 8 - 1] if eighths % 8 else "")
