"""Who makes what, from what, in which order: derived from declarations, jobs and feeds."""

import importlib
import pkgutil
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from lakehouse.clocks import has_history, history_of
from lakehouse.conf import feed_dirs
from lakehouse.errors import DeclarationError, InputMissing, nearest
from lakehouse.feed import Feed, feeds
from lakehouse.feed_table import MODULE, silver_job, silver_table
from lakehouse.job import JOBS, Job
from lakehouse.model import model_names
from lakehouse.table import Table


@dataclass(frozen=True)
class Registry:
    """All tables by name, the job or feed of each, and the order in which they are made.

    `histories` says of which table each history is; runs of that table write it.
    """

    tables: dict[str, type[Table]]
    jobs: dict[str, Job]
    feeds: dict[str, Feed]
    histories: dict[str, str] = field(default_factory=dict)

    @property
    def listed(self) -> dict[str, type[Table]]:
        """Return the tables that are shown in lists and drawings: not each one's history too."""
        return {name: one for name, one in self.tables.items() if name not in self.histories}

    def table(self, name: str) -> type[Table]:
        """Return one table by full name, or by its bare name where that is unmistakable."""
        if name in self.tables:
            return self.tables[name]
        bare = [full for full in self.tables if full.split(".")[1] == name]
        made = [full for full in bare if not full.startswith("bronze.")] or bare
        if len(made) == 1:
            return self.tables[made[0]]
        words = [*self.tables, *(full.split(".")[1] for full in self.tables)]
        raise InputMissing(f"There is no table {name!r}.{nearest(name, words)}")

    def inputs(self, name: str) -> list[str]:
        """Return the tables that a table is made from; none for deliveries and conf/."""
        if name in self.histories:
            return [self.histories[name]]
        job = self.jobs.get(name)
        return sorted(set(job.input_names().values())) if job else []

    def feeds_read(self) -> frozenset[str]:
        """Return the feeds that the house's own jobs read; each other one has a table to itself."""
        return frozenset(
            name.split(".")[1]
            for job in self.jobs.values()
            if job.output.__module__ != MODULE
            for name in job.input_names().values()
            if name.startswith("bronze.")
        )

    def order(self) -> list[str]:
        """Return all tables that jobs make, inputs before outputs, ties by name."""
        graph = {name: self.inputs(name) for name in self.tables}
        sorter = TopologicalSorter(graph)
        try:
            sorter.prepare()
        except CycleError as error:
            raise DeclarationError(f"Jobs run in a circle: {' -> '.join(error.args[1])}.") from None
        ordered: list[str] = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready())
            ordered += ready
            sorter.done(*ready)
        return [name for name in ordered if name in self.jobs]

    def select(self, what: str) -> list[str]:
        """Return the tables named by a table, a layer, `all`, or `+table` (with what it needs)."""
        order = self.order()
        if what == "all":
            return order
        if what in ("silver", "gold"):
            return [name for name in order if name.startswith(what + ".")]
        if what.startswith("+"):
            needed, todo = set(), [self.table(what[1:]).name]
            while todo:
                name = todo.pop()
                needed.add(name)
                todo += [parent for parent in self.inputs(name) if parent not in needed]
            return [name for name in order if name in needed]
        name = self.table(what).name
        if name not in self.jobs:
            raise InputMissing(f"{name} is not made by a job: it is {self.origin(name)}.")
        return [name]

    def origin(self, name: str) -> str:
        """Say in a few words where a table's rows come from."""
        layer, bare = name.split(".")
        if name in self.jobs:
            module = self.jobs[name].function.__module__
            is_mapped = self.tables[name].__module__ == MODULE
            return f"typed by the mapping {bare}.toml" if is_mapped else f"made by {module}"
        if name in self.histories:
            return f"kept by every run of {self.histories[name]}"
        return {
            "bronze": f"landed from deliveries of the feed {bare}",
            "conf": f"kept in conf/schemes/{bare}.toml",
            "vault": "written by the vault",
        }.get(layer, "made by a model")


def registry() -> Registry:
    """Import every schema and job, read every feed, and check that they fit together."""
    return _registry(tuple(feed_dirs()))


@cache
def _registry(_folders: tuple[Path, ...]) -> Registry:
    for package in ("lakehouse.schemas", "jobs.silver", "jobs.gold"):
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
            importlib.import_module(f"{package}.{module.name}")
    known = feeds()
    declared = {table.name: table for table in _all_tables(Table)}
    tables = declared | {feed.table.name: feed.table for feed in known.values()}
    jobs = dict(JOBS) | _own_jobs(known, declared)
    tables |= {job.name: job.output for job in jobs.values()}
    kept = {history_of(job.output): job.name for job in jobs.values() if has_history(job.output)}
    tables |= {history.name: history for history in kept}
    histories = {history.name: name for history, name in kept.items()}
    made = Registry(tables, jobs, known, histories)
    for job in JOBS.values():
        for name in job.input_names().values():
            if name not in tables:
                raise DeclarationError(
                    f"The job of {job.name} reads {name}, which nobody declares."
                    f"{nearest(name, list(tables))}"
                )
        if job.model and job.model not in model_names():
            raise DeclarationError(
                f"The job of {job.name} takes the model {job.model!r}, which nobody declares."
                f"{nearest(job.model, model_names())}"
            )
    made.order()
    return made


def _own_jobs(known: dict[str, Feed], declared: dict[str, type[Table]]) -> dict[str, Job]:
    """Return a job for each feed that no job reads: it loads the table that its mapping makes."""
    read = {name for job in JOBS.values() for name in job.input_names().values()}
    made = {}
    for feed in known.values():
        if feed.onto is None and feed.table.name not in read:
            job = silver_job(feed, silver_table(feed))
            if job.name in declared:
                raise DeclarationError(
                    f"The feed {feed.name} would make {job.name}, which is another table: give the "
                    "mapping another name, or say onto which feed it maps."
                )
            made[job.name] = job
    return made


def _all_tables(base: type[Table]) -> list[type[Table]]:
    """Return the declared tables that live in an importable module, not those of a test."""
    return [
        table
        for table in base.__subclasses__()
        if table.__module__.startswith(("lakehouse.", "models."))
    ]
