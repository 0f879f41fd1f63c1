"""What people would rather look at than read: runs, quality over time, quarantine, the plan.

Each function returns a whole page, which opens without a server or a network. Colours are those
of Okabe and Ito, which the colour-blind tell apart; what matters is told by a sign or a word too.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from lakehouse.errors import InputMissing
from lakehouse.graph import NODE_HEIGHT, NODE_WIDTH, draw
from lakehouse.stale import waits

if TYPE_CHECKING:
    import plotly.graph_objects as go

Row = Mapping[str, Any]
FONT = (
    '"Source Han Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", '
    '"WenQuanYi Micro Hei", sans-serif'
)
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#999999"
# Of a run's rows: what became of them, from the bottom up.
ROWS = {
    "good": ("good", BLUE),
    "created": ("created", BLUE),
    "updated": ("updated", GREEN),
    "unchanged": ("unchanged", GREY),
    "quarantined": ("set aside", ORANGE),
}
STATES = {"done": BLUE, "failed": RED, "running": GREY}
SIGNS = {"fresh": "✓ ", "stale": "▶ ", "waiting": "… ", None: ""}
PANEL_PX = 240


def history(table: str, runs: Sequence[Row], deliveries: Sequence[Row]) -> str:
    """Return the page of one table: rows by what became of them, share set aside, seconds.

    A table that deliveries fill (bronze) has a bar a delivery, any other one a run, oldest first.
    """
    told = [_of_delivery(row) for row in deliveries] or [_of_run(row) for row in reversed(runs)]
    if not told:
        raise InputMissing(f"{table} has no run and no delivery yet: there is nothing to draw.")
    made = _panels(["Rows", "Share set aside", *([] if deliveries else ["Seconds"])])
    at = [one["label"] for one in told]
    for key, (name, colour) in ROWS.items():
        values = [one["counts"].get(key) or 0 for one in told]
        if any(values):
            made.add_bar(x=at, y=values, name=name, marker_color=colour, row=1, col=1)
    shares = [_share_aside(one["counts"]) for one in told]
    _line(made, at, shares, ORANGE, 2)
    if not deliveries:
        _line(made, at, [one["seconds"] for one in told], BLUE, 3)
    made.update_layout(barmode="stack")
    made.update_yaxes(rangemode="tozero")
    made.update_yaxes(tickformat=".2%", range=[0, _top(shares)], row=2, col=1)
    made.update_xaxes(type="category")
    failed = sum(one["state"] in ("failed", "refused") for one in told)
    what = "deliveries" if deliveries else "runs"
    note = (
        f"{what.capitalize()}: {len(told)}, the oldest first; "
        f"{failed} of them failed or were refused."
    )
    return page(f"History of {table}", note, [made])


def timeline(runs: Sequence[Row]) -> str:
    """Return the page of all tables: when each was made, how long it took, how it ended."""
    import plotly.graph_objects as go

    ended = [run for run in runs if run["seconds"] or run["state"] != "done"]
    if not ended:
        raise InputMissing("Nothing has run yet: `bangfu run all` first.")
    made = go.Figure()
    for state, colour in STATES.items():
        mine = [run for run in ended if run["state"] == state]
        if mine:
            made.add_bar(
                y=[run["table_name"] for run in mine], orientation="h", name=state,
                base=[run["started_at"] for run in mine], marker_color=colour,
                x=[1000 * (run["seconds"] or 1) for run in mine],
                hovertext=[f"{run['seconds']} s, as of {run['as_of']}" for run in mine],
            )  # fmt: skip
    tables = list(dict.fromkeys(run["table_name"] for run in ended))
    made.update_yaxes(categoryorder="array", categoryarray=tables)
    made.update_xaxes(type="date", title="UTC")
    made.update_layout(barmode="overlay", height=120 + 26 * len(tables))
    longest = max(ended, key=lambda run: run["seconds"] or 0)
    note = f"{len(ended)} runs; the longest is {longest['table_name']}, {longest['seconds']} s."
    return page("Runs", note, [made])


def quality(results: Sequence[Row], runs: Sequence[Row], table: str | None = None) -> str:
    """Return the page of checks over time: a square a table and date, or a check and run of one.

    Its colour is the share of checks that hold; a cross marks where one does not. Of several runs
    of a table for a date the newest counts. Below: the share of rows set aside.
    """
    kept = list(reversed(runs)) if table else _newest_by_date(runs)
    at = {run["run_id"]: _of_run(run)["label"] if table else str(run["as_of"]) for run in kept}
    word = "expectation" if table else "table_name"
    held: dict[tuple[str, str], list[bool]] = {}
    for row in results:
        if row["run_id"] in at:
            held.setdefault((row[word], at[row["run_id"]]), []).append(bool(row["success"]))
    if not held:
        raise InputMissing("Nothing has been checked yet: `bangfu run all` first.")
    across = [one for one in dict.fromkeys(at.values()) if any(key[1] == one for key in held)]
    down = sorted({key[0] for key in held}, reverse=True)
    figures = [_squares(held, across, down)]
    if aside := _aside(kept, at):
        figures.append(_shares(aside, across))
    n_held, n_all = (sum(count(one) for one in held.values()) for count in (sum, len))
    what = "checks by run" if table else "tables by date, each with its newest run"
    note = f"{what}: {n_all:,} results, {n_all - n_held:,} of them do not hold (✕)."
    return page(f"Quality of {table or 'all tables'} over time", note.capitalize(), figures)


def quarantine(reasons: Sequence[Row], table: str | None = None) -> str:
    """Return the page of rows set aside, by table and reason, all slices together."""
    import plotly.graph_objects as go

    if not reasons:
        raise InputMissing(f"No row of {table or 'any table'} is set aside.")
    counts: dict[tuple[str, str], int] = {}
    for row in reasons:
        key = (row["table_name"], row["reason"])
        counts[key] = counts.get(key, 0) + row["n_rows"]
    ordered = sorted(counts, key=lambda key: (counts[key], key))
    labels = [reason if table else f"{name}  {reason}" for name, reason in ordered]
    made = go.Figure()
    made.add_bar(
        y=labels, x=[counts[key] for key in ordered], orientation="h", marker_color=ORANGE,
        text=[f"{counts[key]:,}" for key in ordered], textposition="outside", cliponaxis=False,
    )  # fmt: skip
    made.update_xaxes(title="rows")
    made.update_layout(height=140 + 26 * len(ordered), showlegend=False)
    note = f"{sum(counts.values()):,} reasons of rows; a row with two reasons counts twice."
    return page(f"Rows set aside{f' of {table}' if table else ''}", note, [made])


def plan(steps: Sequence[Row], inputs: Mapping[str, Iterable[str]], as_of: str) -> str:
    """Return the page of the graph of tables: which are fresh, stale, waiting, and why."""
    told = {
        step["table"]: {**step, "state": "waiting" if waits(step["why"]) else step["state"]}
        for step in steps
    }
    env = environment()
    body = env.get_template("plan.html").render(
        graph=draw(inputs), steps=told, signs=SIGNS, width=NODE_WIDTH, height=NODE_HEIGHT,
        states={name: step["state"] for name, step in told.items()},
        titles={
            name: f": {step['state']}" + (f" ({step['why']})" if step["why"] else "")
            for name, step in told.items()
        },
    )  # fmt: skip
    stale = sum(step["state"] == "stale" for step in told.values())
    return shell(f"Plan for {as_of}", f"{len(told)} tables asked for, {stale} stale.", body)


def page(
    title: str, note: str, figures: "list[go.Figure]", code: str = "", lang: str = "en"
) -> str:
    """Return a page of Plotly figures, the library inside, so that it asks nobody for anything.

    `code` is shown below them, as it is.
    """
    parts = []
    for place, figure in enumerate(figures):
        figure.update_layout(
            template="plotly_white",
            font={"family": FONT},
            margin={"t": 40, "l": 10, "r": 20},
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        )
        figure.update_yaxes(automargin=True)
        figure.update_xaxes(automargin=True)
        parts.append(
            figure.to_html(
                full_html=False,
                include_plotlyjs=place == 0,
                config={"displayModeBar": False, "responsive": True},
            )
        )
    if code:
        parts.append(f"<pre><code>{escape(code)}</code></pre>")
    return shell(title, note, "\n".join(parts), lang)


def shell(title: str, note: str, body: str, lang: str = "en") -> str:
    css = (Path(__file__).parent / "templates" / "site.css").read_text(encoding="utf-8")
    shell = environment().get_template("plot.html")
    return shell.render(title=title, note=note, body=body, css=css, lang=lang)


def environment() -> Environment:
    return Environment(
        loader=PackageLoader("lakehouse", "templates"), autoescape=True, undefined=StrictUndefined
    )


def _of_run(run: Row) -> dict[str, Any]:
    counts = dict(run["counts"] or {})
    if counts.get("created") or counts.get("updated") or counts.get("unchanged"):
        counts.pop("good", None)
    label = f"{run['as_of']}<br>run {str(run['started_at'])[5:19]}"
    return {"label": label, "counts": counts, "seconds": run["seconds"], "state": run["state"]}


def _of_delivery(row: Row) -> dict[str, Any]:
    words = ("read", "created", "unchanged", "quarantined")
    counts = {word: row[f"n_{word}"] for word in words}
    label = row["delivery_id"].split("/", 1)[1]
    return {"label": label, "counts": counts, "seconds": None, "state": row["state"]}


def _share_aside(counts: Row) -> float | None:
    whole = counts.get("made") or counts.get("read")
    return (counts.get("quarantined") or 0) / whole if whole else None


def _top(shares: Iterable[float | None]) -> float:
    """Return where an axis of shares ends: a little above the highest, 1 % at least."""
    return 1.1 * max([share or 0 for share in shares] + [0.01])


def _panels(titles: list[str]) -> "go.Figure":
    from plotly.subplots import make_subplots

    rows = len(titles)
    made = make_subplots(rows=rows, cols=1, shared_xaxes=True, subplot_titles=titles)
    made.update_layout(height=PANEL_PX * rows + 80)
    return made


def _line(made: "go.Figure", at: list[str], values: list[Any], colour: str, row: int) -> None:
    made.add_scatter(
        x=at, y=values, mode="lines+markers", line_color=colour, showlegend=False, row=row, col=1
    )


def _newest_by_date(runs: Sequence[Row]) -> Sequence[Row]:
    """Return the newest run of each table and date, in order of dates."""
    newest: dict[tuple[str, str], Row] = {}
    for run in runs:
        newest.setdefault((run["table_name"], str(run["as_of"])), run)
    return sorted(newest.values(), key=lambda run: str(run["as_of"]))


def _aside(runs: Sequence[Row], at: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Return table -> run -> share set aside, of the tables that ever set a row aside."""
    shares: dict[str, dict[str, float]] = {}
    for run in runs:
        share = _share_aside(run["counts"] or {})
        if share is not None:
            shares.setdefault(run["table_name"], {})[at[run["run_id"]]] = share
    return {table: by_run for table, by_run in shares.items() if any(by_run.values())}


