"""What a changed declaration would do to the rows of its table: counted, nothing written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakehouse import checks, migrate_rows
from lakehouse.changes import Change, compare
from lakehouse.errors import InputMissing
from lakehouse.io import newest_version, table_path
from lakehouse.standing import Standing, standing
from lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lakehouse.run import House


@dataclass(frozen=True)
class Planned:
    """What a migration of one table would do. Rows: rows = kept + aside (+ emptied).

    `rows` is None where no row is touched. `refused` says why it cannot be done as it is.
    """

    table: str
    changes: list[Change]
    rows: int | None = None
    kept: int = 0
    aside: int = 0
    emptied: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    @property
    def rewrites(self) -> bool:
        """Tell whether every row is written again, not only those that go."""
        kinds = {change.kind for change in self.changes}
        is_new_to_a_rule = bool(self.aside) and "column added" in kinds
        hows = {change.how for change in self.changes}
        return bool(
            "rewrite" in hows or "no such cast" in kinds or self.emptied or is_new_to_a_rule
        )

    @property
    def moves_rows(self) -> bool:
        return self.rewrites or self.aside > 0


class Planner:
    """Compares the tables of one house with their declarations."""

    def __init__(self, house: "House", *, rebuild: bool = False, force: bool = False) -> None:
        """`rebuild`: empty tables whose rows cannot be told; `force`: set aside however many."""
        self.house, self.rebuild, self.force = house, rebuild, force
        self.root = house.conf.lake

    def plan(
        self, names: list[str] | None = None, tell: Callable[[str], None] | None = None
    ) -> list[Planned]:
        """Return what differs, table by table; those that stand as declared are left out.

        Reads rows, once for each table, only where a change touches them. `tell` hears of those.
        """
        planned = []
        for table in self.tables(names):
            there = self.standing(table)
            changes = compare(there, table)
            if changes:
                is_read = any(change.how != "alter" for change in changes)
                if tell and is_read:
                    tell(f"{table.name} …")
                planned.append(self.judge(table, there, changes)[0])
        return planned

    def tables(self, names: list[str] | None) -> Iterator[type[Table]]:
        known = self.house.registry
        for name in names or sorted(known.tables):
            table = known.table(name)
            if table.layer == "conf" or newest_version(table_path(self.root, table.name)) is None:
                if names:
                    raise InputMissing(f"{table.name} has not been made yet: nothing to migrate.")
                continue
            yield table

    def standing(self, table: type[Table]) -> Standing:
        return standing(table_path(self.root, table.name), lambda: self.house.spark)

    def judge(
        self, table: type[Table], there: Standing, changes: list[Change]
    ) -> "tuple[Planned, DataFrame | None]":
        """Count what would become of each row, in one pass; give the rows, judged."""
        if all(change.how == "alter" for change in changes):
            return Planned(table.name, changes), None
        rows = self.house.lake.read(table.name, self.house.lake.version(table.name))
        if self.rebuild or any(change.how == "anew" for change in changes):
            return self._emptied(table, changes, rows.count()), None
        marked = migrate_rows.judged(rows, there, table)
        split = checks.count(marked)
        refused = self._too_many(table, split)
        if any(change.kind == "key" for change in changes) and (
            more := migrate_rows.doubled(marked, table)
        ):
            refused.append(self._anew(table, f"{more} rows share a key with another"))
        planned = Planned(table.name, changes, split.made, split.good, split.quarantined,
                          reasons=split.reasons, refused=refused)  # fmt: skip
        return planned, marked

    def _emptied(self, table: type[Table], changes: list[Change], n_rows: int) -> Planned:
        """Plan a table whose rows are made again: refused unless asked for, and if none can."""
        refused = []
        if n_rows and not (self.rebuild and self._is_made(table)):
            anew = [one for one in changes if one.how == "anew"] or changes
            told = "; ".join(f"{one.kind} {one.what}: {one.was} -> {one.now}" for one in anew)
            refused = [self._anew(table, told)]
        return Planned(table.name, changes, n_rows, emptied=n_rows, refused=refused)

    def _is_made(self, table: type[Table]) -> bool:
        return self._maker(table) in self.house.registry.jobs

    def _maker(self, table: type[Table]) -> str:
        """Return the table whose runs write a table: its own, or that whose history it is."""
        return self.house.registry.histories.get(table.name, table.name)

    def _anew(self, table: type[Table], why: str) -> str:
        if not self._is_made(table):
            return f"{why}: its rows cannot be told otherwise, and no job makes them again"
        return (
            f"{why}: `bangfu migrate {table.name} --rebuild --apply` empties the table, and "
            f"{self._runs(table)} makes it again"
        )

    def _runs(self, table: type[Table]) -> str:
        """Return the commands that make a table again, for each date that it was made for."""
        maker = self._maker(table)
        done = self.house.ops.dates_done(maker)
        dates = done[-1:] if table.write == "merge" else done
        shown = [f"`bangfu run {maker} --as-of {one}`" for one in dates[-3:]]
        more = f" (and {len(dates) - 3} dates before)" if len(dates) > 3 else ""
        return (", ".join(shown) or f"`bangfu run {maker}`") + more

    def _too_many(self, table: type[Table], split: checks.Split) -> list[str]:
        share = split.quarantined / split.made if split.made else 0.0
        if share <= table.share_bad or self.force:
            return []
        way = (
            f"make them again ({self._runs(table)})"
            if self._is_made(table)
            else "mend the declaration"
        )
        return [
            f"{split.quarantined} of {split.made} rows would be set aside, {table.share_bad:.0%} "
            f"allowed: {way}, or give --force"
        ]
