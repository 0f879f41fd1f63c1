"""`bangfu quarantine`: what was set aside, why, and the way back (隔离)."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lakehouse.commands import (
    AnyTable,
    AsJson,
    Plot,
    PlotOut,
    print_json,
    print_table,
    say,
    with_feeds,
    write_plot,
)
from lakehouse.errors import InputMissing, UsageError, nearest

BY = ("reason", "delivery", "area", "age")


class ShowFirst(TyperGroup):
    """A group whose first command needs no name: `bangfu quarantine silver.person`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="quarantine",
    cls=ShowFirst,
    help="What was set aside and why (隔离); `show` needs no name: `bangfu quarantine TABLE`.",
)


@app.command()
@with_feeds
def show(
    table: AnyTable = None,
    lines: Annotated[bool, typer.Option(help="List delivery and line of each row.")] = False,
    by: Annotated[
        str | None, typer.Option(metavar="WORD", help=f"What is aside now, by {', '.join(BY)}.")
    ] = None,
    plot: Plot = False,
    out: PlotOut = None,
    as_json: AsJson = False,
) -> None:
    """Show what was set aside and why (隔离): counts by table, slice and reason, never values.

    Examples: `bangfu quarantine`, `bangfu quarantine silver.person --lines`,
    `bangfu quarantine --by age`, `bangfu quarantine --plot`
    """
    from lakehouse import plots
    from lakehouse.run import House

    house = House()
    name = house.registry.table(table).name if table else None
    if plot:
        page = plots.quarantine(house.ops.reasons(name), name)
        write_plot(page, f"quarantine-{name or 'all'}", out)
        return
    if by:
        _show_by(house, name, by, as_json)
        return
    told = _quarantined_lines(house, name) if lines else house.ops.reasons(name)
    refused = [row for row in house.ops.deliveries() if row["state"] in ("refused", "held")]
    if as_json:
        kept = ("delivery_id", "state", "reason", "detail")
        told_of = [{key: row[key] for key in kept} for row in refused]
        print_json({"rows": told, "refused_deliveries": told_of})
        return
    columns = {"table_name": "table", "slice": "date or delivery"}
    columns |= (
        {"line": "line", "reason": "reason"} if lines else {"reason": "reason", "n_rows": "rows"}
    )
    print_table("Rows set aside", told, columns)
    if refused and not table:
        shown = {"delivery_id": "delivery", "state": "state", "reason": "reason",
                 "detail": "detail"}  # fmt: skip
        print_table("Deliveries refused or held", refused, shown)


def _show_by(house: Any, name: str | None, by: str, as_json: bool) -> None:
    from datetime import date

    from lakehouse import room

    if by not in BY:
        raise UsageError(f"--by {by!r}: one of {', '.join(BY)}.{nearest(by, [*BY])}")
    shown_from = int(house.conf.get("quarantine", "shown_from"))
    told = room.by(by, room.groups(house, name), date.today(), shown_from)
    if as_json:
        print_json(told)
    elif told:
        heads = {"table": "table", by: by, "rows": "rows", "since": "oldest arrived"}
        print_table(f"Rows set aside now, by {by}", told, heads)
    else:
        say("Nothing is set aside now.")


def _quarantined_lines(house: Any, name: str | None) -> list[dict[str, Any]]:
    if name is None:
        raise InputMissing("--lines needs a table: `bangfu quarantine silver.person --lines`.")
    from deltalake import DeltaTable

    from lakehouse.io import newest_version, quarantine_path

    path = quarantine_path(house.conf.lake, name)
    if newest_version(path) is None:
        return []
    kept = ["slice", "delivery_id", "line", "violations"]
    found = DeltaTable(path).to_pyarrow_table(columns=kept)
    rows = sorted(found.to_pylist(), key=lambda row: (row["slice"], row["delivery_id"] or "",
                                                      row["line"] or 0))  # fmt: skip
    return [
        {"table_name": name, "slice": row["delivery_id"] or row["slice"], "line": row["line"],
         "reason": ", ".join(row["violations"])}
        for row in rows[:10_000]
    ]  # fmt: skip


@app.command()
@with_feeds
def explain(
    table: Annotated[str, typer.Argument(help="A table, such as silver.person.")],
    reason: Annotated[str, typer.Argument(help="A reason that `bangfu quarantine` tells.")],
    as_json: AsJson = False,
) -> None:
    """Say what a reason means, where it comes from, how often it is met and what mends it.

    Of codes that are in no list it tells which, where they are frequent, and how many rows have
    others.

    Example: `bangfu quarantine explain silver.person person_id:check_digit`
    """
    from lakehouse.explain import explained
    from lakehouse.run import House
    from lakehouse.unlisted import unlisted

    house = House()
    told = explained(house.registry, house.registry.table(table), reason)
    n = sum(row["n_rows"] for row in house.ops.reasons(told["table"]) if row["reason"] == reason)
    told |= {"rows": n}
    values = unlisted(house, told["table"], reason)
    if as_json:
        print_json(told | ({"values": values} if values else {}))
        return
    for word, value in told.items():
        print(f"{word:8} {value:,}" if isinstance(value, int) else f"{word:8} {value}")
    if values:
        print_table("In no code list", values, {"value": "value", "rows": "rows"})


@app.command()
@with_feeds
def replay(
    delivery: Annotated[
        str | None, typer.Argument(help="One delivery, feed/period/name; all where left out.")
    ] = None,
    feed: Annotated[str | None, typer.Option(help="Only deliveries of this feed.")] = None,
    refused: Annotated[
        bool, typer.Option(help="Try refused deliveries again as well (`bangfu land` lands them).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read lines that were no rows again by today's mapping (重放): rows leave quarantine, once.

    What silver set aside comes back by itself: a mended mapping or rule makes the table stale, and
    `bangfu run` reads its rows again.

    Examples: `bangfu quarantine replay --feed person_register`,
    `bangfu quarantine replay --refused`
    """
    from dataclasses import asdict

    from lakehouse.feed import feed as known_feed
    from lakehouse.replay import replay as again
    from lakehouse.replay import waiting
    from lakehouse.run import House

    house = House()
    if feed:
        known_feed(feed)
    if refused:
        every = [row for row in house.ops.deliveries(feed) if row["state"] == "refused"]
        names = [one["delivery_id"] for one in every if delivery in (None, one["delivery_id"])]
        house.ops.forget_refused(names)
        say(f"{len(names)} refused deliveries are pending again: `bangfu land`.")
    named = [delivery] if delivery and not refused else list(waiting(house.landing, feed))
    told = [asdict(again(house.landing, one)) for one in named]
    if as_json:
        print_json(told)
    elif told:
        heads = {"delivery_id": "delivery", "rows": "now rows", "still_aside": "still set aside",
                 "why_not": "why not"}  # fmt: skip
        print_table("Replayed", told, heads)
    else:
        say("No landed delivery has lines set aside.")
