"""What telephones tell of consumption: plain indicators of a number, from the operator's files."""

import duckdb
import numpy as np
import pandas as pd

from synth.report import models

MOST_NUMBERS = 60_000
NO_INDICATOR = ["phone", "household_id", "consumption_cny", "is_poorest"]
EVENTS = """
WITH mine AS (SELECT phone, household_id FROM subscriber WHERE hash(household_id) % {every} = 0),
sides AS (
  SELECT caller AS phone, recipient AS other, TRUE AS is_out, kind, started_at,
         try_cast(duration_s AS DOUBLE) AS s, caller_cell AS cell FROM cdr
  UNION ALL
  SELECT recipient, caller, FALSE, kind, started_at, try_cast(duration_s AS DOUBLE),
         recipient_cell FROM cdr)
SELECT phone, any_value(household_id) AS household_id, count(*) AS n_events,
  count(DISTINCT started_at[:10]) AS active_days, count(DISTINCT other) AS n_contacts,
  count(DISTINCT cell) AS n_cells, avg(is_out::INT) AS out_share,
  avg((kind = 'text')::INT) AS text_share,
  avg((try_cast(started_at[12:13] AS INT) NOT BETWEEN 7 AND 18)::INT) AS night_share,
  avg(s) AS call_s
FROM sides JOIN mine USING (phone) GROUP BY phone
"""
# Feed -> its question: one row a number, which the events are joined with.
MORE = {
    "bill": "SELECT subscriber AS phone, max(try_cast(charge_yuan AS DOUBLE)) AS charge_cny "
            "FROM bill GROUP BY ALL",
    "recharge": "SELECT subscriber AS phone, count(*) AS n_recharges, "
                "avg(try_cast(amount_yuan AS DOUBLE)) AS recharge_cny FROM recharge GROUP BY ALL",
    "data_session": "SELECT subscriber AS phone, sum(try_cast(down_bytes AS DOUBLE)) / 1e6 "
                    "AS data_mb FROM data_session GROUP BY ALL",
    "register": "SELECT r.subscriber AS phone, max((r.smartphone = 'Y')::INT) AS is_smartphone, "
                "max(try_cast(h.price_yuan AS DOUBLE)) AS handset_cny "
                "FROM register r LEFT JOIN handset h USING (tac) GROUP BY ALL",
}  # fmt: skip


def indicators(db: duckdb.DuckDBPyConnection, there: set[str]) -> pd.DataFrame:
    """Return indicators of at most `MOST_NUMBERS` numbers, by whole households."""
    n = db.execute("SELECT count(*) FROM subscriber").fetchall()[0][0]
    found = db.execute(EVENTS.format(every=max(1, -(-n // MOST_NUMBERS)))).df().set_index("phone")
    for feed, query in MORE.items():
        if feed in there:
            found = found.join(db.execute(query).df().set_index("phone"))
    return found.sort_index()


def numbers(db: duckdb.DuckDBPyConnection, there: set[str]) -> pd.DataFrame:
    """Return numbers with their indicators, and whether their household is of the poorest."""
    found = indicators(db, there)
    poorest = db.execute(
        "SELECT household_id, consumption_cny, percent_rank() OVER (ORDER BY consumption_cny) "
        f"<= {models.POOREST} AS is_poorest FROM household"
    ).df()
    rows = found.reset_index().merge(poorest, on="household_id")
    return rows.sort_values(["household_id", "phone"], ignore_index=True)


def auc(rows: pd.DataFrame) -> float:
    """Return the area under the curve of a logistic regression on the indicators, out of its
    households; of those that have a number."""
    is_test = pd.factorize(rows["household_id"])[0] % 2 == 1
    features = np.log1p(rows.drop(columns=NO_INDICATOR).fillna(0))
    return models.logistic(features, rows["is_poorest"].to_numpy(), is_test)
