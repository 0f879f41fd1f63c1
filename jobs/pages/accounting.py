"""Rows at every step, what was set aside, and what was refused, from the operations store."""

from datetime import date
from typing import Any

from jobs.pages import words
from lakehouse.ops import Ops
from lakehouse.registry import registry

Row = dict[str, Any]
LANDED = ("read", "created", "unchanged", "quarantined")


def steps(ops: Ops, as_of: date) -> list[Row]:
    """Return each step's rows: every feed landed, then every table in the order it is made.

    Loaded steps have read, created, updated, unchanged, quarantined; derived ones made, good,
    quarantined.
    """
    known = registry()
    told = [_landed(feed, ops.deliveries(feed)) for feed in sorted(known.feeds)]
    for name in known.order():
        run = ops.last_done(name, as_of)
        if run:
            kind = "loaded" if known.jobs[name].loads else "derived"
            told.append(
                {"step": name, "kind": kind, **(run["counts"] or {}), "seconds": run["seconds"]}
            )
    return [step for step in told if step.get("read") or step.get("made")]


def _landed(feed: str, deliveries: list[Row]) -> Row:
    taken = [row for row in deliveries if row["state"] != "refused"]
    sums = {key: sum(row[f"n_{key}"] or 0 for row in taken) for key in LANDED}
    refused = len(deliveries) - len(taken)
    return {"step": f"bronze.{feed}", "kind": "loaded", **sums, "refused": refused}


def shown_steps(told: list[Row]) -> list[Row]:
    """Return steps as the page shows them: layer, Chinese name, counts, and whether they add up."""
    in_order = sorted(told, key=lambda step: list(words.LAYERS).index(step["step"].split(".")[0]))
    return [
        {
            "layer": words.LAYERS[step["step"].split(".")[0]],
            "name": words.table_name(step["step"]),
            "table": step["step"],
            "kind": step["kind"],
            **{key: step.get(key) or 0 for key in (*LANDED, "updated", "made", "good", "closed")},
            "adds_up": adds_up(step),
        }
        for step in in_order
    ]


def adds_up(step: Row) -> bool:
    """Hold one step against its identity, from its own counts."""
    n = {key: step.get(key) or 0 for key in (*LANDED, "updated", "made", "good")}
    if step["kind"] == "loaded":
        return bool(n["read"] == n["created"] + n["updated"] + n["unchanged"] + n["quarantined"])
    return bool(n["made"] == n["good"] + n["quarantined"])


def reasons(ops: Ops, as_of: date) -> list[Row]:
    """Return rows set aside by table and reason, of the landing and of one date's runs."""
    counts: dict[tuple[str, str], int] = {}
    for row in ops.reasons():
        if row["table_name"].startswith("bronze.") or row["slice"] == as_of.isoformat():
            key = (row["table_name"], row["reason"])
            counts[key] = counts.get(key, 0) + row["n_rows"]
    return [
        {"table": table, "name": words.table_name(table), "reason": reason,
         "words": _said(table, reason), "n_rows": n_rows}
        for (table, reason), n_rows in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    ]  # fmt: skip


def _said(table: str, reason: str) -> str:
    """Put a reason into words; a rule that has no Chinese ones, as its declaration does."""
    said, rule = words.reason(reason), registry().tables[table].rules.get(reason)
    return rule.meaning if rule and said == reason else said


def refused(ops: Ops) -> list[Row]:
    """Return deliveries refused or come twice: the reason in words, and what corrected them."""
    told = ops.deliveries()
    corrected = {row["supersedes"]: row["delivery_id"] for row in told if row["state"] == "landed"}
    return [
        row
        | {
            "name": words.table_name(row["feed"]),
            "words": _why(row),
            "corrected_by": corrected.get(row["delivery_id"]),
        }
        for row in told
        if row["state"] in ("refused", "duplicate")
    ]


def _why(row: Row) -> str:
    if row["state"] == "duplicate":
        return "重复投递：内容与已入库的一份相同，不重复入库"
    return words.REFUSALS.get(row["reason"], row["reason"] or "")


def versions(ops: Ops, as_of: date) -> list[Row]:
    """Return for each table made for the date its Delta version, code version and seconds."""
    made = []
    for name in registry().order():
        run = ops.last_done(name, as_of)
        if run:
            made.append({"table": name, "delta": run["delta_version"], "code": run["code_version"]})
    return made
