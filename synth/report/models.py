"""How well honest models tell the poorest 29 % by true consumption from the rest.

This confirms the generator and no model: behaviour is meant to follow consumption as loosely as
in the field survey of Togo, where phones alone reached an area under the ROC curve of .72, a
proxy-means test .85 and geography .67-.70.
"""

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

POOREST = 0.29
# Households of a fit and a test: enough for two digits, few enough for any province.
MOST_HOUSEHOLDS = 200_000
# Of a county that is judged by itself.
FEWEST_HOUSEHOLDS = 400

REGISTER = """
SELECT h.household_id, h.village_code, h.consumption_cny, h.is_rural, h.n_members,
  count_if(date_diff('year', p.born, m.day) < 16) AS children,
  count_if(date_diff('year', p.born, m.day) >= 65) AS elderly,
  count_if(p.work = 'student') AS students,
  count_if(p.work IN ('farming', 'local_job', 'migrant', 'public')) AS workers,
  count_if(p.work = 'migrant') AS migrants,
  count_if(p.work = 'public') AS public,
  count_if(p.health <> 'healthy') AS sick,
  max(CASE p.education WHEN 'college' THEN 16 WHEN 'senior' THEN 12 WHEN 'junior' THEN 9
      WHEN 'primary' THEN 6 ELSE 0 END) AS best_years,
  max(CASE WHEN m.relation = 'head' THEN date_diff('year', p.born, m.day) END) AS head_age,
  max(CASE WHEN m.relation = 'head' AND p.is_male THEN 1 ELSE 0 END) AS head_male
FROM household h
JOIN (SELECT *, (SELECT max(month_end) FROM household_month) AS day FROM membership
      WHERE until IS NULL) m USING (household_id)
JOIN person p USING (person_id)
GROUP BY ALL
"""


def households(truth: Path) -> pd.DataFrame:
    """Return one row per household with what a register tells, and its true consumption.

    At most `MOST_HOUSEHOLDS`, chosen by the hash of the book number.
    """
    with duckdb.connect() as db:
        for table in ("household", "household_month", "membership", "person"):
            path = str(truth / f"{table}.parquet").replace("'", "''")
            db.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{path}')")
        n = db.execute("SELECT count(*) FROM household").fetchall()[0][0]
        every = max(1, -(-n // MOST_HOUSEHOLDS))
        rows = db.execute(
            f"SELECT * FROM ({REGISTER}) WHERE hash(household_id) % {every} = 0 "
            "ORDER BY household_id"
        ).df()
    rows["is_poorest"] = rows["consumption_cny"].rank(pct=True) <= POOREST
    # A fixed half is fitted, the other judged.
    rows["is_test"] = np.arange(len(rows)) % 2 == 1
    return rows


def geography(rows: pd.DataFrame) -> float:
    """Return the area under the curve of the town's mean logarithm of consumption."""
    fitted, judged = rows[~rows["is_test"]], rows[rows["is_test"]]
    mean = np.log(fitted["consumption_cny"]).groupby(fitted["village_code"].str[:9]).mean()
    guess = judged["village_code"].str[:9].map(mean).fillna(mean.mean())
    return float(roc_auc_score(judged["is_poorest"], -guess))


def proxy_means(rows: pd.DataFrame) -> float:
    """Return the area under the curve of a ridge regression on what the register tells."""
    n = rows["n_members"]
    told = rows[["elderly", "students", "public", "sick", "best_years", "head_age", "head_male"]]
    told = told.assign(
        log_members=np.log(n), dependency=(rows["children"] + rows["elderly"]) / n,
        workers=rows["workers"] / n, migrants=rows["migrants"] / n, rural=rows["is_rural"],
        head_old=(rows["head_age"] - 55).clip(lower=0), is_public=rows["public"] > 0,
    ).fillna(0).astype(float)  # fmt: skip
    test = rows["is_test"].to_numpy()
    scaled = StandardScaler().fit(told[~test]).transform(told)
    log = np.log(rows["consumption_cny"].to_numpy())
    fit = Ridge(3.0).fit(scaled[~test], log[~test])
    return float(roc_auc_score(rows["is_poorest"][test], -fit.predict(scaled[test])))


def of_counties(rows: pd.DataFrame, judge: Callable[[pd.DataFrame], float]) -> float | None:
    """Return the median of the counties' areas under the curve, each for its own poorest.

    Of counties of `FEWEST_HOUSEHOLDS` and more; None where no two have so many.
    """
    county = rows["household_id"].str[:6]
    large = [mine for _, mine in rows.groupby(county) if len(mine) >= FEWEST_HOUSEHOLDS]
    if len(large) < 2:
        return None
    own = [one.assign(is_poorest=one["consumption_cny"].rank(pct=True) <= POOREST) for one in large]
    return float(np.median([judge(one) for one in own]))


def logistic(features: pd.DataFrame, is_poorest: np.ndarray, is_test: np.ndarray) -> float:
    """Return the area under the curve of a logistic regression on the rows to be judged."""
    told = features.to_numpy(dtype=float)
    scaled = StandardScaler().fit(told[~is_test]).transform(told)
    fit = LogisticRegression(max_iter=1000).fit(scaled[~is_test], is_poorest[~is_test])
    return float(roc_auc_score(is_poorest[is_test], fit.decision_function(scaled[is_test])))
