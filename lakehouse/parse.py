"""The typed view of a bronze table: text in, values and named reasons out.

Compiled from a feed's mapping. A value that cannot be read becomes null and leaves a reason
`<column>:<what>` in `violations`; the row itself is never dropped here.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.feed import Feed, Field

# GB 11643-1999: weights of the 17 digits, and the check character by remainder.
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECK = "10X98765432"


def parse(rows: DataFrame, feed: Feed, zone: str) -> DataFrame:
    """Return the typed view of bronze rows, identities still as normalised text.

    Timestamps are read as local time of `zone` and come out in UTC.
    """
    read = {name: _read(field, zone) for name, field in feed.fields.items()}
    reasons = [
        reason for name, field in feed.fields.items() for reason in _reasons(field, read[name])
    ]
    return rows.select(
        *[value.alias(name) for name, value in read.items()],
        "delivery_id",
        "line",
        "period",
        F.array_compact(F.array(*reasons)).alias("violations"),
    )


def normal_identity(text: Column, kind: str) -> Column:
    """Return an identity in its one normal form, or null where it cannot be one."""
    if kind == "person":
        number = F.upper(F.trim(text))
        return F.when(number.rlike("^[0-9]{17}[0-9X]$") & has_right_check_digit(number), number)
    if kind == "phone":
        digits = F.regexp_replace(F.trim(text), r"[\s\-]", "")
        digits = F.regexp_replace(digits, r"^(\+|00)?86(?=1[0-9]{10}$)", "")
        return F.when(digits.rlike(r"^\+?[0-9]{3,15}$"), digits)
    return F.nullif(F.trim(text), F.lit(""))


def has_right_check_digit(number: Column) -> Column:
    """Tell whether the 18th character of an ID number fits the 17 before it."""
    total = sum(
        (
            F.try_to_number(F.substr(number, F.lit(place), F.lit(1)), F.lit("9")) * weight
            for place, weight in enumerate(ID_WEIGHTS, start=1)
        ),
        start=F.lit(0),
    )
    check = F.substr(F.lit(ID_CHECK), (total % 11).cast("int") + 1, F.lit(1))
    return F.coalesce(F.substr(number, F.lit(18), F.lit(1)) == check, F.lit(False))


def _text(field: Field) -> Column:
    return F.nullif(F.trim(F.col(field.name)), F.lit(""))


def _read(field: Field, zone: str) -> Column:
    text = _text(field)
    match field.type:
        case "code" | "yes_no":
            pairs = [F.lit(word) for pair in field.labels.items() for word in pair]
            code = F.try_element_at(F.create_map(*pairs), text)
            return code.cast("boolean") if field.type == "yes_no" else code
        case "area":
            return F.when(text.rlike("^[0-9]{12}$"), text)
        case "integer":
            number = text.try_cast("decimal(38,6)")
            return F.when(number == F.floor(number), number).try_cast("bigint")
        case "decimal":
            number = text.try_cast("double") * field.scale
            return F.when(~F.isnan(number) & (F.abs(number) < float("inf")), number)
        case "date":
            return _time(text, field).cast("date")
        case "timestamp":
            return F.to_utc_timestamp(_time(text, field), zone)
        case "identity":
            return normal_identity(text, str(field.kind))
        case _:
            return text


def _time(text: Column, field: Field) -> Column:
    """Read text by the first of the field's formats that fits; an impossible date fits none."""
    return F.coalesce(*[F.try_to_timestamp(text, F.lit(form)) for form in field.formats])


WHAT = {
    "code": "unknown_code",
    "yes_no": "unknown_code",
    "area": "not_an_area_code",
    "integer": "not_a_whole_number",
    "decimal": "not_a_number",
    "date": "not_a_date",
    "timestamp": "not_a_time",
    "identity": "malformed",
}


def _reasons(field: Field, value: Column) -> list[Column]:
    text = _text(field)
    reasons = []
    if not field.optional:
        reasons.append(F.when(text.isNull(), F.lit(f"{field.name}:missing")))
    if field.type == "text":
        return reasons
    unread = text.isNotNull() & value.isNull()
    what = F.lit(f"{field.name}:{WHAT[field.type]}")
    if field.kind == "person":
        shaped = F.upper(text).rlike("^[0-9]{17}[0-9X]$")
        what = F.when(shaped, F.lit(f"{field.name}:check_digit")).otherwise(what)
    return [*reasons, F.when(unread, what)]
