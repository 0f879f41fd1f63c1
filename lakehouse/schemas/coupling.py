"""Need, capacity and how they fit (耦合协调)."""

from lakehouse.schemas import codes, fields
from lakehouse.table import Column, Table, TableRule


class VillageIndicator(
    Table,
    layer="gold",
    key=("as_of", "village_code"),
    area="village_code",
    purpose="planning",
    owner="planning",
    partition="as_of",
    fresh_days=40,
):
    """What the coupling of one village is computed from: five living, five production figures.

    Every figure is better when higher. Living figures are shares of all registered households;
    a household without a card counts as not in need of that kind. A village without a registered
    household has no row.
    """

    as_of = fields.AS_OF
    village_code = fields.VILLAGE_CODE
    n_households = fields.N_HOUSEHOLDS
    above_line_share = fields.SHARE.means("Households not found below the line.")
    housing_safe_share = fields.SHARE.means("Households not found in unsafe housing.")
    schooling_kept_share = fields.SHARE.means("Households not found with a child out of school.")
    medical_covered_share = fields.SHARE.means("Households not found without insurance.")
    water_safe_share = fields.SHARE.means("Households not found without safe water.")
    worker_share = fields.SHARE.means("People of 16-64 who farm or have a job, over all.")
    schooling_years = Column(
        "double",
        "Mean years of schooling of members of 16 and over; null without one.",
        unit="year",
        least=0,
        most=20,
        nullable=True,
        example=8.0,
    )
    project_cny = Column(
        "double", "Money of production projects per household.", unit="yuan", least=0, example=100.0
    )
    served_share = Column(
        "double",
        "Households that production projects serve, over all; capped at 1.",
        unit="share",
        least=0,
        most=1,
        example=0.1,
    )
    n_subscribers = Column(
        "double",
        "Subscribers at home in the village, per household.",
        unit="subscriber",
        least=0,
        example=1.0,
    )


class NeedCapacityCoupling(
    Table,
    layer="gold",
    key=("as_of", "village_code"),
    area="village_code",
    purpose="planning",
    owner="planning",
    partition="as_of",
    fresh_days=40,
):
    """How the needs met and the capacity to produce of one village fit (耦合协调度).

    U1 living needs met and U2 production capacity lie in (0, 1], higher is better: weighted sums
    of VillageIndicator, mapped to [.01, .99] over all villages, weights by entropy. Read D, not
    C: two equally low systems have C = 1.
    """

    as_of = fields.AS_OF
    village_code = fields.VILLAGE_CODE
    living_needs_met = fields.SHARE.means("U1: living needs met (生活需求满足).")
    production_capacity = fields.SHARE.means("U2: production capacity (生产能力).")
    coupling_degree = fields.SHARE.means("C, standard: geometric over arithmetic mean.")
    coupling_degree_wang = fields.SHARE.means("C by Wang et al. 2021.")
    coordination_index = fields.SHARE.means("T: mean of U1 and U2.")
    coupling_coordination = fields.SHARE.means("D: square root of C (standard) times T.")
    coupling_coordination_wang = fields.SHARE.means("D by C of Wang et al. 2021.")
    coupling_level = Column("int", "Class of D from 1 to 10.", least=1, most=10, example=6)
    coupling_class = Column(
        "string", "Name of the class of D.", codes=codes.COUPLING_CLASS, example="勉强协调"
    )
    lagging = Column(
        "string",
        "The lower system; null when within .1 of the other.",
        codes=codes.LAGGING,
        nullable=True,
    )

    has_villages = TableRule("count(*) > 0", "There are villages.")
