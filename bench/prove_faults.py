"""`make prove-faults`: each fault of a synthetic county, and whether it came to what was listed.

A county with harsh faults is delivered, landed and made into silver for the last day of each
month. What the house set aside, refused, held or took for a repetition is held against faults/,
the list of what was put wrong. Faults in deliveries that no run read, since another superseded
them or they were refused, are counted apart.
"""

import argparse
import os
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

from bench.proof_house import LIGHT, folder_of
from lakehouse.commands import print_table, say
from lakehouse.errors import ChecksFailed
from lakehouse.run import House
from synth import outcomes
from synth.make import make
from synth.plan import Told

BAR = 0.99
UNSEEN = ("undetectable", "reported")
OF_LINES = ("wrong_field_count", "wrong_encoding", "line_too_long")


def worked(home: Path, told: Told) -> House:
    """Return a house in which all was delivered, landed and made."""
    os.environ |= LIGHT | {"BANGFU_HOME": str(home)}
    make(home, told, own_folder=False, progress=lambda text: say(f"    {text}"))
    house = House()
    house.landing.land_all(tell=lambda one: say(f"    {one.delivery_id}: {one.state}"))
    for day in told.month_ends:
        for table in house.registry.select("silver"):
            try:
                house.run(table, day, since=day.replace(day=1))
            except ChecksFailed as error:
                # So much is wrong that the gate closes: what was set aside is kept all the same.
                say(f"    {error}")
    return house


def of_deliveries(house: House) -> tuple[list[dict[str, Any]], int]:
    """Return kind, expected, listed and reached of faults in whole deliveries; and the others.

    The number counts deliveries that ended otherwise though nothing is wrong with them.
    """
    ends = outcomes.ends(house)
    found = {one["delivery_id"]: (one["state"], one["reason"]) for one in house.ops.deliveries()}
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    listed = set()
    for one in outcomes.listed(house, "delivery"):
        name = one["delivery_id"]
        listed.add(name)
        if name in ends:
            count = counts[one["kind"], one["expected"]]
            count["listed"] += 1
            count["reached"] += found.get(name) == ends[name]
    others = sum(found.get(name) != end for name, end in ends.items() if name not in listed)
    return _rows("delivery", counts), others


def of_rows(house: House) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Return kind, expected, listed and reached of faults in rows; and what else was set aside."""
    read = _read(house)
    aside: dict[str, dict[tuple[str, int], set[str]]] = {}
    for table in {*read, *(f"bronze.{name}" for name in house.registry.feeds)}:
        lines = aside.setdefault(table, defaultdict(set))
        for delivery, line, reason in outcomes.set_aside(house, table):
            lines[delivery, line].add(reason)
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    # By layer and line: two tables of silver may be made of one register.
    expected: set[tuple[str, str, int]] = set()
    for one in outcomes.listed(house, "row"):
        table = (
            f"bronze.{one['feed']}" if one["reason"] in OF_LINES else outcomes.table_of(one["feed"])
        )
        count, where = counts[one["kind"], one["expected"]], (one["delivery_id"], one["line"])
        if one["delivery_id"] not in read.get(table, ()):
            count["not read"] += 1
            continue
        reasons = aside[table].get(where, set())
        count["listed"] += 1
        if one["expected"] == "quarantined":
            count["reached"] += one["reason"] in reasons
            expected.add((_layer(table), *where))
        else:
            count["reached"] += not reasons
    more: Counter[str] = Counter()
    for table, lines in aside.items():
        for where, reasons in lines.items():
            if (_layer(table), *where) not in expected:
                more.update(f"{table} {reason}" for reason in reasons)
    return _rows("row", counts), more


def _layer(table: str) -> str:
    return table.partition(".")[0]


def _read(house: House) -> dict[str, set[str]]:
    """Return by table which deliveries its runs have read; by table of bronze, which landed."""
    read: dict[str, set[str]] = defaultdict(set)
    for run in house.ops.runs(limit=1_000_000):
        for name, version in (run["inputs"] or {}).items():
            if name.startswith("bronze."):
                read[run["table_name"]] |= set(version or ())
    for one in house.ops.deliveries():
        if one["state"] == "landed":
            read[f"bronze.{one['feed']}"].add(one["delivery_id"])
    return read


def _rows(of: str, counts: dict[tuple[str, str], Counter[str]]) -> list[dict[str, Any]]:
    return [
        {"of": of, "kind": kind, "expected": expected, "listed": count["listed"],
         "reached": count["reached"], "not_read": count["not read"],
         "share": f"{count['reached'] / count['listed']:.1%}" if count["listed"] else ""}
        for (kind, expected), count in sorted(counts.items())
    ]  # fmt: skip


def main() -> None:
    """Print the table; end with 1 where a kind is under the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=4_000)
    parser.add_argument("--months", type=int, default=3)
    parser.add_argument("--days", type=int, default=10, help="of calls, up to the end")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the house")
    said = parser.parse_args()
    told = Told(people=said.people, first=date(2015, 10, 1), months=said.months, days=said.days,
                faults="harsh", seed=said.seed)  # fmt: skip
    with folder_of("faults", said.keep) as home:
        failed = shown(worked(home, told))
    if failed:
        raise SystemExit(1)


def shown(house: House) -> bool:
    """Print what was listed and what came of it; tell whether anything is under the bar."""
    deliveries, others = of_deliveries(house)
    rows, more = of_rows(house)
    heads = {"of": "in", "kind": "fault", "expected": "expected", "listed": "listed",
             "reached": "reached", "share": "share", "not_read": "not read"}  # fmt: skip
    print_table("Faults, and what came of them", deliveries + rows, heads)
    judged = [one for one in deliveries + rows if one["expected"] not in UNSEEN]
    n, good = (sum(one[word] for one in judged) for word in ("listed", "reached"))
    print(f"{good} of {n} faults that can be seen came to what was listed: {good / n:.2%}.")
    under = [one["kind"] for one in judged if one["reached"] < BAR * one["listed"]]
    print(f"Kinds under {BAR:.0%}: {', '.join(under) or 'none'}.")
    print(f"Deliveries without a fault that did not land: {others}.")
    print(f"Rows without a fault that were set aside: {sum(more.values())}.")
    for reason, n_rows in more.most_common():
        print(f"    {reason}: {n_rows}")
    return bool(under or others or more)


if __name__ == "__main__":
    main()
