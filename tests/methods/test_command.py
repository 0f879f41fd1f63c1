"""`bangfu method` against published numbers, and against definitions in numpy on random tables."""

from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import t as student

from jobs.methods.coupling import CLASSES
from tests.methods.asking import ask, table
from tests.methods.golden import golden, golden_numbers
from tests.methods.test_coupling import MODELS
from tests.methods.test_poverty import PUBLISHED_CASES

FGT = {"P0": "headcount_ratio", "P1": "poverty_gap", "P2": "squared_gap", "gini": "gini"}
THREE = ("a", "b", "c")

pytestmark = pytest.mark.usefixtures("spark")


# -- published ------------------------------------------------------------------------------


@pytest.mark.parametrize("case", PUBLISHED_CASES)
def test_published_poverty(tmp_path, case):
    """World Bank Handbook, apode, Stata `poverty`, R `ineq`: as golden/06_poverty_out.csv says."""
    values, line = PUBLISHED_CASES[case]
    told = ask("poverty", table(tmp_path / "t.csv", {"y": values}), "--value", "y", "--line", line)
    assert (told["n"], told["n_left_out"]) == (len(values), 0)
    known = [row for row in golden("06_poverty_out") if row["case"] == case]
    assert known
    for row in known:
        if row["measure"] in FGT:
            digits = 1e-7 if row["source"] == "Stata poverty" else 1e-12
            expected = pytest.approx(float(row["published"]), rel=digits)
            assert told[FGT[row["measure"]]] == expected


def test_published_four_by_four(tmp_path):
    """perlatex/easyuse and yng-me/mpindex@ad3a3c9: g0 of four persons, k of 1 to 4 of 4."""
    g0 = {"income": (0, 0, 1, 0), "schooling": (0, 1, 1, 1), "health": (0, 0, 1, 0),
          "insurance": (0, 1, 1, 0), "place": "aabb"}  # fmt: skip
    words = ["multidimensional", table(tmp_path / "t.csv", g0), "--indicators",
             "income,schooling,health,insurance", "--indicator-weights", "1/4,1/4,0.25,1/4",
             "--by", "place", "--cutoff"]  # fmt: skip
    for k, *measures in golden_numbers("01_alkire_foster_out"):
        told = ask(*words, f"{k:.0f}/4")
        assert [told["H"], told["A"], told["M0"]] == pytest.approx(measures, abs=1e-9)
    counted = [word if word != "1/4,1/4,0.25,1/4" else "1,1,1,1" for word in words]
    assert ask(*counted, "2") == ask(*words, "0.5")  # weights that count, and the cutoff with them
    told = ask(*words, "0.5")
    assert list(told["uncensored"].values()) == [0.25, 0.75, 0.25, 0.5]
    assert list(told["censored"].values()) == [0.25, 0.5, 0.25, 0.5]
    assert list(told["contributions"].values()) == pytest.approx([1 / 6, 1 / 3, 1 / 6, 1 / 3])
    groups = [[told["groups"][g][key] for key in ("share", "H", "A", "M0")] for g in "ab"]
    assert groups == [[0.5, 0.5, 0.5, 0.25], [0.5, 0.5, 1.0, 0.5]]
    # A simple random sample: s / sqrt(n), and the interval on the logit scale.
    error = np.std([0, 0.5, 1, 0], ddof=1) / 2
    assert told["M0_se"] == pytest.approx(error)
    reach = student.ppf(0.975, 3) * error / (0.375 * 0.625)
    assert [told["M0_low"], told["M0_high"]] == pytest.approx(
        [expit(logit(0.375) - reach), expit(logit(0.375) + reach)]
    )


@pytest.mark.parametrize("name", ["04_entropy_xu", "05_entropy_zavadskas"])
def test_published_entropy_weights(tmp_path, name):
    """Xu 2004; Zavadskas & Podvezko 2016: raw matrices."""
    matrix = zip(*golden_numbers(f"{name}_in"), strict=True)
    file = table(tmp_path / "t.csv", dict(zip("abcd", matrix, strict=True)))
    told = ask("entropy-weights", file, "--columns", "a,b,c,d")
    known = golden(f"{name}_out")
    assert list(told["weights"]) == [row["indicator"] for row in known]
    assert list(told["weights"].values()) == pytest.approx(
        [float(row["weight"]) for row in known], abs=5e-7
    )


@pytest.mark.parametrize("model", MODELS)
def test_published_four_systems(tmp_path, model):
    """stscl/coupling@7d16cd9 vignettes/ccd.Rmd: C and D in seven digits."""
    _, *columns = zip(*golden_numbers("02_coupling_in"), strict=True)
    file = table(tmp_path / "t.csv", {f"U{at}": c for at, c in enumerate(columns, start=1)})
    told = ask("coupling", file, "--systems", "U1,U2,U3,U4", "--model", model)
    at = 1 + 2 * MODELS.index(model)
    published = [row[at : at + 2] for row in golden_numbers("02_coupling_out")]
    made = [(row["C"], row["D"]) for row in told["rows"]]
    assert made == [pytest.approx(pair, abs=1.5e-7) for pair in published]


