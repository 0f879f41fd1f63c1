"""Rows of a table of a database, in batches, by a cursor of the server: memory is a batch."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lakehouse.errors import DeclarationError, InputMissing, nearest
from lakehouse.sources.declared import Source
from lakehouse.sources.outgoing import Row


def rows_of(
    source: Source, first: date, last: date, zone: str, after: str | None
) -> Iterator[list[Row]]:
    """Yield batches of rows: of the days `first`..`last`, after a key, or all.

    Raises InputMissing where the database or the table is not there, DeclarationError for a
    column that is not.
    """
    engine = sa.create_engine(source.address())
    try:
        with engine.connect() as connection:
            table = _table(source, connection)
            query = _query(source, table, first, last, zone, after)
            stream = connection.execution_options(
                stream_results=True, max_row_buffer=source.batch
            ).execute(query)
            for batch in stream.mappings().partitions(source.batch):
                yield [dict(row) for row in batch]
    except sa.exc.OperationalError as error:
        # The driver's own words may hold the address with its password.
        raise InputMissing(
            f"{source.name}: the database does not answer ({type(error.orig).__name__})."
        ) from None
    finally:
        engine.dispose()


def mark_of(source: Source, rows: list[Row]) -> str | None:
    """Return the key of the last row of a batch: rows come in its order."""
    return str(rows[-1][source.by]) if rows and source.by and source.new == "key" else None


def _table(source: Source, connection: sa.Connection) -> sa.Table:
    schema, _, name = source.table.rpartition(".")
    try:
        return sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=connection)
    except sa.exc.NoSuchTableError:
        inside = sa.inspect(connection)
        known = [*inside.get_table_names(schema or None), *inside.get_view_names(schema or None)]
        raise InputMissing(
            f"{source.name}: the database has no table {source.table!r}.{nearest(name, known)}"
        ) from None


def _query(
    source: Source, table: sa.Table, first: date, last: date, zone: str, after: str | None
) -> sa.Select[Any]:
    query = sa.select(table)
    if not source.by:
        return query
    if source.by not in table.columns:
        near = nearest(source.by, list(table.columns.keys()))
        raise DeclarationError(f"{source.name}: {source.table} has no column {source.by!r}.{near}")
    by = table.columns[source.by]
    if source.new == "key":
        query = query.where(by > _as(by, after)) if after is not None else query
        return query.order_by(by)
    begin, end = (_moment(by, day, zone) for day in (first, last + timedelta(days=1)))
    return query.where(by >= begin, by < end).order_by(by)


def _as(column: "sa.Column[Any]", text: str) -> Any:
    """Return the text of a key as the column has it."""
    kind = column.type.python_type
    if kind in (datetime, date):
        return kind.fromisoformat(text)
    return kind(text)


def _moment(column: "sa.Column[Any]", day: date, zone: str) -> Any:
    """Return the beginning of a local day as the column tells it: a day, a local time, a moment."""
    if column.type.python_type is date:
        return day
    is_moment = getattr(column.type, "timezone", False)
    return datetime.combine(day, time(), ZoneInfo(zone) if is_moment else None)
