"""The area that a page is about: read from a code, found in the tree, named."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.pages import words
from jobs.pages.disclosure import above, digits_of, padded, with_those_above
from jobs.pages.lake import Lake
from lakehouse.errors import InputMissing, UsageError, nearest

LEVELS = {2: "province", 4: "city", 6: "county", 9: "town", 12: "village"}
NEAREST = 3


@dataclass(frozen=True)
class Place:
    """One division in force on the day, with its position where there is one."""

    code: str
    name: str
    level: str
    lon: float | None
    lat: float | None
    is_synthetic: bool


@dataclass(frozen=True)
class Area:
    """The area asked for. `below` are the divisions right below it that have households."""

    code: str
    places: dict[str, Place]
    below: tuple[str, ...]

    @property
    def digits(self) -> str:
        """Return the digits that every code within the area begins with."""
        return self.code[: digits_of(self.code)]

    @property
    def level(self) -> str:
        return LEVELS[digits_of(self.code)]

    @property
    def province(self) -> str:
        """Return the two digits of its province: what figures are hidden by is whole there."""
        return self.code[:2]

    def name(self, code: str) -> str:
        """Return the name of a division; its code where the tree does not know it."""
        if code == "0" * 12:
            return "全国"
        return words.place_name(self.places[code].name) if code in self.places else code

    def names_down_to(self, code: str) -> str:
        """Return the names of a division and of those above it, within the area asked for."""
        chain = reversed(list(with_those_above(code)))
        return " ".join(self.name(one) for one in chain if digits_of(one) > digits_of(self.code))

    def full_name(self) -> str:
        """Return the area's name after that of its province, city and county, as known."""
        known = [one for one in with_those_above(self.code) if one in self.places]
        return "".join(self.name(one) for one in reversed(known)) or self.code

    def has(self, code: str) -> bool:
        """Tell whether a division lies in the area, or is it."""
        return code.startswith(self.digits)


def code_of(text: str) -> str:
    """Read a code of 2 to 12 digits as 12, zeros at its end saying nothing. Raises UsageError."""
    if not re.fullmatch(r"[0-9]{2,12}", text) or not text.strip("0"):
        raise UsageError(
            f"--area {text!r}: write the code of a province, city, county or town, 2 to 12 digits, "
            "such as 21, 2112, 211223 or 211223101."
        )
    code = padded(text)
    if digits_of(code) == max(LEVELS):
        raise UsageError(
            f"--area {text}: a village is too small for a report of its own. Its town is "
            f"{code[:9]}."
        )
    return code


def area_of(lake: Lake, text: str) -> Area:
    """Return the area that a code names, with its tree.

    Raises UsageError where there is no such division, and InputMissing, naming the nearest that
    have, where it has no registered household on the day.
    """
    code = code_of(text)
    rows = lake.all(
        "SELECT area_code, area_name, level, lon, lat, is_position_synthetic FROM area "
        "WHERE starts_with(area_code, ?) ORDER BY area_code",
        code[:2],
    )
    places = {row["area_code"]: Place(*row.values()) for row in rows}
    asked = Area(code, places, ())
    held = _areas_with_data(lake)
    if code not in held:
        _refuse(lake, asked, held)
    below = tuple(sorted(one for one in held if above(one) == code))
    return Area(code, places, below)


def _areas_with_data(lake: Lake) -> set[str]:
    """Return all areas, from province to town, that have registered households."""
    towns = lake.all(
        "SELECT DISTINCT rpad(substr(village_code, 1, 9), 12, '0') AS code FROM household_feature"
    )
    return {area for row in towns for area in with_those_above(row["code"])}


def _refuse(lake: Lake, asked: Area, held: set[str]) -> None:
    code = asked.code
    if code not in {area for place in asked.places for area in with_those_above(place)}:
        known = lake.all("SELECT area_code FROM area WHERE level <> 'village' ORDER BY area_code")
        near = nearest(asked.digits, [_short(row["area_code"]) for row in known])
        raise UsageError(f"There is no division {asked.digits} on {lake.as_of}.{near}")
    near = _nearest(code, sorted(held))
    told = f"The nearest with data: {', '.join(near)}." if near else "No area has."
    raise InputMissing(
        f"{asked.name(code)} ({asked.digits}) has no registered household on {lake.as_of}. {told}"
    )


def _nearest(code: str, held: Sequence[str]) -> list[str]:
    """Return the nearest codes of the same level; where that has none, of any."""
    same = [one for one in held if digits_of(one) == digits_of(code)] or held
    near = sorted(same, key=lambda one: (abs(int(one) - int(code)), one))[:NEAREST]
    return [_short(one) for one in near]


def _short(code: str) -> str:
    return code[: digits_of(code)]
