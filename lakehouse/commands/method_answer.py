"""How `bangfu method` answers: a table, one JSON object, a CSV or Parquet file; and its options."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from lakehouse.commands import say
from lakehouse.errors import InputMissing, UsageError, nearest

SUFFIXES = (".csv", ".csv.gz", ".parquet")
ROUNDING = Fraction(1, 10**9)


def listed(option: str, text: str) -> list[str]:
    """Return the names of `a,b,c`; a name with a comma stands in quotation marks."""
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not names or not all(names):
        raise UsageError(f"{option} names nothing before or after a comma: write a,b,c.")
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"{option} names {twice[0]!r} more than once.")
    return names


def fraction(option: str, text: str) -> Fraction:
    """Return a number such as 0.25 or 1/3 without rounding."""
    try:
        return Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{option} {text!r} is neither a number nor a fraction: 0.25, 1/3.") from (
            None
        )


def weights_of(option: str, text: str, names: Sequence[str]) -> dict[str, Fraction]:
    """Return one weight per name. Refuse negative ones; say where they do not add up to 1."""
    given = [fraction(option, part) for part in text.split(",")]
    if len(given) != len(names):
        raise UsageError(
            f"{option} has {len(given)} weights for {len(names)} columns: {', '.join(names)}."
        )
    weights = dict(zip(names, given, strict=True))
    if below := [name for name, weight in weights.items() if weight < 0]:
        raise UsageError(f"{option}: the weight of {', '.join(below)} is below 0.")
    whole = sum(given, Fraction(0))
    if not whole:
        raise UsageError(f"{option} are all 0.")
    if abs(whole - 1) > ROUNDING:
        say(f"{option} add up to {float(whole):.10g}, not to 1, and are taken as shares of that. "
            "A third is written 1/3, not 0.333.")  # fmt: skip
    return weights


def chosen(option: str, word: str, known: Sequence[str]) -> str:
    """Return the word where it is one of those known. Raises UsageError."""
    if word not in known:
        raise UsageError(
            f"{option} is one of {', '.join(known)}, not {word!r}.{nearest(word, list(known))}"
        )
    return word


def check_out(out: Path | None, file: Path) -> None:
    """Refuse, before anything is read, an --out that cannot be written."""
    if out is None:
        return
    if not out.name.lower().endswith(SUFFIXES):
        raise UsageError(f"--out {out.name} ends in none of {', '.join(SUFFIXES)}.")
    if not out.parent.is_dir():
        raise InputMissing(f"--out: there is no folder {out.parent}.")
    if out.exists() and file.exists() and out.samefile(file):
        raise UsageError("--out is the file that is read: name another.")


def tell_left_out(counts: dict[str, Any], why: str) -> None:
    """Say on standard error how many rows do not count."""
    n, n_left_out = counts["n"], counts["n_left_out"]
    if n_left_out:
        say(f"Left out: {n_left_out:,} of {n + n_left_out:,} rows, {why}.")


def write_rows(out: Path, rows: Sequence[dict[str, Any]], text: Sequence[str]) -> None:
    """Write an answer of a few rows, whose keys are columns; `text` names those that are none."""
    counts = ("n", "n_left_out")
    types = {
        key: pa.string() if key in text else pa.int64() if key in counts else pa.float64()
        for key in rows[0]
    }
    write_batches(out, [pa.RecordBatch.from_pylist(list(rows), pa.schema(types))])


def write_batches(out: Path, batches: Iterable[pa.RecordBatch]) -> None:
    """Write CSV or Parquet, by the suffix of `out`, which is replaced only when all is written."""
    part = out.with_name(f".{out.name}.part")
    n_rows = 0
    writer = None
    try:
        for batch in batches:
            writer = writer or _writer(part, out.name.lower(), batch.schema)
            writer.write_batch(batch)
            n_rows += batch.num_rows
        if writer:
            writer.close()
            part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    say(f"Written: {out}, {n_rows:,} rows.")


def _writer(part: Path, name: str, schema: pa.Schema) -> Any:
    if name.endswith(".parquet"):
        return pq.ParquetWriter(part, schema)
    return _CsvWriter(part, name.endswith(".gz"), schema)


class _CsvWriter:
    """A CSV writer that closes the file under it too, zipped or not."""

    def __init__(self, part: Path, is_zipped: bool, schema: pa.Schema) -> None:
        self._file = pa.output_stream(str(part), compression="gzip" if is_zipped else None)
        self._csv = pacsv.CSVWriter(self._file, schema)

    def write_batch(self, batch: pa.RecordBatch) -> None:
        self._csv.write_batch(batch)

    def close(self) -> None:
        self._csv.close()
        self._file.close()


def print_json_rows(told: dict[str, Any], rows: Iterable[dict[str, Any]]) -> None:
    """Print one JSON object whose `rows` come last, a line each, however many there are."""
    print(json.dumps(told, ensure_ascii=False)[:-1] + ', "rows": [')
    before = ""
    for row in rows:
        sys.stdout.write(before + json.dumps(row, ensure_ascii=False))
        before = ",\n"
    print("\n]}")


def parquet_batches(folder: Path) -> Iterator[pa.RecordBatch]:
    """Yield the batches that Spark wrote, part by part: in order where it sorted them."""
    for part in sorted(folder.glob("part-*.parquet")):
        yield from pq.ParquetFile(part).iter_batches()


def flat(figures: dict[str, Any]) -> dict[str, Any]:
    """Return {H: …, censored: {a: …}} as {H: …, censored_a: …}."""
    made: dict[str, Any] = {}
    for key, value in figures.items():
        made |= (
            {f"{key}_{k}": v for k, v in value.items()} if isinstance(value, dict) else {key: value}
        )
    return made