def _squares(
    held: dict[tuple[str, str], list[bool]], across: list[str], down: list[str]
) -> "go.Figure":
    import plotly.graph_objects as go

    def share(of: list[bool] | None) -> float | None:
        return sum(of) / len(of) if of else None

    made = go.Figure()
    made.add_heatmap(
        x=across, y=down, z=[[share(held.get((y, x))) for x in across] for y in down],
        zmin=0, zmax=1, colorscale=[[0, RED], [0.95, "#F0E442"], [1, BLUE]], xgap=2, ygap=2,
        text=[["✕" if False in held.get((y, x), []) else "" for x in across] for y in down],
        texttemplate="%{text}", colorbar={"title": "hold", "tickformat": ".0%"},
        hovertemplate="%{y}<br>%{x}<br>%{z:.0%} hold<extra></extra>",
    )  # fmt: skip
    made.update_xaxes(type="category")
    made.update_layout(height=160 + 22 * len(down))
    return made


def _shares(aside: dict[str, dict[str, float]], across: list[str]) -> "go.Figure":
    import plotly.graph_objects as go

    made = go.Figure()
    for table, by_run in aside.items():
        at = [x for x in across if x in by_run]
        made.add_scatter(x=at, y=[by_run[x] for x in at], name=table, mode="lines+markers")
    made.update_xaxes(type="category", categoryorder="array", categoryarray=across)
    top = _top(share for by_run in aside.values() for share in by_run.values())
    made.update_yaxes(tickformat=".2%", title="share set aside", range=[0, top])
    made.update_layout(height=PANEL_PX * 2)
    return made
