"""Numbers that policy sets: rows of conf/schemes/<name>.toml, by area and validity."""

from lakehouse.schemas import codes, fields
from lakehouse.table import Column, Table

SOURCE = Column("string", "Where the number is published.", example="a page")
CONFIRMED = Column(
    "string",
    "official: a public body's page; secondary: a mirror, probably right; entered: by an operator.",
    example="official",
)


class IncomeLine(
    Table,
    layer="conf",
    key=("scheme", "area_code", "year"),
    area="area_code",
    purpose="reference",
    owner="poverty office",
):
    """One poverty line (扶贫标准): of a scheme, for an area and year.

    An area without a line of its own inherits county -> city -> province -> nation.
    """

    scheme = Column("string", "Scheme.", codes=codes.SCHEME, example="registered_poor")
    area_code = fields.AREA_CODE.means("Area that sets it; 000000000000 is the nation.")
    year = Column("int", "Year it holds for.", least=1978, most=2100, example=2015)
    line_cny = Column(
        "double", "Line, yuan per person and year.", unit="yuan", least=0, example=2855.0
    )
    price_basis = Column("string", "Prices it is expressed in.", example="2015")
    concept = Column(
        "string", "What is held against it.", codes=codes.CONCEPT, example="net_income"
    )
    source = SOURCE
    confirmed = CONFIRMED


class IncomeRule(
    Table,
    layer="conf",
    key=("income_rule", "area_code", "item"),
    area="area_code",
    purpose="reference",
    owner="poverty office",
):
    """How one kind of income counts (收入测算): its cost ratio under one rule."""

    income_rule = Column("string", "Rule version.", example="chuxiong-card")
    area_code = fields.AREA_CODE.means("Area that sets it; 000000000000 is the nation.")
    valid_from = Column("date", "First day on which the rule counts.", example="2014-01-01")
    item = Column("string", "Kind of income.", codes=codes.INCOME_ITEM, example="wage")
    cost_share = fields.SHARE.means("Share taken off as cost of production.")
    source = SOURCE
    confirmed = CONFIRMED
