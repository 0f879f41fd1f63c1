"""Commands that set up and make things outside the lake: demo, synth, docs, doctor."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.commands import AsJson, DryRun, print_json, print_table, say
from lakehouse.conf import home_dir
from lakehouse.errors import InputMissing, UsageError

People = Annotated[int, typer.Option(min=200, help="People in the synthetic county.")]
Faults = Annotated[str, typer.Option(help="none, usual or harsh: what is wrong in deliveries.")]
Days = Annotated[int, typer.Option(min=1, max=31, help="Days of telephone records.")]
DEMO_DAY = date(2015, 12, 31)


def demo(
    people: People = 40_000,
    days: Days = 5,
    faults: Faults = "usual",
    seed: Annotated[int, typer.Option(help="Another seed, another county.")] = 1,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Run everything on a synthetic county (演示): deliveries to answers, a map, a model.

    Stopped half-way, the same command finishes the work without redoing what is done.

    Examples: `bangfu demo`, `bangfu demo --people 5000 --faults harsh`
    """
    from synth.plan import Told

    Told(people=people, days=days, seed=seed, faults=faults)  # Says at once what cannot be made.
    if dry_run:
        say(f"Would make a county of {people:,} people, land it, make all tables as of {DEMO_DAY}, "
            f"fit the model and write pages, all under {home_dir()}.")  # fmt: skip
        return
    from synth.demo import run_demo

    told = run_demo(
        people=people,
        days=days,
        faults=faults,
        seed=seed,
        as_of=DEMO_DAY,
        say=say,
        shown=not as_json,
    )
    if as_json:
        print_json(told)


def synth(
    out: Annotated[
        Path | None, typer.Option(help="New folder: landing/, truth/ and faults/ appear in it.")
    ] = None,
    area: Annotated[
        str, typer.Option(help="Code of a province (2 digits), a city (4) or a county (6).")
    ] = "211223",
    people: Annotated[int, typer.Option(help="People on the first day.")] = 40_000,
    since: Annotated[str, typer.Option("--from", help="First month, as 2015-12.")] = "2015-12",
    months: Annotated[int, typer.Option(help="Months delivered.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed, another province.")] = 1,
    faults: Faults = "usual",
    events: Annotated[
        int, typer.Option(help="Calls and messages that a subscriber has in a month.")
    ] = 120,
    days: Annotated[
        int | None, typer.Option(help="Days of telephone records up to the end; all if not given.")
    ] = None,
    census: Annotated[
        Path | None, typer.Option(help="Census table by county: people and households match it.")
    ] = None,
    divisions: Annotated[
        Path | None, typer.Option(help="Divisions of another year or province than Liaoning 2023.")
    ] = None,
    later: Annotated[
        Path | None, typer.Option(help="Divisions that replace them in the middle of the period.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; the bytes are the same for any number.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Hold what is in a folder against published figures.")
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write what a province's departments and operator would deliver (合成数据), and the truth.

    Deliveries are plain files by the contract of docs/deliveries.md; what is true about every
    household lies beside them in truth/, what is wrong in the files in faults/. docs/synth.md
    says what is modelled, and how to make another province.

    Examples: `bangfu synth --out county --people 5000 --faults none`,
    `bangfu synth --out city --area 2112 --people 100000 --from 2015-07 --months 6`,
    `bangfu synth --report county`
    """
    from synth.plan import Told, first_of

    if report:
        from synth.report.page import write

        told = write(report)
        print_json(told) if as_json else say(f"Open {told['page']}")
        return
    if out is None:
        raise UsageError("--out: name a new folder to write to (or --report one that is there).")
    asked = Told(
        area=area, people=people, first=first_of(since), months=months, seed=seed, faults=faults,
        events_a_month=events, days=days, census=census, divisions=divisions, later=later,
    )  # fmt: skip
    from synth.make import make, planned

    if dry_run:
        print_json(planned(asked)) if as_json else say(
            "Would write {people:,} people of {counties} counties and {towns} towns, {months} "
            "months, about {calls:,} calls and messages".format(**planned(asked))
            + f", under {out}."
        )
        return
    made = make(out, asked, workers=workers, progress=say)
    print_json(made.told()) if as_json else say(f"Written under {out}.")


def docs(
    out: Annotated[Path, typer.Option(help="Folder of the pages.")] = Path("site"),
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write the documentation (文档): a page per table, made from the declarations.

    Example: `bangfu docs --out site`
    """
    from lakehouse.docs import build

    if dry_run:
        say(f"Would write pages under {out}.")
        return
    pages = build(out)
    if as_json:
        print_json([str(page) for page in pages])
    else:
        say(f"{len(pages)} pages: open {out / 'index.html'}")


def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, missing or misconfigured (体检), and how to get what is missing.

    Exits with 11 where something needed is missing.
    """
    from lakehouse.doctor import examine

    found = examine()
    if as_json:
        print_json(found)
    else:
        print_table("Doctor", found, {"what": "what", "state": "state", "detail": "detail"})
    missing = [one["what"] for one in found if one["state"] == "missing"]
    if missing:
        raise InputMissing(f"Needed and not there: {', '.join(missing)}.")
