"""What villages have and lack, and how the two fit."""

from datetime import date

from pyspark.sql import functions as F

from jobs.gold.need_capacity_coupling import need_capacity_coupling
from jobs.gold.village_indicator import village_indicator
from lakehouse.schemas.coupling import NeedCapacityCoupling, VillageIndicator
from lakehouse.schemas.identification import HouseholdFeature, HouseholdIdentification
from lakehouse.schemas.project import Project
from lakehouse.schemas.telecom import HomePlace
from tests.frames import assert_rows, frame

AS_OF = date(2015, 12, 31)
HOW = {"normalise": "minmax_shifted", "lagging_within": 0.1}


def test_what_a_village_has(spark):
    features = frame(
        spark,
        HouseholdFeature,
        """
        household_id | village_code | n_members | n_children | n_workers | schooling_years
        h1           | 211223101201 | 4         | 2          | 2         | 9.0
        h2           | 211223101201 | 2         | 0          | 1         | 6.0
        h3           | 211223101201 | 1         | 1          | 0         | null
        h4           | 211223101201 | 1         | 0          | 1         | 12.0
        h5           | 211223101202 | 1         | 1          | 0         | null
    """,
    )
    # The cards name another village: they count where the household is registered.
    identified = frame(
        spark,
        HouseholdIdentification,
        """
        household_id | is_below_line | is_housing_safe | is_schooling_kept | is_medical_covered
        h1           | true          | false           | true              | true
        h2           | true          | true            | false             | false
        h3           | false         | true            | true              | false
    """,
    )
    identified = identified.withColumns(
        {"village_code": F.lit("211223101202"), "is_water_safe": F.col("household_id") != "h2"}
    )
    projects = frame(
        spark,
        Project,
        """
        village_code | project_kind | project_status | started_date | budget_cny | n_beneficiaries
        211223101201 | planting     | accepted       | 2015-12-31   | 1000.0     | 1
        211223101201 | workshop     | running        | 2015-01-01   | 3000.0     | 2
        211223101201 | road         | accepted       | 2015-01-01   | 9999.0     | 9
        211223101201 | breeding     | planned        | 2015-01-01   | 9999.0     | 9
        211223101201 | breeding     | running        | 2016-01-01   | 9999.0     | 9
        211223101202 | breeding     | running        | 2015-01-01   | 500.0      | 7
        211223101209 | breeding     | running        | 2015-01-01   | 500.0      | 7
    """,
    )
    homes = frame(
        spark,
        HomePlace,
        """
        subscriber_id | village_code
        s1            | 211223101201
        s2            | 211223101201
        s3            | 211223101209
    """,
    )
    kinds = ["planting", "breeding", "processing", "workshop"]
    made = village_indicator(
        features, identified, projects, homes, as_of=AS_OF, production_kinds=kinds
    ).cache()
    assert_rows(
        made,
        VillageIndicator,
        """
        village_code | n_households | above_line_share | housing_safe_share | schooling_kept_share
        211223101201 | 4            | 0.5              | 0.75               | 0.75
        211223101202 | 1            | 1.0              | 1.0                | 1.0
    """,
    )
    assert_rows(
        made,
        VillageIndicator,
        """
        village_code | medical_covered_share | water_safe_share
        211223101201 | 0.5                   | 0.75
        211223101202 | 1.0                   | 1.0
    """,
    )
    assert_rows(
        made,
        VillageIndicator,
        """
        village_code | worker_share | schooling_years | project_cny | served_share | n_subscribers
        211223101201 | 0.5          | 8.4             | 1000.0      | 0.75         | 0.5
        211223101202 | 0.0          | null            | 500.0       | 1.0          | 0.0
    """,
    )


def test_two_systems_and_how_they_fit(spark):
    # Of two villages, an indicator that differs maps to .01 and .99, and all such weigh the same.
    # One that does not differ weighs nothing. The third lacks one and must not shift extremes.
    indicators = frame(
        spark,
        VillageIndicator,
        """
        village_code | above_line_share | worker_share | schooling_years | project_cny
        211223101201 | 0.9              | 0.8          | 9.0             | 10.0
        211223101202 | 0.4              | 0.3          | 6.0             | 90.0
        211223101203 | 0.0              | 1.0          | null            | 999.0
    """,
    )
    made = need_capacity_coupling(indicators, **HOW).cache()
    # U1 = .99 and .01; U2 = (.99 + .99 + .01)/3 = 1.99/3 and (.01 + .01 + .99)/3 = 1.01/3.
    # C = 2 sqrt(U1 U2)/(U1 + U2); Wang: sqrt((1 - gap) least/most); D = sqrt(C T).
    judged = made.where("size(violations) = 0")
    assert_rows(
        judged,
        NeedCapacityCoupling,
        """
        village_code | living_needs_met | production_capacity | coordination_index
        211223101201 | 0.99             | 0.6633333333        | 0.8266666667
        211223101202 | 0.01             | 0.3366666667        | 0.1733333333
    """,
    )
    assert_rows(
        judged,
        NeedCapacityCoupling,
        """
        village_code | coupling_degree | coupling_degree_wang | coupling_coordination_wang
        211223101201 | 0.9802866360    | 0.6716814755         | 0.7451554780
        211223101202 | 0.3347479843    | 0.1414213562         | 0.1565663919
    """,
    )
    assert_rows(
        made,
        NeedCapacityCoupling,
        """
        village_code | coupling_coordination | coupling_level | coupling_class | lagging
        211223101201 | 0.9002056908          | 10             | 优质协调       | production_capacity
        211223101202 | 0.2408796047          | 3              | 中度失调       | living_needs_met
        211223101203 | null                  | null           | null           | null
    """,
    )
    assert_rows(
        made.where("village_code = '211223101203'"),
        NeedCapacityCoupling,
        """
        violations
        [schooling_years:missing_indicator]
    """,
    )
