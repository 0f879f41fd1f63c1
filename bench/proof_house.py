"""A house of a proof: work started in it, and what it left, to be held against another house."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess  # nosec B404
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from lakehouse.clocks import KNOWN
from lakehouse.commands import say

AS_OF = date(2015, 12, 31)
LAND = ("lakehouse", "land")
# Tables of silver that the proof makes, of the feeds that it delivers.
TABLES = ("silver.area", "silver.cell", "silver.person", "silver.cdr_event")
RUN = ("lakehouse", "run", *TABLES, "--as-of", AS_OF.isoformat())
# Small tables and short lives: one partition each, and no time spent on compiling for speed.
LIGHT = {
    "BANGFU__SPARK__spark.sql.shuffle.partitions": "1",
    "BANGFU__SPARK__spark.sql.adaptive.enabled": "false",
    "BANGFU__SPARK__spark.databricks.delta.snapshotPartitions": "1",
    "BANGFU__SPARK__spark.sql.codegen.wholeStage": "false",
    "BANGFU__SPARK__spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "BANGFU__SPARK__spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}


@contextmanager
def folder_of(proof: str, keep: bool) -> Iterator[Path]:
    """Give a proof a folder, which goes with it unless somebody wants to look into it."""
    folder = Path(tempfile.mkdtemp(prefix=f"bangfu-{proof}-"))
    try:
        yield folder
    finally:
        if keep:
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class House:
    """One house of the proof: a folder with its lake and its ledger."""

    home: Path

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    def start(self, *words: str, before: tuple[str, ...] = ()) -> "subprocess.Popen[bytes]":
        """Start a module in a process group of its own; `before` is a command that runs it."""
        env = os.environ | LIGHT | {"BANGFU_HOME": str(self.home)}
        log = (self.home / "log.txt").open("ab")
        return subprocess.Popen(  # nosec B603
            [*before, sys.executable, "-m", *words], env=env, start_new_session=True,
            stdout=log, stderr=log,
        )  # fmt: skip

    def work(self) -> int:
        """Land what is there, then make silver; return the first exit code that is not 0."""
        return self.start(*LAND).wait() or self.start(*RUN).wait()

    def tables(self) -> list[Path]:
        """Return the Delta tables: bronze, quarantine, vault, silver."""
        logs = (path for path in self.lake.rglob("_delta_log") if any(path.glob("*.json")))
        return sorted(path.parent for path in logs)

    def state(self) -> dict[str, str]:
        """Return a hash of the rows of each table, of the ledger and of the counts by reason."""
        told = {}
        names = self._names()
        for path in self.tables():
            rows = sorted(
                repr(sorted((key, names.get(value, value)) for key, value in _plain(row, names)))
                for row in DeltaTable(path).to_pyarrow_table().to_pylist()
            )
            if rows:  # An empty quarantine is none.
                told[str(path.relative_to(self.lake))] = f"{len(rows)} rows {_hash(rows)}"
        for name, query in (
            ("ledger", "SELECT delivery_id, state, reason, n_read, n_created, n_quarantined "
             "FROM delivery"),
            ("reasons", "SELECT table_name, slice, reason, n_rows FROM reason"),
        ):  # fmt: skip
            with sqlite3.connect(self.home / "ops.db") as ops:
                rows = sorted(map(repr, ops.execute(query)))
            told[name] = f"{len(rows)} {_hash(rows)}"
        return told

    def _names(self) -> dict[Any, str]:
        """Return surrogate -> hash of the identity: the one is random, the other is not."""
        path = self.lake / "vault" / "identity"
        if not path.exists():
            return {}
        rows = DeltaTable(path).to_pyarrow_table(columns=["surrogate", "identity_hmac"]).to_pylist()
        return {row["surrogate"]: row["identity_hmac"] for row in rows}

    def set_aside(self) -> dict[str, int]:
        """Return how many lines are set aside in landing, and rows on their way to silver."""
        told = {"lines": 0, "rows": 0}
        with sqlite3.connect(self.home / "ops.db") as ops:
            query = "SELECT table_name, sum(n_rows) FROM reason GROUP BY table_name"
            for table, n in ops.execute(query):
                told["lines" if table.startswith("bronze.") else "rows"] += n
        return told

    def where(self) -> str:
        """Return where a killed process stood, by what it left."""
        if not self._landed():
            return self._where_landing()
        if any((self.lake / "silver").rglob("*.parquet")):
            return "silver, begun"
        return "landed, before silver"

    def has_files(self, layer: str) -> bool:
        """Tell whether a data file of a layer is there, staged ones of bronze included."""
        folders = (layer, "_staging") if layer == "bronze" else (layer,)
        try:
            return any(any((self.lake / one).rglob("*.parquet")) for one in folders)
        except FileNotFoundError:  # Staging went while it was looked through.
            return False

    def _landed(self) -> bool:
        there = sum(1 for _ in (self.home / "landing").glob("*/*/*/*/_READY"))
        return there == self._ledger("1 = 1")

    def _where_landing(self) -> str:
        bronze = [path for path in self.tables() if path.parent.name == "bronze"]
        staged = any((self.lake / "_staging").rglob("rows.parquet"))
        files = sum(1 for _ in (self.lake / "bronze").rglob("*.parquet"))
        if not files and not staged:
            return "before the first data file"
        if files > sum(len(DeltaTable(path).file_uris()) for path in bronze):
            return "data files without their log entry"
        if staged:
            return "data files not yet in their place"
        appended = sum(len(_transactions(path)) for path in bronze)
        if appended > self._ledger("state = 'landed'"):
            return "log entry without its ledger line"
        return "between two deliveries"

    def _ledger(self, condition: str) -> int:
        if not (self.home / "ops.db").exists():
            return 0
        with sqlite3.connect(self.home / "ops.db") as ops:
            query = f"SELECT count(*) FROM delivery WHERE {condition}"  # nosec B608
            return int(ops.execute(query).fetchone()[0])


def kill(process: "subprocess.Popen[bytes]") -> bool:
    """Kill a process and everything that it started (SIGKILL); tell whether it was alive."""
    if process.poll() is not None:
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True


def _plain(row: dict[str, Any], names: dict[Any, str]) -> list[tuple[str, Any]]:
    """Return what of a row is the same in every house."""
    if (row.get("row") or "").startswith("{"):  # A row set aside: its tokens are random too.
        inside = json.loads(row["row"]).items()
        row = row | {"row": repr(sorted((key, names.get(value, value)) for key, value in inside))}
    # When a house knew is its own; that it still says so is not.
    told = (
        (key, value is None if key in KNOWN else value)
        for key, value in row.items()
        if key != "surrogate"
    )
    return [(key, repr(value) if isinstance(value, list | dict) else value) for key, value in told]


def _transactions(path: Path) -> set[str]:
    """Return the names of transactions that a table's log holds."""
    entries = (path / "_delta_log").glob("*.json")
    actions = (json.loads(line) for one in entries for line in one.read_text("utf-8").splitlines())
    return {action["txn"]["appId"] for action in actions if "txn" in action}


def _hash(rows: list[str]) -> str:
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:12]
