"""A source asked for a period: its answer becomes one delivery, once."""

from collections.abc import Iterator
from datetime import date, datetime
from hashlib import sha256 as digest
from pathlib import Path

from lakehouse.delivery import READY, Delivery, period_form
from lakehouse.errors import UsageError
from lakehouse.feed import Feed
from lakehouse.period import last_day
from lakehouse.sources import pages, table
from lakehouse.sources.declared import Source
from lakehouse.sources.outgoing import Row, marks, outgoing


def fetch(source: Source, period: str, landing: Path, zone: str) -> Delivery | None:
    """Ask a source for a period; return the new delivery, or None where there is nothing new.

    A delivery appears when all of the answer is there; a source that dies in the middle leaves
    nothing, and the next call begins where this one did. Raises UsageError for a period of
    another form, InputMissing where the source does not answer.
    """
    feed = source.of_feed()
    first, last = _days(feed, period)
    by_key = source.kind == "table" and bool(source.by) and source.new == "key"
    after = _mark(landing, feed) if by_key else None
    told = f"{source.name}/{after}" if by_key else source.name
    name = f"{source.name}-{digest(told.encode()).hexdigest()[:10]}"
    folder = landing / feed.source / feed.name / period / name
    delivery = Delivery(folder, feed.source, feed.name, period, name)
    if (folder / READY).exists():
        return None
    is_whole = source.kind == "table" and not source.by
    mark = None
    with outgoing(delivery, feed) as made:
        for batch in _batches(source, period, first, last, zone, after):
            made.write(batch)
            mark = table.mark_of(source, batch) or mark
        if made.rows:
            made.publish("full" if is_whole else feed.extent, mark)
    return delivery if made.rows else None


def _batches(
    source: Source, period: str, first: date, last: date, zone: str, after: str | None
) -> Iterator[list[Row]]:
    if source.kind == "pages":
        return pages.rows_of(source, period)
    return table.rows_of(source, first, last, zone, after)


def _days(feed: Feed, period: str) -> tuple[date, date]:
    """Return the first and the last day of a period."""
    try:
        first = datetime.strptime(period, period_form(feed)).date()
    except ValueError:
        example = "2015-12-31" if feed.every == "day" else "2015-12"
        raise UsageError(
            f"--period {period!r}: {feed.name} is delivered by {feed.every}: write {example}."
        ) from None
    return first, last_day(period)


def _mark(landing: Path, feed: Feed) -> str | None:
    """Return the last key that came: what the newest delivery says, by the order of arrival."""
    found = marks(landing, feed)
    return found[-1][1] if found else None
