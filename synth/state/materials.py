"""Goods handed out by projects: to whom, how much, and whether they were signed for."""

import numpy as np
import pandas as pd

from synth.state.favour import cadre_kin
from synth.state.jobs import spelt
from synth.state.known import DAY, Known, in_month, numbered, once
from synth.state.projects import COLUMNS as PROJECT

MATERIAL = ["line_id", "project_id", "household_id", "person_id", "person_name", "village_code",
            "goods", "quantity", "value_cny", "handed_date", "is_signed"]  # fmt: skip
TRUTH = ["line_id", "project_id", "household_id", "kind"]
# Goods by kind of project: yuan of one, how many a household gets (mean).
GOODS = {
    "planting": {"seed": (45, 6), "fertiliser": (130, 5), "film": (85, 3), "sapling": (8, 90),
                 "mushroom_bag": (3, 400)},
    "breeding": {"piglet": (420, 3), "chick": (9, 60), "lamb": (520, 4), "calf": (4600, 1)},
}  # fmt: skip


@once
def beneficiaries(block: Known) -> pd.DataFrame:
    """Return the households that each project serves: project_id, household. The truth.

    The listed of its village first, then others.
    """
    library = block.projects if block.projects is not None else pd.DataFrame(columns=PROJECT)
    library = library[library["project_status"] != "planned"]
    homes, rng = block.homes, block.stream("beneficiaries")
    key = np.where(block.is_listed, 0, 1) + rng.random(len(homes))
    code = homes["village_code"].to_numpy()
    order = np.lexsort((key, code.astype(str)))
    sorted_codes = code[order].astype(str)
    village = library["village_code"].to_numpy().astype(str)
    low = np.searchsorted(sorted_codes, village, side="left")
    high = np.searchsorted(sorted_codes, village, side="right")
    n = np.minimum(library["n_beneficiaries"].to_numpy(dtype=int), high - low)
    nth = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    household = order[np.repeat(low, n) + nth] if n.sum() else np.zeros(0, dtype=int)
    return pd.DataFrame(
        {"project_id": np.repeat(library["project_id"].to_numpy(), n), "household": household}
    )


@once
def handed_out(block: Known) -> pd.DataFrame:
    """Return the ledger of goods: MATERIAL, and kind (the truth; "" is none).

    kind: not_received (down as handed out, and never came), kin (to a cadre's kin in place of
    who was to have it). Some are not signed for, for no bad reason.
    """
    told, rng = block.state["material"], block.stream("materials")
    rows = beneficiaries(block)
    if rows.empty:
        return pd.DataFrame(columns=[*MATERIAL, "kind"])
    library = block.projects.set_index("project_id")
    rows = rows[rows["project_id"].map(library["project_kind"]).isin(list(GOODS))]
    rows = rows.reset_index(drop=True)
    n = len(rows)
    goods, price, mean = _goods(rows["project_id"].map(library["project_kind"]), rng)
    quantity = np.maximum(1, rng.poisson(mean))
    start = library["started_date"].reindex(rows["project_id"]).to_numpy().astype("datetime64[D]")
    kind, household = _strays(block, rows["household"].to_numpy(), rng)
    unsigned = np.where(kind == "", told["unsigned"], told["stray_unsigned"])
    head = block.heads.loc[household]
    row = np.flatnonzero((block.people["relation"] == "head").to_numpy())
    name = pd.Series(spelt(block, row, rng), index=block.house[row])
    made = pd.DataFrame(
        {
            "project_id": rows["project_id"],
            "household_id": block.homes["household_id"].to_numpy()[household],
            "person_id": head["person_id"].to_numpy(),
            "person_name": name.loc[household].to_numpy(),
            "village_code": block.homes["village_code"].to_numpy()[household],
            "goods": goods,
            "quantity": quantity,
            "value_cny": (quantity * price).round(2),
            "handed_date": start + rng.integers(15, 200, n) * DAY,
            "is_signed": rng.random(n) >= unsigned,
            "kind": kind,
        }
    )  # fmt: skip
    made = made[made["handed_date"].to_numpy() <= block.seat.last]
    made = made.sort_values(["handed_date", "project_id", "household_id"], ignore_index=True)
    return made.assign(line_id=numbered(f"M{block.code}", len(made), 6))


def _goods(kind: pd.Series, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what each row gets, the price of one and how many are usual."""
    goods = np.empty(len(kind), dtype=object)
    for name, table in GOODS.items():
        of = (kind == name).to_numpy()
        goods[of] = rng.choice(list(table), int(of.sum()))
    flat = {item: worth for table in GOODS.values() for item, worth in table.items()}
    price = pd.Series(goods).map({item: worth[0] for item, worth in flat.items()}).to_numpy(float)
    mean = pd.Series(goods).map({item: worth[1] for item, worth in flat.items()}).to_numpy(float)
    return goods, price, mean


def _strays(
    block: Known, household: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the kind of each line, and who is down as having it."""
    told, n = block.state["material"], len(household)
    code = block.homes["village_code"].to_numpy()
    kin = cadre_kin(block)
    kin = kin[~block.is_listed[kin["household"]]].drop_duplicates("household")
    near = pd.DataFrame({"household": kin["household"], "village": code[kin["household"]]})
    near = near.drop_duplicates("village").set_index("village")["household"]
    other = near.reindex(code[household]).to_numpy(float)
    u = rng.random(n)
    to_kin = (u < told["to_kin"]) & ~np.isnan(other) & (other != household)
    lost = ~to_kin & (u > 1 - told["not_received"])
    kind = np.select([to_kin, lost], ["kin", "not_received"], "")
    return kind, np.where(to_kin, np.nan_to_num(other), household).astype(int)


def material(block: Known, month: int) -> pd.DataFrame:
    """Return what was handed out in a month; the first delivery has what was before as well."""
    return in_month(block, handed_out(block), "handed_date", month)[MATERIAL]


def material_truth(block: Known) -> pd.DataFrame:
    """Return the lines that stray, and how: TRUTH."""
    rows = handed_out(block)
    return rows.loc[rows["kind"] != "", TRUTH].reset_index(drop=True)
