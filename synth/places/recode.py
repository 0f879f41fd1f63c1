"""The day on which codes change: registers write the new ones from then on, people stay."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from lakehouse.feed import Feed
from synth.places.changes import changes, middle, standing
from synth.places.divisions import divisions


@dataclass(frozen=True)
class Recode:
    """Old codes -> new ones, twelve digits, from a day on; `table` is what changed (`changes`).

    A village that was given up, no name telling to which other, goes to the first village of its
    town that is left, else of its county: `is_merged` there.
    """

    day: date
    to: dict[str, str]
    table: pd.DataFrame

    def rows(self, rows: pd.DataFrame, feed: Feed) -> pd.DataFrame:
        """Return rows of a register as written from the day on: with the new codes."""
        names = [name for name, spec in feed.fields.items() if spec.type == "area" and name in rows]
        return rows.assign(**{name: self._now(rows[name]) for name in names}) if names else rows

    def _now(self, codes: pd.Series) -> pd.Series:
        unique = codes.dropna().unique()
        new = {code: self.to[code] for code in unique if code in self.to}
        return codes.replace(new) if new else codes


def recode(area: str, before: Path | None, after: Path, first: date, months: int) -> Recode:
    """Return the change from one table of divisions to another, in the middle of some months."""
    old, new = divisions(before, area), divisions(after, area)
    told = changes(old, new)
    dropped = told[told["change"] == "dropped"]
    to = dict(zip(dropped["old_code"], dropped["new_code"], strict=True))
    left = sorted(new.loc[new["level"] == "village", "area_code"])
    merged = np.zeros(len(told), dtype=bool)
    for row in dropped[dropped["new_code"] == ""].itertuples():
        town = to.get(row.old_code[:9] + "000") or row.old_code
        near = [code for code in left if code[:9] == town[:9]]
        near = near or [code for code in left if code[:6] == town[:6]] or left
        to[row.old_code] = near[0] if row.level == "village" else f"{near[0][:9]}000"
        merged[row.Index] = True
    return Recode(middle(first, months), to, told.assign(is_merged=merged))


def areas_after(
    areas: pd.DataFrame, area: str, tables: tuple[Path | None, Path], of: Recode, begins: date
) -> pd.DataFrame:
    """Return a county's rows of the feed area from the change on; new codes stand where old did.

    `areas` are those before it. Codes that ended long ago are kept.
    """
    old, new = (divisions(table, area) for table in tables)
    tree = standing(old, new, of.day, of.day, begins).drop(columns="urban_class")
    tree["parent_code"] = tree["parent_code"].where(tree["parent_code"] != "", None)
    came = {to: code for code, to in of.to.items()}
    # Decrees name what follows a county; what became of villages nobody publishes.
    tree["successor_code"] = [
        of.to.get(code) if code.endswith("000000") else None for code in tree["area_code"]
    ]
    origin = tree["area_code"].map(lambda code: came.get(code, code))
    at = areas.drop_duplicates("area_code").set_index("area_code")
    for name in ("lon", "lat"):
        where = tree["area_code"].map(at[name]).fillna(origin.map(at[name]))
        tree[name] = where.where(tree["valid_to"].isna())
    tree["is_position_synthetic"] = tree["lon"].notna()
    long_ago = areas[areas["valid_to"].notna() & ~areas["area_code"].isin(tree["area_code"])]
    return pd.concat([tree, long_ago[tree.columns]]).sort_values("area_code", ignore_index=True)
