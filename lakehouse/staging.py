"""The files of a delivery as frames of text: rows, lines that are none, and what was seen.

Text is read in one pass into staging, Parquet is left to Spark; either way nothing is held.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING

import pyarrow.fs as pafs
from pyspark.sql import functions as F

from lakehouse.conf import Settings
from lakehouse.delivery import Delivery, Refused, spare_heads
from lakehouse.feed import UNMAPPED, Feed
from lakehouse.io import Lake, filesystem
from lakehouse.stream import Read, StagedWriter, check_parquet, read_file
from lakehouse.unpack import Limits

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@contextmanager
def staged(
    lake: Lake, conf: Settings, delivery: Delivery, feed: Feed
) -> "Iterator[tuple[DataFrame, DataFrame | None, Read]]":
    """Give the rows of a delivery as text, the lines that are none, and what its files held.

    Raises Refused where they cannot be read, or are not as the manifest says.
    """
    if feed.format == "parquet":
        rows, seen = _parquet_rows(lake, delivery, feed)
        yield rows, None, seen
        return
    staging = f"{lake.root}/_staging/{delivery.delivery_id.replace('/', '__')}"
    files, folder = filesystem(staging)
    try:
        seen = _stage(delivery, feed, files, folder, limits_of(conf))
        rows = lake.spark.read.parquet(f"{staging}/rows.parquet")
        bad = lake.spark.read.parquet(f"{staging}/bad.parquet")
        yield rows, bad if seen.set_aside else None, seen
    finally:
        _remove(files, folder)


def _parquet_rows(lake: Lake, delivery: Delivery, feed: Feed) -> "tuple[DataFrame, Read]":
    """Leave Parquet to Spark: only footers are read here."""
    seen, frame = Read(), None
    for file in delivery.files():
        path = delivery.folder / file.name
        rows, matched, found = check_parquet(path, feed)
        seen.heads += found
        _same_count(file.name, file.rows, rows)
        columns = {column: head for head, column in matched.items()}
        one = lake.spark.read.parquet(str(path)).select(
            *[
                (F.col(f"`{columns[name]}`") if name in columns else F.lit(None))
                .cast("string")
                .alias(name)
                for name in feed.delivered
            ],
            _unmapped(spare_heads(found, feed)).alias(UNMAPPED),
            (F.col("_metadata.row_index") + 2 + seen.rows).alias("line"),
        )
        frame = one if frame is None else frame.unionByName(one)
        seen.rows += rows
    assert frame is not None  # check_files refuses a manifest without files
    return frame, seen


def _unmapped(spare: dict[str, str]) -> "Column":
    """Return the text of the columns that a mapping does not name, by head, or null."""
    told = [
        one
        for head, name in spare.items()
        for one in (F.lit(name), F.col(f"`{head}`").cast("string"))
    ]
    return F.create_map(*told) if told else F.lit(None).cast("map<string,string>")


def _stage(
    delivery: Delivery, feed: Feed, files: pafs.FileSystem, folder: str, limits: Limits
) -> Read:
    """Read the text files of a delivery into staging; return what they held."""
    _remove(files, folder)
    writer = StagedWriter(files, folder, list(feed.delivered))
    seen = Read()
    try:
        for file in delivery.files():
            read = read_file(
                delivery.folder / file.name, feed, list(file.totals), writer, seen.rows, limits
            )
            _same_count(file.name, file.rows, read.rows)
            for name, total in file.totals.items():
                # Totals are sums of text: rows that do not read explain a difference.
                rounding = 0.005 * max(1, file.rows)
                if not read.set_aside and abs(read.totals[name] - total) > rounding:
                    raise Refused("control_total", f"{file.name}: the sum of {name} differs")
            seen.rows += read.rows
            seen.set_aside += read.set_aside
            seen.heads += read.heads
    finally:
        writer.close()
    return seen


def limits_of(conf: Settings) -> Limits:
    """Return how far reading goes, from conf [landing]."""
    return Limits(**{one.name: int(conf.get("landing", one.name)) for one in fields(Limits)})


def _same_count(file: str, told: int, found: int) -> None:
    if told != found:
        raise Refused("control_total", f"{file}: manifest says {told} rows, found {found}")
    if not found:
        raise Refused("no_rows", f"{file} has a head and no rows")


def _remove(files: pafs.FileSystem, folder: str) -> None:
    if files.get_file_info(folder).type == pafs.FileType.Directory:
        files.delete_dir(folder)
