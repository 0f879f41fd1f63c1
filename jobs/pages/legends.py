"""Keys and scales of a report's pictures: classes, shares, whiskers."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from jobs.pages import village_map, words
from jobs.pages.figures import Figures
from jobs.pages.poverty import Estimate
from lakehouse.conf import method_parameters
from lakehouse.schemas import codes

# Ends of a scale of shares: one looks round, and most of it is used.
ENDS = (0.01, 0.02, 0.05, 0.10, 0.15, 0.20, 0.30, 0.40, 0.50, 0.60, 0.80, 1.0)


def classes(figures: Figures) -> list[dict[str, Any]]:
    """Return the ten classes, best first: number, mark, range and villages."""
    found = Counter(village.level for village in figures.villages if village.level)
    most = max(found.values(), default=1)
    return [
        {
            "level": level,
            "name": name,
            "range": f"{(level - 1) / 10:.1f}—{level / 10:.1f}",
            "colour": village_map.class_colour(level),
            "is_round": level >= village_map.FITS_FROM,
            "is_dark": level <= village_map.DARK_UP_TO,
            "n": found[level],
            "width": found[level] / most,
        }
        for level, name in reversed(list(enumerate(codes.COUPLING_CLASS, start=1)))
    ]


def share_keys() -> list[tuple[str, str]]:
    """Return (colour, range) of each class of the share, highest first."""
    edges = [0.0, *village_map.SHARE_EDGES]
    texts = [f"{low:.0%}—{high:.0%}" for low, high in pairwise(edges)]
    texts.append(f"{edges[-1]:.0%} 及以上")
    return list(reversed(list(zip(village_map.SHARE_COLOURS, texts, strict=True))))


def lagging(figures: Figures) -> dict[str, Any]:
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


def scale(estimates: Sequence[Estimate]) -> float:
    """Return the end of a scale from 0 that holds all values and their intervals."""
    most = max((one.high or one.value for one in estimates), default=0.0)
    return next((end for end in ENDS if end >= most), 1.0)


def whisker(one: Estimate | None, most: float) -> dict[str, float] | None:
    """Return where the dot and the ends of its interval lie, in percent of the scale."""
    if one is None:
        return None
    low, high = (one.value if end is None else end for end in (one.low, one.high))
    return {
        "dot": round(100 * one.value / most, 2),
        "left": round(100 * low / most, 2),
        "width": round(100 * (high - low) / most, 2),
    }
