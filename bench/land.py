"""`make bench-land`: a day of calls landed and made into silver, against Parquet alone.

Three ratios, each within one run: CPU of the whole way (checksum, bronze, vault, ledger, typing,
tokens, checks, gate, silver) against rewriting the typed table as Parquet; CPU of one Delta write
against a Parquet write of the same frame; and days 56 to 60 against days 2 to 6. CPU seconds are
those of Python, its workers and the JVM.
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import psutil

from lakehouse import ddl
from lakehouse.commands import print_table, say
from lakehouse.feed import feed
from lakehouse.pack import pack
from lakehouse.run import House
from lakehouse.schemas.telecom import CdrEvent

FIRST = date(2015, 11, 1)
SILVER = CdrEvent.name
# Every second has as many calls; a caller has 60 contacts. No two records have one key.
CALLS = """
    SELECT concat('138', lpad(id % {subscribers}, 8, '0')) AS caller,
           concat('139', lpad((id * 7919 + id DIV {subscribers}) % {subscribers}, 8, '0'))
             AS recipient,
           if(id % 3 = 0, 'text', 'call') AS kind,
           date_format(timestamp_seconds(unix_seconds(TIMESTAMP'{day} 00:00:00') +
             (id * 86399) DIV {calls}), 'yyyy-MM-dd HH:mm:ss') AS started_at,
           if(id % 3 = 0, NULL, cast(id % 600 AS string)) AS duration_s,
           concat('c', id % 997) AS caller_cell,
           concat('c', (id * 31) % 997) AS recipient_cell
    FROM range(0, {calls}, 1, 2)
"""


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds of one piece of work."""

    seconds: float
    cpu: float


class Clock:
    """CPU seconds of this process and of all that it ever started.

    It looks four times a second: what a process did that nobody waits for is lost when it ends.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[int, float], float] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, daemon=True).start()

    def seconds(self) -> float:
        me = psutil.Process()
        with self._lock:
            for one in [me, *me.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    times = one.cpu_times()
                    self._seen[one.pid, one.create_time()] = times.user + times.system
            return sum(self._seen.values())

    def _watch(self) -> None:
        while True:
            self.seconds()
            time.sleep(0.25)


cpu_seconds = Clock().seconds


def cost(work: Callable[[], object]) -> Cost:
    """Do the work once and return what it cost."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    work()
    return Cost(time.perf_counter() - wall, cpu_seconds() - cpu)


class Days:
    """A house that gets a day of calls after the other."""

    def __init__(self, folder: Path, subscribers: int) -> None:
        self.folder, self.subscribers = folder, subscribers
        self.house = House()
        self.spark = self.house.spark

    def deliver(self, day: date, calls: int) -> None:
        """Put a day's file where landing finds it."""
        made = self.folder / "made" / day.isoformat()
        sql = CALLS.format(subscribers=self.subscribers, calls=calls, day=day)
        self.spark.sql(sql).write.mode("overwrite").parquet(str(made))
        pack(sorted(made.glob("*.parquet")), feed("cdr"), day.isoformat(), self.house.conf.landing)

    def land(self) -> None:
        for one in self.house.landing.land_all("cdr"):
            if one.state != "landed" or one.quarantined:
                raise SystemExit(f"{one.delivery_id}: {one.state} {one.detail}")

    def silver(self, day: date) -> None:
        for one in self.house.run(SILVER, day):
            if one.quarantined or one.state != "done":
                raise SystemExit(f"{one.table}: {one.state}, {one.reasons}")


def the_way(folder: Path, calls: int) -> None:
    """Print what each part of the way costs for one day, warm, against Parquet alone."""
    days = Days(folder, max(1000, calls // 60))
    days.deliver(FIRST, min(calls, 200_000))
    days.land()
    days.silver(FIRST)
    day = FIRST + timedelta(days=10)
    days.deliver(day, calls)
    landed = cost(days.land)
    made = cost(lambda: days.silver(day))
    typed = str(folder / "typed")
    days.house.lake.read(SILVER).where(f"day = DATE'{day}'").write.parquet(typed)
    again = [cost(lambda: _rewrite(days, typed, folder / "again")) for _ in range(3)]
    bare = min(again, key=lambda one: one.cpu)
    delta = min(
        (cost(lambda: _delta(days, typed, folder / "delta")) for _ in range(3)),
        key=lambda one: one.cpu,
    )
    whole = Cost(landed.seconds + made.seconds, landed.cpu + made.cpu)
    parts = {
        "typed table rewritten as Parquet": bare, "the same as Delta": delta,
        "landed in bronze": landed, "made into silver": made, "the whole way": whole,
    }  # fmt: skip
    told = [
        {"what": what, "cpu": one.cpu, "seconds": one.seconds,
         "ratio": round(one.cpu / bare.cpu, 2), "per_million": round(one.cpu / calls * 1e6, 2)}
        for what, one in parts.items()
    ]  # fmt: skip
    print_table(f"{calls:,} calls of a day", told, {
        "what": "what", "cpu": "CPU s", "seconds": "s", "ratio": "against Parquet",
        "per_million": "CPU s per 1 M calls",
    })  # fmt: skip


def _rewrite(days: Days, typed: str, out: Path) -> None:
    days.spark.read.parquet(typed).write.mode("overwrite").parquet(str(out))


def _delta(days: Days, typed: str, out: Path) -> None:
    """Write the frame as a Delta table that is as its declaration says, partitions included."""
    if not out.exists():
        ddl.create(days.spark, str(out), CdrEvent)
    rows = days.spark.read.parquet(typed)
    rows.write.format("delta").mode("overwrite").save(str(out))


def day_by_day(folder: Path, n_days: int, calls: int) -> None:
    """Print what days cost as the lake grows."""
    days = Days(folder, max(1000, calls // 60))
    each: list[Cost] = []
    for n in range(n_days):
        day = FIRST + timedelta(days=n)
        days.deliver(day, calls)

        def both(day: date = day) -> None:
            days.land()
            days.silver(day)

        each.append(cost(both))
        say(f"day {n + 1}: {each[-1].seconds:.1f} s, {each[-1].cpu:.1f} CPU s")
    told = []
    for of in ("seconds", "cpu"):
        costs = [getattr(one, of) for one in each]
        early, late = median(costs[1:6]), median(costs[-5:])
        told.append({"of": of, "early": early, "late": late, "ratio": round(late / early, 2)})
    print_table(
        f"{n_days} days of {calls:,} calls: median of five", told,
        {"of": "of", "early": "days 2-6", "late": f"days {n_days - 4}-{n_days}", "ratio": "ratio"},
    )  # fmt: skip


def main() -> None:
    """Measure the way of one day, then days as the lake grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000_000, help="of the one day; 0 for none")
    parser.add_argument("--days", type=int, default=60, help="one after the other; 0 for none")
    parser.add_argument("--a-day", type=int, default=1_000_000, help="calls of each of them")
    said = parser.parse_args()
    for size, work in ((said.calls, the_way), (said.days, day_by_day)):
        if size:
            with tempfile.TemporaryDirectory(prefix="bangfu-bench-") as folder:
                os.environ["BANGFU_HOME"] = folder
                more = (said.a_day,) if work is day_by_day else ()
                work(Path(folder), size, *more)


if __name__ == "__main__":
    main()
