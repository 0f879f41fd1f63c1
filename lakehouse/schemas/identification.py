"""Who needs help: features, identification, measures by area."""

from lakehouse.schemas import codes, fields
from lakehouse.table import Column, Release, Rule, Table, TableRule

N_PEOPLE = Column("bigint", "People.", unit="person", least=0, example=1)
# What a sample leaves open, in the unit of the share itself.
ERROR = Column("double", "Standard error.", unit="share", least=0, nullable=True, example=0.02)


class HouseholdFeature(
    Table,
    layer="gold",
    key=("as_of", "household_id"),
    area="village_code",
    purpose="statistics",
    owner="model owners",
    partition="as_of",
    fresh_days=40,
):
    """What is known of every registered household without asking it: the input of models.

    From the register and, by village, from telephone use. Null where a village has no located
    subscriber. Nothing here comes from the registration survey: it covers candidates only.
    """

    as_of = fields.AS_OF
    household_id = fields.HOUSEHOLD_ID.linked("silver.household")
    village_code = fields.VILLAGE_CODE
    n_members = fields.N_MEMBERS
    n_children = N_PEOPLE.means("Members under 16.")
    n_elderly = N_PEOPLE.means("Members of 65 and over.")
    n_students = N_PEOPLE.means("Members registered as students.")
    n_workers = N_PEOPLE.means("Members of 16-64 who farm or have a job.")
    n_migrants = N_PEOPLE.means("Members who work away.")
    dependency_share = fields.SHARE.means("Children and elderly over all members.")
    head_age = Column(
        "int", "Age of the head.", unit="year", least=0, most=126, nullable=True, example=55
    )
    is_head_female = Column("boolean", "The head is a woman.", nullable=True, example=False)
    is_minority = Column("boolean", "A member belongs to a minority.", example=False)
    has_public_job = Column("boolean", "A member is on a public payroll.", example=False)
    schooling_years = Column(
        "double",
        "Mean years of schooling of members of 16 and over; null without one.",
        unit="year",
        least=0,
        most=20,
        nullable=True,
        example=8.0,
    )
    best_schooling_years = Column(
        "double",
        "Years of schooling of the best schooled member of 16 and over.",
        unit="year",
        least=0,
        most=20,
        nullable=True,
        example=9.0,
    )
    village_n_subscribers = Column(
        "bigint",
        "Subscribers whose home is in the village.",
        unit="subscriber",
        least=0,
        nullable=True,
        example=20,
    )
    village_active_days = Column(
        "double",
        "Mean active days of those subscribers in the look-back.",
        unit="day",
        least=0,
        nullable=True,
        example=4.0,
    )
    village_contacts = Column(
        "double",
        "Mean contacts of those subscribers on an active day.",
        unit="subscriber",
        least=0,
        nullable=True,
        example=3.0,
    )
    village_call_s = Column(
        "double",
        "Mean seconds in calls of those subscribers on an active day.",
        unit="second",
        least=0,
        nullable=True,
        example=90.0,
    )


class HouseholdIdentification(
    Table,
    layer="gold",
    key=("as_of", "household_id"),
    area="village_code",
    purpose="identification",
    owner="poverty office",
    partition="as_of",
    fresh_days=40,
):
    """The recommendation for one candidate household, with its reasons (精准识别).

    Rests on the registration survey alone: households without a card are not here. A
    recommendation is not a decision: a person decides, after appraisal and publicity.
    """

    as_of = fields.AS_OF
    household_id = fields.HOUSEHOLD_ID.linked("silver.household")
    village_code = fields.VILLAGE_CODE
    scheme = Column("string", "Scheme.", codes=codes.SCHEME, example="registered_poor")
    n_members = fields.N_MEMBERS.means("People that the income is shared by.")
    gross_income_cny = Column(
        "double",
        "Gross income of the household in twelve months.",
        unit="yuan",
        least=0,
        example=9000.0,
        personal=True,
    )
    cost_cny = Column(
        "double",
        "Cost of production by the income rule.",
        unit="yuan",
        least=0,
        example=1000.0,
        personal=True,
    )
    net_income_cny = Column(
        "double",
        "Net income per head and year.",
        unit="yuan",
        least=-1_000_000,
        most=1_000_000,
        example=2666.7,
        personal=True,
    )
    line_cny = Column(
        "double", "Line, yuan per person and year.", unit="yuan", least=0, example=2855.0
    )
    line_area_code = fields.AREA_CODE.means(
        "Area that set the line, itself or inherited from; 000000000000 is the nation."
    )
    line_source = Column("string", "Where the line is published.", example="a page")
    income_rule = Column("string", "Rule version.", example="chuxiong-card")
    is_below_line = Column("boolean", "net_income_cny < line_cny.", example=True, personal=True)
    is_housing_safe = Column(
        "boolean", "Dwelling of grade A or B (住房安全).", example=True, personal=True
    )
    is_schooling_kept = Column(
        "boolean", "Nobody of 6-15 is out of school (义务教育).", example=True, personal=True
    )
    is_medical_covered = Column(
        "boolean", "All members have basic insurance (基本医疗).", example=True, personal=True
    )
    is_water_safe = Column(
        "boolean", "Safe drinking water (饮水安全).", example=True, personal=True
    )
    deprivation_share = fields.PERSONAL_SHARE.means(
        "Alkire-Foster weighted deprivations over income, housing, schooling, health, water."
    )
    recommendation = Column(
        "string",
        "What is recommended.",
        codes=codes.RECOMMENDATION,
        example="include",
        personal=True,
    )
    reasons = Column(
        "array<string>", "Named reasons, in a fixed order.", codes=codes.REASON, personal=True
    )

    has_reasons = Rule("size(reasons) > 0", "No answer without a reason.")
    cost_within_income = Rule("cost_cny <= gross_income_cny", "Cost is a share of income.")


