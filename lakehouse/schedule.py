"""Which DAGs, tasks and edges follow from the registry and conf/schedules.toml. No Airflow here.

A DAG waits for no other one: it reads what others made as it stands, and names it in `reads`.
By construction none of those is slower than itself, but for the scores of models.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lakehouse.conf import conf_dir, read_toml
from lakehouse.errors import DeclarationError, nearest
from lakehouse.registry import Registry

LAND = "land"
_KEYS = {"title", "cron", "days_back", "every", "feeds", "after", "train", "makes"}


@dataclass(frozen=True)
class Step:
    """One task: a `bangfu` command, the tables it makes, the steps it follows.

    `reads` names the tables that it reads and other DAGs make.
    """

    name: str
    command: tuple[str, ...]
    makes: tuple[str, ...]
    after: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    @property
    def is_dated(self) -> bool:
        """Tell whether the command takes `--as-of`: landing takes what has come."""
        return self.name != LAND


@dataclass(frozen=True)
class Schedule:
    """One DAG. It runs by the clock (`cron`), or `after` any of some tables was made."""

    name: str
    title: str
    cron: str | None
    back: timedelta
    after: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def tables(self) -> list[str]:
        return [name for step in self.steps for name in step.makes]


def schedules(known: Registry) -> list[Schedule]:
    """Return every DAG. Raises DeclarationError naming the section and the key of a mistake."""
    told = read_toml(conf_dir() / "schedules.toml")
    gather = told.pop("gather", True)
    for name, section in told.items():
        _check(name, section, known)
    feeds = _feeds(told, known)
    homes = _homes(told, feeds, known)
    made = []
    for name, section in told.items():
        steps = list(_steps([one for one in known.order() if homes[one] == name], gather, known))
        if landed := sorted(feed for feed, home in feeds.items() if home == name):
            steps.insert(0, Step(LAND, (LAND,), tuple(f"bronze.{feed}" for feed in landed)))
        if "train" in section:
            command = ("train", section["train"])
            steps.append(
                Step(section["train"], command, (section["makes"],), reads=section["after"])
            )
        made.append(
            Schedule(
                name, section["title"], section.get("cron"),
                timedelta(days=section.get("days_back", 0)),
                tuple(section.get("after", ())), tuple(_linked(steps, known)),
            )
        )  # fmt: skip
    return made


def as_of(
    given: str | None,
    logical: datetime | None,
    told: Iterable[str],
    run_after: datetime,
    zone: str,
) -> date:
    """Return the date that a run works as of.

    The date asked for wins; then the newest that the tables which started the run were made for
    (`told`); then the local day of the logical date; and for a run by hand without any of these
    the local day on which it was asked for, which a retry on the next day does not change.
    """
    if given:
        return date.fromisoformat(given)
    if newest := max(told, default=None):
        return date.fromisoformat(newest)
    return (logical or run_after).astimezone(ZoneInfo(zone)).date()


def doc(schedule: Schedule, known: Registry) -> str:
    """Return the DAG's page in Markdown: its tasks, and what one row of each table is."""
    started = f"after {' or '.join(schedule.after)}" if schedule.after else f"`{schedule.cron}`"
    lines = [f"{schedule.title}. Runs {started}.", ""]
    for step in schedule.steps:
        lines += [f"**{step.name}**: `bangfu {' '.join(step.command)}`", "", step_doc(step, known)]
    return "\n".join(lines)


def step_doc(step: Step, known: Registry) -> str:
    """Return a task's note in Markdown: the first sentence on each table that it makes."""
    firsts = [(name, known.tables[name].doc().split("\n\n")[0]) for name in step.makes]
    return "".join(f"- `{name}`: {' '.join(text.split())}\n" for name, text in firsts)


# -- sections --------------------------------------------------------------------------------


def _check(name: str, section: Any, known: Registry) -> None:
    where = f"conf/schedules.toml: [{name}]"
    if not isinstance(section, dict):
        raise DeclarationError(f"conf/schedules.toml: {name!r} is no section, and not gather.")
    for word in section:
        if word not in _KEYS:
            raise DeclarationError(f"{where} has an unknown key {word!r}.{nearest(word, [*_KEYS])}")
    if "title" not in section:
        raise DeclarationError(f"{where} has no title.")
    if ("cron" in section) == ("after" in section):
        raise DeclarationError(f"{where} needs a cron, or tables to run after, and not both.")
    if ("train" in section) != ("makes" in section):
        raise DeclarationError(f"{where} says one of train and makes: a model needs both.")
    for kind, words, there in (
        ("feed", section.get("feeds", ()), known.feeds),
        ("table", section.get("after", ()), known.tables),
        ("table", [section["makes"]] if "makes" in section else (), known.tables),
    ):
        for word in words:
            if word not in there:
                raise DeclarationError(
                    f"{where} names the {kind} {word!r}, which is not there."
                    f"{nearest(word, [*there])}"
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


def _homes(told: dict[str, Any], feeds: dict[str, str], known: Registry) -> dict[str, str]:
    """Return table -> section, for all that is landed or made by a job.

    The slowest of its inputs' sections, which is the last in the file; a table made from conf/
    alone changes seldom and goes with the slowest. A model's scores do not slow a table down.
    """
    clocks = [name for name, section in told.items() if "cron" in section]
    homes = {f"bronze.{feed}": name for feed, name in feeds.items()}
    for name in known.order():
        inputs = [homes[one] for one in known.inputs(name) if one in homes]
        homes[name] = max(inputs, key=clocks.index, default=clocks[-1])
    return homes


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
        waves[name] = max(
            (
                waves[one] + (kinds[one] != kinds[name])
                for one in known.inputs(name)
                if one in waves
            ),
            default=0,
        )
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
        yield Step(
            step.name,
            step.command,
            step.makes,
            after=tuple(sorted({maker[one] for one in inputs if one in maker} - {step.name})),
            reads=tuple(sorted({*step.reads, *inputs} - set(maker))),
        )
