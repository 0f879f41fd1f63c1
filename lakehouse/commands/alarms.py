"""`bangfu alarms`: what needs a person now."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer

from lakehouse.commands import AsJson, as_of_option, print_json, print_table, say
from lakehouse.errors import ChecksFailed

Today = Annotated[date | None, as_of_option("The day that ages count to; by default today.")]


def alarms(
    as_of: Today = None,
    fail: Annotated[bool, typer.Option("--fail", help="Exit 12 where any is open.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what needs a person now (告警): what, since when, why, what to type.

    Deliveries held or refused, figures that warn, rows set aside for too long, tables made too
    long ago. An alarm closes when what it asks for is done.

    Examples: `bangfu alarms`, `bangfu alarms --json`, `bangfu alarms --fail --as-of 2015-12-31`
    """
    from lakehouse.alarms import alarms as open_now
    from lakehouse.run import House

    house = House()
    told = [asdict(one) for one in open_now(house, as_of or date.today())]
    if as_json:
        print_json(told)
    elif told:
        print_table("What needs a person now", told, {name: name for name in told[0]})
    else:
        say("Nothing needs a person.")
    if fail and told:
        raise ChecksFailed(f"{len(told)} alarms are open: `bangfu alarms` says what to do.")
