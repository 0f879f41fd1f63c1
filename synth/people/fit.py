"""Weights for the pool of households, so that households and people are like the county's.

Household and person margins at once (the problem of Ye, Konduri, Pendyala, Sana and Waddell 2009,
"A methodology to match distributions of both household and person attributes", TRB 88), solved
as calibration by the exponential distance, i.e. raking (Deville and Särndal 1992, JASA 87):
Newton's method on the dual. The margins are held softly (ridge calibration, Bardsley and
Chambers 1984, Applied Statistics 33): where they contradict each other, as censuses do, the miss
is spread and reported rather than the weights driven to extremes.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import logsumexp

from lakehouse.conf import conf_dir, read_toml
from lakehouse.errors import ChecksFailed
from synth.people.census import AGES, GROWN_FROM, OLD_FROM, SEXES, Margins, age_group
from synth.people.pool import Pool

# Squared miss of a share that weighs as much as one nat of distance from the prior.
SOFTNESS = 4e-6
# What is no margin of the census but only likely is held so many times as softly.
WISH, WISH_SOFTNESS = "couples", 1000
MOST_STEPS, SMALL = 100, 1e-10
# What counts as met: of one share, and half the sum of all misses of a margin.
MOST_MISS, MOST_VARIATION = 0.005, 0.01
# Where the broad age groups end.
BROAD_AGES = {"0-14": 15, "15-64": OLD_FROM, "0-64": OLD_FROM, "65+": np.inf}


@dataclass(frozen=True)
class Columns:
    """What each row of the pool adds to each share: [row, column], a column being a category.

    A mean row that adds `wanted` has the margins. Shares are of the margin's own whole: people,
    or family households. names: margin and category by column.
    """

    matrix: sparse.csr_matrix
    wanted: np.ndarray
    names: list[tuple[str, str]]

    @property
    def softness(self) -> np.ndarray:
        """Return by how much each share may miss: squared, for one nat of distance."""
        wish = np.array([name == WISH for name, _ in self.names])
        return np.where(wish, SOFTNESS * WISH_SOFTNESS, SOFTNESS)

    def misses(self, got: np.ndarray) -> pd.DataFrame:
        """Return one row per column: margin, category, wanted, got and miss."""
        rows = pd.DataFrame(self.names, columns=["margin", "category"])
        return rows.assign(wanted=self.wanted, got=got, miss=got - self.wanted)


@dataclass(frozen=True)
class Fit:
    """Weights of the pool's rows, which sum to one, and the columns that they were made for.

    `people_a_row` is the mean size of a row; `misses` says how far each share stayed from what
    was wanted.
    """

    weights: np.ndarray
    columns: Columns
    people_a_row: float
    steps: int

    @property
    def misses(self) -> pd.DataFrame:
        return self.columns.misses(self.columns.matrix.T @ self.weights)


def fit(pool: Pool, margins: Margins) -> Fit:
    """Return weights near the prior with which the pool has the margins.

    Raises ChecksFailed if the method does not settle; margins that cannot all be met do not
    raise but show in `misses`.
    """
    columns = columns_of(pool, margins)
    weights, steps = calibrate(columns.matrix, columns.wanted, columns.softness, pool.prior)
    return Fit(weights, columns, float(pool.size @ weights), steps)


def far_off(misses: pd.DataFrame) -> list[str]:
    """Return a line for each margin that is not met: which, where most and how far."""
    told = []
    for name, rows in misses[misses["margin"] != WISH].groupby("margin", sort=False):
        worst = rows.loc[rows["miss"].abs().idxmax()]
        variation = rows["miss"].abs().sum() / 2
        if abs(worst["miss"]) > MOST_MISS or variation > MOST_VARIATION:
            told.append(
                f"{name}: {worst['category']} is {worst['got']:.2%}, wanted {worst['wanted']:.2%};"
                f" total variation {variation:.2%}"
            )
    return told


def columns_of(pool: Pool, margins: Margins) -> Columns:
    """Return the columns for whatever of household and age margins is known.

    People of collective households count in the margins of people and not in those of
    households, as in the census.
    """
    family, home = ~pool.is_collective, pool.home
    # Of the pool's rows, the share that are family households; people in a mean row.
    alone = margins.collective_share / (1 - margins.collective_share) * margins.household_size
    families = 1 / (1 + alone)
    people = families * (margins.household_size + alone)
    old = np.bincount(home, weights=pool.age >= OLD_FROM).astype(int)
    more = "two or more", "three or more", "four or more"
    by_row = {
        "household_size": (np.minimum(pool.size, 2) - 1, ("one", more[0])),
        "generations": (np.minimum(pool.n_generations, 4) - 1, ("one", "two", "three", more[2])),
        "old_members": (np.minimum(old, 3), ("none", "one", "two", more[1])),
    }
    first = sparse.csr_matrix(np.stack([family / families, family * pool.size / people], axis=1))
    parts = [first]
    wanted = [1.0, families * margins.household_size / people]
    names = [("size", "households"), ("size", "people in households")]
    for name, (number, labels) in by_row.items():
        if name in margins:
            rows = np.flatnonzero(family)
            parts.append(_indicators(rows, number[rows], len(labels), len(family)) / families)
            wanted += [margins[name][label] for label in labels]
            names += [(name, label) for label in labels]
    for name, number in (("sex_age", sex_age(pool)), ("age", broad_age(pool, margins))):
        if name in margins:
            n = len(margins[name].labels)
            parts.append(_indicators(home, number, n, len(family)) / people)
            wanted += [*margins[name].shares]
            names += [(name, label) for label in margins[name].labels]
    if "marital" in margins and "sex_age" in margins:
        # No margin of the census: that not more people live as couples than are married.
        parts.append(_indicators(home[pool.in_couple], 0, 1, len(family)) / people)
        wanted.append(_grown(margins) * _married(margins) * with_spouse())
        names.append((WISH, "people"))
    return Columns(sparse.hstack(parts, format="csr"), np.array(wanted), names)


def sex_age(pool: Pool) -> np.ndarray:
    """Return the number of each member's category in the margin sex_age."""
    return age_group(pool.age) + np.where(pool.is_male, 0, len(AGES))


