"""A small county as files, with some of everything in it: truth/ and deliveries as tables."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from lakehouse.delivery import find
from lakehouse.feed import Field
from synth import make as making
from synth.deliver.delivery import feeds_known
from synth.deliver.expect import read as value_of
from synth.plan import Told
from tests.synth.reading import read
from tests.synth.state_county import OFTEN, told_figures

# Four towns, most of whose people live in villages.
TOLD = Told(area="210811", people=6_000, first=date(2015, 10, 1), months=3, days=0, seed=5)
# Who is in which household at the end of each month, and on the last day; whom registers may name.
VIEWS = {
    "month": "SELECT DISTINCT month_end FROM household_month",
    "present": """
        SELECT person_id, household_id, relation, month_end FROM membership JOIN month
        ON since <= month_end AND (until IS NULL OR until > month_end)""",
    "here": "SELECT * FROM membership WHERE until IS NULL",
    "known": "SELECT person_id FROM person UNION ALL SELECT person_id FROM stranger",
    "now": "SELECT * FROM household_month WHERE month_end = (SELECT max(month_end) FROM month)",
    # Parents by person, and kin as pairs in the order of their numbers.
    "parent": """
        SELECT p.person_id AS parent_id, c.person_id AS child_id, p.is_male AS is_father,
        p.person_id IS NOT DISTINCT FROM c.father_id AS is_told_father, p.died, c.born,
        date_diff('day', p.born, c.born) / 365.2425 AS years
        FROM person c JOIN person p ON p.person_id IN (c.father_id, c.mother_id)""",
    "pair": """
        SELECT least(person_id, other_id) AS one, greatest(person_id, other_id) AS other, kind
        FROM kin""",
}
# Times of poverty: months on end in which a household is poor.
RUNS = """
    SELECT household_id, min(month_end) AS first_month_end, max(month_end) AS last_month_end,
    min(month_end) = (SELECT min(month_end) FROM household_month) AS is_known_from_before,
    row_number() OVER (PARTITION BY household_id ORDER BY min(month_end)) > 1 AS is_return
    FROM (
        SELECT *, row_number() OVER (PARTITION BY household_id ORDER BY month_end)
        - row_number() OVER (PARTITION BY household_id, is_poor ORDER BY month_end) AS run
        FROM household_month
    ) WHERE is_poor GROUP BY household_id, run"""


@dataclass
class Files:
    """What one run of the generator has written, as tables."""

    out: Path
    engine: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple]:
        return self.engine.execute(query).fetchall()

    def holds(self, query: str) -> None:
        """Check that a query has rows, and that `ok` is true in all of them."""
        [(n, wrong)] = self.rows(
            f"SELECT count(*), count(*) FILTER (ok IS NOT TRUE) FROM ({query})"
        )
        few = f"SELECT * FROM ({query}) WHERE ok IS NOT TRUE LIMIT 5"
        assert not wrong, f"{wrong} of {n}: {self.engine.execute(few).fetchdf().to_string()}"
        assert n, "nothing to check"

    def take(self, *names: str) -> None:
        """Make a table `at_<feed>` of all clean deliveries of each feed; `day` ends the period."""
        there = {table for (table,) in self.rows("SHOW TABLES")}
        for name in (name for name in names if f"at_{name}" not in there):
            feed, rows = feeds_known()[name], []
            for one in find(self.out / "landing"):
                if one.feed == name:
                    day = {"day": pd.Period(one.period).end_time.floor("D")}
                    rows += [
                        day | {key: _value(feed.fields[key], text) for key, text in line.items()}
                        for line in read(one).rows
                    ]
            self.engine.register("taken", pd.DataFrame(rows))
            self.engine.execute(f"CREATE TABLE at_{name} AS FROM taken")


def _value(field: Field, text: str | None) -> object:
    value, what = value_of(field, text)
    assert not what, (field.name, text, what)
    if value is None or field.type not in ("yes_no", "decimal"):
        return value
    return value == "true" if field.type == "yes_no" else value * field.scale


def made_often(folder: Path) -> Files:
    """Make the county, each kind of irregularity being frequent in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "given_of", lambda told, area: told_figures(OFTEN, area))
        making.make(folder, TOLD, workers=1)
    return opened(folder)


def opened(folder: Path) -> Files:
    """Return what lies in a folder."""
    files = Files(folder, duckdb.connect())
    for path in sorted((folder / "truth").glob("*.parquet")):
        files.engine.execute(f"CREATE TABLE {path.stem} AS FROM '{path}'")
    for name, query in VIEWS.items():
        files.engine.execute(f"CREATE TABLE {name} AS {query}")
    return files
