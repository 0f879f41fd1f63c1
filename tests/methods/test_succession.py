"""What became of divisions: small trees by hand, random ones, and the real changes of codes."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise
from random import Random

import pandas as pd
import pytest

from jobs.methods.succession import Division, Span, stem, successors, timelines
from synth.people.id_areas import OPEN, codes_of_all_years
from synth.places.divisions import divisions
from tests.synth.census_rows import SHARED

DAYS = {"-": None, "1980": date(1980, 1, 1), "2000": date(2000, 1, 1), "2010": date(2010, 1, 1),
        "2017": date(2017, 1, 1)}  # fmt: skip
COUNTY = """
210000000000 province 辽宁省 2000 -
211200000000 city 铁岭市 2000 -
211223000000 county 西丰县 2000 -
211223100000 town 西丰镇 2000 -
"""


def tree(text: str) -> list[Division]:
    """Return divisions of lines: code, level, name, first year, year of the end, who follows."""
    told = []
    for line in (COUNTY + text).split("\n"):
        if words := line.split():
            code, level, name, begins, ends, *announced = words
            told.append(Division(code, name, level, DAYS[begins], DAYS[ends], *announced))
    return told


def links(text: str) -> dict[str, tuple[str | None, str]]:
    return {code: (link.to, link.basis) for code, link in successors(tree(text)).items()}


def on(spans: list[tuple[str, Span]], day: date) -> dict[str, Span]:
    """Return the span of each code on a day; there is at most one."""
    there = [(c, s) for c, s in spans if s.since <= day and (s.until is None or day < s.until)]
    assert len(there) == len({code for code, _ in there})
    return dict(there)


@pytest.mark.parametrize(
    "name,level,expected",
    [
        ("陶然乡", "town", "陶然"), ("营厂满族乡", "town", "营厂"),
        ("新区街道办事处", "town", "新区"),
        ("东山社区居委会", "village", "东山"), ("张鲜村民委员会", "village", "张鲜"),
        ("村", "village", "村"), ("铁岭地区", "city", "铁岭"), ("宽甸满族自治县", "county", "宽甸"),
        ("市", "city", "市"), ("辽宁省", "province", "辽宁省"),
    ],
)  # fmt: skip
def test_stem_of_a_name(name, level, expected):
    assert stem(name, level) == expected


def test_a_name_is_followed_near_before_far_and_as_written_before_its_stem():
    told = links("""
        211223101000 town 房木镇 2000 2017
        211223110000 town 房木街道 2017 -
        211223102000 town 天德镇 2000 -
        211223101201 village 双庙村 2000 2017
        211223110001 village 双庙村 2017 -
        211223110002 village 双庙社区 2017 -
        211223102203 village 榆树村 2000 2017
        211223100203 village 榆树村 2017 -
        211223102204 village 复兴村 2000 2017
    """)
    assert told == {
        "211223101000": ("211223110000", "same_name_in_county"),
        # Its town has another code now, and it lies in it; a community bears the name as well.
        "211223101201": ("211223110001", "same_name_in_town"),
        "211223102203": ("211223100203", "same_name_in_county"),
        "211223102204": (None, "area_above"),
    }


def test_two_of_a_name_are_not_guessed():
    two_old = """
        211223100201 village 双庙村 2000 2017
        211223100202 village 双庙社区 2000 2017
        211223100203 village 双庙居委会 2017 -
    """
    two_new = """
        211223100201 village 双庙村 2000 2017
        211223100202 village 双庙社区 2017 -
        211223100203 village 双庙居委会 2017 -
    """
    assert set(links(two_old).values()) == {(None, "area_above")}
    assert set(links(two_new).values()) == {(None, "area_above")}
    for text in (two_old, two_new):
        span = on(list(timelines(tree(text))), date(2020, 1, 1))["211223100201"]
        assert (span.code, span.reason) == ("211223100000", "several_of_the_name")


def test_a_namesake_that_came_at_another_time_is_another_place():
    assert links("""
        211223100201 village 双庙村 2000 2010
        211223100202 village 双庙村 2017 -
        211223100203 village 榆树村 2000 2010
        211223100204 village 榆树村 2000 -
    """) == {"211223100201": (None, "area_above"), "211223100203": (None, "area_above")}


def test_what_was_announced_comes_first_unless_it_had_ended():
    told = links("""
        211223100201 village 双庙村 2000 2017 211223100209
        211223100202 village 双庙村 2017 -
        211223100209 village 复兴村 2000 -
        211223100203 village 榆树村 2000 2017 211223100208
        211223100208 village 榆树村 2000 2010
        211223100204 village 会文村 2000 2017 211223999999
        211223100205 village 会文村 2017 -
    """)
    assert told == {
        "211223100201": ("211223100209", "announced"),
        "211223100203": (None, "area_above"),
        "211223100204": ("211223100205", "same_name_in_town"),
        "211223100208": (None, "area_above"),
    }


def test_a_town_went_where_half_of_its_villages_went():
    text = """
        211223101000 town 房木镇 2000 2017
        211223102000 town 天德镇 2000 -
        211223101201 village 一村 2000 2017
        211223101202 village 二村 2000 2017
        211223101203 village 三村 2000 2017
        211223101204 village 四村 2000 2017
        211223102201 village 一村 2017 -
        211223102202 village 二村 2017 -
        211223100203 village 三村 2017 -
    """
    assert links(text)["211223101000"] == ("211223102000", "most_of_its_parts")
    spans = on(list(timelines(tree(text))), date(2020, 1, 1))
    assert spans["211223101204"].code == "211223102000"
    # The town there is what it was before.
    assert on(list(timelines(tree(text))), date(2005, 1, 1))["211223102000"].basis == "itself"
    one_less = text.replace("211223102202", "211223100202")
    assert links(one_less)["211223101000"][1] == "most_of_its_parts"
    assert links(one_less)["211223101000"][0] == "211223100000"
    none = text.replace("三村 2017", "五村 2017").replace("二村 2017", "六村 2017")
    assert links(none)["211223101000"] == (None, "area_above")


def test_the_day_decides_what_a_place_is_called():
    spans = list(timelines(tree("""
        211223100201 village 双庙村 2000 2010
        211223100202 village 双庙村 2010 2017
        211223100203 village 双庙社区 2017 -
        211223100204 village 新村 2010 -
    """)))  # fmt: skip
    of = defaultdict(list)
    for code, span in spans:
        of[code].append((span.since.year, span.until and span.until.year, span.code[-3:],
                         span.basis, span.reason))  # fmt: skip
    town = "same_name_in_town"
    first, second, third = "201", "202", "203"
    assert of["211223100201"] == [
        (2000, 2010, first, "itself", None), (2010, 2017, second, town, None),
        (2017, None, third, town, None),
    ]  # fmt: skip
    assert of["211223100202"] == [
        (2000, 2010, first, town, None), (2010, 2017, second, "itself", None),
        (2017, None, third, town, None),
    ]  # fmt: skip
    assert [row[:3] for row in of["211223100203"]] == [row[:3] for row in of["211223100201"]]
    assert of["211223100204"] == [
        (2000, 2010, "000", "area_above", "newly_made"), (2010, None, "204", "itself", None),
    ]  # fmt: skip


def test_what_several_became_has_the_area_above_for_its_past():
    spans = list(timelines(tree("""
        211223100201 village 双庙村 2000 2017 211223100209
        211223100202 village 榆树村 2000 2017 211223100209
        211223100209 village 新村 2017 -
        211223100203 village 会文村 2000 2017 211223100204
        211223100204 village 复兴村 2000 -
    """)))  # fmt: skip
    then, now = on(spans, date(2010, 1, 1)), on(spans, date(2020, 1, 1))
    assert now["211223100201"].code == now["211223100202"].code == "211223100209"
    assert (then["211223100209"].code, then["211223100209"].reason) == (
        "211223100000", "several_became_it",
    )  # fmt: skip
    # What it was joined to had been there before.
    assert now["211223100203"].code == then["211223100204"].code == "211223100204"


@pytest.mark.parametrize("seed", range(20))
def test_every_code_has_one_answer_for_every_day(seed):
    random, first = Random(seed), date(1980, 1, 1)
    told = [Division("210000000000", "辽宁省", "province", first)]
    parents = ["21"]
    for level, digits in (("city", 2), ("county", 2), ("town", 3), ("village", 3)):
        made = []
        for parent in parents:
            for number in random.sample(range(1, 10**digits), 3):
                code = f"{parent}{number:0{digits}}"
                begins = first + timedelta(random.choice([0, 0, 0, 4000, 8000]))
                ends = begins + timedelta(random.choice([300, 4000, 8000]))
                name = random.choice("甲乙丙丁戊己") + {"town": "镇", "village": "村"}.get(
                    level, "县"
                )
                follows = random.choice([None, None, *(one.code for one in told)])
                told.append(Division(code.ljust(12, "0"), name, level, begins,
                                     random.choice([None, ends]), follows))  # fmt: skip
                made.append(code)
        parents = made[:6]
    random.shuffle(told)
    spans = defaultdict(list)
    for code, span in timelines(told):
        spans[code].append(span)
        assert (span.basis == "area_above") == (span.reason is not None)
        assert span.basis != "itself" or span.code == code
    assert set(spans) == {one.code for one in told}
    for line in spans.values():
        assert line[0].since == first and line[-1].until is None
        assert all(a.until == b.since for a, b in pairwise(line))
    forwards = dict(successors(told))
    assert forwards == successors(reversed(told))


def test_every_code_of_the_books_since_1980_has_an_answer_today():
    books = codes_of_all_years()
    of_liaoning = books[books["area_code"].str.startswith("21")].sort_values("last_year")
    since = of_liaoning.groupby("area_code")["first_year"].min()
    told = [
        Division(
            f"{row.area_code}000000", row.area_name, _level(row.area_code),
            date(since[row.area_code], 1, 1),
            None if row.last_year == OPEN else date(row.last_year + 1, 1, 1),
            f"{row.successor}000000",
        )
        for row in of_liaoning.drop_duplicates("area_code", keep="last").itertuples()
    ]  # fmt: skip
    now = on(list(timelines(told)), date(2021, 1, 1))
    assert len(now) == len(told) == 187
    # Published: 昌图 was 212124 until 1984, 开原 219007 from 1988 to 1995 (GB/T 2260).
    for before, after in (("212124", "211224"), ("219007", "211282"), ("212123", "211223")):
        assert now[f"{before}000000"].code == f"{after}000000"
    unknown = {code[:6]: span.reason for code, span in now.items() if span.reason}
    assert unknown == {"211111": "no_such_name"}  # 郊区 of a city, 1984 to 1986.


def _level(code: str) -> str:
    return "province" if code[2:] == "0000" else "city" if code[4:] == "00" else "county"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the divisions of 2016 are in ../shared/data")
def test_every_division_of_2016_is_found_in_2023_or_says_why():
    before = divisions(SHARED / "admin_liaoning_2016_vonng_adcode.csv.gz")
    told = two_years(before, divisions())
    spans = list(timelines(told))
    now = on(spans, date(2023, 7, 1))
    villages = before.loc[before["level"] == "village", "area_code"]
    how = Counter(now[code].basis for code in villages)
    assert len(villages) == how.total() == 16_264
    assert (how["itself"], how["same_name_in_town"], how["same_name_in_county"]) == (
        13_876, 472, 1_377,
    )  # fmt: skip
    left = [now[code] for code in villages if now[code].basis == "area_above"]
    assert len(left) == 539 and all(span.reason for span in left)
    there = set(divisions()["area_code"])
    assert {now[code].code for code in before["area_code"]} <= there
    then = on(spans, date(2016, 8, 1))
    assert {then[code].code for code in there} <= set(before["area_code"])


def two_years(before: pd.DataFrame, after: pd.DataFrame) -> list[Division]:
    """Return the divisions of two tables, the codes changing on the day of the second."""
    first, changed = date(2016, 7, 31), date(2023, 6, 30)
    was, came = set(before["area_code"]), set(after["area_code"])
    told = [
        Division(row.area_code, row.area_name, row.level,
                 first if row.area_code in was else changed)
        for row in after.itertuples()
    ]  # fmt: skip
    gone = before[~before["area_code"].isin(came)]
    told += [
        Division(row.area_code, row.area_name, row.level, first, changed)
        for row in gone.itertuples()
    ]
    return told
