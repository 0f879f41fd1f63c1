"""Whole households of a county: how often each of the pool occurs, and who lives in which village.

Counts, not people, are held: some hundred kilobytes for any county, whatever its population.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from lakehouse.errors import UsageError
from synth.people.census import Margins
from synth.people.fit import Columns, fit
from synth.people.pool import RELATIONS, ROLES, Pool

FEWEST_PEOPLE, OLDEST = 50, 104
# Exchanges are looked for among so many households that help most, on each side.
TRIED = 24
# Once the sum of squared misses is so small, after so many exchanges, or when one gains no more
# than this, the counts will do.
CLOSE, MOST_EXCHANGES, SMALL = 2e-7, 4000, 1e-6


@dataclass(frozen=True)
class Composition:
    """How often each row of the pool occurs in a county, `people` in all.

    misses: one row per category of a margin: wanted, got and miss, shares of the margin's whole.
    """

    pool: Pool
    counts: np.ndarray
    columns: Columns
    steps: int

    @property
    def people(self) -> int:
        return int(self.counts @ self.pool.size)

    @property
    def misses(self) -> pd.DataFrame:
        got = self.columns.matrix.T @ (self.counts / self.counts.sum())
        return self.columns.misses(got)

    def ages(self) -> np.ndarray:
        """Return how many people there are: [male or female, completed years of age up to 104]."""
        return self._by_age(np.ones(len(self.pool.role), dtype=bool))

    def ages_in_couples(self) -> np.ndarray:
        """Return the same of people who live with their husband or wife."""
        return self._by_age(self.pool.in_couple)

    def _by_age(self, which: np.ndarray) -> np.ndarray:
        sex = np.where(self.pool.is_male, 0, 1)
        age = np.minimum(self.pool.age.astype(int), OLDEST)
        times = self.counts[self.pool.home] * which
        return np.bincount(sex * (OLDEST + 1) + age, times, 2 * (OLDEST + 1)).reshape(2, -1)


def compose(pool: Pool, margins: Margins, people: int) -> Composition:
    """Return whole households with exactly `people` members and the margins, as near as may be.

    The fitted weights are rounded by systematic sampling along the pool sorted by shape, then
    households are exchanged one for one where that brings the margins nearer. No count is more
    than one away from its weight, but where the number of people needs it. Raises UsageError
    for fewer than 50 people.
    """
    if people < FEWEST_PEOPLE:
        raise UsageError(f"people={people}: a county needs at least {FEWEST_PEOPLE}.")
    fitted = fit(pool, margins)
    rows = round(people / fitted.people_a_row)
    expected = rows * fitted.weights
    counts = _systematic(pool, expected)
    # Aim at what the weights reach: margins that contradict each other cannot be met.
    reached = fitted.columns.matrix.T @ fitted.weights
    swap = _Exchange(pool, fitted.columns.matrix, expected, counts, reached)
    swap.to_total(people)
    swap.nearer()
    return Composition(pool, swap.counts, fitted.columns, fitted.steps)


def deal(made: Composition, people: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Return for each village the pool's rows of its households, in a random order.

    `people` are those of each village and sum to the composition's. Together the villages have
    exactly its households. A village has exactly its people wherever a household of the size
    that is missing is left; else the next ones make up for it. Raises UsageError for another sum.
    """
    if int(people.sum()) != made.people:
        raise UsageError(f"The villages have {people.sum():,} people, the county {made.people:,}.")
    rows = rng.permutation(np.repeat(np.arange(len(made.counts), dtype=np.int32), made.counts))
    size = made.pool.size.astype(np.int32)[rows]
    dealt, begin, owed = [], 0, 0
    for number, wanted in enumerate(people):
        end, owed = _fill(rows, size, begin, int(wanted) + owed)
        end = len(rows) if number == len(people) - 1 else end
        dealt.append(rows[begin:end])
        begin = end
    return dealt


def _fill(rows: np.ndarray, size: np.ndarray, begin: int, wanted: int) -> tuple[int, int]:
    """Return where a village ends that begins there, and how many people it lacks.

    The household that fits what is missing is fetched from further on.
    """
    upto = np.cumsum(size[begin : begin + max(wanted, 0)])
    n = int(np.searchsorted(upto, wanted, side="right"))
    end, lacks = begin + n, wanted - (int(upto[n - 1]) if n else 0)
    while lacks > 0:
        fits = np.flatnonzero(size[end:] <= lacks)
        if not len(fits):
            break
        best = end + int(fits[size[end:][fits].argmax()])
        for of in (rows, size):
            of[[end, best]] = of[[best, end]]
        lacks -= int(size[end])
        end += 1
    return end, lacks


