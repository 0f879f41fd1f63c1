"""What each command does, and the options that several share."""

import inspect
import json
import sys
from collections.abc import Callable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.conf import home_dir, use_feeds
from lakehouse.errors import UsageError
from lakehouse.period import last_day

if TYPE_CHECKING:
    from lakehouse.ops import Ops


def parse_date(text: str) -> date:
    """Read a date as 2015-12-31. Raises UsageError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date: write it as 2015-12-31.") from None


def as_of_option(told: str) -> Any:
    """Return the option --as-of with a command's own words of help."""
    return typer.Option(
        "--as-of", parser=parse_date, metavar="DATE", help=told, envvar="BANGFU_AS_OF"
    )


AsOf = Annotated[
    date | None,
    as_of_option("The valid date that answers are for; by default the last day delivered."),
]
AnyTable = Annotated[str | None, typer.Argument(help="One table; all where left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]
Plot = Annotated[bool, typer.Option("--plot", help="A page with pictures, instead of a table.")]
PlotOut = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Where --plot writes; by default under the home."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")]


def _use_feeds(folder: Path | None) -> Path | None:
    if folder is not None:
        use_feeds(folder)
    return folder


Feeds = Annotated[
    Path | None,
    typer.Option(
        "--feeds",
        metavar="DIR",
        callback=_use_feeds,
        is_eager=True,
        help="Folder of your own mappings (BANGFU_FEEDS), beside conf/feeds.",
    ),
]


def with_feeds(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that also takes --feeds: it is the same for all of them."""

    @wraps(command)
    def taking(*args: Any, feeds: Feeds = None, **options: Any) -> None:
        command(*args, **options)

    signature = inspect.signature(command, eval_str=True)
    own = inspect.Parameter("feeds", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Feeds)
    taking.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), own]
    )
    taking.__annotations__ = command.__annotations__ | {"feeds": Feeds}
    return taking


def resolve_as_of(given: date | None, ops: "Ops") -> date:
    """Return the date given, else the last day that landed deliveries are about."""
    if given:
        return given
    periods = [row["period"] for row in ops.deliveries() if row["state"] == "landed"]
    if not periods:
        raise UsageError("Nothing has landed yet, so say for which day: --as-of 2015-12-31.")
    return max(last_day(period) for period in periods)


def print_json(value: Any) -> None:
    """Print one JSON value, dates as ISO text."""
    print(json.dumps(value, ensure_ascii=False, default=str, indent=2))


def say(text: str) -> None:
    """Tell of progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def write_plot(html: str, name: str, out: Path | None) -> None:
    """Write a page of pictures and say where it is: its path is the answer."""
    path = out or home_dir() / "plots" / f"{name}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html, encoding="utf-8")
    say("Open in a browser:")
    print(path)


def print_table(title: str, rows: list[dict[str, Any]], columns: dict[str, str]) -> None:
    """Print rows as a table: `columns` names the keys to show and their heads."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for key, head in columns.items():
        is_number = any(isinstance(row.get(key), int | float) for row in rows)
        table.add_column(head, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*[_shown(row.get(key)) for key in columns])
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(table)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 100 else f"{value:,.0f}"
    return str(value)
