from datetime import date

from jobs.gold.household_feature import household_feature
from lakehouse.schemas.identification import HouseholdFeature
from lakehouse.schemas.people import Household, Membership, Person
from lakehouse.schemas.telecom import HomePlace, SubscriberDay
from tests.frames import assert_rows, frame

AS_OF = date(2015, 12, 31)
YEARS = {"preschool": 0, "illiterate": 0, "primary": 6, "junior": 9, "senior": 12, "college": 16}


def test_a_household_is_described_by_its_members_and_its_villages_telephones(spark):
    households = frame(
        spark,
        Household,
        """
        household_id | n_members | village_code
        h1           | 5         | 211223101201
        h2           | 1         | 211223101202
        h3           | 2         | 211223101202
        h4           | 1         | 211223101202
    """,
    )
    membership = frame(
        spark,
        Membership,
        """
        household_id | person_id | relation
        h1           | p1        | head
        h1           | p2        | spouse
        h1           | p3        | child
        h1           | p4        | child
        h1           | p5        | parent
        h2           | p6        | child
        h3           | p8        | head
        h3           | p7        | head
        h4           | p9        | head
    """,
    )
    # p3 turns 16 on the day, p4 a day later; p5 is 65; nobody knows p9.
    persons = frame(
        spark,
        Person,
        """
        person_id | birth_date | sex    | work    | education  | ethnicity
        p1        | 1970-01-01 | female | farming | primary    | han
        p2        | 1970-01-01 | male   | migrant | illiterate | han
        p3        | 1999-12-31 | male   | student | senior     | han
        p4        | 2000-01-01 | male   | student | junior     | han
        p5        | 1950-12-31 | male   | farming | junior     | manchu
        p6        | 2015-06-01 | female | none    | preschool  | han
        p7        | 1980-06-01 | male   | public  | college    | han
        p8        | 1985-06-01 | female | none    | junior     | han
    """,
    )
    homes = frame(
        spark,
        HomePlace,
        """
        subscriber_id | village_code
        s1            | 211223101201
        s2            | 211223101201
    """,
    )
    days = frame(
        spark,
        SubscriberDay,
        """
        subscriber_id | day        | n_contacts | call_s
        s1            | 2015-12-05 | 2          | 100
        s1            | 2015-12-06 | 4          | null
        s1            | 2015-12-07 | 6          | 50
        s2            | 2015-12-05 | 1          | null
        s3            | 2015-12-05 | 9          | 900
    """,
    )
    made = household_feature(
        households, membership, persons, homes, days, as_of=AS_OF, schooling_years=YEARS
    ).cache()
    assert_rows(
        made,
        HouseholdFeature,
        """
        household_id | n_children | n_elderly | n_students | n_workers | n_migrants
        h1           | 1          | 1         | 2          | 2         | 1
        h2           | 1          | 0         | 0          | 0         | 0
        h3           | 0          | 0         | 0          | 1         | 0
        h4           | null       | null      | null       | null      | null
    """,
    )
    assert_rows(
        made,
        HouseholdFeature,
        """
        household_id | dependency_share | is_minority | has_public_job | head_age | is_head_female
        h1           | 0.4              | true        | false          | 45       | true
        h2           | 1.0              | false       | false          | null     | null
        h3           | 0.0              | false       | true           | 35       | false
        h4           | null             | null        | null           | null     | null
    """,
    )
    assert_rows(
        made,
        HouseholdFeature,
        """
        household_id | n_members | schooling_years | best_schooling_years
        h1           | 5         | 6.75            | 12.0
        h2           | 1         | null            | null
        h3           | 2         | 12.5            | 16.0
        h4           | 1         | null            | null
    """,
    )
    assert_rows(
        made,
        HouseholdFeature,
        """
        household_id | village_n_subscribers | village_active_days | village_contacts
        h1           | 2                     | 2.0                 | 3.25
        h2           | null                  | null                | null
        h3           | null                  | null                | null
        h4           | null                  | null                | null
    """,
    )
    assert_rows(
        made.where("household_id = 'h1'"),
        HouseholdFeature,
        """
        village_code | village_call_s
        211223101201 | 37.5
    """,
    )
