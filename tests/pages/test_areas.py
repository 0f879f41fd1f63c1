"""Which area a code names, and what is said where it names none. No Spark."""

from datetime import date

import pytest

from jobs.pages.areas import area_of, code_of
from jobs.pages.lake import Lake
from lakehouse.errors import InputMissing, UsageError
from tests.pages import county
from tests.pages.county import AS_OF, BEFORE

KINDS = {"include": 6, "check": 6, "leave_out": 6, "none": 6}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = county.tiny(tmp_path_factory.mktemp("lake"), {
        BEFORE: {"211223101201": KINDS}, AS_OF: {"211223101201": KINDS, "211223102201": KINDS},
    })  # fmt: skip
    rows = county.read(made, "silver.area")
    for code, name, level in (("211224000000", "昌图县", "county"),
                              ("211223105000", "合成5镇", "town")):  # fmt: skip
        rows.append(rows[0] | {"area_code": code, "area_name": name, "level": level})
    county.write(made, "silver.area", rows)
    return made


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("21", "210000000000"),
        ("2100", "210000000000"),
        ("210000000000", "210000000000"),
        ("2110", "211000000000"),
        # A city and a county whose own codes end in zero.
        ("211000", "211000000000"),
        ("130130", "130130000000"),
        ("211223", "211223000000"),
        ("211223101", "211223101000"),
    ],
)
def test_zeros_at_the_end_say_nothing(text, code):
    assert code_of(text) == code


@pytest.mark.parametrize("text", ["", "2", "00", "21122a", "2112231012010", "-21", "２１"])
def test_what_is_no_code_is_a_mistake_of_use(text):
    with pytest.raises(UsageError, match="2 to 12 digits"):
        code_of(text)


def test_a_village_has_no_report_and_its_town_is_named(root):
    with pytest.raises(UsageError, match=r"village.*211223101\."):
        area_of(Lake(str(root)), "211223101201")


def test_an_unknown_code_names_the_nearest(root):
    with pytest.raises(UsageError, match=r"no division 211229 on 2015-12-31.*'21122\d'"):
        area_of(Lake(str(root)), "211229")


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [("211224", "昌图县.*: 211223\\."), ("211223105", "合成5镇.*: 211223102, 211223101\\.")],
)
def test_an_area_without_data_names_those_that_have(root, asked, nearest):
    with pytest.raises(InputMissing, match=nearest):
        area_of(Lake(str(root)), asked)


def test_an_area_that_has_data_only_later_has_none_before(root):
    with pytest.raises(InputMissing, match="has no registered household on 2015-11-30"):
        area_of(Lake(str(root), BEFORE), "211223102")


def test_a_date_that_gold_lacks_is_told_with_those_it_has(root):
    with pytest.raises(InputMissing, match=r"2014-12-31. It has 2015-11-30, 2015-12-31\."):
        Lake(str(root), date(2014, 12, 31))
    assert Lake(str(root)).as_of == AS_OF
    assert Lake(str(root), BEFORE).dates == [BEFORE]


def test_a_lake_without_tables_says_what_makes_them(tmp_path):
    with pytest.raises(InputMissing, match=r"silver\.area has not been made yet"):
        Lake(str(tmp_path))


def test_names_go_from_the_top_down(root):
    area = area_of(Lake(str(root)), "211223")
    assert area.full_name() == "西丰县" and area.below == ("211223101000", "211223102000")
    assert area.names_down_to("211223101201") == "合成01镇 合成201村"
    assert area.name("0" * 12) == "全国" and area.name("999") == "999"
