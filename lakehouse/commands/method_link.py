"""`bangfu method link`: which records of one file, or of two, are the same."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa
import typer

from lakehouse.commands import AsJson, print_json, print_table, say
from lakehouse.commands import method_answer as answer
from lakehouse.commands.method import File, Out
from lakehouse.commands.method_input import OwnTable, own_table
from lakehouse.commands.method_link_mapping import Mapping, read_mapping
from lakehouse.errors import ChecksFailed, UsageError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.methods.blocking import Pass
    from jobs.methods.fellegi_sunter import Weights

FEW = 5
PAIRS = pa.schema(
    {
        "left": pa.string(),
        "right": pa.string(),
        "score": pa.float64(),
        "probability": pa.float64(),
        "reasons": pa.string(),
    }
)


def link(
    left: File,
    mapping: Annotated[
        Path,
        typer.Option(metavar="TOML", help="Which columns are names, addresses, dates, ids, codes."),
    ],
    right: Annotated[
        Path | None,
        typer.Argument(metavar="[RIGHT]", help="A second file; without it, within the first."),
    ] = None,
    at_least: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Link from this probability on, not from the learnt."),
    ] = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Link records that are the same though no key says so (记录链接, Fellegi-Sunter).

    Weights and threshold are learnt from the files, without labels. How, and the mapping:
    docs/methods/link.md.

    Examples: `bangfu method link people.csv --mapping people.toml --out pairs.csv`,
    `bangfu method link hospital.csv school.parquet --mapping both.toml --json`
    """
    if at_least is not None and not 0 < at_least < 1:
        raise UsageError(f"--at-least is a probability between 0 and 1, not {at_least:g}.")
    said = read_mapping(mapping)
    for file in (left, right or left, mapping):
        answer.check_out(out, file)
    with ExitStack() as opened:
        ours = opened.enter_context(own_table(left, said.wants(is_right=False)))
        theirs = (
            opened.enter_context(own_table(right, said.wants(is_right=True))) if right else None
        )
        question = Question(said, ours, theirs)
        figures = question.answered(at_least)
        if out:
            answer.write_batches(out, question.pairs())
        if as_json:
            print_json(figures)
        else:
            _print(figures, question.pairs())


