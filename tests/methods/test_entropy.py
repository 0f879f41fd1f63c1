"""Entropy weights: published matrices, an oracle with numpy, and columns that tell nothing."""

import numpy as np
import pytest

from jobs.methods.entropy import composite, entropy_weights
from lakehouse.errors import UsageError
from tests.methods.golden import golden, golden_numbers

FOUR = list("abcd")


def matrix(spark, rows, names=FOUR):
    return spark.createDataFrame(
        [tuple(map(as_cell, row)) for row in rows], ", ".join(f"{name} double" for name in names)
    )


def as_cell(value):
    return None if value is None else float(value)


def weights_of(frame):
    return {row.indicator: (row.weight, row.entropy) for row in frame.collect()}


@pytest.mark.parametrize("name", ["04_entropy_xu", "05_entropy_zavadskas"])
def test_published_raw_matrices(spark, name):
    """Xu 2004 as in PyPI distance_metrics_mcda; Zavadskas & Podvezko 2016."""
    made = weights_of(entropy_weights(matrix(spark, golden_numbers(f"{name}_in")), FOUR))
    for known in golden(f"{name}_out"):
        weight, entropy = made[known["indicator"]]
        assert weight == pytest.approx(float(known["weight"]), abs=5e-7)
        if "entropy" in known:
            assert entropy == pytest.approx(float(known["entropy"]), abs=5e-7)


def naive_normalised(x, signs, normalise):
    if normalise == "none":
        return x
    least, most = x.min(axis=0), x.max(axis=0)
    up = (x - least) / (most - least)
    share = np.where(np.array(signs) == "+", up, 1 - up)
    return share if normalise == "minmax" else 0.01 + 0.98 * share


def naive_weights(x):
    p = x / x.sum(axis=0)
    terms = np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0)
    entropy = -terms.sum(axis=0) / np.log(len(x))
    return (1 - entropy) / (1 - entropy).sum(), entropy


@pytest.mark.parametrize(
    ("normalise", "signs"), [("none", "++++"), ("minmax", "+-+-"), ("minmax_shifted", "+-+-")]
)
def test_random_matrix_agrees_with_the_definition(spark, normalise, signs):
    x = np.random.default_rng(5).lognormal(2, 1, size=(60, 4))
    x[3, 1] = 0.0
    # A row with a hole is left out of the weights and has no score.
    rows = matrix(spark, [*x.tolist(), [1e9, None, 1e9, 1e9]])
    u = naive_normalised(x, list(signs), normalise)
    weights, entropies = naive_weights(u)
    made = weights_of(entropy_weights(rows, FOUR, signs, normalise))
    assert [made[name] for name in FOUR] == [
        pytest.approx(pair, abs=1e-12) for pair in zip(weights, entropies, strict=True)
    ]
    scores = [row.score for row in composite(rows, FOUR, signs, normalise).collect()]
    assert scores[:-1] == pytest.approx(list(u @ weights), rel=1e-12)
    assert scores[-1] is None


def test_columns_that_tell_nothing(spark):
    constant = matrix(spark, [(1, 5, 0), (3, 5, 0)], "abc")
    for normalise in ("none", "minmax"):
        made = weights_of(entropy_weights(constant, list("abc"), (), normalise))
        assert [weight for weight, _ in made.values()] == [1.0, 0.0, 0.0]
        assert [made[name][1] for name in "bc"] == [1.0, 1.0]
    same = matrix(spark, [(0.1, 5)] * 3, "ab")
    assert weights_of(entropy_weights(same, ["a", "b"])) == {"a": (0.5, 1.0), "b": (0.5, 1.0)}
    single = composite(same.limit(1), ["a", "b"]).collect()
    assert [row.score for row in single] == [pytest.approx(0.5)]


def test_no_rows_and_negative_values_have_no_weights(spark):
    rows = matrix(spark, [(-1, 2), (3, 5)], "ab")
    negative = weights_of(entropy_weights(rows, ["a", "b"]))
    assert (negative["a"], negative["b"][0]) == ((None, None), None)
    nobody = weights_of(entropy_weights(rows.where("a > 9"), ["a", "b"], (), "minmax"))
    assert nobody == {"a": (None, None), "b": (None, None)}


def test_given_weights_and_the_extremes_of_a_panel(spark):
    panel = matrix(spark, [(0, 10), (10, 20)], "ab")
    rows = matrix(spark, [(5, 20), (99, 0)], "ab").withColumnRenamed("b", "B")
    made = composite(
        rows, ["a", "B"], "+-", "minmax", weights={"a": "1/3", "B": "2/3"}, panel=panel, name="U"
    )
    assert made.columns == ["a", "B", "U"]
    # Beyond the panel's extremes counts as the extreme: 99 as 10, 0 as 10.
    assert [row.U for row in made.collect()] == pytest.approx([1 / 6, 1.0])


@pytest.mark.parametrize(
    ("columns", "directions", "normalise", "word"),
    [
        (["a"], ["-"], "none", "reversed"),
        (["a"], ["+"], "minmx", "Did you mean 'minmax'"),
        (["a"], ["+", "-"], "minmax", "each of the 1 columns"),
        (["a"], ["up"], "minmax", "each of the 1 columns"),
        (["a", "a"], [], "none", "only once"),
        ([], [], "none", "at least one"),
    ],
)
def test_refused(spark, columns, directions, normalise, word):
    with pytest.raises(UsageError, match=word):
        entropy_weights(spark.range(1), columns, directions, normalise)
