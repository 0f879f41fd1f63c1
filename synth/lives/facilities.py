"""What dwellings have: tap water, kitchen, toilet, bath, a car; and whose they are (tenure)."""

import numpy as np
import pandas as pd

from lakehouse.conf import conf_dir, read_toml
from synth.figures import Figures
from synth.lives.level import Level
from synth.people.census import Margins
from synth.people.shares import assign, fitted

# Of yes and no; the worse off first go without.
FACILITIES = ("tap_water", "kitchen", "toilet", "bath", "car")
# By how well off those are who live in them.
TENURES = ("rented", "own building", "other", "bought")

# [village, category]: of the family households there.
ByVillage = dict[str, np.ndarray]


def by_village(margins: Margins, villages: pd.DataFrame, families: np.ndarray) -> ByVillage:
    """Return the shares of each village's households, which together are those of the county.

    Odds are raised in communities and in better places as [facilities] of conf/synth_people.toml
    says, then fitted to the county's shares (of the census, or cited). `families` are households
    by village.
    """
    told = read_toml(conf_dir() / "synth_people.toml")["facilities"]
    place = (villages["town_effect"] + villages["village_effect"]).to_numpy()
    urban = ~villages["is_rural"].to_numpy()
    found = {}
    for name in (*FACILITIES, "tenure"):
        own, labels = told[name], TENURES if name == "tenure" else ("no", "yes")
        county = np.array(_county(margins, own, labels))
        tilt = urban[:, None] * np.array(own["urban"]) + place[:, None] * np.array(own["place"])
        if name == "tap_water":
            tilt[:, 1] -= villages["water_effect"].to_numpy()
        table, _ = fitted(county * np.exp(tilt), np.maximum(families, 1e-6), county)
        found[name] = table / table.sum(axis=1, keepdims=True)
    return found


def _county(margins: Margins, own: Figures, labels: tuple[str, ...]) -> list[float]:
    name = own["margin"]
    if name in margins and set(labels) <= set(margins[name].labels):
        return [margins[name][label] for label in labels]
    return [own["value"][label] for label in labels]


def furnish(
    homes: pd.DataFrame, at: Level, shares: ByVillage, rng: np.random.Generator
) -> pd.DataFrame:
    """Return homes with has_<facility> of each and tenure; none of them in collective ones.

    Within a village the better off have them first; safe water is more often tap water, and a
    car is had where somebody can drive.
    """
    family = np.flatnonzero(~homes["is_collective"].to_numpy())
    mine = homes.iloc[family]
    wealth = at.wealth(mine)
    also = {
        "tap_water": 1.5 * mine["is_water_safe"].to_numpy(),
        "car": 3.0 * (mine["n_able"] > 0).to_numpy(),
    }
    village = mine["village"].to_numpy()
    made = {}
    for name, of_village in shares.items():
        latent = wealth + also.get(name, 0.0) + rng.normal(0, 0.8, len(mine))
        found = assign(latent, village, of_village, rng)
        if name == "tenure":
            made[name] = np.full(len(homes), None, dtype=object)
            made[name][family] = np.array(TENURES, dtype=object)[found]
        else:
            made[f"has_{name}"] = np.zeros(len(homes), dtype=bool)
            made[f"has_{name}"][family] = found == 1
    return homes.assign(**made)
