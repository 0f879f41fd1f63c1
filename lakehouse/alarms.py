"""What needs a person now (告警): one list, from what the operations store and quarantine hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from lakehouse.room import groups, overdue, promised_days

if TYPE_CHECKING:
    from lakehouse.run import House


@dataclass(frozen=True)
class Alarm:
    """What, since when, why, and what to type."""

    kind: str  # held, refused, figure, quarantine, stale
    what: str
    since: date | None
    why: str
    todo: str


def alarms(house: "House", today: date) -> list[Alarm]:
    """Return every open alarm as of a day, the oldest first within its kind. Needs no Spark.

    An alarm closes by what it asks for: nobody has to strike it off.
    """
    return [
        *_of_deliveries(house.ops.deliveries(), house.ops.words()),
        *_of_figures(house, today),
        *_of_quarantine(house, today),
        *_of_age(house, today),
    ]


def _of_deliveries(
    ledger: list[dict[str, Any]], words: dict[str, dict[str, Any]]
) -> Iterator[Alarm]:
    """Yield what is held without a word, and what was refused with nothing right since."""
    landed = [row for row in ledger if row["state"] in ("landed", "duplicate")]
    for row in ledger:
        name, since = row["delivery_id"], _day(row["arrived_at"])
        word = words.get(name, {}).get("word")
        if row["state"] == "held" and word != "approved":
            todo = f"bangfu deliveries approve {name} --why …, or reject"
            yield Alarm("held", name, since, str(row["detail"]).split("; if that is so")[0], todo)
        followed = any(
            (one["feed"], one["period"]) == (row["feed"], row["period"])
            and (_day(one["arrived_at"]) or date.min) >= (since or date.min)
            for one in landed
        )
        if row["state"] == "refused" and not followed:
            why = f"{row['reason']}: {row['detail']}"
            todo = f"ask its source for another, or bangfu quarantine replay {name} --refused"
            yield Alarm("refused", name, since, why, todo)


def _of_figures(house: "House", today: date) -> Iterator[Alarm]:
    """Yield deliveries that landed with unusual figures in the last days, and still count."""
    from lakehouse.quality import worth_telling

    days = timedelta(days=int(house.conf.get("quality", "warn_days")))
    landed = [row for row in house.ops.deliveries() if row["state"] == "landed"]
    gone = {row["supersedes"] for row in landed}
    new = {
        row["delivery_id"]: _day(row["landed_at"])
        for row in landed
        if row["delivery_id"] not in gone and today - (_day(row["landed_at"]) or today) <= days
    }
    for name, rows in groupby(house.ops.figures(list(new)), key=lambda row: row["delivery_id"]):
        if why := worth_telling(rows):
            todo = f"bangfu check bronze.{name.split('/')[0]} --plot"
            yield Alarm("figure", name, new[name], "; ".join(why), todo)


def _of_quarantine(house: "House", today: date) -> Iterator[Alarm]:
    """Yield tables with rows set aside for longer than is promised."""
    for name, mine in groupby(groups(house), key=lambda one: one.table):
        days = promised_days(house, name)
        n, since = overdue(mine, days, today)
        if n:
            why = f"{n:,} rows set aside for more than {days} days"
            yield Alarm("quarantine", name, since, why, f"bangfu quarantine {name} --by reason")


def _of_age(house: "House", today: date) -> Iterator[Alarm]:
    """Yield tables whose newest run is for a day longer ago than their declaration promises."""
    for name in house.registry.order():
        last, promised = house.ops.last_done(name), house.registry.tables[name].fresh_days
        since = _day(last["as_of"]) if last else None
        if since and today - since > timedelta(days=promised):
            why = f"made as of {since}, {(today - since).days} days ago; {promised} are promised"
            yield Alarm("stale", name, since, why, f"bangfu plan +{name}, then bangfu run +{name}")


def _day(given: Any) -> date | None:
    return given.date() if isinstance(given, datetime) else given
