"""People: who they are on the register, what they learnt, what they do and how well they are."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures, stream
from synth.people.doings import (
    add_health,
    add_industry,
    add_marital,
    add_reading,
    add_schooling,
    add_work,
)
from synth.people.id_areas import neighbours, prefix_of
from synth.people.identity import (
    MANCHU_SURNAMES,
    SURNAMES,
    given_names,
    id_numbers,
    village_surnames,
)
from synth.people.membership import Books, live, opened
from synth.people.shares import Shares, assign
from synth.places.places import Places
from synth.plan import Block

RANK = {"head": 0, "spouse": 1, "child": 2, "parent": 3, "grandchild": 4, "other": 5}


@dataclass(frozen=True)
class Population:
    """The households of one town and their people, as on the last day; and how it came to that.

    homes: household (row), book, village (row of `places.villages`), household_id (book number),
    background (what its people share that no register holds; mean 0, deviation 1). people:
    household, relation, is_male, age and the columns of person_register that come from life;
    years (of schooling), is_illiterate, marital, industry, health, is_able, school, is_dropped_out;
    person. The head comes first.

    books: every household that ever was. everybody: every person, with born, died, home (the
    last book), father, mother, spouse (rows, -1 unknown), came. edges: person, household (book),
    relation, since, until, reason. `book` and `person` are rows of these.
    """

    homes: pd.DataFrame
    people: pd.DataFrame
    books: pd.DataFrame
    everybody: pd.DataFrame
    edges: pd.DataFrame

    def at(self, day: date) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return homes and people of another day; what people learnt and do is of the last."""
        on = np.datetime64(day, "D")
        since, until = self.edges["since"].to_numpy(), self.edges["until"].to_numpy()
        there = self.edges[(since <= on) & (np.isnat(until) | (until > on))]
        return _view(there, self.books, self.everybody, on)


def population(
    homes: pd.DataFrame, members: pd.DataFrame, block: Block, places: Places, months: list[date],
    seed: int, shares: Shares, given: Figures,
) -> Population:  # fmt: skip
    """Return everybody of a town from its households on the eve of the first of some months.

    `homes` and `members` are those of `synth.people.households`.
    """
    first = months[0].replace(day=1)
    books = opened(members, homes["village"].to_numpy(), members["birth_date"].to_numpy(), first)
    live(books, months, stream(seed, "time", block.name), given["people"]["events"])
    all_books = _books(homes, books, block, seed)
    everybody = _everybody(books, members, np.datetime64(months[-1], "D"))
    rng = stream(seed, "people", block.name)
    of = all_books.loc[everybody["home"]].reset_index(drop=True)
    village = places.villages.loc[of["village"]].reset_index(drop=True)
    shared = of["background"].to_numpy()
    everybody["village"] = of["village"]
    everybody["ethnicity"] = _ethnicity(everybody, all_books, village, rng, given["people"])
    everybody["person_name"] = _names(everybody, all_books, rng)
    prefix, is_other = _prefixes(everybody, block.county, rng, given)
    everybody["person_id"], everybody["born"] = id_numbers(
        prefix, everybody["born"].to_numpy(), everybody["is_male"].to_numpy(), is_other, block
    )
    everybody["birth_date"] = everybody["born"]
    add_schooling(everybody, shared, shares.schooling, rng, given["people"]["schooling"])
    add_health(everybody, shared, rng, given["people"]["health"])
    add_work(everybody, shared, village, rng, given["people"]["work"])
    # Streams of their own: what is added later changes nothing above.
    rng = stream(seed, "doings", block.name)
    add_reading(everybody, shares.schooling, rng)
    add_marital(everybody, members["in_couple"].to_numpy(), books.marital, shares.marriage, rng)
    add_industry(everybody, shares.industry, rng)
    is_urban = ~village["is_rural"] | (everybody["work"] == "public")
    everybody["hukou"] = np.where(is_urban, "urban", "rural")
    edges = books.edges()
    there = edges[edges["until"].isna()]
    homes_now, people_now = _view(there, all_books, everybody, np.datetime64(months[-1], "D"))
    return Population(homes_now, people_now, all_books, everybody, edges)


