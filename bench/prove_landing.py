"""`make prove-landing`: landing is killed anywhere, and a plain rerun makes the same tables.

Deliveries of a small county are landed once undisturbed. Then again, each time in a house of its
own, with the process killed (SIGKILL, the JVM with it): once at each step of a delivery, by a
fault inside the process, and many times from outside at a random moment. After each kill the same
command is run again and everything is held against the undisturbed house: rows of bronze, lines
set aside, identities, the ledger. Two landers at once, a full disk and a clock set back as well.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess  # nosec B404
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.proof_house import House
from lakehouse.commands import print_table, say
from lakehouse.feed import feeds
from synth.make import make
from synth.plan import Told

COUNTY = Told(people=1_500, days=3, faults="usual", seed=3)
STEPS = ("staged", "data files", "appended", "set aside", "enrolled", "recorded")
KILLS = 20
# What a house shares with the undisturbed one: what was delivered, and the key of its vault.
SHARED = ("landing", "keys")


def prepared(folder: Path) -> House:
    """Return the undisturbed house, landed."""
    home = folder / "undisturbed"
    make(home, COUNTY, only=frozenset(feeds()), own_folder=False)
    house = House(home)
    began = time.monotonic()
    if house.land():
        raise SystemExit("The undisturbed landing failed.")
    say(f"undisturbed: {len(house.tables())} tables in {time.monotonic() - began:.0f} s")
    return house


def another(folder: Path, like: House, name: str) -> House:
    """Return a house with the same deliveries and key, and nothing landed."""
    home = folder / name
    home.mkdir()
    for shared in SHARED:
        (home / shared).symlink_to(like.home / shared)
    return House(home)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a landing and everything that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def at_random(house: House, span: tuple[float, float], rng: random.Random) -> str:
    """Kill a landing from outside at a random moment; return where it stood."""
    process, began = house.start(), time.monotonic()
    until = rng.uniform(*span)
    while time.monotonic() - began < until and process.poll() is None:
        time.sleep(0.01)
    if process.poll() is not None:
        return "after its end"
    kill(process)
    return house.where()


def held(like: House, house: House) -> str:
    """Run landing once more, and return what differs from the undisturbed house, or nothing."""
    code = house.land()
    if code:
        return f"the rerun ended with {code}"
    one, other = like.state(), house.state()
    wrong = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
    return "; ".join(f"{name}: {one.get(name)} / {other.get(name)}" for name in sorted(wrong))


# -- inside the process that is to die -------------------------------------------------------


def child(step: str, nth: int) -> None:
    """Land, and die at a step of the nth delivery that has text rows."""
    from lakehouse import io, landing, ops, vault
    from lakehouse.run import House as Real

    def die() -> None:
        os.killpg(os.getpgid(0), signal.SIGKILL)

    counted = Counter[str]()

    def dying(of: Any, name: str, when: str, before: bool) -> None:
        real = getattr(of, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            counted[when] += 1
            is_now = step == when and counted[when] == nth
            if is_now and before:
                die()
            made = real(*args, **kwargs)
            if is_now:
                die()
            return made

        setattr(of, name, wrapped)

    dying(io.Lake, "append_once", "staged", before=True)
    if step == "data files":
        _die_with_data_files(io, die, nth)
    else:
        dying(io.Lake, "append_once", "appended", before=False)
    dying(io.Lake, "write_quarantine", "set aside", before=False)
    dying(vault.Vault, "enrol", "enrolled", before=False)
    dying(ops.Ops, "record_delivery", "recorded", before=False)
    assert landing
    Real().landing.land_all()


def _die_with_data_files(io: Any, die: Any, nth: int) -> None:
    """Die as soon as a file of the nth append is there and its log entry is not."""
    import threading

    real, n = io.Lake.append_once, 0

    def watched(self: Any, table: Any, rows: Any, app_id: str) -> Any:
        nonlocal n
        n += 1
        if n == nth:
            path = Path(self.path(table.name))
            there, logged = _count(path)

            def watch() -> None:
                while True:
                    files, entries = _count(path)
                    if entries > logged:
                        return
                    if files > there:
                        die()
                    time.sleep(0.001)

            threading.Thread(target=watch, daemon=True).start()
        return real(self, table, rows, app_id)

    io.Lake.append_once = watched


def _count(path: Path) -> tuple[int, int]:
    files = sum(1 for one in path.rglob("*.parquet") if "_delta_log" not in one.parts)
    return files, sum(1 for _ in (path / "_delta_log").glob("*.json"))


# -- the proof -------------------------------------------------------------------------------


def two_at_once(folder: Path, like: House) -> str:
    """Two landers on one lake: both end, and every delivery is there once."""
    house = another(folder, like, "two_at_once")
    both = [house.start(), house.start()]
    codes = [process.wait() for process in both]
    return held(like, house) or ("" if 0 in codes else f"both failed: {codes}")


def full_disk(folder: Path, like: House) -> str | None:
    """A lake on a small tmpfs that fills up: landing fails; with more room it goes on."""
    house = another(folder, like, "full_disk")
    lake = house.home / "lake"
    lake.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(lake)]
    if subprocess.run(mount, capture_output=True).returncode:  # nosec B603
        return None
    try:
        code = house.land()
        subprocess.run(["mount", "-o", "remount,size=2g", str(lake)], check=True)  # nosec
        wrong = held(like, house)
    finally:
        subprocess.run(["umount", "-l", str(lake)], check=False)  # nosec
    return wrong or ("" if code else "landing did not notice that the disk was full")


def main() -> None:
    """Prove it, or end with 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", nargs=2, metavar=("STEP", "N"), help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.child:
        child(said.child[0], int(said.child[1]))
        return
    folder = Path(tempfile.mkdtemp(prefix="bangfu-prove-"))
    try:
        failed = proved(folder, said.kills, random.Random(said.seed))  # nosec B311
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if failed:
        raise SystemExit(1)


