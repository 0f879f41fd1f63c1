"""How people use their numbers: much of it habit, a little of it what they live on.

Every tie to consumption is one figure of conf/synth.toml, [phones.follows_wealth], so that what
a model can learn from telephones alone is set there and nowhere else.
"""

import numpy as np
import pandas as pd
from scipy.special import ndtr

from synth.figures import Figures

# Classes of evening people, and of talkers.
CLASSES = 8
LIVELIEST, YEARS_OFF = 32, 16
UPPER = 1.2815515655446004  # Nine tenths of a standard normal lie below.


def behaviour(frame: pd.DataFrame, rng: np.random.Generator, told: Figures) -> pd.DataFrame:
    """Return subscribers with how much they do of what, for their wealth and age.

    activity (events against the mean of 1), text_share, late and talk (classes 0-7: of events in
    the evening, of the length of calls), n_contacts, trips (share of days on which one goes out),
    abroad (of calls to strangers), pick (0-255: which of a site's cells serves the home, which
    day of the week, how long over New Year), mb (data a month, the long-run level), charge_z
    (bill on a standard scale), topup_cny (what is paid in at a time).
    """
    n, follows = len(frame), told["follows_wealth"]
    wealth, age = frame["wealth"].to_numpy(), frame["age"].to_numpy()
    spread, habit = told["activity_spread"], rng.normal(size=n)
    older = -0.015 * (np.abs(age - LIVELIEST) - YEARS_OFF)
    log = follows["activity"] * wealth + spread * habit
    level = -(follows["activity"] ** 2 + spread**2) / 2
    shared = 1 + told["shared_activity"] * (frame["shared_with"].to_numpy() >= 0)
    is_second = frame["carrier"].to_numpy() != np.arange(n)
    text = told["text_share"] * (1.8 - age / 50) * np.exp(follows["text"] * wealth)
    wide = told["contacts_spread"]
    more = follows["contacts"] * wealth + wide * habit - wide**2 / 2
    contacts = (told["contacts"] - 2) * np.exp(more)
    data, online = told["data"], rng.normal(size=n)
    part = follows["data"]
    data_z = part * (wealth - data["users_wealth"]) + np.sqrt(1 - part**2) * online
    charge_z = _mix(follows["charge"], wealth, rng, (0.3, habit), (0.3, online))
    topup = told["recharge"]["at_a_time"] * np.exp(
        follows["recharge"] * wealth + told["recharge"]["spread"] * rng.normal(size=n)
    )
    amounts = np.array(told["recharge"]["amounts"], dtype=float)
    nearest = np.abs(np.log(topup[:, None] / amounts[None, :])).argmin(axis=1)
    return frame.assign(
        activity=np.exp(log + level + older) * shared * np.where(is_second, 0.4, 1.0),
        text_share=np.clip(text, 0.02, 0.6),
        late=_class(_mix(follows["late"], wealth, rng, (0.4, -(age - 40) / 18))),
        talk=_class(_mix(follows["talk"], wealth, rng)),
        n_contacts=2 + rng.poisson(np.clip(contacts, 0.5, 120)),
        trips=np.clip(told["trips"] * np.exp(follows["trips"] * wealth), 0, 0.9),
        abroad=np.clip(told["abroad"] * np.exp(follows["abroad"] * wealth), 0, 0.5),
        pick=rng.integers(256, size=n),
        mb=data["p50_mb"] * np.exp(month_spread(data) * np.sqrt(data["lasting"]) * data_z),
        charge_z=charge_z,
        topup_cny=amounts[nearest],
    )


def month_spread(data: Figures) -> float:
    """Return the deviation of the logarithm of a month's data between people."""
    return float(np.log(data["p90_mb"] / data["p50_mb"]) / UPPER)


def quantile(z: np.ndarray, p10: float, p50: float, p90: float) -> np.ndarray:
    """Return amounts whose tenth, half and nine tenths lie at three values, for standard z.

    Two halves of a lognormal that meet at the median.
    """
    slope = np.where(z < 0, np.log(p50 / p10), np.log(p90 / p50)) / UPPER
    return p50 * np.exp(slope * z)


def _mix(
    part: float, wealth: np.ndarray, rng: np.random.Generator, *others: tuple[float, np.ndarray]
) -> np.ndarray:
    """Return a standard score that correlates by `part` with wealth, and so with `others`."""
    left = 1 - part**2 - sum(share**2 for share, _ in others)
    rest = np.sqrt(max(left, 0.0)) * rng.normal(size=len(wealth))
    return part * wealth + sum((share * score for share, score in others), np.zeros(1)) + rest


def _class(z: np.ndarray) -> np.ndarray:
    return (ndtr(z) * CLASSES).astype(np.uint8).clip(0, CLASSES - 1)