def test_classes_close_below_and_name_what_lags(tmp_path):
    levels = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    file = table(tmp_path / "t.csv", {"u": levels, "v": levels})
    rows = ask("coupling", file, "--systems", "u,v")["rows"]
    # Two equal systems have C = 1, so D is the root of T.
    classes = [min(int(sqrt(u) * 10 + 1e-9), 9) for u in levels]
    assert [row["class"] for row in rows] == [
        {"level": at + 1, "name": CLASSES[at]} for at in classes
    ]
    edge = table(tmp_path / "edge.csv", {"u": [0.25, 0.5], "v": [0.25, 0.61]})
    rows = ask("coupling", edge, "--systems", "u,v")["rows"]
    assert rows[0]["class"] == {"level": 6, "name": "勉强协调"}  # D is .5
    assert [row["lagging"] for row in rows] == [None, "u"]


# -- definitions ----------------------------------------------------------------------------


def holes(random, cells, share=0.08):
    """Return the cells with some of them missing."""
    return [None if random.random() < share else cell for cell in cells]


def naive_fgt(y, w, line):
    gap = np.where(y < line, (line - y) / line, 0.0)
    share = w / w.sum()
    apart = np.abs(np.subtract.outer(y, y))
    return {
        "n": len(y),
        "headcount_ratio": share @ (y < line),
        "poverty_gap": share @ gap,
        "squared_gap": share @ gap**2,
        "gini": share @ apart @ share / (2 * share @ y),
    }


def test_poverty_with_weights_groups_ties_and_missing(tmp_path):
    random = np.random.default_rng(8)
    y = holes(random, [float(x) for x in random.lognormal(3, 1, 200).round()])
    w = holes(random, random.choice([0, 0.5, 1, 3.7], 200).tolist())
    g = holes(random, random.choice(["东镇", "西镇"], 200).tolist())
    file = table(tmp_path / "t.csv", {"y": y, "w": w, "g": g})
    told = ask("poverty", file, "--value", "y", "--line", 20, "--weight", "w", "--by", "g")
    groups = told.pop("groups")
    assert list(groups) == ["", "东镇", "西镇"]  # rows without a group are a group too
    for name, made in {None: told, **groups}.items():
        ours = [(a, b) for a, b, c in zip(y, w, g, strict=True) if name in (None, c or "")]
        full = np.array([row for row in ours if None not in row])
        assert made.pop("n_left_out") == len(ours) - len(full)
        assert made == pytest.approx(naive_fgt(full[:, 0], full[:, 1], 20.0), abs=1e-12)


def naive_alkire_foster(g0, w, weights, k):
    c = g0 @ weights
    poor = c >= k - 1e-9
    share = w / w.sum()
    h, m0 = share @ poor, share @ (c * poor)
    censored = share @ (g0 * poor[:, None])
    return {"H": h, "A": m0 / h, "M0": m0, "uncensored": share @ g0, "censored": censored,
            "contributions": weights * censored / m0}  # fmt: skip


def naive_error(score, w, strata, psu, inside):
    """Return the linearised error of a mean over the rows inside, every PSU of the sample counted.

    `score` is of every row, w is 0 where the row is not counted.
    """
    w = w * inside
    u = w * (score - (w @ score) / w.sum()) / w.sum()
    variance = 0.0
    for stratum in set(strata):
        units = sorted({p for s, p in zip(strata, psu, strict=True) if s == stratum})
        sums = np.array([u[(strata == stratum) & (psu == unit)].sum() for unit in units])
        variance += len(units) / (len(units) - 1) * ((sums - sums.mean()) ** 2).sum()
    return sqrt(variance), len(set(zip(strata, psu, strict=True))) - len(set(strata))


