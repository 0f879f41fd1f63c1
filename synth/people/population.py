"""People: who they are on the register, what they learnt, what they do and how well they are."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr

from synth.figures import Figures, stream
from synth.people.households import households
from synth.people.identity import (
    MANCHU_SURNAMES,
    SURNAMES,
    given_names,
    id_numbers,
    village_surnames,
)
from synth.places.places import Places

SCHOOLED = np.array(["illiterate", "primary", "junior", "senior", "college"])


@dataclass(frozen=True)
class Population:
    """Households and their members, the head first; `household` and `village` are row numbers.

    homes: household, village, household_id (book number), background (what its people share
    that no register holds; mean 0, deviation 1). people: the columns of person_register that
    come from life, and household, is_male, age, years (of schooling), health, is_able, school,
    is_dropped_out.
    """

    homes: pd.DataFrame
    people: pd.DataFrame


def population(places: Places, people: int, as_of: date, seed: int, given: Figures) -> Population:
    """Return everybody on the register of the county."""
    homes, members = households(places.villages, people, as_of, seed, given)
    rng = stream(seed, "people")
    homes["background"] = rng.normal(size=len(homes))
    homes["household_id"] = _book_numbers(homes["village"], places.villages)
    of_home = homes.loc[members["household"]].reset_index(drop=True)
    village = places.villages.loc[of_home["village"]].reset_index(drop=True)
    shared = of_home["background"].to_numpy()
    members["village"] = of_home["village"]
    members["ethnicity"] = _ethnicity(members, homes, places, rng, given["people"])
    members["person_name"] = _names(members, homes, len(places.villages), rng)
    members["person_id"] = id_numbers(
        _prefixes(members, places.area, as_of, rng, given),
        members["birth_date"].to_numpy().astype("datetime64[D]"),
        members["is_male"].to_numpy(),
    )
    _school(members, shared, as_of, rng, given["people"]["schooling"])
    _health(members, shared, rng, given["people"]["health"])
    _work(members, shared, village, rng, given["people"]["work"])
    is_urban = ~village["is_rural"] | (members["work"] == "public")
    members["hukou"] = np.where(is_urban, "urban", "rural")
    return Population(homes, members)


def _book_numbers(village: pd.Series, villages: pd.DataFrame) -> pd.Series:
    """Return book numbers: three digits of the town, six in order."""
    town = village.map(villages["town_code"]).str[6:9]
    return town + (village.index.to_series() + 1).astype(str).str.zfill(6)


def _ethnicity(
    members: pd.DataFrame, homes: pd.DataFrame, places: Places, rng: np.random.Generator,
    given: Figures,
) -> np.ndarray:  # fmt: skip
    """Return ethnic groups: villages differ, members of a household mostly do not."""
    tilt = rng.normal(0, given["minority_spread"], len(places.villages))
    share = expit(logit(given["minority_share"]) + tilt)
    weights = np.bincount(homes["village"], minlength=len(share))
    for _ in range(20):  # Villages are unlike in size: bring the mean back to the figure.
        miss = logit(given["minority_share"]) - logit(np.average(share, weights=weights))
        share = expit(logit(share) + miss)
    home = rng.random(len(homes)) < share[homes["village"]]
    is_minority = home[members["household"]]
    drawn = rng.random(len(members)) < share[members["village"]]
    is_minority = np.where(rng.random(len(members)) < 0.12, drawn, is_minority)
    manchu = rng.random(len(homes)) < given["manchu_of_minority"]
    return np.where(~is_minority, "han", np.where(manchu[members["household"]], "manchu", "other"))


def _names(
    members: pd.DataFrame, homes: pd.DataFrame, n_villages: int, rng: np.random.Generator
) -> np.ndarray:
    """Return names: children bear the head's surname, those who married in their own."""
    often = village_surnames(n_villages, rng)
    everywhere = np.concatenate([SURNAMES, MANCHU_SURNAMES])
    n = len(homes)
    own = often[homes["village"], rng.integers(often.shape[1], size=n)]
    family = np.where(rng.random(n) < 0.6, own, rng.choice(everywhere, n))
    married_in = members["relation"].isin(["spouse", "other"]).to_numpy()
    mother = (members["relation"] == "parent").to_numpy() & ~members["is_male"].to_numpy()
    surname = np.where(
        married_in | mother, rng.choice(everywhere, len(members)), family[members["household"]]
    )
    return np.char.add(surname, given_names(members["is_male"].to_numpy(), rng)).astype(object)


def _prefixes(
    members: pd.DataFrame, area: str, as_of: date, rng: np.random.Generator, given: Figures
) -> np.ndarray:
    """Return the area prefix of each ID number: mostly the county's own, as it is or was."""
    figures, own = given["people"]["id_prefixes"], given["area"]
    u = rng.random(len(members))
    others = np.array(own.get("other_prefixes", [area]))
    before = as_of.year - members["age"].to_numpy() < figures["old"]["born_before"]
    old, other = figures["old"]["share"], figures["other"]["share"]
    prefix = np.where(u > 1 - other, rng.choice(others, len(members)), area)
    return np.where((u < old) & before, own.get("old_code", area), prefix)


