"""Parts: clean rows that blocks leave for each delivery and truth table, in a work folder.

One Arrow file per table, period and block, named so that reading them in order of name is
reading the blocks in order: the order in which workers finish changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

ALWAYS = "always"  # The period of what is no register of a month.


@dataclass(frozen=True)
class Parts:
    """A work folder of parts: `<kind>/<table>/<period>/<block>.arrow`, kind feed or truth."""

    root: Path

    def leave(self, kind: str, table: str, period: str, block: int, rows: pd.DataFrame) -> None:
        """Write one part. No rows leave none, but for the truth, all of whose tables are there."""
        if kind == "feed" and not len(rows):
            return
        folder = self.root / kind / table / period
        folder.mkdir(parents=True, exist_ok=True)
        pyarrow.feather.write_feather(
            arrow(rows), str(folder / f"{block:07d}.arrow"), compression="lz4"
        )

    def tables(self, kind: str) -> list[tuple[str, str]]:
        """Return tables and periods that have parts, sorted."""
        found = (self.root / kind).glob("*/*")
        return sorted((path.parent.name, path.name) for path in found)

    def read(self, kind: str, table: str, period: str) -> Iterator[tuple[int, pd.DataFrame]]:
        """Yield block numbers and rows, in the order of the blocks."""
        for path in sorted((self.root / kind / table / period).glob("*.arrow")):
            yield int(path.stem), pyarrow.feather.read_table(str(path)).to_pandas()

    def parquet(self, kind: str, table: str, out: Path) -> int:
        """Write all parts of a table as one Parquet file, a row group a part; return the rows."""
        paths = sorted((self.root / kind / table).glob("*/*.arrow"), key=_by_block)
        made = out.with_name(f".{out.name}.tmp")
        out.parent.mkdir(parents=True, exist_ok=True)
        n_rows, writer = 0, None
        for path in paths:
            rows = pyarrow.feather.read_table(str(path)).replace_schema_metadata(None)
            if len(rows) or path == paths[-1]:
                writer = writer or pq.ParquetWriter(made, rows.schema, compression="zstd")
            if len(rows):
                writer.write_table(rows)
            n_rows += len(rows)
        if writer:
            writer.close()
            made.rename(out)
        return n_rows


def _by_block(path: Path) -> tuple[str, str]:
    return path.parent.name, path.name


def arrow(rows: pd.DataFrame) -> pa.Table:
    """Return a frame as Arrow with types that do not hang on the values of one part.

    Days and moments are timestamps, text is text even where a part has none of it.
    """
    columns = {}
    for name in rows.columns:
        values = rows[name]
        if values.dtype.kind == "M":
            columns[name] = pa.array(values.astype("datetime64[us]"), pa.timestamp("us"))
        elif values.dtype == object:
            columns[name] = pa.array(values.where(values.notna(), None), _of_objects(values))
        else:
            columns[name] = pa.array(values.to_numpy() if values.dtype.kind in "biuf" else values)
    return pa.table(columns)


def _of_objects(values: pd.Series) -> pa.DataType:
    """Return the type of a column of objects: days, or text."""
    known = values.dropna()
    if len(known) and isinstance(known.iloc[0], bool | np.bool_):
        return pa.bool_()
    return pa.string()
