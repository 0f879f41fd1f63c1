"""What changed between the divisions of two years, and the tree as it stands on a day between."""

import re
from collections import defaultdict
from collections.abc import Callable
from datetime import date

import pandas as pd

from synth.people.id_areas import codes_of
from synth.places.divisions import CODE, COLUMNS

# What a name ends in says what kind of division it is and how it was written down.
KIND_OF_TOWN = re.compile(
    r"(?:(?:满|蒙古|锡伯|回|朝鲜)+族|各族)*(?:自治)?(?:乡|镇|街道办事处|办事处|街道|地区)$"
)
KIND_OF_VILLAGE = re.compile(
    r"(?:村民委员会|村委会|社区居民委员会|社区居委会|居民委员会|居委会|社区|村)+$"
)
HEADS = ["level", "change", "old_code", "old_name", "new_code", "new_name", "within", "candidates"]


def stem(name: str, level: str) -> str:
    """Return a name without what says village, community, town or township."""
    if level == "village":
        return KIND_OF_VILLAGE.sub("", name) or name
    return (KIND_OF_TOWN.sub("", name) or name) if level == "town" else name


def changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return what changed, one row per code (in order of level and code).

    change: dropped, added, renamed (same code, another name) or respelt (the same name written
    otherwise, 村委会 for 村民委员会). A dropped and an added code that are unmistakably the same
    place name each other, and `within` says how that is known: books (of codes of all years), town
    or county (the only dropped and the only added one of its name there). Else new_code is
    empty, and `candidates` says how many added ones bear the name within the county.
    """
    rows: list[tuple[object, ...]] = []
    now_called: dict[str, str] = {}
    for level in ("province", "city", "county", "town", "village"):
        old, new = (_names(table, level) for table in (before, after))
        same = [code for code in old if code in new]
        gone = {code: name for code, name in old.items() if code not in new}
        come = {code: name for code, name in new.items() if code not in old}
        links = _links(level, gone, come, now_called)
        now_called |= {code: link[0] for code, link in links.items() if link[0]}
        for code in same:
            if old[code] != new[code]:
                is_same = stem(old[code], level) == stem(new[code], level)
                what = "respelt" if is_same else "renamed"
                rows.append((level, what, code, old[code], code, new[code], "", 1))
        for code, (to, within, n) in links.items():
            rows.append((level, "dropped", code, gone[code], to, new.get(to, ""), within, n))
        origin = {to: (code, within) for code, (to, within, _) in links.items() if to}
        for code, name in come.items():
            source, within = origin.get(code, ("", ""))
            rows.append((level, "added", source, old.get(source, ""), code, name, within, 0))
    return pd.DataFrame(rows, columns=HEADS)


def _names(table: pd.DataFrame, level: str) -> dict[str, str]:
    rows = table[table["level"] == level]
    return dict(zip(rows["area_code"], rows["area_name"], strict=True))


Link = tuple[str, str, int]


def _links(
    level: str, gone: dict[str, str], come: dict[str, str], now_called: dict[str, str]
) -> dict[str, Link]:
    """Return for each dropped code its new one (or none), how it is known, and candidates."""
    links: dict[str, Link] = {}
    if level not in ("town", "village"):
        for code in gone:
            later = [one.ljust(CODE, "0") for one in codes_of(code[:6])]
            known = [one for one in later if one in come]
            links[code] = (known[0], "books", 1) if len(known) == 1 else ("", "", len(known))
        return links
    left, free = dict(gone), dict(come)
    digits = {"town": 9, "county": 6}
    for within in ["town", "county"] if level == "village" else ["county"]:
        # As it is written first: a village and the community of its name often go together.
        for spelt in (str, lambda name: stem(name, level)):
            for old, new in _pairs(left, free, digits[within], spelt, now_called):
                links[old] = (new, within, 1)
                del left[old], free[new]
    for code, name in left.items():
        where = _place(code, digits["county"], now_called)
        alike = [one for one, its in free.items() if stem(its, level) == stem(name, level)]
        links[code] = ("", "", sum(one.startswith(where) for one in alike))
    return dict(sorted(links.items()))


def _pairs(
    left: dict[str, str], free: dict[str, str], digits: int, spelt: Callable[[str], str],
    now_called: dict[str, str],
) -> list[tuple[str, str]]:  # fmt: skip
    """Return old and new codes whose name, so spelt, is the only one of its place on both sides."""
    olds, news = defaultdict(list), defaultdict(list)
    for code, name in left.items():
        olds[_place(code, digits, now_called), spelt(name)].append(code)
    for code, name in free.items():
        news[code[:digits], spelt(name)].append(code)
    return [
        (codes[0], news[where][0])
        for where, codes in olds.items()
        if len(codes) == 1 and len(news.get(where, ())) == 1
    ]


def _place(code: str, digits: int, now_called: dict[str, str]) -> str:
    """Return the first digits of the area that a code lies in, as they are after the change."""
    county = code[:6].ljust(CODE, "0")
    begins = now_called.get(county, county)[:6] + code[6:digits]
    if digits == 9:
        town = code[:9].ljust(CODE, "0")
        begins = now_called.get(town, begins.ljust(CODE, "0"))[:9]
    return begins


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
