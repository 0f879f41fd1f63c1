"""Kin: who is whose spouse, parent and sibling, within households and across those of a block.

A married son's household stands near his father's and bears the same surname; daughters marry
into other households of the town; brothers whose parents are dead know each other still.
"""

import numpy as np
import pandas as pd

from synth.state.known import YEAR, Known, once

KINDS = ("spouse", "parent", "sibling", "grandparent")
# Years that a parent, or a grandparent, is older.
OLDER = {"parent": (18.0, 45.0), "grandparent": (36.0, 90.0)}
# What the other one is to the first.
TURNED = {"spouse": "spouse", "sibling": "sibling", "parent": "child", "grandparent": "grandchild"}
ROUNDS = 8  # Of drawing a father: those left then are taken to have none in the block.


@once
def kin(block: Known) -> pd.DataFrame:
    """Return every link once: person, other (rows of block.people), kind.

    A parent or grandparent is `person`, its child or grandchild `other`; of spouses and siblings
    `person` is the lower row. Every child of two known parents is linked to both; siblings share
    a parent (who may have died or left), or are brothers whose parents are not known.
    """
    people = _told(block)
    inside = _links(people, block)
    parents = inside[inside["kind"] == "parent"]
    spouse = inside[inside["kind"] == "spouse"]
    fathers = pd.concat([_sons(block, people, parents), _daughters(block, people, parents)])
    wife = _directed(spouse).set_index("person")["other"]
    mothers = fathers.assign(person=fathers["person"].map(wife)).dropna().astype({"person": int})
    parents = pd.concat([parents, _plausible(pd.concat([fathers, mothers]), people)])
    found = [
        spouse,
        parents,
        _siblings(pd.concat([parents, _gone_parents(block)])),
        _brothers(block, people, parents),
        inside[inside["kind"] == "grandparent"],
    ]
    every = pd.concat(found).drop_duplicates(["person", "other", "kind"])
    return every.sort_values(["person", "other", "kind"], ignore_index=True)


@once
def relatives(block: Known) -> pd.DataFrame:
    """Return every link both ways: person, relative, relation (what the relative is)."""
    links = kin(block)
    forth = links.rename(columns={"person": "relative", "other": "person", "kind": "relation"})
    back = links.rename(columns={"other": "relative", "kind": "relation"})
    back = back.assign(relation=back["relation"].map(TURNED))
    both = pd.concat([forth, back])[["person", "relative", "relation"]]
    return both.sort_values(["person", "relative", "relation"], ignore_index=True)


def _told(block: Known) -> pd.DataFrame:
    """Return what kinship is told from, by row of people; `born` in years."""
    people = block.people
    born = people["birth_date"].to_numpy().astype("datetime64[D]").astype(int) / YEAR
    return pd.DataFrame(
        {
            "row": np.arange(len(people)),
            "house": block.house,
            "relation": people["relation"].to_numpy(),
            "is_male": people["is_male"].to_numpy().astype(bool),
            "born": born,
            "surname": people["person_name"].str[0].to_numpy(),
            "village": block.village_of,
        }
    )


# -- within households -------------------------------------------------------------------------


def _links(people: pd.DataFrame, block: Known) -> pd.DataFrame:
    """Return spouses, parents and grandparents of one household, or those that are given."""
    if block.family is not None:
        return _given(people, block.family)
    head, spouse = _of(people, "head"), _of(people, "spouse")
    child, in_law = _of(people, "child"), _of(people, "other")
    parent, second = _of(people, "parent"), _of(people, "parent", 1)
    every_child = people[people["relation"] == "child"].set_index("house")["row"]
    grandchild = people[people["relation"] == "grandchild"].set_index("house")["row"]
    in_law = _married(people, child, in_law)
    # A grandchild is the eldest child's; without a child at home, its parents are away.
    away = grandchild[~grandchild.index.isin(child.index)]
    found = [
        _pairs(head, spouse, "spouse"),
        _pairs(child, in_law, "spouse"),
        _pairs(parent, _other_sex(people, parent, second), "spouse"),
        _pairs(head, every_child, "parent"),
        _pairs(spouse, every_child, "parent"),
        _pairs(parent, head, "parent"),
        _pairs(second, head, "parent"),
        _pairs(child, grandchild, "parent"),
        _pairs(in_law, grandchild, "parent"),
        _pairs(head, away, "grandparent"),
        _pairs(spouse, away, "grandparent"),
    ]
    return _plausible(pd.concat(found), people)


