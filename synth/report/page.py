"""`bangfu synth --report`: what was made, side by side with published figures."""

import json
from pathlib import Path
from typing import Any

import duckdb

from lakehouse import plots
from lakehouse.conf import conf_dir, read_toml
from lakehouse.errors import InputMissing
from synth.report.figures import figures, opened

NAME = "report.html"
LEGEND = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.01, "yanchor": "bottom"}
# A figure of so many years before or after is still about the time made.
NEAR_YEARS = 1
PYRAMID = """
WITH last AS (SELECT max(month_end) AS day FROM household_month),
     here AS (SELECT DISTINCT person_id FROM membership WHERE until IS NULL)
SELECT is_male, least(date_diff('day', born, day) // 1826 * 5, 90) AS age,
       count(*) / sum(count(*)) OVER () AS share
FROM here JOIN person USING (person_id), last GROUP BY ALL ORDER BY ALL
"""
POVERTY = """
SELECT strftime(month_end, '%Y-%m') AS month_end,
       sum(n_members) FILTER (is_poor) / sum(n_members) AS poor,
       sum(n_members) FILTER (is_poor_by_consumption) / sum(n_members) AS spends_less,
       sum(n_members) FILTER (is_in_range) / sum(n_members) AS in_range
FROM household_month WHERE is_rural OR NOT (SELECT bool_or(is_rural) FROM household_month)
GROUP BY ALL ORDER BY ALL
"""
# What a figure is called on the page.
TITLES = {
    "population": "People 人口",
    "household_size": "People a household 户规模",
    "share_65": "Aged 65 and over 65岁以上",
    "farming_share": "Farming, of the employed 务农",
    "minority_share": "Ethnic minorities 少数民族",
    "tap_water_share": "Tap water at home 自来水",
    "toilet_share": "Toilet at home 厕所",
    "car_share": "Households with a car 汽车",
    "poor_share": "Poor by income, rural 贫困发生率",
    "listed_share": "On the list, rural 建档立卡",
    "net_income_median": "Net income, rural median 人均纯收入",
    "call_seconds": "Length of a call 通话时长",
    "contacts_p50": "Contacts, median 联系人",
    "contacts_p90": "Contacts, 90th percentile 联系人",
    "arpu_p10": "Monthly bill, 10th percentile 月账单",
    "arpu_p50": "Monthly bill, median 月账单",
    "arpu_p90": "Monthly bill, 90th percentile 月账单",
    "data_mb_p50": "Monthly data, median 流量",
    "data_mb_p90": "Monthly data, 90th percentile 流量",
    "project_village_share": "Villages with projects 项目村",
    "auc_phone": "AUC of telephone indicators",
    "auc_proxy_means": "AUC of a proxy-means test",
    "auc_geography": "AUC of geography",
}
# What is told beside them, with nothing published to hold it against.
BESIDE = {
    "auc_phone_county": "AUC of telephone indicators, in a county",
    "auc_proxy_means_county": "AUC of a proxy-means test, in a county",
    "auc_geography_county": "AUC of geography, in a county",
}


def compared(folder: Path) -> list[dict[str, Any]]:
    """Return one row per anchor that is about the place made, or one that holds it, or another.

    Figure, made, published, ratio, what it is about, and how near that is: `here` (the place made
    or one that holds it, within a year), else `elsewhere`. Anchors of a part of the place made
    are left out: make that part.
    """
    made = figures(folder)
    about = json.loads((folder / "truth" / "meta.json").read_text(encoding="utf-8"))
    rows = []
    for anchor in read_toml(conf_dir() / "synth_anchors.toml")["anchor"]:
        code = _digits(str(anchor["area"]))
        if code.startswith(about["area"]) and len(code) > len(about["area"]):
            continue
        value = made.get(anchor["figure"])
        is_here = about["area"].startswith(code)
        is_now = abs(int(about["first"][:4]) - anchor["year"]) <= NEAR_YEARS
        rows.append(
            {
                "figure": TITLES.get(anchor["figure"], anchor["figure"]),
                "made": None if value is None else round(value, 4),
                "published": anchor["value"],
                "ratio": None if value is None else round(value / anchor["value"], 3),
                "unit": anchor["unit"],
                "of": f"{anchor['area']} {anchor['year']}",
                "near": "here" if is_here and is_now else "elsewhere",
                "source": anchor["source"],
            }
        )
    return rows + [
        {"figure": title, "made": round(made[name], 4), "published": None, "ratio": None,
         "unit": "median of its counties", "of": about["area"], "near": "here", "source": ""}
        for name, title in BESIDE.items() if name in made
    ]  # fmt: skip


