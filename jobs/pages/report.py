"""The report (报告) of one area and date: one page, whole in itself, for a screen or for paper.

Everything lies inside the one HTML file: style, map and script. It loads nothing, and holds
aggregates only, never a token.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from jobs.pages import accounting, legends, model_facts, village_map, words
from jobs.pages.counts import Told
from jobs.pages.disclosure import padded
from jobs.pages.figures import AT_LEAST, Figures
from jobs.pages.poverty import CONCEPTS, MEASURES, Change, Poverty
from lakehouse.conf import Settings
from lakehouse.ops import Ops
from lakehouse.schemas import codes

FURTHEST_BEHIND = 10
# What `bangfu demo` leaves in its home: everything there is made up, whoever asks.
DEMO_NOTE = "demo.json"
RECOMMENDATION_COLOURS = {"include": "#a3262a", "check": "#d99a2b", "leave_out": "#9fb3ad"}
# Of a difference of two estimates, large samples: the normal distribution's 97.5 % point.
REACH = 1.96


def path_of(conf: Settings, figures: Figures) -> Path:
    """Return where a report lies where nothing else is asked: beside the other pages."""
    name = f"report-{figures.area.digits}-{figures.as_of}.html"
    return Path(conf.get("docs", "root")) / name


def write(
    conf: Settings,
    ops: Ops,
    figures: Figures,
    out: Path,
    *,
    steps: Sequence[Mapping[str, Any]] | None = None,
    truth: Mapping[str, Any] | None = None,
) -> Path:
    """Write the page for one area and date and return its path. Needs no Spark.

    `steps` are rows by step (by default from the operations store), `truth` what the answers are
    held against where the data are synthetic.
    """
    as_of, before = figures.as_of, figures.before
    told = [dict(step) for step in steps] if steps is not None else accounting.steps(ops, as_of)
    cards = model_facts.cards(conf)
    page = _environment().get_template("report.html").render(
        _of_gold(figures),
        steps=accounting.shown_steps(told, is_held=figures.candidates.on != as_of),
        set_aside=accounting.reasons(ops, as_of),
        refused=accounting.refused(ops, as_of),
        newly_refused=[one for one in accounting.refused(ops, as_of, before)
                       if before and one["state"] == "refused"],
        sources=accounting.sources(ops, as_of),
        versions=accounting.versions(ops, as_of),
        truth=_truth(truth or {}),
        is_demo=truth is not None or (conf.home / DEMO_NOTE).exists(),
        models=[(model_facts.facts(card, figures.scored_by), model_facts.errors_by_group(card))
                for card in cards],
    )  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    return out


def _of_gold(figures: Figures) -> dict[str, Any]:
    """Return what the template tells of gold."""
    return {
        "bangfu": version("bangfu"),
        "figures": figures,
        "area": figures.area,
        "as_of": figures.as_of,
        "at_least": AT_LEAST,
        "headline": _headline(figures),
        "map": village_map.draw(figures),
        "map_width": village_map.WIDTH,
        "classes": legends.classes(figures),
        "share_keys": legends.share_keys(),
        "lagging": legends.lagging(figures),
        "behind": _behind(figures),
        "recommended": _recommended(figures),
        "reasons": _reasons(figures),
        "measures": _measures(figures.poverty[0]) if figures.poverty else [],
        "poverty": _table(figures),
        "change": _change(figures.change),
    }


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("jobs.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"n": _count, "share": _share, "points": _points, "fixed": _fixed, "day": _day}
    return made


def _headline(figures: Figures) -> dict[str, Any]:
    """Return what stands at the top."""
    area = figures.area
    found = [v.coupling_coordination for v in figures.villages if v.coupling_coordination]
    lines = [
        {
            "cny": f"{line.line_cny:,.0f}",
            "whose": "本地自定" if line.area_code == area.code
            else f"继承自{area.name(line.area_code)}",
            "source": line.source,
            "rule": line.income_rule,
        }
        for line in figures.lines
    ]  # fmt: skip
    return {
        "lines": lines,
        "poverty": figures.poverty[0] if figures.poverty else None,
        "median_d": median(found) if found else None,
        "n_towns": len({village.code[:9] for village in figures.villages}),
    }


def _behind(figures: Figures) -> list[dict[str, Any]]:
    """Return the villages with the lowest coordination, ties by code."""
    found = [village for village in figures.villages if village.coupling_coordination is not None]
    found.sort(key=lambda village: (village.coupling_coordination or 0.0, village.code))
    return [
        {
            "town": figures.area.names_down_to(town := padded(village.code[:9]))
            or figures.area.name(town),
            "village": figures.area.name(village.code),
            "colour": village_map.class_colour(village.level),
            "row": village,
            "lagging": words.lagging(village.lagging),
        }
        for village in found[:FURTHEST_BEHIND]
    ]


def _recommended(figures: Figures) -> list[dict[str, Any]]:
    labels = codes.RECOMMENDATION.labels
    return [
        {"label": labels[code], "colour": colour, **_part(figures, figures.recommended[code])}
        for code, colour in RECOMMENDATION_COLOURS.items()
    ]


def _reasons(figures: Figures) -> list[dict[str, Any]]:
    """Return the reasons, the most frequent first, those not told last."""
    labels = codes.REASON.labels
    told = [
        {"label": labels[code], **_part(figures, told)} for code, told in figures.reasons.items()
    ]
    return sorted(told, key=lambda one: -1 if one["told"].n is None else -one["told"].n)


def _part(figures: Figures, told: Told) -> dict[str, Any]:
    """Return a part of the candidates, and its share where both are of one date."""
    width = min(1.0, told.n / figures.candidates.n) if told.n and figures.candidates.n else 0.0
    is_of_one_date = told.on is not None and told.on == figures.candidates.on
    return {"told": told, "width": width, "share": width if is_of_one_date and width else None}


def _measures(one: Poverty) -> list[dict[str, Any]]:
    """Return each measure of the area, drawn on the scale of its kind."""
    made = []
    for measure in MEASURES:
        pair = [one.get(concept, measure) for concept in CONCEPTS]
        most = legends.scale([found for found in pair if found])
        made += [
            {"label": words.MEASURES[measure], "concept": codes.CONCEPT.labels[concept],
             "of": found, "whisker": legends.whisker(found, most), "most": most}
            for concept, found in zip(CONCEPTS, pair, strict=True)
        ]  # fmt: skip
    return made


def _table(figures: Figures) -> dict[str, Any]:
    """Return the areas with their measures, all drawn on one scale."""
    found = [one.get() for one in figures.poverty]
    most = legends.scale([one for one in found if one])
    rows = [
        {"name": figures.area.name(one.code), "is_whole": number == 0, "row": one,
         "whisker": legends.whisker(one.get(), most)}
        for number, one in enumerate(figures.poverty)
    ]  # fmt: skip
    whole = found[0].value / most if found and found[0] else None
    return {"rows": rows, "most": most, "whole": whole}


def _change(change: Change | None) -> dict[str, Any] | None:
    if change is None:
        return None
    reach = None if change.error is None else REACH * change.error
    ends = None if reach is None else (change.value - reach, change.value + reach)
    return {"of": change, "ends": ends}


def _truth(told: Mapping[str, Any]) -> model_facts.Facts:
    """Return (label, value) of what the answers are held against."""
    return [(words.TRUTH.get(key, key), _plain(key, value)) for key, value in told.items()]


def _plain(key: str, value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1%}" if key.endswith(("ratio", "error")) else f"{value:,.3f}"
    return "—" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _count(value: float | None) -> str:
    return "—" if value is None else f"{value:,.0f}"


def _share(value: float | None, digits: int = 1) -> str:
    return "—" if value is None else f"{value:.{digits}%}"


def _points(value: float, digits: int = 1) -> str:
    """Return a difference of shares in percentage points."""
    return f"{100 * value:.{digits}f}"


def _fixed(value: float | None, digits: int = 3) -> str:
    return "—" if value is None else f"{value:.{digits}f}"


def _day(value: date) -> str:
    return f"{value.year} 年 {value.month} 月 {value.day} 日"