def _given(people: pd.DataFrame, family: pd.DataFrame) -> pd.DataFrame:
    """Return what the population says, whatever the ages; who is a grandchild is read off."""
    rows = people["row"].to_numpy()
    found = [
        pd.DataFrame({"person": family[who].to_numpy(), "other": rows, "kind": kind})
        for who, kind in (("father", "parent"), ("mother", "parent"), ("spouse", "spouse"))
    ]
    head, spouse = _of(people, "head"), _of(people, "spouse")
    known = np.maximum(family["father"], family["mother"]).to_numpy() >= 0
    away = people[(people["relation"] == "grandchild") & ~known].set_index("house")["row"]
    above = [_pairs(head, away, "grandparent"), _pairs(spouse, away, "grandparent")]
    every = pd.concat([*found, _plausible(pd.concat(above), people)])
    return _low_first(every[every["person"] >= 0])


def _of(people: pd.DataFrame, relation: str, nth: int = 0) -> pd.Series:
    """Return the row of the nth member of a relation, by household."""
    them = people[people["relation"] == relation]
    nth_of = them[them.groupby("house").cumcount() == nth]
    return nth_of.set_index("house")["row"]


def _married(people: pd.DataFrame, child: pd.Series, other: pd.Series) -> pd.Series:
    """Return who of the others is the eldest child's spouse: of the other sex and near in age."""
    both = pd.concat([child.rename("child"), other.rename("other")], axis=1, join="inner")
    born, is_male = people["born"].to_numpy(), people["is_male"].to_numpy()
    one, two = both["child"].to_numpy(), both["other"].to_numpy()
    grown = np.maximum(born[one], born[two]) < born.max() - 20
    fits = (is_male[one] != is_male[two]) & (np.abs(born[one] - born[two]) < 15) & grown
    return both["other"][fits & (two > one)]


def _other_sex(people: pd.DataFrame, one: pd.Series, other: pd.Series) -> pd.Series:
    is_male = people["is_male"].to_numpy()
    first = one.reindex(other.index).dropna().astype(int)
    other = other.reindex(first.index)
    return other[is_male[other.to_numpy()] != is_male[first.to_numpy()]]


def _pairs(one: pd.Series, other: pd.Series, kind: str) -> pd.DataFrame:
    """Return all pairs of a household; either may have several rows of one household."""
    one, other = one.rename("person").rename_axis("house"), other.rename("other")
    joined = one.to_frame().join(other.rename_axis("house"), how="inner")
    return joined.reset_index(drop=True).assign(kind=kind)


