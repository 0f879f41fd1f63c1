"""The databases of a house in a backup: the operations store as text, MLflow's as it is.

The operations store is written table by table as JSON lines, so what was kept in SQLite can be
restored into PostgreSQL, and the other way round.
"""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lakehouse.errors import DeclarationError
from lakehouse.ops_tables import meta

ROWS = 1000
# Where MLflow's own database names places of artifacts.
PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("logged_models", "artifact_location"),
)


def dump(engine: sa.Engine, folder: Path) -> None:
    """Write each table of the operations store to `<table>.jsonl`, all as of one moment."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        for table in meta.sorted_tables:
            found = connection.execution_options(yield_per=ROWS).execute(sa.select(table))
            with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as file:
                for row in found.mappings():
                    told = json.dumps(dict(row), ensure_ascii=False, default=_text)
                    file.write(told + "\n")


def _text(value: Any) -> str:
    return str(value.isoformat())


def is_empty(engine: sa.Engine) -> bool:
    """Tell whether an operations store has no row."""
    with engine.connect() as connection:
        return all(
            connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is None
            for table in meta.sorted_tables
        )


def load(engine: sa.Engine, folder: Path) -> None:
    """Fill an empty operations store from what `dump` wrote, in one transaction."""
    with engine.begin() as connection:
        for table in meta.sorted_tables:
            path = folder / f"{table.name}.jsonl"
            if not path.exists():  # a backup of before this table
                continue
            with path.open(encoding="utf-8") as file:
                for line in file:
                    connection.execute(table.insert().values(_row(table, json.loads(line))))
            _count_on(connection, table)


def _row(table: sa.Table, told: dict[str, Any]) -> dict[str, Any]:
    for name in told:
        if name not in table.c:
            raise DeclarationError(
                f"The backup has {table.name}.{name}, which this Bangfu does not know: restore "
                "with the version that made it."
            )
    # What is null is left out: None as JSON would be the text null.
    return {
        name: _value(table.c[name].type, value) for name, value in told.items() if value is not None
    }


def _value(kind: Any, value: Any) -> Any:
    if isinstance(kind, sa.DateTime):
        at = datetime.fromisoformat(value)
        return at if at.tzinfo else at.replace(tzinfo=UTC)  # SQLite forgets the zone
    return date.fromisoformat(value) if isinstance(kind, sa.Date) else value


def _count_on(connection: sa.Connection, table: sa.Table) -> None:
    """Have PostgreSQL number new rows after those restored; SQLite does so by itself."""
    column = table.autoincrement_column
    if connection.dialect.name != "postgresql" or column is None:
        return
    newest = sa.select(sa.func.max(column)).scalar_subquery()
    sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
    connection.execute(sa.select(sa.func.setval(sequence, newest)))


def sqlite_file(url: str) -> Path | None:
    """Return the file of an SQLite address, or None where another server keeps the store."""
    told = sa.make_url(url) if url.startswith("sqlite") else None
    return Path(told.database) if told is not None and told.database else None


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy an SQLite database as of one moment, whoever writes to it."""
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as write:
        read.backup(write)


def move_artifacts(database: Path, was: str, now: str) -> None:
    """Have MLflow's database name the artifacts where they are now."""
    with closing(sqlite3.connect(database)) as write, write:
        for table, column in PLACES:
            known = {row[1] for row in write.execute(f"PRAGMA table_info({table})")}
            if column in known:
                write.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?) "
                    f"WHERE {column} LIKE '%' || ? || '%'",
                    (was, now, was),
                )
