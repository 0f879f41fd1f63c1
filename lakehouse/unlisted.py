"""Values that are in no code list, by how often they were set aside: a list that was widened.

A value is shown only where it can be nothing but a code: of a field that is not personal, short,
without the digits of a number, and in as many rows as a released figure needs. All others are
counted together.
"""

import re
from typing import TYPE_CHECKING, Any

from lakehouse.feed import Feed, family
from lakehouse.io import arrow_rows, newest_version, table_path
from lakehouse.room import offered

if TYPE_CHECKING:
    from lakehouse.run import House

OTHER = "(others)"
LONGEST = 12
NUMBER = re.compile(r"\d{5}")


def unlisted(house: "House", table: str, reason: str) -> list[dict[str, Any]]:
    """Return the unlisted values of a reason `<field>:unknown_code` with their rows, most first.

    A row that several runs have set aside counts once. Empty for any other reason.
    """
    field, _, what = reason.rpartition(":")
    if what != "unknown_code" or not field:
        return []
    shown_from = int(house.conf.get("quarantine", "shown_from"))
    counts: dict[str, int] = {}
    for feed in _feeds_of(house, table):
        if field not in feed.delivered:
            continue
        is_open = not feed.delivered[field].personal
        for value, n in _counted(house, table, feed, field, reason):
            word = value if is_open and may_be_shown(value, n, shown_from) else OTHER
            counts[word] = counts.get(word, 0) + n
    ordered = sorted(counts.items(), key=lambda pair: (pair[0] == OTHER, -pair[1], pair[0]))
    return [{"value": value, "rows": n} for value, n in ordered]


def may_be_shown(value: str, n_rows: int, shown_from: int) -> bool:
    """Tell whether a value is short and frequent enough to be a code, and no number of anybody."""
    return n_rows >= shown_from and len(value) <= LONGEST and not NUMBER.search(value)


def _feeds_of(house: "House", table: str) -> list[Feed]:
    """Return the mappings that a table's rows are read by."""
    made = house.registry.inputs(table) if table in house.registry.jobs else []
    names = [name.split(".")[1] for name in (table, *made) if name.startswith("bronze.")]
    return [one for name in names for one in family(name, house.registry.feeds)]


def _counted(
    house: "House", table: str, feed: Feed, field: str, reason: str
) -> list[tuple[str, int]]:
    """Count the text of a field in bronze, of the rows that a table has set aside for a reason."""
    from deltalake import DeltaTable

    path = table_path(house.conf.lake, feed.table.name)
    if newest_version(path) is None:
        return []
    with offered(house, table) as engine:
        if engine is None:
            return []
        engine.register("bronze", arrow_rows(DeltaTable(path), path))
        engine.execute(
            "CREATE TEMP TABLE lines AS SELECT DISTINCT delivery_id, line FROM aside "
            "WHERE list_contains(violations, ?)",
            [reason],
        )
        # The partition of bronze is in the delivery's name: others are not opened.
        periods = "SELECT DISTINCT split_part(delivery_id, '/', 2) FROM lines"
        return engine.execute(
            f'SELECT trim("{field}"), count(*) FROM bronze JOIN lines USING (delivery_id, line) '
            f"WHERE period IN ({periods}) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
