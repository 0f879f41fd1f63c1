"""The files of a delivery, staged as bronze has them: one Parquet file of text, and the bad lines.

One pass over each file in constant memory, whatever its format, on the machine that lands: a Spark
cluster need not see the landing folder.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import pyarrow.fs as pafs

from lakehouse.conf import Settings
from lakehouse.delivery import Delivery, Refused
from lakehouse.feed import Feed
from lakehouse.files import filesystem
from lakehouse.io import Lake
from lakehouse.stream import Origin, Read, StagedWriter, read_file, read_parquet
from lakehouse.unpack import Limits

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Staged:
    """What staging holds of one delivery. `rows` are in bronze's columns, but for the period."""

    uri: str
    read: Read

    @property
    def rows(self) -> str:
        """Return where the rows of text are."""
        return f"{self.uri}/rows.parquet"

    @property
    def n_rows(self) -> int:
        return self.read.rows - self.read.set_aside

    def bad(self, spark: "SparkSession") -> "DataFrame | None":
        """Return the lines that are no rows (line, reason, raw), if there are any."""
        return spark.read.parquet(f"{self.uri}/bad.parquet") if self.read.set_aside else None


@contextmanager
def staged(lake: Lake, conf: Settings, delivery: Delivery, feed: Feed) -> Iterator[Staged]:
    """Give a delivery as it is staged, until it ends.

    Raises Refused where its files cannot be read, or are not as the manifest says.
    """
    with lake.staging(delivery.delivery_id.replace("/", "__")) as uri:
        files, folder = filesystem(uri)
        yield Staged(uri, _stage(delivery, feed, files, folder, limits_of(conf)))


def _stage(
    delivery: Delivery, feed: Feed, files: pafs.FileSystem, folder: str, limits: Limits
) -> Read:
    """Read the files of a delivery into staging; return what they held."""
    origin = Origin(delivery.delivery_id, delivery.arrived_at)
    seen = Read()
    with StagedWriter(files, folder, list(feed.delivered), origin) as writer:
        for file in delivery.files():
            path, totals = delivery.folder / file.name, list(file.totals)
            if feed.format == "parquet":
                read = read_parquet(path, feed, totals, writer, seen.rows)
            else:
                read = read_file(path, feed, totals, writer, seen.rows, limits)
            _same_count(file.name, file.rows, read.rows)
            for name, total in file.totals.items():
                # Totals are sums of text: rows that do not read explain a difference.
                rounding = 0.005 * max(1, file.rows)
                if not read.set_aside and abs(read.totals[name] - total) > rounding:
                    raise Refused("control_total", f"{file.name}: the sum of {name} differs")
            seen.rows += read.rows
            seen.set_aside += read.set_aside
            seen.heads += read.heads
    return seen


def limits_of(conf: Settings) -> Limits:
    """Return how far reading goes, from conf [landing]."""
    return Limits(**{one.name: int(conf.get("landing", one.name)) for one in fields(Limits)})


def _same_count(file: str, told: int, found: int) -> None:
    if told != found:
        raise Refused("control_total", f"{file}: manifest says {told} rows, found {found}")
    if not found:
        raise Refused("no_rows", f"{file} has a head and no rows")
