"""`bangfu method correspondence`: which division of one year is which of another."""

from collections.abc import Iterable
from contextlib import ExitStack
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import typer

from lakehouse.commands import AsJson, print_json, print_table
from lakehouse.commands import method_answer as answer
from lakehouse.commands.method import Out
from lakehouse.commands.method_input import NAME, Kind, OwnTable, Want, own_table
from lakehouse.errors import ChecksFailed
from lakehouse.schemas import codes

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FEW = 10
A_CODE = r"^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})$"
CODE = Kind(
    is_text=True,
    wrong=lambda x: pc.invert(pc.fill_null(pc.match_substring_regex(x, A_CODE), False)),
    told="holds something other than codes",
    mend="A division code has 2, 4, 6, 9 or 12 digits.",
)
# Days that only tell before from after.
BEFORE, AFTER = date(1900, 1, 1), date(2000, 1, 1)
ROWS = pa.schema(
    {
        name: pa.string()
        for name in ("old_code", "old_name", "level", "new_code", "new_name", "basis", "reason")
    }
)


def correspondence(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="Divisions of one year, CSV or Parquet.")
    ],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Divisions of another year.")],
    code: Annotated[
        str, typer.Option(metavar="COL", help="Codes of 2, 4, 6, 9 or 12 digits, in both.")
    ] = "code",
    name: Annotated[str, typer.Option(metavar="COL", help="Names, in both.")] = "name",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Find every division of one year in the tree of another (区划代码对照).

    By code, else by name where it lay, else by its parts; what is left is placed in the area
    above, with the reason. The rules: docs/methods/correspondence.md.

    Examples: `bangfu method correspondence 2016.csv.gz 2023.csv --out 2016-2023.csv`,
    `bangfu method correspondence old.parquet new.parquet --code dm --name mc --json`
    """
    for file in (old, new):
        answer.check_out(out, file)
    wants = {"code": Want("--code", code, CODE), "name": Want("--name", name, NAME)}
    with ExitStack() as opened:
        ours, theirs = (opened.enter_context(own_table(file, wants)) for file in (old, new))
        for own, file in ((ours, old), (theirs, new)):
            _require_one_row_each(own, file, code)
        folder = ours.scratch / "told"
        _told(ours.rows, theirs.rows).write.parquet(str(folder))
        figures = _figures(folder, ours, theirs)
        if out:
            answer.write_batches(out, answer.parquet_batches(folder))
        if as_json:
            print_json(figures)
        else:
            _print(figures, answer.parquet_batches(folder))


def _require_one_row_each(own: OwnTable, file: Path, head: str) -> None:
    n = _whole(own.rows).distinct().count()
    if n < own.n_rows:
        raise ChecksFailed(
            f"Column {head!r} of {file.name} has {n:,} codes for {own.n_rows:,} rows: a division "
            "has one row."
        )


def _whole(rows: "DataFrame") -> "DataFrame":
    """Return the codes with all twelve digits."""
    from pyspark.sql import functions as F

    return rows.select(F.rpad("code", 12, "0").alias("area_code"))


def _told(old: "DataFrame", new: "DataFrame") -> "DataFrame":
    """Return one row per old code, with the columns of ROWS, in order of the code."""
    from pyspark.sql import functions as F

    from jobs.methods.places import level_of
    from jobs.silver.area_correspondence import area_correspondence

    named = [
        rows.select(F.rpad("code", 12, "0").alias("area_code"), F.col("name").alias(f"{age}_name"))
        for age, rows in (("old", old), ("new", new))
    ]
    both = named[0].join(named[1], "area_code", "full").withColumn("level", level_of("area_code"))
    is_new, is_gone = F.col("old_name").isNull(), F.col("new_name").isNull()
    spans = area_correspondence(
        both.select(
            "area_code",
            F.coalesce("new_name", "old_name").alias("area_name"),
            "level",
            F.when(is_new, F.lit(AFTER)).otherwise(F.lit(BEFORE)).alias("valid_from"),
            F.when(is_gone, F.lit(AFTER)).alias("valid_to"),
            F.lit(None).cast("string").alias("successor_code"),
        )
    )
    now = spans.where((F.col("since") <= F.lit(AFTER)) & F.col("until").isNull()).select(
        "area_code", F.col("code_then").alias("new_code"), "basis", "reason"
    )
    new_name = named[1].withColumnRenamed("area_code", "new_code")
    return (
        both.where(~is_new)
        .drop("new_name")
        .join(now, "area_code", "left")
        .join(new_name, "new_code", "left")
        .withColumnRenamed("area_code", "old_code")
        .orderBy("old_code")
        .select(ROWS.names)
    )


def _figures(folder: Path, ours: OwnTable, theirs: OwnTable) -> dict[str, Any]:
    """Return how many divisions of each level are known, and how."""
    from pyspark.sql import functions as F

    told = ours.rows.sparkSession.read.parquet(str(folder))
    is_renamed = (F.col("basis") == "itself") & (F.col("old_name") != F.col("new_name"))
    counted = told.groupBy("level", "basis").agg(
        F.count(F.lit(1)).alias("n"), F.count_if(is_renamed).alias("renamed")
    )
    levels: dict[str, dict[str, int]] = {level: {} for level in codes.LEVEL}
    for row in counted.collect():
        level = levels[row["level"]]
        level[row["basis"] or "nowhere"] = row["n"]
        level["renamed"] = level.get("renamed", 0) + row["renamed"]
    there = {level: counts for level, counts in levels.items() if counts}
    return {"n_old": ours.n_rows, "n_new": theirs.n_rows, "levels": there}


def _print(figures: dict[str, Any], rows: Iterable[pa.RecordBatch]) -> None:
    known = (*codes.CORRESPONDENCE, "nowhere", "renamed")
    heads = [one for one in known if any(one in by for by in figures["levels"].values())]
    print_table(
        f"Divisions 区划代码对照: {figures['n_old']:,} in {figures['n_new']:,}",
        [{"level": level} | counts for level, counts in figures["levels"].items()],
        {head: head for head in ("level", *heads)},
    )
    not_found = (
        row for batch in rows for row in batch.to_pylist() if row["basis"] in ("area_above", None)
    )
    if first := list(islice(not_found, FEW)):
        print_table(f"The first {len(first)} that are not found",
                    first, {name: name for name in ROWS.names})  # fmt: skip
