"""How well a score finds the poor: correlations, ROC areas and the errors of a quota.

Truth and score are low for the poor. The definitions are those of the Novissi evaluation:
Aiken, E., Bellue, S., Karlan, D., Udry, C. & Blumenstock, J. E. (2022), "Machine learning and
phone data can improve targeting of humanitarian aid", Nature 603, 864-870. Plain arrays in and
out: held-out samples fit one machine.

A quota of `share` holds the lowest int(share x n) units: int() of the product of doubles, so 29 %
of 100 are 28, as in the published code. With weights it holds those whose cumulative weight,
from the lowest, is at most share x the sum; the unit that crosses it stays out. Ties in a quota
go by `ids`, or by position where there are none. A measure over nobody is None. A unit without
truth or score is an error here; `judge` leaves it out and counts it.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from lakehouse.errors import UsageError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# The published grid: 99 quotas from 1 % to 100 %.
QUOTAS = np.linspace(1, 100, 99) / 100


class Confusion(NamedTuple):
    """Weights of the poor and the others, inside and outside a quota."""

    poor_in: float
    others_in: float
    poor_out: float
    others_out: float

    @property
    def accuracy(self) -> float | None:
        return _ratio(self.poor_in + self.others_out, sum(self))

    @property
    def precision(self) -> float | None:
        """Return the share of the targeted that is poor."""
        return _ratio(self.poor_in, self.poor_in + self.others_in)

    @property
    def recall(self) -> float | None:
        """Return the share of the poor that is targeted."""
        return _ratio(self.poor_in, self.poor_in + self.poor_out)

    @property
    def inclusion_error(self) -> float | None:
        """Return the share of the targeted that is not poor (leakage), 1 - precision."""
        return _ratio(self.others_in, self.poor_in + self.others_in)

    @property
    def exclusion_error(self) -> float | None:
        """Return the share of the poor that is not targeted (undercoverage), 1 - recall."""
        return _ratio(self.poor_out, self.poor_in + self.poor_out)

    @property
    def false_positive_rate(self) -> float | None:
        """Return the share of the others that is targeted."""
        return _ratio(self.others_in, self.others_in + self.others_out)


def judge(
    truth: ArrayLike,
    score: ArrayLike,
    *,
    poorest: float,
    quota: float,
    weight: ArrayLike | None = None,
    ids: ArrayLike | None = None,
) -> dict[str, Any]:
    """Return all measures of one score, and how many units had truth, score and weight."""
    t, s, all_w = _aligned(truth, score, weight)
    known = np.isfinite(t) & np.isfinite(s) & np.isfinite(all_w)
    order = _order(ids, len(t))[known]
    t, s = t[known], s[known]
    w = None if weight is None else all_w[known]
    cells = confusion(
        quota_of(t, poorest, weight=w, ids=order), quota_of(s, quota, weight=w, ids=order), w
    )
    return {
        "n": int(known.sum()),
        "n_left_out": int((~known).sum()),
        "pearson": pearson(t, s, weight=w),
        "spearman": spearman(t, s, weight=w),
        "auc": auc(t, s, poorest=poorest, weight=w, ids=order),
        "auc_agnostic": auc_agnostic(t, s, weight=w, ids=order),
        "accuracy": cells.accuracy,
        "precision": cells.precision,
        "recall": cells.recall,
        "inclusion_error": cells.inclusion_error,
        "exclusion_error": cells.exclusion_error,
    }


def quota_of(
    values: ArrayLike,
    share: float,
    *,
    weight: ArrayLike | None = None,
    ids: ArrayLike | None = None,
) -> Flags:
    """Return which units are among the lowest `share` by value."""
    if not 0 < share <= 1:
        raise UsageError(f"A share of the units is above 0 and up to 1, not {share}.")
    it, _, w = _aligned(values, values, weight, finite=True)
    order = np.lexsort((_order(ids, len(it)), it))
    return _lowest(order, np.cumsum(w[order]), share)


def confusion(poor: ArrayLike, targeted: ArrayLike, weight: ArrayLike | None = None) -> Confusion:
    """Return the weights of the four kinds of units."""
    p, t = np.asarray(poor, dtype=bool), np.asarray(targeted, dtype=bool)
    _, _, w = _aligned(p, t, weight, finite=True)
    return Confusion(
        *(float(w[cell].sum()) for cell in (p & t, ~p & t, p & ~t, ~p & ~t)),
    )


def pearson(truth: ArrayLike, score: ArrayLike, *, weight: ArrayLike | None = None) -> float | None:
    """Return the weighted correlation; None where truth or score is the same for all."""
    t, s, w = _aligned(truth, score, weight, finite=True)
    weighed = w > 0
    t, s, w = t[weighed], s[weighed], w[weighed]
    if not len(t) or np.ptp(t) == 0 or np.ptp(s) == 0:
        return None
    t, s = t - np.average(t, weights=w), s - np.average(s, weights=w)
    return float((w * t * s).sum() / np.sqrt((w * t * t).sum() * (w * s * s).sum()))


def spearman(
    truth: ArrayLike, score: ArrayLike, *, weight: ArrayLike | None = None
) -> float | None:
    """Return the correlation of average ranks.

    With weights, a tie's rank is the weight below it and half its own: whole weights give what
    the rows repeated so often would.
    """
    t, s, w = _aligned(truth, score, weight, finite=True)
    return pearson(_ranks(t, w), _ranks(s, w), weight=w)


def auc(
    truth: ArrayLike,
    score: ArrayLike,
    *,
    poorest: float,
    weight: ArrayLike | None = None,
    ids: ArrayLike | None = None,
) -> float | None:
    """Return the ROC area of being among the `poorest` against -score; a tie counts a half."""
    t, s, w = _aligned(truth, score, weight, finite=True)
    poor = quota_of(t, poorest, weight=None if weight is None else w, ids=ids)
    if not w[poor].sum() or not w[~poor].sum():
        return None
    return float(roc_auc_score(poor, -s, sample_weight=w))


def auc_agnostic(
    truth: ArrayLike,
    score: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    ids: ArrayLike | None = None,
) -> float | None:
    """Return the area under recall against the false positive rate, over 99 quotas.

    Each quota is both the share of the poor and that of the targeted; 0 % is (0, 0) and 100 %
    is (1, 1). Where a larger quota has a lower false positive rate than one before, its point is
    dropped, as in the published code; one with an equal rate is kept, since a score without an
    error would else have an area of .5.
    """
    t, s, w = _aligned(truth, score, weight, finite=True)
    if not w.sum():
        return None
    ties = _order(ids, len(t))
    by_truth, by_score = np.lexsort((ties, t)), np.lexsort((ties, s))
    below_truth, below_score = np.cumsum(w[by_truth]), np.cumsum(w[by_score])
    points = [(0.0, 0.0)]
    for share in QUOTAS[:-1]:
        cells = confusion(
            _lowest(by_truth, below_truth, share), _lowest(by_score, below_score, share), w
        )
        if cells.recall is not None and cells.false_positive_rate is not None:
            points.append((cells.false_positive_rate, cells.recall))
    x, y = np.array([*points, (1.0, 1.0)]).T
    rising = x >= np.maximum.accumulate(x)
    return float(np.trapezoid(y[rising], x[rising]))


def _lowest(order: NDArray[np.intp], below: Floats, share: float) -> Flags:
    """Flag the first units in `order` whose cumulative weight is at most the share of all."""
    chosen = np.zeros(len(order), dtype=bool)
    if len(order):
        chosen[order[: np.searchsorted(below, share * below[-1], side="right")]] = True
    return chosen


def _ranks(values: Floats, weight: Floats) -> Floats:
    _, tie = np.unique(values, return_inverse=True)
    own = np.bincount(tie, weights=weight)
    return (np.cumsum(own) - own / 2)[tie]


def _order(ids: ArrayLike | None, n: int) -> NDArray[np.intp]:
    """Return the rank of each unit's id, which settles ties."""
    if ids is None:
        return np.arange(n)
    ranks = np.unique(np.asarray(ids), return_inverse=True)[1]
    if len(ranks) != n:
        raise UsageError(f"{n} units need as many ids, not {len(ranks)}.")
    return ranks


def _aligned(
    one: ArrayLike, other: ArrayLike, weight: ArrayLike | None, *, finite: bool = False
) -> tuple[Floats, Floats, Floats]:
    """Return the three as doubles of one length, with weights of 1 where there are none."""
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    w = np.ones(len(a)) if weight is None else np.asarray(weight, dtype=float)
    if not len(a) == len(b) == len(w):
        raise UsageError(f"Truth, score and weight have {len(a)}, {len(b)} and {len(w)} units.")
    if finite and not (np.isfinite(a).all() and np.isfinite(b).all() and np.isfinite(w).all()):
        raise UsageError("A unit has no truth, score or weight. Leave it out, or use judge().")
    if (w < 0).any():
        raise UsageError("A weight is at least 0; here one is not.")
    return a, b, w


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
