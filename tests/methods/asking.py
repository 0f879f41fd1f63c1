"""Ask `bangfu method` in this process, so that one Spark session serves all tests."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from lakehouse.cli import app
from lakehouse.errors import BangfuError


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["method", *map(str, words)])


def ask(*words: object) -> dict[str, Any]:
    """Return the one JSON object that a command prints, and nothing else."""
    done = run(*words, "--json")
    assert done.exception is None, (done.exception, done.stderr)
    return json.loads(done.stdout)


def refused(*words: object) -> BangfuError:
    """Return the error that a command ends with, before it has said anything on stdout."""
    done = run(*words)
    assert isinstance(done.exception, BangfuError), (done.exception, done.output)
    assert done.stdout == ""
    return done.exception


def table(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    """Write columns as CSV; None is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path