def proved(folder: Path, kills: int, rng: random.Random) -> int:
    """Return how many of the cases did not end like the undisturbed house."""
    like = prepared(folder)
    told: list[dict[str, str]] = []

    def tell(what: str, where: str, wrong: str) -> None:
        told.append({"case": what, "stood": where, "then": wrong or "the same"})
        say(f"{what}: {where}: {wrong or 'the same'}")

    for n, step in enumerate(STEPS):
        house = another(folder, like, f"step_{n}")
        process = house.start("bench.prove_landing", "--child", step, "3")
        died = process.wait() == -signal.SIGKILL
        tell(f"killed: {step}", house.where() if died else "it did not die", held(like, house))
        shutil.rmtree(house.home)
    span = _span(folder, like)
    stood: Counter[str] = Counter()
    for n in range(kills):
        house = another(folder, like, f"kill_{n}")
        where = at_random(house, span, rng)
        stood[where] += 1
        tell(f"kill -9, {n + 1}", where, held(like, house))
        shutil.rmtree(house.home)
    tell("two landers at once", "", two_at_once(folder, like))
    wrong = full_disk(folder, like)
    tell("a full disk", "" if wrong is not None else "not tried: no right to mount", wrong or "")
    print_table("Kills by phase", [{"where": w, "kills": n} for w, n in stood.most_common()],
                {"where": "where it stood", "kills": "kills"})  # fmt: skip
    print_table("Landing, disturbed", told, {"case": "case", "stood": "stood", "then": "rerun"})
    died = [one for one in told if one["stood"] == "it did not die"]
    inside = sum(n for w, n in stood.items() if w.startswith(("data", "log", "between")))
    print(f"{inside} of {kills} kills fell between the first data file and the last commit.")
    return sum(one["then"] != "the same" for one in told) + len(died)


def _span(folder: Path, like: House) -> tuple[float, float]:
    """Return when the first data file and the last commit come, in seconds after the start."""
    house = another(folder, like, "span")
    process, began = house.start(), time.monotonic()
    first = last = 0.0
    n_entries = -1
    while process.poll() is None:
        files = any((house.home / "lake" / "bronze").rglob("*.parquet"))
        first = first or (time.monotonic() - began if files else 0.0)
        entries = sum(1 for _ in (house.home / "lake").rglob("_delta_log/*.json"))
        if entries != n_entries:
            n_entries, last = entries, time.monotonic() - began
        time.sleep(0.02)
    shutil.rmtree(house.home)
    return first, last


if __name__ == "__main__":
    main()
