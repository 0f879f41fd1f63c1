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
    _known_faults(faults)
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
    out: Annotated[Path, typer.Option(help="Landing root to write to.")],
    area: Annotated[str, typer.Option(help="Six-digit code of a county.")] = "211223",
    people: People = 40_000,
    days: Days = 5,
    faults: Faults = "usual",
    seed: Annotated[int, typer.Option(help="Another seed, another county.")] = 1,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write what a county's departments and operator would deliver (合成数据), and the truth.

    Example: `bangfu synth --area 211223 --people 5000 --faults none --out .bangfu/other/landing`
    """
    _known_faults(faults)
    if dry_run:
        say(f"Would write deliveries of {people:,} people of {area} under {out}.")
        return
    from dataclasses import asdict

    from synth.county import make

    made = asdict(
        make(out, area=area, people=people, as_of=DEMO_DAY, days=days, seed=seed, faults=faults,
             progress=say)
    )  # fmt: skip
    print_json(made) if as_json else say(f"Written under {out}.")


def _known_faults(faults: str) -> None:
    if faults not in ("none", "usual", "harsh"):
        raise UsageError(f"--faults {faults!r}: it is none, usual or harsh.")


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