def _school(
    members: pd.DataFrame, shared: np.ndarray, as_of: date, rng: np.random.Generator,
    given: Figures,
) -> None:  # fmt: skip
    """Add education, years, school and is_dropped_out; better backgrounds stay on longer."""
    age = members["age"].to_numpy()
    gift = (0.55 * shared + rng.normal(0, 0.84, len(age))) - 0.25 * (~members["is_male"])
    rank = ndtr(gift.to_numpy())
    cohorts = given["cohorts"]
    cohort = np.digitize(as_of.year - age, [each["from"] for each in cohorts]) - 1
    ladder = np.cumsum([each["shares"] for each in cohorts], axis=1)[np.maximum(cohort, 0)]
    reached = np.minimum((rank[:, None] > ladder).sum(axis=1), 4)
    education = SCHOOLED[reached]
    dropped = (
        (age >= 6) & (age <= 15) & (rng.random(len(age)) < given["drop_out"] * np.exp(-shared))
    )
    stages = [
        (age < 3, "not_in_school"),
        (age < 6, np.where(rng.random(len(age)) < 0.7, "kindergarten", "not_in_school")),
        (age < 12, "primary"),
        (age < 16, "junior"),
        (age < 19, np.where(rank > 0.52, "senior", np.where(rank > 0.28, "vocational", ""))),
        (age < 23, np.where(rank > 0.70, "college", "")),
    ]
    school = np.select([when for when, _ in stages], [at for _, at in stages], "")
    school = np.where((school == "") | dropped, "not_in_school", school)
    members["school"] = school
    members["is_dropped_out"] = dropped
    at_school = {"primary": "primary", "junior": "junior", "college": "college"}
    at_school |= {"senior": "senior", "vocational": "senior"}
    attending = pd.Series(school).map(at_school)
    young = np.where(age < 6, "preschool", np.where(age < 12, "primary", "junior"))
    grown = np.where(age < 16, young, np.where(age < 19, "junior", education))
    members["education"] = attending.fillna(pd.Series(grown)).to_numpy()
    members["years"] = members["education"].map(given["years"])


def _health(
    members: pd.DataFrame, shared: np.ndarray, rng: np.random.Generator, given: Figures
) -> None:
    """Add health, the worst first, and is_able: at an age to work and not kept from it."""
    age = members["age"].to_numpy()
    health = np.full(len(age), "healthy", dtype=object)
    lost = np.zeros(len(age), dtype=bool)
    for state in ("chronic", "disabled", "serious"):
        odds = logit(given[state]["at_40"]) + np.log(2) / given[state]["doubles_years"] * (age - 40)
        struck = rng.random(len(age)) < expit(odds - 0.35 * shared)
        health[struck] = state
        lost[struck] = (rng.random(len(age)) < given["loses_labour"][state])[struck]
    members["health"] = health
    old = rng.random(len(age)) < np.clip((age - 62) / 18, 0, 1)
    members["is_able"] = (age >= 16) & ~lost & ~old


def _work(
    members: pd.DataFrame, shared: np.ndarray, village: pd.DataFrame, rng: np.random.Generator,
    given: Figures,
) -> None:  # fmt: skip
    """Add work: schooling leads to public and local jobs, youth and poor places to leaving."""
    age, u = members["age"].to_numpy(), rng.random(len(members))
    rural = village["is_rural"].to_numpy()
    years = members["years"].to_numpy()
    place = (village["town_effect"] + village["village_effect"]).to_numpy()
    working_age = age < 62
    public = np.where(rural, given["public"], given["urban_public"])
    public = np.clip(public * np.exp(0.42 * (years - 9)), 0, 0.6) * (working_age & (age > 20))
    local = np.where(rural, given["local_job"], given["urban_local_job"])
    local = np.clip(local * np.exp(0.10 * (years - 8) + 0.3 * shared + 0.5 * place), 0, 0.7)
    leaves = np.clip(1.9 - np.abs(age - 29) / 13, 0, 1.9) * np.where(members["is_male"], 1.15, 0.85)
    leaves *= np.where(members["relation"] == "head", 0.7, 1.0) * np.where(rural, 1, 0.3)
    leaves = given["migrant"] * leaves * np.exp(0.25 * shared)
    ladder = np.cumsum([public, local * working_age, leaves * working_age], axis=0)
    work = np.select(
        [*(u < ladder), rural], ["public", "local_job", "migrant", "farming"], "none"
    )  # fmt: skip
    at_school = ~members["school"].isin(["not_in_school", "kindergarten"]).to_numpy()
    work = np.where(members["is_able"], work, "none")
    members["work"] = np.where(at_school, "student", work)
    members["is_able"] = members["is_able"] & ~at_school
