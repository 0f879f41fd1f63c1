"""The comparison that every job's test rests on: it says what differs, and it can fail."""

from datetime import date

import pytest

from lakehouse.schemas.people import Household, HouseholdCard
from tests.frames import assert_rows, frame

HOUSEHOLDS = """
    household_id | n_members | head_person_id
    h1           | 3         | p1
    h2           | 1         | null
"""


def test_same_rows_in_any_order_pass(spark):
    made = frame(spark, Household, HOUSEHOLDS)
    assert_rows(
        made,
        Household,
        """
        household_id | head_person_id
        h2           | null
        h1           | p1
    """,
    )


@pytest.mark.parametrize("wrong", [
    "household_id | n_members \n h1 | 3",
    "household_id | n_members \n h1 | 3 \n h2 | 2",
    "household_id | n_members \n h1 | 3 \n h2 | 1 \n h2 | 1",
    "household_id | head_person_id \n h1 | p1 \n h2 | p2",
])  # fmt: skip
def test_any_difference_fails(spark, wrong):
    with pytest.raises(AssertionError, match=r"expected \(-\) and made \(\+\)"):
        assert_rows(frame(spark, Household, HOUSEHOLDS), Household, wrong)


def test_doubles_are_compared_within_a_billionth(spark):
    made = frame(spark, HouseholdCard, "land_mu \n 0.30000000000000004")
    assert_rows(made, HouseholdCard, "land_mu \n 0.3")
    with pytest.raises(AssertionError, match="expected"):
        assert_rows(made, HouseholdCard, "land_mu \n 0.30000001")


def test_columns_and_types_must_be_those_declared(spark):
    made = frame(spark, Household, HOUSEHOLDS)
    bigint = made.withColumn("n_members", made["n_members"].cast("bigint"))
    for wrong in (made.drop("n_members"), bigint):
        with pytest.raises(AssertionError, match=r"silver\.household is declared"):
            assert_rows(wrong, Household, HOUSEHOLDS)


def test_a_misspelt_column_is_named(spark):
    with pytest.raises(AssertionError, match=r"'n_member'.*'n_members'"):
        frame(spark, Household, "n_member \n 3")


def test_a_typed_view_is_filled_from_examples_and_numbers_its_lines(spark):
    made = frame(spark, "bronze.person_register", "person_id | sex \n p7 | null \n p8 | male")
    first, second = made.collect()
    assert (first["person_id"], first["sex"], first["household_id"]) == ("p7", None, "h1")
    assert first["birth_date"] == date(1960, 5, 1)
    assert (first["line"], second["line"], first["violations"]) == (2, 3, [])
