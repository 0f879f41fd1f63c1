"""A house of a proof: landing started in it, and what it left, to be held against another."""

import hashlib
import json
import os
import sqlite3
import subprocess  # nosec B404
import sys
from dataclasses import dataclass
from pathlib import Path

from deltalake import DeltaTable


@dataclass(frozen=True)
class House:
    """One house of the proof: a folder with its lake and its ledger."""

    home: Path

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", *(words or ("lakehouse", "land"))]

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start landing in a process group of its own."""
        env = os.environ | {"BANGFU_HOME": str(self.home)}
        return subprocess.Popen(  # nosec B603
            self.command(*words), env=env, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def land(self) -> int:
        """Land to the end; return the exit code."""
        return self.start().wait()

    def tables(self) -> list[Path]:
        """Return the Delta tables: bronze, quarantine, vault."""
        return sorted(path.parent for path in (self.home / "lake").rglob("_delta_log"))

    def state(self) -> dict[str, str]:
        """Return a hash of the rows of each table, and of the ledger."""
        told = {}
        for path in self.tables():
            frame = DeltaTable(path).to_pyarrow_table().to_pylist()
            for row in frame:
                # A surrogate is random: that each identity has one, and the same, is what counts.
                row.pop("surrogate", None)
            rows = sorted(repr(sorted(row.items(), key=lambda one: one[0])) for row in frame)
            name = str(path.relative_to(self.home / "lake"))
            told[name] = f"{len(rows)} rows {_hash(rows)}"
        with sqlite3.connect(self.home / "ops.db") as ops:
            query = (
                "SELECT delivery_id, state, reason, n_read, n_created, n_quarantined FROM delivery"
            )
            rows = sorted(map(repr, ops.execute(query)))
            told["ledger"] = f"{len(rows)} deliveries {_hash(rows)}"
            rows = sorted(
                map(repr, ops.execute("SELECT table_name, slice, reason, n_rows FROM reason"))
            )
            told["reasons"] = _hash(rows)
        return told

    def where(self) -> str:
        """Return where a killed landing stood, by what it left."""
        files = list((self.home / "lake" / "bronze").rglob("*.parquet"))
        if not files:
            return "before the first data file"
        logged = sum(len(DeltaTable(path).file_uris()) for path in self.tables()
                     if path.parent.name == "bronze")  # fmt: skip
        if len(files) > logged:
            return "data files without their log entry"
        with sqlite3.connect(self.home / "ops.db") as ops:
            [(known,)] = ops.execute("SELECT count(*) FROM delivery WHERE state = 'landed'")
        appended = {
            transaction for path in self.tables() if path.parent.name == "bronze"
            for transaction in _transactions(path)
        }  # fmt: skip
        return (
            "log entry without its ledger line" if len(appended) > known else "between deliveries"
        )


def _transactions(path: Path) -> set[str]:
    """Return the names of transactions that a table's log holds."""
    found = set()
    for entry in (path / "_delta_log").glob("*.json"):
        for line in entry.read_text(encoding="utf-8").splitlines():
            action = json.loads(line)
            if "txn" in action:
                found.add(action["txn"]["appId"])
    return found


def _hash(rows: list[str]) -> str:
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:12]
