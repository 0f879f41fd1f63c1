"""`bangfu fetch`: ask a source that does not deliver by itself."""

from typing import Annotated, Any

import typer

from lakehouse.commands import AsJson, print_json, print_table, say
from lakehouse.errors import UsageError


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
    leaves nothing. See docs/sources.md.

    Examples: `bangfu fetch`, `bangfu fetch job_register --period 2015-12-05`
    """
    from lakehouse.conf import settings
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
    if period is None:
        raise UsageError("--period is needed: the day, or the month, that is asked for.")
    conf = settings()
    made = ask(one_source(source), period, conf.landing, conf.zone)
    told = {"source": source, "delivery_id": made.delivery_id if made else None,
            "rows": sum(file.rows for file in made.files()) if made else 0}  # fmt: skip
    if as_json:
        print_json(told)
    elif made:
        say(f"{made.delivery_id}: {told['rows']:,} rows. `bangfu land` lands them.")
    else:
        say(f"{source} has nothing new for {period}.")