class Question:
    """One or two tables and what is compared; the answer is written beside the left table."""

    def __init__(self, mapping: Mapping, left: OwnTable, right: OwnTable | None) -> None:
        self.mapping, self.left, self.right = mapping, left, right
        self.comparisons = mapping.comparisons()

    def answered(self, at_least: float | None) -> dict[str, Any]:
        """Write the linked pairs and return the figures, as docs/methods/link.md has them."""
        from jobs.methods import linking

        ours = self._records("left", self.left)
        theirs = self._records("right", self.right) if self.right else None
        passes = self._passes(ours, theirs)
        pairs = self._kept("pairs", linking.compared(ours, theirs, self.comparisons, passes))
        counts = linking.pattern_counts(pairs, ours, theirs, self.comparisons)
        of_all = linking.totals(ours, theirs, self.comparisons)
        learnt = linking.learnt(self.comparisons, counts, of_all, passes, at_least)
        say(f"{learnt.n_candidates:,} pairs in {learnt.n_patterns:,} patterns of agreement.")
        links = self._kept("links", linking.linked(pairs, learnt))
        n_pairs, n_clusters = self._counted(links)
        self._named(links)
        return {
            "n_left": self.left.n_rows,
            "n_right": self.right.n_rows if self.right else None,
            "n_candidates": learnt.n_candidates,
            "n_pairs": n_pairs,
            "n_clusters": n_clusters,
            "threshold": learnt.threshold,
            "match_share": learnt.match_share,
            "passes": [[self._head(role) for role in one] for one in passes],
            "weights": _bits(learnt.weights),
        }

    def pairs(self) -> Iterator[pa.RecordBatch]:
        """Yield the linked pairs, the least sure first."""
        yield pa.RecordBatch.from_pylist([], PAIRS)
        yield from answer.parquet_batches(self._folder("named"))

    def _records(self, side: str, own: OwnTable) -> "DataFrame":
        from jobs.methods import agreement

        self._require_ids(own)
        return self._kept(side, agreement.prepared(own.rows, self.comparisons))

    def _require_ids(self, own: OwnTable) -> None:
        if not self.mapping.id:
            return
        n = own.rows.select("id").distinct().count()
        if n < own.n_rows:
            raise ChecksFailed(
                f"Column {self.mapping.id!r} has {n:,} ids for {own.n_rows:,} rows: leave `id` out "
                f"of {self.mapping.file}, and pairs are told by row."
            )

    def _passes(self, ours: "DataFrame", theirs: "DataFrame | None") -> "list[Pass]":
        from jobs.methods import linking

        roles, n_rows = self.mapping.roles, self.left.n_rows
        n_rows += self.right.n_rows if self.right else 0
        passes: list[Pass] = [[roles[head] for head in one] for one in self.mapping.passes]
        passes = passes or linking.affordable_passes(ours, theirs, self.comparisons, n_rows)
        if not passes:
            raise UsageError(
                f"No columns of {self.mapping.file} are fine enough to find pairs by: name some, "
                'passes = [["surname", "born"]].'
            )
        told = " or ".join(" + ".join(map(self._head, one)) for one in passes)
        say(f"Looking at pairs that agree in {told}.")
        return passes

    def _head(self, role: str) -> str:
        return next(one.head for one in self.comparisons if one.column == role)

    def _counted(self, links: "DataFrame") -> tuple[int, int]:
        """Return how many pairs are linked, and how many clusters the records fall into."""
        from pyspark.sql import functions as F

        from jobs.methods.clusters import components

        # Rows of both files count from 1: odd is left, even is right.
        side = 0 if self.right else 1
        ends = links.select(
            (F.col("l_row") * 2 + 1).alias("a"), (F.col("r_row") * 2 + side).alias("b")
        )
        found = components(ends, "a", "b").agg(
            F.count(F.lit(1)).alias("n"), F.countDistinct("component").alias("clusters")
        )
        [(n_linked, n_clusters)] = found.collect()
        n_rows = self.left.n_rows + (self.right.n_rows if self.right else 0)
        return links.count(), n_rows - n_linked + n_clusters

    def _named(self, links: "DataFrame") -> None:
        """Write the linked pairs by their ids, the least sure first: they are worth a look."""
        from pyspark.sql import functions as F

        own_id = F.col("id" if self.mapping.id else "row").cast("string")
        for own, row, name in (
            (self.left, "l_row", "left"),
            (self.right or self.left, "r_row", "right"),
        ):
            ids = own.rows.select(F.col("row").alias(row), own_id.alias(name))
            links = links.join(ids, row, "inner")
        told = links.orderBy("score", "l_row", "r_row").select(PAIRS.names)
        told.write.parquet(str(self._folder("named")))

    def _kept(self, name: str, rows: "DataFrame") -> "DataFrame":
        """Return rows that are worked out once."""
        rows.write.parquet(str(self._folder(name)))
        return rows.sparkSession.read.parquet(str(self._folder(name)))

    def _folder(self, name: str) -> Path:
        return self.left.scratch / name


def _bits(weights: "Weights") -> dict[str, dict[str, float]]:
    """Return what each level of each column adds to a score."""
    return {
        one.head: dict(zip(one.levels, weights.bits(place).tolist(), strict=True))
        for place, one in enumerate(weights.comparisons)
    }


def _print(figures: dict[str, Any], pairs: Iterable[pa.RecordBatch]) -> None:
    plain = {key: value for key, value in figures.items() if isinstance(value, int | float)}
    print_table("Linked records 记录链接", [plain], {key: key for key in plain})
    levels = dict.fromkeys(level for bits in figures["weights"].values() for level in bits)
    rows = [
        {"column": head} | {level: bits.get(level) for level in levels}
        for head, bits in figures["weights"].items()
    ]
    print_table("Bits that agreement adds", rows, {key: key for key in ("column", *levels)})
    first = list(islice((row for batch in pairs for row in batch.to_pylist()), FEW))
    if first:
        print_table(f"The {len(first)} of {figures['n_pairs']:,} pairs that are least sure", first,
                    {name: name for name in PAIRS.names})  # fmt: skip
