"""What is loaded under a registered household, or at a village: cards, survey, list, projects."""

from datetime import date

from jobs.silver.household_card import household_card
from jobs.silver.income_item import income_item
from jobs.silver.member_card import member_card
from jobs.silver.project import project
from jobs.silver.roster_entry import roster_entry
from jobs.silver.survey_household import survey_household
from lakehouse.schemas.income import IncomeItem, SurveyHousehold
from lakehouse.schemas.people import HouseholdCard, MemberCard, Membership, RosterEntry
from lakehouse.schemas.project import Project
from lakehouse.schemas.space import Area
from tests.frames import assert_rows, frame

AS_OF = date(2015, 12, 31)
HERE, UNKNOWN = "211223101201", "999999999999"
# p4 has moved: the register still has both households; p4 heads the second.
MEMBERSHIP = """
    household_id | person_id | relation
    h1           | p1        | head
    h1           | p2        | spouse
    h3           | p3        | other
    h2           | p3        | child
    h4           | p4        | child
    h5           | p4        | head
"""
CARDS = """
    head_id | card_id | village_code | n_members   | wage   | grain | dibao | violations
    p1      | k1      | 211223101201 | 3           | 9000.5 | 100.0 | 0.0   | []
    p2      | k2      | 211223101201 | 3           | 1.0    | 0.0   | 0.0   | []
    p3      | k3      | 211223101201 | 3           | 1.0    | 0.0   | 0.0   | []
    p4      | k4      | 211223101201 | 3           | 1.0    | 0.0   | 0.0   | []
    p9      | k5      | 211223101201 | 3           | 1.0    | 0.0   | 0.0   | []
    p1      | k6      | 999999999999 | 99999999999 | null   | 0.0   | 0.0   | [wage:not_a_number]
    null    | k7      | 211223101201 | 3           | 1.0    | 0.0   | 0.0   | [head_id:malformed]
    p2      | k2      | 211223101201 | 3           | 1.0    | 0.0   | 0.0   | []
    p3      | k3      | 211223101201 | 3           | 1.0    | 0.0   | 0.0   | []
    p3      | k3      | 211223101201 | 3           | 1.5    | 0.0   | 0.0   | []
"""


def test_a_card_belongs_to_the_household_of_its_head_and_is_its_only_one(spark):
    cards = household_card(
        frame(spark, "bronze.household_card", CARDS),
        frame(spark, Membership, MEMBERSHIP),
        frame(spark, Area, f"area_code \n {HERE}"),
        as_of=AS_OF,
    )
    assert_rows(
        cards,
        HouseholdCard,
        """
        card_id | household_id | n_members | line | violations
        k1      | h1           | 3         | 2    | []
        k2      | h1           | 3         | 3    | [household_id:second_card]
        k3      | h2           | 3         | 4    | []
        k4      | h5           | 3         | 5    | []
        k5      | null         | 3         | 6    | [head_id:not_on_register]
        k6      | h1           | null      | 7    | [wage:not_a_number, village_code:unknown_area]
        k7      | null         | 3         | 8    | [head_id:malformed]
        k2      | h1           | 3         | 9    | [household_id:second_card]
        k3      | h2           | 3         | 10   | []
        k3      | h2           | 3         | 11   | [household_id:second_card]
    """,
    )


def test_every_card_gives_twelve_incomes_with_all_that_is_wrong_with_it(spark):
    items = income_item(
        frame(spark, "bronze.household_card", CARDS),
        frame(spark, Membership, MEMBERSHIP),
        frame(spark, Area, f"area_code \n {HERE}"),
        as_of=AS_OF,
    ).cache()
    others = "tobacco livestock fruit other_crop property farm_support ecology family_planning"
    bad = "[wage:not_a_number, village_code:unknown_area]"
    told = [
        "household_id | item | amount_cny | line | violations",
        "h1 | wage | 9000.5 | 2 | []",
        "h1 | grain | 100.0 | 2 | []",
        f"h1 | wage | null | 7 | {bad}",
    ]
    told += [f"h1 | {item} | 0.0 | 2 | []" for item in f"{others} dibao other_transfer".split()]
    told += [
        f"h1 | {item} | 0.0 | 7 | {bad}" for item in f"{others} grain dibao other_transfer".split()
    ]
    assert len(told) == 1 + 2 * 12
    assert_rows(items.where("line IN (2, 7)"), IncomeItem, "\n".join(told))
    # The row of line 10 repeats that of line 4; that of line 11 gives another wage.
    assert_rows(
        items.where("line IN (4, 10, 11) AND item = 'wage'"),
        IncomeItem,
        """
        household_id | amount_cny | line | violations
        h2           | 1.0        | 4    | []
        h2           | 1.5        | 11   | [household_id:second_card]
    """,
    )


