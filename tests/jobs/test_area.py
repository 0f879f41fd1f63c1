from jobs.silver.area import area
from lakehouse.schemas.space import Area
from tests.frames import assert_rows, frame


def test_a_division_must_fit_into_the_tree(spark):
    areas = frame(
        spark,
        "bronze.area",
        """
        area_code    | level    | parent_code  | valid_to   | lon   | violations
        210000000000 | province | null         | null       | null  | []
        220000000000 | province | 000000000000 | null       | null  | []
        211200000000 | city     | 210000000000 | null       | null  | []
        211223000000 | county   | 211200000000 | null       | 124.7 | []
        211223101000 | town     | 211223000000 | 2014-01-01 | null  | []
        211223101201 | village  | 211223101000 | null       | null  | []
        211223101202 | town     | 211223101000 | null       | null  | []
        211223101203 | village  | null         | null       | null  | []
        211223102201 | village  | 211223102000 | null       | null  | []
        211223101204 | village  | null         | null       | null  | [parent_code:not_an_area_code]
        null         | null     | 211223101000 | null       | null  | [area_code:missing]
    """,
    )
    assert_rows(
        area(areas),
        Area,
        """
        area_code    | level    | valid_to   | lon   | line | violations
        210000000000 | province | null       | null  | 2    | []
        220000000000 | province | null       | null  | 3    | []
        211200000000 | city     | null       | null  | 4    | []
        211223000000 | county   | null       | 124.7 | 5    | []
        211223101000 | town     | 2014-01-01 | null  | 6    | []
        211223101201 | village  | null       | null  | 7    | []
        211223101202 | town     | null       | null  | 8    | [level:disagrees_with_code]
        211223101203 | village  | null       | null  | 9    | [parent_code:missing]
        211223102201 | village  | null       | null  | 10   | [parent_code:unknown_area]
        211223101204 | village  | null       | null  | 11   | [parent_code:not_an_area_code]
        null         | null     | null       | null  | 12   | [area_code:missing]
    """,
    )
