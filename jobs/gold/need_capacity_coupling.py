"""gold.need_capacity_coupling: how needs met and capacity to produce fit in each village."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.methods.coupling import (
    coordination_class,
    coordination_index,
    coupling_coordination,
    coupling_degree,
    lagging,
)
from jobs.methods.entropy import composite
from jobs.methods.reasons import named
from lakehouse.job import job
from lakehouse.schemas.coupling import NeedCapacityCoupling, VillageIndicator

LIVING = [
    "above_line_share",
    "housing_safe_share",
    "schooling_kept_share",
    "medical_covered_share",
    "water_safe_share",
]
PRODUCTION = ["worker_share", "schooling_years", "project_cny", "served_share", "n_subscribers"]
SYSTEMS = ["living_needs_met", "production_capacity"]


@job(NeedCapacityCoupling, indicators=VillageIndicator)
def need_capacity_coupling(
    indicators: DataFrame, *, normalise: str, lagging_within: float
) -> DataFrame:
    """Weigh the indicators into two systems over all villages, and couple them.

    Weights and extremes are those of this run's villages: values of two dates do not compare. A
    village that lacks an indicator is set aside and moves neither: a middle value would hide
    what is not known.
    """
    complete = indicators.dropna(subset=LIVING + PRODUCTION)
    systems = indicators
    for name, columns in zip(SYSTEMS, (LIVING, PRODUCTION), strict=True):
        systems = composite(systems, columns, normalise=normalise, panel=complete, name=name)
    class_of_d = coordination_class("coupling_coordination")
    missing = {f"{name}:missing_indicator": F.col(name).isNull() for name in LIVING + PRODUCTION}
    return (
        systems.withColumns(
            {
                "coupling_degree": coupling_degree(SYSTEMS),
                "coupling_degree_wang": coupling_degree(SYSTEMS, "wang"),
                "coordination_index": coordination_index(SYSTEMS),
                "coupling_coordination": coupling_coordination(SYSTEMS),
                "coupling_coordination_wang": coupling_coordination(SYSTEMS, "wang"),
                "lagging": lagging({name: name for name in SYSTEMS}, lagging_within),
                "violations": named(missing),
            }
        )
        .withColumn("coupling_level", class_of_d["level"])
        .withColumn("coupling_class", class_of_d["name"])
        .select(*NeedCapacityCoupling.columns, "violations")
    )
