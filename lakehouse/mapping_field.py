"""Reading the fields of a mapping: heads or places, types, code lists, positions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from lakehouse.errors import DeclarationError, nearest
from lakehouse.feed import ABOUT_THE_ROW, TYPES, UNMAPPED, Feed, Field
from lakehouse.schemas import codes
from lakehouse.table import CodeList

KINDS = ("person", "household", "card", "phone", "subscriber")
AREA_DIGITS = (2, 4, 6, 9, 12)
_FIELD_KEYS = {
    "head", "at", "type", "meaning", "optional", "personal", "codes", "map", "formats", "kind",
    "scale", "unit", "digits", "value", "missing", "was",
}  # fmt: skip
_CODE_LISTS = {name: one for name, one in vars(codes).items() if isinstance(one, CodeList)}


def fields_of(path: Path, raw: dict[str, Any], onto: Feed | None) -> dict[str, Field]:
    fields = {}
    for name, spec in raw["columns"].items():
        if not isinstance(spec, dict):
            raise DeclarationError(f'{path}: columns.{name} is written as {{ head = ["…"], … }}.')
        refuse_unknown(path, f"columns.{name}.", spec, _FIELD_KEYS)
        if name in (*ABOUT_THE_ROW, "arrived_at", UNMAPPED):
            raise DeclarationError(f"{path}: columns.{name}: bronze has a column of that name.")
        fields[name] = _field_onto(path, name, spec, onto) if onto else _field(path, name, spec)
    _refuse_shared_heads(path, fields)
    _check_positions(path, raw, fields)
    return {**_left_out(path, fields, onto), **fields} if onto else fields


def _left_out(path: Path, fields: dict[str, Field], onto: Feed) -> dict[str, Field]:
    """Return all fields of the other feed, in its order; those not mapped are null."""
    for name, field in onto.fields.items():
        if name not in fields and not field.optional:
            raise DeclarationError(
                f"{path}: {onto.name} needs {name!r} ({field.meaning}): name its head under "
                "[columns], or give it a `value`."
            )
    return {
        name: replace(field, head=(), at=None, value=None) for name, field in onto.fields.items()
    }


def _field_onto(path: Path, name: str, spec: dict[str, Any], onto: Feed) -> Field:
    """Read a field that another feed declares: what the mapping does not say is as there."""
    if name not in onto.fields:
        raise DeclarationError(
            f"{path}: {onto.name} has no column {name!r}.{nearest(name, list(onto.fields))}"
        )
    there, where = onto.fields[name], f"columns.{name}"
    for word in ("type", "codes", "kind"):
        if word in spec:
            raise DeclarationError(f"{path}: {where}.{word} is {onto.name}'s to say.")
    listed = there.codes or codes.YES_NO
    labels = _mapped(path, where, spec["map"], listed) if "map" in spec else there.labels
    return replace(
        there,
        head=_heads(path, where, spec),
        labels=labels,
        meaning=spec.get("meaning", there.meaning),
        formats=tuple(spec.get("formats", there.formats)),
        scale=float(spec.get("scale", there.scale)),
        digits=_digits(path, where, spec, there.type),
        value=_value(spec),
        at=_at(spec),
        missing=tuple(spec.get("missing", there.missing)),
        was=spec.get("was"),
    )


def _field(path: Path, name: str, spec: dict[str, Any]) -> Field:
    where = f"columns.{name}"
    for word in ("type", "meaning"):
        if word not in spec:
            raise DeclarationError(f"{path}: {where}.{word} is missing.")
    one_of(path, f"{where}.type", spec["type"], tuple(TYPES))
    if spec["type"] == "identity":
        one_of(path, f"{where}.kind", spec.get("kind"), KINDS)
    if spec["type"] in ("date", "timestamp") and not spec.get("formats"):
        raise DeclarationError(f"{path}: {where}.formats is missing.")
    listed, labels = _labels(path, where, spec)
    return Field(
        name=name,
        head=_heads(path, where, spec),
        type=spec["type"],
        meaning=spec["meaning"],
        optional=spec.get("optional", False),
        personal=spec.get("personal", spec["type"] == "identity"),
        kind=spec.get("kind"),
        formats=tuple(spec.get("formats", ())),
        scale=float(spec.get("scale", 1)),
        unit=spec.get("unit"),
        digits=_digits(path, where, spec, spec["type"]),
        value=_value(spec),
        at=_at(spec),
        missing=tuple(spec.get("missing", ())),
        labels=labels,
        codes=listed,
        was=spec.get("was"),
    )


def _heads(path: Path, where: str, spec: dict[str, Any]) -> tuple[str, ...]:
    if sum(word in spec for word in ("head", "at", "value")) != 1:
        raise DeclarationError(
            f"{path}: {where} has either a head (the source has such a field) or a value; in "
            "a file of fixed width, `at` in place of the head."
        )
    heads = spec.get("head", ())
    return (heads,) if isinstance(heads, str) else tuple(heads)


def _value(spec: dict[str, Any]) -> str | None:
    return None if "value" not in spec else str(spec["value"])


def _at(spec: dict[str, Any]) -> tuple[int, int] | None:
    return (spec["at"][0], spec["at"][1]) if "at" in spec else None


def _digits(path: Path, where: str, spec: dict[str, Any], kind: str) -> int:
    digits = spec.get("digits", 12)
    if "digits" in spec and (kind != "area" or digits not in AREA_DIGITS):
        raise DeclarationError(
            f"{path}: {where}.digits is for an area code, of {', '.join(map(str, AREA_DIGITS))}."
        )
    return int(digits)


def _labels(path: Path, where: str, spec: dict[str, Any]) -> tuple[CodeList | None, dict[str, str]]:
    """Return the code list of a field, and what its codes are called in the source."""
    given = spec.get("map")
    if spec["type"] == "yes_no":
        return None, _mapped(path, where, given, codes.YES_NO)
    if spec["type"] != "code":
        return None, {}
    if "codes" not in spec and given:
        # A list of the mapping's own: what it maps to, each called as in the source.
        name = f"{path.stem}.{where.removeprefix('columns.')}"
        return CodeList(name, {code: text for text, code in given.items()}), dict(given)
    one_of(path, f"{where}.codes", spec.get("codes"), tuple(_CODE_LISTS))
    listed = _CODE_LISTS[spec["codes"]]
    return listed, _mapped(path, where, given, listed)


def _mapped(
    path: Path, where: str, given: dict[str, str] | None, listed: CodeList
) -> dict[str, str]:
    """Return text -> code: as the mapping says, else each code by its label."""
    for code in (given or {}).values():
        one_of(path, f"{where}.map", code, tuple(listed.labels))
    return dict(given or {label: code for code, label in listed.labels.items()})


def _refuse_shared_heads(path: Path, fields: dict[str, Field]) -> None:
    seen: dict[str, str] = {}
    for field in fields.values():
        for head in field.head:
            if head in seen:
                raise DeclarationError(
                    f"{path}: the head {head!r} is mapped to two columns, {seen[head]} and "
                    f"{field.name}."
                )
            seen[head] = field.name


def _check_positions(path: Path, raw: dict[str, Any], fields: dict[str, Field]) -> None:
    """A datum other than WGS-84 is converted, which takes one longitude and one latitude."""
    found = [sum(f.type == kind for f in fields.values()) for kind in ("longitude", "latitude")]
    if raw.get("datum", "wgs-84") != "wgs-84" and found != [1, 1]:
        raise DeclarationError(
            f"{path}: datum {raw['datum']!r} needs one column of type longitude and one of type "
            f"latitude; here are {found[0]} and {found[1]}."
        )


def refuse_unknown(path: Path, where: str, given: dict[str, Any], known: set[str]) -> None:
    for word in given:
        if word not in known:
            raise DeclarationError(
                f"{path}: unknown key {where}{word!r}.{nearest(word, sorted(known))}"
            )


def one_of(path: Path, where: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise DeclarationError(
            f"{path}: {where} is {value!r}; known are {', '.join(known)}."
            f"{nearest(str(value), list(known))}"
        )
