"""When a table must be made again, and how far a run reads."""

from dataclasses import replace
from datetime import date
from typing import Any

from lakehouse.job import Job

WAITS = "waits for"


def widened(job: Job, as_of: date, since: date | None) -> Job:
    """Return a job that makes the days from `since` on, and reads as much further back."""
    if since is None or job.output.partition != "day":
        return job
    more = max(0, (as_of - since).days - job.redo_days)
    back = {word: job.look_back.get(word, 0) + more for word in job.inputs}
    return replace(job, redo_days=job.redo_days + more, look_back=back)


def waits(why: str | None) -> bool:
    """Tell whether a reason is that an input is not there."""
    return bool(why and why.startswith(WAITS))


def awaited(why: str) -> set[str]:
    """Return the tables that a reason waits for; the reason itself where it names none."""
    return set(why.removeprefix(WAITS).strip().split(", "))


def not_in_use(waiting: dict[str, set[str]], feeds_in_use: set[str]) -> set[str]:
    """Return, of tables by what they wait for, those that no feed in use would bring.

    A feed that has never delivered is no delay: its department may not be connected.
    """
    idle: set[str] = set()
    while more := {
        name
        for name, inputs in waiting.items()
        if name not in idle
        and all(
            one in idle or (one.startswith("bronze.") and one[7:] not in feeds_in_use)
            for one in inputs
        )
    }:
        idle |= more
    return idle


def differs(last: Any, now: Any) -> bool:
    """Tell whether an input is another than at the last run; fewer deliveries are not more."""
    if isinstance(last, list) and isinstance(now, list):
        return not set(now) <= set(last)
    return bool(last != now)


def missing(inputs: dict[str, Any]) -> list[str]:
    """Return the inputs that are not there, a model with the command that makes it."""
    return [
        f"{name} (`bangfu train {name[6:]}`)" if name.startswith("model.") else name
        for name, version in inputs.items()
        if version is None
    ]


def look_back(job: Job, name: str) -> int:
    """Return how many days before the as-of date a job reads of a table."""
    words = [word for word, table in job.input_names().items() if table == name]
    return max((job.look_back.get(word, 0) for word in words), default=0)
