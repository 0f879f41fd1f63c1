"""Periods that deliveries are about, written as 2015-12 or 2015-12-31."""

from datetime import date, timedelta


def first_day(period: str) -> date:
    """Return the first day of a period."""
    return date.fromisoformat(period if len(period) > len("2015-12") else f"{period}-01")


def last_day(period: str) -> date:
    """Return the last day of a period."""
    first = first_day(period)
    if len(period) > len("2015-12"):
        return first
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
