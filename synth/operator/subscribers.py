"""Subscribers: who has a number, on whose paper, with whom, since when, and who is away."""

import hmac

import numpy as np
import pandas as pd

from lakehouse.errors import UsageError
from synth.figures import Figures, stream
from synth.lives.lives import Lives
from synth.operator.behaviour import behaviour
from synth.operator.handsets import handsets
from synth.operator.numbers import as_text, digits
from synth.people.population import Population
from synth.plan import Block, Told

NOBODY = -1
# Counts kept for each block beyond those by its people.
SPARE = 8
DAY = np.timedelta64(1, "D")


def first_count(block: Block) -> int:
    """Return the count of the first number of a block.

    Before it lie the counts that the blocks before it have room for, one a person and a quarter
    more. So blocks have numbers of their own without asking each other.
    """
    return _room(block.first_person) + SPARE * block.number


def _room(people: int) -> int:
    return people + people // 4


def subscribers(
    who: Population, life: Lives, told: Told, block: Block, given: Figures
) -> pd.DataFrame:
    """Return the numbers of one block, by household, one row each.

    phone, count (the number before it was keyed); person (on whose paper), user, shared_with
    (rows of `Population.people`, -1 for nobody), household, village, age, wealth; carrier (row of
    the user's first number); activated_on, suspended_from, suspended_to, closed_on;
    identity_token, has_consent; tac, is_smartphone; away (months of the period at work elsewhere,
    bool [month]), is_away (in the last), works (commutes); and what behaviour.py adds.

    `wealth` is consumption per head on a standard scale that holds for the whole province: its
    logarithm over the line, as [phones.wealth] has it.
    """
    seed, figures, people = told.seed, given["phones"], who.people
    rng = stream(seed, "subscribers", block.name)
    scale = figures["wealth"]
    log = np.log(life.homes["consumption_cny"].to_numpy() / life.line_cny)
    wealth = ((log - scale["over_line"]) / scale["spread"])[people["household"]]
    owns = rng.random(len(people)) < _share(people["age"].to_numpy(), wealth, figures)
    user = np.flatnonzero(owns)
    follows = figures["follows_wealth"]["second_number"]
    twice = rng.random(len(user)) < figures["second_number"] * np.exp(follows * wealth[user])
    once = np.repeat(np.arange(len(user)), 1 + twice)
    user = user[once]
    if len(user) > _room(block.people) + SPARE:
        raise UsageError(f"{len(user):,} numbers of {block.people:,} people: more than room for.")
    frame = people.loc[user, ["household", "village", "age"]].reset_index(drop=True)
    frame.insert(0, "count", first_count(block) + np.arange(len(user)))
    frame.insert(0, "phone", as_text(digits(frame["count"].to_numpy(), figures["prefix"], seed)))
    frame["person"] = _on_paper(people, user, rng, figures["on_another_paper"])
    frame["user"] = user
    frame["carrier"] = np.searchsorted(once, once)
    frame["shared_with"] = _sharers(people, owns, frame, rng, figures["shares"])
    frame["wealth"] = wealth[user]
    frame["identity_token"] = identity_tokens(people["person_id"].to_numpy()[frame["person"]], seed)
    consents = rng.random(len(people)) < figures["consent"]
    frame["has_consent"] = consents[frame["person"]]
    _service(frame, told, rng, figures)
    work = people["work"].to_numpy()
    away = months_away(work == "migrant", told, rng, figures["away"])[user]
    frame["away"], frame["is_away"] = list(away), away[:, -1]
    frame["works"] = _works(work, people["age"].to_numpy(), rng, figures["commute"])[user]
    handset = handsets(frame["age"].to_numpy(), frame["wealth"].to_numpy(), rng, seed, figures)
    frame["tac"], frame["is_smartphone"] = handset
    return behaviour(frame, rng, figures)


def identity_tokens(person_id: np.ndarray, seed: int) -> np.ndarray:
    """Return the operator's token of each ID number: HMAC-SHA-256 by its key, 32 hex digits.

    Who holds the key can tell from an ID number which numbers are on that person's paper.
    """
    key = operator_key(seed)
    return np.array(
        [hmac.digest(key, number.encode(), "sha256").hex()[:32] for number in person_id],
        dtype=object,
    )


def operator_key(seed: int) -> bytes:
    """Return the operator's key of a run."""
    return stream(seed, "operator key").bytes(32)


