"""What becomes of a fault: how the house reads a value, told a second time and without Spark.

The names are the house's own: `<column>:<what>` of the typed view, those of its streaming reader,
and those that its jobs give. docs/deliveries.md says what each outcome means.
"""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from operator import mul

from lakehouse.delivery import separator_of
from lakehouse.feed import Feed, Field

OUTCOMES = ("repaired", "quarantined", "held", "refused", "reported", "undetectable")
# Feeds that a job reads; of the others the mapping alone makes a table.
OF_JOBS = {
    "area", "cdr", "cell", "consumption_survey", "household_card", "member_card",
    "person_register", "project", "roster",
}  # fmt: skip
# Feeds whose jobs hold `village_code` against the tree of divisions.
CHECKED_VILLAGE = {
    "person_register", "household_card", "member_card", "roster", "project", "consumption_survey",
}  # fmt: skip
# What jobs call a person who stands in two households, or cards.
TWICE = {
    "person_register": "person_id:in_two_households",
    "household_card": "household_id:second_card",
    "member_card": "duplicate_key",
}
# Feeds whose table has no column of the card: the same person on two cards says the same twice.
TWICE_UNSEEN = {"roster"}

_ID = re.compile(r"[0-9]{17}[0-9X]$")
_OLD_ID = re.compile(r"[0-9]{15}$")
_PHONE = re.compile(r"\+?[0-9]{3,15}$")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
# Letters of a pattern of a day -> how they are written. Spark takes each letter at its word.
_LETTERS = {"yyyy": "(?P<y>[0-9]{4})", "MM": "(?P<M>[0-9]{2})", "dd": "(?P<d>[0-9]{2})",
            "M": "(?P<M>[0-9]{1,2})", "d": "(?P<d>[0-9]{1,2})"}  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """What should become of a fault: one of OUTCOMES, and the reason it goes under, if any."""

    outcome: str
    reason: str | None = None


def of_cell(field: Field, right: str | None, written: str | None) -> Expected:
    """Return what becomes of a value that was written otherwise than it is."""
    value, what = read(field, written)
    if what:
        return Expected("quarantined", f"{field.name}:{what}")
    return Expected("repaired" if value == read(field, right)[0] else "undetectable")


def of_village(feed: Feed, field: Field, what: str) -> Expected:
    """Return what becomes of a code that is none in force: `unknown_area`, `retired_area`."""
    if feed.name in CHECKED_VILLAGE and field.name == "village_code":
        return Expected("quarantined", f"village_code:{what}")
    return Expected("undetectable")


def of_repeat(feed: Feed) -> Expected:
    """Return what becomes of a row that comes twice: without a key nothing tells it."""
    return Expected("repaired" if feed.name in OF_JOBS or feed.key else "undetectable")


def of_second_place(feed: Feed, group: str) -> Expected:
    """Return what becomes of a second row for a person, in another household or on another card.

    It has the key of the first row where the key does not name the household, and that of the
    other household's row where the key names nothing else.
    """
    if feed.name in TWICE:
        return Expected("quarantined", TWICE[feed.name])
    if feed.name in TWICE_UNSEEN:
        return Expected("repaired")
    if feed.key and (group not in feed.key or feed.key == (group,)):
        return Expected("quarantined", "duplicate_key")
    return Expected("undetectable")


def of_line(feed: Feed, line: bytes, heads: list[str]) -> Expected:
    """Return what becomes of a line whose bytes were changed, read in the feed's encoding."""
    try:
        text = line.decode(feed.encoding)
    except UnicodeDecodeError:
        text = "\ufffd"
    if "\ufffd" in text:
        return Expected("quarantined", "wrong_encoding")
    values = next(csv.reader([text.lstrip("\ufeff").rstrip("\r\n")], delimiter=separator_of(feed)))
    if len(values) != len(heads):
        return Expected("quarantined", "wrong_field_count")
    found = dict(zip(heads, values, strict=True))
    for field in feed.delivered.values():
        text = next((found[head] for head in field.head if head in found), "")
        what = read(field, text or None)[1]
        if what:
            return Expected("quarantined", f"{field.name}:{what}")
    return Expected("undetectable")


# -- reading -------------------------------------------------------------------------------


def read(field: Field, text: str | None) -> tuple[object, str | None]:
    """Return the value of a text and what is wrong with it, as the typed view has it.

    Only the blank of ASCII is trimmed there.
    """
    text = (text or "").strip(" ") or None
    if text is None or text in field.missing:
        return None, None if field.optional else "missing"
    return _READERS.get(field.type, _text)(field, text)


def _text(field: Field, text: str) -> tuple[object, str | None]:
    return text, None


def _code(field: Field, text: str) -> tuple[object, str | None]:
    return (field.labels[text], None) if text in field.labels else (None, "unknown_code")


def _area(field: Field, text: str) -> tuple[object, str | None]:
    is_code = re.fullmatch(f"[0-9]{{{field.digits}}}", text)
    return (text.ljust(12, "0"), None) if is_code else (None, "not_an_area_code")


def _whole(field: Field, text: str) -> tuple[object, str | None]:
    number = float(text) if _DECIMAL.match(text) else 0.5
    return (int(number), None) if number.is_integer() else (None, "not_a_whole_number")


def _decimal(field: Field, text: str) -> tuple[object, str | None]:
    return (float(text), None) if _DECIMAL.match(text) else (None, "not_a_number")


def _day(field: Field, text: str) -> tuple[object, str | None]:
    day = next((day for form in field.formats if (day := day_of(text, form))), None)
    return (day, None) if day else (None, "not_a_date")


def _moment(field: Field, text: str) -> tuple[object, str | None]:
    return (text, None) if re.match(r"[0-9]", text) else (None, "not_a_time")


def _identity(field: Field, text: str) -> tuple[object, str | None]:
    if field.kind == "person":
        number = text.upper()
        if _OLD_ID.match(number) and day_of(f"19{number[6:12]}", "yyyyMMdd"):
            number = f"{number[:6]}19{number[6:]}"
            return number + _CHECKS[_weighed(number) % 11], None
        if not _ID.match(number):
            return None, "malformed"
        return (number, None) if check_fits(number) else (None, "check_digit")
    if field.kind == "phone":
        digits = re.sub(r"^(\+|00)?86(?=1[0-9]{10}$)", "", re.sub(r"[ \t\n\r\f\v-]", "", text))
        return (digits, None) if _PHONE.match(digits) else (None, "malformed")
    return text, None


_READERS: dict[str, Callable[[Field, str], tuple[object, str | None]]] = {
    "code": _code, "yes_no": _code, "area": _area, "integer": _whole, "decimal": _decimal,
    "longitude": _decimal, "latitude": _decimal, "date": _day, "timestamp": _moment,
    "identity": _identity,
}  # fmt: skip


def day_of(text: str, form: str) -> date | None:
    """Return the day that a text names by a pattern of the mappings, None where it is none."""
    shape = re.sub("yyyy|MM|dd|M|d", lambda found: _LETTERS[found[0]], re.escape(form))
    found = re.fullmatch(shape, text)
    try:
        return date(*(int(found[part]) for part in "yMd")) if found else None
    except ValueError:
        return None


def check_fits(number: str) -> bool:
    """Tell whether the check character of an 18-digit ID number fits (GB 11643-1999)."""
    return _CHECKS[_weighed(number) % 11] == number[17]


def _weighed(number: str) -> int:
    return sum(map(mul, number[:17].encode(), _WEIGHTS)) - ord("0") * sum(_WEIGHTS)
