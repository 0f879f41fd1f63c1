"""What landing would make of a delivery, without Spark: its reason, its rows, its bad lines."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from lakehouse.delivery import Delivery, Refused, check_files, find
from lakehouse.stream import Row, check_parquet, read_file
from synth.deliver.delivery import feeds_known

Line = dict[str, str | None]


@dataclass
class Content:
    """`rows` by our column names; `bad` the reasons of lines that are no row."""

    delivery: Delivery
    refused: str | None = None
    content: str | None = None
    rows: list[Line] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)

    def take(self, row: Row) -> None:
        _, values, reason, _ = row
        if values is None:
            self.bad.append(str(reason))
        else:
            self.rows.append(values)


def read(one: Delivery) -> Content:
    """Read one delivery as landing does: files against manifest, heads, rows, totals."""
    found, its_feed = Content(one), feeds_known()[one.feed]
    [file] = one.files()
    path = one.folder / file.name
    try:
        found.content = check_files(one, its_feed)
        if its_feed.format == "parquet":
            n_rows, columns, _ = check_parquet(path, its_feed)
            rows = pq.read_table(path).to_pylist()
            found.rows = [{columns[head]: text for head, text in row.items()} for row in rows]
        else:
            told = read_file(path, its_feed, list(file.totals), found)  # type: ignore[arg-type]
            n_rows = told.rows
            assert told.totals == file.totals
        assert n_rows == file.rows
    except Refused as refused:
        found.refused = refused.reason
    return found


def read_all(landing: Path) -> list[Content]:
    return [read(one) for one in find(landing)]


def right(contents: list[Content], name: str) -> Content:
    """Return the delivery of a feed that counts: the first one that is not refused."""
    return next(one for one in contents if one.delivery.feed == name and not one.refused)
