"""People who are not of the population: cadres sent from above, partners from outside, and who
died or moved away years before the first month.

Their ID numbers end in an order of the day that no town gives: 999 for men, 000 for women. So
one man and one woman a day: cadres are born on even days, those outside on odd ones, the long
gone are older than both, each block having days of its own.
"""

import numpy as np
import pandas as pd

from synth.people.id_areas import prefix_of
from synth.people.identity import MANCHU_SURNAMES, SURNAMES, check_digits, given_names
from synth.plan import blocks
from synth.state.known import DAY, PARTS, YEAR, Known, Seat, once

CADRES, OUTSIDERS = 0, 1
# Least age of the long gone on the last day, and what they are made for.
OLD, USES = 63, 2
GHOSTS, EARLIER_DEAD = 0, 1


@once
def outsiders(seat: Seat) -> pd.DataFrame:
    """Return people elsewhere who own, buy and trade here: person_id, person_name, and more."""
    told = seat.state["strangers"]
    rng = seat.stream("outsiders")
    n = max(told["least"], round(told["a_village"] * len(seat.places.villages)))
    return made_up(seat, n, (26, 62), OUTSIDERS, rng)


def long_gone(
    block: Known, surname: np.ndarray, use: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return old people of these surnames: person_id, person_name, is_male, birth_date.

    `use` (less than USES) keeps two calls apart. Fewer where the block's days are used up.
    """
    seat, last = block.seat, block.seat.last
    names = _blocks(seat)
    turn, turns = names.index(block.code) * USES + use, len(names) * USES
    low, high = (last - DAY * round(age * YEAR) for age in (97, OLD))
    free = np.arange(low, high)
    free = free[free.astype(int) % turns == turn]
    surname = surname[: len(free)]
    n = len(surname)
    is_male = rng.random(n) < 0.5
    born = rng.choice(free, n, replace=False)
    given = given_names(is_male, rng)
    return pd.DataFrame(
        {
            "person_id": _numbers(seat.area, born, is_male),
            "person_name": np.char.add(surname.astype("U1"), given).astype(object),
            "is_male": is_male,
            "birth_date": born,
        }
    )


@once
def _blocks(seat: Seat) -> list[str]:
    """Return what the numbers of each block of the county begin with."""
    of = blocks({seat.area: seat.places.villages}, {seat.area: seat.people})
    return [f"{block.town[:9]}{PARTS[block.part]}" for block in of]


def made_up(
    seat: Seat, n: int, between: tuple[int, int], parity: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return made-up people: person_id, person_name, is_male, birth_date, of these ages."""
    is_male = rng.random(n) < 0.68
    born = np.empty(n, dtype="datetime64[D]")
    low, high = (seat.last - DAY * round(age * YEAR) for age in reversed(between))
    free = np.arange(low, high)
    free = free[free.astype(int) % 2 == parity]
    for sex in (is_male, ~is_male):
        born[sex] = rng.choice(free, int(sex.sum()), replace=False)
    surname = rng.choice(np.concatenate([SURNAMES, MANCHU_SURNAMES]), n)
    return pd.DataFrame(
        {
            "person_id": _numbers(seat.area, born, is_male),
            "person_name": np.char.add(surname, given_names(is_male, rng)).astype(object),
            "is_male": is_male,
            "birth_date": born,
        }
    )


def _numbers(area: str, born: np.ndarray, is_male: np.ndarray) -> np.ndarray:
    if not len(born):
        return np.zeros(0, dtype=object)
    prefix = prefix_of(area, born.astype("datetime64[Y]").astype(int) + 1970)
    day = np.char.replace(np.datetime_as_string(born, unit="D"), "-", "")
    first = np.char.add(np.char.add(prefix, day), np.where(is_male, "999", "000"))
    return np.char.add(first, check_digits(first)).astype(object)