def broad_age(pool: Pool, margins: Margins) -> np.ndarray:
    """Return the number of each member's category in the margin age, if that is known."""
    labels = margins["age"].labels if "age" in margins else ()
    return np.searchsorted([BROAD_AGES[label] for label in labels], pool.age, side="right")


def _grown(margins: Margins) -> float:
    """Return the share of people of an age that marital status is told of."""
    return float(margins["sex_age"].shares.reshape(2, -1)[:, AGES >= GROWN_FROM].sum())


def _married(margins: Margins) -> float:
    return sum(margins["marital"][f"{sex} married"] for sex in SEXES)


def with_spouse() -> float:
    """Return how many of the married live with their husband or wife."""
    return float(read_toml(conf_dir() / "synth_people.toml")["marriage"]["with_spouse"])


def _indicators(rows: np.ndarray, number: np.ndarray | int, n: int, of: int) -> sparse.csr_matrix:
    at = np.broadcast_to(number, len(rows))
    return sparse.csr_matrix((np.ones(len(rows)), (rows, at)), shape=(of, n))


def calibrate(
    matrix: sparse.csr_matrix, wanted: np.ndarray, softness: np.ndarray, prior: np.ndarray
) -> tuple[np.ndarray, int]:
    """Return weights w near the prior with matrix' w near `wanted`, and the steps taken.

    They minimise sum w log(w / prior) + sum (matrix' w - wanted)^2 / (2 softness). The dual is
    strictly convex, so that the answer is there and is the only one.
    """
    log_prior = np.log(prior)
    tilt = np.zeros(len(wanted))

    def at(tilt: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        score = log_prior + matrix @ tilt
        total = logsumexp(score)
        weights = np.exp(score - total)
        gradient = matrix.T @ weights - wanted + softness * tilt
        return total - wanted @ tilt + tilt @ (softness * tilt) / 2, gradient, weights

    value, gradient, weights = at(tilt)
    for step in range(MOST_STEPS):
        mean = matrix.T @ weights
        spread = (matrix.T @ matrix.multiply(weights[:, None])).toarray() - np.outer(mean, mean)
        spread[np.diag_indices_from(spread)] += softness
        move = -np.linalg.solve(spread, gradient)
        slope = gradient @ move
        if -slope < SMALL:
            return weights, step
        size = 1.0
        while True:
            tried = at(tilt + size * move)
            if tried[0] <= value + 1e-4 * size * slope or size < 1e-6:
                break
            size /= 2
        tilt = tilt + size * move
        value, gradient, weights = tried
    raise ChecksFailed(f"The weights of the households have not settled in {MOST_STEPS} steps.")
