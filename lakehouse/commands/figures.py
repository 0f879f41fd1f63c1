"""What `bangfu check` tells of deliveries as a whole: figures, their history, Data Docs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.commands import print_json, print_table, say, write_plot
from lakehouse.errors import ChecksFailed, InputMissing, UsageError, nearest

if TYPE_CHECKING:
    from lakehouse.run import House

SHOWN = {
    "delivery_id": "delivery", "figure": "figure", "value": "value", "least": "usually from",
    "most": "to", "verdict": "verdict",
}  # fmt: skip


def show_figures(
    house: "House", table: str | None, figure: str | None, plot: bool, out: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Show the figures of a feed's last delivery, or one figure of all of them; or draw them.

    Raises ChecksFailed where the last delivery is held for its figures.
    """
    from lakehouse.figure_plot import figure_history
    from lakehouse.quality import newest_figures

    if table is None or not table.startswith("bronze."):
        raise UsageError("--figure is of deliveries: name their table, such as bronze.cdr.")
    feed = table.split(".")[1]
    newest = newest_figures(house.ops, feed)
    if not newest:
        raise InputMissing(f"No delivery of {feed} has been weighed yet: `bangfu land` first.")
    ledger = {row["delivery_id"]: row for row in house.ops.deliveries(feed)}
    every = [
        row | {"state": ledger[row["delivery_id"]]["state"]}
        for row in sorted(house.ops.figures(list(ledger)), key=lambda row: row["period"])
    ]
    if figure and figure not in (known := sorted({row["figure"] for row in every})):
        raise UsageError(f"{table} has no figure {figure!r}.{nearest(figure, known)}")
    told = [row for row in every if row["figure"] == figure] if figure else newest
    if plot:
        names = [figure] if figure else sorted({row["figure"] for row in newest})
        page = figure_history(table, [row for row in every if row["figure"] in names])
        write_plot(page, f"check-{table}", out)
        return
    shown = [{word: row[word] for word in SHOWN} for row in told]
    print_json(shown) if as_json else print_table(f"Deliveries of {feed}", shown, SHOWN)
    if not all(row["success"] for row in newest):
        held = newest[0]["delivery_id"]
        raise ChecksFailed(f"{held} is held: `bangfu deliveries approve {held} --why …`.")


def unusual(house: "House") -> list[dict[str, Any]]:
    """Return figures of last deliveries as results of checks; false where one is held for it."""
    from lakehouse.quality import newest_figures, worth_telling

    return [
        {"table_name": f"bronze.{row['feed']}", "expectation": f"delivery:{row['figure']}",
         "success": row["success"], "observed": "; ".join(worth_telling([row])) or row["value"]}
        for row in newest_figures(house.ops)
        if row["verdict"] != "told"
    ]  # fmt: skip


def data_docs(house: "House") -> None:
    """Draw the site of Data Docs and say where it is."""
    from lakehouse.gate_figures import draw

    say("Open in a browser:")
    print(draw(house.gate, house.ops))
