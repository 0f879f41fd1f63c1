"""A table's history on two clocks, against a plain model of it on random states."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from lakehouse import clocks
from lakehouse.clocks import has_history, history_of
from lakehouse.history import Kept, keep, said_of
from lakehouse.schemas.people import Person, RosterEntry
from lakehouse.schemas.space import Area, AreaCorrespondence
from lakehouse.span import Span
from lakehouse.table import Column, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lakehouse.run import House

JAN, FEB, MAR, APR = (date(2015, month, 1) for month in (1, 2, 3, 4))
State = dict[str, str | None]


class Thing(Table, layer="silver", key=("thing_id",), area=None, purpose="statistics", owner="x"):
    """One thing."""

    thing_id = Column("string", "Thing.")
    hue = Column("string", "Hue.", nullable=True)
    delivery_id = Column("string", "Delivery that the row came with.")
    line = Column("bigint", "Line.")


class Stay(
    Table,
    layer="silver",
    key=("thing_id", "valid_from"),
    area=None,
    purpose="statistics",
    owner="x",
):
    """One stay of a thing, from a day to a day."""

    thing_id = Column("string", "Thing.")
    valid_from = Column("date", "First day.")
    valid_to = Column("date", "First day no longer.", nullable=True)
    hue = Column("string", "Hue.", nullable=True)
    delivery_id = Column("string", "Delivery that the row came with.")
    line = Column("bigint", "Line.")


def frame(house: "House", state: State, delivery: str = "d") -> "DataFrame":
    rows = [(key, hue, delivery, n) for n, (key, hue) in enumerate(state.items())]
    return house.spark.createDataFrame(
        rows, "thing_id string, hue string, delivery_id string, line bigint"
    )


def put(house: "House", state: State, first: date, end: date | None = None) -> Kept:
    return keep(house.lake, Thing, frame(house, state, str(first)), Span(first, end))


def told(house: "House", day: date, at: datetime | None = None) -> State:
    rows = said_of(house.lake.read("silver.thing_history"), Thing, day, at).collect()
    assert len({row["thing_id"] for row in rows}) == len(rows)
    return {row["thing_id"]: row["hue"] for row in rows}


def knowledge(house: "House", name: str = "silver.thing_history") -> datetime:
    """Return the newest time of knowledge of a history."""
    micros = house.lake.read(name).selectExpr("unix_micros(max(known_from))")
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros.collect()[0][0])


def lines(house: "House") -> list[tuple[str, ...]]:
    rows = house.lake.read("silver.thing_history").where("known_to IS NULL")
    kept = rows.selectExpr("thing_id", "hue", "delivery_id", "string(valid_from)",
                           "coalesce(string(valid_to), '')")  # fmt: skip
    return sorted(tuple(row) for row in kept.collect())


def test_a_late_state_mends_its_own_days(house: "House") -> None:
    assert put(house, {"a": "red", "b": "blue"}, JAN) == Kept(created=2, opens=2)
    assert put(house, {"a": "red", "c": None}, MAR) == Kept(created=1, gone=1, closes=1, opens=2)
    before = knowledge(house)
    # February comes late: a was green then, and is red again in March.
    late = put(house, {"a": "green", "b": "blue"}, FEB, MAR)
    assert late == Kept(updated=1, closes=1, opens=3)
    assert lines(house) == [
        ("a", "green", "2015-02-01", "2015-02-01", "2015-03-01"),
        ("a", "red", "2015-01-01", "2015-01-01", "2015-02-01"),
        ("a", "red", "2015-01-01", "2015-03-01", ""),
        ("b", "blue", "2015-01-01", "2015-01-01", "2015-03-01"),
        ("c", None, "2015-03-01", "2015-03-01", ""),
    ]
    assert told(house, FEB) == {"a": "green", "b": "blue"}
    assert told(house, FEB, before) == {"a": "red", "b": "blue"}
    # Taken back, what it had parted is one again.
    assert put(house, {"a": "red", "b": "blue"}, FEB, MAR) == Kept(updated=1, closes=3, opens=1)
    assert ("a", "red", "2015-01-01", "2015-01-01", "") in lines(house)


def test_the_same_state_again_writes_nothing(house: "House") -> None:
    put(house, {"a": "red"}, JAN)
    version = house.lake.version("silver.thing_history")
    assert put(house, {"a": "red"}, JAN) == put(house, {"a": "red"}, FEB) == Kept()
    assert house.lake.version("silver.thing_history") == version


def test_rows_that_say_their_days_themselves_have_one_clock(house: "House") -> None:
    def put(*stays: tuple[str, date, date | None, str]) -> Kept:
        rows = house.spark.createDataFrame(
            [(*one, "d", n) for n, one in enumerate(stays)],
            "thing_id string, valid_from date, valid_to date, hue string, delivery_id string, "
            "line bigint",
        )
        return keep(house.lake, Stay, rows, Span(JAN))

    first, second = ("a", JAN, None, "red"), ("b", JAN, FEB, "red")
    put(first, second)
    before = knowledge(house, "silver.stay_history")
    ended, again = ("a", JAN, MAR, "red"), ("a", MAR, None, "blue")
    kept = Kept(created=1, updated=1, gone=1, closes=2, opens=2)
    assert put(ended, again) == kept
    assert put(again, ended) == Kept()
    rows = house.lake.read("silver.stay_history")
    assert history_of(Stay).key == ("thing_id", "valid_from", "known_from")

    def said(day: date, at: datetime | None = None) -> list[tuple[str, str]]:
        told = said_of(rows, Stay, day, at).select("thing_id", "hue").collect()
        return sorted(tuple(row) for row in told)

    assert (said(JAN), said(MAR)) == ([("a", "red")], [("a", "blue")])
    assert (said(JAN, before), said(MAR, before)) == (
        [("a", "red"), ("b", "red")],
        [("a", "red")],
    )


def test_what_changed_is_all_that_the_change_feed_carries(house: "House") -> None:
    put(house, {f"k{n}": "red" for n in range(50)}, JAN)
    version = house.lake.version("silver.thing_history")
    put(house, {f"k{n}": "red" if n else "blue" for n in range(50)}, FEB)
    reader = house.spark.read.format("delta").option("readChangeFeed", "true")
    feed = reader.option("startingVersion", version + 1).load(
        house.lake.path("silver.thing_history")
    )
    kinds = sorted(row["_change_type"] for row in feed.collect())
    assert kinds == ["insert", "insert", "update_postimage", "update_preimage"]


def test_against_a_plain_model(house: "House") -> None:
    """States of random months in random order; each answers for its days, at each time."""
    rng = random.Random(1)
    months = [date(2015, month, 1) for month in range(1, 6)]
    known: list[tuple[datetime, dict[date, State]]] = []
    states: dict[date, State] = {}
    for _ in range(8):
        month = rng.choice(months)
        state = {key: rng.choice(["red", "blue", None]) for key in "abcdef" if rng.random() < 0.7}
        was = states[covered] if (covered := _covering(states, month)) else {}
        end = min((one for one in states if one > month), default=None)
        kept = put(house, state, month, end)
        assert kept.created == len(state.keys() - was.keys())
        assert kept.updated == sum(key in was and was[key] != state[key] for key in state)
        states = states | {month: state}
        known.append((knowledge(house), states))
    rows = house.lake.read("silver.thing_history").selectExpr(
        "thing_id", "hue", "valid_from", "valid_to", "unix_micros(known_from) AS known_from",
        "unix_micros(known_to) AS known_to").collect()  # fmt: skip
    for at, then in known:
        micros = (at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
        for day in (month + timedelta(days=rng.randrange(28)) for month in months):
            hold = [
                row for row in rows
                if row.valid_from <= day and (row.valid_to is None or row.valid_to > day)
                and row.known_from <= micros and (row.known_to is None or row.known_to > micros)
            ]  # fmt: skip
            covered = _covering(then, day)
            assert len({row.thing_id for row in hold}) == len(hold)
            assert {row.thing_id: row.hue for row in hold} == (then[covered] if covered else {})
    now = {(row.thing_id, row.hue, row.valid_from) for row in rows if row.known_to is None}
    ends = {(row.thing_id, row.hue, row.valid_to) for row in rows if row.known_to is None}
    assert not now & ends  # what says the same without a gap is one row


def _covering(states: dict[date, State], day: date) -> date | None:
    return max((one for one in states if one <= day), default=None)


def test_which_tables_have_a_history() -> None:
    assert all(has_history(one) for one in (Person, Area, RosterEntry))
    assert not any(has_history(one) for one in (AreaCorrespondence, history_of(Person)))
    declared = history_of(Person)
    assert declared.name == "silver.person_history"
    assert declared.key == ("person_id", "valid_from", "known_from")
    assert (declared.area, declared.purpose) == (Person.area, Person.purpose)
    assert [*declared.columns] == [*Person.columns, *clocks.CLOCKS]
    village = declared.columns["village_code"]
    assert (village.type, village.link, village.nullable) == ("string", "silver.area", True)
    # What was said is not judged by the rules of another day.
    assert not (declared.rules or declared.columns["sex"].codes)