def months_away(
    is_migrant: np.ndarray, told: Told, rng: np.random.Generator, given: Figures
) -> np.ndarray:
    """Return who works elsewhere in which month of the period: bool [person, month].

    Some go for the season only. The New Year at home is a matter of days: see whereabouts.py.
    """
    number = (told.first.month - 1 + np.arange(told.months)) % 12 + 1
    in_season = np.isin(number, given["season"])
    is_seasonal = rng.random(len(is_migrant)) < given["seasonal"]
    return is_migrant[:, None] & (in_season[None, :] | ~is_seasonal[:, None])


def _share(age: np.ndarray, wealth: np.ndarray, told: Figures) -> np.ndarray:
    """Return how likely people are to have a number: by age, the better off more often."""
    by_age = told["by_age"]
    ages = np.array(sorted(int(age) for age in by_age))
    shares = np.array([0.0, *(by_age[str(age)] for age in ages)])
    return (shares[np.digitize(age, ages)] * (1 + told["follows_wealth"]["number"] * wealth)).clip(
        0, 0.97
    )


def _on_paper(
    people: pd.DataFrame, user: np.ndarray, rng: np.random.Generator, told: Figures
) -> np.ndarray:
    """Return on whose paper numbers are: those of children and many old people on that of the
    first grown-up of the household."""
    age, home = people["age"].to_numpy(), people["household"].to_numpy()
    grown = np.flatnonzero((age >= 20) & (age < 60))
    keeper = np.full(home.max(initial=0) + 1, NOBODY)
    keeper[home[grown[::-1]]] = grown[::-1]
    theirs = keeper[home[user]]
    old = (age[user] >= told["from_age"]) & (rng.random(len(user)) < told["share"])
    return np.where(((age[user] < told["under_age"]) | old) & (theirs >= 0), theirs, user)


def _sharers(
    people: pd.DataFrame, owns: np.ndarray, frame: pd.DataFrame, rng: np.random.Generator,
    share: float,
) -> np.ndarray:  # fmt: skip
    """Return who else uses each number: some who have none use the household's first."""
    age, home = people["age"].to_numpy(), people["household"].to_numpy()
    sharers = np.flatnonzero(~owns & (age >= 12) & (rng.random(len(people)) < share))
    sharer_of = np.full(home.max(initial=0) + 1, NOBODY)
    sharer_of[home[sharers[::-1]]] = sharers[::-1]
    is_first = ~frame["household"].duplicated().to_numpy()
    return np.where(is_first, sharer_of[frame["household"]], NOBODY)


def _service(frame: pd.DataFrame, told: Told, rng: np.random.Generator, given: Figures) -> None:
    """Add the days of service: as many numbers come in the period as go; arrears suspend some."""
    n, begins, months = len(frame), np.datetime64(told.first, "D"), told.months
    length = (told.last - told.first).days + 1
    turnover = 1 - (1 - given["turnover_a_month"]) ** months
    held = np.maximum(1, rng.exponential(365 * given["years_held"], n)).astype(int)
    is_new = rng.random(n) < turnover
    day = np.where(is_new, rng.integers(0, length, n), -held)
    frame["activated_on"] = np.maximum(begins + day * DAY, np.datetime64("2001-01-01"))
    closes = ~is_new & (rng.random(n) < turnover)
    closed = begins + rng.integers(1, max(2, length), n) * DAY
    frame["closed_on"] = np.where(closes, closed, np.datetime64("NaT"))
    poor = np.exp(given["follows_wealth"]["suspended"] * frame["wealth"].to_numpy())
    stops = ~is_new & (rng.random(n) < 1 - np.exp(-given["suspended_a_month"] * months * poor))
    since = begins + rng.integers(0, length, n) * DAY
    until = since + rng.integers(*given["suspended_days"], n) * DAY
    frame["suspended_from"] = np.where(stops, since, np.datetime64("NaT"))
    frame["suspended_to"] = np.where(stops, until, np.datetime64("NaT"))


def _works(
    work: np.ndarray, age: np.ndarray, rng: np.random.Generator, told: Figures
) -> np.ndarray:
    """Return where people go on working days: 0 nowhere else, 1 to the town, 2 to the seat."""
    goes = np.isin(work, ["local_job", "public"]) | ((work == "student") & (age >= 12))
    u = rng.random(len(work))
    there = np.where(u < told["town"], 1, np.where(u < told["town"] + told["seat"], 2, 0))
    return np.where(goes, there, 0).astype(np.uint8)
