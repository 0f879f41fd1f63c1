"""Values as a source writes them: text by the feed's mapping, column by column.

Each different code and day is written once only, so that a million rows take a second.
"""

from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.feed import Feed, Field

Rows = pd.DataFrame | pa.Table

NUMBERS = ("integer", "decimal", "longitude", "latitude")
# Patterns of the mappings, longest first -> how a part of a day or a time is written.
_PARTS = {
    "yyyy": "{0.year:04d}", "MM": "{0.month:02d}", "dd": "{0.day:02d}", "HH": "{0.hour:02d}",
    "mm": "{0.minute:02d}", "ss": "{0.second:02d}", "M": "{0.month}", "d": "{0.day}",
    "H": "{0.hour}",
}  # fmt: skip
_DAY_S = 86_400
# Moments told as a number since 1970-01-01 UTC -> microseconds in its unit, as they are parsed.
EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}
# Whole numbers up to here are exact as floating point.
_EXACT = 2**53


def as_written(rows: Rows, feed: Feed, zone: str = "Asia/Shanghai") -> pa.Table:
    """Return rows as text under our column names, in the mapping's order; null where empty.

    `rows` has our codes, units and WGS-84. Numbers come in the source's unit, positions in its
    datum, moments in its own zone (else `zone`). A number, day or moment that is text in an Arrow
    table is written already. Raises ValueError for a code without a label.
    """
    moved = _in_datum(rows, feed)
    columns = {
        name: _written(moved.get(name, rows[name]), spec, feed.zone or zone)
        for name, spec in feed.delivered.items()
    }
    # Parquet keeps words as a dictionary: calls come as such, and millions of them.
    made = _dictionary if feed.format == "parquet" else _plain
    return pa.table({name: made(column) for name, column in columns.items()})


def _dictionary(array: pa.Array) -> pa.Array:
    if not pa.types.is_dictionary(array.type):
        return array
    return pa.DictionaryArray.from_arrays(array.indices.cast(pa.int32()), array.dictionary)


def _plain(array: pa.Array) -> pa.Array:
    return array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array


def _written(values: object, spec: Field, zone: str) -> pa.Array:
    array = _array(values)
    if spec.type in ("code", "yes_no"):
        return _labels(array, spec)
    if isinstance(values, pa.ChunkedArray) and _is_text(array.type):
        return array
    if spec.type in ("date", "timestamp"):
        return times(array, spec.formats[0], zone)
    if spec.type in NUMBERS:
        return _numbers(array, spec.scale)
    text = array if _is_text(array.type) else array.cast(pa.string())
    if spec.type == "area" and spec.digits < 12:
        return pc.utf8_slice_codeunits(_plain(text), 0, spec.digits)
    return text


