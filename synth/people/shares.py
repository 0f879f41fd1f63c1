"""Attributes that come out as the census has them: schooling, marriage, industry, by share.

Tables by sex and year of age are fitted to a county's margins once (iterative proportional
fitting, Deming and Stephan 1940); `assign` then hands the categories out in any block, following
what lies behind them (background, wealth) by rank.
"""

from dataclasses import dataclass

import numpy as np

from lakehouse.conf import conf_dir, read_toml
from synth.figures import Figures
from synth.people.census import GROWN_FROM, Margins
from synth.people.compose import Composition

LEVELS = ("never", "preschool", "primary", "junior", "senior", "college", "bachelor")
MARITAL = ("never", "married", "divorced", "widowed")
# Where people work who do not farm, by how much schooling it asks for.
INDUSTRIES = ("building", "industry", "trade", "public")
# The census tells the schooling of people of this age and over.
SCHOOL_FROM = 6
MOST_ROUNDS, SMALL = 2000, 1e-9


def assign(
    latent: np.ndarray, cells: np.ndarray, shares: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return a category for each row: within each cell so many as `shares` says, by rank.

    The lowest of `latent` get the first category. shares: [cell, category], each row summing to
    one; `cells` are row numbers of it. A cell of n rows has n times the share of each category,
    rounded up or down at random, so that the sum over many blocks is right as well.
    """
    order = np.lexsort((latent, cells))
    n = np.bincount(cells, minlength=len(shares))
    rank = np.empty(len(cells))
    rank[order] = np.arange(len(cells)) - np.repeat(np.cumsum(n) - n, n)
    at = (rank + rng.random(len(n))[cells]) / n[cells]
    upto = np.cumsum(shares, axis=1)
    upto /= upto[:, -1:]
    return (at[:, None] >= upto[cells, :-1]).sum(axis=1)


def fitted(prior: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a table near the prior with these sums of rows and columns, and what columns miss.

    Columns are scaled to the sum of the rows. Noughts of the prior stay; where they keep the
    columns from being met, rows are right and the largest miss, as a share of all, is returned.
    """
    wanted = columns * rows.sum() / columns.sum()
    table = prior * (rows / np.maximum(prior.sum(axis=1), SMALL))[:, None]
    for _ in range(MOST_ROUNDS):
        table = table * (wanted / np.maximum(table.sum(axis=0), SMALL))
        table *= (rows / np.maximum(table.sum(axis=1), SMALL))[:, None]
        miss = float(np.abs(table.sum(axis=0) - wanted).max()) / max(float(rows.sum()), SMALL)
        if miss < SMALL:
            break
    return table, miss


@dataclass(frozen=True)
class Schooling:
    """shares: [male or female, completed years of age, level of LEVELS], summing to one.

    illiterate: of the people of each such cell, how many cannot read; nought below 15. miss:
    the largest miss of a level, as a share of people of 6 and over.
    """

    shares: np.ndarray
    illiterate: np.ndarray
    miss: float


def schooling(margins: Margins, ages: np.ndarray, year: int, cohorts: list[Figures]) -> Schooling:
    """Return who has which schooling. `ages`: people by sex and age (`Composition.ages`).

    The prior is that of the birth cohorts (conf/synth.toml [people.schooling]) in a year, and of
    children by age; without a census it stays as it is.
    """
    prior = _by_cohort(np.arange(ages.shape[1]), year, cohorts)
    shares = np.stack([prior, prior])
    miss = 0.0
    if "schooling" in margins:
        of_sex = margins["schooling"].shares.reshape(2, -1)
        for sex in range(2):
            told = ages[sex, SCHOOL_FROM:].astype(float)
            table, off = fitted(prior[SCHOOL_FROM:], told, of_sex[sex])
            # An age without people keeps the prior.
            has = told > 0
            shares[sex, SCHOOL_FROM:][has] = table[has] / told[has][:, None]
            miss = max(miss, off)
    return Schooling(shares, _illiterate(margins, ages, shares), miss)


def _by_cohort(age: np.ndarray, year: int, cohorts: list[Figures]) -> np.ndarray:
    """Return shares of levels by year of age before any fit."""
    own = read_toml(conf_dir() / "synth_people.toml")["schooling"]
    first = [cohort["from"] for cohort in cohorts]
    five = np.array([cohort["shares"] for cohort in cohorts], dtype=float)
    five = five[np.clip(np.digitize(year - age, first) - 1, 0, None)]
    bachelors = {int(born): share for born, share in own["bachelors"].items()}
    degree = _steps(year - age, bachelors)
    high = five[:, 4:] * np.stack([1 - degree, degree], axis=1)
    none = np.zeros((len(age), 1))
    grown = np.concatenate([five[:, :1], none, five[:, 1:4], high], axis=1)
    children = dict(own["children"])
    until = children.pop("grown")
    young = _steps(age, {int(least): row for least, row in children.items()})
    young = np.concatenate([young, np.zeros((len(age), 2))], axis=1)
    shares = np.where((age < until)[:, None], young, grown)
    return shares / shares.sum(axis=1, keepdims=True)


def _steps(at: np.ndarray, steps: dict[int, object]) -> np.ndarray:
    """Return for each number what the last step at or below it says (the first if none is)."""
    first = sorted(steps)
    values = np.array([steps[least] for least in first], dtype=float)
    return values[np.maximum(np.searchsorted(first, at, side="right") - 1, 0)]


def _illiterate(margins: Margins, ages: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return how many of each sex, age and level cannot read: those who never went to school.

    Where the census has more, some of primary school are among them; where it has fewer, some
    who never went can read.
    """
    found = np.zeros_like(shares)
    never, primary = LEVELS.index("never"), LEVELS.index("primary")
    found[:, GROWN_FROM:, never] = 1.0
    if "illiterate" not in margins:
        return found
    people = ages[:, GROWN_FROM:, None] * shares[:, GROWN_FROM:]
    told = margins["illiterate"].by_sex()[:, 0]
    for sex in range(2):
        wanted = told[sex] * ages[sex, GROWN_FROM:].sum()
        of_never, of_primary = people[sex, :, never].sum(), people[sex, :, primary].sum()
        found[sex, GROWN_FROM:, never] = min(1.0, wanted / max(of_never, SMALL))
        more = max(0.0, wanted - of_never) / max(of_primary, SMALL)
        found[sex, GROWN_FROM:, primary] = min(1.0, more)
    return found


@dataclass(frozen=True)
class Marriage:
    """shares: [male or female, completed years of age, status of MARITAL] of people who do not
    live with a husband or wife; those who do are married. miss: the largest miss of a status.
    """

    shares: np.ndarray
    miss: float


def marriage(margins: Margins, ages: np.ndarray, couples: np.ndarray) -> Marriage:
    """Return the marital status of people alone. `couples`: people by sex and age in couples.

    Of people of 15 and over; younger ones have never married.
    """
    own = read_toml(conf_dir() / "synth_people.toml")["marriage"]
    age = np.arange(ages.shape[1])
    prior = _steps(age, {int(least): row for least, row in own["alone"].items()})
    prior[age < own["from"]] = [1.0, 0.0, 0.0, 0.0]
    shares, miss = np.stack([prior, prior]), 0.0
    if "marital" in margins:
        for sex, told in enumerate(margins["marital"].by_sex()):
            grown = ages[sex, GROWN_FROM:].sum()
            alone = (ages - couples)[sex, GROWN_FROM:].astype(float)
            wanted = told * grown
            wanted[1] = max(wanted[1] - couples[sex, GROWN_FROM:].sum(), 0.0)
            table, off = fitted(prior[GROWN_FROM:], alone, wanted)
            has = alone > 0
            shares[sex, GROWN_FROM:][has] = table[has] / alone[has][:, None]
            miss = max(miss, off * alone.sum() / max(grown, 1))
    return Marriage(shares, miss)


@dataclass(frozen=True)
class Shares:
    """What people of a county are handed: industry are the shares of INDUSTRIES."""

    schooling: Schooling
    marriage: Marriage
    industry: np.ndarray


def shares_of(margins: Margins, made: Composition, year: int, cohorts: list[Figures]) -> Shares:
    """Return the shares of a county whose households are made, in a year."""
    ages = made.ages()
    return Shares(
        schooling(margins, ages, year, cohorts),
        marriage(margins, ages, made.ages_in_couples()),
        _industry(margins),
    )


def _industry(margins: Margins) -> np.ndarray:
    """Return the shares of INDUSTRIES among those who do not farm; cited ones without a census."""
    if "industry" in margins and set(INDUSTRIES) <= set(margins["industry"].labels):
        shares = np.array([margins["industry"][one] for one in INDUSTRIES])
        return shares / shares.sum()
    cited = read_toml(conf_dir() / "synth_people.toml")["industry"]["not_farming"]["value"]
    return np.array([cited[one] for one in INDUSTRIES])