def test_multidimensional_with_design_groups_and_missing(tmp_path):
    random = np.random.default_rng(4)
    n, weights = 240, np.array([1 / 2, 1 / 3, 1 / 6])
    strata, psu = np.repeat(["s1", "s2", "s3"], 80), np.tile(np.repeat(np.arange(8), 10), 3)
    likely = 0.3 + 0.05 * psu
    flags = {name: holes(random, (random.random(n) < likely).astype(int), 0.03) for name in THREE}
    w = holes(random, random.choice([0.0, 1.0, 2.5], n).tolist(), 0.03)
    g = random.choice(["x", "y"], n)
    columns = flags | {"w": w, "s": strata, "p": psu, "g": g}
    told = ask(
        "multidimensional", table(tmp_path / "t.csv", columns), "--indicators", "a,b,c",
        "--indicator-weights", "1/2,1/3,1/6", "--cutoff", "1/2", "--weight", "w",
        "--strata", "s", "--psu", "p", "--by", "g",
    )  # fmt: skip
    known = np.array([None not in row for row in zip(*flags.values(), w, strict=True)])
    g0 = np.array([[cell or 0 for cell in row] for row in zip(*flags.values(), strict=True)])
    of_row = np.array([x or 0.0 for x in w]) * known
    score = g0 @ weights
    score = np.where(score >= 0.5 - 1e-9, score, 0.0)
    groups = told.pop("groups")
    assert sum(made["share"] * made["M0"] for made in groups.values()) == pytest.approx(told["M0"])
    for name, made in {None: told, **groups}.items():
        inside = np.full(n, True) if name is None else g == name
        full = inside & known
        expected = naive_alkire_foster(g0[full], of_row[full], weights, 0.5)
        for key in ("uncensored", "censored", "contributions"):
            assert made[key] == pytest.approx(dict(zip(THREE, expected.pop(key), strict=True)))
        error, degrees = naive_error(score, of_row, strata, psu, inside)
        reach = student.ppf(0.975, degrees) * error / (made["M0"] * (1 - made["M0"]))
        middle = logit(expected["M0"])
        expected |= {"n": full.sum(), "n_left_out": (inside & ~known).sum(), "M0_se": error,
                     "M0_low": expit(middle - reach), "M0_high": expit(middle + reach)}  # fmt: skip
        assert {key: made[key] for key in expected} == pytest.approx(expected)


@pytest.mark.parametrize("how", ["none", "minmax", "minmax-shifted"])
def test_entropy_weights_with_directions_and_missing(tmp_path, how):
    random = np.random.default_rng(6)
    x = random.lognormal(1, 1, (50, 3))
    x[:, 2] = 7.0  # tells nothing
    cells = [holes(random, column.tolist()) for column in x.T]
    file = table(tmp_path / "t.csv", dict(zip(THREE, cells, strict=True)))
    signs = "+,+,+" if how == "none" else "-,+,-"
    told = ask("entropy-weights", file, "--columns", "a,b,c", "--directions", signs,
               "--normalise", how)  # fmt: skip
    full = np.array([row for row in zip(*cells, strict=True) if None not in row])
    assert (told["n"], told["n_left_out"]) == (len(full), 50 - len(full))
    u = full[:, :2]
    if how != "none":
        u = (u - u.min(axis=0)) / (u.max(axis=0) - u.min(axis=0))
        u[:, 0] = 1 - u[:, 0]
    u = 0.01 + 0.98 * u if how == "minmax-shifted" else u
    p = u / u.sum(axis=0)
    entropy = -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=0) / np.log(len(p))
    expected = (1 - entropy) / (1 - entropy).sum()
    assert list(told["weights"].values()) == pytest.approx([*expected, 0.0], abs=1e-12)
    assert list(told["entropies"].values()) == pytest.approx([*entropy, 1.0], abs=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_coupling_with_weights_zeros_and_missing(tmp_path, model):
    random = np.random.default_rng(9)
    u = random.random((60, 3))
    u[0], u[1] = 0.0, (0.0, 0.5, 0.7)
    cells = [[None if at == 2 else x for at, x in enumerate(column)] for column in u.T]
    file = table(tmp_path / "t.csv", dict(zip(THREE, cells, strict=True)))
    told = ask("coupling", file, "--systems", "a,b,c", "--weights", "1/2,0.3,0.2",
               "--model", model)  # fmt: skip
    assert (told["n"], told["n_left_out"], len(told["rows"])) == (59, 1, 60)
    assert told["rows"][2] == dict.fromkeys(("C", "T", "D", "class", "lagging"))
    for at, (made, row) in enumerate(zip(told["rows"], u, strict=True)):
        if at == 2:
            continue
        apart = np.mean([abs(x - y) for x, y in combinations(row, 2)])
        c = {
            "standard": lambda row=row: row.prod() ** (1 / 3) / row.mean() if row.any() else 0,
            "wang": lambda row=row, apart=apart: (
                sqrt((1 - apart) * sqrt((row / row.max()).prod())) if row.any() else 0
            ),
            "fan": lambda row=row: 1 - 2 * row.std(),
        }[model]()
        t = row @ (0.5, 0.3, 0.2)
        behind = THREE[row.argmin()] if row.max() - row.min() > 0.1 else None
        assert [made["C"], made["T"], made["D"]] == pytest.approx([c, t, sqrt(c * t)], abs=1e-12)
        assert made["lagging"] == behind
