"""Targeting measures: the quota identity, oracles that count pairs and rows, ties and weights."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import spearmanr

from jobs.methods.targeting import (
    auc,
    auc_agnostic,
    confusion,
    judge,
    pearson,
    quota_of,
    spearman,
)
from lakehouse.errors import UsageError

RANDOM = np.random.default_rng(17)
N = 500
TRUTH = RANDOM.lognormal(size=N)
# A coarse score has many ties, as a prefecture's wealth has.
SCORE = np.round(np.log(TRUTH) + RANDOM.normal(size=N))
WEIGHT = RANDOM.integers(0, 5, size=N).astype(float)
IDS = RANDOM.permutation([f"h{i:03}" for i in range(N)])


def test_quota_identity():
    """cider@dca3490 cider/targeting.py: poor and targeted of one size have one error."""
    measures = judge(TRUTH, SCORE, poorest=0.29, quota=0.29, ids=IDS)
    assert measures["precision"] == measures["recall"]
    assert measures["inclusion_error"] == measures["exclusion_error"]
    assert measures["precision"] + measures["inclusion_error"] == pytest.approx(1)
    assert (measures["n"], measures["n_left_out"]) == (N, 0)


def test_a_worked_table():
    """Six units, the poorest half by truth against a third by score, counted by hand."""
    measures = judge([1, 2, 3, 4, 5, 6], [1, 4, 5, 2, 3, 6], poorest=0.5, quota=0.34)
    # Poor 1 2 3; targeted 1 4. Pairs in the right order: 1 before all, 2 and 3 before 6 only.
    # Squared differences of ranks add up to 16.
    assert measures == {
        "n": 6,
        "n_left_out": 0,
        "pearson": pytest.approx(1 - 6 * 16 / 210),
        "spearman": pytest.approx(1 - 6 * 16 / 210),
        "auc": pytest.approx(5 / 9),
        "auc_agnostic": measures["auc_agnostic"],
        "accuracy": pytest.approx(3 / 6),
        "precision": pytest.approx(1 / 2),
        "recall": pytest.approx(1 / 3),
        "inclusion_error": pytest.approx(1 / 2),
        "exclusion_error": pytest.approx(2 / 3),
    }


def test_quota_counts_as_published_and_breaks_ties_by_id():
    assert quota_of(np.arange(100), 0.29).sum() == 28  # int(.29 * 100) in doubles
    assert quota_of(np.arange(200), 0.145).sum() == int(0.145 * 200)
    assert quota_of([1, 1, 1, 0], 0.5, ids=["c", "a", "b", "d"]).tolist() == [
        False,
        True,
        False,
        True,
    ]
    assert quota_of([1, 1, 1, 0], 0.5).tolist() == [True, False, False, True]


def test_order_of_rows_does_not_matter():
    shuffle = RANDOM.permutation(N)
    options = {"poorest": 0.3, "quota": 0.2}
    for weight in (None, WEIGHT):
        there = judge(TRUTH, SCORE, weight=weight, ids=IDS, **options)
        moved = None if weight is None else weight[shuffle]
        again = judge(TRUTH[shuffle], SCORE[shuffle], weight=moved, ids=IDS[shuffle], **options)
        assert again == pytest.approx(there, abs=1e-12)


def test_unit_that_crosses_the_weighted_share_stays_out():
    values, weight = [1, 2, 3, 4], [2, 3, 1, 4]
    assert quota_of(values, 0.5, weight=weight).tolist() == [True, True, False, False]
    # The small third unit would fit, but the second before it did not.
    assert quota_of(values, 0.4, weight=weight).tolist() == [True, False, False, False]
    assert quota_of(values, 0.6, weight=weight).tolist() == [True, True, True, False]


def test_weights_of_one_change_nothing():
    plain = judge(TRUTH, SCORE, poorest=0.29, quota=0.4, ids=IDS)
    assert judge(TRUTH, SCORE, poorest=0.29, quota=0.4, ids=IDS, weight=np.ones(N)) == plain


def test_correlations_agree_with_repeated_rows():
    often = WEIGHT.astype(int)
    truth, score = np.repeat(TRUTH, often), np.repeat(SCORE, often)
    assert spearman(TRUTH, SCORE) == pytest.approx(spearmanr(TRUTH, SCORE).statistic)
    assert spearman(TRUTH, SCORE, weight=WEIGHT) == pytest.approx(spearmanr(truth, score).statistic)
    assert pearson(TRUTH, SCORE, weight=WEIGHT) == pytest.approx(np.corrcoef(truth, score)[0, 1])


def test_auc_agrees_with_counting_pairs():
    poor = quota_of(TRUTH, 0.3, weight=WEIGHT, ids=IDS)
    before = SCORE[poor][:, None] < SCORE[~poor]
    tied = SCORE[poor][:, None] == SCORE[~poor]
    pairs = WEIGHT[poor][:, None] * WEIGHT[~poor]
    expected = (pairs * (before + tied / 2)).sum() / pairs.sum()
    assert auc(TRUTH, SCORE, poorest=0.3, weight=WEIGHT, ids=IDS) == pytest.approx(expected)


def naive_agnostic(truth, score):
    """Return the published area: quota by quota on sorted rows, then trapezia."""
    n = len(truth)
    places = np.arange(n)
    points = [(0.0, 0.0)]
    for percent in np.linspace(1, 100, 99)[:-1]:
        first = int(percent / 100 * n)
        poor = set(sorted(places, key=lambda i: (truth[i], i))[:first])
        targeted = set(sorted(places, key=lambda i: (score[i], i))[:first])
        point = (len(targeted - poor) / (n - first), len(targeted & poor) / first)
        if point[0] >= max(x for x, _ in points):
            points.append(point)
    points.append((1.0, 1.0))
    return sum((x - x0) * (y + y0) / 2 for (x0, y0), (x, y) in pairwise(points))


def test_agnostic_auc():
    assert auc_agnostic(TRUTH, SCORE) == pytest.approx(naive_agnostic(TRUTH, SCORE))
    assert auc_agnostic(TRUTH, TRUTH) == 1.0
    assert auc_agnostic(TRUTH, -TRUTH) < 0.05
    assert auc_agnostic([1, 2, 3], [1, 2, 3]) == 1.0  # quotas that hold nobody are passed over


def test_missing_units_are_left_out_and_counted():
    nan = float("nan")
    measures = judge([1, 2, 3, 4, nan], [1, 2, 3, nan, 5], poorest=0.5, quota=0.5)
    assert (measures["n"], measures["n_left_out"], measures["precision"]) == (3, 2, 1.0)
    nobody = judge([nan], [1], poorest=0.5, quota=0.5)
    assert set(nobody.values()) == {0, 1, None}


def test_what_has_no_answer_is_none():
    measures = judge([1, 2, 3, 4], [7, 7, 7, 7], poorest=0.2, quota=0.2)
    assert measures["n"] == 4
    assert {measures[name] for name in ("pearson", "spearman", "auc", "precision", "recall")} == {
        None
    }
    assert confusion([], []).accuracy is None
    assert pearson([1, 2], [1, 2], weight=[0, 0]) is None


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: quota_of([1, 2], 29), "up to 1"),
        (lambda: quota_of([1, 2], 0.5, weight=[1, -1]), "at least 0"),
        (lambda: quota_of([1, 2], 0.5, ids=[1]), "as many ids"),
        (lambda: pearson([1, 2], [1]), "2, 1 and 2"),
        (lambda: spearman([1, float("nan")], [1, 2]), "judge"),
    ],
)
def test_refused(call, word):
    with pytest.raises(UsageError, match=word):
        call()
