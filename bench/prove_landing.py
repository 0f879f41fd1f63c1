"""`make prove-landing`: work is killed anywhere, and a plain rerun makes the same tables.

Deliveries of a small county with faults are landed and made into silver, undisturbed. Then again,
each time in a house of its own, and disturbed: killed at each step by a fault inside the process;
killed from outside (SIGKILL, the JVM with it) at random moments; two landers at once; a disk that
is full; a clock that is set back; a source that dies in the middle of a page. After that the same
commands run once more, and every table, the ledger and the counts by reason are held against the
undisturbed house.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess  # nosec B404
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

from bench.proof_house import LAND, RUN, TABLES, House, folder_of, kill
from bench.proof_source import dying_source
from bench.proof_steps import HISTORY, LANDING, SILVER
from lakehouse.commands import print_table, say
from lakehouse.errors import InputMissing
from synth.make import make
from synth.plan import Told

COUNTY = Told(people=800, days=3, events_a_month=60, faults="usual", seed=3)
FEEDS = frozenset({"area", "cell", "person_register", "cdr"})
KILLS = 20
INSIDE = ("data files", "log entry", "between two", "silver")
# What a house shares with the undisturbed one: what was delivered, and the key of its vault.
SHARED = ("landing", "keys")


class Proof:
    """The undisturbed house, and the cases that are held against it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.like = House(folder / "undisturbed")
        self.cases: list[dict[str, str]] = []
        make(self.like.home, COUNTY, only=FEEDS, own_folder=False)
        began = time.monotonic()
        if self.like.work():
            raise SystemExit(f"Undisturbed, it failed: see {self.like.home / 'log.txt'}.")
        self.expected = self.like.state()
        seconds, aside = time.monotonic() - began, self.like.set_aside()
        say(f"undisturbed: {len(self.expected)} tables and lists, {seconds:.0f} s; aside: {aside}")
        if not all(aside.values()):
            raise SystemExit("No line or no row was set aside: nothing would be proved of it.")

    def house(self, name: str) -> House:
        """Return a house with the same deliveries and key, and nothing landed."""
        home = self.folder / name.replace(" ", "_")
        home.mkdir()
        for shared in SHARED:
            (home / shared).symlink_to(self.like.home / shared)
        return House(home)

    def held(
        self, house: House, case: str, stood: str, expected: dict[str, str] | None = None
    ) -> None:
        """Work once more, plainly, and note what differs from the undisturbed house."""
        code, expected = house.work(), expected or self.expected
        found = house.state()
        wrong = sorted(
            name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
        )
        then = f"the rerun ended with {code}" if code else ", ".join(wrong) or "the same"
        self.note(case, stood, then)
        if then == "the same":
            shutil.rmtree(house.home, ignore_errors=True)  # One of them has a mount inside.

    def note(self, case: str, stood: str, then: str) -> None:
        self.cases.append({"case": case, "stood": stood, "then": then})
        say(f"{case}: {stood + ': ' if stood else ''}{then}")

    # -- killed --------------------------------------------------------------------------------

    def at_step(self, step: str, nth: int) -> None:
        """Kill it from inside as the nth delivery or table reaches a step."""
        house = self.house(f"{step} {nth}")
        died = house.start("bench.proof_steps", step, str(nth)).wait() == -signal.SIGKILL
        self.held(house, f"killed at: {step}, {nth}", house.where() if died else "IT DID NOT DIE")

    def at_random(self, n: int, share: float, spans: dict[str, float]) -> str:
        """Kill `bangfu land`, or each fourth time `bangfu run`, after a share of its writing.

        Returns where it stood.
        """
        house = self.house(f"kill {n}")
        what = "silver" if n % 4 == 0 else "bronze"
        if what == "silver" and house.start(*LAND).wait():
            raise SystemExit(f"Landing failed: see {house.home / 'log.txt'}.")
        process = house.start(*(RUN if what == "silver" else LAND))
        while process.poll() is None and not house.has_files(what):
            time.sleep(0.01)
        time.sleep(share * spans[what])
        stood = house.where() if kill(process) else "after its end"
        self.held(house, f"kill -9, {n}", stood)
        return stood

    def spans(self, n: int) -> dict[str, float]:
        """Return the seconds between the first data file and the last commit, of both commands."""
        house, found = self.house(f"span {n}"), {}
        for what, words in (("bronze", LAND), ("silver", RUN)):
            process, first, last, entries = house.start(*words), 0.0, 0.0, 0
            while process.poll() is None:
                now = sum(1 for _ in house.lake.glob("*/*/_delta_log/*.json"))
                first = first or (time.monotonic() if house.has_files(what) else 0.0)
                if now != entries:
                    entries, last = now, time.monotonic()
                time.sleep(0.02)
            found[what] = last - first
        shutil.rmtree(house.home)
        return found

    # -- disturbed otherwise -------------------------------------------------------------------

    def two_at_once(self) -> None:
        """Two landers on one lake: both end well, and every delivery is there once."""
        house = self.house("two at once")
        codes = [process.wait() for process in (house.start(*LAND), house.start(*LAND))]
        stood = f"they did NOT end well: {codes}" if any(codes) else "both ended well"
        self.held(house, "two landers at once", stood)

    def full_disk(self) -> None:
        """A lake on a small tmpfs that fills up: landing fails; with more room it goes on."""
        house = self.house("full disk")
        house.lake.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(house.lake)]
        if subprocess.run(mount, capture_output=True).returncode:  # nosec B603
            return self.note("a full disk", "not tried: no right to mount", "not shown")
        try:
            code = house.start(*LAND).wait()
            subprocess.run(["mount", "-o", "remount,size=1g", str(house.lake)], check=True)  # nosec
            plainly = (
                "it said so" if code == InputMissing.exit_code else f"IT DID NOT SAY SO: {code}"
            )
            self.held(house, "a full disk", plainly)
        finally:
            subprocess.run(["umount", "-l", str(house.lake)], check=False)  # nosec

    def clock_set_back(self) -> None:
        """Half of the deliveries land, then the clock is set back by two days."""
        if not shutil.which("faketime"):
            return self.note("a clock set back", "not tried: no faketime", "not shown")
        house = self.house("clock")
        house.start(*LAND, "--feed", "person_register").wait()
        house.start(*LAND, "--feed", "cdr", before=("faketime", "-f", "-2d")).wait()
        house.start(*LAND, before=("faketime", "-f", "-1d")).wait()
        self.held(house, "a clock set back", "by two days, between two landings")


