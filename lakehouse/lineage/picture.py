"""A page of where a figure came from: the graph of its tables, and what is known of each."""

from typing import Any

from lakehouse.graph import NODE_HEIGHT, NODE_WIDTH, draw
from lakehouse.plots import SIGNS, Row, environment, shell


def picture(step: Row, *, up: bool) -> str:
    """Return the page of where a table or column came from, or went: a graph and its tables."""
    rows: dict[str, dict[str, Any]] = {}
    inputs: dict[str, set[str]] = {}
    _gather(step, rows, inputs, up)
    asked = f"{step['table']}.{step['column']}" if step["column"] else step["table"]
    body = environment().get_template("lineage.html").render(
        graph=draw(inputs), rows=rows.values(), signs=SIGNS, width=NODE_WIDTH, height=NODE_HEIGHT,
        states={step["table"]: "stale"},
    )  # fmt: skip
    where = "Where it came from" if up else "What was made of it"
    return shell(f"Lineage of {asked}", f"{where}: {len(rows)} tables.", body)


def _gather(
    step: Row, rows: dict[str, dict[str, Any]], inputs: dict[str, set[str]], up: bool
) -> None:
    """Put a step and all below it together by table, in place."""
    table = step["table"]
    inputs.setdefault(table, set())
    new = {"table": table, "columns": [], "told": []} | {
        word: step[word] for word in ("version", "as_of", "rows", "run_id")
    }
    row = rows.setdefault(table, new)
    deliveries = [f"{one['delivery_id']} ({one['state']})" for one in step["deliveries"]]
    for word, told in (
        ("columns", [step["column"]] if step["column"] else []),
        ("told", [*step["heads"], *deliveries, *([step["note"]] if step["note"] else [])]),
    ):
        row[word] += [one for one in told if one not in row[word]]
    for one in step["steps"]:
        made, source = (table, one["table"]) if up else (one["table"], table)
        inputs.setdefault(made, set()).add(source)
        _gather(one, rows, inputs, up)