def members(pool: Pool, rows: np.ndarray) -> pd.DataFrame:
    """Return the members of households given by their rows of the pool, the head first.

    household (place in `rows`), relation (as a register has it), role (to the head, finer),
    is_male, age (years with fractions), in_couple and is_collective.
    """
    household, of = pool.members(rows)
    role = pool.role[of]
    return pd.DataFrame(
        {
            "household": household,
            "relation": RELATIONS[role],
            "role": np.array(list(ROLES))[role],
            "is_male": pool.is_male[of],
            "age": pool.age[of],
            "in_couple": pool.in_couple[of],
            "is_collective": pool.is_collective[rows][household],
        }
    )


def _systematic(pool: Pool, expected: np.ndarray) -> np.ndarray:
    """Return whole counts: each the expected one rounded up or down, households alike in turn."""
    mean_age = np.bincount(pool.home, pool.age) / pool.size
    order = np.lexsort((mean_age, pool.kind, pool.n_generations, pool.size, pool.is_collective))
    upto = np.floor(np.cumsum(expected[order]) + 0.5).astype(np.int64)
    counts = np.empty(len(expected), dtype=np.int32)
    counts[order] = np.diff(upto, prepend=0)
    return counts


class _Exchange:
    """Exchanges of a household for another one; `off` is what all counts miss, in rows' shares."""

    def __init__(
        self, pool: Pool, matrix: sparse.csr_matrix, expected: np.ndarray, counts: np.ndarray,
        wanted: np.ndarray,
    ) -> None:  # fmt: skip
        self.matrix, self.expected, self.counts, self.wanted = matrix, expected, counts, wanted
        self.size = pool.size
        self.square = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
        self.of_size = [np.flatnonzero(self.size == n) for n in range(1, self.size.max() + 1)]
        self.off = matrix.T @ counts - counts.sum() * wanted

    def to_total(self, people: int) -> None:
        """Exchange households for ones of another size until there are so many people."""
        while short := people - int(self.counts @ self.size):
            step = int(np.sign(short))
            pairs = [
                (self.of_size[n - 1], self.of_size[n - 1 + step])
                for n in range(1, len(self.of_size) + 1)
                if 0 <= n - 1 + step < len(self.of_size) and self.counts[self.of_size[n - 1]].any()
            ]
            found = [one for less, more in pairs if (one := self._best(less, more, loose=True))]
            self._do(min(found)[1:])

    def nearer(self) -> None:
        """Exchange households for ones of the same size while that brings the margins nearer."""
        enough = CLOSE * float(self.counts.sum()) ** 2
        for _ in range(MOST_EXCHANGES):
            if float(self.off @ self.off) < enough:
                return
            found = [one for rows in self.of_size if (one := self._best(rows, rows))]
            if not found or min(found)[0] > -SMALL:
                return
            self._do(min(found)[1:])

    def _best(
        self, less: np.ndarray, more: np.ndarray, loose: bool = False
    ) -> tuple[float, int, int] | None:
        """Return the change of the squared miss, and which household goes and which comes."""
        slack = 2.0 if loose else 1.0
        goes = less[(self.counts[less] > 0) & (self.counts[less] - 1 > self.expected[less] - slack)]
        comes = more[self.counts[more] + 1 < self.expected[more] + slack]
        if not len(goes) or not len(comes):
            return None
        gain = 2 * (self.matrix @ self.off)
        goes = _least(goes, self.square[goes] - gain[goes])
        comes = _least(comes, self.square[comes] + gain[comes])
        both = (self.matrix[goes] @ self.matrix[comes].T).toarray()
        change = (self.square - gain)[goes][:, None] + (self.square + gain)[comes] - 2 * both
        row, column = np.unravel_index(int(change.argmin()), change.shape)
        return float(change[row, column]), int(goes[row]), int(comes[column])

    def _do(self, pair: tuple[int, int]) -> None:
        goes, comes = pair
        self.counts[goes] -= 1
        self.counts[comes] += 1
        self.off += (self.matrix[comes] - self.matrix[goes]).toarray().ravel()


def _least(rows: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return the rows of the lowest scores, in the order of rows, so that ties are broken."""
    if len(rows) <= TRIED:
        return rows
    worst = np.sort(score)[TRIED - 1]
    return rows[score <= worst][:TRIED]
