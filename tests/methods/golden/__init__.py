"""Published inputs and outputs, numbered; the tests name their sources."""

import csv
from pathlib import Path


def golden(name: str) -> list[dict[str, str]]:
    """Return the rows of one table, as text."""
    with (Path(__file__).parent / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def golden_numbers(name: str) -> list[tuple[float, ...]]:
    """Return the rows of a table that holds only numbers."""
    return [tuple(float(cell) for cell in row.values()) for row in golden(name)]
