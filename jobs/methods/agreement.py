"""How alike two records are: one agreement level for each comparison, all of them in one number.

Levels are of a fixed few kinds, so that pairs of millions of records fall into few patterns, and
weights are learnt from the counts of patterns (jobs/methods/fellegi_sunter.py). Strings are
compared by Levenshtein distance. Levenshtein, V. I. (1966), "Binary codes capable of correcting
deletions, insertions and reversals", Soviet Physics Doklady 10(8), 707-710.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.methods.sounds import sound
from lakehouse.errors import UsageError, nearest

# What each level of a kind means, from the lowest.
BY_SHARE = ("other", "half alike", "alike", "same")
BY_SOUND = ("other", "half alike", "alike", "same sound", "same")
BY_EDITS = ("other", "two edits", "one edit", "same")
KINDS: Mapping[str, tuple[str, ...]] = {
    "name": BY_SOUND,
    "address": BY_SHARE,
    "date": BY_EDITS,
    "id": BY_EDITS,
    "code": ("other", "same"),
}
# Levels by tenths of the characters that differ, rounded up: up to 3 alike, up to 5 half alike.
BY_TENTHS = (2, 2, 2, 1, 1, 0, 0, 0, 0, 0)
# Full-width letters, digits, marks and blank, as Chinese keyboards write them, and the plain ones.
FULL_WIDTH = "".join(map(chr, [0x3000, *range(0xFF01, 0xFF5F)]))
PLAIN = "".join(map(chr, range(0x20, 0x7F)))
BITS = 3
MISSING = 2**BITS - 1
MOST = 63 // BITS


@dataclass(frozen=True)
class Comparison:
    """A column of both records; `swaps` is one that senders take it for, `head` how it is told."""

    column: str
    kind: str
    swaps: str | None = None
    head: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(
                f"A kind is one of {', '.join(KINDS)}, not {self.kind!r}."
                + nearest(self.kind, list(KINDS))
            )

    @property
    def levels(self) -> tuple[str, ...]:
        """Return what its levels mean, from the lowest."""
        return (*KINDS[self.kind], "swapped") if self.swaps else KINDS[self.kind]


def prepared(rows: DataFrame, comparisons: Sequence[Comparison]) -> DataFrame:
    """Return records (row, and each column that is compared) in the form that is compared.

    Names also as they sound, worked out once a record and not once a pair.
    """
    values = rows.select(
        "row", *[plain(F.col(one.column), one.kind).alias(one.column) for one in comparisons]
    )
    names = [one.column for one in comparisons if one.kind == "name"]
    return values.withColumns({_sound_of(name): sound(F.col(name)) for name in names})


def _sound_of(column: str) -> str:
    return f"sound_of_{column}"


def plain(value: Column, kind: str) -> Column:
    """Return a value as it is compared: without case, spaces and marks; null where nothing is left.

    Dates keep their digits alone, so that 1980-01-02 is 19800102.
    """
    lower = F.lower(F.translate(value, FULL_WIDTH, PLAIN))
    if kind == "date":
        kept = F.regexp_replace(lower, r"\D", "")
    elif kind in ("id", "code"):
        kept = F.regexp_replace(lower, r"[\s\p{P}]", "")
    else:
        kept = F.trim(F.regexp_replace(lower, r"[\s\p{P}]+", " "))
    return F.nullif(kept, F.lit(""))


def pattern(comparisons: Sequence[Comparison], left: str = "l_", right: str = "r_") -> Column:
    """Return the agreement levels of a pair as one long, three bits each, the first lowest.

    The pair has the columns of both prepared records under the two prefixes. Raises UsageError
    where there are more comparisons than fit.
    """
    if not 0 < len(comparisons) <= MOST:
        raise UsageError(f"Records are held against each other in 1 to {MOST} columns.")
    packed = F.lit(0).cast("long")
    for place, one in enumerate(comparisons):
        level = _level(one, left, right).cast("long")
        packed = packed.bitwiseOR(F.shiftleft(level, place * BITS))
    return packed


def levels_of(packed: int, n: int) -> list[int | None]:
    """Return the levels of a pattern, None where a value was missing."""
    each = [packed >> (place * BITS) & MISSING for place in range(n)]
    return [None if level == MISSING else level for level in each]


def _level(one: Comparison, left: str, right: str) -> Column:
    a, b = F.col(left + one.column), F.col(right + one.column)
    level = F.when(a.isNull() | b.isNull(), MISSING).when(a == b, one.levels.index("same"))
    if one.swaps:
        crossed = (a == F.col(right + one.swaps)) & (b == F.col(left + one.swaps))
        level = level.when(crossed, one.levels.index("swapped"))
    if one.kind == "code":
        return level.otherwise(0)
    if one.kind == "name":
        heard = F.col(left + _sound_of(one.column)) == F.col(right + _sound_of(one.column))
        level = level.when(heard, one.levels.index("same sound"))
    edits = F.levenshtein(a, b)
    # Each looks at the distance once: Spark would work it out again for every branch.
    if KINDS[one.kind] is BY_EDITS:
        return level.otherwise(F.greatest(F.lit(0), BY_EDITS.index("same") - edits))
    tenths = F.ceil(10 * edits / F.greatest(F.length(a), F.length(b))).cast("int")
    return level.otherwise(F.element_at(F.array(*map(F.lit, BY_TENTHS)), tenths))
