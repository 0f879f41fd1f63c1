"""`make bench`: what the machine costs, as ratios within one run.

Landing: a user's mapping against a feed of the house (bench/landing.py). Running: one table made
by the runner, against Spark alone doing the same sums; the runner adds marking and counting rows,
the quality gate, quarantine, the Delta commit and the record. CPU seconds are those of Python and
the JVM together, at two sizes, so that what is fixed and what grows can be told apart.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psutil

from bench import landing
from jobs.silver.subscriber_day import subscriber_day
from lakehouse.commands import print_table
from lakehouse.run import House
from lakehouse.schemas.telecom import CdrEvent

DAY = date(2015, 12, 31)
# 20 events a subscriber and day, spread evenly: the shape of the sums, not of people.
EVENTS = """
    SELECT concat('s', id % {subscribers}) AS caller_id,
           concat('s', (id * 7919 + 1) % {subscribers}) AS recipient_id,
           timestamp_seconds(1451520000 + id % 80000) AS started_at,
           DATE'2015-12-31' AS day,
           if(id % 3 = 0, 'text', 'call') AS event_kind,
           if(id % 3 = 0, NULL, id % 600) AS duration_s,
           concat('c', id % 97) AS caller_cell_id,
           concat('c', (id * 31) % 97) AS recipient_cell_id,
           'bench' AS delivery_id,
           id + 2 AS line
    FROM range({events})
"""


@dataclass
class Cost:
    """Wall and CPU seconds of one piece of work."""

    seconds: float
    cpu: float


def cpu_seconds() -> float:
    """Return CPU seconds of this process and its live children."""
    me = psutil.Process()
    return sum(
        one.cpu_times().user + one.cpu_times().system for one in [me, *me.children(recursive=True)]
    )


def cost(work: Callable[[], object]) -> Cost:
    """Do the work once and return what it cost."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    work()
    return Cost(time.perf_counter() - wall, cpu_seconds() - cpu)


def main() -> None:
    """Measure each size twice: the first run of a session also pays for the JVM's warming up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[200_000, 2_000_000])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows to land; 0 for none")
    given = parser.parse_args()
    sizes = given.events
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BANGFU_HOME"] = folder
        landing.write_mapping(Path(folder) / "feeds")
        house = House()
        if given.rows:
            told = list(landing.measure(house, given.rows, Path(folder), cost))
            print_table("A delivery landed, by a mapping of one's own and by the house's", told, {
                "rows": "rows", "run": "run", "feed": "feed", "cpu": "CPU s", "seconds": "s",
                "ratio": "CPU ratio",
            })  # fmt: skip
        print_table("One table of sums over events", [row for n in sizes for row in measure(
            house, n, Path(folder))], {
            "events": "events", "run": "run", "bare_cpu": "bare CPU s", "cpu": "runner CPU s",
            "ratio": "CPU ratio", "seconds": "runner s", "per_million": "CPU s per 1 M events",
        })  # fmt: skip


def measure(house: House, events: int, folder: Path) -> list[dict[str, object]]:
    """Return one row for the cold and one for the warm run at one size."""
    rows = house.spark.sql(EVENTS.format(events=events, subscribers=max(1, events // 20)))
    house.lake.replace(CdrEvent, rows, "day = DATE'2015-12-31'")
    job = subscriber_day.job  # type: ignore[attr-defined]
    told: list[dict[str, object]] = []
    for run in ("cold", "warm"):
        bare = cost(lambda: bare_work(house, folder / "bare"))
        ours = cost(lambda: house.make(job, DAY))
        told.append(
            {"events": events, "run": run, "bare_cpu": bare.cpu, "cpu": ours.cpu,
             "ratio": round(ours.cpu / bare.cpu, 2), "seconds": ours.seconds,
             "per_million": ours.cpu / events * 1e6}
        )  # fmt: skip
    return told


def bare_work(house: House, out: Path) -> None:
    """Read the events, do the same sums, write plain Parquet."""
    events = house.lake.read(CdrEvent.name).where("day = DATE'2015-12-31'")
    subscriber_day(events).write.mode("overwrite").parquet(str(out))


if __name__ == "__main__":
    main()