class PovertyByArea(
    Table,
    layer="gold",
    key=("as_of", "area_code", "concept"),
    area="area_code",
    purpose="statistics",
    owner="statistics",
    partition="as_of",
    fresh_days=400,
    release=Release(count="n_sampled", at_least=16),
):
    """Poverty measured in one area (贫困发生率): Foster-Greer-Thorbecke, from the survey.

    People, not households: a household's weight times its members. An area without a sampled
    household has no row, and `n_sampled` says how much a row rests on. A negative income counts
    as 0.

    Errors are those of the survey's design (strata, PSUs with replacement), with n_psu - n_strata
    degrees of freedom. They are null where the design gives no variance: one of the area's strata
    has a single PSU, or the area has no more PSUs than strata, as every village.
    """

    as_of = fields.AS_OF
    area_code = fields.AREA_CODE
    level = fields.LEVEL
    concept = Column(
        "string", "What is held against the line.", codes=codes.CONCEPT, example="net_income"
    )
    line_cny = Column(
        "double", "Line, yuan per person and year.", unit="yuan", least=0, example=2855.0
    )
    line_area_code = fields.AREA_CODE.means(
        "Area that set the line, itself or inherited from; 000000000000 is the nation."
    )
    headcount_ratio = fields.SHARE.means("P0: share of people below the line (贫困发生率).")
    poverty_gap = fields.SHARE.means("P1: mean shortfall over the line (贫困缺口率).")
    squared_gap = fields.SHARE.means("P2: mean squared shortfall (贫困强度).")
    headcount_ratio_error = ERROR.means("Standard error of P0.")
    poverty_gap_error = ERROR.means("Standard error of P1.")
    squared_gap_error = ERROR.means("Standard error of P2.")
    n_sampled = Column("bigint", "Sampled households.", unit="household", least=1, example=20)
    n_people = Column(
        "double", "People that the sample stands for.", unit="person", least=0, example=100.0
    )
    n_psu = Column("bigint", "Sampled PSUs of the area.", unit="psu", least=1, example=6)
    n_strata = Column("bigint", "Sampled strata of the area.", unit="stratum", least=1, example=2)

    gaps_are_ordered = Rule(
        "squared_gap <= poverty_gap + 1e-12 AND poverty_gap <= headcount_ratio + 1e-12",
        "P2 <= P1 <= P0.",
    )
    has_enough_psus = Rule("n_strata <= n_psu", "Each stratum has a PSU.")
    reaches_the_county = TableRule("count_if(level = 'county') > 0", "Counties are measured.")


class PovertyScore(
    Table,
    layer="gold",
    key=("as_of", "household_id"),
    area="village_code",
    purpose="identification",
    owner="model owners",
    partition="as_of",
    fresh_days=40,
):
    """What the model `poverty` predicts for one household, with the version that said so.

    Lower means poorer. A score orders households for a visit; it decides nothing.
    """

    as_of = fields.AS_OF
    household_id = fields.HOUSEHOLD_ID.linked("silver.household")
    village_code = fields.VILLAGE_CODE
    predicted_consumption_cny = Column(
        "double",
        "Predicted consumption per head and year.",
        unit="yuan",
        least=0,
        example=6000.0,
        personal=True,
    )
    poorest_share = fields.PERSONAL_SHARE.means(
        "Share of the county's households that are predicted to be as poor or poorer."
    )
    model_version = Column("string", "Version in the model registry.", example="1")
