"""A table of a user's own, read for one method: the columns it needs, checked, as Spark rows.

What is wrong with a file is said before Spark starts, with the column, the first row and how many
rows, never with a value. Rows count from 1 below the heading; empty lines do not count.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lakehouse.commands import say
from lakehouse.commands.method_file import Source, opened
from lakehouse.errors import ChecksFailed, InputMissing, UsageError, nearest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# What counts as missing in a column of numbers; infinities are missing for the methods too.
NOT_THERE = r"(?i)^(|na|n/a|nan|null|none|[+-]?inf(inity)?)$"
A_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
# The tolerance of jobs.methods.columns, which is not imported here: it needs Spark.
ROUNDING = 1e-9
COLUMNS_TOLD = 5
# Compiling and replanning queries costs more than running them over a small table.
FEW_ROWS = 200_000
AT_ONCE = {
    "spark.sql.shuffle.partitions": 1,
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


@dataclass(frozen=True)
class Kind:
    """What a column has to hold: `wrong` finds what it must not, `told` and `mend` say it."""

    is_text: bool = False
    is_flag: bool = False
    wrong: Callable[[pa.Array], pa.Array] | None = None
    told: str = ""
    mend: str = ""


AMOUNT = Kind()
WEIGHT = Kind(
    wrong=lambda x: pc.less(x, 0.0),
    told="holds negative weights",
    mend="A weight is 0 or more.",
)
FLAG = Kind(
    is_flag=True,
    wrong=lambda x: pc.and_(pc.not_equal(x, 0.0), pc.not_equal(x, 1.0)),
    told="holds something other than 0 and 1",
    mend="1 is deprived, 0 is not, empty is unknown.",
)
SHARE = Kind(
    wrong=lambda x: pc.or_(pc.less(x, 0.0), pc.greater(x, 1.0 + ROUNDING)),
    told="goes beyond 0 to 1",
    mend="A system has to be normalised to 0 to 1 first.",
)
RAW = Kind(
    wrong=lambda x: pc.less(x, 0.0),
    told="holds negative values, which have no share of a sum and so no entropy",
    mend="Normalise them: --normalise minmax or minmax-shifted.",
)
LABEL = Kind(is_text=True)
NAME = Kind(
    is_text=True,
    wrong=pc.is_null,
    told="is empty",
    mend="Every row of a sample belongs to a stratum and a PSU.",
)


@dataclass(frozen=True)
class Want:
    """A column that a method needs: its head in the file, and the option that named it."""

    option: str
    head: str
    kind: Kind


@dataclass
class Trouble:
    """How many rows of a column are wrong, and which is the first."""

    n: int = 0
    first: int = 0

    def add(self, wrong: pa.Array, rows_before: int) -> None:
        n = pc.sum(wrong).as_py() or 0
        if n and not self.n:
            self.first = rows_before + 1 + pc.index(wrong, True).as_py()
        self.n += n


@dataclass
class Checked:
    """Batches of one column at a time made numbers or text, with what was wrong on the way."""

    want: Want
    not_numbers: Trouble = field(default_factory=Trouble)
    not_fitting: Trouble = field(default_factory=Trouble)

    def take(self, cells: pa.Array, rows_before: int) -> pa.Array:
        """Return the cells as doubles or text, null where missing."""
        kind = self.want.kind
        if not _is_plain(cells.type, kind.is_text):
            raise ChecksFailed(
                f"Column {self.want.head!r} ({self.want.option}) is of the type {cells.type}, "
                f"not {'text' if kind.is_text else 'numbers'}."
            )
        if kind.is_text:
            made = _as_text(cells)
        else:
            made, is_text = _as_numbers(cells, kind.is_flag)
            self.not_numbers.add(is_text, rows_before)
        if kind.wrong:
            self.not_fitting.add(pc.fill_null(kind.wrong(made), False), rows_before)
        return made

    def told(self, n_rows: int) -> Iterator[str]:
        """Yield one sentence for each thing that is wrong."""
        kind, named = self.want.kind, f"Column {self.want.head!r} ({self.want.option})"
        for trouble, told, mend in (
            (self.not_numbers, "holds text", "A number is written 1234.5; missing is empty."),
            (self.not_fitting, kind.told, kind.mend),
        ):
            if trouble.n:
                rows = f"{trouble.n:,} of {n_rows:,} rows, first in row {trouble.first:,}"
                yield f"{named} {told} in {rows}. {mend}"


@dataclass(frozen=True)
class OwnTable:
    """The rows with one column per role, and `row`; `scratch` goes when the command ends."""

    rows: "DataFrame"
    n_rows: int
    scratch: Path


@contextmanager
def own_table(file: Path, wants: Mapping[str, Want]) -> Iterator[OwnTable]:
    """Read the wanted columns of a CSV or Parquet file as Spark rows, one column per role.

    Roles name the columns, so that a head may be anything: with a dot, a quote, or the name of
    what a method returns. Raises InputMissing, UsageError or ChecksFailed.
    """
    with TemporaryDirectory(prefix="bangfu-") as folder, opened(file, Path(folder)) as source:
        _require_columns(source, wants)
        staged = Path(folder) / "rows.parquet"
        n_rows = _stage(source, wants, staged)
        if not n_rows:
            raise InputMissing(f"{file} has a heading but no rows.")
        say(f"{file.name}: {n_rows:,} rows.")
        yield OwnTable(_session(n_rows).read.parquet(str(staged)), n_rows, Path(folder))


def _session(n_rows: int) -> "SparkSession":
    """Return the session of this process, or start one that fits a table of so many rows."""
    from pyspark.sql import SparkSession

    from lakehouse.conf import settings
    from lakehouse.spark import session

    return SparkSession.getActiveSession() or session(
        settings(), **(AT_ONCE if n_rows <= FEW_ROWS else {})
    )


def _require_columns(source: Source, wants: Mapping[str, Want]) -> None:
    unknown = [want for want in wants.values() if want.head not in source.heads]
    if unknown:
        told = [
            f"{source.name} has no column {want.head!r} ({want.option})."
            + nearest(want.head, source.heads)
            for want in unknown[:COLUMNS_TOLD]
        ]
        raise UsageError(f"{' '.join(told)} It has: {', '.join(source.heads[:30])}.")
    twice = [want.head for want in wants.values() if source.heads.count(want.head) > 1]
    if twice:
        raise UsageError(f"{source.name} has the column {twice[0]!r} more than once: rename one.")


def _stage(source: Source, wants: Mapping[str, Want], staged: Path) -> int:
    """Write the checked columns as Parquet, for Spark to pick up, and return the rows read."""
    columns = {role: Checked(want) for role, want in wants.items()}
    types = {role: pa.string() if c.want.kind.is_text else pa.float64()
             for role, c in columns.items()}  # fmt: skip
    schema = pa.schema([("row", pa.int64()), *types.items()])
    n_rows = 0
    with pq.ParquetWriter(staged, schema) as writer:
        for batch in source.batches([want.head for want in wants.values()]):
            numbered = pa.array(np.arange(n_rows + 1, n_rows + 1 + batch.num_rows))
            cells = [one.take(batch.column(one.want.head), n_rows) for one in columns.values()]
            writer.write_batch(pa.record_batch([numbered, *cells], schema=schema))
            n_rows += batch.num_rows
    wrong = [told for one in columns.values() for told in one.told(n_rows)]
    if wrong:
        more = f" And {len(wrong) - COLUMNS_TOLD} more." if len(wrong) > COLUMNS_TOLD else ""
        raise ChecksFailed(f"{source.name}: {' '.join(wrong[:COLUMNS_TOLD])}{more}")
    return n_rows


def _as_text(cells: pa.Array) -> pa.Array:
    text = pc.utf8_trim_whitespace(pc.cast(cells, pa.string()))
    return pc.if_else(pc.equal(text, ""), None, text)


def _as_numbers(cells: pa.Array, is_flag: bool) -> tuple[pa.Array, pa.Array]:
    """Return doubles, null where missing or no number, and where there is text instead."""
    if not _is_text(cells.type):
        numbers = pc.cast(cells, pa.float64(), safe=False)
        nowhere = pa.array(np.zeros(len(cells), dtype=bool))
    else:
        text = pc.utf8_trim_whitespace(pc.cast(cells, pa.string()))
        if is_flag:
            for word, digit in (("true", "1"), ("false", "0")):
                text = pc.replace_substring_regex(text, f"(?i)^{word}$", digit)
        text = pc.if_else(pc.match_substring_regex(text, NOT_THERE), None, text)
        is_number = pc.match_substring_regex(text, A_NUMBER)
        numbers = pc.cast(pc.if_else(is_number, text, None), pa.float64())
        nowhere = pc.fill_null(pc.invert(is_number), False)
    return pc.if_else(pc.is_finite(numbers), numbers, None), nowhere


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _is_plain(type_: pa.DataType, as_text: bool) -> bool:
    """Tell whether cells of a type can be numbers, or text where that is asked for."""
    kinds = pa.types
    numbers = (kinds.is_integer, kinds.is_floating, kinds.is_decimal, kinds.is_boolean,
               kinds.is_null)  # fmt: skip
    dates = as_text and kinds.is_temporal(type_)
    return dates or _is_text(type_) or any(is_one(type_) for is_one in numbers)