def _is_text(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(value)


def _array(values: object) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks()
    array = pa.array(values, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _labels(array: pa.Array, spec: Field) -> pa.Array:
    """Return codes under the first label that the source has for each."""
    labels: dict[object, str] = {}
    for label, code in spec.labels.items():
        labels.setdefault(code, label)
    if spec.type == "yes_no":
        labels |= {True: labels["true"], False: labels["false"]}
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    told = coded.dictionary.to_pylist()
    unknown = [code for code in told if code not in labels and code is not None]
    if unknown:
        raise ValueError(f"{spec.name}: {len(unknown)} codes are not in the code list.")
    words = pa.array([labels.get(code) for code in told], pa.string())
    return pa.DictionaryArray.from_arrays(coded.indices, words)


def _numbers(array: pa.Array, scale: float) -> pa.Array:
    """Return numbers as short as they are: 12000, 3.5. Ten digits at most behind a fraction."""
    if pa.types.is_integer(array.type) and scale == 1:
        return array.cast(pa.string())
    scaled = array.cast(pa.float64()).to_numpy(zero_copy_only=False) / scale
    empty = np.isnan(scaled)
    whole = np.where(empty, 0, scaled)
    if (np.abs(whole) < _EXACT).all() and (whole == np.floor(whole)).all():
        return pa.array(whole.astype(np.int64), mask=empty).cast(pa.string())
    return pa.array([f"{one:.10g}" for one in scaled.tolist()], pa.string(), mask=empty)


def times(array: pa.Array, pattern: str, zone: str) -> pa.Array:
    """Return days or local moments by a pattern of the mappings (Spark's letters, or an epoch)."""
    if pattern in EPOCHS:
        return _epochs(array, pattern, zone)
    if not pa.types.is_timestamp(array.type) or "H" not in pattern:
        return _each_once(array, pattern)
    seconds = array.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    empty = np.asarray(seconds.is_null())
    moments = np.where(empty, 0, seconds.to_numpy(zero_copy_only=False)).astype(np.int64)
    day, clock = pattern[: pattern.index("H")], pattern[pattern.index("H") :]
    days = pa.array(moments // _DAY_S, pa.int32(), mask=empty).cast(pa.date32())
    of_day = pa.array(moments % _DAY_S, pa.int32(), mask=empty)
    return pc.binary_join_element_wise(_each_once(days, day), _clock(clock).take(of_day), "")


def _each_once(array: pa.Array, pattern: str) -> pa.Array:
    if pattern in ("yyyy-MM-dd", "yyyyMMdd"):
        days = array.cast(pa.date32(), safe=False).cast(pa.string())
        return days if "-" in pattern else pc.replace_substring(days, "-", "")
    coded = array.dictionary_encode()
    form = _form(pattern)
    words = [None if at is None else form.format(at) for at in coded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(words, pa.string())).cast(
        pa.string()
    )


@cache
def _form(pattern: str) -> str:
    """Return a pattern as a format of Python; what stands in quotes is itself."""
    made, left = "", pattern
    while left:
        if left[0] == "'":
            quoted, _, left = left[1:].partition("'")
            made += quoted
            continue
        part = next((part for part in _PARTS if left.startswith(part)), None)
        made += _PARTS[part] if part else left[0]
        left = left[len(part or left[0]) :]
    return made


@cache
def _clock(pattern: str) -> pa.Array:
    """Return every second of a day by a pattern."""
    seconds = pd.date_range("2000-01-01", periods=_DAY_S, freq="s")
    form = _form(pattern)
    return pa.array([form.format(at) for at in seconds], pa.string())


def _epochs(array: pa.Array, pattern: str, zone: str) -> pa.Array:
    moments = pd.Series(pd.DatetimeIndex(array.to_pandas())).dt.tz_localize(zone)
    utc = moments.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
    counted = pa.array(utc, from_pandas=True).cast(pa.int64())
    return pc.divide(counted, EPOCHS[pattern]).cast(pa.string())


def numbers_of(feed: Feed) -> set[str]:
    """Return the columns that a workbook holds as numbers."""
    return {name for name, spec in feed.delivered.items() if spec.type in NUMBERS}


def counted_of(feed: Feed) -> str | None:
    """Return the column that the control total adds up: the first integer with a unit."""
    for name, spec in feed.delivered.items():
        if spec.type == "integer" and spec.unit:
            return name
    return None


# -- datums --------------------------------------------------------------------------------


def position_of(feed: Feed) -> tuple[str, str] | None:
    """Return the columns of a feed's longitude and latitude, where it has both."""
    by_type = {spec.type: name for name, spec in feed.delivered.items()}
    if "longitude" in by_type and "latitude" in by_type:
        return by_type["longitude"], by_type["latitude"]
    return None


def in_datum(lon: np.ndarray, lat: np.ndarray, datum: str) -> tuple[np.ndarray, np.ndarray]:
    """Return WGS-84 positions, in degrees, as a datum (wgs-84, gcj-02, bd-09) draws them."""
    from lakehouse.datum import BD_TURN, gcj02_of

    if datum == "wgs-84":
        return lon, lat
    x, y = gcj02_of(lon, lat)
    if datum == "gcj-02":
        return x, y
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * BD_TURN)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * BD_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _in_datum(rows: Rows, feed: Feed) -> dict[str, np.ndarray]:
    names = position_of(feed)
    if feed.datum == "wgs-84" or not names:
        return {}
    lon, lat = (
        _array(rows[name]).cast(pa.float64()).to_numpy(zero_copy_only=False) for name in names
    )
    return dict(zip(names, in_datum(lon, lat, feed.datum), strict=True))
