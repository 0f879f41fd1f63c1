"""Commands of the analyst: sql asks, tables tells what may be asked. They write no table."""

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.commands import AsJson, as_of_option, print_json, print_table, say
from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from lakehouse.query import Query

AsOf = Annotated[
    date | None,
    as_of_option("Rows of this valid date; all dates where left out."),
]
KnownAt = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Tables as they stood: 2016-01-15 or '2016-01-15 08:00'."),
]
Area = Annotated[
    str | None, typer.Option(metavar="CODE", help="Only rows of this area: 211223, or a town's.")
]
Shown = Annotated[int, typer.Option(min=1, max=10_000, help="Rows that the terminal shows.")]
Out = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a .csv, .parquet, .json, or .html with a chart."),
]
AsCsv = Annotated[bool, typer.Option("--csv", help="CSV on standard output.")]
Chart = Annotated[bool, typer.Option("--chart", help="Bars in the terminal.")]
Seconds = Annotated[float | None, typer.Option(help="Time one question may take.")]
Memory = Annotated[str | None, typer.Option(metavar="SIZE", help="Memory, such as 500MB or 4GB.")]
MaxRows = Annotated[int | None, typer.Option(help="Rows that an answer may have.")]
Threads = Annotated[int | None, typer.Option(help="Threads that work on it.")]


def sql(
    text: Annotated[str | None, typer.Argument(help="A question; a prompt where left out.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    area: Area = None,
    rows: Shown = 20,
    out: Out = None,
    chart: Chart = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    seconds: Seconds = None,
    memory: Memory = None,
    max_rows: MaxRows = None,
    threads: Threads = None,
) -> None:
    """Ask in SQL (查询) over gold and silver; it only reads, and personal columns are not there.

    `bangfu tables` lists what can be asked. Without a text: a prompt, or SQL from a pipe.

    Examples: `bangfu sql "SELECT * FROM gold.poverty_by_area" --as-of 2015-12-31`,
    `bangfu sql "SELECT level, count(*) n FROM silver.area GROUP BY 1" --chart`
    """
    from lakehouse.conf import settings
    from lakehouse.query import Limits, Query
    from lakehouse.query.out import check_out

    if sum((as_json, as_csv, chart, out is not None)) > 1:
        raise UsageError("One of --json, --csv, --chart and --out at a time.")
    conf = settings()
    if out:
        check_out(out, conf)
    limits = Limits.of(conf, seconds=seconds, memory=memory, rows=max_rows, threads=threads)
    query = Query(conf, as_of=as_of, known_at=known_at, area=area, limits=limits, tell=say)
    how: dict[str, Any] = {
        "rows": rows, "out": out, "chart": chart, "as_csv": as_csv, "as_json": as_json,
    }  # fmt: skip
    if text is None and sys.stdin.isatty():
        from lakehouse.query.prompt import Prompt

        prompt = Prompt(lambda asked: answer(query, asked, **how), tables)
        prompt.run(conf.home / "sql_history")
    else:
        answer(query, sys.stdin.read() if text is None else text, **how)


def answer(
    query: "Query", text: str, rows: int, out: Path | None, chart: bool, as_csv: bool, as_json: bool
) -> None:
    """Ask one question, and print or write its answer."""
    from lakehouse.query import out as answers
    from lakehouse.query.chart import print_bars

    with query.answer(text) as found:
        if out:
            say(f"{answers.save(found, out, text):,} rows in {out}")
        elif as_csv:
            answers.write_csv(found, sys.stdout.buffer)
        elif as_json:
            answers.write_json(found, sys.stdout.buffer)
        else:
            first = answers.first_rows(found, rows)
            print_bars(first) if chart else answers.print_rows(first)


def tables(
    pattern: Annotated[
        str | None, typer.Argument(help="A table, or a part of names and meanings.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also tables that cannot be asked, without their rows.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the tables that can be asked (数据表), or the columns of one.

    Examples: `bangfu tables`, `bangfu tables poverty`, `bangfu tables gold.poverty_by_area --json`
    """
    from lakehouse.query.catalogue import about, listed, named

    table = named(pattern) if pattern else None
    if table:
        told = about(table)
        if as_json:
            print_json(told)
        else:
            _print_columns(told)
        return
    found = listed(pattern, every)
    if as_json:
        print_json(found)
        return
    print_table(
        f"{len(found)} tables", [one | {"hidden": one["hidden"] or None} for one in found],
        {"table": "table", "chinese": "中文", "meaning": "one row is", "rows": "rows",
         "newest": "newest", "area": "area column", "hidden": "personal, hidden"},
    )  # fmt: skip


def _print_columns(told: dict[str, Any]) -> None:
    print(f"{told['table']}  {told['chinese']}  {told['meaning']}")
    print(f"  {told['rows'] if told['rows'] is not None else 'no'} rows, newest "
          f"{told['newest'] or 'unknown'}; key {', '.join(told['key'])}; "
          f"area column {told['area'] or 'none'}")  # fmt: skip
    shown = [
        one | {"shown": "personal: hidden" if one["personal"] else "",
               "codes": " ".join(f"{code} {label}" if label != code else code
                                 for code, label in one["codes"].items())}
        for one in told["columns"]
    ]  # fmt: skip
    print_table("", shown, {"column": "column", "type": "type", "unit": "unit", "shown": "",
                            "meaning": "meaning", "codes": "codes"})  # fmt: skip
