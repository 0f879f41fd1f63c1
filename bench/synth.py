"""`make bench-synth`: what a city costs to make, calls included: rows a second and peak memory.

The whole of Tieling (2.4 million people, a month, 60 events a subscriber) unless told otherwise.
CPU seconds of a feed are those of its deliveries; of telephone records, of making them as well.
Peak memory is that of all processes together, looked at twice a second.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from lakehouse.commands import print_table, say
from synth.demo import Meter
from synth.make import make
from synth.plan import Told, first_of


def main() -> None:
    """Make it, and print a line per feed and one of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--area", default="2112")
    parser.add_argument("--people", type=int, default=2_400_000)
    parser.add_argument("--from", dest="since", default="2015-12")
    parser.add_argument("--months", type=int, default=1)
    parser.add_argument("--events", type=int, default=60)
    parser.add_argument("--faults", default="none")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="keep what is made here")
    said = parser.parse_args()
    told = Told(
        area=said.area, people=said.people, first=first_of(said.since), months=said.months,
        events_a_month=said.events, faults=said.faults,
    )  # fmt: skip
    out = said.out or Path(tempfile.mkdtemp(prefix="bangfu-synth-"))
    meter = Meter()
    try:
        made = make(out, told, workers=said.workers, progress=say)
        used = meter.read()
        n_bytes = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    finally:
        if not said.out:
            shutil.rmtree(out, ignore_errors=True)
    print_table(
        f"{told.people:,} people of {told.area}, {told.months} months",
        [
            {
                "feed": feed,
                "rows": n,
                "cpu": f"{made.cpu_seconds[feed]:.1f}",
                "rate": f"{n / max(made.cpu_seconds[feed], 0.1):,.0f}",
            }
            for feed, n in made.rows.items()
        ],
        {"feed": "feed", "rows": "rows", "cpu": "CPU s", "rate": "rows a CPU second"},
    )
    rows = sum(made.rows.values())
    print(
        f"{rows:,} rows, {n_bytes / 2**30:.2f} GiB in {used['seconds']:.0f} s "
        f"({used['cpu_seconds']:.0f} CPU s): {rows / used['seconds']:,.0f} rows/s, "
        f"{rows / used['cpu_seconds']:,.0f} a CPU second; at most {used['peak_memory_gib']:.2f} GiB"
    )


if __name__ == "__main__":
    main()
