"""`bangfu demo`: a synthetic county from deliveries to answers, end to end, and how it went."""

import json
import resource
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil

from jobs.pages import accounting, report
from jobs.pages.figures import read
from lakehouse.commands import print_table
from lakehouse.docs import build
from lakehouse.errors import ChecksFailed, UsageError
from lakehouse.run import House, Outcome
from lakehouse.training import train
from synth.judge import judge
from synth.make import make
from synth.plan import Told

COUNTY = "211223"
STEP_COLUMNS = {
    "step": "step", "refused": "refused", "read": "read", "made": "made", "created": "created",
    "updated": "updated", "unchanged": "unchanged", "good": "good", "quarantined": "set aside",
    "adds_up": "adds up", "seconds": "s",
}  # fmt: skip


LOADED = ("created", "updated", "unchanged")


class Meter:
    """Wall and CPU seconds of this process and its children (the JVM), and their peak memory."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.peak = 0
        self._me = psutil.Process()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            self.peak = max(self.peak, sum(self._each(lambda one: one.memory_info().rss)))

    def _each(self, ask: Callable[[psutil.Process], float]) -> list[int]:
        told = []
        for one in [self._me, *self._me.children(recursive=True)]:
            try:
                told.append(int(ask(one)))
            except psutil.Error:
                continue  # it ended meanwhile
        return told

    def read(self) -> dict[str, float]:
        """Return what was used so far."""
        self._stop.set()
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        alive = sum(self._each(lambda one: one.cpu_times().user + one.cpu_times().system))
        return {
            "seconds": round(time.perf_counter() - self.began, 1),
            "cpu_seconds": round(alive + ended.ru_utime + ended.ru_stime, 1),
            "peak_memory_gib": round(self.peak / 2**30, 2),
        }


def run_demo(
    *,
    people: int,
    days: int,
    faults: str,
    seed: int,
    as_of: date,
    say: Callable[[str], None],
    shown: bool = True,
) -> dict[str, Any]:
    """Make the county, land it, make every table, fit the model, draw the page. Resumable.

    Each part knows what is done already, so a stopped demo goes on where it stopped.
    """
    meter = Meter()
    house = House()
    _same_county(house, people=people, days=days, faults=faults, seed=seed)
    say(f"1/6 deliveries of a synthetic county of {people:,} people")
    asked = Told(area=COUNTY, people=people, first=as_of.replace(day=1), seed=seed, faults=faults,
                 days=days)  # fmt: skip
    make(house.conf.landing.parent, asked, only=house.registry.feeds_read(), own_folder=False,
         progress=lambda text: say(f"    {text}"))  # fmt: skip
    say("2/6 landing")
    house.landing.land_all(
        tell=lambda one: say(f"    {one.delivery_id}: {one.reason or one.state}")
    )
    say("3/6 tables")
    since = as_of - timedelta(days=days - 1)
    house.run("all", as_of, since=since, tell=lambda *told: _tell(say, *told))
    say("4/6 model")
    trained = train(house, "poverty", as_of)
    say("5/6 what rests on the model")
    house.run("all", as_of, since=since, tell=lambda *told: _tell(say, *told, brief=True))
    say("6/6 pages")
    truth = judge(house, house.conf.landing.parent / "truth", as_of)
    steps = accounting.steps(house.ops, as_of)
    pages = Path(house.conf.get("docs", "root"))
    build(pages / "tables")
    house.gate.build_docs()
    figures = read(house.conf.lake, COUNTY, as_of)
    page = report.write(
        house.conf, house.ops, figures, report.path_of(house.conf, figures),
        steps=steps, truth=truth,
    )  # fmt: skip
    told = {"steps": steps, "truth": truth, "model": asdict(trained), "used": meter.read(),
            "page": str(page)}  # fmt: skip
    if shown:
        _print(told, house, as_of)
    if bad := [step["step"] for step in steps if not step["adds_up"]]:
        raise ChecksFailed(f"Rows do not add up in {', '.join(bad)}.")
    return told


def _same_county(house: House, **wanted: Any) -> None:
    """Refuse to mix two counties in one lake."""
    note = house.conf.home / report.DEMO_NOTE
    if note.exists() and (there := json.loads(note.read_text())) != wanted:
        raise UsageError(
            f"{house.conf.home} holds a demo of {there}. Remove that folder (`make clean` does), "
            "or set BANGFU_HOME to another."
        )
    note.write_text(json.dumps(wanted))


def _tell(
    say: Callable[[str], None], name: str, outcome: Outcome | None, brief: bool = False
) -> None:
    if outcome is None or outcome.state == "waiting" or (brief and outcome.state == "fresh"):
        return
    what = f"{outcome.made:,} rows" if outcome.state == "done" else outcome.why or "nothing changed"
    say(f"    {name}: {what} {outcome.seconds:.1f} s")


def _shown(step: dict[str, Any]) -> dict[str, Any]:
    """Return a step with the figures of its own identity only."""
    others = ("made", "good") if step["kind"] == "loaded" else ("read", *LOADED)
    return step | dict.fromkeys(others) | {"quarantined": step["quarantined"]}


def _print(told: dict[str, Any], house: House, as_of: date) -> None:
    print_table(
        "Every row accounted for: loaded read = created + updated + unchanged + set aside; "
        "derived made = good + set aside",
        [_shown(step) for step in told["steps"]], STEP_COLUMNS,
    )  # fmt: skip
    print_table(
        "The answer against the truth that the generator knows",
        [{"what": key.replace("_", " "), "value": value} for key, value in told["truth"].items()],
        {"what": "", "value": "value"},
    )
    used = told["used"]
    command = "bangfu"
    print(
        f"{used['seconds']:.0f} s, {used['cpu_seconds']:.0f} CPU s, "
        f"{used['peak_memory_gib']:.1f} GiB at most.\n\n"
        f"Look at   {told['page']}\n"
        f"          {house.gate.root}/index.html (checks)\n"
        f"          {house.conf.get('docs', 'root')}/tables/index.html (a page per table)\n"
        f"The lake  {house.conf.lake}\n\n"
        "Try next (with .venv/bin on PATH, or `uv run` before each)\n"
        f"  {command} tables\n"
        f"  {command} sql \"SELECT * FROM gold.poverty_by_area WHERE level = 'town'\"\n"
        f"  {command} report --area {COUNTY}101\n"
        f"  {command} plan --plot\n"
        f"  {command} quarantine\n"
        f"  {command} history --plot\n"
        f"  {command} run +gold.need_capacity_coupling --as-of {as_of} --force"
    )
