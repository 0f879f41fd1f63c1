"""Disability as the federation knows it: cards, some older than the ID number."""

import numpy as np
import pandas as pd

from synth.state.deaths import deaths
from synth.state.known import DAY, YEAR, Known, days, numbered, once, stacked
from synth.state.spelling import misspelt

COLUMNS = ["disability_card", "person_id", "person_name", "disability_kind", "disability_grade",
           "issued_date", "village_code"]  # fmt: skip
# GB/T 26341-2010: the digit of each kind, and how common it is.
DIGIT = {"sight": "1", "hearing": "2", "speech": "3", "limb": "4", "intellect": "5", "mind": "6",
         "multiple": "7"}  # fmt: skip


@once
def cards_of_disabled(block: Known) -> pd.DataFrame:
    """Return the cards issued: COLUMNS, holder_id (the truth), is_true, and since when dead.

    A card's number is the ID number, a digit for the kind and one for the grade. An old one has
    a number of its own, and no ID number with it. A few holders are not disabled (any more).
    """
    told, rng = block.state["disability"], block.stream("disability")
    people, dead = block.people, deaths(block)
    disabled = (people["health"] == "disabled").to_numpy()
    chance = np.where(disabled, told["has_card"], told["not_disabled"])
    who = np.flatnonzero(rng.random(len(people)) < chance)
    # Who died before the first month is on no register that says what they had.
    known = block.who.everybody.set_index("person_id")["health"].reindex(dead["person_id"])
    was_disabled = (known.isna() | (known == "disabled")).to_numpy()
    chance = np.where(was_disabled, told["of_the_dead"], told["not_disabled"])
    held = rng.random(len(dead)) < chance
    holders = stacked(people.iloc[who], dead[held])
    n = len(holders)
    kind = rng.choice(list(DIGIT), n, p=told["kinds"])
    grade = rng.choice(["1", "2", "3", "4"], n, p=told["grades"])
    born = holders["birth_date"].to_numpy().astype("datetime64[D]")
    issued = np.maximum(days(np.datetime64(told["since"], "D"), block.seat.first, n, rng), born)
    is_old = rng.random(n) < told["old_card"]
    digits = pd.Series(kind).map(DIGIT) + grade
    serial = numbered(f"{block.seat.area}{block.code[6:]}", n, 5)
    unlike = rng.random(n) < told["no_number"]
    village = np.concatenate([block.village_of[who], dead.loc[held, "village_code"]])
    return pd.DataFrame(
        {
            "disability_card": np.where(is_old, serial, holders["person_id"] + digits),
            "person_id": holders["person_id"].where(~is_old & ~unlike),
            "person_name": misspelt(
                holders["person_name"], block.state["names"]["misspelt"], rng
            ).to_numpy(),
            "disability_kind": kind,
            "disability_grade": grade,
            "issued_date": issued,
            "village_code": village,
            "holder_id": holders["person_id"],
            "is_true": np.concatenate([disabled[who], was_disabled[held]]),
            "died_date": np.concatenate(
                [np.full(len(who), np.datetime64("NaT")), dead.loc[held, "died_date"]]
            ).astype("datetime64[D]"),
        }
    )


def disability(block: Known, month: int) -> pd.DataFrame:
    """Return the cards in force at the end of a month; the federation hears of deaths years on."""
    rows, day = cards_of_disabled(block), block.end(month)
    heard = rows["died_date"].to_numpy() + DAY * round(2 * YEAR)
    here = (rows["issued_date"].to_numpy().astype("datetime64[D]") <= day) & ~(heard <= day)
    return rows.loc[here, COLUMNS].reset_index(drop=True)
