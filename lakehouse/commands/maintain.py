"""`bangfu maintain`: upkeep of the lake and its stores."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer

from lakehouse.commands import AsJson, DryRun, as_of_option, print_json, print_table, say

Today = Annotated[date | None, as_of_option("The day that ages count to; by default today.")]


def maintain(
    as_of: Today = None,
    old_rows: Annotated[
        bool | None,
        typer.Option(help="Delete rows past the days that their table keeps; else as conf says."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Keep the lake small (维护): small files, old versions, old records and pages, leftovers.

    Versions that somebody may still read stay, as do the ledger of deliveries, the words on them
    and the newest record of each table and date. conf [maintain] has the numbers.

    Examples: `bangfu maintain --dry-run`, `bangfu maintain --dry-run --old-rows`
    """
    from lakehouse.maintain import Upkeep
    from lakehouse.run import House

    house = House()
    with_old = house.conf.sections["maintain"]["old_rows"] if old_rows is None else old_rows
    upkeep = Upkeep(house, as_of or date.today(), dry_run=dry_run, old_rows=is_true(with_old))
    told = []
    for done in upkeep.run():
        told.append(asdict(done))
        say(f"{done.step}: {done.what}: {done.n:,} ({done.bytes / 2**20:,.1f} MiB)")
    if as_json:
        print_json(told)
    elif told:
        title = "Would be done" if dry_run else "Done"
        print_table(
            title, told, {"step": "step", "what": "what", "n": "how many", "bytes": "bytes"}
        )
    else:
        say("Nothing to do.")


def is_true(given: object) -> bool:
    """Read a setting that is true or false, also where the environment gives it as text."""
    return str(given).lower() in ("true", "1")
