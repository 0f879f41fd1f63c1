"""`bangfu method` as a user meets it: files of every kind, answers, and each mistake told."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.commands.method import app as methods
from lakehouse.commands.method_input import AMOUNT, LABEL, WEIGHT, Want, own_table
from tests.methods.asking import ask, refused, run, table

PEOPLE = {
    "income": [100, 110, 150, 160, None],
    "w": [1, 1, -2, 1, -1],
    "text": [1, "x", 2, "secret", 3],
    "town": ["东", "东", "西", "西", "西"],
    "edu": [1, 0, 1, 2, None],
    "ok": [1, 0, 1, 0, 1],
    "wet": [0, 1, 1, 0, None],
    "u": [0.1, 0.5, 1.2, 0.4, -0.1],
    "v": [0.1, 0.5, 1.0, 0.4, 0.3],
    "psu": [1, 2, 1, 1, 1],
}
POVERTY = ("poverty", "FILE", "--value", "income", "--line")
MPI = ("multidimensional", "FILE", "--indicators", "ok,wet", "--indicator-weights")
ENTROPY = ("entropy-weights", "FILE", "--columns")
COUPLING = ("coupling", "FILE", "--systems")

MISTAKES = {
    "a line of 0": ((*POVERTY, "0"), 2, "--line is a number above 0"),
    "a line below 0": ((*POVERTY, "-5"), 2, "--line is a number above 0, not -5"),
    "a line that is none": ((*POVERTY, "nan"), 2, "--line is a number above 0"),
    "an unknown column": (("poverty", "FILE", "--value", "incme", "--line", "1"), 2,
                          "no column 'incme' (--value). Did you mean 'income'?"),
    "an unknown group": ((*POVERTY, "1", "--by", "twn"), 2, "Did you mean 'town'?"),
    "text for numbers": (("poverty", "FILE", "--value", "text", "--line", "1"), 12,
                         "'text' (--value) holds text in 2 of 5 rows, first in row 2."),
    "names for numbers": (("poverty", "FILE", "--value", "town", "--line", "1"), 12,
                          "holds text in 5 of 5 rows, first in row 1."),
    "negative weights": ((*POVERTY, "1", "--weight", "w"), 12,
                         "'w' (--weight) holds negative weights in 2 of 5 rows, first in row 3."),
    "an out of no known kind": ((*POVERTY, "1", "--out", "x.xlsx"), 2, ".parquet"),
    "an out nowhere": ((*POVERTY, "1", "--out", "no/where/x.csv"), 11, "no folder"),
    "an out over the input": ((*POVERTY, "1", "--out", "FILE"), 2, "the file that is read"),
    "too few weights": ((*MPI, "1", "--cutoff", ".5"), 2, "1 weights for 2 columns: ok, wet"),
    "weights of nothing": ((*MPI, "0,0", "--cutoff", ".5"), 2, "are all 0"),
    "a negative weight": ((*MPI, "1.5,-0.5", "--cutoff", ".5"), 2, "weight of wet is below 0"),
    "a weight that is none": ((*MPI, "1/0,1", "--cutoff", ".5"), 2, "'1/0' is neither a number"),
    "a cutoff of 0": ((*MPI, "1/2,1/2", "--cutoff", "0"), 2, "--cutoff is above 0"),
    "a cutoff above 1": ((*MPI, "1/2,1/2", "--cutoff", "2"), 2, "at most the sum"),
    "a cutoff that is none": ((*MPI, "1/2,1/2", "--cutoff", "half"), 2, "--cutoff 'half'"),
    "no 0 and no 1": (("multidimensional", "FILE", "--indicators", "edu", "--indicator-weights",
                       "1", "--cutoff", "1"), 12,
                      "other than 0 and 1 in 1 of 5 rows, first in row 4."),
    "an indicator twice": (("multidimensional", "FILE", "--indicators", "ok,ok",
                            "--indicator-weights", "1/2,1/2", "--cutoff", "1"), 2,
                           "more than once"),
    "a column without a name": ((*ENTROPY, "u,,v"), 2, "before or after a comma"),
    "an unknown way": ((*ENTROPY, "u,v", "--normalise", "min-max"), 2, "Did you mean 'minmax'?"),
    "an unknown direction": ((*ENTROPY, "u,v", "--directions", "+,up"), 2, "'up' for the column"),
    "too few directions": ((*ENTROPY, "u,v", "--directions", "+"), 2, "1 signs for 2 columns"),
    "a raw value reversed": ((*ENTROPY, "u,v", "--directions", "-,+"), 2, "minmax-shifted"),
    "a raw value below 0": ((*ENTROPY, "u,v"), 12, "in 1 of 5 rows, first in row 5."),
    "one system": ((*COUPLING, "u"), 2, "at least two"),
    "an unknown model": ((*COUPLING, "u,v", "--model", "standart"), 2, "Did you mean 'standard'?"),
    "a system beyond 1": ((*COUPLING, "u,v"), 12, "0 to 1 in 2 of 5 rows, first in row 3."),
    "coupling weights": ((*COUPLING, "u,v", "--weights", "0,0"), 2, "are all 0"),
}  # fmt: skip


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return table(tmp_path / "people.csv", PEOPLE)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_before_anything_starts(mistake, people):
    words, code, told = MISTAKES[mistake]
    error = refused(*(people if word == "FILE" else word for word in words))
    assert (error.exit_code, told in str(error)) == (code, True), str(error)
    # Names, row numbers and counts: never what stands in a row.
    assert "secret" not in str(error) and "1.2" not in str(error)


@pytest.mark.parametrize(
    ("design", "told"),
    [
        (("--strata", "town", "--psu", "psu"), "--strata town) with a single PSU (--psu psu): 西."),
        (("--psu", "town"), None),
        (("--psu", "one"), "All rows are of one PSU"),
        (("--strata", "income"), "(a row each): 100, 110, 150, 160, 170."),
        (("--strata", "gap", "--psu", "psu"), "is empty in 2 of 5 rows, first in row 2."),
    ],
)
def test_strata_of_one_psu_are_refused_by_name(spark, tmp_path, design, told):
    sample = PEOPLE | {"income": [100, 110, 150, 160, 170], "one": [1] * 5,
                       "gap": ["a", None, "a", "", "a"]}  # fmt: skip
    file = table(tmp_path / "sample.csv", sample)
    words = (*("multidimensional", file, "--indicators", "ok,wet"),
             *("--indicator-weights", "3/4,1/4", "--cutoff", "1/2", *design))  # fmt: skip
    if told is None:
        assert ask(*words)["M0_se"] > 0
        return
    error = refused(*words)
    assert (error.exit_code, told in str(error)) == (12, True), str(error)


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "people.csv").write_text("income\n1\n")
    (tmp_path / "folder").mkdir()
    whole = gzip.compress(b"income\n" + b"1\n2\n" * 999)
    for name, content, code, told in (
        ("peeple.csv", None, 11, "Did you mean 'people.csv'?"),
        ("folder", None, 11, "is a folder"),
        ("nothing.csv", b"", 11, "is empty"),
        ("nothing.csv.gz", gzip.compress(b""), 11, "no heading"),
        ("blank.csv", b"\n\n", 11, "no heading"),
        ("no_rows.csv", b"income,w\n", 11, "no rows"),
        ("no_rows_no_end.csv", b"income,w", 11, "no rows"),
        ("book.xlsx", b"PK\x03\x04rest", 12, "workbook"),
        ("cut.csv.gz", whole[:-20], 12, "not whole"),
        ("cut.parquet", b"PAR1rest", 12, "no whole Parquet"),
        ("latin.csv", "income,é\n1,ÿ\n".encode("latin-1"), 12, "neither UTF-8 nor GB18030"),
        ("uneven.csv", b"income,w\n1,1\n\n2,2,9\n3\n", 12, "row 2 has 3 fields, the heading has 2"),
        ("quote.csv", b'w,income\n"1,5\n2,5\n', 12, "never closes"),
        ("twice.csv", b"income,income\n1,2\n", 2, "more than once"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        error = refused("poverty", tmp_path / name, "--value", "income", "--line", 2)
        assert (error.exit_code, told in str(error)) == (code, True), str(error)
    dates = tmp_path / "dates.parquet"
    pq.write_table(pa.table({"income": pa.array([0], pa.date32())}), dates)
    error = refused("poverty", dates, "--value", "income", "--line", 2)
    assert (error.exit_code, "date32" in str(error)) == (12, True)


def test_every_kind_of_file_reads_alike(spark, tmp_path):
    # Spaces, a sign, missing in several spellings, a comma and a line break within quotes.
    text = (
        '收入,村 名,"W.1",not asked for\n 100 ,甲,1,"a\nb"\n+1.1e2,"乙,\n丙",1,\n150.,甲,1.0,\n'
        ",甲,1,\nNA,甲,1,\n\n160,乙 ,,\n"
    )
    parquet = pa.table(
        {
            "收入": pa.array([100, 110, 150, None, None, 160], pa.decimal128(9, 2)),
            "村 名": pa.array(["甲", "乙,\n丙", "甲", "甲", "甲", "乙"]).dictionary_encode(),
            "W.1": pa.array([1, 1, 1, 1, 1, float("nan")]),
        }
    )
    pq.write_table(parquet, tmp_path / "plain.parquet")
    files = {
        "plain.csv": text.encode(),
        "bom.csv": text.encode("utf-8-sig"),
        "gb18030.csv": text.encode("gb18030"),
        "windows.csv": f"\n\n{text}".encode().replace(b"\n1", b"\r\n1"),
        "no_suffix": gzip.compress(text.encode("gb18030")),
        "plain.csv.gz": gzip.compress(text.encode()),
        "plain.parquet": (tmp_path / "plain.parquet").read_bytes(),
        "zipped.parquet.gz": gzip.compress((tmp_path / "plain.parquet").read_bytes()),
    }
    wants = {"value": Want("--value", "收入", AMOUNT), "weight": Want("--weight", "W.1", WEIGHT),
             "group": Want("--by", "村 名", LABEL)}  # fmt: skip
    for name, content in files.items():
        file = tmp_path / name
        file.write_bytes(content)
        with own_table(file, wants) as own:
            assert (name, own.n_rows) == (name, 6)
            assert [tuple(row) for row in own.rows.orderBy("row").collect()] == [
                (1, 100.0, 1.0, "甲"),
                (2, 110.0, 1.0, "乙,\n丙"),
                (3, 150.0, 1.0, "甲"),
                (4, None, 1.0, "甲"),
                (5, None, 1.0, "甲"),
                (6, 160.0, None, "乙"),
            ]


def test_out_writes_what_is_told_and_json_stays_alone(spark, tmp_path):
    file = table(tmp_path / "t.csv", {"b c": [0.1, None, 0.5], "D": [0.2, 0.3, 0.9]})
    for suffix in ("csv", "csv.gz", "parquet"):
        out = tmp_path / f"out.{suffix}"
        done = run("coupling", file, "--systems", "b c,D", "--out", out, "--json")
        assert f"Written: {out}, 3 rows." in done.stderr
        assert "Left out: 1 of 3 rows" in done.stderr
        assert done.stdout.startswith("{") and "Written" not in done.stdout
        read = pq.read_table if suffix == "parquet" else pacsv.read_csv
        made = read(out).to_pydict()
        assert made["row"] == [1, 2, 3]
        assert made["level"] == [4, None, 9]
        assert [name or None for name in made["lagging"]] == [None, None, "b c"]
    assert sorted(path.name for path in tmp_path.iterdir() if "out" in path.name) == [
        "out.csv", "out.csv.gz", "out.parquet"]  # fmt: skip
    out = tmp_path / "groups.csv"
    done = run("multidimensional", table(tmp_path / "p.csv", PEOPLE), "--indicators", "ok,wet",
               "--indicator-weights", "1/2,1/2", "--cutoff", "1", "--by", "town",
               "--out", out)  # fmt: skip
    assert "多维贫困" in done.stdout and "contributions" in done.stdout
    made = pacsv.read_csv(out).to_pydict()
    assert made["group"] == ["", "东", "西"] and made["scope"] == ["whole", "group", "group"]
    assert made["censored_wet"] == [0.25, 0.0, 0.5]


def test_nothing_to_count_is_null_and_said(spark, tmp_path):
    file = table(tmp_path / "t.csv", {"y": [None, 5], "w": [1, 0], "x": [0, None]})
    told = ask("poverty", file, "--value", "y", "--line", 9, "--weight", "w")
    assert told == {"n": 1, "n_left_out": 1, "headcount_ratio": None, "poverty_gap": None,
                    "squared_gap": None, "gini": None}  # fmt: skip
    words = ("--indicators", "x", "--indicator-weights", "1", "--cutoff", "1")
    told = ask("multidimensional", file, *words)
    assert (told["H"], told["A"], told["M0"]) == (0.0, None, 0.0)
    assert told["contributions"] == {"x": None}
    told = ask("entropy-weights", file, "--columns", "y,x")
    assert (told["n"], told["weights"]) == (0, {"y": None, "x": None})


def test_process_ends_with_the_code_and_without_a_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "lakehouse", "method", "poverty", "t.csv", "--value", "y",
         "--line", "1"],
        capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | {"BANGFU_HOME": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (11, "")
    assert done.stderr.startswith("bangfu: There is no file t.csv")


def test_every_method_has_help_with_a_chinese_word_and_an_example():
    assert "method" in CliRunner().invoke(app, ["--help"]).output
    for command in methods.registered_commands:
        assert command.callback is not None and command.callback.__doc__
        first = command.callback.__doc__.splitlines()[0]
        assert any("\u4e00" <= letter <= "\u9fff" for letter in first)
        assert "Examples: `bangfu method" in command.callback.__doc__
