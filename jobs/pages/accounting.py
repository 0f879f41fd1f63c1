"""Rows at every step, what was set aside, refused and in force, from the operations store."""

from datetime import date
from typing import Any

from jobs.pages import words
from lakehouse.ops import Ops
from lakehouse.outcome import Outcome
from lakehouse.period import last_day
from lakehouse.registry import registry

Row = dict[str, Any]
LANDED = ("read", "created", "unchanged", "quarantined")

# States of deliveries whose rows are accounted for in bronze.
TAKEN = ("landed", "duplicate")


def steps(ops: Ops, as_of: date) -> list[Row]:
    """Return each step's rows: every feed landed, then every table in the order it is made.

    Loaded steps have read, created, updated, unchanged, quarantined; derived ones made, good,
    quarantined. `adds_up` holds each against its own identity.
    """
    known = registry()
    told = [_landed(feed, ops.deliveries(feed)) for feed in sorted(known.feeds)]
    for name in known.order():
        run = ops.last_done(name, as_of)
        if run:
            counts = run["counts"] or {}
            told.append(_step(name, known.jobs[name].kind, counts, seconds=run["seconds"]))
    return [step for step in told if step.get("read") or step.get("made")]


def _landed(feed: str, deliveries: list[Row]) -> Row:
    taken = [row for row in deliveries if row["state"] in TAKEN]
    sums = {key: sum(row[f"n_{key}"] or 0 for row in taken) for key in LANDED}
    refused = len(deliveries) - len(taken)
    return _step(f"bronze.{feed}", "loaded", sums, refused=refused)


def _step(name: str, kind: str, counts: dict[str, int], **more: Any) -> Row:
    outcome = Outcome(name, "done", kind, **counts)
    return {"step": name, "kind": kind, **counts, **more, "adds_up": outcome.adds_up}


def shown_steps(told: list[Row], is_held: bool = False) -> list[Row]:
    """Return steps as the page shows them: layer, Chinese name, counts, and whether they add up.

    Where candidates are told as of an earlier date (`is_held`), because too few came or went, the
    rows of tables about people would tell how many: their counts are None.
    """
    in_order = sorted(told, key=lambda step: list(words.LAYERS).index(step["step"].split(".")[0]))
    shown = []
    for step in in_order:
        layer, is_hidden = step["step"].split(".")[0], is_held and _is_personal(step["step"])
        counts = {key: step.get(key) or 0 for key in (*LANDED, "updated", "made", "good", "closed")}
        shown.append(
            {"layer": words.LAYERS[layer], "name": words.table_name(step["step"]),
             "table": step["step"], "kind": step["kind"], "adds_up": step["adds_up"]}
            | (dict.fromkeys(counts) if is_hidden else counts)
        )  # fmt: skip
    return shown


def _is_personal(name: str) -> bool:
    table = registry().tables[name]
    return table.layer == "bronze" or table.is_personal()


def reasons(ops: Ops, as_of: date) -> list[Row]:
    """Return rows set aside by table and reason: of the landing, and for one day or its month."""
    counts: dict[tuple[str, str], int] = {}
    of_date = {as_of.isoformat(), as_of.replace(day=1).isoformat()}
    for row in ops.reasons():
        if row["table_name"].startswith("bronze.") or row["slice"] in of_date:
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


def refused(ops: Ops, as_of: date, since: date | None = None) -> list[Row]:
    """Return deliveries refused, held or come twice: the reason in words, and what corrected them.

    Of periods that end up to the date, and after `since` where given; a period that cannot be
    read is told without `since`.
    """
    told = ops.deliveries()
    corrected = {row["supersedes"]: row["delivery_id"] for row in told if row["state"] == "landed"}
    return [
        row
        | {
            "name": words.table_name(row["feed"]),
            "words": _why(row),
            "state_words": words.STATES[row["state"]],
            "corrected_by": corrected.get(row["delivery_id"]),
        }
        for row in told
        if row["state"] != "landed" and _is_of(row["period"], as_of, since)
    ]


def _is_of(period: str, as_of: date, since: date | None) -> bool:
    try:
        ends = last_day(period)
    except ValueError:
        return since is None
    return ends <= as_of and (since is None or ends > since)


def _why(row: Row) -> str:
    if row["state"] == "duplicate":
        return "重复投递：内容与已入库的一份相同，不重复入库"
    return words.REFUSALS.get(row["reason"], row["reason"] or "")


def sources(ops: Ops, as_of: date) -> list[Row]:
    """Return by feed the deliveries in force that the date's tables were made from."""
    found: dict[str, set[str]] = {}
    for name in registry().order():
        run = ops.last_done(name, as_of)
        for table, what in ((run or {}).get("inputs") or {}).items():
            if table.startswith("bronze.") and isinstance(what, list):
                found.setdefault(table.split(".")[1], set()).update(what)
    return [
        {"name": words.table_name(feed), "feed": feed, "deliveries": sorted(found[feed])}
        for feed in sorted(found)
    ]


def versions(ops: Ops, as_of: date) -> list[Row]:
    """Return for each table made for the date its Delta version, code version and seconds."""
    made = []
    for name in registry().order():
        run = ops.last_done(name, as_of)
        if run:
            made.append({"table": name, "delta": run["delta_version"], "code": run["code_version"]})
    return made
