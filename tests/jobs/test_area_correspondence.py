from jobs.silver.area_correspondence import area_correspondence
from lakehouse.schemas.space import Area, AreaCorrespondence
from tests.frames import assert_rows, frame


def test_codes_are_followed_through_the_changes_of_the_tree(spark):
    areas = frame(
        spark,
        Area,
        """
        area_code    | level    | area_name | valid_from | valid_to   | successor_code
        210000000000 | province | 辽宁省    | 1980-01-01 | null       | null
        211200000000 | city     | 铁岭市    | 1980-01-01 | null       | null
        211223000000 | county   | 西丰县    | 1984-01-01 | null       | null
        212123000000 | county   | 西丰县    | 1980-01-01 | 1984-01-01 | 211223000000
        211223101000 | town     | 房木镇    | 1984-01-01 | null       | null
        211223101201 | village  | 双庙村    | 1984-01-01 | 2017-01-01 | null
        211223101202 | village  | 双庙社区  | 2017-01-01 | null       | null
        220000000000 | province | 吉林省    | 1980-01-01 | null       | null
    """,
    )
    assert_rows(
        area_correspondence(areas),
        AreaCorrespondence,
        """
        area_code    | since      | until      | code_then    | level_then | basis             | reason
        210000000000 | 1980-01-01 | null       | 210000000000 | province   | itself            | null
        211200000000 | 1980-01-01 | null       | 211200000000 | city       | itself            | null
        211223000000 | 1980-01-01 | 1984-01-01 | 212123000000 | county     | announced         | null
        211223000000 | 1984-01-01 | null       | 211223000000 | county     | itself            | null
        212123000000 | 1980-01-01 | 1984-01-01 | 212123000000 | county     | itself            | null
        212123000000 | 1984-01-01 | null       | 211223000000 | county     | announced         | null
        211223101000 | 1980-01-01 | 1984-01-01 | 212123000000 | county     | area_above        | newly_made
        211223101000 | 1984-01-01 | null       | 211223101000 | town       | itself            | null
        211223101201 | 1980-01-01 | 1984-01-01 | 212123000000 | county     | area_above        | newly_made
        211223101201 | 1984-01-01 | 2017-01-01 | 211223101201 | village    | itself            | null
        211223101201 | 2017-01-01 | null       | 211223101202 | village    | same_name_in_town | null
        211223101202 | 1980-01-01 | 1984-01-01 | 212123000000 | county     | area_above        | newly_made
        211223101202 | 1984-01-01 | 2017-01-01 | 211223101201 | village    | same_name_in_town | null
        211223101202 | 2017-01-01 | null       | 211223101202 | village    | itself            | null
        220000000000 | 1980-01-01 | null       | 220000000000 | province   | itself            | null
    """,  # noqa: E501
    )
