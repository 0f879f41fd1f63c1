"""`bangfu lineage`: where a figure came from, down to delivery and line (血缘)."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.commands import AsJson, AsOf, Plot, PlotOut, print_json, say, write_plot
from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from rich.tree import Tree

    from lakehouse.lineage.rows import Found
    from lakehouse.lineage.trail import Step

# Deliveries and lines that are printed of a list; --json has them all.
MOST = 5


def lineage(
    what: Annotated[
        str, typer.Argument(metavar="TABLE[.COLUMN]", help="Such as gold.poverty_by_area.n_people.")
    ],
    as_of: AsOf = None,
    up: Annotated[
        bool, typer.Option("--up/--down", help="What it was made from, or what was made of it.")
    ] = True,
    key: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=ID", help="The lines behind rows with this key; no values."),
    ] = None,
    plot: Plot = False,
    out: PlotOut = None,
    as_json: AsJson = False,
) -> None:
    """Show where a table or a column came from (血缘): runs, versions, deliveries, heads of files.

    By default of its newest run. --down turns round. --key goes from rows to delivered lines.

    Examples: `bangfu lineage gold.household_identification.net_income_cny`,
    `bangfu lineage bronze.person_register.birth_date --down`,
    `bangfu lineage silver.household_card --key household_id=ID`
    """
    from lakehouse.lineage.rows import find_rows
    from lakehouse.lineage.trail import Trail, column_of
    from lakehouse.run import House

    house = House()
    trail = Trail(house.conf, house.ops, house.registry)
    table, column = column_of(house.registry, what)
    if key:
        found = find_rows(trail, table, dict(_pair(one) for one in key), as_of)
        print_json(asdict(found)) if as_json else _print(_of_rows(found))
        return
    step = (trail.up if up else trail.down)(table, column, as_of)
    if plot:
        from lakehouse.lineage.picture import picture

        way = "up" if up else "down"
        write_plot(picture(asdict(step), up=up), f"lineage-{what}-{way}", out)
    elif as_json:
        print_json(asdict(step))
    else:
        _print(_tree(step))
        if step.rows_by:
            say(f"Which rows there are is decided by {', '.join(step.rows_by)}.")
    if trail.kept.unsent:
        say(f"{trail.kept.unsent} events did not reach the collector; the file has them.")


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise UsageError("--key is written as household_id=ID.")
    return name, value


def _print(tree: "Tree") -> None:
    from rich.console import Console

    console = Console()
    (console if console.is_terminal else Console(width=160)).print(tree, highlight=False)


def _tree(step: "Step") -> "Tree":
    """Return a step and all below it as a tree of text."""
    from rich.markup import escape
    from rich.tree import Tree

    told = [f"[bold]{escape(_name(step))}[/]"]
    told += [f"[dim]{escape(word)}[/]" for word in _words(step)]
    tree = Tree("  ".join(told))
    if step.decided_by:
        tree.add(f"[dim]decided by {escape(', '.join(step.decided_by))}[/]")
    for one in step.deliveries[:MOST]:
        files = ", ".join(one["files"]) or "files gone"
        rows = "?" if one["rows"] is None else f"{one['rows']:,}"
        tree.add(escape(f"{one['delivery_id']}: {one['state']}, {rows} rows, arrived "
                        f"{str(one['arrived_at'])[:16]}, {files}"))  # fmt: skip
    if len(step.deliveries) > MOST:
        n_rows = sum(one["rows"] or 0 for one in step.deliveries)
        tree.add(f"… {len(step.deliveries)} deliveries in all, {n_rows:,} rows")
    tree.children += [_tree(below) for below in step.steps]
    return tree


def _name(step: "Step") -> str:
    return f"{step.table}.{step.column}" if step.column else step.table


def _words(step: "Step") -> list[str]:
    """Return what is told of a step beside its name."""
    heads = " or ".join(f"“{head}”" for head in step.heads)
    words: dict[str, Any] = {
        "{}": step.how.lower() if step.how else None,
        "version {}": step.version,
        "as of {}": step.as_of,
        "{} rows": None if step.rows is None else f"{step.rows:,}",
        "run {}": step.run_id and step.run_id[:8],
        "head {}": heads or None,
        "({})": step.note or (None if step.run_id else step.origin),
        "… as above": step.told_above or None,
    }
    return [word.format(value) for word, value in words.items() if value is not None]


def _of_rows(found: "Found") -> "Tree":
    from rich.markup import escape
    from rich.tree import Tree

    by = ", ".join(found.by)
    rows = "1 row" if found.rows == 1 else f"{found.rows:,} rows"
    head = f"[bold]{found.table}[/]  version {found.version}  {rows} by {by}"
    tree = Tree(head)
    for delivery, lines in found.lines.items():
        few = ", ".join(map(str, lines[: 4 * MOST])) + (" …" if len(lines) > 4 * MOST else "")
        tree.add(escape(f"{delivery}: line {few}"))
    tree.children += [_of_rows(below) for below in found.found]
    if found.stops:
        tree.add(f"[dim]stops: {escape(found.stops)}[/]")
    return tree
