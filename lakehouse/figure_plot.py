"""The history of deliveries' figures as a page: each with what was usual, and what stood out."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lakehouse.plots import BLUE, GREY, ORANGE, PANEL_PX, RED, page

if TYPE_CHECKING:
    import plotly.graph_objects as go

KINDS = {
    "rows": "行数 rows",
    "nulls": "空值占比 share empty",
    "distinct": "不同标识数 distinct",
    "located": "可定位占比 share located",
    "unknown": "未列代码占比 share of unlisted codes",
    "psi": "分布漂移 PSI",
    "code": "代码行数 rows of a code",
}
VERDICTS = {
    "ok": ("正常 usual", BLUE, "circle"),
    "told": ("仅记录 kept only", GREY, "circle-open"),
    "warn": ("提醒 warns", ORANGE, "diamond"),
    "hold": ("暂缓 holds", RED, "x"),
}


def figure_history(table: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the page of figures over deliveries, a panel a figure, by period.

    The band is what was usual when each delivery came; one that is held, rejected or superseded is
    told when the mouse is on it.
    """
    from plotly.subplots import make_subplots

    every = list(dict.fromkeys(row["figure"] for row in rows))
    # A panel of a field that was never empty tells nothing.
    names = [name for name in every if any(row["value"] for row in rows if row["figure"] == name)]
    names = names or every
    made = make_subplots(
        rows=len(names), cols=1, shared_xaxes=True, vertical_spacing=0.3 / max(4, len(names)),
        subplot_titles=[_title(name) for name in names],
    )  # fmt: skip
    shown: set[str] = set()
    for place, name in enumerate(names, start=1):
        mine = [row for row in rows if row["figure"] == name]
        _band(made, mine, place)
        _points(made, mine, place, shown)
    made.update_layout(height=PANEL_PX * len(names) + 120)
    across = list(dict.fromkeys(_label(row) for row in rows))
    made.update_xaxes(
        type="category", categoryorder="array", categoryarray=across, nticks=16, tickangle=-45
    )
    made.update_yaxes(rangemode="tozero")
    off = sum(row["verdict"] in ("warn", "hold") for row in rows)
    n = len({row["delivery_id"] for row in rows})
    note = f"{n} 次投递 deliveries，{off} 个数值异常 unusual；灰色为通常范围 the band is usual."
    if never := len(every) - len(names):
        note += f" {never} 个数值始终为零 figures are always 0 and not drawn."
    return page(f"{table} 投递质量历史 quality of deliveries", note, [made], lang="zh")


def _title(figure: str) -> str:
    kind, _, field = figure.partition(".")
    return f"{KINDS.get(kind, kind)} {field}".strip()


def _label(row: Mapping[str, Any]) -> str:
    return str(row["delivery_id"]).split("/", 1)[1]


def _band(made: "go.Figure", rows: Sequence[Mapping[str, Any]], place: int) -> None:
    """Draw between what the figure was usual; a bound that is not there is not drawn."""
    at = [_label(row) for row in rows]
    for word, fill in (("least", None), ("most", "tonexty")):
        values = [row[word] for row in rows]
        both = any(row["least"] is not None and row["most"] is not None for row in rows)
        if any(value is not None for value in values):
            made.add_scatter(
                x=at, y=values, mode="lines", line={"color": GREY, "width": 1, "shape": "hvh"},
                fill=fill if both else None, fillcolor="rgba(153,153,153,.18)", hoverinfo="skip",
                showlegend=False, row=place, col=1,
            )  # fmt: skip


def _points(
    made: "go.Figure", rows: Sequence[Mapping[str, Any]], place: int, shown: set[str]
) -> None:
    for verdict, (name, colour, symbol) in VERDICTS.items():
        mine = [row for row in rows if row["verdict"] == verdict]
        if mine:
            made.add_scatter(
                x=[_label(row) for row in mine], y=[row["value"] for row in mine], mode="markers",
                name=name, legendgroup=verdict, showlegend=verdict not in shown,
                marker={"color": colour, "symbol": symbol, "size": 8},
                hovertext=[row["state"] for row in mine], row=place, col=1,
            )  # fmt: skip
            shown.add(verdict)
