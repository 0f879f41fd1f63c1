"""Who is in which household in each month, as one array."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Presence:
    """`house[person, month]`: the household on the last day of the month, -1 for none.

    `ends` are the last days; `n_homes` counts households.
    """

    house: np.ndarray
    ends: np.ndarray
    n_homes: int

    def sums(self, worth: np.ndarray) -> np.ndarray:
        """Return the sum of `worth` over members: [household, month], of [person(, month)]."""
        n_months = len(self.ends)
        by_month = worth if worth.ndim == 2 else np.broadcast_to(worth[:, None], self.house.shape)
        here = self.house >= 0
        cell = self.house[here].astype(np.int64) * n_months + np.nonzero(here)[1]
        size = self.n_homes * n_months
        summed = np.bincount(cell, by_month[here].astype(np.float64), size)
        return summed.reshape(self.n_homes, n_months)

    def ages(self, born: np.ndarray) -> np.ndarray:
        """Return ages in whole years: [person, month]."""
        days = (self.ends[None, :] - born.astype("datetime64[D]")[:, None]).astype(int)
        return np.floor(days / 365.2425).astype(int)


def presence(edges: pd.DataFrame, n_people: int, n_homes: int, ends: list[date]) -> Presence:
    """Return who is where. Months are in order."""
    days = np.array(ends, dtype="datetime64[D]")
    since = edges["since"].to_numpy().astype("datetime64[D]")
    until = edges["until"].to_numpy().astype("datetime64[D]")
    begin = np.searchsorted(days, since, side="left")
    end = np.where(np.isnat(until), len(days), np.searchsorted(days, until, side="left"))
    length = np.maximum(end - begin, 0)
    row = np.repeat(np.arange(len(edges)), length)
    month = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length) + begin[row]
    house = np.full((n_people, len(days)), -1, dtype=np.int32)
    house[edges["person"].to_numpy()[row], month] = edges["household"].to_numpy()[row]
    return Presence(house, days, n_homes)


def twelve_months(flow: np.ndarray) -> np.ndarray:
    """Return sums over twelve months to each month from the twelfth on: [row, month]."""
    total = np.cumsum(flow, axis=1)
    return total[:, 11:] - np.pad(total, ((0, 0), (1, 0)))[:, : total.shape[1] - 11]
