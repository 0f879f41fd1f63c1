"""Income and consumption of households."""

from lakehouse.schemas import codes, fields
from lakehouse.table import Column, Rule, Table, TableRule


class IncomeItem(
    Table,
    layer="silver",
    key=("household_id", "item"),
    area="village_code",
    purpose="identification",
    owner="poverty office",
    fresh_days=40,
):
    """One kind of income of one candidate household, in the twelve months before the card.

    Gross, as collected. Costs are taken off by the income rule in force, in gold.
    """

    household_id = fields.HOUSEHOLD_ID.linked("silver.household")
    item = Column("string", "Kind of income.", codes=codes.INCOME_ITEM, example="wage")
    amount_cny = Column(
        "double",
        "Yuan in twelve months, gross.",
        unit="yuan",
        least=0,
        most=10_000_000,
        example=1000.0,
        personal=True,
    )
    village_code = fields.VILLAGE_CODE
    delivery_id = fields.DELIVERY_ID
    line = fields.LINE


class SurveyHousehold(
    Table,
    layer="silver",
    key=("survey_year", "household_id"),
    area="village_code",
    purpose="statistics",
    owner="statistics",
    fresh_days=400,
):
    """One household of the consumption survey: a stratified, clustered probability sample.

    Strata are towns, clusters (PSU) are villages. Weights add up to all rural households.
    """

    survey_year = Column("int", "Calendar year surveyed.", least=1978, most=2100, example=2015)
    household_id = fields.HOUSEHOLD_ID.linked("silver.household")
    village_code = fields.VILLAGE_CODE
    n_members = fields.N_MEMBERS
    consumption_cny = Column(
        "double",
        "Consumption per head and year.",
        unit="yuan",
        least=0,
        most=1_000_000,
        example=6000.0,
        personal=True,
    )
    net_income_cny = Column(
        "double",
        "Net income per head and year.",
        unit="yuan",
        least=-1_000_000,
        most=1_000_000,
        example=5000.0,
        personal=True,
    )
    weight = Column(
        "double", "Households that this one stands for.", unit="household", least=0, example=10.0
    )
    stratum = Column("string", "Stratum: town code.", example="211223101000")
    psu = Column("string", "Primary sampling unit: village code.", example="211223101201")
    delivery_id = fields.DELIVERY_ID
    line = fields.LINE

    has_weight = Rule("weight > 0", "A sampled household stands for somebody.")
    has_two_strata_or_more = TableRule("count(DISTINCT stratum) >= 1", "The sample has strata.")
