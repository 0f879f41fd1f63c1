"""Area codes of all years: which six digits a person born in a county in a year carries."""

import gzip
import io
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

# Stands for "still in force".
OPEN = 9999
# What a county's name ends in.
KINDS_OF_AREA = "市县区旗"


@cache
def codes_of_all_years() -> pd.DataFrame:
    """Return every code of the country with its years: one row per code, name and span.

    area_code (six digits), area_name, first_year, last_year (9999 = still in force), successor
    (the code in the year after, or an empty text). The first books are of 1980. Source:
    synth/data/README.md.
    """
    packed = (files("synth") / "data" / "area_codes_history.csv.gz").read_bytes()
    text = io.BytesIO(gzip.decompress(packed))
    rows = pd.read_csv(text, dtype={"area_code": str, "successor": str, "last_year": "Int64"})
    rows["last_year"] = rows["last_year"].fillna(OPEN).astype(int)
    rows["successor"] = rows["successor"].fillna("")
    return rows


@cache
def lineage(county: str) -> tuple[tuple[int, str], ...]:
    """Return the codes that a county has had: the first year of each, and the code, in order.

    `county` is a code of any year; one that was given to another area later means the latest.
    A county that was made out of several continues the one of its name. One that is in no
    book (development zones of the statistics bureau) has its own code all along.
    """
    of_code, before = _index()
    if county not in of_code:
        return ((0, county),)
    first, last, name, after = of_code[county][-1]
    code = county
    while after and after in of_code:
        code = after
        first, last, name, after = next(
            span for span in of_code[after] if span[0] <= last + 1 <= span[1]
        )
    line = [(first, code)]
    while (code, first) in before:
        alike = [_likeness(one, code, name) for one in before[code, first]]
        *_, (first, code, name) = min(alike)
        line.append((first, code))
    # A change of name alone is none of code.
    since = {}
    for year, code in reversed(line):
        if not since or code != since[max(since)]:
            since[year if since else 0] = code
    return tuple(since.items())


def codes_of(county: str) -> list[str]:
    """Return all codes that a county has had, the latest first."""
    return list(dict.fromkeys(code for _, code in reversed(lineage(county))))


def name_of(code: str) -> str:
    """Return the latest name of a six-digit code, or an empty text."""
    spans = _index()[0].get(code)
    return spans[-1][2] if spans else ""


def prefix_of(county: np.ndarray | str, birth_year: np.ndarray) -> np.ndarray:
    """Return the six digits that people carry who were born in these counties in these years.

    `county` is one code or one a person, of today's counties; years before the first book take
    the earliest code that is known.
    """
    born = np.asarray(birth_year)
    county = np.broadcast_to(np.asarray(county, dtype="U6"), born.shape)
    found = np.empty(born.shape, dtype="U6")
    for one in np.unique(county):
        years, codes = zip(*lineage(str(one)), strict=True)
        here = county == one
        at = np.searchsorted(years, born[here], side="right") - 1
        found[here] = np.array(codes)[np.maximum(at, 0)]
    return found


Span = tuple[int, int, str, str]


@cache
def neighbours(county: str) -> tuple[str, ...]:
    """Return today's codes of the other counties of a city, or of the province where none are."""
    rows = codes_of_all_years()
    now = rows.loc[rows["last_year"] == OPEN, "area_code"]
    # The last two digits of a county are none of these: a province, a city, its 市辖区.
    known = sorted(set(now[~now.str[4:].isin(["00", "01"])]) - {county})
    near = [code for code in known if code[:4] == county[:4]]
    return tuple(near or [code for code in known if code[:2] == county[:2]] or [county])


@cache
def _index() -> tuple[dict[str, list[Span]], dict[tuple[str, int], list[tuple[int, str, str]]]]:
    """Return the spans by code, and what came before each code and year."""
    of_code: dict[str, list[Span]] = {}
    before: dict[tuple[str, int], list[tuple[int, str, str]]] = {}
    rows = codes_of_all_years()
    for code, name, first, last, after in rows.itertuples(index=False):
        of_code.setdefault(code, []).append((first, last, name, after))
        if after:
            before.setdefault((after, last + 1), []).append((first, code, name))
    return of_code, before


def _likeness(one: tuple[int, str, str], code: str, name: str) -> tuple[object, ...]:
    """Return what orders the areas that became one: the same name first, then most of it."""
    stem, own = one[2].rstrip(KINDS_OF_AREA), name.rstrip(KINDS_OF_AREA)
    return one[2] != name, stem != own, one[1] != code, one
