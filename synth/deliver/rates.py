"""How often something is wrong: conf/synth_faults.toml, checked, by level."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from lakehouse.conf import conf_dir, read_toml
from lakehouse.errors import DeclarationError, UsageError, nearest
from synth.deliver.kinds import CELLS, OF_ROWS
from synth.deliver.shapes import KINDS
from synth.plan import LEVELS


@dataclass(frozen=True)
class Group:
    """Delivery faults that share one rate. `every` is day, month or None for both."""

    kinds: tuple[str, ...]
    every: str | None
    share: float


@dataclass(frozen=True)
class Rates:
    """The rates of one level. `rows` are shares of rows, `people` of people, by kind."""

    rows: dict[str, float]
    people: dict[str, float]
    groups: tuple[Group, ...]
    least_rows: float
    least_deliveries: float
    heads: dict[str, str]


@cache
def rates(level: str) -> Rates:
    """Return the rates of a level.

    Raises UsageError for a level that is none, DeclarationError for a file that cannot be right.
    """
    if level not in LEVELS:
        raise UsageError(
            f"--faults {level!r}: it is {', '.join(LEVELS)}.{nearest(level, list(LEVELS))}"
        )
    path = conf_dir() / "synth_faults.toml"
    raw = read_toml(path)
    for word in ("rows", "people", "at_least", "deliveries", "heads"):
        if word not in raw:
            raise DeclarationError(f"{path}: [{word}] is missing.")
    row_kinds = [*CELLS, *OF_ROWS]
    _refuse_unknown(path, "rows", [*raw["rows"], *raw["people"]], row_kinds)
    whole = [kind for one in raw["deliveries"] for kind in one["kinds"]]
    _refuse_unknown(path, "deliveries", whole, list(KINDS))
    groups = tuple(
        Group(
            tuple(one["kinds"]),
            one.get("every"),
            _share(path, f"deliveries {one['kinds'][0]}", one, level),
        )
        for one in raw["deliveries"]
    )
    if sum(group.share for group in groups) > 1:
        raise DeclarationError(f"{path}: the shares of [[deliveries]] add up to more than 1.")
    return Rates(
        {name: _share(path, f"rows.{name}", one, level) for name, one in raw["rows"].items()},
        {name: _share(path, f"people.{name}", one, level) for name, one in raw["people"].items()},
        groups,
        raw["at_least"]["share_of_rows"],
        raw["at_least"]["share_of_deliveries"],
        raw["heads"],
    )


def _refuse_unknown(path: object, where: str, given: list[str], known: list[str]) -> None:
    for kind in given:
        if kind not in known:
            raise DeclarationError(
                f"{path}: {where} has no kind {kind!r} of fault.{nearest(kind, known)}"
            )


def _share(path: object, where: str, one: dict[str, Any], level: str) -> float:
    if level == "none":
        return 0.0
    share = one.get(level)
    if not isinstance(share, int | float) or not 0 <= share <= 1:
        raise DeclarationError(f"{path}: {where}.{level} is {share!r}; a share is from 0 to 1.")
    return float(share)
