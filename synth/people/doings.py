"""What people learnt, whether they are married, how well they are, and what they do."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr

from synth.figures import Figures
from synth.people.census import GROWN_FROM
from synth.people.shares import INDUSTRIES, LEVELS, MARITAL, Marriage, Schooling, assign

# Our levels of schooling, for those of the census.
EDUCATION = np.array(
    ["illiterate", "preschool", "primary", "junior", "senior", "college", "college"]
)
AT_WORK = ("farming", "local_job", "migrant", "public")


def _cells(everybody: pd.DataFrame, shares: np.ndarray) -> np.ndarray:
    """Return each one's row of shares by sex and year of age: [sex, age, …] flattened."""
    oldest = shares.shape[1]
    age = np.clip(everybody["age"].to_numpy(), 0, oldest - 1)
    return np.where(everybody["is_male"].to_numpy(), 0, oldest) + age


def add_schooling(
    everybody: pd.DataFrame, shared: np.ndarray, schooled: Schooling, rng: np.random.Generator,
    given: Figures,
) -> None:  # fmt: skip
    """Add education, years, school and is_dropped_out; better backgrounds stay on longer.

    Levels come out as the county's census has them by sex and age.
    """
    age = everybody["age"].to_numpy()
    cells = _cells(everybody, schooled.shares)
    gift = 0.55 * shared + rng.normal(0, 0.84, len(age))
    level = assign(gift, cells, schooled.shares.reshape(-1, len(LEVELS)), rng)
    education = EDUCATION[level]
    dropped = (age >= 6) & (age <= 15)
    dropped &= rng.random(len(age)) < given["drop_out"] * np.exp(-shared)
    # Who of those of an age is at a school: those who have its level already, or begin it.
    u = ndtr(gift)
    at = np.select(
        [
            age < 3, age < 6, (age < 13) & (education != "junior"), age < 16,
            (age < 19) & (education == "senior"), (age < 23) & (education == "college"),
        ],
        [
            "not_in_school", np.where(u > 0.3, "kindergarten", "not_in_school"), "primary",
            "junior", np.where(u > 0.5, "senior", "vocational"), "college",
        ],
        "not_in_school",
    )  # fmt: skip
    everybody["school"] = np.where(dropped, "not_in_school", at)
    everybody["is_dropped_out"] = dropped
    everybody["education"] = education
    everybody["years"] = everybody["education"].map(given["years"])


def add_reading(everybody: pd.DataFrame, schooled: Schooling, rng: np.random.Generator) -> None:
    """Add is_illiterate, of people of 15 and over: who never went to school, or hardly."""
    age = everybody["age"].to_numpy()
    level = everybody["education"].map({"illiterate": 0, "primary": LEVELS.index("primary")})
    by_cell = schooled.illiterate.reshape(-1, len(LEVELS))
    chance = by_cell[
        _cells(everybody, schooled.illiterate), level.fillna(len(LEVELS) - 1).astype(int)
    ]
    everybody["is_illiterate"] = (age >= GROWN_FROM) & (rng.random(len(age)) < chance)


def add_health(
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


def add_work(
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
    work = np.where(at_school, "student", work)
    if "farming_of" in given:
        # Where the census tells: so many of those who farm or have a local job farm, the less
        # schooled first.
        either = np.flatnonzero(np.isin(work, ("farming", "local_job")))
        shares = np.array([given["farming_of"], 1 - np.array(given["farming_of"])]).T
        latent = (0.1 * years + 0.3 * shared + 0.5 * place + rng.normal(0, 0.5, len(age)))[either]
        found = assign(latent, (~rural[either]).astype(int), shares, rng)
        work[either] = np.array(["farming", "local_job"])[found]
    members["work"] = work
    members["is_able"] = members["is_able"] & ~at_school


def add_marital(
    everybody: pd.DataFrame, in_couple: np.ndarray, known: dict[int, str], married: Marriage,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Add marital status: of couples and of those whose partner died, as it is; else by share.

    `in_couple` are the people of the first day, `known` the status of some rows.
    """
    n, cells = len(everybody), _cells(everybody, married.shares)
    drawn = assign(rng.random(n), cells, married.shares.reshape(-1, len(MARITAL)), rng)
    status = np.array(MARITAL, dtype=object)[drawn]
    status[: len(in_couple)][in_couple] = "married"
    status[everybody["spouse"].to_numpy() >= 0] = "married"
    status[list(known)] = list(known.values())
    everybody["marital"] = status


def add_industry(everybody: pd.DataFrame, shares: np.ndarray, rng: np.random.Generator) -> None:
    """Add industry: farming of those who farm; of the others who work so many as `shares` says.

    Public services have first those in public work, then the best schooled.
    """
    work = everybody["work"].to_numpy()
    industry = np.full(len(work), None, dtype=object)
    industry[work == "farming"] = "farming"
    other = np.flatnonzero(np.isin(work, [one for one in AT_WORK if one != "farming"]))
    latent = 10.0 * (work[other] == "public") + 0.3 * everybody["years"].to_numpy()[other]
    latent += rng.normal(size=len(other))
    found = assign(latent, np.zeros(len(other), dtype=int), shares[None, :], rng)
    industry[other] = np.array(INDUSTRIES, dtype=object)[found]
    everybody["industry"] = industry
