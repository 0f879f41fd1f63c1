"""Commands that do the work: land, run, plan, train."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.commands import (
    AsJson,
    AsOf,
    DryRun,
    Plot,
    PlotOut,
    parse_date,
    print_json,
    print_table,
    resolve_as_of,
    say,
    write_plot,
)
from lakehouse.errors import InputMissing, UsageError

if TYPE_CHECKING:
    from lakehouse.feed import Feed
    from lakehouse.landing import Landed

Since = Annotated[
    date | None,
    typer.Option(
        "--since",
        parser=parse_date,
        metavar="DATE",
        help="Backfill: make daily tables from this day on, not only the days a run redoes.",
    ),
]
Tables = Annotated[
    list[str],
    typer.Argument(help="Tables, a layer (silver, gold), `all`, or `+table` for all it needs."),
]
STEP = {
    "table": "table", "state": "state", "read": "read", "made": "made", "created": "created",
    "updated": "updated", "unchanged": "unchanged", "quarantined": "set aside",
    "closed": "closed", "seconds": "s",
}  # fmt: skip
DELIVERY = {
    "delivery_id": "delivery", "state": "state", "reason": "reason", "read": "read",
    "created": "created", "unchanged": "unchanged", "quarantined": "set aside",
}  # fmt: skip


def land(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of your own to deliver first; needs --feed and --period."),
    ] = None,
    feed: Annotated[
        list[str] | None, typer.Option(help="Only deliveries of this feed; several times for more.")
    ] = None,
    period: Annotated[
        str | None, typer.Option(help="Month (2015-12) or day that the files are about.")
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Land every complete delivery that has not landed yet (入库), once, whatever is retried.

    A delivery that is not as agreed is refused with a named reason and stays where it is; the
    others land. See docs/deliveries.md. Files of your own land by a mapping: docs/feeds.md.

    Examples: `bangfu land`, `bangfu land --dry-run`, `bangfu land --feed cdr --json`,
    `bangfu land villages.csv --feed village_list --period 2023-06 --feeds my_feeds`
    """
    from dataclasses import asdict

    from lakehouse.feed import feed as known_feed
    from lakehouse.landing import used_again
    from lakehouse.run import House

    of_feeds = [known_feed(name) for name in feed or ()]
    house = House()
    packed = _packed(files or [], of_feeds, period, house.conf.landing, dry_run)
    waiting = {name: house.pending(name) for name in feed or (None,)}
    if dry_run:
        told: list[dict[str, Any]] = [
            {"delivery_id": one.delivery_id, "state": "pending"}
            for found in waiting.values()
            for one in found
        ]
        told += [{"delivery_id": str(file), "state": "would be delivered"} for file in files or []]
    else:
        told = [
            asdict(one)
            for name, found in waiting.items()
            # Where nothing waits, no Spark starts.
            if found or used_again(house.conf, house.ops, name)
            for one in house.landing.land_all(name, tell=_tell_landed)
        ]
    if as_json:
        print_json(told)
    elif told:
        print_table("Deliveries", told, DELIVERY)
    else:
        say(f"Nothing to land under {house.conf.landing}.")
    mine = next((one for one in told if one["delivery_id"] == packed), None)
    if mine and mine["state"] == "refused":
        raise InputMissing(f"{packed} was refused: {mine['reason']}: {mine['detail']}.")


def _packed(
    files: list[Path], of_feeds: list["Feed"], period: str | None, landing: Path, dry_run: bool
) -> str | None:
    """Make a delivery of files of one's own, and return its id; None where there are none."""
    if not files:
        if period:
            raise UsageError("--period goes with files of your own: bangfu land FILE --feed … .")
        return None
    if len(of_feeds) != 1 or period is None:
        raise UsageError("Files of your own need --feed NAME and --period 2015-12.")
    if dry_run:
        return None
    from lakehouse.pack import pack

    return pack(files, of_feeds[0], period, landing).delivery_id


def _tell_landed(landed: "Landed") -> None:
    say(": ".join(filter(None, (landed.delivery_id, landed.state, landed.detail))))


