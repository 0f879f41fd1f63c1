"""Places: the tree of divisions."""

from lakehouse.schemas import fields
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
