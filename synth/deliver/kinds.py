"""The kinds of faults in single values: which columns of a feed can have one, and what is written.

Which kinds a feed has follows from the types of its mapping's fields, not from its name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lakehouse.feed import Feed, Field
from synth.deliver.expect import Expected, day_of, of_cell, of_village, read
from synth.state.spelling import ALIKE

PEOPLE_WRITE = ("csv", "tsv", "xlsx")
TEXT_FILES = ("csv", "tsv")
WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
# Styles in which clerks write a day.
DAY_STYLES = {
    "yyyyMMdd": "{0:%Y%m%d}",
    "yyyy-MM-dd": "{0:%Y-%m-%d}",
    "yyyy/M/d": "{0.year}/{0.month}/{0.day}",
    "yyyy年M月d日": "{0.year}年{0.month}月{0.day}日",
}
UNITS = {"yuan": "元", "mu": "亩", "household": "户", "person": "人", "month": "个月"}
# What every other register hangs on has only faults that set no row aside.
HARMLESS = {"trailing_blank", "other_datum", "doubled_row"}
# What a program wrote has no slips of the pen.
OF_PROGRAMS = {"doubled_row", "other_datum"}


@dataclass(frozen=True)
class Slip:
    """One value that a clerk may write wrongly, and what is known where it is written."""

    feed: Feed
    field: Field
    text: str
    rng: np.random.Generator
    retired: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """A kind of fault in a value. `write` returns None for a value that cannot have it."""

    does: str
    fits: Callable[[Field], bool]
    write: Callable[[Slip], str | None]
    village: str | None = None

    def expected(self, feed: Feed, field: Field, right: str, written: str) -> Expected:
        """Return what should become of it."""
        if self.village:
            return of_village(feed, field, self.village)
        return of_cell(field, right, written)


def allowed(feed: Feed, kind: str) -> bool:
    """Tell whether a feed can have a kind of fault in its rows, whatever its columns."""
    if feed.purpose == "reference" and kind not in HARMLESS:
        return False
    return feed.format in PEOPLE_WRITE or kind in OF_PROGRAMS


def columns_for(feed: Feed, kind: Kind) -> list[Field]:
    """Return the columns of a feed that can have a kind of fault."""
    return [field for field in feed.delivered.values() if kind.fits(field)]


# -- which columns -------------------------------------------------------------------------


def _is_id(field: Field) -> bool:
    return field.type == "identity" and field.kind == "person"


def _is_amount(field: Field) -> bool:
    return field.type == "decimal"


def _is_day(field: Field) -> bool:
    return field.type == "date"


def _is_village(field: Field) -> bool:
    return field.type == "area" and field.name == "village_code"


def _is_digits(field: Field) -> bool:
    return _is_id(field) or field.type in ("area", "date", "decimal")


def _is_coded(field: Field) -> bool:
    return _is_id(field) or field.type in ("area", "code", "date")


def _is_typed_in(field: Field) -> bool:
    return _is_coded(field) or field.type in ("text", "decimal", "integer", "yes_no")


# -- what is written -----------------------------------------------------------------------


def _with_letters(slip: Slip) -> str | None:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", slip.text):
        return None
    return slip.text.split(".")[0] + UNITS.get(str(slip.field.unit), "左右")


def _id_of(slip: Slip) -> str | None:
    return slip.text if re.fullmatch("[0-9]{17}[0-9X]", slip.text) else None


def _other_check(slip: Slip) -> str | None:
    number = _id_of(slip)
    others = [one for one in "0123456789X" if not number or one != number[17]]
    return number and number[:17] + others[slip.rng.integers(len(others))]


def _swapped(slip: Slip) -> str | None:
    """Swap two neighbours among the digits of birth and order; the check digit always tells."""
    number = _id_of(slip)
    if not number:
        return None
    places = [at for at in range(6, 16) if number[at] != number[at + 1]]
    if not places:
        return None
    at = places[slip.rng.integers(len(places))]
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :]


def _other_digit(slip: Slip) -> str | None:
    number = _id_of(slip)
    if not number:
        return None
    at = int(slip.rng.integers(17))
    digit = (int(number[at]) + int(slip.rng.integers(1, 10))) % 10
    return f"{number[:at]}{digit}{number[at + 1 :]}"


def _old_style(slip: Slip) -> str | None:
    """Write a number as before 1999: without the century and without the check digit."""
    number = _id_of(slip)
    return number[:6] + number[8:17] if number and number[6:8] == "19" else None


def _small_x(slip: Slip) -> str | None:
    number = _id_of(slip)
    return number[:17] + "x" if number and number[17] == "X" else None


def _no_day(slip: Slip) -> str | None:
    """Write the thirtieth of February of the same year."""
    day = day_of(slip.text, slip.field.formats[0])
    if not day:
        return None
    shapes = {"yyyyMMdd": "{}0230", "yyyy-MM-dd": "{}-02-30", "yyyy/M/d": "{}/2/30"}
    return shapes.get(slip.field.formats[0], "{}年2月30日").format(day.year)


def _other_style(slip: Slip) -> str | None:
    day = day_of(slip.text, slip.field.formats[0])
    others = [form for form in DAY_STYLES if form != slip.field.formats[0]]
    if not day:
        return None
    written = DAY_STYLES[others[slip.rng.integers(len(others))]].format(day)
    return written if written != slip.text else None


def _wide(slip: Slip) -> str | None:
    written = slip.text.translate(WIDE)
    return written if written != slip.text else None


def _trailing(slip: Slip) -> str | None:
    return slip.text + " " * int(slip.rng.integers(1, 4))


def _ideographic(slip: Slip) -> str | None:
    return slip.text + "\u3000"


def _no_village(slip: Slip) -> str | None:
    return slip.text[: min(6, slip.field.digits)] + "9" * (slip.field.digits - 6)


def _ended_village(slip: Slip) -> str | None:
    """Write a code that has ended, of the same county or city where there is one."""
    for digits in (6, 4, 0):
        near = [code for code in slip.retired if code[:digits] == slip.text[:digits]]
        if near:
            return near[slip.rng.integers(len(near))]
    return None


CELLS: dict[str, Kind] = {
    "number_with_letters": Kind("an amount with its unit, 3200元", _is_amount, _with_letters),
    "wrong_check_digit": Kind("an ID number with another check digit", _is_id, _other_check),
    "swapped_digits": Kind("two neighbouring digits of an ID number swapped", _is_id, _swapped),
    "wrong_digit": Kind("another digit in an ID number", _is_id, _other_digit),
    "id_15_digits": Kind("an ID number of fifteen digits, as until 1999", _is_id, _old_style),
    "lower_case_x": Kind("an ID number that ends in a small x", _is_id, _small_x),
    "impossible_date": Kind("the thirtieth of February", _is_day, _no_day),
    "date_style": Kind("a day in another style than the source's own", _is_day, _other_style),
    "unknown_village": Kind(
        "a village code that the tree does not have", _is_village, _no_village, "unknown_area"
    ),
    "retired_village": Kind(
        "a village code that has ended", _is_village, _ended_village, "retired_area"
    ),
    "full_width_digits": Kind("full-width digits, ２１１２２３", _is_digits, _wide),
    "trailing_blank": Kind("one to three blanks behind a value", _is_typed_in, _trailing),
    "ideographic_blank": Kind("an ideographic blank behind a value", _is_coded, _ideographic),
}

# Kinds of rows that are no slip in a single value.
OF_ROWS = {
    "other_datum": "a position in GCJ-02 for WGS-84, some 500 m off, or the reverse",
    "doubled_row": "the row once more, right below itself",
    "in_two_households": "the person once more, in another household or on another card",
    "wrong_field_count": "a line with two fields fewer, or one more",
    "undecodable_line": "bytes that mean nothing in any encoding",
    "other_encoding_line": "a line in UTF-8 within GB18030, or the reverse",
    "other_spelling": "a name spelt otherwise than on the household register",
}


def spelt_otherwise(name: str) -> str:
    """Return a name with a character of the same sound or, where none is known, a wide blank.

    The last character that has a like one changes, the surname last.
    """
    for at in range(len(name) - 1, -1, -1):
        if name[at] in ALIKE and ALIKE[name[at]] != name[at]:
            return name[:at] + ALIKE[name[at]] + name[at + 1 :]
    return f"{name[:1]}\u3000{name[1:]}"


def names_of(feed: Feed) -> list[tuple[str, str]]:
    """Return the columns of people's numbers and names, where a feed has both of somebody.

    The household register is what other spellings are held against: it has none.
    """
    if feed.purpose == "linking":
        return []
    pairs = [(name, f"{name.removesuffix('_id')}_name") for name in feed.delivered]
    return [
        (number, name)
        for number, name in pairs
        if name in feed.delivered and _is_id(feed.delivered[number])
        and feed.delivered[name].personal
    ]  # fmt: skip


def is_readable(field: Field, text: str | None) -> bool:
    """Tell whether a value reads as it should: a fault is put into what is right."""
    return text is not None and read(field, text)[1] is None
