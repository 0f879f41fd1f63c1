"""`bangfu fetch`: ask a source that does not deliver by itself."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.commands import AsJson, print_json, print_table, say
from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from lakehouse.delivery import Delivery


def fetch(
    source: Annotated[
        str | None, typer.Argument(help="A source of conf/sources.toml; all are listed without.")
    ] = None,
    period: Annotated[
        str | None, typer.Option(help="Day (2015-12-31) or month (2015-12) that is asked for.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a table of a database, or an endpoint of pages (抽取), and deliver what it answers.

    The answer becomes one delivery, once: `bangfu land` lands it. A source that dies in the middle
    leaves nothing. Of a bucket, every complete delivery that is not here is copied, of all periods
    unless one is named. See docs/sources.md.

    Examples: `bangfu fetch`, `bangfu fetch job_register --period 2015-12-05`
    """
    from lakehouse.conf import settings
    from lakehouse.sources.bucket import copy_new
    from lakehouse.sources.declared import source as one_source
    from lakehouse.sources.declared import sources
    from lakehouse.sources.fetch import fetch as ask

    if source is None:
        listed: list[dict[str, Any]] = [
            {"source": one.name, "feed": one.feed, "kind": one.kind} for one in sources().values()
        ]
        if as_json:
            print_json(listed)
        elif listed:
            heads = {"source": "source", "feed": "feed", "kind": "kind"}
            print_table("Sources", listed, heads)
        else:
            say("conf/sources.toml declares no source: docs/sources.md says how.")
        return
    conf, asked = settings(), one_source(source)
    if asked.kind == "bucket":
        made = copy_new(asked, conf.landing, period)
    elif period is None:
        raise UsageError("--period is needed: the day, or the month, that is asked for.")
    else:
        made = [one for one in [ask(asked, period, conf.landing, conf.zone)] if one]
    told = [{"source": source, "delivery_id": one.delivery_id, "rows": _rows(one)} for one in made]
    if as_json:
        print_json(told)
        return
    for one in told:
        say(f"{one['delivery_id']}: {one['rows']:,} rows. `bangfu land` lands them.")
    if not told:
        say(f"{source} has nothing new" + (f" for {period}." if period else "."))


def _rows(delivery: "Delivery") -> int:
    """Return the rows that a manifest tells of, 0 where it cannot be read: landing will say so."""
    from lakehouse.delivery import Refused

    try:
        return sum(file.rows for file in delivery.files())
    except Refused:
        return 0