def _plausible(links: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Leave out those whose ages cannot be; of spouses the lower row comes first."""
    born, kind = people["born"].to_numpy(), links["kind"].to_numpy()
    one, other = links["person"].to_numpy(), links["other"].to_numpy()
    older = born[other] - born[one]
    fits = one != other
    for name, (least, most) in OLDER.items():
        fits &= (kind != name) | ((older >= least) & (older <= most))
    return _low_first(links[fits])


def _low_first(links: pd.DataFrame) -> pd.DataFrame:
    """Put the lower row of spouses first, and each link once."""
    one, other = links["person"].to_numpy(), links["other"].to_numpy()
    low, high = np.minimum(one, other), np.maximum(one, other)
    even = links["kind"] == "spouse"
    turned = links.assign(person=np.where(even, low, one), other=np.where(even, high, other))
    return turned.drop_duplicates()


def _directed(links: pd.DataFrame) -> pd.DataFrame:
    back = links.rename(columns={"person": "other", "other": "person"})
    return pd.concat([links, back]).drop_duplicates("person")


# -- across households -------------------------------------------------------------------------


def _sons(block: Known, people: pd.DataFrame, parents: pd.DataFrame) -> pd.DataFrame:
    """Return fathers of men who head a household of their own in the village."""
    told, rng = block.state["kin"], block.stream("kin", "sons")
    heads = (people["relation"] == "head") & people["is_male"]
    free = heads & _free(block, people, parents)
    seeks = free.to_numpy() & (rng.random(len(people)) < told["son_near"])
    group = (people["village"].astype(str) + people["surname"]).to_numpy()
    return _fathers(people, seeks, group, told["most_children"], rng)


def _daughters(block: Known, people: pd.DataFrame, parents: pd.DataFrame) -> pd.DataFrame:
    """Return fathers, anywhere in the block, of wives who bear another surname than the head."""
    told, rng = block.state["kin"], block.stream("kin", "daughters")
    family = people[people["relation"] == "head"].set_index("house")["surname"]
    other_name = people["surname"] != people["house"].map(family)
    wives = (people["relation"] == "spouse") & ~people["is_male"] & other_name
    free = wives & _free(block, people, parents)
    seeks = free.to_numpy() & (rng.random(len(people)) < told["daughter_near"])
    return _fathers(people, seeks, people["surname"].to_numpy(), told["most_children"], rng)


def _fathers(
    people: pd.DataFrame, seeks: np.ndarray, group: np.ndarray, most: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw for each seeker a man of the group who is as much older as a father, of another house.

    No man gets more than `most` children this way.
    """
    codes = pd.factorize(group)[0]
    born, house = people["born"].to_numpy(), people["house"].to_numpy()
    may = people["is_male"].to_numpy() & people["relation"].isin(["head", "parent"]).to_numpy()
    pool = np.flatnonzero(may)[np.argsort(codes[may], kind="stable")]
    begin = np.searchsorted(codes[pool], np.arange(codes.max() + 2))
    left = np.flatnonzero(seeks)
    n_children = np.zeros(len(people), dtype=int)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(ROUNDS):
        low, high = begin[codes[left]], begin[codes[left] + 1]
        left, low, high = left[high > low], low[high > low], high[high > low]
        if not len(left):
            break
        drawn = pool[low + (rng.random(len(left)) * (high - low)).astype(int)]
        older = born[left] - born[drawn]
        least, most_years = OLDER["parent"]
        fits = (older >= least) & (older <= most_years) & (house[left] != house[drawn])
        nth = pd.Series(drawn[fits]).groupby(drawn[fits]).cumcount().to_numpy()
        fits[fits] = nth + n_children[drawn[fits]] < most
        found.append((drawn[fits], left[fits]))
        n_children += np.bincount(drawn[fits], minlength=len(people))
        left = left[~fits]
    father = np.concatenate([np.zeros(0, dtype=int), *(pair[0] for pair in found)])
    child = np.concatenate([np.zeros(0, dtype=int), *(pair[1] for pair in found)])
    return pd.DataFrame({"person": father, "other": child, "kind": "parent"})


def _free(block: Known, people: pd.DataFrame, parents: pd.DataFrame) -> pd.Series:
    """Return whose parents are not known: neither linked, nor known and gone."""
    free = ~people["row"].isin(parents["other"])
    if block.family is None:
        return free
    return free & (block.family[["father", "mother"]].to_numpy() == -1).all(axis=1)


def _gone_parents(block: Known) -> pd.DataFrame:
    """Return parents who are known and gone, under numbers that no row has: person, other."""
    if block.family is None:
        return pd.DataFrame({"person": [], "other": []}, dtype=int)
    parents = block.who.everybody.loc[block.who.people["person"], ["father", "mother"]]
    child, which = np.nonzero(block.family[["father", "mother"]].to_numpy() == -2)
    return pd.DataFrame({"person": -1 - parents.to_numpy()[child, which], "other": child})


def _siblings(parents: pd.DataFrame) -> pd.DataFrame:
    """Return who shares a parent."""
    links = parents[["person", "other"]]
    both = links.merge(links, on="person", suffixes=("", "_two"))
    both = both[both["other"] < both["other_two"]]
    pairs = both[["other", "other_two"]].drop_duplicates()
    return pairs.set_axis(["person", "other"], axis=1).assign(kind="sibling")


def _brothers(block: Known, people: pd.DataFrame, parents: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of men next in age in a village, of one surname, whose parents are not known."""
    told, rng = block.state["kin"], block.stream("kin", "brothers")
    is_head = (people["relation"] == "head") & people["is_male"]
    free = people[is_head & _free(block, people, parents)]
    free = free[rng.random(len(free)) < told["brothers"]]
    free = free.sort_values(["village", "surname", "born", "row"])
    nth = free.groupby(["village", "surname"]).cumcount().to_numpy()
    one, two = free.iloc[:-1], free.iloc[1:]
    same = (one["village"].to_numpy() == two["village"].to_numpy()) & (
        one["surname"].to_numpy() == two["surname"].to_numpy()
    )
    near = two["born"].to_numpy() - one["born"].to_numpy() < told["brothers_years"]
    pick = same & near & (nth[:-1] % 2 == 0)
    rows = np.sort(np.column_stack([one["row"].to_numpy(), two["row"].to_numpy()])[pick], axis=1)
    return pd.DataFrame({"person": rows[:, 0], "other": rows[:, 1], "kind": "sibling"})
