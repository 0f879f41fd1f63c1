"""The level of incomes in a county: set once, on a sample of its households, for all its towns.

Towns are made one by one, so none of them can know the county's share of poor people. A sample of
households from all villages, made by the same code, tells what earnings must be scaled by.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synth.figures import Figures


@dataclass(frozen=True)
class Level:
    """scale: of earned income. cut: logarithm of consumption that stands at the line.

    own_low, own_half: earned income per head before scaling below which the poorest few and the
    lower half are. log_mean, log_std: of consumption.
    """

    scale: float
    cut: float
    own_low: float
    own_half: float
    log_mean: float
    log_std: float

    def wealth(self, homes: pd.DataFrame) -> np.ndarray:
        """Return how far each household's consumption is from the mean: logarithm, deviations."""
        log = np.log(np.maximum(homes["consumption_cny"].to_numpy(), 1))
        return (log - self.log_mean) / self.log_std


def quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Return the value below which a share of the weight lies."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(np.searchsorted(below, share), len(order) - 1)])


def scale(
    earned: np.ndarray, paid: np.ndarray, n_members: np.ndarray, line: float, share: float
) -> float:
    """Return the scale of earned income at which `share` of people are below the line."""
    low, high = 0.02, 50.0
    for _ in range(40):
        middle = (low * high) ** 0.5
        below = np.average(paid + middle * earned < line, weights=n_members)
        low, high = (middle, high) if below > share else (low, middle)
    return high


def log_consumption(
    homes: dict[str, np.ndarray], usual: np.ndarray, this_year: np.ndarray, luck: np.ndarray,
    given: Figures,
) -> np.ndarray:  # fmt: skip
    """Return the logarithm of consumption per head on its own scale: [household, month].

    Of a bad year, consumption follows a part only. `homes` has counts by household and month.
    """
    on, n = given["consumption"], np.maximum(homes["n_members"], 1)
    lived_on = on["smooths"] * usual + (1 - on["smooths"]) * this_year
    return (
        on["on_income"] * np.log(np.maximum(lived_on, 0) + on["floor"])
        + on["size"] * np.log(n)
        + on["dependency"] * homes["n_dependent"] / n
        + on["schooling"] * homes["best_years"][:, None]
        + on["public"] * (homes["n_public"] > 0)[:, None]
        + on["old_head"] * np.maximum(homes["head_age"] - 55, 0)[:, None]
        + on["place"] * homes["place"][:, None]
        + on["illness"] * (homes["n_serious"] > 0)[:, None]
        + luck[:, None]
    )