def run(
    tables: Tables,
    as_of: AsOf = None,
    since: Since = None,
    force: Annotated[
        bool, typer.Option("--force", help="Make them again even where nothing changed.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make tables for a date: those that are stale, inputs before outputs.

    What nothing has changed for is skipped, so a stopped run goes on where it stopped. A table
    whose feed has never delivered is left out; where all are, or an input is late: exit code 11.

    Examples: `bangfu run all`, `bangfu run +gold.poverty_by_area --as-of 2015-12-31`
    """
    from dataclasses import asdict

    from lakehouse.run import House

    house = House()
    as_of = resolve_as_of(as_of, house.ops)
    if dry_run:
        _tell_plan(house, tables, as_of, since, as_json)
        return
    outcomes = [
        outcome
        for what in tables
        for outcome in house.run(what, as_of, since=since, force=force, tell=_tell_step)
    ]
    idle = house.not_in_use(outcomes)
    told = [asdict(one) for one in outcomes]
    if as_json:
        print_json(told)
    else:
        print_table(
            f"Tables as of {as_of}", [one for one in told if one["table"] not in idle], STEP
        )
        if idle:
            say(f"Left out, since their feeds have never delivered: {', '.join(idle)}.")
    late = [one for one in outcomes if one.state == "waiting" and one.table not in idle]
    if late or len(idle) == len(outcomes):
        waiting = [f"{one.table} {one.why}" for one in outcomes if one.state == "waiting"]
        raise InputMissing(f"Not made: {'; '.join(waiting)}.")


def _tell_step(name: str, outcome: Any) -> None:
    if outcome is None:
        say(f"{name} …")
    elif outcome.state == "fresh":
        say(f"{name}: nothing changed")
    elif outcome.state == "done":
        say(f"{name}: {outcome.made} rows in {outcome.seconds:.1f} s ({outcome.why})")


def plan(
    table: Annotated[str, typer.Argument(help="A table, a layer, `all`, or `+table`.")] = "all",
    as_of: AsOf = None,
    since: Since = None,
    plot: Plot = False,
    out: PlotOut = None,
    as_json: AsJson = False,
) -> None:
    """Show what `run` would do (计划): the graph of tables, which are stale, and why.

    Examples: `bangfu plan`, `bangfu plan +gold.need_capacity_coupling --json`,
    `bangfu plan --plot`
    """
    from lakehouse.run import House

    house = House()
    day = resolve_as_of(as_of, house.ops)
    if not plot:
        _tell_plan(house, [table], day, since, as_json)
        return
    from lakehouse import plots

    known = house.registry
    graph = {name: known.inputs(name) for name in known.listed}
    page = plots.plan(house.plan([table], day, since), graph, str(day))
    write_plot(page, f"plan-{day}", out)


def _tell_plan(house: Any, tables: list[str], as_of: Any, since: Any, as_json: bool) -> None:
    steps = house.plan(tables, as_of, since)
    if as_json:
        print_json({"as_of": as_of, "pending_deliveries": len(house.pending()), "tables": steps})
        return
    if n_pending := len(house.pending()):
        say(f"{n_pending} deliveries have not landed: `bangfu land`.")
    shown = [step | {"reads": ", ".join(step["reads"])} for step in steps]
    print_table(
        f"Plan for {as_of}", shown,
        {"table": "table", "state": "state", "why": "why", "reads": "made from"},
    )  # fmt: skip


def train(
    model: Annotated[str, typer.Argument(help="A model in models/, such as poverty.")],
    as_of: AsOf = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Fit a model, judge it on held-out households, register it; `champion` if its gate holds.

    Example: `bangfu train poverty --as-of 2015-12-31`
    """
    from dataclasses import asdict

    from lakehouse.model import model_spec
    from lakehouse.run import House
    from lakehouse.training import train as train_model

    house = House()
    as_of = resolve_as_of(as_of, house.ops)
    if dry_run:
        spec = model_spec(model)
        say(f"Would fit {spec.name} as of {as_of} from {', '.join(spec.tables())}.")
        return
    trained = asdict(train_model(house, model, as_of))
    if as_json:
        print_json(trained)
        return
    figures = trained.pop("figures")
    told = {key: value for key, value in trained.items() if isinstance(value, str | int | float)}
    told["why"] = "; ".join(trained["why"])
    print_table(
        f"Model {model}",
        [{"what": key, "value": value} for key, value in (told | figures).items()],
        {"what": "what", "value": "value"},
    )
