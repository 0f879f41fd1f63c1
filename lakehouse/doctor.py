"""What this machine has of what Bangfu needs."""

import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata

from lakehouse.conf import conf_dir, home_dir, settings
from lakehouse.errors import BangfuError

NEEDED = ("pyspark", "delta-spark", "great-expectations", "mlflow", "lightgbm", "apache-airflow",
          "deltalake", "duckdb", "plotly", "esda", "libpysal")  # fmt: skip
# Spark needs its driver memory (2 GiB) and as much again for Python and the system.
LEAST_MEMORY_GIB = 4
LEAST_DISK_GIB = 5


def examine() -> list[dict[str, str]]:
    """Return `{what, state, detail}` for each thing looked at; state is ok, missing or note."""
    found = []
    for look in (_python, _java, _packages, _jars, _settings, _declarations, _stores, _machine,
                 _optional):  # fmt: skip
        try:
            found += [dict(zip(("what", "state", "detail"), one, strict=True)) for one in look()]
        except BangfuError as error:
            found.append({"what": look.__name__.strip("_"), "state": "missing",
                          "detail": str(error)})  # fmt: skip
    return found


Told = Iterator[tuple[str, str, str]]


def _python() -> Told:
    told = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] < (3, 13)
    yield "Python", "ok" if fits else "missing", f"{told}; 3.11 or 3.12 is needed"


def _java() -> Told:
    from lakehouse.spark import java_version, require_java

    require_java()
    yield "Java", "ok", f"{java_version()}"


def _packages() -> Told:
    for name in NEEDED:
        try:
            yield name, "ok", metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, "missing", "run `uv sync`"


def _jars() -> Told:
    from lakehouse.spark import DELTA, jars_dir

    there = (jars_dir() / "_COMPLETE").exists()
    yield (
        "Delta jars",
        "ok" if there else "note",
        (DELTA if there else f"{DELTA}: fetched on first use"),
    )


def _settings() -> Told:
    conf = settings()
    yield "settings", "ok", f"profile {conf.profile} from {conf_dir()}"
    yield "lake", "ok", conf.lake


def _declarations() -> Told:
    from lakehouse.registry import registry

    known = registry()
    for job in known.jobs.values():
        job.parameter_values()
    yield (
        "declarations",
        "ok",
        f"{len(known.listed)} tables, {len(known.jobs)} jobs, {len(known.feeds)} feeds",
    )


def _stores() -> Told:
    from lakehouse.ops import Ops

    conf = settings()
    try:
        Ops(conf)
    except Exception as error:  # any driver, any reason: the store cannot be opened
        yield "operations store", "missing", f"{conf.get('ops', 'url')}: {type(error).__name__}"
    else:
        yield "operations store", "ok", conf.get("ops", "url")


def _machine() -> Told:
    import os

    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield "memory", "ok" if total >= LEAST_MEMORY_GIB else "missing", f"{total:.1f} GiB"
    home = home_dir()
    probe = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(probe).free / 2**30
    yield "disk", "ok" if free >= LEAST_DISK_GIB else "missing", f"{free:.0f} GiB free at {probe}"


def _optional() -> Told:
    wanted: dict[str, Callable[[], bool]] = {
        "chromium (report --pdf)": lambda: bool(shutil.which("chromium")),
        "npm (the walk of docs/feeds.md)": lambda: bool(shutil.which("npm")),
        "PostgreSQL client": lambda: bool(shutil.which("psql")),
    }
    for what, there in wanted.items():
        yield what, "ok" if there() else "note", "" if there() else "optional, not found"
