"""The truth to judge answers by. No job reads it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synth.lives.lives import Lives
from synth.places.places import Places
from synth.state.cards import Cards

NEEDS = [
    "needs_housing", "needs_water", "needs_schooling", "needs_medical", "needs_living",
    "needs_land", "needs_skill", "needs_capital", "needs_production",
]  # fmt: skip


def households(life: Lives, listed: Cards, survey: pd.DataFrame) -> pd.DataFrame:
    """Return one row per household of the register, under its raw book number."""
    homes = life.homes
    known = homes[
        [
            "household_id", "village_code", "is_rural", "n_members", "net_income_cny",
            "consumption_cny", "is_poor", "is_poor_by_consumption", *NEEDS,
        ]
    ]  # fmt: skip
    return known.assign(
        is_candidate=listed.is_candidate,
        is_listed=listed.is_listed,
        is_surveyed=np.isin(homes["household"], survey["household"]),
    )


def subscriber_homes(owners: pd.DataFrame, places: Places) -> pd.DataFrame:
    """Return where each subscriber lives; who works away is out of the county's network."""
    village = places.villages.loc[owners["village"], "village_code"].to_numpy()
    return pd.DataFrame(
        {"phone": owners["phone"], "village_code": village, "is_away": owners["is_away"]}
    )


def write(folder: Path, tables: dict[str, pd.DataFrame], notes: dict[str, dict[str, Any]]) -> None:
    """Write tables as Parquet and notes as JSON; the same content gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    for name, told in notes.items():
        text = json.dumps(told, ensure_ascii=False, indent=2, default=str)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
