"""`bangfu deliveries`: the ledger, and a person's word on what is held."""

import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

from lakehouse.commands import AsJson, print_json, print_table, say, with_feeds
from lakehouse.errors import UsageError, nearest

STATES = ("landed", "duplicate", "refused", "held", "rejected", "superseded")
SHOWN = {
    "delivery_id": "delivery", "state": "state", "reason": "reason", "n_read": "rows",
    "n_quarantined": "set aside", "arrived": "arrived (UTC)", "detail": "detail",
}  # fmt: skip

app = typer.Typer(
    name="deliveries",
    help="Deliveries (投递台账): what became of each; approve or reject what is held.",
    invoke_without_command=True,
)
Named = Annotated[str, typer.Argument(help="A held delivery: feed/period/name.")]
Why = Annotated[str, typer.Option(help="Why; kept in the ledger beside your name.")]
By = Annotated[str | None, typer.Option(help="Whose word it is; by default who is logged in.")]


@app.callback()
def deliveries(
    context: typer.Context,
    feed: Annotated[str | None, typer.Option(help="Only deliveries of this feed.")] = None,
    state: Annotated[str | None, typer.Option(help=f"One of {', '.join(STATES)}.")] = None,
    as_json: AsJson = False,
) -> None:
    """List deliveries (投递台账) and what became of each; a person's word on what was held.

    Examples: `bangfu deliveries`, `bangfu deliveries --state held`,
    `bangfu deliveries approve person_register/2015-12/d1 --why "two towns went to another county"`
    """
    if context.invoked_subcommand:
        return
    from lakehouse.ops import Ops

    if state not in (None, *STATES):
        raise UsageError(
            f"--state {state!r}: one of {', '.join(STATES)}.{nearest(state, [*STATES])}"
        )
    ops = Ops()
    words = ops.words()
    told: list[dict[str, Any]] = [
        row | {"arrived": str(row["arrived_at"])[:19], "word": words.get(row["delivery_id"])}
        for row in ops.deliveries(feed)
        if state in (None, row["state"])
    ]
    if as_json:
        print_json(told)
    elif told:
        print_table("Deliveries", told, SHOWN)
    else:
        near = nearest(feed, sorted({row["feed"] for row in ops.deliveries()})) if feed else ""
        say(f"No such delivery is in the ledger.{near}")


@app.command()
def approve(delivery: Named, why: Why, by: By = None) -> None:
    """Let a held delivery land (核准) with the next `bangfu land`, or sweep of the DAG."""
    _decide(delivery, "approved", by, why)
    say(f"{delivery} is approved: `bangfu land` lands it.")


@app.command()
def reject(delivery: Named, why: Why, by: By = None) -> None:
    """Say that a held delivery is wrong (驳回): it never lands, and stays where it is."""
    _decide(delivery, "rejected", by, why)
    say(f"{delivery} is rejected. Ask its source for another that supersedes it.")


@app.command()
@with_feeds
def suggest(
    file: Annotated[Path, typer.Argument(help="A file as its source writes it.")],
    name: Annotated[str, typer.Option(help="What the feed is to be called.")] = "my_feed",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write DIR/NAME.toml instead of printing.")
    ] = None,
) -> None:
    """Propose a mapping for a file never seen (映射建议): onto a known feed, or of its own.

    Types are told from the first 5,000 rows; no value of the file is shown.

    Example: `bangfu deliveries suggest villages.csv --name village_list --out my_feeds`
    """
    from lakehouse.feed import feeds
    from lakehouse.suggest import suggest as proposed

    text = proposed(file, name, feeds())
    if out is None:
        print(text, end="")
        return
    path = out / f"{name}.toml"
    if path.exists():
        raise UsageError(f"{path} is there already: choose another --name.")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    say(f"Written: {path}. Read it, mend it, then `bangfu feeds {name} --feeds {out}`.")


def _decide(delivery: str, word: str, by: str | None, why: str) -> None:
    from lakehouse.hold import decide
    from lakehouse.ops import Ops

    decide(Ops(), delivery, word, by or getpass.getuser(), why)