def _digits(code: str) -> str:
    """Return the digits of a code that say something: two, four or six of them."""
    return next((code[:n] for n in (2, 4) if not code[n:].strip("0")), code)


def write(folder: Path) -> dict[str, Any]:
    """Write the page into the folder and return what it says, and its path.

    Raises InputMissing where the folder's tables are not as this version makes them.
    """
    try:
        return _written(folder)
    except duckdb.Error as error:
        raise InputMissing(
            f"--report {folder}: its files are not as this version makes them "
            f"({type(error).__name__}). Make it again with `bangfu synth`."
        ) from None


def _written(folder: Path) -> dict[str, Any]:
    rows = compared(folder)
    page = folder / NAME
    published = [row for row in rows if row["published"] is not None]
    told = [row for row in published if row["ratio"] is not None]
    note = (
        f"{len(told)} of {len(published)} published figures have something to be held against "
        "here. Full dots are about this place and these years; rings are about another place or "
        "time, where a ratio of 1 is no aim."
    )
    made = [_ratios(told), _pyramid(folder), _poverty(folder), _table(rows)]
    page.write_text(plots.page("Made and published", note, made), encoding="utf-8")
    return {"page": str(page), "figures": rows}


def _ratios(rows: list[dict[str, Any]]) -> Any:
    import plotly.graph_objects as go

    made = go.Figure()
    labels = [f"{row['figure']} ({row['of']})" for row in rows]
    for near, symbol in (("here", "circle"), ("elsewhere", "circle-open")):
        mine = [n for n, row in enumerate(rows) if row["near"] == near]
        made.add_scatter(
            x=[rows[n]["ratio"] for n in mine], y=[labels[n] for n in mine], mode="markers",
            marker={"size": 11, "color": plots.BLUE, "symbol": symbol}, name=near,
        )  # fmt: skip
    made.add_vline(x=1, line={"color": plots.ORANGE, "dash": "dash"})
    made.update_xaxes(type="log", title="made / published", dtick="D2")
    made.update_yaxes(categoryorder="array", categoryarray=labels[::-1])
    made.update_layout(height=140 + 30 * len(rows), legend=LEGEND)
    return made


def _pyramid(folder: Path) -> Any:
    """Draw people of the last day by sex and five years of age."""
    import plotly.graph_objects as go

    with opened(folder) as db:
        rows = db.execute(PYRAMID).df()
    made = go.Figure()
    for is_male, name, colour, side in (
        (True, "men 男", plots.BLUE, -1), (False, "women 女", plots.ORANGE, 1)
    ):  # fmt: skip
        mine = rows[rows["is_male"] == is_male]
        made.add_bar(
            y=mine["age"], x=side * mine["share"], orientation="h", name=name,
            marker_color=colour, customdata=mine["share"],
            hovertemplate="%{y}: %{customdata:.2%}",
        )  # fmt: skip
    made.update_layout(
        barmode="relative", height=520, title="People by age, % of all 年龄构成",
        legend=LEGEND, margin={"t": 70}, bargap=0.05, yaxis_title="age",
        xaxis={"tickformat": ".0%", "title": "← men, women →"},
    )  # fmt: skip
    return made


def _poverty(folder: Path) -> Any:
    """Draw the share of people below the line, month by month."""
    import plotly.graph_objects as go

    with opened(folder) as db:
        rows = db.execute(POVERTY).df()
    made = go.Figure()
    for column, name, colour in (
        ("poor", "by income", plots.BLUE), ("spends_less", "by consumption", plots.ORANGE),
        ("in_range", "in the monitoring range", plots.GREEN),
    ):  # fmt: skip
        made.add_scatter(
            x=rows["month_end"], y=rows[column], mode="lines+markers", name=name,
            line={"color": colour},
        )  # fmt: skip
    made.update_layout(
        height=360, xaxis_type="category",
        title="Rural people below the line, twelve months to each month end 贫困发生率",
        legend=LEGEND, margin={"t": 70}, yaxis={"tickformat": ".1%", "rangemode": "tozero"},
    )  # fmt: skip
    return made


def _table(rows: list[dict[str, Any]]) -> Any:
    import plotly.graph_objects as go

    heads = ("figure", "made", "published", "ratio", "unit", "of", "near", "source")
    shown = [["" if row[head] is None else row[head] for row in rows] for head in heads]
    made = go.Figure(
        go.Table(
            columnwidth=[26, 9, 9, 7, 16, 12, 10, 40],
            header={"values": list(heads), "align": "left"},
            cells={"values": shown, "align": "left"},
        )
    )
    made.update_layout(height=120 + 32 * len(rows))
    return made
