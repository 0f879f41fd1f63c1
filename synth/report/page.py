"""`bangfu synth --report`: what was made, side by side with published figures."""

from pathlib import Path
from typing import Any

from lakehouse import plots
from lakehouse.conf import conf_dir, read_toml
from synth.report.figures import figures

NAME = "report.html"
# What a figure is called on the page.
TITLES = {
    "household_size": "People a household 户规模",
    "share_65": "Aged 65 and over 65岁以上",
    "farming_share": "Farming, of the employed 务农",
    "minority_share": "Ethnic minorities 少数民族",
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
    "auc_phone": "AUC of telephone indicators",
    "auc_proxy_means": "AUC of a proxy-means test",
    "auc_geography": "AUC of geography",
}


def compared(folder: Path) -> list[dict[str, Any]]:
    """Return one row per anchor: figure, made, published, ratio, where and when, source."""
    made = figures(folder)
    rows = []
    for anchor in read_toml(conf_dir() / "synth_anchors.toml")["anchor"]:
        value = made.get(anchor["figure"])
        rows.append(
            {
                "figure": TITLES.get(anchor["figure"], anchor["figure"]),
                "made": None if value is None else round(value, 4),
                "published": anchor["value"],
                "ratio": None if value is None else round(value / anchor["value"], 3),
                "unit": anchor["unit"],
                "of": f"{anchor['area']} {anchor['year']}",
                "source": anchor["source"],
            }
        )
    return rows


def write(folder: Path) -> dict[str, Any]:
    """Write the page into the folder and return what it says, and its path."""
    rows = compared(folder)
    page = folder / NAME
    told = [row for row in rows if row["ratio"] is not None]
    note = (
        f"{len(told)} of {len(rows)} published figures have something to be held against here. "
        "Places and years differ where the list says so: a ratio of 1 is no aim there."
    )
    page.write_text(
        plots.page("Made and published", note, [_ratios(told), _table(rows)]), encoding="utf-8"
    )
    return {"page": str(page), "figures": rows}


def _ratios(rows: list[dict[str, Any]]) -> Any:
    import plotly.graph_objects as go

    labels = [f"{row['figure']} ({row['of']})" for row in rows]
    made = go.Figure()
    made.add_scatter(
        x=[row["ratio"] for row in rows], y=labels, mode="markers",
        marker={"size": 11, "color": plots.BLUE}, name="made / published",
    )  # fmt: skip
    made.add_vline(x=1, line={"color": plots.ORANGE, "dash": "dash"})
    made.update_xaxes(type="log", title="made / published")
    made.update_yaxes(autorange="reversed")
    made.update_layout(height=120 + 30 * len(rows), showlegend=False)
    return made


def _table(rows: list[dict[str, Any]]) -> Any:
    import plotly.graph_objects as go

    heads = ("figure", "made", "published", "ratio", "unit", "of", "source")
    shown = [["" if row[head] is None else row[head] for row in rows] for head in heads]
    made = go.Figure(
        go.Table(
            columnwidth=[26, 9, 9, 7, 16, 12, 40],
            header={"values": list(heads), "align": "left"},
            cells={"values": shown, "align": "left"},
        )
    )
    made.update_layout(height=120 + 32 * len(rows))
    return made
