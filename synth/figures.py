"""What the generator is told: control figures, the poverty line, the cost shares of income."""

from datetime import date
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np

from lakehouse.conf import as_date, conf_dir, inherited, read_toml
from lakehouse.errors import InputMissing

Figures = dict[str, Any]


@cache
def figures(area: str) -> Figures:
    """Return conf/synth.toml for a county, facts as plain values.

    What its own section says wins; the rest of that lies under `area`. A county that cites no
    share of poor people draws one around the province's, the same in every run.
    """
    raw = dict(read_toml(conf_dir() / "synth.toml"))
    own = plain(raw.pop("area", {}).get(area, {}))
    given = _merged(plain(raw), {name: it for name, it in own.items() if name in raw})
    given["area"] = {name: it for name, it in own.items() if name not in raw}
    lives = given["lives"]
    if "poor_share" not in own.get("lives", {}):
        off = np.random.default_rng(int(area)).normal(0, lives["poor_spread"])
        lives["poor_share"] = float(min(0.5, lives["poor_share"] * np.exp(off)))
    lives.setdefault("consumption_poor_share", lives["poor_share"])
    return given


def _merged(general: Any, own: Any) -> Any:
    """Return nested figures, those of one's own first."""
    if not isinstance(own, dict):
        return own
    return general | {name: _merged(general.get(name, {}), it) for name, it in own.items()}


def plain(it: Any) -> Any:
    """Replace each `{ value, source }` by its value."""
    if isinstance(it, dict):
        return it["value"] if "value" in it else {name: plain(part) for name, part in it.items()}
    return [plain(part) for part in it] if isinstance(it, list) else it


# The scheme by whose line the generator counts the poor.
SCHEME = "registered_poor"


def schemes() -> list[str]:
    """Return the schemes that conf/schemes has lines of net income of."""
    return sorted({row["scheme"] for row in _lines() if row["concept"] == "net_income"})


def income_line(area: str, as_of: date, scheme: str = SCHEME) -> float:
    """Return the line of the year, the area's own or inherited. Raises InputMissing for none.

    A year that has none yet takes the newest before it, which the generator lets grow.
    """
    growth = float(figures(area)["lives"]["line_growth"])
    rows = _lines()
    for code in inherited(area):
        mine = [
            row for row in rows
            if row["area_code"] == code.ljust(12, "0") and row["concept"] == "net_income"
            and row["scheme"] == scheme and row["year"] <= as_of.year
        ]  # fmt: skip
        if mine:
            newest = max(mine, key=lambda row: row["year"])
            return round(newest["line_cny"] * (1 + growth) ** (as_of.year - newest["year"]), 0)
    raise InputMissing(
        f"conf/schemes/income_line.toml has no line of {scheme} for {area} in {as_of.year}."
        " Enter it there."
    )


def _lines() -> list[Figures]:
    rows: list[Figures] = read_toml(conf_dir() / "schemes" / "income_line.toml")["row"]
    return rows


def cost_shares(area: str, as_of: date) -> dict[str, float]:
    """Return the cost share of each kind of income by the newest rule in force.

    The area's own rule wins over an inherited one.
    """
    rows = read_toml(conf_dir() / "schemes" / "income_rule.toml")["row"]
    for code in inherited(area):
        here = [
            row
            for row in rows
            if row["area_code"] == code.ljust(12, "0") and as_date(row["valid_from"]) <= as_of
        ]
        if here:
            newest = max(as_date(row["valid_from"]) for row in here)
            return {
                row["item"]: float(row["cost_share"])
                for row in here
                if as_date(row["valid_from"]) == newest
            }
    raise InputMissing(f"conf/schemes/income_rule.toml has no rule for {area} on {as_of}.")


def stream(seed: int, *name: object) -> np.random.Generator:
    """Return the random numbers of one part, so that a change in it leaves the others alone."""
    return np.random.default_rng([seed, *(crc32(str(part).encode()) for part in name)])
