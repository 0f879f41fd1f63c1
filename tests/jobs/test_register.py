"""The household register: person, membership and household, which rest on the same rows."""

from datetime import date

from jobs.silver.household import household
from jobs.silver.membership import membership
from jobs.silver.person import person
from lakehouse.schemas.people import Household, Membership, Person
from lakehouse.schemas.space import Area
from tests.frames import assert_rows, frame

AS_OF = date(2015, 12, 31)
AREAS = """
    area_code    | level   | valid_from | valid_to
    211223101201 | village | 2000-01-01 | null
    211223101202 | village | 2000-01-01 | 2015-12-31
    211223101203 | village | 2000-01-01 | 2016-01-01
    211223101204 | village | 2016-01-01 | null
    211223101000 | town    | 2000-01-01 | null
"""
# p5 stands in two households: h5 first, but its first good row is in h6. The first row of p6 is
# good, and the repeat of it too.
REGISTER = """
    person_id | household_id | relation | village_code | birth_date | violations
    p1        | h1           | head     | 211223101201 | 1960-05-01 | []
    p2        | h1           | spouse   | 211223101203 | 1961-05-01 | []
    p3        | h2           | head     | 211223101202 | 1960-05-01 | []
    p4        | h3           | head     | 211223101204 | 2016-01-01 | []
    p5        | h5           | head     | 211223101201 | 1960-05-01 | [sex:unknown_code]
    p5        | h6           | head     | 211223101201 | 1960-05-01 | []
    p5        | h7           | other    | 211223101201 | 1960-05-01 | []
    p6        | h1           | child    | 211223101201 | 1990-05-01 | []
    p6        | h1           | child    | 211223101201 | 1990-05-01 | []
    p7        | h1           | child    | 211223101000 | 1990-05-01 | []
    p8        | h1           | child    | 999999999999 | 1990-05-01 | []
    null      | h8           | head     | 211223101201 | null       | [person_id:check_digit]
    null      | h9           | head     | null         | 1990-05-01 | [village_code:missing]
"""
VIOLATIONS = [
    "[]",
    "[]",
    "[village_code:retired_area]",
    "[village_code:unknown_area, birth_date:after_as_of]",
    "[sex:unknown_code, person_id:in_two_households]",
    "[]",
    "[person_id:in_two_households]",
    "[]",
    "[]",
    "[village_code:not_a_village]",
    "[village_code:unknown_area]",
    "[person_id:check_digit]",
    "[village_code:missing]",
]


def _by_line(reasons: list[str]) -> str:
    return "\n".join(
        ["line | violations", *(f"{place} | {it}" for place, it in enumerate(reasons, start=2))]
    )


def test_every_row_of_the_register_is_a_person_and_a_membership_with_the_same_reasons(spark):
    register = frame(spark, "bronze.person_register", REGISTER)
    areas = frame(spark, Area, AREAS)
    persons = person(register, areas, as_of=AS_OF)
    members = membership(register, areas, as_of=AS_OF)
    assert_rows(persons, Person, _by_line(VIOLATIONS))
    assert_rows(members, Membership, _by_line(VIOLATIONS))
    assert_rows(
        members.where("line IN (2, 3, 13)"),
        Membership,
        """
        household_id | person_id | relation | village_code
        h1           | p1        | head     | 211223101201
        h1           | p2        | spouse   | 211223101203
        h8           | null      | head     | 211223101201
    """,
    )


def test_a_household_is_made_of_its_members(spark):
    members = frame(
        spark,
        Membership,
        """
        household_id | person_id | relation | village_code
        h1           | p1        | spouse   | 211223101202
        h1           | p2        | head     | 211223101201
        h1           | p3        | child    | 211223101202
        two_heads    | p5        | head     | 211223101201
        two_heads    | p4        | head     | 211223101202
        no_head      | p6        | child    | 211223101202
        no_head      | p7        | other    | 211223101202
        no_head      | p8        | parent   | 211223101201
        tie          | p9        | child    | 211223101202
        tie          | p10       | other    | 211223101201
    """,
    )
    assert_rows(
        household(members),
        Household,
        """
        household_id | n_members | head_person_id | village_code
        h1           | 3         | p2             | 211223101201
        two_heads    | 2         | p4             | 211223101202
        no_head      | 3         | null           | 211223101202
        tie          | 2         | null           | 211223101201
    """,
    )
