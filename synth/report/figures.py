"""Figures of what was made, each under the name that conf/synth_anchors.toml uses.

Read from truth/ and from the operator's files as any other system would read them.
"""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd

from lakehouse.delivery import MANIFEST
from lakehouse.errors import InputMissing
from synth.report import models, phones

PEOPLE = """
WITH last AS (SELECT max(month_end) AS day FROM household_month),
     here AS (SELECT DISTINCT person_id, household_id FROM membership WHERE until IS NULL)
SELECT avg((date_diff('day', born, day) / 365.2425 >= 65)::INT) AS share_65,
       avg((ethnicity <> 'han')::INT) AS minority_share,
       avg((work = 'farming')::INT) FILTER (work IN ('farming', 'local_job', 'migrant', 'public'))
         AS farming_share
FROM here JOIN person USING (person_id), last
"""
HOUSEHOLDS = """
SELECT avg(n_members) AS household_size,
       sum(n_members) FILTER (is_poor) / sum(n_members) AS poor_share,
       sum(n_members) FILTER (is_listed) / sum(n_members) AS listed_share,
       quantile_cont(net_income_cny, 0.5) AS net_income_median
FROM household WHERE is_rural OR NOT (SELECT bool_or(is_rural) FROM household)
"""
FACILITIES = """
SELECT sum(n_members) AS population, avg(has_tap_water::INT) FILTER (NOT is_collective)
         AS tap_water_share,
       avg(has_toilet::INT) FILTER (NOT is_collective) AS toilet_share,
       avg(has_car::INT) FILTER (NOT is_collective) AS car_share
FROM household
"""
# A month: what one number does in the last month that has records for all its days.
CALLS = """
SELECT avg(duration_s::DOUBLE) FILTER (kind = 'call') AS call_seconds FROM cdr
"""
CONTACTS = """
WITH met AS (
  SELECT caller AS number, recipient AS other FROM cdr
  UNION ALL SELECT recipient, caller FROM cdr),
each AS (SELECT number, count(DISTINCT other) AS n FROM met
         WHERE number IN (SELECT phone FROM subscriber) GROUP BY number)
SELECT quantile_cont(n, 0.5) AS contacts_p50, quantile_cont(n, 0.9) AS contacts_p90 FROM each
"""
BILLS = """
SELECT quantile_cont(charge_yuan::DOUBLE, 0.1) AS arpu_p10,
       quantile_cont(charge_yuan::DOUBLE, 0.5) AS arpu_p50,
       quantile_cont(charge_yuan::DOUBLE, 0.9) AS arpu_p90
FROM bill WHERE try_cast(charge_yuan AS DOUBLE) IS NOT NULL
"""
DATA = """
WITH each AS (SELECT subscriber, sum(try_cast(up_bytes AS DOUBLE)
                + try_cast(down_bytes AS DOUBLE)) / 1e6 AS mb FROM data_session GROUP BY ALL)
SELECT quantile_cont(mb, 0.5) AS data_mb_p50, quantile_cont(mb, 0.9) AS data_mb_p90 FROM each
"""
# View -> feed of the operator.
VIEWS = {
    "cdr": "cdr", "data_session": "data_session", "register": "subscriber", "bill": "bill",
    "recharge": "recharge", "handset": "handset",
}  # fmt: skip
# Lines that cannot be read are left out.
TEXT = ", all_varchar=true, header=true, delim=',', ignore_errors=true"
# What may be odd about a delivery whose rows are all there under their names.
HARMLESS = ("late", "moved_columns", "added_column", "bom")
MONTH = range(28, 32)  # Days.
TRUTH = ("household", "household_month", "membership", "person", "subscriber")


def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection that sees truth/ and the operator's files as tables.

    Raises InputMissing where `folder` is no output of `bangfu synth`.
    """
    if not (folder / "truth" / "household.parquet").exists():
        raise InputMissing(f"--report {folder}: it holds no truth/. `bangfu synth --out` makes it.")
    db = duckdb.connect()
    db.execute("SET enable_progress_bar = false")
    for table in TRUTH:
        path = folder / "truth" / f"{table}.parquet"
        if path.exists():
            db.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet({_quoted(path)})")
    for view, feed in VIEWS.items():
        files = right_files(folder, feed)
        if files:
            is_text = files[0].suffix != ".parquet"
            reader, more = ("read_csv", TEXT) if is_text else ("read_parquet", "")
            every = ", ".join(map(_quoted, files))
            db.execute(
                f"CREATE VIEW {view} AS SELECT * FROM {reader}([{every}], union_by_name=true{more})"
            )
    return db


def right_files(folder: Path, feed: str) -> list[Path]:
    """Return the files of an operator's feed, but for deliveries in which something is wrong.

    What faults/ says of single rows is left in them.
    """
    wrong: set[tuple[str, str]] = set()
    listed = folder / "faults" / "delivery.parquet"
    if listed.exists():
        rows = pd.read_parquet(listed, columns=["feed", "period", "delivery", "kind"])
        rows = rows[(rows["feed"] == feed) & ~rows["kind"].isin(HARMLESS)]
        wrong = set(zip(rows["period"], rows["delivery"], strict=True))
    found = sorted((folder / "landing" / "operator" / feed).glob("*/*/*.*"))
    return [
        file for file in found
        if file.name != MANIFEST and (file.parent.parent.name, file.parent.name) not in wrong
    ]  # fmt: skip


def figures(folder: Path) -> dict[str, float]:
    """Return every figure that the folder has something for."""
    with opened(folder) as db:
        there = {row[0] for row in db.execute("SELECT view_name FROM duckdb_views()").fetchall()}
        asked = [({"person", "membership", "household_month"}, PEOPLE), ({"household"}, HOUSEHOLDS),
                 ({"household"}, FACILITIES),
                 ({"cdr"}, CALLS), ({"bill"}, BILLS)]  # fmt: skip
        # What is counted over a month needs the days of one.
        if len({file.parent.parent for file in right_files(folder, "cdr")}) in MONTH:
            asked += [({"cdr", "subscriber"}, CONTACTS), ({"data_session"}, DATA)]
        found: dict[str, float] = {}
        for needs, query in asked:
            if needs <= there:
                row = db.execute(query).df().iloc[0]
                found |= {name: float(value) for name, value in row.items() if pd.notna(value)}
        rows = models.households(folder / "truth")
        judged: list[tuple[str, pd.DataFrame, Callable[[pd.DataFrame], float]]] = [
            ("auc_geography", rows, models.geography),
            ("auc_proxy_means", rows, models.proxy_means),
        ]
        if {"cdr", "subscriber"} <= there:
            judged.append(("auc_phone", phones.numbers(db, there), phones.auc))
    for name, frame, judge in judged:
        found[name] = judge(frame)
        of_county = models.of_counties(frame, judge)
        if of_county is not None:
            found[f"{name}_county"] = of_county
    return found


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
