"""Random sampled households, as training reads them."""

import numpy as np
import pandas as pd

from lakehouse.schemas.identification import HouseholdFeature
from models.poverty.spec import Poverty

TOWNS = ("211223101", "211223102", "211223103", "210181204")


def households(n: int, *, seed: int, by: str = "register", noise: float = 0.2) -> pd.DataFrame:
    """Return n households whose consumption follows what the register tells, or the town alone.

    A third live where no subscriber does.
    """
    rng = np.random.default_rng(seed)
    town = rng.integers(0, len(TOWNS), n)
    village = rng.integers(201, 206, n)
    n_children, n_elderly = rng.integers(0, 3, n), rng.integers(0, 3, n)
    n_members = n_children + n_elderly + rng.integers(1, 3, n)
    n_migrants = rng.integers(0, 3, n)
    is_silent = village >= 204
    effect = {
        "register": 0.1 * town + 0.3 * n_migrants - 0.25 * n_elderly,
        "town": 0.4 * town,
    }[by]
    heard = {
        "village_n_subscribers": rng.integers(5, 40, n).astype(float),
        "village_active_days": rng.uniform(5, 30, n),
        "village_contacts": rng.uniform(1, 6, n),
        "village_call_s": rng.uniform(20, 200, n),
    }
    rows = pd.DataFrame(
        {
            "household_id": [f"h{i:04}" for i in range(n)],
            "village_code": [f"{TOWNS[t]}{v}" for t, v in zip(town, village, strict=True)],
            "n_members": n_members,
            "n_children": n_children,
            "n_elderly": n_elderly,
            "n_students": rng.integers(0, 2, n),
            "n_workers": rng.integers(0, 3, n),
            "n_migrants": n_migrants,
            "dependency_share": (n_children + n_elderly) / n_members,
            "head_age": rng.integers(25, 80, n).astype(float),
            "is_head_female": rng.integers(0, 2, n).astype(float),
            "is_minority": rng.random(n) < 0.5,
            "has_public_job": rng.random(n) < 0.05,
            "schooling_years": rng.uniform(3, 12, n),
            "best_schooling_years": rng.uniform(6, 16, n),
            **{name: np.where(is_silent, np.nan, values) for name, values in heard.items()},
            "consumption_cny": np.exp(8.5 + effect + rng.normal(0, noise, n)),
            "weight": rng.uniform(5, 15, n),
        }
    )
    kinds = {"int": "int32", "bigint": "int64"}
    types = Poverty.column_types()
    return rows.astype({name: kinds[kind] for name, kind in types.items() if kind in kinds})


def spark_types() -> dict[str, str]:
    """Return the declared type of every column of the features table."""
    return {name: column.type for name, column in HouseholdFeature.columns.items()}
