"""A pool of households that may be: what is weighted until it is like a county.

The pool is a prior. It holds every plausible shape of household at ages all over the range, rare
shapes more often than they occur, with weights that make up for it (synth/people/fit.py changes
the weights). The same pool serves every county.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from lakehouse.conf import conf_dir, read_toml
from lakehouse.errors import DeclarationError, nearest
from synth.figures import Figures, stream

# What a member is to the head, and its generation (the head's is 0, a child's -1).
ROLES = {
    "head": 0,
    "spouse": 0,
    "child": -1,
    "in_law": -1,
    "grandchild": -2,
    "parent": 1,
    "parent_in_law": 1,
    "grandparent": 2,
    "sibling": 0,
    "other": 0,
}
ROLE = {name: number for number, name in enumerate(ROLES)}
# The relation to the head as a register has it, by role.
RELATIONS = np.array(
    ["head", "spouse", "child", "other", "grandchild", "parent", "other", "other", "other", "other"]
)
OLDEST, ADULT = 104.0, 20.0
# A child's spouse and a sibling are about as old: deviation in years.
NEAR = 3.0

# Somebody of a dormitory, barracks or home: a row of one that is no household.
COLLECTIVE = "collective"

Member = tuple[str, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Pool:
    """Candidate households: row = household, and its members one after another, head first.

    size, prior (weights that sum to one) and kind (number in `kinds`) are by household; start
    (one longer) says where each one's members begin. role (number in ROLES), is_male, age
    (years, with fractions), generation and in_couple (lives with husband or wife) are by member;
    `home` is the member's household.
    """

    kinds: tuple[str, ...]
    kind: np.ndarray
    prior: np.ndarray
    start: np.ndarray
    role: np.ndarray
    is_male: np.ndarray
    age: np.ndarray
    in_couple: np.ndarray

    @property
    def is_collective(self) -> np.ndarray:
        return np.array([kind == COLLECTIVE for kind in self.kinds])[self.kind]

    @property
    def size(self) -> np.ndarray:
        return np.diff(self.start)

    @property
    def home(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.kind)), self.size)

    @property
    def generation(self) -> np.ndarray:
        return np.array(list(ROLES.values()), dtype=np.int8)[self.role]

    @property
    def n_generations(self) -> np.ndarray:
        """Return how many generations live together; grandparents and grandchildren are two."""
        has = np.zeros((len(self.kind), 6), dtype=bool)
        has[self.home, self.generation + 3] = True
        return has.sum(axis=1)

    def members(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for households given by row: whose member (place in `rows`), and which member."""
        size = self.size[rows]
        whose = np.repeat(np.arange(len(rows)), size)
        within = np.arange(len(whose)) - np.repeat(np.cumsum(size) - size, size)
        return whose, self.start[rows][whose] + within


@cache
def pool() -> Pool:
    """Return the pool of conf/synth_people.toml. Raises DeclarationError for a wrong kind."""
    return make_pool(read_toml(conf_dir() / "synth_people.toml")["pool"])


def make_pool(given: Figures) -> Pool:
    """Return a pool of about `households` households of the kinds in `given`."""
    kinds = given["kinds"]
    share = np.array([kind["share"] for kind in kinds.values()], dtype=float)
    share /= share.sum()
    # Rare kinds get more rows than their share, so that weights can grow on them.
    many = np.maximum(np.sqrt(share) / np.sqrt(share).sum() * given["households"], 50).astype(int)
    columns: list[tuple[np.ndarray, ...]] = []
    for (name, kind), n in zip(kinds.items(), many, strict=True):
        rng = stream(given["seed"], "pool", name)
        roles, males, ages = zip(*_members(name, kind, n, rng, given), strict=True)
        columns.append(
            (
                np.tile([ROLE[role] for role in roles], n).astype(np.int8),
                np.stack(males, axis=1).ravel(),
                np.stack(ages, axis=1).ravel().astype(np.float32),
                np.tile(_coupled(roles), n),
            )
        )
    sizes = np.repeat([1 + len(kind["members"]) for kind in kinds.values()], many)
    return Pool(
        tuple(kinds),
        np.repeat(np.arange(len(many)), many).astype(np.int16),
        np.repeat(share / many, many),
        np.concatenate([[0], np.cumsum(sizes)]),
        *(np.concatenate(column) for column in zip(*columns, strict=True)),
    )


