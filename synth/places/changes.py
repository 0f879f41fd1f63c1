"""What changed between the divisions of two years, and the tree as it stands on a day between."""

from datetime import date
from typing import Any

import pandas as pd

from jobs.methods.succession import LEVELS, Division, stem, successors
from synth.people.id_areas import codes_of
from synth.places.divisions import CODE, COLUMNS

HEADS = ["level", "change", "old_code", "old_name", "new_code", "new_name", "within", "candidates"]
# Days that only tell before from after.
BEFORE, AFTER = date(1900, 1, 1), date(2000, 1, 1)
WITHIN = {"announced": "books", "same_name_in_town": "town", "same_name_in_county": "county",
          "same_name_in_city": "city", "same_name_in_province": "province"}  # fmt: skip


def changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return what changed, one row per code (in order of level and code).

    change: dropped, added, renamed (same code, another name) or respelt (the same name written
    otherwise, 村委会 for 村民委员会). A dropped and an added code that are unmistakably the same
    place name each other, and `within` says how that is known: books (of codes of all years), or
    the area in which they are the only dropped and the only added one of the name. Else
    new_code is empty, and `candidates` says how many added ones bear the name.
    """
    rows: list[tuple[object, ...]] = []
    every_link = _links(before, after)
    for level in LEVELS:
        old, new = (_names(table, level) for table in (before, after))
        links = {code: every_link[code] for code in old if code not in new}
        for code in old:
            if code in new and old[code] != new[code]:
                is_same = stem(old[code], level) == stem(new[code], level)
                what = "respelt" if is_same else "renamed"
                rows.append((level, what, code, old[code], code, new[code], "", 1))
        for code, (to, within, n) in links.items():
            rows.append((level, "dropped", code, old[code], to, new.get(to, ""), within, n))
        origin = {to: (code, within) for code, (to, within, _) in links.items() if to}
        for code, name in new.items():
            if code not in old:
                source, within = origin.get(code, ("", ""))
                rows.append((level, "added", source, old.get(source, ""), code, name, within, 0))
    return pd.DataFrame(rows, columns=HEADS)


def _names(table: pd.DataFrame, level: str) -> dict[str, str]:
    rows = table[table["level"] == level]
    return dict(zip(rows["area_code"], rows["area_name"], strict=True))


def _links(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, tuple[str, str, int]]:
    """Return for each dropped code its new one (or none), how it is known, and candidates."""
    was, came = set(before["area_code"]), set(after["area_code"])
    tree = [
        Division(row.area_code, row.area_name, row.level, BEFORE, AFTER, _in_books(row, came - was))
        for row in before[~before["area_code"].isin(came)].itertuples()
    ]
    tree += [
        Division(row.area_code, row.area_name, row.level, BEFORE if row.area_code in was else AFTER)
        for row in after.itertuples()
    ]
    return {
        code: (link.to or "", WITHIN[link.basis], link.candidates)
        if link.basis in WITHIN
        else ("", "", link.candidates)
        for code, link in successors(tree).items()
    }


def _in_books(row: Any, came: set[str]) -> str | None:
    """Return the code that the books of all years give to a county later, if it is one."""
    if row.level in ("town", "village"):
        return None
    known = [code.ljust(CODE, "0") for code in codes_of(row.area_code[:6])]
    known = [code for code in known if code in came]
    return known[0] if len(known) == 1 else None


def middle(first: date, months: int) -> date:
    """Return the first day of the month in the middle of so many: when codes change."""
    year, month = divmod(first.year * 12 + first.month - 1 + months // 2, 12)
    return date(year, month + 1, 1)


def standing(
    before: pd.DataFrame, after: pd.DataFrame, changed: date, on: date, begins: date
) -> pd.DataFrame:
    """Return the tree as it is known on a day, where the codes change on another.

    The columns of divisions, valid_from and valid_to (the first day no longer in force). Before
    the change it is the older table; from that day on the newer one, and dropped codes keep
    their rows with the day that they ended.
    """
    start, end = pd.Timestamp(begins), pd.Timestamp(changed)
    if on < changed:
        known = before[COLUMNS].assign(valid_from=start, valid_to=pd.NaT)
    else:
        is_old = after["area_code"].isin(before["area_code"])
        now = after[COLUMNS].assign(valid_from=is_old.map({True: start, False: end}))
        gone = before.loc[~before["area_code"].isin(after["area_code"]), COLUMNS]
        known = pd.concat([now, gone.assign(valid_from=start, valid_to=end)])
    for day in ("valid_from", "valid_to"):
        known[day] = known[day].astype("datetime64[ns]")
    return known.sort_values("area_code", ignore_index=True)
