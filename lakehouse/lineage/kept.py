"""Events that are kept: what the end of each run said of columns. Read from files, not Spark."""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from lakehouse.lineage.origin import Source
from lakehouse.lineage.send import UNSENT

RUN_ID = re.compile(rb'"runId": "([0-9a-f-]{36})"')


@dataclass(frozen=True)
class Use:
    """One source of a column, and how it is used: such as DIRECT IDENTITY."""

    source: Source
    how: str

    @property
    def is_direct(self) -> bool:
        """Tell whether the source is in the value."""
        return self.how.startswith("DIRECT")


@dataclass(frozen=True)
class ToldColumns:
    """What the end of a run said: the sources of each column, those of its rows, what is unknown.

    `notes` has a word on columns that no column is behind, or that could not be read.
    """

    of: Mapping[str, list[Use]]
    rows: list[Use]
    notes: Mapping[str, str]


class Kept:
    """The events under one folder, found by run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ends: dict[Path, dict[str, int]] = {}

    def columns(self, run: Mapping[str, Any]) -> ToldColumns | None:
        """Return what the end of a run told of columns; None where no event of it is kept."""
        event = self._end(run)
        if event is None or not event["outputs"]:
            return None
        facet = event["outputs"][0]["facets"].get("columnLineage")
        return _columns(facet) if facet else None

    @cached_property
    def unsent(self) -> int:
        """Return how many events a collector did not take."""
        path = self.root / UNSENT
        return sum(1 for _ in path.open("rb")) if path.exists() else 0

    def _end(self, run: Mapping[str, Any]) -> Any:
        run_id = str(uuid.UUID(run["run_id"]))
        for path in self._files(run):
            if path not in self._ends:
                self._ends[path] = dict(_ends(path))
            if run_id in self._ends[path]:
                with path.open("rb") as file:
                    file.seek(self._ends[path][run_id])
                    return json.loads(file.readline())
        return None

    def _files(self, run: Mapping[str, Any]) -> Iterator[Path]:
        """Yield the files of the days on which a run may have ended."""
        began: datetime = run["started_at"]
        began = began if began.tzinfo else began.replace(tzinfo=UTC)
        days = timedelta(seconds=run["seconds"] or 0).days + 1
        for day in range(days + 1):
            path = self.root / f"{began.astimezone(UTC).date() + timedelta(days=day)}.jsonl"
            if path.exists():
                yield path


def _ends(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the run and the place in the file of every end that can be read."""
    place = 0
    with path.open("rb") as file:
        for line in file:
            at, place = place, place + len(line)
            # A line that a crash cut short has no end.
            if b'"eventType": "COMPLETE"' in line and line.endswith(b"}\n"):
                found = RUN_ID.search(line)
                if found:
                    yield found[1].decode(), at


def _columns(facet: Mapping[str, Any]) -> ToldColumns:
    fields = facet["fields"]
    return ToldColumns(
        {name: _uses(told["inputFields"]) for name, told in fields.items()},
        _uses(facet.get("dataset", [])),
        {
            name: told["transformationDescription"]
            for name, told in fields.items()
            if "transformationDescription" in told
        },
    )


def _uses(inputs: list[Mapping[str, Any]]) -> list[Use]:
    return [
        Use(
            (one["name"], one["field"]),
            ", ".join(f"{how['type']} {how['subtype']}" for how in one["transformations"]),
        )
        for one in inputs
    ]
