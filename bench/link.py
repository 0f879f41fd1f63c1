"""`make bench-link`: six registers of one city linked, beside Splink, as the city grows.

Both look at the same pairs (those that agree in one of PASSES), hold them against each other by
the same levels and learn weights without labels. Precision, recall and F1 are of pairs, against
who the records are of, at a probability of one half and at the best threshold that a sweep finds.
Each engine has a process of its own: CPU seconds are those of the process and all that it started,
from its start to its end, and memory is the highest of them together.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from bench.link_mentions import made
from lakehouse.commands import print_table, say

PASSES = (("id_no",), ("phone", "surname_name"), ("surname_name", "born"), ("born", "village"))


def ours(mentions: Path, out: Path) -> dict[str, Any]:
    """Link with Spark; write pairs (l_row, r_row, probability) and return the counts."""
    from jobs.methods import agreement, linking
    from jobs.methods.agreement import Comparison
    from lakehouse.spark import session

    kinds = {"id_no": "id", "surname_name": "name", "born": "date", "phone": "id",
             "village": "code"}  # fmt: skip
    comparisons = [Comparison(column, kind) for column, kind in kinds.items()]
    spark = session()
    prepared = agreement.prepared(spark.read.parquet(str(mentions)), comparisons)
    prepared.write.parquet(str(out / "prepared"))  # as `bangfu method link` does
    rows = spark.read.parquet(str(out / "prepared"))
    linking.compared(rows, None, comparisons, PASSES).write.parquet(str(out / "pairs"))
    pairs = spark.read.parquet(str(out / "pairs"))
    learnt = linking.learnt(
        comparisons,
        linking.pattern_counts(pairs, rows, None, comparisons),
        linking.totals(rows, None, comparisons),
        PASSES,
        at_least=1e-9,
    )
    linking.linked(pairs, learnt).select("l_row", "r_row", "probability").write.parquet(
        str(out / "linked")
    )
    return {"candidates": learnt.n_candidates}


def splinks(mentions: Path, out: Path) -> dict[str, Any]:
    """Do the same with Splink on DuckDB: the same passes and levels, its own way to learn."""
    import duckdb
    import splink.comparison_level_library as cll
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    con = duckdb.connect(str(out / "splink.duckdb"))
    con.execute("SET threads = 2; SET memory_limit = '4GB'")
    con.execute(
        f"CREATE TABLE mentions AS SELECT row AS unique_id, * EXCLUDE (row, who)"
        f" FROM read_parquet('{mentions}/*.parquet')"
    )
    api = DuckDBAPI(connection=con)

    def levels(column: str, *conditions: str) -> cl.CustomComparison:
        between = [
            cll.CustomLevel(condition.format(f"{column}_l", f"{column}_r"), label_for_charts=name)
            for condition, name in zip(conditions, ("alike", "half alike"), strict=False)
        ]
        return cl.CustomComparison(
            output_column_name=column,
            comparison_levels=[cll.NullLevel(column), cll.ExactMatchLevel(column), *between,
                               cll.ElseLevel()],
        )  # fmt: skip

    by_edits = ("levenshtein({0}, {1}) <= 1", "levenshtein({0}, {1}) <= 2")
    share = "levenshtein({0}, {1}) <= %s * greatest(length({0}), length({1}))"
    settings = SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[block_on(*one) for one in PASSES],
        comparisons=[
            levels("id_no", *by_edits), levels("surname_name", share % 0.3, share % 0.5),
            levels("born", *by_edits), levels("phone", *by_edits), levels("village"),
        ],
        additional_columns_to_retain=[],
    )  # fmt: skip
    linker = Linker(api.register("mentions"), settings)
    train = linker.training
    train.estimate_probability_two_random_records_match([block_on("id_no")], recall=0.9)
    train.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (block_on("id_no"), block_on("surname_name", "born")):
        train.estimate_parameters_using_expectation_maximisation(rule)
    pairs = linker.inference.predict(threshold_match_probability=1e-9)
    con.execute(
        "COPY (SELECT unique_id_l AS l_row, unique_id_r AS r_row, match_probability AS probability"
        f" FROM {pairs.physical_name}) TO '{out / 'linked.parquet'}'"
    )
    return {"candidates": con.execute(f"SELECT count(*) FROM {pairs.physical_name}").fetchone()[0]}


def judged(mentions: Path, linked: str) -> dict[str, float]:
    """Return precision, recall and F1 of pairs, at one half and at the best of some thresholds."""
    import duckdb

    con = duckdb.connect()
    con.execute("SET threads = 2; SET memory_limit = '4GB'")
    true = con.execute(
        "SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM"
        f" read_parquet('{mentions}/*.parquet') GROUP BY who)"
    ).fetchone()[0]
    rows = con.execute(
        "SELECT floor(least(probability, 0.99999) * 1000) AS step, count(*),"
        " count_if(a.who = b.who)"
        f" FROM read_parquet('{linked}') p"
        f" JOIN read_parquet('{mentions}/*.parquet') a ON a.row = p.l_row"
        f" JOIN read_parquet('{mentions}/*.parquet') b ON b.row = p.r_row"
        " GROUP BY 1 ORDER BY 1 DESC"
    ).fetchall()
    found = right = 0
    best = {"f1": 0.0}
    at_half: dict[str, float] = {}
    for step, n, n_right in rows:
        found, right = found + n, right + n_right
        told = {"precision": right / found, "recall": right / true,
                "f1": 2 * right / (found + true)}  # fmt: skip
        best = max(best, told, key=lambda one: one["f1"])
        at_half = told if step >= 500 else at_half
    return at_half | {"best_f1": best["f1"], "true_pairs": true}


def measured(engine: str, mentions: Path, out: Path) -> dict[str, Any]:
    """Run one engine in a process of its own and return what it found and cost."""
    out.mkdir()
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.link", "--engine", engine, "--mentions", str(mentions),
         "--work", str(out)], stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    seen: dict[int, float] = {}
    peak = 0
    process = psutil.Process(child.pid)
    while child.poll() is None:
        memory = 0
        for one in [process, *_children(process)]:
            try:
                times = one.cpu_times()
                seen[one.pid] = times.user + times.system
                memory += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak = max(peak, memory)
        time.sleep(0.2)
    told = child.stdout.read() if child.stdout else ""
    if child.returncode:
        raise SystemExit(f"{engine} ended with {child.returncode}.")
    cost = {"seconds": time.perf_counter() - began, "cpu": sum(seen.values()),
            "peak": peak / 2**30}  # fmt: skip
    return json.loads(told.splitlines()[-1]) | cost


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def compare(people: int, folder: Path, engines: list[str]) -> list[dict[str, Any]]:
    """Make the mentions of a city of so many people, and link them with each engine."""
    from lakehouse.spark import session

    mentions = folder / f"mentions-{people}"
    spark = session()
    spark.sql(made(people)).write.parquet(str(mentions))
    n_rows = spark.read.parquet(str(mentions)).count()
    spark.stop()
    told = []
    for engine in engines:
        work = folder / f"{engine}-{people}"
        found = measured(engine, mentions, work)
        linked = f"{work}/linked/*.parquet" if engine == "bangfu" else f"{work}/linked.parquet"
        told.append(
            {"people": people, "rows": n_rows, "engine": engine}
            | {key: round(value, 2) for key, value in found.items()}
            | {"per_million": round(found["cpu"] / n_rows * 1e6, 1)}
            | {key: round(value, 5) for key, value in judged(mentions, linked).items()}
        )
        say(str(told[-1]))
    return told


def main() -> None:
    """Compare the engines on cities of several sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", default="100000,400000", help="sizes, by commas")
    parser.add_argument("--engines", default="bangfu,splink", help="which, by commas")
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    parser.add_argument("--mentions", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.engine:
        work = {"bangfu": ours, "splink": splinks}[said.engine]
        print(json.dumps(work(said.mentions, said.work)))
        return
    with tempfile.TemporaryDirectory(prefix="bangfu-bench-") as folder:
        told = []
        for people in map(int, said.people.split(",")):
            told += compare(people, Path(folder), said.engines.split(","))
    heads = {
        "people": "people", "rows": "records", "engine": "engine", "candidates": "pairs",
        "seconds": "s", "cpu": "CPU s", "per_million": "CPU s per 1 M", "peak": "GiB",
        "precision": "precision", "recall": "recall", "f1": "F1", "best_f1": "best F1",
    }  # fmt: skip
    print_table("Six registers linked", told, heads)


if __name__ == "__main__":
    main()
