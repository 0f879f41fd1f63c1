"""Which DAGs, tasks and edges follow from declarations and conf/schedules.toml. No Airflow here.

A section of the file is a DAG that runs by the clock, and when a delivery of its feeds is complete.
Two DAGs of each model run when a table or version was made: one fits it when its target has come
anew (not whenever its features have), one scores when there is a new version or any other input.
Which dates a run makes, lakehouse/due.py says.

No DAG waits for another one: it reads what others made as it stands, and names it in `reads`. By
construction none of those is made by a slower clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from lakehouse.conf import conf_dir, read_toml
from lakehouse.errors import DeclarationError, nearest
from lakehouse.model import ModelSpec
from lakehouse.registry import Registry
from lakehouse.sources.declared import sources

LAND = "land"
_KEYS = ("title", "cron", "days_back", "every", "feeds", "runs")


@dataclass(frozen=True)
class Step:
    """One task: a `bangfu` command, what it makes, the steps it follows.

    `makes` names tables, or a model as `model.<name>`. `reads` names what it reads and other DAGs
    make. One that `may_wait` is not due yet where an input was never made.
    """

    name: str
    command: tuple[str, ...]
    makes: tuple[str, ...]
    after: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    may_wait: bool = False

    @property
    def is_dated(self) -> bool:
        """Tell whether the command takes `--as-of`: landing takes what has come."""
        return self.command[0] in ("run", "train")


@dataclass(frozen=True)
class Schedule:
    """One DAG. It runs by the clock (`cron`), and `after` any of some things came or was made.

    A run makes the dates that `dated_by` tells of (see lakehouse/due.py), and where it
    `makes_its_day` that of its clock whatever has come. `sources` are asked before landing.
    """

    name: str
    title: str
    steps: tuple[Step, ...]
    cron: str | None = None
    back: timedelta = timedelta()
    after: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()  # name, how often: day or month
    dated_by: tuple[tuple[str, str], ...] = ()
    makes_its_day: bool = True


def schedules(known: Registry, specs: Sequence[type[ModelSpec]]) -> list[Schedule]:
    """Return every DAG. Raises DeclarationError naming the section and the key of a mistake."""
    told = read_toml(conf_dir() / "schedules.toml")
    gather = told.pop("gather", True)
    for name, section in told.items():
        _check(name, section, known)
    feeds = _feeds(told, known)
    homes = _homes([name for name in told if name in feeds.values()], feeds, known)
    found, asked = [], sources().values()
    for name, section in told.items():
        made = [one for one in known.order() if homes.get(one) == name]
        landed = tuple(sorted(feed for feed, home in feeds.items() if home == name))
        steps = [*_commands(section.get("runs", ())), *_steps(made, gather, known)]
        if landed:
            words = [word for feed in landed for word in ("--feed", feed)]
            steps.insert(0, Step(LAND, (LAND, *words), tuple(f"bronze.{one}" for one in landed)))
        found.append(
            Schedule(
                name,
                section["title"],
                tuple(_linked(steps, known)),
                section["cron"],
                timedelta(days=section.get("days_back", 0)),
                after=(f"deliveries.{name}",) if landed else (),
                feeds=landed,
                sources=tuple(
                    (one.name, known.feeds[one.feed].every) for one in asked if one.feed in landed
                ),
                dated_by=tuple(_dated_by(landed, made, known)),
            )
        )
    clocks = {table: one for one in found for step in one.steps for table in step.makes}
    return found + [one for spec in specs for one in _of_model(spec, known, clocks)]


def _commands(runs: Sequence[str]) -> Iterator[Step]:
    """Yield the steps of a section's `runs`, one after the other."""
    before: tuple[str, ...] = ()
    for words in runs:
        name = words.split()[0]
        yield Step(name, tuple(words.split()), (), after=before)
        before = (name,)


def _dated_by(
    landed: Sequence[str], made: Sequence[str], known: Registry
) -> Iterator[tuple[str, str]]:
    """Yield each feed with a table of the same DAG that is made of it."""
    for name in landed:
        read = f"bronze.{known.feeds[name].onto or name}"
        yield from ((f"bronze.{name}", one) for one in made if read in known.inputs(one))


class Notes:
    """What Airflow shows beside DAGs and tasks, from the declarations' docstrings."""

    def __init__(self, known: Registry, specs: Sequence[type[ModelSpec]]) -> None:
        self._made: dict[str, Any] = dict(known.tables)
        self._made |= {f"model.{spec.name}": spec for spec in specs}

    def owners(self, *steps: Step) -> list[str]:
        """Return who answers for what the steps make."""
        return sorted({self._made[name].owner for step in steps for name in step.makes})

    def step(self, step: Step) -> str:
        """Return a task's note in Markdown: the first paragraph on each thing that it makes."""
        firsts = [(name, self._made[name].doc().split("\n\n")[0]) for name in step.makes]
        return "".join(f"- `{name}`: {' '.join(text.split())}\n" for name, text in firsts)

    def schedule(self, schedule: Schedule) -> str:
        """Return a DAG's page in Markdown: when it runs, its tasks and their notes."""
        clock = f" Runs {schedule.cron}." if schedule.cron else ""
        lines = [f"{schedule.title}.{clock}"]
        if schedule.after:
            lines += ["", "Runs when any of these was made:", ""]
            lines += [f"- {_told_of(name)}" for name in schedule.after]
        for step in schedule.steps:
            lines += [
                "",
                f"**{step.name}**: `bangfu {' '.join(step.command)}`",
                "",
                self.step(step),
            ]
        return "\n".join(lines)


