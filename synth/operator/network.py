"""Who is in touch with whom: the compact index that days of calls and sessions are made from.

The index of a county is three arrays. They lie in memory or, for a province, in .npy files that
are mapped, so that a worker holds what it looks at.
"""

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from lakehouse.errors import InputMissing
from synth.figures import Figures, stream
from synth.operator.cells import Cover, cover
from synth.operator.contacts import contacts
from synth.places.places import Places
from synth.plan import Told

# Numbers of services that write to everybody, the same in every county.
SERVICES = 200
BLOCK = "block-{:07d}.npy"
# Days from the period's first day that stand for never.
FAR = 30_000
# The columns of the index: those of subscribers.py and behaviour.py, days of service counted from
# the period's first day, and `away`, months of the period at work elsewhere as bits.
COLUMNS = {
    "count": "u4", "village": "u2", "household": "i4", "carrier": "i4", "wealth": "f4",
    "activity": "f4", "text_share": "f4", "late": "u1", "talk": "u1", "trips": "f4",
    "abroad": "f4", "works": "u1", "pick": "u1", "mb": "f4", "is_smartphone": "?",
    "n_contacts": "u1", "begins_on": "i2", "ends_on": "i2", "pauses_on": "i2", "resumes_on": "i2",
}  # fmt: skip
DAYS = {
    "begins_on": ("activated_on", -FAR), "ends_on": ("closed_on", FAR),
    "pauses_on": ("suspended_from", FAR), "resumes_on": ("suspended_to", FAR),
}  # fmt: skip


@dataclass(frozen=True)
class Network:
    """A county's numbers, by town and household, and their contacts.

    who: one record a number, of COLUMNS. contact lists the contacts of number i from starts[i] to
    starts[i + 1], the most frequent first: own numbers, then those of `groups`.
    """

    county: str
    first: date
    months: int
    who: np.ndarray
    starts: np.ndarray
    contact: np.ndarray
    cover: Cover

    def __len__(self) -> int:
        return len(self.who)

    @property
    def groups(self) -> dict[str, range]:
        """Return which numbers are whose: the county's own, other operators' customers that
        somebody knows, strangers, services, numbers abroad."""
        return groups(len(self))

    def is_served(self, day: date) -> np.ndarray:
        """Tell which of the county's own numbers are in service on a day."""
        on, who = (day - self.first).days, self.who
        paused = (who["pauses_on"] <= on) & (on < who["resumes_on"])
        return (who["begins_on"] <= on) & (on < who["ends_on"]) & ~paused

    def has_month_away(self, day: date) -> np.ndarray:
        """Tell whose month of a day is one of work elsewhere; the nearest month of the period."""
        month = (day.year - self.first.year) * 12 + day.month - self.first.month
        month = min(max(month, 0), self.months - 1)
        return (self.who["away"][:, month // 8] >> (month % 8) & 1).astype(bool)


def groups(n: int) -> dict[str, range]:
    """Return the ranges of numbers of a county with n own ones, end to end."""
    sizes = {"own": n, "other": n // 2 + 1, "stranger": n // 2 + 1, "service": SERVICES,
             "abroad": n // 20 + 1}  # fmt: skip
    ends = np.cumsum(list(sizes.values()))
    return {
        name: range(int(end) - size, int(end))
        for (name, size), end in zip(sizes.items(), ends, strict=True)
    }


def network(
    owners: pd.DataFrame, masts: pd.DataFrame, places: Places, seed: int, given: Figures,
    *, first: date = Told.first, elsewhere: pd.DataFrame | None = None,
) -> Network:  # fmt: skip
    """Return the network of a county whose subscribers are one frame, in memory."""
    months = len(owners["away"].iloc[0])
    who = index(owners, first, months)
    covered = cover(masts, places, elsewhere)
    rng = stream(seed, "network", places.area)
    starts, contact = contacts(who, covered.town, groups(len(who))["other"], rng, given["phones"])
    return Network(places.area, first, months, who, starts, contact, covered)


def index(owners: pd.DataFrame, first: date, months: int) -> np.ndarray:
    """Return the records of the index for the subscribers of one block or county."""
    is_away = np.array(owners["away"].to_list(), dtype=bool).reshape(len(owners), months)
    away = np.packbits(is_away, axis=1, bitorder="little")
    who = np.zeros(len(owners), dtype=[*COLUMNS.items(), ("away", "u1", (away.shape[1],))])
    for name in COLUMNS:
        of, never = DAYS.get(name, (name, None))
        values = owners[of] if never is None else _days(owners[of], first, never)
        who[name] = values.to_numpy()
    who["away"] = away
    return who


def _days(at: pd.Series, first: date, never: int) -> pd.Series:
    return (at - pd.Timestamp(first)).dt.days.fillna(never).clip(-FAR, FAR)


# -- on disk -------------------------------------------------------------------------------


def write_block(folder: Path, number: int, owners: pd.DataFrame, told: Told) -> None:
    """Leave the index of one block, by its number, in the folder of its county."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / BLOCK.format(number), index(owners, told.first, told.months))


def join(
    folder: Path, numbers: list[int], masts: pd.DataFrame, places: Places, told: Told,
    given: Figures, elsewhere: pd.DataFrame | None = None,
) -> Network:  # fmt: skip
    """Make the network of a county from its blocks, in the order given, and return it.

    Works in pieces: memory holds one block and a few small columns of the county.
    """
    paths = [folder / BLOCK.format(number) for number in numbers]
    if missing := [path.name for path in paths if not path.exists()]:
        raise InputMissing(f"{folder}: {missing[0]} is not there. Make that block first.")
    who = _joined(folder / "who.npy", [np.load(path, mmap_mode="r") for path in paths])
    for path in paths:
        path.unlink()
    covered = cover(masts, places, elsewhere)
    rng = stream(told.seed, "network", places.area)
    starts, contact = contacts(
        who, covered.town, groups(len(who))["other"], rng, given["phones"],
        folder / "contact.npy",
    )  # fmt: skip
    np.save(folder / "starts.npy", starts)
    about = np.array([places.area, told.first.isoformat(), str(told.months)])
    np.savez(folder / "small.npz", about=about, **asdict(covered))
    return Network(places.area, told.first, told.months, who, starts, contact, covered)


def opened(folder: Path) -> Network:
    """Return the network that `join` left in a folder; its arrays stay on disk until asked for."""
    try:
        small = dict(np.load(folder / "small.npz"))
    except FileNotFoundError:
        raise InputMissing(f"{folder} holds no network: make its county first.") from None
    county, first, months = small.pop("about")
    who, starts, contact = (
        np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("who", "starts", "contact")
    )
    covered = Cover(**small | {"n_own": int(small["n_own"])})
    return Network(
        str(county), date.fromisoformat(str(first)), int(months), who, starts, contact, covered
    )


def _joined(path: Path, parts: list[np.ndarray]) -> np.ndarray:
    """Put blocks one after the other; households and first numbers are counted on."""
    who = np.lib.format.open_memmap(
        path, mode="w+", dtype=parts[0].dtype, shape=(sum(map(len, parts)),)
    )
    at = homes = 0
    for part in parts:
        mine = who[at : at + len(part)]
        mine[:] = part
        mine["carrier"] += at
        mine["household"] += homes
        homes += int(part["household"].max(initial=-1)) + 1
        at += len(part)
    who.flush()
    return who
