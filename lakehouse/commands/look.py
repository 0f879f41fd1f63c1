"""Commands that answer: show, check, quarantine, history. They write nothing."""

from typing import Annotated, Any

import typer

from lakehouse.commands import (
    AnyTable,
    AsJson,
    Plot,
    PlotOut,
    print_json,
    print_table,
    say,
    write_plot,
)  # fmt: skip
from lakehouse.errors import ChecksFailed, InputMissing, PrivacyError
from lakehouse.table import RESTRICTED

TableName = Annotated[str, typer.Argument(help="A table, such as gold.poverty_by_area.")]
MOST_RUNS = 10_000
MASK = "●"
FEW = 10
# Tables of more columns are printed turned, a few rows at a time.
WIDE, WIDE_ROWS = 9, 4


def show(
    table: TableName,
    rows: Annotated[
        int | None, typer.Option(min=0, max=1000, help="Rows to show; 10 where allowed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one table: its declaration, where it comes from, and first rows.

    Personal columns are masked; tables of the restricted zone show no rows.

    Examples: `bangfu show gold.poverty_by_area`, `bangfu show person --rows 0`
    """
    from lakehouse.io import newest_version, table_path
    from lakehouse.run import House

    house = House()
    declared = house.registry.table(table)
    if rows and declared.layer in RESTRICTED:
        raise PrivacyError(
            f"{declared.name} is in the restricted zone: its rows are not shown. "
            f"`bangfu show {declared.name} --rows 0` shows its declaration."
        )
    path = table_path(house.conf.lake, declared.name)
    version = newest_version(path) if declared.layer != "conf" else None
    limit = FEW if rows is None else rows
    shown = _rows(declared, limit, version is not None) if declared.layer not in RESTRICTED else []
    told: dict[str, Any] = {
        "table": declared.name,
        "meaning": declared.doc().splitlines()[0],
        "key": list(declared.key),
        "area": declared.area,
        "purpose": declared.purpose,
        "owner": declared.owner,
        "origin": house.registry.origin(declared.name),
        "made_from": house.registry.inputs(declared.name),
        "delta_version": version,
        "columns": [
            {"column": c.name, "type": c.type, "unit": c.unit, "personal": c.personal,
             "meaning": c.meaning}
            for c in declared.columns.values()
        ],
        "rows": shown,
    }  # fmt: skip
    if as_json:
        print_json(told)
        return
    say("")
    print(f"{told['table']}  {told['meaning']}")
    print(f"  {told['origin']}; Delta version {version}; key {', '.join(declared.key)}")
    print_table("", told["columns"], {"column": "column", "type": "type", "unit": "unit",
                                      "personal": "personal", "meaning": "meaning"})  # fmt: skip
    if shown:
        _print_rows(shown)


def _print_rows(rows: list[dict[str, Any]]) -> None:
    """Print rows side by side, or one below the other where the table is wide."""
    if len(rows[0]) <= WIDE:
        print_table(f"First {len(rows)} rows", rows, {name: name for name in rows[0]})
        return
    few = rows[:WIDE_ROWS]
    turned = [
        {"column": name, **{str(at): row[name] for at, row in enumerate(few, start=1)}}
        for name in rows[0]
    ]
    heads = {str(at): f"row {at}" for at in range(1, len(few) + 1)}
    print_table(f"First {len(few)} rows", turned, {"column": "column"} | heads)


def _rows(table: Any, limit: int, is_made: bool) -> list[dict[str, Any]]:
    """Return a table's first rows, personal columns masked."""
    if table.layer == "conf":
        from lakehouse.reference import read_rows

        return read_rows(table)[:limit]
    if not limit or not is_made:
        return []
    from lakehouse.query import Query

    # What is personal is not there to sort by either.
    found = Query(tell=say).rows(f"SELECT * FROM {table.name} ORDER BY ALL LIMIT {limit}")
    return [
        {name: MASK if column.personal else row.get(name) for name, column in table.columns.items()}
        for row in found
    ]


def check(
    table: AnyTable = None,
    figure: Annotated[
        str | None, typer.Option(help="One figure of a bronze table's deliveries, such as rows.")
    ] = None,
    site: Annotated[bool, typer.Option("--site", help="Draw Data Docs; their page.")] = False,
    plot: Plot = False,
    out: PlotOut = None,
    as_json: AsJson = False,
) -> None:
    """Show the check results of each table's last run (质量检查); exit 12 where one failed.

    Of a bronze table: the figures of its deliveries as a whole, held against those before.

    Examples: `bangfu check`, `bangfu check silver.person --json`, `bangfu check --plot`,
    `bangfu check bronze.cdr --figure rows --plot`, `bangfu check --site`
    """
    from lakehouse import plots
    from lakehouse.commands.figures import data_docs, show_figures, unusual
    from lakehouse.run import House

    house = House()
    name = house.registry.table(table).name if table else None
    if site:
        data_docs(house)
        return
    if figure or (name and name.startswith("bronze.")):
        show_figures(house, name, figure, plot, out, as_json)
        return
    if plot:
        kept, runs = house.ops.check_history(name), house.ops.runs(name, MOST_RUNS)
        write_plot(plots.quality(kept, runs, name), f"check-{name or 'all'}", out)
        return
    results = [*house.ops.checks(name), *([] if name else unusual(house))]
    if not results:
        raise InputMissing("Nothing has been checked yet: `bangfu run all` first.")
    failed = [row for row in results if not row["success"]]
    if as_json:
        print_json(results)
    else:
        shown = results if table else failed
        print_table(
            f"{len(results)} checks, {len(failed)} failed", shown,
            {"table_name": "table", "expectation": "check", "success": "holds",
             "observed": "observed"},
        )  # fmt: skip
    if failed:
        raise ChecksFailed(f"{len(failed)} of {len(results)} checks do not hold.")


def history(
    table: AnyTable = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_RUNS, help="Runs to tell of.")] = 30,
    plot: Plot = False,
    out: PlotOut = None,
    as_json: AsJson = False,
) -> None:
    """Show past runs (运行记录), newest first: when, how many rows, how long, which versions.

    Examples: `bangfu history`, `bangfu history gold.poverty_by_area --json`,
    `bangfu history silver.person --plot`
    """
    from lakehouse import plots
    from lakehouse.run import House

    house = House()
    name = house.registry.table(table).name if table else None
    runs = house.ops.runs(name, limit)
    if plot:
        feed = name.split(".")[1] if name and name.startswith("bronze.") else None
        landed = house.ops.deliveries(feed)[-limit:] if feed else []
        page = plots.history(name, runs, landed) if name else plots.timeline(runs)
        write_plot(page, f"history-{name or 'all'}", out)
        return
    if as_json:
        print_json(runs)
        return
    shown = [run | (run["counts"] or {}) | {"started": str(run["started_at"])[:19]} for run in runs]
    print_table(
        "Runs", shown,
        {"started": "started (UTC)", "table_name": "table", "as_of": "as of", "state": "state",
         "made": "made", "quarantined": "set aside", "delta_version": "version",
         "seconds": "s", "error": "error"},
    )  # fmt: skip
