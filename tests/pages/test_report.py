"""The report: holds the figures of gold, stands alone, and names nobody. No Spark."""

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jobs.pages import accounting, labels, model_facts, report, village_map, words
from jobs.pages.figures import AT_LEAST, read
from lakehouse.conf import Settings, settings
from lakehouse.model import Gate
from lakehouse.ops import Ops
from tests.pages import county

CARD = model_facts.Card(
    name="poverty", version="7", as_of="2015-12-31", is_champion=True, gate=Gate("auc", 0.05, 0.01),
    figures={"auc": 0.8423, "geography.auc": 0.71, "n_fitted": 812.0, "champion.auc": float("nan")},
    groups=[{"group": "is_head_female", "value": "true", "n": 40, "exclusion_error": 0.25,
             "inclusion_error": 0.3}, {"group": "is_head_female", "value": "false", "n": 9}],
    candidate="8", refused="AUC 0.7000 低于只凭所在地 0.7100 +0.0500",
)  # fmt: skip


class Text(HTMLParser):
    """The text of a page, what it loads, and its marks."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.loads, self.tips, self._skips = "", [], [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self._skips = tag in ("style", "script")
        self.loads += [given[name] for name in ("src", "href", "srcset", "data") if name in given]
        if tag in ("circle", "rect") and "aria-label" in given:
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
def conf(tmp_path_factory) -> Settings:
    home, given = tmp_path_factory.mktemp("home"), settings()
    sections = given.sections | {
        "ops": {"url": f"sqlite:///{home}/ops.db"},
        "mlflow": {"tracking_uri": f"sqlite:///{home}/mlflow.db", "artifacts": str(home)},
        "docs": {"root": str(home / "docs")},
    }
    made = replace(given, home=home, sections=sections)
    county.record(Ops(made))
    return made


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> county.County:
    # 12 villages of 30 households of 3; in each 10 cards, 5 of them below the line.
    return county.make(tmp_path_factory.mktemp("lake"))


def page(conf: Settings, root: Path, asked: str = "211223", **told) -> str:
    figures = read(str(root), asked)
    out = report.path_of(conf, figures)
    assert report.write(conf, Ops(conf), figures, out, **told) == out
    return out.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def html(small, conf) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_facts, "cards", lambda conf: [CARD])
        truth = {"true_rural_headcount_ratio": 0.114, "households_truly_poor": 55}
        return page(conf, small.root, truth=truth)


def test_headline_figures_are_those_of_gold(html):
    text = Text(html)
    assert text.row("建议纳入").split()[0] == "60"
    assert "180 人；候选 120 户" in text.words and "登记 360 户、1,080 人" in text.words
    # The error is in percentage points; 12 PSUs in 3 strata leave 9 degrees of freedom.
    assert text.row("农村贫困发生率（收入）").split()[:2] == ["12.5%", "±2.0"]
    assert "95% 区间 8.6%—17.8%" in text.words
    assert "2,855" in text.row("扶贫标准") and "继承自全国；一份文件" in text.words
    assert text.row("人均纯收入低于扶贫标准").split()[:2] == ["60", "户"]
    assert text.row("“三保障”和饮水均有保障").split()[:2] == ["120", "户"]


def test_every_village_is_on_both_maps_with_its_figures(html, small):
    tips = Text(html).tips
    assert len(tips) == 2 * 12
    villages = small.rows["gold.need_capacity_coupling"]
    lowest = min(villages, key=lambda row: row["coupling_coordination"])
    tip, same = [tip for tip in tips if f"{lowest['coupling_coordination']:.3f}" in tip]
    assert tip == same and lowest["coupling_class"] in tip and "登记户数 30" in tip


def test_positions_that_are_made_up_are_labelled_on_the_map_itself(html, small, conf):
    for picture in re.findall(r"<figure>.*?</figure>", html, re.DOTALL):
        assert '<text class="synthetic"' in picture and "村和乡镇的位置为合成" in picture
    rows = county.read(small.root, "silver.area")
    real = [row | {"is_position_synthetic": False} for row in rows]
    county.write(small.root, "silver.area", real)
    try:
        assert "位置为合成" not in page(conf, small.root)
    finally:
        county.write(small.root, "silver.area", rows)


def test_classes_are_told_by_number_and_shape_not_by_colour_alone(html):
    figures = re.findall(r"<figure>.*?</figure>", html, re.DOTALL)
    marks = len(re.findall(r'class="mark', figures[0]))
    assert marks == len(re.findall(r'class="level', figures[0])) == 12
    assert '<rect class="mark"' in figures[0] and '<circle class="mark"' in figures[0]
    assert "方形为失调（1—5），圆形为协调（6—10）" in html


def test_no_error_is_said_in_words(html):
    # squared_gap_error is null in this county.
    assert Text(html).row("贫困强度 P2").split()[:4] == ["纯收入", "2.00%", "—", "不能给出误差"]
    assert Text(html).row("贫困缺口率 P1").split()[:3] == ["纯收入", "4.00%", "±1.00"]


def test_model_truth_and_rows_are_told(html):
    text = Text(html)
    assert "贫困预测（poverty），第 7 版" in text.words and "上一版的 AUC" not in text.words
    assert "通过，现用；其后第 8 版未通过：AUC 0.7000 低于只凭所在地" in text.words
    assert text.row("AUC（留出户）").split()[0] == "0.842"
    assert text.row("女户主").split()[:3] == ["25.0%", "30.0%", "40"] and "男户主" not in text.words
    assert text.row("真实的农村贫困发生率（收入）").split()[0] == "11.4%"
    assert "演示数据" in text.words
    # read 1080 = created 1070 + updated 0 + unchanged 4 + quarantined 6
    rows = Text(html[html.index("每一行都有去处") :])
    assert rows.row("silver.person").split()[:6] == ["1,080", "1,070", "0", "4", "6", "✓"]
    assert rows.row("gold.household_identification").split()[:4] == ["123", "120", "3", "✓"]


def test_a_page_that_is_not_of_the_demo_has_no_truth_nor_model(small, conf):
    text = Text(page(conf, small.root)).words
    assert "演示数据" not in text and "真值" not in text and "还没有训练过模型" in text


def test_reasons_and_refusals_are_in_chinese_and_of_the_date(html):
    text = Text(html)
    assert "校验码不符" in text.words and "表头缺失或改名" in text.words
    assert "已由 roster/2015-12/d3 更正" in text.words
    assert "sex:missing" not in html, "set aside for another date"


def test_without_an_earlier_date_the_page_says_so(html):
    assert "结果层没有早于 2015-12-31 的日期" in Text(html).words


def test_sources_are_at_the_foot(html, small):
    foot = Text(html[html.index("<footer") :])
    assert "gold.poverty_by_area@0" in foot.words and "c0de" in foot.words
    assert "roster/2015-12/d3" in foot.row("建档立卡名册")


def test_the_page_stands_alone(html):
    assert Text(html).loads == []
    assert not re.search(r"https?:|@import|url\(|xlink", re.sub(r"<td>.*?</td>", "", html))
    assert len(html.encode()) < 6_000_000


def test_no_household_is_named(html, small):
    assert [token for token in small.tokens() if token in html] == []


def test_a_town_has_its_own_page(small, conf):
    text = Text(page(conf, small.root, "211223102"))
    assert "西丰县合成2镇" in text.words and text.row("建议纳入").split()[0] == "20"
    assert len(text.tips) == 2 * 4 and "合成1镇" not in text.words


def test_what_changed_since_the_date_before(tmp_path, conf):
    kinds = {"include": 10, "check": 12, "leave_out": 12, "none": 6}
    later = kinds | {"include": 16, "check": 6}
    village = "211223101201"
    root = county.tiny(tmp_path, {county.BEFORE: {village: kinds}, county.AS_OF: {village: later}})
    text = Text(page(conf, root)).row("五、与上期相比")
    assert "2015 年 11 月 30 日" in text and "新增 6 户，不再建议纳入 0 户" in text
    assert "没有两期都可公布的推算值" in Text(page(conf, root)).words
    refused = Text(page(conf, root)).row("新拒收的投递")
    assert "roster/2015-12/d2 ：表头缺失或改名（已更正）" in refused


def test_a_change_too_small_leaves_the_number_before_and_no_row_counts(tmp_path, conf):
    village = "211223101201"
    kinds = {"include": 10, "check": 12, "leave_out": 12, "none": 6}
    more = kinds | {"include": 11}  # one household with a card more than before
    root = county.tiny(tmp_path, {county.BEFORE: {village: kinds}, county.AS_OF: {village: more}})
    text = Text(page(conf, root))
    assert text.row("建议纳入").split()[0] == "10" and "2015-11-30 的数" in text.words
    assert "与 2015-11-30 相比，变化少于 16 人，不显示" in text.words
    assert "11 户" not in text.words and "35 户" not in text.words
    assert text.row("gold.household_identification").split()[0] == "与上期相差过少，不列行数"


def test_small_villages_show_no_figure(tmp_path, conf):
    # 4 households of 3 are 12 people, fewer than the threshold.
    tiny = county.make(tmp_path / "lake", towns=2, villages=6, households=4)
    figures = read(str(tiny.root), "211223")
    assert AT_LEAST == 16 and figures.share_level == "town"
    assert all(village.coupling_coordination is None for village in figures.villages)
    html = page(conf, tiny.root)
    tips = Text(html).tips
    assert tips and all(tip.endswith("人数过少，不显示") for tip in tips)
    for row in tiny.rows["gold.need_capacity_coupling"]:
        assert f"{row['coupling_coordination']:.3f}" not in html


def test_html_in_a_name_is_shown_and_not_run(tmp_path, conf):
    made = county.make(tmp_path / "lake", towns=1)
    rows = made.rows["silver.area"]
    rows[-1]["area_name"] = "<script>alert(1)</script>"
    county.write(made.root, "silver.area", rows)
    assert "<script>alert" not in page(conf, made.root)


@pytest.mark.parametrize(("n_read", "adds_up"), [(1080, True), (1081, False)])
def test_steps_are_held_against_their_identity(conf, n_read, adds_up):
    ops = Ops(conf)
    run_id = ops.start("silver.area", date(2013, 1, 31), "c0de", {})
    counts = {"read": n_read, "created": 1070, "unchanged": 4, "quarantined": 6}
    ops.finish(run_id, state="done", counts=counts, seconds=1.0, delta_version=0)
    told = accounting.steps(ops, date(2013, 1, 31))
    [step] = [step for step in told if step["step"] == "silver.area"]
    assert step["adds_up"] is adds_up and step["kind"] == "loaded"


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


def test_names_of_places_at_one_spot_do_not_cover_each_other():
    frame = labels.Box(0, 0, 200, 200)
    found = labels.placed([(100, 100, "甲镇"), (101, 100, "乙镇")], [], frame)
    assert len({(label.x, label.y) for label in found}) == 2
    [moved] = labels.placed([(2, 100, "很长的名字")], [], frame)
    assert moved.x >= 30, "a name is not cut at the edge"


def test_words_fall_back_on_names():
    assert words.reason("person_id:check_digit").endswith("：校验码不符")
    assert words.reason("brand_new_rule") == "brand_new_rule"
    assert words.table_name("gold.poverty_by_area") == "分地区贫困状况"
    assert words.place_name("育才村民委员会") == "育才村"
