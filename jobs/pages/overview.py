"""The overview (概览): one page of a date's answers, whole in itself, for a screen or for paper.

Everything lies inside the one HTML file: style, map and script. It loads nothing, and holds
aggregates only, never a token.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from jobs.pages import accounting, model_facts, village_map, words
from jobs.pages.figures import AT_LEAST, Figures, Poverty, read
from lakehouse.conf import method_parameters
from lakehouse.ops import Ops
from lakehouse.schemas import codes

FURTHEST_BEHIND = 10
RECOMMENDATION_COLOURS = {"include": "#a3262a", "check": "#d99a2b", "leave_out": "#9fb3ad"}


def write(
    lake_root: str,
    ops: Ops,
    as_of: date,
    out: Path,
    *,
    steps: Sequence[Mapping[str, Any]] | None = None,
    truth: Mapping[str, Any] | None = None,
    model: Mapping[str, Any] | None = None,
) -> Path:
    """Write the page for one date and return its path. Needs no Spark.

    `steps` are rows by step (step, kind, counts; by default from the operations store), `truth`
    what the answers are held against where the data are synthetic, `model` what training told.
    Raises InputMissing where gold has no answer for the date.
    """
    figures = read(lake_root, as_of)
    told = [dict(step) for step in steps] if steps is not None else accounting.steps(ops, as_of)
    template = _environment().get_template("overview.html")
    page = template.render(
        figures=figures,
        as_of=as_of,
        title=_title(figures),
        at_least=AT_LEAST,
        headline=_Headline(figures),
        map=village_map.draw(figures),
        map_width=village_map.WIDTH,
        classes=_classes(figures),
        share_keys=_share_keys(),
        lagging=_lagging(figures),
        behind=_behind(figures),
        recommended=_recommended(figures),
        reasons=_reasons(figures),
        poverty=[_area(figures, one) for one in figures.poverty],
        steps=accounting.shown_steps(told),
        set_aside=accounting.reasons(ops, as_of),
        refused=accounting.refused(ops),
        versions=accounting.versions(ops, as_of),
        truth=_truth(truth or {}),
        model=model_facts.facts(model or {}),
        groups=model_facts.errors_by_group(model or {}),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    return out


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("jobs.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"n": _count, "share": _share, "fixed": _fixed}
    return made


class _Headline:
    """What stands at the top."""

    def __init__(self, figures: Figures) -> None:
        self.lines = [
            {
                "cny": f"{line.line_cny:,.0f}",
                "whose": "本县自定" if line.area_code in figures.counties()
                else f"继承自{figures.name(line.area_code)}",
                "source": line.source,
                "rule": line.income_rule,
            }
            for line in figures.lines
        ]  # fmt: skip
        self.poverty = [one for one in figures.poverty if one.level == "county"]
        found = [v.coupling_coordination for v in figures.villages if v.coupling_coordination]
        self.median_d = median(found) if found else None
        self.n_towns = len({village.code[:9] for village in figures.villages})


def _title(figures: Figures) -> str:
    names = [figures.name(code) for code in figures.counties()]
    return names[0] if len(names) == 1 else f"{names[0]}等{len(names)}个县（市、区）"


def _classes(figures: Figures) -> list[dict[str, Any]]:
    """Return the ten classes, best first: colour, range and villages. It is the map's legend."""
    found = Counter(village.level for village in figures.villages if village.level)
    most = max(found.values(), default=1)
    return [
        {
            "name": name,
            "range": f"{(level - 1) / 10:.1f}—{level / 10:.1f}",
            "colour": village_map.class_colour(level),
            "n": found[level],
            "width": found[level] / most,
        }
        for level, name in reversed(list(enumerate(codes.COUPLING_CLASS, start=1)))
    ]


def _share_keys() -> list[tuple[str, str]]:
    """Return (colour, range) of each class of the share, highest first."""
    edges = [0.0, *village_map.SHARE_EDGES]
    texts = [f"{low:.0%}—{high:.0%}" for low, high in pairwise(edges)]
    texts.append(f"{edges[-1]:.0%} 及以上")
    return list(reversed(list(zip(village_map.SHARE_COLOURS, texts, strict=True))))


def _lagging(figures: Figures) -> dict[str, Any]:
    """Return villages by the system that lags, and by how much it has to."""
    shown = [village for village in figures.villages if village.level]
    found = Counter(village.lagging for village in shown)
    given = method_parameters().get("gold.need_capacity_coupling", {})
    order: list[str | None] = [*codes.LAGGING, None]
    return {
        "within": given.get("lagging_within", {}).get("value"),
        "n": len(shown),
        "counts": [(words.lagging(code), found[code]) for code in order],
    }


def _behind(figures: Figures) -> list[dict[str, Any]]:
    """Return the villages with the lowest coordination, ties by code."""
    found = [village for village in figures.villages if village.coupling_coordination is not None]
    found.sort(key=lambda village: (village.coupling_coordination or 0.0, village.code))
    return [
        {
            "town": figures.name(village.code[:9] + "000"),
            "village": figures.name(village.code),
            "colour": village_map.class_colour(village.level),
            "row": village,
            "lagging": words.lagging(village.lagging),
        }
        for village in found[:FURTHEST_BEHIND]
    ]


def _recommended(figures: Figures) -> list[dict[str, Any]]:
    labels = codes.RECOMMENDATION.labels
    return [
        {
            "label": labels[code],
            "colour": colour,
            "n": figures.recommended.get(code, 0),
            "width": (figures.recommended.get(code, 0) or 0) / figures.n_candidates,
        }
        for code, colour in RECOMMENDATION_COLOURS.items()
    ]


def _reasons(figures: Figures) -> list[dict[str, Any]]:
    labels = codes.REASON.labels
    return [
        {
            "label": labels.get(code, code),
            "n": figures.reasons.get(code, 0),
            "width": (figures.reasons.get(code, 0) or 0) / figures.n_candidates,
        }
        for code in [*figures.reasons, *(code for code in labels if code not in figures.reasons)]
    ]


def _area(figures: Figures, one: Poverty) -> dict[str, Any]:
    most = max((area.income[0] for area in figures.poverty if area.income), default=0) or 1
    return {
        "name": figures.name(one.code),
        "is_county": one.level == "county",
        "row": one,
        "width": one.income[0] / most if one.income else 0,
    }


def _truth(told: Mapping[str, Any]) -> model_facts.Facts:
    """Return (label, value) of what the answers are held against."""
    return [(words.TRUTH.get(key, key), _plain(key, value)) for key, value in told.items()]


def _plain(key: str, value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1%}" if key.endswith(("ratio", "error")) else f"{value:,.3f}"
    return "—" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _count(value: float | None) -> str:
    return f"少于{AT_LEAST}人，不显示" if value is None else f"{value:,.0f}"


def _share(value: float | None, digits: int = 1) -> str:
    return "—" if value is None else f"{value:.{digits}%}"


def _fixed(value: float | None, digits: int = 3) -> str:
    return "—" if value is None else f"{value:.{digits}f}"
