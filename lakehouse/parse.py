"""The typed view of a bronze table: text in, values and named reasons out.

Compiled from a feed's mapping. A value that cannot be read becomes null and leaves a reason
`<column>:<what>` in `violations`; the row itself is never dropped here.
"""

from collections.abc import Iterator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.datum import in_wgs84
from lakehouse.feed import UNMAPPED, Feed, Field
from lakehouse.reasons import named

# Where a row is from.
ORIGIN = ("delivery_id", "line", "period")
# Formats of a moment told as a number since 1970-01-01 UTC -> microseconds in its unit.
EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}
# Formats that a cast reads as well -> the shape that they allow.
ISO = {
    "yyyy-MM-dd": r"^\d{4}-\d\d-\d\d$",
    "yyyy-MM-dd HH:mm:ss": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$",
}

# GB 11643-1999: weights of the 17 digits, and the check character by remainder.
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECK = "10X98765432"


def parse(rows: DataFrame, feed: Feed, zone: str) -> DataFrame:
    """Return the typed view of bronze rows, identities still as normalised text.

    Timestamps are read as local time of the feed's zone, else of `zone`, and come out in UTC.
    Positions come out in WGS-84, whatever datum the mapping says that they are in.
    """
    # A step for texts, one for values, one for reasons: what two columns need is computed once,
    # and the plan stays small.
    texts = _delivered(rows, feed).select(
        *[_text(field).alias(_of(field)) for field in feed.fields.values()], *ORIGIN
    )
    values = texts.select(
        "*", *[_read(field, feed.zone or zone).alias(field.name) for field in feed.fields.values()]
    )
    reasons: dict[str, Column] = {}
    for field in feed.fields.values():
        reasons |= _reasons(field)
    typed = values.select(*feed.fields, *ORIGIN, named(reasons).alias("violations"))
    return in_wgs84(typed, feed)


def normal_identity(text: Column, kind: str) -> Column:
    """Return an identity in its one normal form, or null where it cannot be one."""
    if kind == "person":
        number = F.upper(F.trim(text))
        # Until 1999 without the century and the check digit (GB 11643-1989), of people alive then.
        long = F.concat(
            F.substr(number, F.lit(1), F.lit(6)), F.lit("19"), F.substr(number, F.lit(7))
        )
        born = F.try_to_timestamp(F.substr(long, F.lit(7), F.lit(8)), F.lit("yyyyMMdd"))
        is_old = number.rlike("^[0-9]{15}$") & born.isNotNull()
        return F.when(
            number.rlike("^[0-9]{17}[0-9X]$") & has_right_check_digit(number), number
        ).when(is_old, F.concat(long, _check_digit(long)))
    if kind == "phone":
        text = F.trim(text)
        digits = F.regexp_replace(text, r"[\s\-]", "")
        digits = F.regexp_replace(digits, r"^(\+|00)?86(?=1[0-9]{10}$)", "")
        # Nearly every number is a plain mobile one.
        return F.when(text.rlike("^1[0-9]{10}$"), text).when(
            digits.rlike(r"^\+?[0-9]{3,15}$"), digits
        )
    return F.nullif(F.trim(text), F.lit(""))


def has_right_check_digit(number: Column) -> Column:
    """Tell whether the 18th character of an ID number fits the 17 before it (GB 11643-1999)."""
    last = F.substr(number, F.lit(18), F.lit(1))
    return F.coalesce(last == _check_digit(number), F.lit(False))


def _check_digit(number: Column) -> Column:
    """Return the 18th character that the first 17 digits of a number ask for."""
    total = sum(
        (
            (F.ascii(F.substr(number, F.lit(place), F.lit(1))) - ord("0")) * weight
            for place, weight in enumerate(ID_WEIGHTS, start=1)
        ),
        start=F.lit(0),
    )
    return F.substr(F.lit(ID_CHECK), F.pmod(total, F.lit(11)).cast("int") + 1, F.lit(1))


