"""Sampling errors: against deviations summed PSU by PSU, and what has no error."""

from collections import defaultdict

import numpy as np
import pytest
from scipy.stats import t as student

from jobs.methods.survey import logit_interval, survey_mean

SCHEMA = "place string, stratum string, psu int, value double, weight double"


def naive(rows, place):
    """Return mean and error of one group from the definition, PSU by PSU."""
    ours = [row for row in rows if row[0] == place and None not in row]
    whole = sum(w for *_, w in ours)
    mean = sum(y * w for *_, y, w in ours) / whole
    totals = defaultdict(lambda: defaultdict(float))
    for _, stratum, psu, *_ in rows:
        totals[stratum][psu] += 0.0
    for _, stratum, psu, y, w in ours:
        totals[stratum][psu] += w * (y - mean) / whole
    variance = sum(len(u) * np.var(list(u.values()), ddof=1) for u in totals.values())
    return mean, variance**0.5


def test_random_sample_agrees_with_the_definition(spark):
    random = np.random.default_rng(3)
    rows = [
        (
            f"g{psu % 2 if stratum else 0}",
            f"s{stratum}",
            psu,
            None if random.random() < 0.1 else float(random.random() + psu / 3),
            float(random.integers(1, 9)),
        )
        for stratum in range(3)
        for psu in range(2 + stratum)
        for _ in range(7)
    ]
    sample = spark.createDataFrame(rows, SCHEMA)
    for row in survey_mean(sample, "value", "weight", "stratum", "psu", "place").collect():
        assert (row["mean"], row["error"]) == pytest.approx(naive(rows, row["place"]))
        assert (row["n_psu"], row["n_strata"], row["lonely_strata"]) == (9, 3, [])


def test_simple_random_sample_has_the_textbook_error(spark):
    """One stratum, every unit its own PSU: s / sqrt(n)."""
    values = [1.0, 2.0, 4.0, 9.0]
    rows = [("all", "one", unit, value, 1.0) for unit, value in enumerate(values)]
    (row,) = survey_mean(
        spark.createDataFrame(rows, SCHEMA), "value", None, "stratum", "psu"
    ).collect()
    assert (row["mean"], row["error"]) == pytest.approx((4.0, np.std(values, ddof=1) / 2))


def test_stratum_of_one_psu_is_named_and_has_no_error(spark):
    rows = [
        ("all", "town", 1, 0.0, 1.0),
        ("all", "hills", 1, 1.0, 1.0),
        ("all", "hills", 2, 0.0, 1.0),
    ]
    (row,) = survey_mean(
        spark.createDataFrame(rows, SCHEMA), "value", "weight", "stratum", "psu"
    ).collect()
    assert (row["mean"], row["error"], row["lonely_strata"]) == (
        pytest.approx(1 / 3),
        None,
        ["town"],
    )


def test_group_within_one_psu_has_no_error(spark):
    rows = [
        ("a", "hills", 1, 0.0, 1.0),
        ("a", "hills", 1, 1.0, 1.0),
        ("a", "hills", 2, 1.0, 0.0),
        ("b", "hills", 2, 0.0, 1.0),
        ("b", "hills", 3, 1.0, 1.0),
    ]
    sample = spark.createDataFrame(rows, SCHEMA)
    made = survey_mean(sample, "value", "weight", "stratum", "psu", "place").collect()
    errors = {row["place"]: (row["mean"], row["error"]) for row in made}
    # u of b is -1/4 and 1/4 in two of three PSUs: 3/2 (1/16 + 1/16).
    assert errors == {"a": (0.5, None), "b": (0.5, pytest.approx((3 / 16) ** 0.5))}


def test_logit_interval_is_symmetric_in_the_odds():
    low, high = logit_interval(0.2, 0.05, 30)
    reach = student.ppf(0.975, 30) * 0.05 / 0.16
    assert [np.log(x / (1 - x)) for x in (low, high)] == pytest.approx(
        [np.log(0.25) - reach, np.log(0.25) + reach]
    )
    assert logit_interval(0.0, 0.0, 30) == (0.0, 0.0)
    assert logit_interval(0.2, None, 30) == (None, None)
