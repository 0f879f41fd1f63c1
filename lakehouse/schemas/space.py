"""Places: the tree of divisions, and what became of each code."""

from lakehouse.schemas import codes, fields
from lakehouse.table import Column, Rule, Table, TableRule


class Area(
    Table,
    layer="silver",
    key=("area_code",),
    area="area_code",
    purpose="reference",
    owner="space",
    fresh_days=366,
):
    """One division of the five-level tree (省市县乡村), current or retired.

    A retired code keeps its row with the day it ended; it is never reused.
    """

    area_code = fields.AREA_CODE
    area_name = Column("string", "Name, in Chinese.", example="某村")
    level = fields.LEVEL
    parent_code = Column(
        "string", "Code of the division above.", nullable=True, example="211223101000"
    )
    valid_from = Column("date", "First day on which the code was in force.", example="2000-01-01")
    valid_to = Column("date", "First day on which it no longer was.", nullable=True)
    successor_code = Column(
        "string", "Code announced as the one that follows.", nullable=True, example="211223101000"
    )
    lon = fields.LON.optional()
    lat = fields.LAT.optional()
    is_position_synthetic = Column(
        "boolean", "The position is made up, to draw a map with.", example=True
    )
    delivery_id = fields.DELIVERY_ID
    line = fields.LINE

    code_has_twelve_digits = Rule("area_code RLIKE '^[0-9]{12}$'", "A code has twelve digits.")
    ends_after_it_begins = Rule("valid_to > valid_from", "A code ends after it begins.")
    has_a_county = TableRule("count_if(level = 'county') > 0", "The tree reaches counties.")


class AreaCorrespondence(
    Table,
    layer="silver",
    key=("area_code", "since"),
    area="area_code",
    purpose="reference",
    owner="space",
    fresh_days=366,
    history=False,  # that of silver.area says it
):
    """What a division was called on any day (区划代码对照): one row per code and span of days.

    To place the rows of one year in the tree of another: join on area_code where the day of that
    tree is within the span. From the first day known there is one row for each code and day.
    """

    area_code = fields.AREA_CODE.linked("silver.area")
    since = Column("date", "First day of the span.", example="2000-01-01")
    until = Column("date", "First day after it.", nullable=True)
    code_then = fields.AREA_CODE.means(
        "Code of the place in the span or, where it is not known, of the area above it."
    ).linked("silver.area")
    level_then = fields.LEVEL.means("Level of that code.")
    basis = Column("string", "How it is known.", codes=codes.CORRESPONDENCE, example="itself")
    reason = Column(
        "string",
        "Why no more than the area above is known.",
        codes=codes.NO_CORRESPONDENCE,
        nullable=True,
    )

    ends_after_it_begins = Rule("until > since", "A span ends after it begins.")
    says_why = Rule(
        "(basis = 'area_above') = (reason IS NOT NULL)", "An area above has a reason, nothing else."
    )
    itself_is_itself = Rule(
        "basis <> 'itself' OR code_then = area_code", "In its own days a code is itself."
    )
