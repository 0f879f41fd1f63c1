"""People and households, by tokens only: names and numbers stay in the restricted zone."""

from lakehouse.schemas import codes, fields
from lakehouse.table import Column, Rule, Table

WHO = {"purpose": "identification", "owner": "population", "fresh_days": 40}


class Person(Table, layer="silver", key=("person_id",), area="village_code", **WHO):
    """One person of the household register (户籍人口)."""

    person_id = fields.PERSON_ID
    village_code = fields.VILLAGE_CODE
    sex = Column("string", "Sex.", codes=codes.SEX, example="female", personal=True)
    birth_date = Column("date", "Day of birth.", example="1960-05-01", personal=True)
    ethnicity = Column(
        "string", "Ethnic group (民族).", codes=codes.POPULATION, example="han", personal=True
    )
    education = Column(
        "string",
        "Highest schooling (文化程度).",
        codes=codes.EDUCATION,
        example="junior",
        personal=True,
    )
    work = Column(
        "string",
        "What the person does for a living.",
        codes=codes.WORK,
        example="farming",
        personal=True,
    )
    hukou = Column(
        "string",
        "Kind of registration (户口性质).",
        codes=codes.HUKOU,
        example="rural",
        personal=True,
    )
    delivery_id = fields.DELIVERY_ID
    line = fields.LINE

    born_in_living_memory = Rule("birth_date >= DATE '1890-01-01'", "Nobody is born before 1890.")


class Membership(
    Table, layer="silver", key=("household_id", "person_id"), area="village_code", **WHO
):
    """One person in one registered household (户口簿), with the relation to its head."""

    household_id = fields.HOUSEHOLD_ID
    person_id = fields.PERSON_ID.linked("silver.person")
    village_code = fields.VILLAGE_CODE
    relation = Column(
        "string",
        "Relation to the head (与户主关系).",
        codes=codes.RELATION,
        example="head",
        personal=True,
    )
    delivery_id = fields.DELIVERY_ID
    line = fields.LINE


class Household(Table, layer="silver", key=("household_id",), area="village_code", **WHO):
    """One registered household, with its size and head.

    A household without a head on the register has a null head, and is still here. Of two heads
    the first token in sort order. The village is the head's, else the one of most members.
    """

    household_id = fields.HOUSEHOLD_ID
    village_code = fields.VILLAGE_CODE
    n_members = fields.N_MEMBERS
    head_person_id = Column(
        "string",
        "Head: person token.",
        nullable=True,
        personal=True,
        link="silver.person",
        example="p1",
    )


class HouseholdCard(Table, layer="silver", key=("household_id",), area="village_code", **WHO):
    """What the registration survey found at one candidate household (贫困户登记表).

    Candidates are registered, applying or proposed households; others have no card.
    """

    household_id = fields.HOUSEHOLD_ID.linked("silver.household")
    card_id = Column("string", "Number on the card (户编号): token.", personal=True, example="k1")
    village_code = fields.VILLAGE_CODE
    n_members = fields.N_MEMBERS.means("People in the household as the card says.")
    attribute = Column(
        "string",
        "A2 attribute (贫困户属性).",
        codes=codes.ATTRIBUTE,
        nullable=True,
        example="ordinary",
        personal=True,
    )
    main_cause = Column(
        "string",
        "A3a main cause of poverty (主要致贫原因).",
        codes=codes.CAUSE,
        nullable=True,
        example="illness",
        personal=True,
    )
    other_cause = Column(
        "string", "A3b other cause (其他致贫原因).", codes=codes.CAUSE, nullable=True, personal=True
    )
    housing_grade = Column(
        "string",
        "Grade of the dwelling (危房级别).",
        personal=True,
        codes=codes.HOUSING_GRADE,
        example="B",
    )
    is_water_safe = Column(
        "boolean", "Safe drinking water (饮水安全).", example=True, personal=True
    )
    land_mu = Column(
        "double",
        "Arable land of the household, in mu (666.7 m2).",
        unit="mu",
        least=0,
        most=10000,
        example=6.0,
    )
    reported_net_income_cny = Column(
        "double",
        "Net income per head that the card itself states (人均纯收入).",
        unit="yuan",
        nullable=True,
        example=2500.0,
        personal=True,
    )
    delivery_id = fields.DELIVERY_ID
    line = fields.LINE


class MemberCard(Table, layer="silver", key=("person_id",), area="village_code", **WHO):
    """What the registration survey found for one member of a candidate household."""

    person_id = fields.PERSON_ID
    card_id = Column("string", "Number on the card (户编号): token.", personal=True, example="k1")
    village_code = fields.VILLAGE_CODE
    birth_date = Column("date", "Day of birth.", example="1960-05-01", personal=True)
    health = Column("string", "A11 health.", codes=codes.HEALTH, example="healthy", personal=True)
    labour = Column(
        "string", "A12 ability to work.", codes=codes.LABOUR, example="ordinary", personal=True
    )
    school = Column(
        "string",
        "A10 school attended now.",
        codes=codes.SCHOOL,
        example="not_in_school",
        personal=True,
    )
    is_medical_covered = Column(
        "boolean", "A15 basic medical insurance.", example=True, personal=True
    )
    months_away = Column(
        "int",
        "A13 months of work away from the town this year.",
        unit="month",
        least=0,
        most=12,
        example=0,
    )
    delivery_id = fields.DELIVERY_ID
    line = fields.LINE


class RosterEntry(
    Table, layer="silver", key=("household_id", "scheme", "valid_from"), area="village_code", **WHO
):
    """One stay of a household on the list (名册): of a scheme, from a day, perhaps to a day."""

    household_id = fields.HOUSEHOLD_ID.linked("silver.household")
    village_code = fields.VILLAGE_CODE
    scheme = Column("string", "Scheme.", codes=codes.SCHEME, example="registered_poor")
    valid_from = Column("date", "First day on the list.", example="2014-12-31")
    valid_to = Column("date", "First day no longer on it.", nullable=True)
    roster_status = Column(
        "string",
        "Status as the office states it.",
        codes=codes.ROSTER_STATUS,
        example="on",
        personal=True,
    )
    delivery_id = fields.DELIVERY_ID
    line = fields.LINE

    leaves_after_it_enters = Rule("valid_to > valid_from", "A stay ends after it begins.")