def main() -> None:
    """Prove it, or end with 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help="kills from outside")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="houses at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the houses that differ")
    said = parser.parse_args()
    with folder_of("prove", said.keep) as folder:
        rng = random.Random(said.seed)  # nosec B311
        failed = proved(Proof(folder), said.kills, said.at_once, rng)
    if failed:
        raise SystemExit(f"{failed} cases were not shown.")


def proved(proof: Proof, kills: int, at_once: int, rng: random.Random) -> int:
    """Return how many of the cases did not end like the undisturbed house."""
    steps = [(step, 3) for step in LANDING]
    steps += [(step, nth) for step in SILVER for nth in (3, len(TABLES))]
    steps += [(step, 3) for step in HISTORY]
    others: list[Callable[[], None]] = [proof.two_at_once, proof.full_disk, proof.clock_set_back]
    for case in others:
        case()
    proof.note("a source that dies in a page", *dying_source(proof.folder))
    # As many houses at once as there are cores: none knows of another.
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda of: proof.at_step(*of), steps))
        spans = list(pool.map(proof.spans, range(at_once)))  # As slow as kills will be.
        shares = [rng.random() for _ in range(kills)]
        stood = Counter(pool.map(proof.at_random, range(1, kills + 1), shares, cycle(spans)))
    inside = sum(n for where, n in stood.items() if where.startswith(INSIDE))
    print_table("Kills by phase", [{"where": w, "n": n} for w, n in stood.most_common()],
                {"where": "where it stood", "n": "kills"})  # fmt: skip
    print_table("Disturbed, then run once more", proof.cases,
                {"case": "case", "stood": "stood", "then": "then"})  # fmt: skip
    print(f"{inside} of {kills} kills fell between the first data file and the last commit.")
    alike = sum(one["then"] == "the same" and "NOT" not in one["stood"] for one in proof.cases)
    print(f"{alike} of {len(proof.cases)} cases ended like the undisturbed house.")
    return len(proof.cases) - alike


if __name__ == "__main__":
    main()
