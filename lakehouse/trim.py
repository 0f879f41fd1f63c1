"""What grows beside the lake: records of runs and checks, pages of checks, events of lineage.

Never the ledger of deliveries, nor words on them, nor what happened to models.
"""

import re
import shutil
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from lakehouse.conf import Settings
from lakehouse.inputs import utc
from lakehouse.ops import Ops
from lakehouse.ops_tables import check_table, run_table

# How Great Expectations names the folder of one run of a suite.
RUN = re.compile(r"\d{8}T\d{6}\.\d+Z")


def records(ops: Ops, now: datetime, days: float, dry_run: bool) -> int:
    """Strike records of runs older than some days, with their checks; return how many runs.

    The newest of each table, date and state stay: what is stale, due or shown rests on them.
    """
    columns = run_table.c
    query = sa.select(
        columns.run_id, columns.table_name, columns.as_of, columns.state, columns.started_at
    ).order_by(columns.started_at.desc())
    limit = now - timedelta(days=days)
    seen, old = set(), []
    for row in ops.rows(query):
        key = (row["table_name"], row["as_of"], row["state"])
        if utc(row["started_at"]) < limit and (key in seen or row["state"] == "running"):
            old.append(row["run_id"])
        seen.add(key)
    if not dry_run:
        with ops.engine.begin() as connection:
            for first in range(0, len(old), 500):
                ids = old[first : first + 500]
                connection.execute(check_table.delete().where(check_table.c.run_id.in_(ids)))
                connection.execute(run_table.delete().where(columns.run_id.in_(ids)))
    return len(old)


def events(conf: Settings, now: datetime, days: float, dry_run: bool) -> tuple[int, int]:
    """Remove the files of lineage of days longer ago than some; return how many, and their bytes.

    `bangfu lineage` knows columns by the newest run of a table: with records of runs kept as long,
    only a table that nobody has made for so long loses them.
    """
    limit = f"{now - timedelta(days=days):%Y-%m-%d}"
    root = Path(conf.get("lineage", "root"))
    old = [one for one in root.glob("????-??-??.jsonl") if one.stem < limit]
    n_bytes = sum(one.stat().st_size for one in old)
    if not dry_run:
        for one in old:
            one.unlink()
    return len(old), n_bytes


def pages(conf: Settings, now: datetime, days: float, dry_run: bool) -> tuple[int, int]:
    """Remove results and pages of checks older than some days; return how many, and their bytes.

    The newest of each table stays.
    """
    root = Path(conf.get("docs", "root")) / "quality" / "uncommitted"
    of_suite: dict[Path, list[Path]] = defaultdict(list)
    for folder in root.rglob("*"):
        if RUN.fullmatch(folder.name) and folder.is_dir():
            of_suite[folder.parent].append(folder)
    limit = f"{now - timedelta(days=days):%Y%m%dT%H%M%S}"
    n, n_bytes = 0, 0
    for folders in of_suite.values():
        for folder in sorted(folders)[:-1]:
            if folder.name >= limit:
                continue
            files = [one for one in folder.rglob("*") if one.is_file()]
            n, n_bytes = n + len(files), n_bytes + sum(one.stat().st_size for one in files)
            if not dry_run:
                shutil.rmtree(folder)
    return n, n_bytes
