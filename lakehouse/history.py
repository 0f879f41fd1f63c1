"""What a table said, kept on two clocks: only rows that changed are written.

A run states for a span of days what is so. Where the rows known until now say otherwise for these
days, they are closed on the clock of knowledge, and what holds before, within and after the span
is opened anew. So a late or corrected delivery mends its own days, and it can still be asked what
was known before it came. Snodgrass, R. T. (2000), "Developing Time-Oriented Database Applications
in SQL", ch. 10 (bitemporal tables, sequenced modifications).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.clocks import clocks_of, history_of, tells_validity
from lakehouse.errors import ChecksFailed
from lakehouse.history_pieces import (
    CLOSES,
    NEW,
    OPENS,
    WAS_THERE,
    affected_by,
    open_or_after,
    pieces_known,
    pieces_of,
)
from lakehouse.io import Lake
from lakehouse.span import Span
from lakehouse.table import Table

if TYPE_CHECKING:
    from delta.tables import DeltaTable


@dataclass(frozen=True)
class Kept:
    """What one state changed, by keys, and the rows of the history closed and opened for it."""

    created: int = 0
    updated: int = 0
    gone: int = 0
    closes: int = 0
    opens: int = 0


def keep(lake: Lake, table: type[Table], state: DataFrame, span: Span) -> Kept:
    """Put a whole state of a table, one row a key, into its history; one commit, or none.

    The same state again changes nothing. Raises ChecksFailed where Delta counts other rows than
    were planned.
    """
    history = history_of(table)
    with lake.writing(history) as delta:
        if lake.version(history.name) == 0:
            return _begin(lake, history, state, span)
        standing = delta.toDF().where("known_to IS NULL")
        if tells_validity(table):
            pieces = pieces_known(standing, state, table).localCheckpoint()
        else:
            affected = affected_by(standing, state, table, span).localCheckpoint()
            if affected.isEmpty():
                return Kept()
            pieces = pieces_of(affected, standing, table, span).localCheckpoint()
        kept = _count(pieces)
        if kept.closes or kept.opens:
            _write(delta, pieces, table, history)
            written = lake.written(history.name)
            if (written.created, written.updated) != (kept.opens, kept.closes):
                raise ChecksFailed(
                    f"{history.name} opened {written.created} rows and closed {written.updated}, "
                    f"planned were {kept.opens} and {kept.closes}: somebody else wrote to it."
                )
    return kept


def said_of(
    rows: DataFrame, table: type[Table], day: date, known_at: datetime | None = None
) -> DataFrame:
    """Return what the history of a table says of a day, as known now or at a time before.

    It has the columns of the table; of one that tells validity itself the rows that hold that day.
    """
    valid = (F.col("valid_from") <= F.lit(day)) & open_or_after(F.col("valid_to"), F.lit(day))
    known = F.col("known_to").isNull()
    if known_at is not None:
        at = _moment(known_at)
        known = (F.col("known_from") <= at) & open_or_after(F.col("known_to"), at)
    return rows.where(valid & known).drop(*clocks_of(table))


def _begin(lake: Lake, history: type[Table], state: DataFrame, span: Span) -> Kept:
    """Write the first state of a table: there is nothing that it could change."""
    clocks = {
        "valid_from": F.lit(span.first),
        "valid_to": F.lit(span.end).cast("date"),
        "known_from": _moment(datetime.now(UTC)),
        "known_to": F.lit(None).cast("timestamp"),
    }
    new = {name: column for name, column in clocks.items() if name not in state.columns}
    rows = state.withColumns(new).select(*history.columns)
    rows.write.format("delta").mode("append").save(lake.path(history.name))
    created = lake.written(history.name).created
    return Kept(created=created, opens=created)


def _count(pieces: DataFrame) -> Kept:
    is_new, was_there = F.col(NEW).isNotNull(), F.col(WAS_THERE)
    counts = pieces.agg(
        F.count_if(is_new & ~was_there).alias("created"),
        F.count_if(is_new & was_there).alias("updated"),
        F.count_if(~is_new).alias("gone"),
        F.coalesce(F.sum(F.size(CLOSES)), F.lit(0)).alias("closes"),
        F.coalesce(F.sum(F.size(OPENS)), F.lit(0)).alias("opens"),
    )
    return Kept(**counts.collect()[0].asDict())


def _write(
    delta: "DeltaTable", pieces: DataFrame, table: type[Table], history: type[Table]
) -> None:
    """Close and open rows in one commit, at one time of knowledge."""
    known, key = _moment(_now(delta)), list(table.key)
    begins = [] if tells_validity(table) else ["valid_from"]
    opens = pieces.select(*key, F.inline(OPENS)).withColumn("_closes", F.lit(False))
    closed = {name: F.col(name) for name in key} | {name: F.col("_first") for name in begins}
    closes = pieces.select(*key, F.explode(CLOSES).alias("_first")).select(
        *(
            closed.get(one.name, F.lit(None).cast(one.dataType)).alias(one.name)
            for one in opens.schema
            if one.name != "_closes"
        ),
        F.lit(True).alias("_closes"),
    )
    changes = closes.unionByName(opens).withColumns(
        {"known_from": known, "known_to": F.lit(None).cast("timestamp")}
    )
    same = " AND ".join(f"t.{name} = s.{name}" for name in (*key, *begins))
    values: dict[str, Any] = {name: f"s.{name}" for name in history.columns}
    (
        delta.alias("t")
        .merge(changes.alias("s"), f"s._closes AND t.known_to IS NULL AND {same}")
        .whenMatchedUpdate(set={"known_to": "s.known_from"})
        .whenNotMatchedInsert(condition="NOT s._closes", values=values)
        .execute()
    )


def _moment(at: datetime) -> Column:
    return F.lit(at.astimezone(UTC).isoformat()).cast("timestamp")


def _now(delta: "DeltaTable") -> datetime:
    """Return the time of knowledge of a write: later than any before, whatever the clock says."""
    last = delta.toDF().agg(F.unix_micros(F.max("known_from"))).collect()[0][0]
    now = datetime.now(UTC)
    if last is None:
        return now
    return max(now, datetime.fromtimestamp(0, UTC) + timedelta(microseconds=last + 1))
