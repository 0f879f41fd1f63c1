"""Local dates and nights of UTC timestamps."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.methods.columns import ColumnOrName, column
from lakehouse.errors import UsageError

NOON_H = 12
# In microseconds of the wall clock, on which every day has 24 hours.
HOUR = 3_600_000_000
DAY = 24 * HOUR


def _local(at: ColumnOrName, zone: str) -> Column:
    """Return the wall clock in `zone` as microseconds, whatever the session's own time zone."""
    return F.unix_micros(F.from_utc_timestamp(column(at), zone))


def local_date(at: ColumnOrName, zone: str) -> Column:
    """Return the date in `zone` of a UTC timestamp."""
    local = _local(at, zone)
    return F.date_from_unix_date(((local - F.pmod(local, F.lit(DAY))) / DAY).cast("int"))


def _local_hour(at: ColumnOrName, zone: str) -> Column:
    return F.floor(F.pmod(_local(at, zone), F.lit(DAY)) / HOUR)


def night_of(at: ColumnOrName, zone: str, night_start_h: int, night_end_h: int) -> Column:
    """Return the local date of the evening of the night a UTC timestamp is in, null by day.

    The night holds its start and not its end: with 20 and 7, 20:00:00 is night and 07:00:00 is
    day. A night over midnight has the date it starts on; one that starts after midnight, as
    0 to 6 does, has the date of the evening before. Hours are whole, of the local clock.
    """
    if not (0 <= night_start_h <= 24 and 0 <= night_end_h <= 24):
        raise UsageError(
            f"A night is from an hour to an hour, 0 to 24, not {night_start_h} to {night_end_h}."
        )
    if night_start_h % 24 == night_end_h % 24:
        raise UsageError(f"A night from {night_start_h} to {night_end_h} has no length.")
    # 24 is the midnight that a night ends on, and the 0 that it starts on.
    start, end = night_start_h % 24, night_end_h or 24
    date, hour = local_date(at, zone), _local_hour(at, zone)
    if start > end:
        after_midnight = hour < end
        evening = F.when(after_midnight, F.date_sub(date, 1)).otherwise(date)
        return F.when((hour >= start) | after_midnight, evening)
    evening = F.date_sub(date, 1) if start < NOON_H else date
    return F.when((hour >= start) & (hour < end), evening)
