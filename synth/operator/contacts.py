"""The contacts of a county's numbers: kin, neighbours, people of like means, other operators'."""

from pathlib import Path

import numpy as np

from synth.figures import Figures

# What a contact is, the closest first, and the share of each among contacts within the network.
HOUSEHOLD, VILLAGE, TOWN, COUNTY, OTHER_OPERATOR = range(5)
SHARES = np.array([0.12, 0.52, 0.21, 0.15])
# Contacts of like wealth: how far down the ranks a contact is looked for.
REACH = {VILLAGE: 0.25, TOWN: 0.20, COUNTY: 0.10}
# Numbers whose contacts are drawn together.
AT_ONCE = 1 << 16


def contacts(
    who: np.ndarray, town: np.ndarray, other: range, rng: np.random.Generator, told: Figures,
    path: Path | None = None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return `starts` and the contacts themselves, in a mapped file where a path is given.

    who: records of the index; town: by village; other: numbers of other operators' customers.
    The contacts of a number stand in the order of how often they are called.
    """
    size = np.array(who["n_contacts"], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(size)]).astype(np.uint32)
    made = _room(int(starts[-1]), path)
    village, wealth = np.array(who["village"]), np.array(who["wealth"])
    household = np.array(who["household"])
    ranks = {
        VILLAGE: Ranks(village, wealth),
        TOWN: Ranks(town[village], wealth),
        COUNTY: Ranks(np.zeros(len(who), dtype=np.int64), wealth),
    }
    n_kin = np.bincount(household)
    first_kin = np.cumsum(n_kin) - n_kin
    for low in range(0, len(who), AT_ONCE):
        high = min(low + AT_ONCE, len(who))
        owner = np.repeat(np.arange(low, high), size[low:high])
        kind = rng.choice(4, size=len(owner), p=SHARES / SHARES.sum())
        # Nobody else at home has a number: it is one of the village.
        kind[(kind == HOUSEHOLD) & (n_kin[household[owner]] < 2)] = VILLAGE
        kind[rng.random(len(owner)) < told["off_net"]] = OTHER_OPERATOR
        contact = rng.integers(other.start, other.stop, size=len(owner))
        for which, rank in ranks.items():
            mine = kind == which
            contact[mine] = rank.alike(owner[mine], REACH[which], rng)
        kin = kind == HOUSEHOLD
        home = household[owner[kin]]
        step = 1 + (rng.random(kin.sum()) * (n_kin[home] - 1)).astype(np.int64)
        contact[kin] = first_kin[home] + (owner[kin] - first_kin[home] + step) % n_kin[home]
        alone = contact == owner
        contact[alone] = rng.integers(other.start, other.stop, size=alone.sum())
        # Those of the household and village come first, more or less, and are called most.
        order = np.lexsort((kind + 2.5 * rng.random(len(kind)), owner))
        made[starts[low] : starts[high]] = contact[order]
    return starts, made


def _room(n: int, path: Path | None) -> np.ndarray:
    if path is None:
        return np.empty(n, dtype=np.uint32)
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint32, shape=(n,))


class Ranks:
    """Everybody by group and, within it, by wealth."""

    def __init__(self, group: np.ndarray, wealth: np.ndarray) -> None:
        self.group = group
        self.ranked = np.lexsort((wealth, group)).astype(np.int32)
        self.place = np.empty(len(group), dtype=np.int32)
        self.place[self.ranked] = np.arange(len(group), dtype=np.int32)
        self.size = np.bincount(group)
        self.first = np.cumsum(self.size) - self.size

    def alike(self, owner: np.ndarray, reach: float, rng: np.random.Generator) -> np.ndarray:
        """Return for each owner somebody of its group, the likelier the nearer in wealth."""
        own = self.group[owner]
        first, size = self.first[own], self.size[own]
        step = np.rint(rng.normal(0, 1, len(owner)) * np.maximum(1, reach * size)).astype(int)
        step = np.where(step == 0, 1, step)
        return self.ranked[first + (self.place[owner] - first + step) % size]