def _told_of(name: str) -> str:
    layer, _, bare = name.partition(".")
    return f"a complete delivery of the feeds of {bare}" if layer == "deliveries" else f"`{name}`"


# -- clocks ----------------------------------------------------------------------------------


def _check(name: str, section: Any, known: Registry) -> None:
    where = f"conf/schedules.toml: [{name}]"
    if not isinstance(section, dict):
        raise DeclarationError(f"conf/schedules.toml: {name!r} is no section, and not gather.")
    for word in section:
        if word not in _KEYS:
            raise DeclarationError(f"{where} has an unknown key {word!r}.{nearest(word, [*_KEYS])}")
    for word in ("title", "cron"):
        if word not in section:
            raise DeclarationError(f"{where} has no {word}.")
    for feed in section.get("feeds", ()):
        if feed not in known.feeds:
            raise DeclarationError(
                f"{where} names the feed {feed!r}, which is not there."
                f"{nearest(feed, [*known.feeds])}"
            )


def _feeds(told: dict[str, Any], known: Registry) -> dict[str, str]:
    """Return feed -> section: the one that names it, else the one for how often it comes."""
    often = {section["every"]: name for name, section in told.items() if "every" in section}
    named = {feed: name for name, section in told.items() for feed in section.get("feeds", ())}
    placed = {}
    for feed in known.feeds.values():
        home = named.get(feed.name) or often.get(feed.every)
        if home is None:
            raise DeclarationError(
                f"conf/schedules.toml has no section with feeds = [{feed.name!r}] or "
                f"every = {feed.every!r}: nobody would land {feed.name}."
            )
        placed[feed.name] = home
    return placed


def _homes(clocks: list[str], feeds: dict[str, str], known: Registry) -> dict[str, str]:
    """Return table -> section, for all that is landed, or made by a job without a model.

    The slowest of its inputs' sections, which is the last in the file; a table made from conf/
    alone changes seldom and goes with the slowest. Scores do not slow a table down.
    """
    homes = {f"bronze.{feed}": name for feed, name in feeds.items()}
    for name in known.order():
        if known.jobs[name].model is None:
            inputs = [homes[one] for one in known.inputs(name) if one in homes]
            homes[name] = max(inputs, key=clocks.index, default=clocks[-1])
    return homes


# -- models ----------------------------------------------------------------------------------


def _of_model(
    spec: type[ModelSpec], known: Registry, clocks: dict[str, Schedule]
) -> Iterator[Schedule]:
    """Yield the DAG that fits a model, and the one of its scores if any table holds them.

    Scores have the clock of what they are made from too: it catches up with what was made while
    their DAG was paused, and gives Airflow the dates of a backfill.
    """
    version = f"model.{spec.name}"
    title = " ".join(spec.doc().split("\n\n")[0].split()).rstrip(".")
    fit = Step("fit", ("train", spec.name), (version,), reads=tuple(spec.tables()))
    target = spec.target.table.name
    yield Schedule(
        f"{spec.name}_fit",
        f"{title}: fitted and judged",
        (fit,),
        after=(target,),
        dated_by=((target, version),),
    )
    tables = [name for name in known.order() if known.jobs[name].model == spec.name]
    if tables:
        # Before the first champion there is nothing to score with, and nothing wrong.
        score = Step("score", ("run", *tables), tuple(tables), reads=(version,), may_wait=True)
        linked = tuple(_linked([score], known))
        read = [name for name in linked[0].reads if name in clocks]
        slowest = clocks[max(read, key=[*clocks].index)] if read else None
        yield Schedule(
            f"{spec.name}_score",
            f"{title}: scores",
            linked,
            slowest.cron if slowest else None,
            slowest.back if slowest else timedelta(),
            after=linked[0].reads,
            dated_by=tuple((name, table) for name in read for table in tables),
            makes_its_day=False,
        )


# -- steps -----------------------------------------------------------------------------------


def _steps(names: list[str], gather: bool, known: Registry) -> Iterator[Step]:
    """Gather the tables of one DAG, given in the order of making, into steps.

    A table joins its inputs of the same layer; one that reads another group stands one wave
    after it, so that groups never wait for each other in a circle.
    """
    kinds = {name: name.split(".")[0] if gather else name for name in names}
    waves: dict[str, int] = {}
    groups: dict[tuple[int, str], list[str]] = {}
    for name in names:
        inputs = [one for one in known.inputs(name) if one in waves]
        waves[name] = max((waves[one] + (kinds[one] != kinds[name]) for one in inputs), default=0)
        groups.setdefault((waves[name], kinds[name]), []).append(name)
    seen: dict[str, int] = {}
    for (_, kind), tables in sorted(groups.items()):
        seen[kind] = seen.get(kind, 0) + 1
        title = kind if seen[kind] == 1 else f"{kind}_{seen[kind]}"
        yield Step(title, ("run", *tables), tuple(tables))


def _linked(steps: list[Step], known: Registry) -> Iterator[Step]:
    """Yield the steps of one DAG with the edges that the registry's edges make."""
    maker = {table: step.name for step in steps for table in step.makes}
    for step in steps:
        inputs = {one for table in step.makes for one in known.inputs(table)}
        inputs = {one for one in inputs if not one.startswith(("conf.", "vault."))}
        yield replace(
            step,
            after=tuple(
                sorted({*step.after, *(maker[one] for one in inputs if one in maker)} - {step.name})
            ),
            reads=tuple(sorted({*step.reads, *inputs} - set(maker))),
        )
