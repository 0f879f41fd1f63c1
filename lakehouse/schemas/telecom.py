"""Telecom: pseudonymous events and what is derived from them."""

from lakehouse.schemas import codes, fields
from lakehouse.table import Column, Rule, Table


class Cell(
    Table,
    layer="silver",
    key=("cell_id", "valid_from"),
    area="village_code",
    purpose="statistics",
    owner="operator",
    fresh_days=40,
):
    """One cell of the network at one site, with the village nearest to it.

    A cell that was moved to another site has a row for each of them, one after the other.
    """

    cell_id = fields.CELL_ID
    site_id = Column("string", "Site (mast) that carries it.", example="m1")
    lon = fields.LON
    lat = fields.LAT
    village_code = fields.VILLAGE_CODE
    valid_from = Column("date", "First day in service.", example="2010-01-01")
    valid_to = Column("date", "First day out of service.", nullable=True)
    delivery_id = fields.DELIVERY_ID
    line = fields.LINE


class CdrEvent(
    Table,
    layer="silver",
    key=("caller_id", "recipient_id", "started_at", "event_kind"),
    area=None,
    purpose="statistics",
    owner="operator",
    partition="day",
    fresh_days=3,
    keep_days=400,
):
    """One call or message between two numbers, as one record of the operator.

    A cell is null where the party is another operator's subscriber or could not be located.
    """

    caller_id = fields.SUBSCRIBER_ID.means("Number that calls or writes: token.")
    recipient_id = fields.SUBSCRIBER_ID.means("Number called or written to: token.")
    started_at = Column("timestamp", "Start, UTC.", example="2015-12-05 04:00:00")
    day = fields.DAY
    event_kind = Column("string", "Call or message.", codes=codes.EVENT_KIND, example="call")
    duration_s = Column(
        "bigint",
        "Length of a call; null for a message.",
        unit="second",
        least=0,
        most=86400,
        nullable=True,
        example=60,
    )
    caller_cell_id = Column(
        "string", "Cell of the caller.", nullable=True, example="c1", personal=True
    )
    recipient_cell_id = Column(
        "string", "Cell of the recipient.", nullable=True, example="c2", personal=True
    )
    delivery_id = fields.DELIVERY_ID
    line = fields.LINE

    call_has_a_length = Rule(
        "event_kind = 'text' OR duration_s IS NOT NULL", "A call has a length."
    )


class SubscriberDay(
    Table,
    layer="silver",
    key=("subscriber_id", "day"),
    area=None,
    purpose="statistics",
    owner="operator",
    partition="day",
    fresh_days=3,
    keep_days=400,
):
    """What one number did on one local day. A day without an event has no row."""

    subscriber_id = fields.SUBSCRIBER_ID
    day = fields.DAY
    n_calls_out = Column("bigint", "Calls made.", unit="event", least=0, example=1)
    n_calls_in = Column("bigint", "Calls taken.", unit="event", least=0, example=1)
    n_texts_out = Column("bigint", "Messages sent.", unit="event", least=0, example=1)
    n_texts_in = Column("bigint", "Messages received.", unit="event", least=0, example=1)
    call_s = Column(
        "bigint",
        "Seconds in calls, made and taken; null without a call.",
        unit="second",
        least=0,
        nullable=True,
        example=60,
    )
    n_contacts = Column("bigint", "Distinct other parties.", unit="subscriber", least=1, example=1)
    n_cells = Column(
        "bigint",
        "Distinct cells; 0 where no event could be located.",
        unit="cell",
        least=0,
        example=1,
    )


class HomePlace(
    Table,
    layer="silver",
    key=("subscriber_id", "month"),
    area="village_code",
    purpose="statistics",
    owner="operator",
    partition="month",
    fresh_days=40,
    keep_days=400,
):
    """Where a subscriber spends the night: one row per subscriber and month.

    The cell with an event in most nights, out of at least `min_nights` nights observed. Fewer
    nights, no row: a missing row means too little evidence, never "no home". Ties go to the
    first cell in sort order. Rule: distinct days at night, Vanhoof et al. 2018.
    """

    subscriber_id = fields.SUBSCRIBER_ID
    month = fields.MONTH
    cell_id = fields.CELL_ID.linked("silver.cell")
    village_code = fields.VILLAGE_CODE
    n_nights = Column(
        "bigint", "Nights with an event at this cell.", unit="night", least=1, example=2
    )
    n_nights_observed = Column(
        "bigint", "Nights with a located event.", unit="night", least=1, example=2
    )
    night_share = fields.SHARE.means("n_nights over n_nights_observed.")

    nights_fit_the_month = Rule(
        "n_nights_observed <= dayofmonth(last_day(month))", "No more nights than the month has."
    )