def test_a_member_sheet_is_loaded_as_it_is(spark):
    sheets = frame(
        spark,
        "bronze.member_card",
        """
        person_id | village_code | months_away | violations
        p1        | 211223101201 | 10          | []
        p8        | 211223101201 | 99999999999 | []
        null      | 999999999999 | 0           | [person_id:check_digit]
    """,
    )
    areas = frame(spark, Area, f"area_code \n {HERE}")
    assert_rows(
        member_card(sheets, areas, as_of=AS_OF),
        MemberCard,
        """
        person_id | months_away | line | violations
        p1        | 10          | 2    | []
        p8        | null        | 3    | []
        null      | 0           | 4    | [person_id:check_digit, village_code:unknown_area]
    """,
    )


def test_survey_and_list_are_loaded_under_the_household_of_the_head(spark):
    membership = frame(spark, Membership, MEMBERSHIP)
    areas = frame(spark, Area, f"area_code \n {HERE}")
    sampled = frame(
        spark,
        "bronze.consumption_survey",
        """
        head_id | survey_year | n_members | village_code | consumption_cny | violations
        p1      | 2015        | 3         | 211223101201 | 6000.5          | []
        p9      | 2015        | 3         | 999999999999 | 6000.5          | []
        p2      | null        | 3         | 211223101201 | null            | [survey_year:missing]
    """,
    )
    assert_rows(
        survey_household(sampled, membership, areas, as_of=AS_OF),
        SurveyHousehold,
        """
        household_id | survey_year | n_members | consumption_cny | line | violations
        h1   | 2015 | 3 | 6000.5 | 2 | []
        null | 2015 | 3 | 6000.5 | 3 | [village_code:unknown_area, head_id:not_on_register]
        h1   | null | 3 | null   | 4 | [survey_year:missing]
    """,
    )
    roster = frame(
        spark,
        "bronze.roster",
        """
        head_id | valid_from | valid_to   | violations
        p1      | 2014-12-31 | 2015-12-31 | []
        p1      | 2015-12-31 | null       | []
        p9      | 2014-12-31 | null       | [scheme:unknown_code]
    """,
    )
    assert_rows(
        roster_entry(roster, membership, areas, as_of=AS_OF),
        RosterEntry,
        """
        household_id | valid_from | valid_to   | violations
        h1           | 2014-12-31 | 2015-12-31 | []
        h1           | 2015-12-31 | null       | []
        null         | 2014-12-31 | null       | [scheme:unknown_code, head_id:not_on_register]
    """,
    )


def test_a_project_stands_at_a_village_in_force(spark):
    projects = frame(
        spark,
        "bronze.project",
        """
        project_id | village_code | budget_cny | violations
        j1         | 211223101201 | 150000.0   | []
        j2         | 211223101202 | 150000.0   | []
        j3         | 211223101201 | null       | [budget_cny:not_a_number]
    """,
    )
    areas = frame(
        spark,
        Area,
        """
        area_code    | valid_to
        211223101201 | null
        211223101202 | 2013-01-01
    """,
    )
    assert_rows(
        project(projects, areas, as_of=AS_OF),
        Project,
        """
        project_id | budget_cny | line | violations
        j1         | 150000.0   | 2    | []
        j2         | 150000.0   | 3    | [village_code:retired_area]
        j3         | null       | 4    | [budget_cny:not_a_number]
    """,
    )
