"""The mapping of `bangfu method link`: which columns are names, addresses, dates, ids, codes."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from lakehouse.commands.method_input import LABEL, Kind, Want
from lakehouse.errors import DeclarationError, InputMissing, nearest

if TYPE_CHECKING:
    from jobs.methods.agreement import Comparison

# Key of the mapping -> kind of comparison.
LISTS = {"names": "name", "addresses": "address", "dates": "date", "ids": "id", "codes": "code"}
KEYS = ("id", *LISTS, "passes", "right")
ID = Kind(is_text=True, wrong=pc.is_null, told="is empty", mend="Each record has an id of its own.")


@dataclass(frozen=True)
class Mapping:
    """Which columns of two files are held against each other, and how.

    Columns are told by their heads in the left file; `right` has those of the other.
    """

    file: str
    id: str | None
    kinds: dict[str, str]
    swaps: dict[str, str]
    passes: tuple[tuple[str, ...], ...]
    right: dict[str, str]

    @property
    def roles(self) -> dict[str, str]:
        """Return the name of each column while it is worked on, whatever its head is."""
        return {head: f"x{place}" for place, head in enumerate(self.kinds)}

    def wants(self, is_right: bool) -> dict[str, Want]:
        """Return the columns that one file has to have, by role."""
        heads = self.right if is_right else {}
        told = {"id": Want(self.file, heads.get(self.id, self.id), ID)} if self.id else {}
        return told | {
            role: Want(self.file, heads.get(head, head), LABEL) for head, role in self.roles.items()
        }

    def comparisons(self) -> "list[Comparison]":
        """Return what is compared, by roles."""
        from jobs.methods.agreement import Comparison

        return [
            Comparison(role, self.kinds[head], self.roles.get(self.swaps.get(head, "")), head)
            for head, role in self.roles.items()
        ]


def read_mapping(file: Path) -> Mapping:
    """Read and check a mapping. Raises InputMissing, DeclarationError naming the key."""
    if not file.is_file():
        raise InputMissing(f"--mapping: there is no file {file}.")
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise DeclarationError(f"{file.name} is no TOML: {wrong}") from None
    for key in told:
        if key not in KEYS:
            raise DeclarationError(
                f"{file.name} has the key {key!r}.{nearest(key, list(KEYS))} "
                f"It may have: {', '.join(KEYS)}."
            )
    lists = {key: _heads(file, key, told.get(key, [])) for key in LISTS}
    named = [head for heads in lists.values() for head in heads]
    if not named:
        raise DeclarationError(f'{file.name} names no column: names = ["given_name"], dates = …')
    if twice := [head for head in named if named.count(head) > 1]:
        raise DeclarationError(f"{file.name} names the column {twice[0]!r} more than once.")
    own_id, right = told.get("id"), told.get("right", {})
    if not isinstance(own_id, str | None) or not _is_text(right):
        raise DeclarationError(f'{file.name}: id is one head, [right] has lines as left = "right".')
    passes = [_heads(file, "passes", one) for one in _list(file, "passes", told.get("passes", []))]
    for head in [*(head for one in passes for head in one), *(right.keys() - {own_id})]:
        if head not in named:
            raise DeclarationError(
                f"{file.name}: {head!r} is none of the columns it compares.{nearest(head, named)}"
            )
    first = lists["names"]
    return Mapping(
        file.name,
        own_id,
        {head: LISTS[key] for key, heads in lists.items() for head in heads},
        {first[0]: first[1]} if len(first) > 1 else {},
        tuple(tuple(one) for one in passes),
        right,
    )


def _is_text(told: Any) -> bool:
    return isinstance(told, dict) and all(isinstance(head, str) and head for head in told.values())


def _list(file: Path, key: str, told: Any) -> list[Any]:
    if not isinstance(told, list):
        raise DeclarationError(f'{file.name}: {key} is a list of lists, [["surname", "born"]].')
    return told


def _heads(file: Path, key: str, told: Any) -> list[str]:
    is_heads = isinstance(told, list) and all(isinstance(head, str) and head for head in told)
    if not is_heads or (key == "passes" and not told):
        example = "has lists of heads" if key == "passes" else "is a list of heads"
        raise DeclarationError(f'{file.name}: {key} {example}, such as ["given_name", "surname"].')
    return told
