"""What a state changes in a table's history, key by key: the rows to close and those to open."""

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.io import LINEAGE
from lakehouse.span import Span
from lakehouse.table import Table

# Of a key: what the state says, what the history says, of the days of the state too or not, and
# the rows to close (by their first days) and to open.
NEW, THERE, WAS_THERE, CLOSES, OPENS = "_new", "_there", "_was_there", "_closes", "_opens"


def affected_by(standing: DataFrame, state: DataFrame, table: type[Table], span: Span) -> DataFrame:
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


def pieces_of(
    affected: DataFrame, standing: DataFrame, table: type[Table], span: Span
) -> DataFrame:
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
    was_there = F.exists(THERE, lambda one: _overlaps(one, span))
    return rows.withColumns(
        {WAS_THERE: was_there, CLOSES: _closes(span), OPENS: _opens(table, span)}
    )


def pieces_known(standing: DataFrame, state: DataFrame, table: type[Table]) -> DataFrame:
    """Return the same of a table whose rows say themselves of which days they are."""
    key = list(table.key)
    row = F.struct(*_rest(table))
    new, there = state.select(*key, row.alias(NEW)), standing.select(*key, row.alias(THERE))
    is_same = F.coalesce(_same(table, F.col(NEW), F.col(THERE)), F.lit(False))
    was_there = F.col(THERE).isNotNull()
    return (
        new.join(there, key, "full")
        .where(~is_same)
        .withColumns(
            {
                WAS_THERE: was_there,
                # One row a key: no first day is needed to tell which.
                CLOSES: F.filter(F.array(F.lit(None).cast("date")), lambda _: was_there),
                OPENS: F.filter(F.array(F.col(NEW)), lambda one: one.isNotNull()),
            }
        )
    )


def _closes(span: Span) -> Column:
    """Return the rows that no longer hold as they stand, by their first days."""

    def ends(one: Column) -> Column:
        first = one["valid_from"]
        joins_before = F.col("_joins_before") & (first == F.col("_before.valid_from"))
        joins_after = F.col("_joins_after") & (first == F.col("_after.valid_from"))
        return _overlaps(one, span) | joins_before | joins_after

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


def open_or_after(ends: Column, day: Column) -> Column:
    return ends.isNull() | (ends > day)


def _overlaps(row: Column, span: Span) -> Column:
    later = open_or_after(row["valid_to"], F.lit(span.first))
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
    return (row["valid_from"] <= F.lit(span.end)) & open_or_after(row["valid_to"], F.lit(span.end))
