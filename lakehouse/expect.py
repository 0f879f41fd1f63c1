"""What a mapping expects of its deliveries as a whole: which figures, how grave, within what.

Nothing need be said: figures follow from the fields. [expect] of a mapping switches them off,
lets them warn only, bounds them by fixed numbers, or says in which register a field is looked up.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import DeclarationError, nearest

SEVERITIES = ("hold", "warn", "off")
# What each kind of figure tells, and of which fields there is one.
KINDS = {
    "rows": "how many rows a delivery has",
    "nulls": "share of rows where the field is empty",
    "distinct": "how many different identities",
    "located": "share of rows whose value is in the register that `in` names",
    "unknown": "share of values that are not in the code list",
    "psi": "how far codes drifted since the delivery before",
}
OF_TYPES = {"distinct": ("identity",), "unknown": ("code", "yes_no"), "psi": ("code", "yes_no")}
_KEYS = ("severity", "least", "most")


@dataclass(frozen=True)
class Expect:
    """What is expected of one figure. None: as the house does it; `into` is feed and column."""

    severity: str | None = None
    least: float | None = None
    most: float | None = None
    into: tuple[str, str] | None = None


def expected(path: Path, raw: dict[str, Any], types: dict[str, str]) -> dict[str, Expect]:
    """Return [expect] of a mapping by figure (`rows`, `nulls.<field>`), or by its kind alone.

    `types` are the fields with their types. Raises DeclarationError naming the nearest word.
    """
    told: dict[str, Expect] = {}
    for kind, said in raw.get("expect", {}).items():
        where = f"{path}: expect.{kind}"
        _known(where, kind, list(KINDS))
        if not isinstance(said, dict):
            raise DeclarationError(f'{where} is written as {{ severity = "warn" }}.')
        of_kind = {word: value for word, value in said.items() if not isinstance(value, dict)}
        if of_kind:
            told[kind] = _expect(where, of_kind, kind if kind == "rows" else "")
        possible = [name for name, type_ in types.items() if type_ in OF_TYPES.get(kind, (type_,))]
        for field, one in said.items():
            if isinstance(one, dict):
                _known(f"{where}.{field}", field, [] if kind == "rows" else possible)
                told[f"{kind}.{field}"] = _expect(f"{where}.{field}", one, kind)
    return told


def check_registers(expects: dict[str, dict[str, Expect]], columns: dict[str, list[str]]) -> None:
    """Raise DeclarationError where a feed looks a field up in what no feed has.

    `expects` are the expectations of each feed, `columns` the fields of each.
    """
    for feed, of_feed in expects.items():
        for figure, one in of_feed.items():
            if one.into:
                _known(f"{feed}.toml: expect.{figure}.in", one.into[0], list(columns))
                _known(f"{feed}.toml: expect.{figure}.in", one.into[1], columns[one.into[0]])


def _expect(where: str, said: dict[str, Any], kind: str) -> Expect:
    # A bound is of one figure; of a whole kind only how grave it is can be said.
    keys = ("severity",) if not kind else (*_KEYS, "in") if kind == "located" else _KEYS
    for word in said:
        _known(where, word, list(keys))
    severity, into = said.get("severity"), said.get("in")
    if severity is not None:
        _known(f"{where}.severity", severity, list(SEVERITIES))
    for word in ("least", "most"):
        if type(said.get(word, 0)) not in (int, float):
            raise DeclarationError(f"{where}.{word} is {said[word]!r}; write a number.")
    if kind == "located" and (not isinstance(into, str) or into.count(".") != 1):
        raise DeclarationError(f'{where} names a register and its column: in = "cell.cell_id".')
    feed, _, column = str(into).partition(".")
    return Expect(severity, said.get("least"), said.get("most"), (feed, column) if into else None)


def _known(where: str, word: Any, known: list[str]) -> None:
    if word not in known:
        some = f"; known are {', '.join(known)}" if known else ""
        raise DeclarationError(f"{where}: {word!r} is unknown{some}.{nearest(str(word), known)}")
