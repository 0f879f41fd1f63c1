"""What a reason for setting rows aside means, where it is declared, and what mends it."""

from typing import Any

from lakehouse.errors import UsageError, nearest
from lakehouse.feed import family
from lakehouse.registry import Registry
from lakehouse.table import Table

# Of a whole line of a file.
LINES = {
    "wrong_field_count": "the line has more or fewer fields than the head",
    "wrong_line_length": "the line of fixed width ends before its last field",
    "wrong_encoding": "the bytes of the line are not of the encoding that the mapping names",
    "line_too_long": "the line is longer than conf [landing] allows",
    "not_json": "the line is no JSON",
    "not_an_object": "the line is JSON, and no object",
    "repeated_key": "the object has one key twice",
}
# Of one value.
VALUES = {
    "missing": "the field is empty, and the mapping says that it may not be",
    "malformed": "the text cannot be such an identity",
    "check_digit": "the ID number has 18 digits, and its check character is another",
    "unknown_code": "the text is not in the code list, nor in the mapping's `map`",
    "not_an_area_code": "the text has not the digits of an area code",
    "not_a_whole_number": "the text is no whole number",
    "not_a_number": "the text is no number",
    "not_a_date": "no format of the mapping reads the text as a day",
    "not_a_time": "no format of the mapping reads the text as a moment",
    "not_finite": "the number is infinite, or none",
    "out_of_range": "the value is outside the bounds of the column",
}
DUPLICATE = "another row has the same key and says something else; the first counts"
BY_SOURCE = "the source delivers a correction that supersedes the delivery"
BY_MAPPING = "the source corrects it, or the mapping learns it (then `bangfu run` reads it again)"
BY_LINE = "the source corrects it, or the mapping does (then `bangfu quarantine replay`)"


def explained(known: Registry, table: type[Table], reason: str) -> dict[str, Any]:
    """Return table, reason, meaning, where it is declared, and what mends it.

    Raises UsageError for a reason that the table cannot give, with the nearest one.
    """
    told: dict[str, Any] = {"table": table.name, "reason": reason}
    column, _, what = reason.rpartition(":")
    if reason in table.rules:
        rule = table.rules[reason]
        return told | {"means": f"{rule.meaning} Not so: {rule.sql}", "declared": _at(table),
                       "mend": BY_SOURCE}  # fmt: skip
    if reason == "duplicate_key":
        keys = ", ".join(table.key)
        return told | {"means": DUPLICATE, "declared": f"key {keys} of {_at(table)}",
                       "mend": BY_SOURCE}  # fmt: skip
    if not column and reason in LINES:
        return told | {"means": LINES[reason], "declared": _mappings(known, table),
                       "mend": BY_LINE}  # fmt: skip
    if column and (what in VALUES or column in table.columns):
        own = table.columns.get(column)
        means = VALUES.get(what, what.replace("_", " "))
        about = f"{column} ({own.meaning})" if own else column
        return told | {"means": f"{about}: {means}", "declared": _mappings(known, table),
                       "mend": BY_MAPPING}  # fmt: skip
    possible = [*table.rules, *LINES, "duplicate_key"]
    raise UsageError(f"{table.name} gives no reason {reason!r}.{nearest(reason, possible)}")


def _at(table: type[Table]) -> str:
    return f"{table.__module__}.{table.__name__}"


def _mappings(known: Registry, table: type[Table]) -> str:
    """Return the mappings that a table's rows are read by."""
    bronze = [table.name, *(known.inputs(table.name) if table.name in known.jobs else [])]
    names = [name.split(".")[1] for name in bronze if name.startswith("bronze.")]
    files = [one.name for name in names for one in family(name, known.feeds)]
    return ", ".join(f"{name}.toml" for name in files) or _at(table)
