"""Columns of Arrow as the text that a person would read; what is no text has no such form.

A file of Parquet has its sender's types. Bronze keeps text, so that a mapping can be mended.
"""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
TEXTS = pa.map_(pa.string(), pa.string())


def as_text(column: pa.Array) -> pa.Array:
    """Return a column as text. Raises pyarrow.ArrowInvalid for bytes that are not UTF-8.

    Moments are in UTC where they have a zone, without it as they are; fractions of a second stand
    only where there are any. Lists and structures are JSON.
    """
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_timestamp(kind):
        text = column.cast(pa.timestamp("us"), safe=False).cast(pa.string())
        whole = pc.replace_substring_regex(text, r"\.0+$", "")
        return pc.replace_substring_regex(whole, r"(\.[0-9]*[1-9])0+$", r"\1")
    if pa.types.is_nested(kind):
        values = [None if one is None else _json(one) for one in column.to_pylist()]
        return pa.array(values, pa.string())
    if pa.types.is_fixed_size_binary(kind):
        column = column.cast(pa.binary())
    return column.cast(pa.string())


def texts_of(columns: Mapping[str, pa.Array], n_rows: int) -> pa.Array:
    """Return for each row a map of head to text, from columns of text; null without columns."""
    if not columns:
        return pa.nulls(n_rows, TEXTS)
    names, width = list(columns), len(columns)
    # The columns one after the other, taken row by row.
    whole = pa.concat_arrays(columns.values())
    order = [column * n_rows + row for row in range(n_rows) for column in range(width)]
    offsets = pa.array(range(0, n_rows * width + 1, width), pa.int32())
    return pa.MapArray.from_arrays(offsets, pa.array(names * n_rows), whole.take(pa.array(order)))


def total(column: pa.Array) -> float:
    """Return the sum of the numbers in a column of text; what is none counts as 0."""
    numbers = column.filter(pc.match_substring_regex(column, NUMBER))
    trimmed = pc.utf8_trim_whitespace(numbers)
    return float(pc.sum(pc.cast(trimmed, pa.float64())).as_py() or 0.0)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
