"""The truth to judge answers by: who lives where, with whom, on what, in need of what.

No job reads it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synth.figures import SCHEME, income_line, schemes
from synth.lives.facilities import FACILITIES
from synth.lives.needs import LIVING, PRODUCTION
from synth.operator import register
from synth.plan import MONTHS_BEFORE
from synth.state.kin import kin
from synth.state.registry import TRUTH
from synth.state.registry import truth as of_departments
from synth.town import County, Town

NEEDS = [
    *(f"needs_{one}" for one in LIVING), "needs_living",
    *(f"needs_{one}" for one in PRODUCTION), "needs_production",
]  # fmt: skip


def tables(town: Town) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the truth about one town's people: name of the table, and rows."""
    yield from {
        "household": households(town),
        "household_month": months(town),
        "person": people(town),
        "membership": membership(town),
        "shock": shocks(town),
        "poverty_spell": spells(town),
        "subscriber": numbers(town),
    }.items()
    for table in TRUTH:
        yield table, of_departments(town.known, table)


def numbers(town: Town) -> pd.DataFrame:
    """Return what the operator does not know of each number: who uses it, and whose it is."""
    villages = town.county.places.villages["village_code"].to_numpy()
    return register.truth(town.owners, town.who, villages, town.county.told)


def households(town: Town) -> pd.DataFrame:
    """Return one row per household of the last day, under its raw book number."""
    homes = town.life.homes
    known = homes[
        [
            "household_id", "village_code", "is_rural", "is_collective", "n_members",
            "net_income_cny", "consumption_cny", "is_poor", "is_poor_by_consumption", *NEEDS,
            *(f"has_{one}" for one in FACILITIES), "tenure",
        ]
    ]  # fmt: skip
    return known.assign(
        is_candidate=town.listed.is_candidate,
        is_listed=town.listed.is_listed,
        is_surveyed=np.isin(homes["household"], town.survey["household"]),
    )


def months(town: Town) -> pd.DataFrame:
    """Return one row per household and month delivered in which it has people.

    Incomes and consumption are of the twelve months that end with it, per head;
    is_in_range: not poor, but below the monitoring line of the scheme from 2020 on.
    """
    panel, ends = town.life.months, np.array(town.county.told.month_ends, dtype="M8[D]")
    book, month = np.nonzero(panel["n_members"] > 0)
    net, line = panel["net_income_cny"][book, month], panel["line_cny"][book, month]
    spent = panel["consumption_cny"][book, month]
    books, villages = town.who.books, town.county.places.villages
    is_rural = villages["is_rural"].to_numpy()[books["village"]] & ~books["is_collective"]
    range_top = town.county.given["lives"]["monitoring_range"] * line
    return pd.DataFrame(
        {
            "household_id": books["household_id"].to_numpy()[book],
            "month_end": ends[month],
            "is_rural": is_rural.to_numpy()[book],
            "n_members": panel["n_members"][book, month],
            "net_income_cny": net,
            "consumption_cny": spent,
            "line_cny": line,
            "is_poor": net < line,
            "is_poor_by_consumption": spent < line,
            "is_in_range": (net >= line) & (net < range_top),
        }
    )


def lines(county: County) -> pd.DataFrame:
    """Return the line of each scheme in a county by month: who has less net income is poor by it.

    Schemes are those of conf/schemes, and the monitoring range above the first.
    """
    area, ends = county.places.area, county.told.month_ends
    by_scheme = {one: [income_line(area, end, one) for end in ends] for one in schemes()}
    top = county.given["lives"]["monitoring_range"]
    by_scheme.setdefault("monitoring", [top * line for line in by_scheme[SCHEME]])
    return pd.DataFrame(
        {
            "area_code": area.ljust(12, "0"),
            "scheme": np.repeat(list(by_scheme), len(ends)),
            "month_end": np.tile(np.array(ends, dtype="M8[D]"), len(by_scheme)),
            "line_cny": np.concatenate(list(by_scheme.values())),
        }
    )


def people(town: Town) -> pd.DataFrame:
    """Return everybody who ever was, with father, mother and spouse where they are of the town."""
    everybody = town.who.everybody
    number = everybody["person_id"].to_numpy()
    family = {
        f"{link}_id": np.where(of >= 0, number[of], None) for link, of in _family(town).items()
    }
    return everybody[
        ["person_id", "is_male", "born", "died", "ethnicity", "health", "work", "education",
         "is_illiterate", "marital", "industry"]
    ].assign(**family)  # fmt: skip


