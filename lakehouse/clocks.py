"""Two clocks: when it was so (valid), and when the house said so (known). No Spark here.

A table that is merged by key holds one state. What it said before, and of which days, lies in a
second table of its name, `<table>_history`, which is declared here from the first one.
"""

from dataclasses import replace
from typing import Any

from lakehouse.table import Column, Table

SUFFIX = "_history"
CLOCKS = {
    "valid_from": Column("date", "First day for which it was so.", example="2015-11-01"),
    "valid_to": Column(
        "date", "First day for which it was so no longer; null: still.", nullable=True
    ),
    "known_from": Column(
        "timestamp", "Since when the house has said so, UTC.", example="2015-12-03 08:00:00"
    ),
    "known_to": Column(
        "timestamp", "Since when it says otherwise, UTC; null: it still says so.", nullable=True
    ),
}
# Of a table whose rows say themselves from when to when they hold, one clock is kept.
KNOWN = {name: column for name, column in CLOCKS.items() if name.startswith("known")}


def has_history(table: type[Table]) -> bool:
    """Tell whether it is kept what a table said before: of silver tables that hold one state.

    Not where its declaration says history=False, nor where a line of a delivery is all its key.
    """
    is_merged = table.layer == "silver" and table.write == "merge"
    return is_merged and table.history and "delivery_id" not in table.key


def tells_validity(table: type[Table]) -> bool:
    """Tell whether rows say themselves from when to when they hold, as those of the area tree."""
    return "valid_from" in table.columns


def says_each_date(table: type[Table]) -> bool:
    """Tell whether the history of a table says its state of any date: it has both clocks."""
    return has_history(table) and not tells_validity(table)


def clocks_of(table: type[Table]) -> dict[str, Column]:
    """Return the columns that the history of a table has beside those of the table."""
    return KNOWN if tells_validity(table) else CLOCKS


def history_of(table: type[Table]) -> type[Table]:
    """Declare the history of a table: its columns and the clocks, one row for each that it said."""
    bare, clocks = table.name.split(".")[1], clocks_of(table)
    # What was said was good by the rules of its day: those of another day do not judge it.
    columns = {
        name: replace(column, codes=None, least=None, most=None, nullable=name not in table.key)
        for name, column in table.columns.items()
    }
    told: dict[str, Any] = {
        "__doc__": f"What {table.name} has said of which days, and when (历史).\n\n"
        "A row is never changed but for `known_to`: what was said stays to be read. No two rows of "
        "a key hold for one day at one time of knowledge.",
        # Of no module: it goes with its table, whoever declares that.
        "__module__": "histories",
    }
    return type(
        "History",
        (Table,),
        columns | clocks | told,
        layer=table.layer,
        name=f"{bare}{SUFFIX}",
        key=(*table.key, *(name for name in clocks if name.endswith("_from"))),
        area=table.area,
        purpose=table.purpose,
        owner=table.owner,
        write="history",
        fresh_days=table.fresh_days,
        keep_days=table.keep_days,
        share_bad=table.share_bad,
    )
