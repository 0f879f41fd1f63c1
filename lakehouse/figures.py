"""Figures of a whole delivery, held against those before it: what is usual, what has drifted.

Pure functions on a few numbers. What is usual is told by the median and the median absolute
deviation (MAD) of earlier deliveries, which a broken one among them hardly moves; on a daily feed
the same weekdays are compared. Drift of a code list is the population stability index.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from math import log, sqrt
from statistics import median
from typing import Any

from lakehouse.conf import Settings
from lakehouse.errors import DeclarationError

# Of a normal distribution, the standard deviation is so many times the MAD (Rousseeuw and Croux,
# Alternatives to the median absolute deviation, JASA 88, 1993).
MAD_TO_SD = 1.4826
# A code that one side does not have would make the index infinite: each code counts so many more.
UNSEEN = 0.5
Range = tuple[float | None, float | None]
ANY: Range = (None, None)


@dataclass(frozen=True)
class Limits:
    """How far a figure may go; conf [quality] says what each number means, and where it is from."""

    history: int
    enough: int
    mads: float
    count_slack: float
    share_slack: float
    unknown_slack: float
    hold_ratio: float
    hold_share: float
    fewest: int
    psi_warn: float
    psi_hold: float
    psi_window: int
    psi_sure: float

    @classmethod
    def of(cls, conf: Settings) -> "Limits":
        """Return the limits of the settings. Raises DeclarationError by what is no number."""
        told: dict[str, Any] = {}
        for one in fields(cls):
            try:
                told[one.name] = (int if one.type is int else float)(conf.get("quality", one.name))
            except ValueError as error:
                raise DeclarationError(f"conf [quality] {one.name}: {error}.") from None
        return cls(**told)


@dataclass(frozen=True)
class Figure:
    """One figure of one delivery: what it is, between what it is usual, and what that means.

    `verdict` is ok, warn, hold; `told` for one that is kept and held against nothing.
    """

    name: str
    value: float
    least: float | None = None
    most: float | None = None
    verdict: str = "told"


def like_days(period: str, history: Sequence[tuple[str, float]], enough: int) -> list[float]:
    """Return the values of the days that a day compares with, the oldest first.

    The same weekday where there are `enough` of them; else working days or weekends; else all.
    Months compare with all months.
    """
    everything = [value for _, value in history]
    if len(period) < len("2015-12-31"):
        return everything
    today = date.fromisoformat(period).weekday()
    days = [(date.fromisoformat(day).weekday(), value) for day, value in history]
    same = [value for day, value in days if day == today]
    kind = [value for day, value in days if (day >= 5) == (today >= 5)]
    return next((some for some in (same, kind) if len(some) >= enough), everything)


def middle(values: Sequence[float]) -> tuple[float, float]:
    """Return the median and the robust standard deviation, 1.4826 times the MAD."""
    centre = median(values)
    return centre, MAD_TO_SD * median(abs(value - centre) for value in values)


def usual_count(values: Sequence[float], limits: Limits) -> Range:
    """Return between what a count is usual: as far as it varied, chance and a slack allow.

    The slack is a share of the median. Chance is that of a Poisson count, whose standard
    deviation is the root of its mean.
    """
    centre, sd = middle(values)
    reach = max(limits.mads * max(sd, sqrt(centre)), limits.count_slack * centre)
    return max(0.0, centre - reach), centre + reach


def usual_share(values: Sequence[float], n_rows: int, slack: float, limits: Limits) -> Range:
    """Return between what a share of `n_rows` rows is usual; chance is that of a binomial one."""
    centre, sd = middle(values)
    kept_off = min(max(centre, UNSEEN / n_rows), 1 - UNSEEN / n_rows)
    chance = sqrt(kept_off * (1 - kept_off) / n_rows)
    reach = max(limits.mads * max(sd, chance), slack)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def far_count(values: Sequence[float], limits: Limits) -> Range:
    """Return beyond what a count is so far off that a person looks before it lands."""
    centre = median(values)
    return centre / limits.hold_ratio, centre * limits.hold_ratio


def psi(now: Mapping[str, float], before: Mapping[str, float]) -> float:
    """Return the population stability index of two counts by code.

    Sum over codes of (p - q) ln(p / q), p and q being the shares now and before: Kullback's
    symmetric divergence (Siddiqi, Credit Risk Scorecards, 2006, has it in the form used here).
    Each code of either side counts half a row more, so that a new one is far, and not infinitely.
    """
    codes = sorted({*now, *before})
    n_now, n_before = (sum(one.values()) + UNSEEN * len(codes) for one in (now, before))
    index = 0.0
    for code in codes:
        p = (now.get(code, 0) + UNSEEN) / n_now
        q = (before.get(code, 0) + UNSEEN) / n_before
        index += (p - q) * log(p / q)
    return index


def psi_by_chance(now: Mapping[str, float], before: Mapping[str, float], sure: float) -> float:
    """Return what the index stays below with probability `sure` where nothing has drifted.

    It is then distributed as chi-squared of (codes - 1) degrees, times 1/n + 1/m for samples of n
    and m rows (Yurdakul and Naranjo, Statistical properties of the population stability index,
    Journal of Risk Model Validation 14, 2020).
    """
    from scipy.stats import chi2

    codes, n, m = len({*now, *before}), sum(now.values()), sum(before.values())
    return float(chi2.ppf(sure, codes - 1)) * (1 / n + 1 / m) if codes > 1 else 0.0


def inside(value: float, bounds: Range) -> bool:
    """Tell whether a value lies within bounds, both of them allowed."""
    least, most = bounds
    return (least is None or value >= least) and (most is None or value <= most)


def judged(name: str, value: float, usual: Range, far: Range, severity: str) -> Figure:
    """Return a figure with its verdict: outside `usual` it warns, outside `far` it holds.

    Severity `warn` never holds, `off` judges nothing.
    """
    if severity == "off" or usual == far == ANY:
        return Figure(name, value)
    is_off = not inside(value, usual)
    holds = severity == "hold" and is_off and not inside(value, far)
    return Figure(name, value, *usual, verdict="hold" if holds else "warn" if is_off else "ok")