def _coupled(roles: tuple[str, ...]) -> list[bool]:
    """Return which members live with their husband or wife; of children it is the eldest."""
    pairs = (("head", "spouse"), ("child", "in_law"), ("parent", "parent"))
    couple = {
        who for one, other in pairs if roles.count(other) > (one == other) for who in (one, other)
    }
    return [
        role in couple and not (role == "child" and "child" in roles[:place])
        for place, role in enumerate(roles)
    ]


def _members(
    name: str, kind: Figures, n: int, rng: np.random.Generator, given: Figures
) -> Iterator[Member]:
    """Yield role, sex and age of each member of n households of one kind, the head first."""
    for role in kind["members"]:
        if role not in ROLES:
            hint = nearest(role, list(ROLES))
            raise DeclarationError(
                f"synth_people.toml [pool.kinds] {name!r}: no role {role!r}.{hint}"
            )
    line = _line(kind, n, rng, given)
    male_head = rng.random(n) < (0.5 if kind.get("single") else given["head_male"])
    made: list[Member] = [("head", male_head, line["head"])]
    for role in kind["members"]:
        made.append((role, *_member(role, made, line, rng, given)))
    for role, male, age in made:
        least = ADULT if role in ("spouse", "in_law") else 0.0
        yield role, male, np.clip(age, least, OLDEST)


def _line(kind: Figures, n: int, rng: np.random.Generator, given: Figures) -> dict[str, np.ndarray]:
    """Return the ages of the head, its eldest child and that one's eldest child."""
    least, *most_often, most = kind["ages"]
    drawn = (
        rng.triangular(least, *most_often, most, n) if most_often else rng.uniform(least, most, n)
    )
    above = [_generation(n, rng, given) for _ in range(2)]
    of = kind.get("of", "head")
    if of == "head":
        return {"head": drawn, "child": drawn - above[0], "grandchild": drawn - above[0] - above[1]}
    if of == "child":
        return {"head": drawn + above[0], "child": drawn, "grandchild": drawn - above[1]}
    return {"head": drawn + above[0] + above[1], "child": drawn + above[0], "grandchild": drawn}


def _member(
    role: str, made: list[Member], line: dict[str, np.ndarray], rng: np.random.Generator,
    given: Figures,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return sex and age of one more member, given those before."""
    n, least = len(line["head"]), given["least_generation"]
    same = [(male, age) for before, male, age in made if before == role]
    if role == "spouse":
        age = line["head"] + _older(made[0][1], rng, given)
        return ~made[0][1], np.maximum(age, line["child"] + least)
    if role == "in_law":
        male = next(male for before, male, _ in made if before == "child")
        age = line["child"] + _older(male, rng, given)
        return ~male, np.maximum(age, line["grandchild"] + least)
    if role in ("child", "grandchild"):
        boys = rng.random(n) < given["boys"]
        age = same[-1][1] - 1 - rng.poisson(given["sibling_gap"] - 1, n) if same else line[role]
        return boys, np.where(age < 0, rng.uniform(0, 1, n), age)
    if role in ("sibling", "other"):
        age = line["head"] + rng.normal(0, NEAR * (1 if role == "sibling" else 2), n)
        return rng.random(n) < 0.5, np.maximum(age, 14)
    if same:  # The other parent.
        age = same[0][1] + _older(same[0][0], rng, given)
        return ~same[0][0], np.maximum(age, line["head"] + least)
    below = next((age for before, _, age in made if before == "parent"), line["head"])
    below = below if role == "grandparent" else line["head"]
    return rng.random(n) < given["father_first"], below + _generation(n, rng, given)


def _older(male: np.ndarray, rng: np.random.Generator, given: Figures) -> np.ndarray:
    """Return by how many years the spouse of a man or a woman is older."""
    gap = np.clip(rng.normal(*given["spouse_gap"], len(male)), -8, 12)
    return gap * np.where(male, -1, 1)


def _generation(n: int, rng: np.random.Generator, given: Figures) -> np.ndarray:
    between = given["least_generation"], given["most_generation"]
    return np.clip(rng.normal(*given["generation"], n), *between)