def _family(town: Town) -> dict[str, np.ndarray]:
    """Return father, mother and spouse (rows): those of the books, and parents elsewhere."""
    everybody, row = town.who.everybody, town.who.people["person"].to_numpy()
    of = {link: everybody[link].to_numpy().copy() for link in ("father", "mother", "spouse")}
    links = kin(town.known)
    links = links[links["kind"] == "parent"]
    parent, child = row[links["person"]], row[links["other"]]
    is_male = everybody["is_male"].to_numpy()[parent]
    of["father"][child[is_male]] = parent[is_male]
    of["mother"][child[~is_male]] = parent[~is_male]
    return of


def membership(town: Town) -> pd.DataFrame:
    """Return who belonged to which household from when to when, as which relation."""
    edges, who = town.who.edges, town.who
    return pd.DataFrame(
        {
            "person_id": who.everybody["person_id"].to_numpy()[edges["person"]],
            "household_id": who.books["household_id"].to_numpy()[edges["household"]],
            "relation": edges["relation"],
            "since": edges["since"],
            "until": edges["until"],
            "reason": edges["reason"],
        }
    )


def shocks(town: Town) -> pd.DataFrame:
    """Return what befell households, with the month in which it began."""
    found, who = town.life.shocks, town.who
    lived = np.array(town.county.told.lived, dtype="M8[D]")
    person = found["person"].to_numpy()
    number = who.everybody["person_id"].to_numpy()
    return pd.DataFrame(
        {
            "household_id": who.books["household_id"].to_numpy()[found["household"]],
            "person_id": np.where(person >= 0, number[person], None),
            "kind": found["kind"],
            "month_end": lived[found["month"].to_numpy(dtype=int)],
            "n_months": found["months"],
            "cost_cny": found["cost_cny"],
            "share_lost": found["share_lost"],
        }
    )


def spells(town: Town) -> pd.DataFrame:
    """Return each time that a household was poor by income: first and last month, and why.

    is_return: it had been poor before, and had not been meanwhile. cause: the gravest shock of
    the twelve months before; none where nothing befell the household.
    """
    panel, ends = town.life.months, np.array(town.county.told.month_ends, dtype="M8[D]")
    is_poor = (panel["net_income_cny"] < panel["line_cny"]) & (panel["n_members"] > 0)
    before = np.pad(is_poor, ((0, 0), (1, 0)))[:, :-1]
    book, begin = np.nonzero(is_poor & ~before)
    after = np.pad(is_poor, ((0, 0), (0, 1)))[:, 1:]
    _, end = np.nonzero(is_poor & ~after)
    first = pd.Series(book).duplicated().to_numpy()
    return pd.DataFrame(
        {
            "household_id": town.who.books["household_id"].to_numpy()[book],
            "first_month_end": ends[begin],
            "last_month_end": ends[end],
            "is_known_from_before": begin == 0,
            "is_return": first,
            "cause": _gravest(town, book, begin),
        }
    )


def _gravest(town: Town, book: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Return the kind of shock that took most in the twelve months up to a month delivered."""
    found = town.life.shocks
    if not len(found) or not len(book):
        return np.full(len(book), "none", dtype=object)
    panel = town.life.months
    a_head = panel["net_income_cny"][:, -1] * np.maximum(panel["n_members"][:, -1], 1)
    lost = found["share_lost"] * found["months"] / 12
    taken = found["cost_cny"] + lost * a_head[found["household"].to_numpy(dtype=int)]
    events = found.assign(taken=taken).sort_values("taken", kind="stable", ascending=False)
    asked = pd.DataFrame(
        {"household": book, "at": begin + MONTHS_BEFORE, "spell": range(len(book))}
    )
    met = asked.merge(events, on="household")
    met = met[(met["month"] <= met["at"]) & (met["month"] > met["at"] - 12)]
    kind = met.drop_duplicates("spell").set_index("spell")["kind"]
    return kind.reindex(range(len(book))).fillna("none").to_numpy(dtype=object)


def write_notes(folder: Path, notes: dict[str, dict[str, Any]]) -> None:
    """Write notes as JSON; the same content gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, told in notes.items():
        text = json.dumps(told, ensure_ascii=False, indent=2, default=str)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