def _delivered(rows: DataFrame, feed: Feed) -> DataFrame:
    """Return the text of each field that files have, and where it is from.

    A field that the mapping has learnt since is among what was not mapped when the file landed.
    """
    there = {*rows.columns}
    kept = [F.col(UNMAPPED)] if UNMAPPED in there else []
    return rows.select(
        *[
            F.coalesce(
                F.col(name) if name in there else F.lit(None).cast("string"),
                *[F.try_element_at(one, F.lit(head)) for one in kept for head in field.head],
            ).alias(name)
            for name, field in feed.delivered.items()
        ],
        *ORIGIN,
    )


def _of(field: Field) -> str:
    """Return the column that has a field's text while rows are parsed."""
    return f"_text_{field.name}"


def _text(field: Field) -> Column:
    """Return a field's text, null where it is empty or says that there is nothing."""
    if not field.is_delivered:
        return F.lit(field.value).cast("string")
    text = F.nullif(F.trim(F.col(field.name)), F.lit(""))
    return F.when(~text.isin(*field.missing), text) if field.missing else text


def _read(field: Field, zone: str) -> Column:
    text = F.col(_of(field))
    match field.type:
        case "code" | "yes_no":
            pairs = [F.lit(word) for pair in field.labels.items() for word in pair]
            code = F.try_element_at(F.create_map(*pairs), text)
            return code.cast("boolean") if field.type == "yes_no" else code
        case "area":
            is_code = text.rlike(f"^[0-9]{{{field.digits}}}$")
            return F.when(is_code, F.rpad(text, 12, "0"))
        case "integer":
            # 12 is read at once; 12.0 and 1.2E1 are whole as well.
            number = text.try_cast("decimal(38,6)")
            whole = F.when(number == F.floor(number), number).try_cast("bigint")
            return F.coalesce(text.try_cast("bigint"), whole)
        case "decimal" | "longitude" | "latitude":
            number = text.try_cast("double") * field.scale
            return F.when(~F.isnan(number) & (F.abs(number) < float("inf")), number)
        case "date":
            return F.coalesce(*_times(text, field, None)).cast("date")
        case "timestamp":
            return F.coalesce(*_times(text, field, zone))
        case "identity":
            return normal_identity(text, str(field.kind))
        case _:
            return text


def _times(text: Column, field: Field, zone: str | None) -> Iterator[Column]:
    """Yield the text read by each of the field's formats; an impossible date fits none.

    Seconds and milliseconds since 1970 are moments already; local times become UTC by `zone`.
    """
    for form in field.formats:
        if form in EPOCHS:
            yield F.timestamp_micros((text.try_cast("decimal(20,3)") * EPOCHS[form]).cast("bigint"))
        else:
            local = F.try_to_timestamp(text, F.lit(form))
            if form in ISO:
                # As strict, and a tenth of the work.
                local = F.when(text.rlike(ISO[form]), text.try_cast("timestamp")).otherwise(local)
            yield F.to_utc_timestamp(local, zone) if zone else local


WHAT = {
    "code": "unknown_code",
    "yes_no": "unknown_code",
    "area": "not_an_area_code",
    "integer": "not_a_whole_number",
    "decimal": "not_a_number",
    "longitude": "not_a_number",
    "latitude": "not_a_number",
    "date": "not_a_date",
    "timestamp": "not_a_time",
    "identity": "malformed",
}


def _reasons(field: Field) -> dict[str, Column]:
    """Return when a field has which reason."""
    text, value = F.col(_of(field)), F.col(field.name)
    reasons = {} if field.optional else {f"{field.name}:missing": text.isNull()}
    if field.type == "text":
        return reasons
    unread = text.isNotNull() & value.isNull()
    if field.kind == "person":
        shaped = F.upper(text).rlike("^[0-9]{17}[0-9X]$")
        reasons[f"{field.name}:check_digit"] = unread & shaped
        unread &= ~shaped
    return {**reasons, f"{field.name}:{WHAT[field.type]}": unread}
