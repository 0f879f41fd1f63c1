"""Father, mother and spouse of everybody, as far as they are known; what one is to the head."""

import numpy as np
import pandas as pd

NOBODY = -1


class Kinship:
    """Three row numbers per person, `NOBODY` where unknown, and the sex that tells them apart."""

    def __init__(self, is_male: np.ndarray) -> None:
        self.is_male = is_male.astype(bool)
        self.father = np.full(len(is_male), NOBODY)
        self.mother = np.full(len(is_male), NOBODY)
        self.spouse = np.full(len(is_male), NOBODY)

    def grow(self, is_male: np.ndarray) -> None:
        """Make room for new people."""
        self.is_male = np.concatenate([self.is_male, is_male.astype(bool)])
        none = np.full(len(is_male), NOBODY)
        self.father = np.concatenate([self.father, none])
        self.mother = np.concatenate([self.mother, none])
        self.spouse = np.concatenate([self.spouse, none])

    def marry(self, one: np.ndarray, other: np.ndarray) -> None:
        """Make pairs."""
        self.spouse[one], self.spouse[other] = other, one

    def beget(self, child: np.ndarray, one: np.ndarray, other: np.ndarray) -> None:
        """Make children of couples; either may be `NOBODY`."""
        for parent in (one, other):
            known = parent >= 0
            men = known & self.is_male[parent]
            women = known & ~self.is_male[parent]
            self.father[child[men]] = parent[men]
            self.mother[child[women]] = parent[women]

    def to_head(self, person: int, head: int) -> str:
        """Return what a person is to the head of the household."""
        if person == head:
            return "head"
        if self.spouse[person] == head:
            return "spouse"
        if head in (self.father[person], self.mother[person]):
            return "child"
        if person in (self.father[head], self.mother[head]):
            return "parent"
        above = [self.father[person], self.mother[person]]
        if any(a >= 0 and head in (self.father[a], self.mother[a]) for a in above):
            return "grandchild"
        # A second marriage, and a spouse's people: the register counts them with one's own.
        partner = self.spouse[head]
        if partner >= 0 and partner in (self.father[person], self.mother[person]):
            return "child"
        return "other"


def as_registered(members: pd.DataFrame) -> Kinship:
    """Return the kinship that relations to the head tell; members of a household, head first.

    Whom a child's spouse is married to is told by order: the child before them of the other sex.
    """
    kin = Kinship(members["is_male"].to_numpy())
    house = members["household"].to_numpy()
    relation = members["relation"].to_numpy()
    rows = np.arange(len(members))
    head = pd.Series(rows[relation == "head"], house[relation == "head"])
    spouse = pd.Series(rows[relation == "spouse"], house[relation == "spouse"])
    of_head = head.reindex(house).to_numpy()
    of_spouse = spouse.reindex(house).fillna(NOBODY).to_numpy().astype(int)
    kin.marry(spouse.to_numpy(), head.loc[spouse.index].to_numpy())
    child = rows[relation == "child"]
    kin.beget(child, of_head[child], of_spouse[child])
    parent = rows[relation == "parent"]
    kin.beget(of_head[parent], parent, np.full(len(parent), NOBODY))
    first, second = parent[:-1], parent[1:]
    pairs = (house[first] == house[second]) & (kin.is_male[first] != kin.is_male[second])
    kin.marry(first[pairs], second[pairs])
    _in_laws(kin, relation, members["age"].to_numpy())
    return kin


def _in_laws(kin: Kinship, relation: np.ndarray, age: np.ndarray) -> None:
    """Marry children to the in-laws after them, and give grandchildren to the couple or child."""
    last_child, couple = NOBODY, (NOBODY, NOBODY)
    for row in np.flatnonzero(np.isin(relation, ("head", "child", "other", "grandchild"))):
        if relation[row] == "head":
            last_child, couple = NOBODY, (NOBODY, NOBODY)
        elif relation[row] == "child":
            last_child = row
            if couple[0] == NOBODY:
                couple = (row, NOBODY)
        elif relation[row] == "other" and last_child != NOBODY:
            fits = kin.is_male[row] != kin.is_male[last_child] and kin.spouse[last_child] < 0
            if fits and abs(age[row] - age[last_child]) < 15:
                kin.marry(np.array([row]), np.array([last_child]))
                couple = (last_child, row)
        elif relation[row] == "grandchild" and couple[0] != NOBODY:
            one, other = np.array([couple[0]]), np.array([couple[1]])
            if age[couple[0]] - age[row] >= 16:
                kin.beget(np.array([row]), one, other)
