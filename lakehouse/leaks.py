"""Whether a person's name or number stands anywhere outside the restricted zone.

What to look for is what bronze holds: identities of every kind and columns of personal text. It is
looked for in every other table, in the logs of their versions, and in every file of the house:
Data Docs, pages, lineage events, models, the operations store. Found values are counted, not shown.
"""

import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.fs as pafs
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StringType

from lakehouse.feed import feeds
from lakehouse.files import filesystem
from lakehouse.parse import normal_identity
from lakehouse.table import RESTRICTED

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from lakehouse.run import House

# Shorter numbers are those of many things.
SHORTEST_NUMBER = 6
NUMBER = re.compile(rf"[0-9A-Za-z]{{{SHORTEST_NUMBER},}}")
SPACED = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[\s-]?[0-9]){5,}[Xx]?(?![0-9A-Za-z])")
# A name alone, or within a sentence, where two characters would be any two.
HAN = re.compile(r"[\u3400-\u9fff·]{2,}")
ALONE, WITHIN = 8, (3, 4)
NAME = "name"
# Folders of a home that belong to the restricted zone, or are looked into as tables.
NOT_FILES = ("landing", "lake", "keys", "tmp")
CHUNK, OVERLAP = 2**20, 256
PACKED = (".parquet", ".zip", ".png", ".jar")


@dataclass(frozen=True)
class Leak:
    """Values of one kind that stand in one place: a column, or a file."""

    place: str
    kind: str
    n_values: int


def leaks(house: "House") -> list[Leak]:
    """Return where values of the restricted zone stand outside of it, by place and kind.

    Empty is what it should be. Numbers are found whole, also with spaces or hyphens between their
    digits; names alone, or within a sentence if they have three or four characters.
    """
    spark = house.spark
    told = spark.createDataFrame(in_files(house), "place string, value string")
    seen = [*in_tables(house), told]
    found = seen[0]
    for more in seen[1:]:
        found = found.unionByName(more)
    joined = found.distinct().join(secrets(house), "value", "inner")
    counted = joined.groupBy("place", "kind").agg(F.countDistinct("value").alias("n"))
    rows = counted.orderBy("place", "kind").collect()
    return [Leak(row["place"], row["kind"], row["n"]) for row in rows]


def secrets(house: "House") -> "DataFrame":
    """Return what must stand nowhere else (kind, value): as delivered, and in its normal form."""
    each = []
    for feed in feeds().values():
        if not house.lake.exists(feed.table.name):
            continue
        rows = house.lake.read(feed.table.name)
        for field in feed.fields.values():
            if field.type == "identity":
                forms = [F.col(field.name), normal_identity(F.col(field.name), str(field.kind))]
                each += [rows.select(*_secret(str(field.kind), _plain(one))) for one in forms]
            elif field.personal and field.type == "text":
                each.append(rows.select(*_secret(NAME, F.trim(F.col(field.name)))))
    if not each:
        return house.spark.createDataFrame([], "kind string, value string")
    told = each[0]
    for more in each[1:]:
        told = told.unionByName(more)
    least = F.when(F.col("kind") == NAME, 2).otherwise(SHORTEST_NUMBER)
    return told.where(F.length("value") >= least).distinct()


def _secret(kind: str, value: "Column") -> "list[Column]":
    return [F.lit(kind).alias("kind"), value.alias("value")]


def _plain(number: "Column") -> "Column":
    return F.upper(F.regexp_replace(number, r"[\s\-]", ""))


def in_tables(house: "House") -> "Iterator[DataFrame]":
    """Yield what may be a name or number (place, value) of each table outside the zone."""
    for name, table in house.registry.tables.items():
        if table.layer in (*RESTRICTED, "conf") or not house.lake.exists(name):
            continue
        rows = house.lake.read(name)
        texts = [
            F.struct(F.lit(f"{name}.{column}").alias("place"), text.alias("text"))
            for column, kind in rows.dtypes
            if (text := _text_of(column, kind)) is not None
        ]
        if texts:
            told = rows.select(F.inline(F.array(*texts))).where("text IS NOT NULL").distinct()
            yield told.select("place", F.explode(_words("text")).alias("value"))


def _text_of(column: str, kind: str) -> "Column | None":
    if kind == "string":
        return F.col(column)
    return F.to_json(F.col(column)) if "string" in kind else None


@F.arrow_udf(ArrayType(StringType()))  # type: ignore[untyped-decorator]
def _words(texts: pa.Array) -> pa.Array:
    return pa.array([sorted(words(one)) for one in texts.to_pylist()], pa.list_(pa.string()))


def words(text: str) -> set[str]:
    """Return everything in a text that may be a name or number, numbers in one plain form."""
    found = {run.upper() for run in NUMBER.findall(text)}
    found |= {re.sub(r"[\s-]", "", run).upper() for run in SPACED.findall(text)}
    for run in HAN.findall(text):
        if len(run) <= ALONE:
            found.add(run)
        for size in WITHIN:
            found |= {run[at : at + size] for at in range(len(run) - size + 1)}
    return found


def in_files(house: "House") -> list[tuple[str, str]]:
    """Return what may be a name or number (place, value) in files: of the home, and of versions."""
    home, told = house.conf.home, []
    for file in sorted(home.rglob("*")):
        inside = file.relative_to(home)
        if file.is_file() and inside.parts[0] not in NOT_FILES and file.suffix not in PACKED:
            with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
                told += [(str(inside), word) for word in _words_of(opened)]
    for place, logs in _version_logs(house):
        for log in logs:
            told += [(place, word) for word in words(log.decode("utf-8", "replace"))]
    return told


def _words_of(file: "BinaryIO | gzip.GzipFile") -> set[str]:
    found: set[str] = set()
    end = b""
    while chunk := file.read(CHUNK):
        found |= words((end + chunk).decode("utf-8", "ignore"))
        end = chunk[-OVERLAP:]
    return found


def _version_logs(house: "House") -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield the log entries of each table outside the zone: they hold least and greatest values."""
    for name, table in house.registry.tables.items():
        if table.layer in (*RESTRICTED, "conf") or not house.lake.exists(name):
            continue
        files, inner = filesystem(house.lake.path(name))
        entries = files.get_file_info(pafs.FileSelector(f"{inner}/_delta_log"))
        names = [one.path for one in entries if one.is_file and not one.path.endswith(PACKED)]
        yield f"{name} (its log)", (_read(files, one) for one in names)


def _read(files: pafs.FileSystem, path: str) -> bytes:
    with files.open_input_stream(path) as opened:
        return bytes(opened.read())
