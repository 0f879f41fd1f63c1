"""Cells, events by local day, what a number did on a day, and where it spends the night."""

from datetime import date

from jobs.silver.cdr_event import cdr_event
from jobs.silver.cell import cell
from jobs.silver.home_place import home_place
from jobs.silver.subscriber_day import subscriber_day
from lakehouse.schemas.space import Area
from lakehouse.schemas.telecom import CdrEvent, Cell, HomePlace, SubscriberDay
from tests.frames import assert_rows, frame

AS_OF = date(2015, 12, 31)
ZONE = "Asia/Shanghai"  # UTC+8
NIGHT = {"zone": ZONE, "night_start_h": 19, "night_end_h": 7, "min_nights": 2}


def test_a_cell_takes_the_nearest_village_of_its_county(spark):
    areas = frame(
        spark,
        Area,
        """
        area_code    | level   | lon   | lat  | valid_to
        211223101201 | village | 124.0 | 42.0 | null
        211223101203 | village | 124.2 | 42.0 | null
        211223101202 | village | 124.2 | 42.0 | null
        211223101204 | village | 124.1 | 42.1 | 2015-12-31
        211223101205 | village | null  | null | null
        211223101000 | town    | 124.1 | 42.1 | null
        211224101201 | village | 124.1 | 42.1 | null
        211225101201 | village | null  | 42.0 | null
    """,
    )
    cells = frame(
        spark,
        "bronze.cell",
        """
        cell_id | county_code  | lon   | lat  | violations
        near_1  | 211223000000 | 124.0 | 42.1 | []
        tie     | 211223000000 | 124.2 | 42.1 | []
        other   | 211224000000 | 124.0 | 42.0 | []
        nowhere | 211225000000 | 124.0 | 42.0 | []
        no_lon  | 211223000000 | null  | 42.0 | [lon:missing]
        no_area | null         | 124.0 | 42.0 | [county_code:missing]
    """,
    )
    assert_rows(
        cell(cells, areas, as_of=AS_OF),
        Cell,
        """
        cell_id | village_code | lon   | line | violations
        near_1  | 211223101201 | 124.0 | 2    | []
        tie     | 211223101202 | 124.2 | 3    | []
        other   | 211224101201 | 124.0 | 4    | []
        nowhere | null         | 124.0 | 5    | [county_code:no_village_position]
        no_lon  | null         | null  | 6    | [lon:missing]
        no_area | null         | 124.0 | 7    | [county_code:missing]
    """,
    )


def test_an_event_belongs_to_its_local_day(spark):
    records = frame(
        spark,
        "bronze.cdr",
        """
        caller_id | recipient_id | started_at          | period     | violations
        s1        | s2           | 2015-12-04 16:00:00 | 2015-12-05 | []
        s1        | s2           | 2015-12-05 15:59:59 | 2015-12-05 | []
        s1        | s2           | 2015-12-05 16:00:00 | 2015-12-05 | []
        s1        | s1           | 2015-12-05 04:00:00 | 2015-12-05 | []
        s1        | null         | null                | 2015-12-05 | [started_at:missing]
    """,
    )
    assert_rows(
        cdr_event(records, zone=ZONE),
        CdrEvent,
        """
        started_at          | day        | line | violations
        2015-12-04 16:00:00 | 2015-12-05 | 2    | []
        2015-12-05 15:59:59 | 2015-12-05 | 3    | []
        2015-12-05 16:00:00 | 2015-12-06 | 4    | [started_at:outside_period]
        2015-12-05 04:00:00 | 2015-12-05 | 5    | [recipient_id:same_as_caller]
        null                | null       | 6    | [started_at:missing]
    """,
    )


EVENTS = """
day        | caller_id | recipient_id | event_kind | duration_s | caller_cell_id | recipient_cell_id
2015-12-05 | a         | b            | call       | 60         | c1             | c2
2015-12-05 | a         | b            | call       | 30         | c3             | null
2015-12-05 | b         | a            | text       | null       | null           | c1
2015-12-05 | a         | x            | text       | null       | null           | null
2015-12-06 | a         | b            | text       | null       | c1             | c2
"""


