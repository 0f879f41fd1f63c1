"""The overview: holds the figures of gold, stands alone, and names nobody. No Spark."""

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jobs.pages import accounting, overview, village_map, words
from jobs.pages.figures import AT_LEAST, read
from lakehouse.conf import settings
from lakehouse.errors import InputMissing
from lakehouse.ops import Ops
from tests.pages import county


class Text(HTMLParser):
    """The text of a page, what it loads, and its dots."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.loads, self.tips, self._skips = "", [], [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self._skips = tag in ("style", "script")
        self.loads += [given[name] for name in ("src", "href", "srcset", "data") if name in given]
        if tag == "circle" and "aria-label" in given:
            self.tips.append(given["aria-label"])

    def handle_endtag(self, tag):
        self._skips = False

    def handle_data(self, data):
        if not self._skips:
            self.words += " " + " ".join(data.split())

    def row(self, name: str) -> str:
        """Return what follows a name, up to some more words."""
        found = re.search(re.escape(name) + r"(.{0,160})", " ".join(self.words.split()))
        assert found, f"{name} is not on the page"
        return found[1]


@pytest.fixture(scope="module")
def ops(tmp_path_factory) -> Ops:
    conf = settings()
    store = tmp_path_factory.mktemp("ops") / "ops.db"
    made = Ops(replace(conf, sections=conf.sections | {"ops": {"url": f"sqlite:///{store}"}}))
    county.record(made)
    return made


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> county.County:
    # 12 villages of 30 households of 3; in each 10 cards, 5 of them below the line.
    return county.make(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def html(small, ops, tmp_path_factory) -> str:
    page = overview.write(
        str(small.root), ops, county.AS_OF, tmp_path_factory.mktemp("page") / "overview.html",
        truth={"true_rural_headcount_ratio": 0.114, "households_truly_poor": 55},
        model={
            "name": "poverty", "version": "7", "is_champion": False, "why": ["auc 0.84 is below"],
            "figures": {"auc": 0.8423, "geography.auc": 0.71, "n_fitted": 812.0,
                        "champion.auc": float("nan")},
            "groups": [{"group": "is_head_female", "value": "true", "n": 40,
                        "exclusion_error": 0.25, "inclusion_error": 0.3},
                       {"group": "is_head_female", "value": "false", "n": 9}],
        },
    )  # fmt: skip
    return page.read_text(encoding="utf-8")


def test_headline_figures_are_those_of_gold(html):
    text = Text(html)
    assert text.row("建议纳入").split()[0] == "60"
    assert "180 人；候选 120 户，登记 360 户、1,080 人" in text.words
    assert text.row("农村贫困发生率（收入）").split()[0] == "12.5%"
    assert "2,855" in text.row("扶贫标准") and "继承自全国；一份文件" in text.words
    assert text.row("人均纯收入低于扶贫标准").split()[:2] == ["60", "户"]
    assert text.row("“三保障”和饮水均有保障").split()[:2] == ["120", "户"]


def test_every_village_is_on_the_map_with_its_figures(html, small):
    tips = Text(html).tips
    assert len(tips) == 12
    villages = small.rows["gold.need_capacity_coupling"]
    lowest = min(villages, key=lambda row: row["coupling_coordination"])
    [tip] = [tip for tip in tips if f"{lowest['coupling_coordination']:.3f}" in tip]
    assert lowest["coupling_class"] in tip and "登记户数 30" in tip
    assert "村和乡镇的位置为合成" in html


def test_model_truth_and_rows_are_told(html):
    text = Text(html)
    assert text.row("poverty，").split()[:2] == ["第", "7"]
    assert "未通过：auc 0.84 is below" in text.words and "上一版的 AUC" not in text.words
    assert text.row("AUC（留出户）").split()[0] == "0.842"
    assert text.row("女户主").split()[:3] == ["25.0%", "30.0%", "40"] and "男户主" not in text.words
    assert text.row("真实的农村贫困发生率（收入）").split()[0] == "11.4%"
    assert "演示数据" in text.words
    # read 1080 = created 1070 + updated 0 + unchanged 4 + quarantined 6
    assert text.row("silver.person").split()[:6] == ["1,080", "1,070", "0", "4", "6", "✓"]
    assert text.row("gold.household_identification").split()[:4] == ["123", "120", "3", "✓"]


def test_reasons_and_refusals_are_in_chinese_and_of_the_date(html):
    text = Text(html)
    assert "校验码不符" in text.words and "表头缺失或改名" in text.words
    assert "已由 roster/2015-12/d3 更正" in text.words
    assert "sex:missing" not in html, "set aside for another date"


def test_the_page_stands_alone(html):
    assert Text(html).loads == []
    assert not re.search(r"https?:|@import|url\(", re.sub(r"<td>.*?</td>", "", html))
    assert len(html.encode()) < 6_000_000


def test_no_household_is_named(html, small):
    assert [token for token in small.tokens() if token in html] == []


def test_small_villages_show_no_figure(tmp_path, ops):
    # 4 households of 3 are 12 people, fewer than the threshold.
    tiny = county.make(tmp_path / "lake", towns=2, villages=6, households=4)
    figures = read(str(tiny.root), county.AS_OF)
    assert AT_LEAST == 16 and figures.share_level == "town"
    assert all(village.coupling_coordination is None for village in figures.villages)
    page = overview.write(str(tiny.root), ops, county.AS_OF, tmp_path / "page.html")
    tips = Text(page.read_text(encoding="utf-8")).tips
    assert tips and all(tip.endswith("人数过少，不显示") for tip in tips)
    for row in tiny.rows["gold.need_capacity_coupling"]:
        assert f"{row['coupling_coordination']:.3f}" not in page.read_text(encoding="utf-8")


def test_small_samples_are_hidden_and_cannot_be_subtracted(tmp_path):
    made = county.make(tmp_path)
    rows = made.rows["gold.poverty_by_area"]
    for row in rows:
        if row["area_code"] == "211223101000":
            row["n_sampled"] = 9
    county.write(tmp_path, "gold.poverty_by_area", rows)
    poverty = {one.code: one for one in read(str(tmp_path), county.AS_OF).poverty}
    hidden = [code for code, one in poverty.items() if one.income is None]
    assert hidden == ["211223101000", "211223102000"] and poverty[county.COUNTY].income


def test_a_date_without_answers_is_an_error_that_says_what_to_do(small, ops, tmp_path):
    with pytest.raises(InputMissing, match="bangfu run all --as-of 2014-12-31"):
        overview.write(str(small.root), ops, date(2014, 12, 31), tmp_path / "page.html")
    with pytest.raises(InputMissing, match=r"silver\.area has not been made"):
        read(str(tmp_path), county.AS_OF)


def test_html_in_a_name_is_shown_and_not_run(tmp_path, ops):
    made = county.make(tmp_path / "lake", towns=1)
    rows = made.rows["silver.area"]
    rows[-1]["area_name"] = "<script>alert(1)</script>"
    county.write(made.root, "silver.area", rows)
    page = overview.write(str(made.root), ops, county.AS_OF, tmp_path / "page.html")
    assert "<script>alert" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"kind": "loaded", "read": 5, "created": 3, "unchanged": 1, "quarantined": 1}, True),
        ({"kind": "loaded", "read": 6, "created": 3, "unchanged": 1, "quarantined": 1}, False),
        ({"kind": "derived", "made": 4, "good": 3, "quarantined": 1}, True),
        ({"kind": "derived", "made": 4, "good": 4, "quarantined": 1}, False),
    ],
)
def test_steps_are_held_against_their_identity(step, expected):
    assert accounting.adds_up(step) is expected


def test_classes_and_shares_have_their_colours():
    assert village_map.class_colour(1) == "#440154" and village_map.class_colour(10) == "#fde725"
    assert village_map.class_colour(None) == village_map.share_colour(None) == "none"
    # Closed below: .10 belongs to the class that begins there.
    assert village_map.share_colour(0.0999) == village_map.SHARE_COLOURS[2]
    assert village_map.share_colour(0.10) == village_map.SHARE_COLOURS[3]


def test_distances_on_the_map_are_true():
    # One degree of latitude is 111.195 km on a sphere of 6,371 km.
    project = village_map.Projection([(124.0, 42.0), (125.0, 43.0)])
    _, north = project(124.0, 43.0)
    _, south = project(124.0, 42.0)
    assert (south - north) / project.px_a_km == pytest.approx(111.195, rel=1e-3)


def test_words_fall_back_on_names():
    assert words.reason("person_id:check_digit").endswith("：校验码不符")
    assert words.reason("brand_new_rule") == "brand_new_rule"
    assert words.table_name("gold.poverty_by_area") == "分地区贫困状况"
    assert words.place_name("育才村民委员会") == "育才村"


def test_files_are_named_in_the_result(small, ops, tmp_path):
    out = tmp_path / "deep" / "page.html"
    assert overview.write(str(small.root), ops, county.AS_OF, out) == out and Path(out).is_file()