def _view(
    there: pd.DataFrame, books: pd.DataFrame, everybody: pd.DataFrame, day: np.datetime64
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the households with somebody in them, and those people, the head first."""
    chosen, house = np.unique(there["household"].to_numpy(), return_inverse=True)
    homes = books.loc[chosen].reset_index(names="book")
    homes.insert(0, "household", np.arange(len(homes)))
    rank = there["relation"].map(RANK).to_numpy()
    order = np.lexsort((there["person"].to_numpy(), rank, house))
    person = there["person"].to_numpy()[order]
    people = everybody.loc[person].reset_index(names="person")
    people["household"], people["relation"] = house[order], there["relation"].to_numpy()[order]
    people["village"] = homes["village"].to_numpy()[people["household"]]
    days = (day - people["born"].to_numpy().astype("datetime64[D]")).astype(int)
    people["age"] = np.floor(days / 365.2425).astype(int)
    return homes, people


def _books(homes: pd.DataFrame, books: Books, block: Block, seed: int) -> pd.DataFrame:
    """Return every household book: village, household_id, background. New ones are much alike."""
    rng = stream(seed, "books", block.name)
    n = len(books.village)
    number = pd.Series(np.arange(n) + block.first_of_town + 1).astype(str).str.zfill(6)
    return pd.DataFrame(
        {
            "village": np.array(books.village, dtype=int),
            "household_id": block.town[:9] + number,
            "is_collective": np.append(homes["is_collective"], np.zeros(n - len(homes), bool)),
            "background": rng.normal(size=n),
        }
    )


def _everybody(books: Books, members: pd.DataFrame, last: np.datetime64) -> pd.DataFrame:
    """Return every person: who they are, and the book they are or were last in."""
    edges = books.edges()
    final = edges[~edges["person"].duplicated(keep="last")].set_index("person").sort_index()
    n = len(books.house)
    home = final["household"].reindex(range(n)).fillna(0).astype(int).to_numpy()
    is_here = books.house >= 0
    is_lived_in = np.bincount(home, is_here, len(books.village)) > 0
    day = np.where(is_here, last, final["until"].reindex(range(n)).to_numpy().astype("M8[D]"))
    return pd.DataFrame(
        {
            "is_male": books.kin.is_male,
            "born": books.born,
            "died": books.died,
            "age": np.floor((day - books.born).astype(int) / 365.2425).astype(int),
            "home": home,
            "relation": final["relation"].reindex(range(n)).fillna("other").to_numpy(),
            "first_relation": [*members["relation"], *books.came[len(members) :]],
            "counts": is_here | ~is_lived_in[home],
            "father": books.kin.father,
            "mother": books.kin.mother,
            "spouse": books.kin.spouse,
        }
    )


def _ethnicity(
    everybody: pd.DataFrame, books: pd.DataFrame, village: pd.DataFrame,
    rng: np.random.Generator, given: Figures,
) -> np.ndarray:  # fmt: skip
    """Return ethnic groups: villages differ, members of a household mostly do not."""
    share = village["minority_share"].to_numpy()
    home = everybody["home"].to_numpy()
    _, first, of = np.unique(everybody["village"], return_index=True, return_inverse=True)
    shares = np.stack([share[first], 1 - share[first]], axis=1)
    # By rank of what the household is, a few members being of another group.
    latent = rng.random(len(books))[home]
    mixed = rng.random(len(everybody)) < given["mixed"]
    latent = np.where(mixed, rng.random(len(everybody)), latent)
    is_minority = assign(latent, of, shares, rng) == 0
    manchu = rng.random(len(books)) < given["manchu_of_minority"]
    return np.where(~is_minority, "han", np.where(manchu[home], "manchu", "other"))


def _names(everybody: pd.DataFrame, books: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Return names: children bear the father's surname, those who married in their own."""
    villages, of = np.unique(books["village"], return_inverse=True)
    often = village_surnames(len(villages), rng)
    everywhere = np.concatenate([SURNAMES, MANCHU_SURNAMES])
    n = len(books)
    own = often[of, rng.integers(often.shape[1], size=n)]
    family = np.where(rng.random(n) < 0.6, own, rng.choice(everywhere, n))
    first = everybody["first_relation"]
    married_in = first.isin(["spouse", "other", "marriage"]).to_numpy()
    mother = (first == "parent").to_numpy() & ~everybody["is_male"].to_numpy()
    home = everybody["home"].to_numpy()
    drawn = rng.choice(everywhere, len(everybody))
    surname = np.where(married_in | mother, drawn, family[home])
    # Fathers come before their children; who left the household kept the name.
    father = everybody["father"].to_numpy()
    for _ in range(3):
        surname = np.where(father >= 0, surname[father], surname)
    return np.char.add(surname, given_names(everybody["is_male"].to_numpy(), rng)).astype(object)


def _prefixes(
    everybody: pd.DataFrame, area: str, rng: np.random.Generator, given: Figures
) -> tuple[np.ndarray, np.ndarray]:
    """Return the area prefix of each ID number, and whether it is of another county.

    It is that of the place of birth in the year of birth, which no table of today may have.
    """
    figures, own = given["people"]["id_prefixes"], given["area"]
    year = everybody["born"].to_numpy().astype("datetime64[Y]").astype(int) + 1970
    others = np.array(own.get("other_prefixes", neighbours(area)))
    share = np.where(everybody["first_relation"] == "marriage", 0.5, figures["other"]["share"])
    is_other = rng.random(len(everybody)) < share
    county = np.where(is_other, rng.choice(others, len(everybody)), area)
    return prefix_of(county, year), is_other
