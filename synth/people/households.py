"""Households: how many of which kind live where, and the sex and age of their members."""

from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures, stream
from synth.plan import Block

# Years between generations, and between spouses.
GENERATION, SPOUSES = (26.0, 3.2), (1.6, 2.4)


def households(
    villages: pd.DataFrame, block: Block, eve: date, seed: int, given: Figures
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the households of a town (household, village) and their members on a day.

    `household` and `village` are row numbers. Members have household, relation, is_male, age
    and birth_date, the head first.
    """
    rng, people = stream(seed, "households", block.name), block.people
    weight = villages["weight"].to_numpy()[block.rows]
    kinds = given["people"]["kind"]
    share = np.array([kind["share"] for kind in kinds])
    size = np.array([1 + len(kind["members"]) for kind in kinds])
    wanted = int(people / (share @ size / share.sum()) * 1.1) + 20
    drawn = rng.choice(len(kinds), size=wanted, p=share / share.sum())
    drawn = drawn[np.cumsum(size[drawn]) <= people]
    # People who are left over after the last whole household live alone.
    alone = next(number for number, kind in enumerate(kinds) if not kind["members"])
    drawn = np.concatenate([drawn, np.full(people - size[drawn].sum(), alone)])
    village = block.rows[np.sort(rng.choice(len(weight), size=len(drawn), p=weight / weight.sum()))]
    members = [
        _members(np.flatnonzero(drawn == number), kind, rng, given["people"])
        for number, kind in enumerate(kinds)
    ]
    people_of = pd.concat(members).sort_values(["household", "place"], kind="stable")
    people_of = people_of.drop(columns="place").reset_index(drop=True)
    people_of["age"] = people_of["age"].clip(0, 99).astype(int)
    people_of["birth_date"] = _birth_dates(people_of["age"].to_numpy(), eve, rng)
    homes = pd.DataFrame({"household": np.arange(len(drawn)), "village": village})
    return homes, people_of


def _members(
    household: np.ndarray, kind: Figures, rng: np.random.Generator, given: Figures
) -> pd.DataFrame:
    """Return the members of all households of one kind, `place` being their order in it."""
    n = len(household)
    male_head = rng.random(n) < (0.5 if kind.get("single") else given["head_male"])
    eldest = _ages(kind["child"], n, rng) if "child" in kind else None
    head = _ages(kind["head"], n, rng) if eldest is None else eldest + _generation(n, rng)
    parents = iter([rng.random(n) < 0.4, None])
    rows = [("head", male_head, head)]
    for relation in kind["members"]:
        before = rows[-1]
        if relation == "spouse":
            gap = rng.normal(*SPOUSES, n) * np.where(male_head, -1, 1)
            row = ("spouse", ~male_head, np.maximum(head + gap, 20))
        elif relation == "child" and before[0] == "child":
            row = ("child", _boys(n, rng), np.maximum(before[2] - 1 - rng.poisson(2.6, n), 0))
        elif relation == "child":
            row = ("child", _boys(n, rng), eldest)
        elif relation == "in_law":
            row = ("other", ~before[1], np.maximum(before[2] + rng.normal(0, 2, n), 20))
        elif relation == "parent":
            drawn = next(parents)
            sex = ~before[1] if before[0] == "parent" else drawn
            row = ("parent", sex, np.minimum(head + _generation(n, rng), 97))
        else:
            young = eldest - _generation(n, rng) if eldest is not None else rng.uniform(1, 16, n)
            row = ("grandchild", _boys(n, rng), np.maximum(young, 0))
        rows.append(row)
    return pd.concat(
        pd.DataFrame(
            {
                "household": household,
                "place": place,
                "relation": relation,
                "is_male": sex,
                "age": age,
            }
        )
        for place, (relation, sex, age) in enumerate(rows)
    )


def _ages(between: list[int], n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(between[0], between[1] + 1, n)


def _generation(n: int, rng: np.random.Generator) -> np.ndarray:
    return np.clip(rng.normal(*GENERATION, n), 19, 42)


def _boys(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.random(n) < 0.52


def _birth_dates(age: np.ndarray, eve: date, rng: np.random.Generator) -> np.ndarray:
    """Return days of birth: the birthday of `age` lies in the year that ends on `eve`."""
    latest = np.datetime64(eve, "D") - np.round(age * 365.2425).astype("timedelta64[D]")
    return latest - rng.integers(1, 364, len(age)).astype("timedelta64[D]")
