"""The county's project library: what is built where, with an eye on the poor but not only."""

from datetime import date

import numpy as np
import pandas as pd

from lakehouse.schemas.codes import PROJECT_KIND
from synth.figures import Figures, stream
from synth.places.places import Places

KINDS = list(PROJECT_KIND)
COLUMNS = [
    "project_id", "project_name", "project_kind", "village_code", "project_status",
    "started_date", "budget_cny", "n_beneficiaries",
]  # fmt: skip


def projects(places: Places, people: int, as_of: date, seed: int, given: Figures) -> pd.DataFrame:
    """Return the projects of a county, with the columns of the feed.

    Villages are taken in the order of their poverty as it was believed to be: what their place
    does to earnings, with an error as large as its own spread, so that some poor villages get
    none and some others do.
    """
    rng = stream(seed, "projects", places.area)
    villages = places.villages[places.villages["is_rural"]].set_index("village_code")
    if villages.empty:
        return pd.DataFrame(columns=COLUMNS)
    households = villages["weight"] * people / given["people"]["household_size"]
    villages = villages.assign(n=np.maximum(1, households.round()).astype(int))
    believed = -(villages["town_effect"] + villages["village_effect"])
    believed = believed + rng.normal(0, believed.std() + 1e-9, len(villages))
    n_chosen = max(2, round(given["places"]["poverty_of_villages"]["share"] * len(villages)))
    chosen = villages.loc[believed.sort_values(ascending=False, kind="stable").index[:n_chosen]]
    n = max(2, round(given["projects"]["a_village"] * n_chosen))
    # Every chosen village has one; the poorer ones come up again.
    again = np.sort((rng.random(max(0, n - n_chosen)) ** 1.5 * n_chosen).astype(int))
    row = np.concatenate([np.arange(min(n, len(chosen))), again])[:n]
    of = chosen.iloc[np.sort(row)]
    n = len(of)
    kind = rng.choice(KINDS, n, p=_shares())
    is_dry = (of["water_effect"].to_numpy() > 1.4) & (rng.random(n) < 0.5)
    kind = np.where(is_dry, "water", kind)
    served = np.maximum(3, (of["n"] * rng.uniform(0.06, 0.40, n)).round().to_numpy()).astype(int)
    served = np.minimum(served, of["n"].to_numpy())
    budget = pd.Series(kind).map(given["projects"]["budget_a_household"]).to_numpy() * served
    name = places.villages.set_index("village_code")["village_name"].str.removesuffix("民委员会")
    labels = pd.Series(kind).map(PROJECT_KIND.labels).to_numpy()
    status, started = _progress(n, as_of, rng, given["projects"]["started"])
    return pd.DataFrame(
        {
            "project_id": [f"{places.area}{as_of.year}{i + 1:04d}" for i in range(n)],
            "project_name": name.loc[of.index].to_numpy() + labels + "项目",
            "project_kind": kind,
            "village_code": of.index.to_numpy(),
            "project_status": status,
            "started_date": started,
            "budget_cny": (budget * np.exp(rng.normal(0, 0.3, n)) / 1000).round() * 1000,
            "n_beneficiaries": served,
        }
    )


def _shares() -> np.ndarray:
    """Return the share of each kind: half for production."""
    share = {"planting": 0.20, "breeding": 0.20, "processing": 0.06, "workshop": 0.04, "road": 0.22}
    rest = (1 - sum(share.values())) / (len(KINDS) - len(share))
    return np.array([share.get(kind, rest) for kind in KINDS])


def _progress(
    n: int, as_of: date, rng: np.random.Generator, shares: Figures
) -> tuple[np.ndarray, np.ndarray]:
    """Return status and first day: accepted ones began last year or early this year."""
    u = rng.random(n)
    status = np.select(
        [u < shares["accepted"], u < shares["accepted"] + shares["running"]],
        ["accepted", "running"], "planned",
    )  # fmt: skip
    today = np.datetime64(as_of, "D")
    before = np.select(
        [status == "accepted", status == "running"],
        [rng.integers(240, 620, n), rng.integers(20, 240, n)],
        -rng.integers(60, 200, n),
    )
    return status, today - before.astype("timedelta64[D]")
