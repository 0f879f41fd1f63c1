"""What a table said, kept on two clocks: only rows that changed are written.

A run states for a span of days what is so. Where the rows known until now say otherwise for these
days, they are closed on the clock of knowledge, and what holds before, within and after the span
is opened anew. So a late or corrected delivery mends its own days, and it can still be asked what
was known before it came. Snodgrass, R. T. (2000), "Developing Time-Oriented Database Applications
in SQL", ch. 10 (bitemporal tables, sequenced modifications).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.clocks import CLOCKS, history_of
from lakehouse.errors import ChecksFailed
from lakehouse.io import LINEAGE, Lake
from lakehouse.span import Span
from lakehouse.table import Table

if TYPE_CHECKING:
    from delta.tables import DeltaTable

# Rows of a key: what the state says, what the history says, the rows to close and to open.
NEW, THERE, CLOSES, OPENS = "_new", "_there", "_closes", "_opens"


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
        affected = _affected(standing, state, table, span).localCheckpoint()
        if affected.isEmpty():
            return Kept()
        pieces = _pieces(affected, standing, table, span).localCheckpoint()
        kept = _count(pieces, span)
        if kept.closes or kept.opens:
            _write(delta, pieces, history, _now(delta))
            written = lake.written(history.name)
            if (written.created, written.updated) != (kept.opens, kept.closes):
                raise ChecksFailed(
                    f"{history.name} opened {written.created} rows and closed {written.updated}, "
                    f"planned were {kept.opens} and {kept.closes}: somebody else wrote to it."
                )
    return kept


def said_of(rows: DataFrame, day: date, known_at: datetime | None = None) -> DataFrame:
    """Return what a history says of a day, as known now or at a time before; without clocks."""
    valid = (F.col("valid_from") <= F.lit(day)) & _open_or_after(F.col("valid_to"), F.lit(day))
    known = F.col("known_to").isNull()
    if known_at is not None:
        at = _moment(known_at)
        known = (F.col("known_from") <= at) & _open_or_after(F.col("known_to"), at)
    return rows.where(valid & known).drop(*CLOCKS)


# -- what changes --------------------------------------------------------------------------


def _affected(standing: DataFrame, state: DataFrame, table: type[Table], span: Span) -> DataFrame:
    """Return each key of which the state says something else for its span, with its new row.

    The new row is null where the state does not have the key.
    """
    key = list(table.key)
    new = state.select(*key, F.struct(*_rest(table)).alias(NEW))
    there = standing.where(_overlaps(F.struct("valid_from", "valid_to"), span)).select(
        *key, F.struct("valid_from", "valid_to", *_rest(table)).alias(THERE)
    )
    is_same = _same(table, F.col(NEW), F.col(THERE)) & _covers(F.col(THERE), span)
    other = new.join(there, key, "full").where(~F.coalesce(is_same, F.lit(False)))
    # Of several rows that hold one after the other, none covers the span.
    return other.dropDuplicates(key).select(*key, NEW)


def _pieces(affected: DataFrame, standing: DataFrame, table: type[Table], span: Span) -> DataFrame:
    """Return for each affected key the rows of the history to close, and those to open.

    Rows that only meet the span are looked at too: one that says the same as the new row becomes
    one with it, so that a row always begins and ends with a change.
    """
    key = list(table.key)
    row = F.struct("valid_from", "valid_to", *_rest(table))
    there = (
        standing.where(_meets(F.struct("valid_from", "valid_to"), span))
        .join(affected.select(*key), key, "left_semi")
        .groupBy(*key)
        .agg(F.collect_list(row).alias(THERE))
    )
    none = F.array().cast(there.schema[THERE].dataType)
    rows = affected.join(there, key, "left").withColumn(THERE, F.coalesce(THERE, none))
    rows = rows.withColumns(
        {
            "_before": F.get(F.filter(THERE, lambda one: one["valid_from"] < span.first), 0),
            "_after": F.get(F.filter(THERE, lambda one: _goes_on(one, span)), 0),
        }
    )
    before, after, new = F.col("_before"), F.col("_after"), F.col(NEW)
    # Null, where there is no such row, is no.
    rows = rows.withColumns(
        {
            "_joins_before": F.coalesce(_same(table, new, before), F.lit(False)),
            "_joins_after": F.coalesce(_same(table, new, after), F.lit(False)),
        }
    )
    return rows.withColumns({CLOSES: _closes(span), OPENS: _opens(table, span)})


def _closes(span: Span) -> Column:
    """Return the rows that no longer hold as they stand, by their first days."""

    def ends(one: Column) -> Column:
        joined = (F.col("_joins_before") & (one["valid_from"] == F.col("_before.valid_from"))) | (
            F.col("_joins_after") & (one["valid_from"] == F.col("_after.valid_from"))
        )
        return _overlaps(one, span) | F.coalesce(joined, F.lit(False))

    return F.transform(F.filter(THERE, ends), lambda one: one["valid_from"])


def _opens(table: type[Table], span: Span) -> Column:
    """Return what holds instead: in the span, and what is left before and after it."""
    first, end = F.lit(span.first), F.lit(span.end).cast("date")
    before, after, new = F.col("_before"), F.col("_after"), F.col(NEW)
    joins_before, joins_after = F.col("_joins_before"), F.col("_joins_after")
    rest = _rest(table)

    def row(of: Column, begins: Column, ends: Column) -> Column:
        told = (of[name].alias(name) for name in rest)
        return F.struct(begins.alias("valid_from"), ends.alias("valid_to"), *told)

    within = F.when(
        new.isNotNull(),
        row(
            # Who said it first goes on to be told.
            F.when(joins_before, _values(before, rest)).otherwise(new),
            F.when(joins_before, before["valid_from"]).otherwise(first),
            F.when(joins_after, after["valid_to"]).otherwise(end),
        ),
    )
    left = F.when(
        before.isNotNull() & _overlaps(before, span) & ~joins_before,
        row(before, before["valid_from"], first),
    )
    right = F.when(
        after.isNotNull() & _overlaps(after, span) & ~joins_after,
        row(after, end, after["valid_to"]),
    )
    return F.filter(F.array(within, left, right), lambda one: one.isNotNull())


def _rest(table: type[Table]) -> list[str]:
    return [name for name in table.columns if name not in table.key]


def _values(of: Column, names: Iterable[str]) -> Column:
    return F.struct(*(of[name].alias(name) for name in names))


def _same(table: type[Table], one: Column, other: Column) -> Column:
    """Tell whether two rows of a key say the same, whoever brought them; null where one is null."""
    told = [name for name in _rest(table) if name not in LINEAGE]
    both = one.isNotNull() & other.isNotNull()
    if not told:
        return both
    return both & _values(one, told).eqNullSafe(_values(other, told))


def _open_or_after(ends: Column, day: Column) -> Column:
    return ends.isNull() | (ends > day)


def _overlaps(row: Column, span: Span) -> Column:
    later = _open_or_after(row["valid_to"], F.lit(span.first))
    return later if span.end is None else later & (row["valid_from"] < F.lit(span.end))


def _meets(row: Column, span: Span) -> Column:
    later = row["valid_to"].isNull() | (row["valid_to"] >= F.lit(span.first))
    return later if span.end is None else later & (row["valid_from"] <= F.lit(span.end))


def _covers(row: Column, span: Span) -> Column:
    goes_on = row["valid_to"].isNull()
    if span.end is not None:
        goes_on = goes_on | (row["valid_to"] >= F.lit(span.end))
    return (row["valid_from"] <= F.lit(span.first)) & goes_on


def _goes_on(row: Column, span: Span) -> Column:
    """Tell whether a row holds after a span, beginning in it or right after it."""
    if span.end is None:
        return F.lit(False)
    return (row["valid_from"] <= F.lit(span.end)) & _open_or_after(row["valid_to"], F.lit(span.end))


# -- writing it ----------------------------------------------------------------------------


def _begin(lake: Lake, history: type[Table], state: DataFrame, span: Span) -> Kept:
    """Write the first state of a table: there is nothing that it could change."""
    clocks = {
        "valid_from": F.lit(span.first),
        "valid_to": F.lit(span.end).cast("date"),
        "known_from": _moment(datetime.now(UTC)),
        "known_to": F.lit(None).cast("timestamp"),
    }
    rows = state.withColumns(clocks).select(*history.columns)
    rows.write.format("delta").mode("append").save(lake.path(history.name))
    created = lake.written(history.name).created
    return Kept(created=created, opens=created)


def _count(pieces: DataFrame, span: Span) -> Kept:
    was_there = F.exists(THERE, lambda one: _overlaps(one, span))
    is_new = F.col(NEW).isNotNull()
    counts = pieces.agg(
        F.count_if(is_new & ~was_there).alias("created"),
        F.count_if(is_new & was_there).alias("updated"),
        F.count_if(~is_new).alias("gone"),
        F.coalesce(F.sum(F.size(CLOSES)), F.lit(0)).alias("closes"),
        F.coalesce(F.sum(F.size(OPENS)), F.lit(0)).alias("opens"),
    )
    return Kept(**counts.collect()[0].asDict())


def _write(delta: "DeltaTable", pieces: DataFrame, history: type[Table], at: datetime) -> None:
    """Close and open rows in one commit, at one time of knowledge."""
    known = _moment(at)
    row = pieces.schema[OPENS].dataType.elementType
    key = [name for name in history.key if name not in CLOCKS]
    closes = pieces.select(*key, F.explode(CLOSES).alias("valid_from")).select(
        *key,
        "valid_from",
        *(
            F.lit(None).cast(one.dataType).alias(one.name)
            for one in row
            if one.name != "valid_from"
        ),
        F.lit(True).alias("_closes"),
    )
    opens = pieces.select(*key, F.inline(OPENS)).withColumn("_closes", F.lit(False))
    changes = closes.unionByName(opens).withColumns(
        {"known_from": known, "known_to": F.lit(None).cast("timestamp")}
    )
    same = " AND ".join(f"t.{name} = s.{name}" for name in (*key, "valid_from"))
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