def test_both_parties_of_every_event_have_a_day(spark):
    made = subscriber_day(frame(spark, CdrEvent, EVENTS)).cache()
    assert_rows(
        made,
        SubscriberDay,
        """
        subscriber_id | day        | n_calls_out | n_calls_in | n_texts_out | n_texts_in
        a             | 2015-12-05 | 2           | 0          | 1           | 1
        b             | 2015-12-05 | 0           | 2          | 1           | 0
        x             | 2015-12-05 | 0           | 0          | 0           | 1
        a             | 2015-12-06 | 0           | 0          | 1           | 0
        b             | 2015-12-06 | 0           | 0          | 0           | 1
    """,
    )
    assert_rows(
        made,
        SubscriberDay,
        """
        subscriber_id | day        | call_s | n_contacts | n_cells
        a             | 2015-12-05 | 90     | 2          | 2
        b             | 2015-12-05 | 90     | 1          | 1
        x             | 2015-12-05 | null   | 1          | 0
        a             | 2015-12-06 | null   | 1          | 1
        b             | 2015-12-06 | null   | 1          | 1
    """,
    )


# Local time is eight hours later: 11:00 is 19:00 sharp, 22:59 is 06:59 of the next day.
# `most` is at c1 on the 5th (twice, one night) and 7th, at c2 on the 6th, by day at c3.
# `tie` has a night at each of c2 and c1; `few` has one night. `gone` is at c2 after it
# ended, at c3 before it began, and at a cell that nobody knows.
# `eve` calls in the small hours of 1 December, a night of November.
# `moved` has a night at c4 before and two after it was moved to another village.
NIGHTS = """
started_at       | day        | caller_id | recipient_id | caller_cell_id | recipient_cell_id
2015-12-05 11:00 | 2015-12-05 | most      | x            | c1             | null
2015-12-05 22:59 | 2015-12-06 | most      | x            | c1             | null
2015-12-06 12:00 | 2015-12-06 | x         | most         | null           | c2
2015-12-07 12:00 | 2015-12-07 | x         | most         | null           | c1
2015-12-11 10:59 | 2015-12-11 | most      | x            | c3             | null
2015-12-12 23:00 | 2015-12-13 | most      | x            | c3             | null
2015-12-05 12:00 | 2015-12-05 | tie       | x            | c2             | null
2015-12-06 12:00 | 2015-12-06 | tie       | x            | c1             | null
2015-12-05 12:00 | 2015-12-05 | few       | tie          | c1             | null
2015-12-20 12:00 | 2015-12-20 | gone      | x            | c2             | null
2015-12-09 12:00 | 2015-12-09 | gone      | x            | c3             | null
2015-12-08 12:00 | 2015-12-08 | gone      | x            | c9             | null
2015-11-30 20:00 | 2015-12-01 | eve       | x            | c1             | null
2015-12-01 20:00 | 2015-12-02 | eve       | x            | c1             | null
2015-12-19 20:00 | 2015-12-20 | eve       | x            | c3             | null
2015-12-08 12:00 | 2015-12-08 | moved     | x            | c4             | null
2015-12-10 12:00 | 2015-12-10 | moved     | x            | c4             | null
2015-12-11 12:00 | 2015-12-11 | moved     | x            | c4             | null
"""


def test_home_is_where_most_nights_are_spent(spark):
    cells = frame(
        spark,
        Cell,
        """
        cell_id | village_code | valid_from | valid_to
        c1      | 211223101201 | 2010-01-01 | null
        c2      | 211223101202 | 2010-01-01 | 2015-12-20
        c3      | 211223101203 | 2015-12-10 | null
        c4      | 211223101202 | 2010-01-01 | 2015-12-10
        c4      | 211223101203 | 2015-12-10 | null
    """,
    )
    events = frame(spark, CdrEvent, NIGHTS)
    made = home_place(events, cells, as_of=AS_OF, **NIGHT).cache()
    assert_rows(
        made,
        HomePlace,
        """
        subscriber_id | month      | cell_id | village_code | n_nights | n_nights_observed
        most          | 2015-12-01 | c1      | 211223101201 | 2        | 3
        tie           | 2015-12-01 | c1      | 211223101201 | 1        | 2
        eve           | 2015-12-01 | c1      | 211223101201 | 1        | 2
        moved         | 2015-12-01 | c4      | 211223101203 | 2        | 3
    """,
    )
    assert_rows(
        made,
        HomePlace,
        """
        subscriber_id | night_share
        most          | 0.6666666667
        tie           | 0.5
        eve           | 0.5
        moved         | 0.6666666667
    """,
    )
