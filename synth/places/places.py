"""Places: the divisions of the county, synthetic positions, what a place does to earnings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from shapely import contains_xy
from shapely.geometry.base import BaseGeometry

from lakehouse.errors import InputMissing
from synth.figures import Figures, stream
from synth.places.divisions import divisions, found, is_urban
from synth.places.outline import county_outline, kilometres, points_inside, spread

# The last three digits of a village code say what it is (rules of the statistics bureau).
VILLAGE = range(200, 400)
ENDED = ["area_code", "area_name", "level", "parent_code", "valid_from", "valid_to",
         "successor_code"]  # fmt: skip
# Points tried per division: enough for even spacing, few enough for plain arrays.
POINTS_A_TOWN, POINTS_A_VILLAGE = 150, 25


@dataclass(frozen=True)
class Places:
    """The county's divisions as delivered, and its villages with people in them.

    `areas` has the columns of the feed `area`. `villages` has, in code order, village_code,
    village_name, town_code, lon, lat, is_rural, weight (of people), town_effect,
    village_effect (both on the logarithm of earnings), km_to_seat (of the town), water_effect
    (on the odds of unsafe water), minority_share.
    """

    area: str
    areas: pd.DataFrame
    villages: pd.DataFrame


def counties_of(area: str, table: Path | None = None) -> dict[str, int]:
    """Return the counties of a province, city or county: six digits -> villages in it.

    Raises UsageError, naming areas near it, where the divisions have none.
    """
    everything = divisions(table, area)
    if everything[everything["level"] == "county"].empty:
        found(divisions(table), area)
    # Divisions that hold no village are of statistics alone.
    villages = everything.loc[everything["level"] == "village", "area_code"]
    lived = villages[villages.str.startswith(area)].str[:6].value_counts().sort_index()
    if lived.empty:
        found(divisions(table), area[:-1] + "*")
    return {str(code): int(n) for code, n in lived.items()}


def places(
    area: str, people: int, as_of: date, seed: int, given: Figures, table: Path | None = None
) -> Places:
    """Return the county's places by a table of divisions. Raises UsageError for no county."""
    rng = stream(seed, "places", area)
    tree = _tree(area, as_of, given, table)
    positions = _positions(area, tree, rng)
    areas = tree.merge(positions, on="area_code", how="left")
    current = areas[areas["valid_to"].isna()]
    chosen = _with_people(current, max(4, people // given["places"]["people_a_village"]))
    return Places(area, _as_delivered(areas), _effects(chosen, rng, given))


def _tree(area: str, as_of: date, given: Figures, table: Path | None) -> pd.DataFrame:
    """Return province, city, county, towns and villages in force on a day, and ended codes."""
    tree = divisions(table, area).copy()
    tree["is_urban"] = False
    villages = tree["level"] == "village"
    tree.loc[villages, "is_urban"] = is_urban(tree[villages]).to_numpy()
    tree = tree.drop(columns="urban_class")
    tree["parent_code"] = tree["parent_code"].where(tree["parent_code"] != "", None)
    tree["valid_from"] = pd.Timestamp(given["places"]["valid_from"])
    own = given["area"]
    later = tree["area_code"].isin(own.get("later", []))
    tree.loc[later, "valid_from"] = pd.Timestamp(own.get("later_from", as_of))
    tree = tree[tree["valid_from"] <= pd.Timestamp(as_of)]
    tree["valid_to"] = pd.NaT
    tree["successor_code"] = None
    ended = pd.DataFrame(_ended(tree, own), columns=ENDED).assign(is_urban=False)[tree.columns]
    return pd.concat([tree, ended.astype(tree.dtypes)], ignore_index=True)


def _ended(tree: pd.DataFrame, own: Figures) -> list[tuple[object, ...]]:
    """Return codes no longer in force: the county's known ones, and some made up.

    A made-up one takes a number left out in a town's series of villages (given up before the
    list was made, or never given), else the next one; its name says that it is made up.
    """
    rows: list[tuple[object, ...]] = []
    begins, ends = pd.Timestamp("1980-01-01"), pd.Timestamp(own.get("old_until", "1984-12-31"))
    if "old_code" in own:
        city, county = own["old_city"], tree[tree["level"] == "county"].iloc[0]
        above, until = tree["area_code"].iloc[0], pd.Timestamp(city["until"])
        now = tree.loc[tree["level"] == "city", "area_code"].iloc[0]
        rows.append((city["code"], city["name"], "city", above, begins, until, now))
        old = own["old_code"].ljust(12, "0")
        name, now = county["area_name"], county["area_code"]
        rows.append((old, name, "county", city["code"], begins, ends, now))
    codes = set(tree["area_code"])
    for town in sorted(tree.loc[tree["level"] == "town", "area_code"]):
        numbers = sorted(int(code[9:]) for code in codes if code.startswith(town[:9]))
        numbers = [number for number in numbers if number in VILLAGE]
        if not numbers or len(rows) >= 5:
            continue
        gap = next(n for n in range(min(numbers), max(numbers) + 2) if n not in numbers)
        name = f"已撤销第{gap}号村（名称为合成）"
        since, until = pd.Timestamp("1990-01-01"), pd.Timestamp("2004-01-01")
        rows.append((f"{town[:9]}{gap}", name, "village", town, since, until, None))
    return rows


def _positions(area: str, tree: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return a made-up position for every town and village in force, clustered by town."""
    shape = county_outline(area)
    current = tree[tree["valid_to"].isna()]
    towns = sorted(current.loc[current["level"] == "town", "area_code"])
    if not towns:
        raise InputMissing(f"The divisions have no town in {area}.")
    villages = current[current["level"] == "village"].sort_values("area_code")
    found = []
    for town, centre, around in _clusters(shape, towns, rng):
        found.append((town, *centre))
        codes = villages.loc[villages["parent_code"] == town, "area_code"]
        around = _enough(around, len(codes) * POINTS_A_VILLAGE, shape, rng)
        if len(codes):
            at, _ = spread(_flat(around, shape), len(codes), rng)
            found += [(code, *around[i]) for code, i in zip(codes, at, strict=True)]
    return pd.DataFrame(found, columns=["area_code", "lon", "lat"]).round(6)


def _clusters(
    shape: BaseGeometry, towns: list[str], rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield each town with its middle and points around it.

    The county's seat (its first town) lies nearest to the middle of the county.
    """
    tried = points_inside(shape, POINTS_A_TOWN * len(towns), rng)
    flat = _flat(tried, shape)
    centres, nearest = spread(flat, len(towns), rng)
    order = rng.permutation(len(towns))
    seat = int(((flat[centres] - flat.mean(axis=0)) ** 2).sum(axis=1).argmin())
    order = np.concatenate([[seat], order[order != seat]])
    for town, cluster in zip(towns, order, strict=True):
        yield town, tried[centres[cluster]], tried[nearest == cluster]


def _enough(
    points: np.ndarray, n: int, shape: BaseGeometry, rng: np.random.Generator
) -> np.ndarray:
    """Return at least n points inside the county, new ones on lines between neighbours."""
    while len(points) < n:
        first = points[rng.integers(len(points), size=n)]
        near = points[rng.integers(len(points), size=(n, 8))]
        apart = ((near - first[:, None, :]) ** 2).sum(axis=2)
        second = near[np.arange(n), apart.argmin(axis=1)]
        new = first + (second - first) * rng.uniform(0.1, 0.5, size=(n, 1))
        # Neighbours on two sides of a bay have water, or another county, between them.
        inside = contains_xy(shape, new[:, 0], new[:, 1])
        points = np.concatenate([points, new[inside]])
    return points


def _flat(points: np.ndarray, shape: BaseGeometry) -> np.ndarray:
    return kilometres(points[:, 0], points[:, 1], shape.centroid.y)


def _with_people(current: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return the villages that people live in: all, or in a small county some of a few towns."""
    number = current["area_code"].str[9:].astype(int)
    villages = current[(current["level"] == "village") & (number < VILLAGE.stop)].copy()
    villages["is_rural"] = ~villages["is_urban"].astype(bool)
    villages = villages.sort_values("area_code", ignore_index=True)
    rural = villages[villages["is_rural"]]
    if n >= len(villages) or rural.empty:
        return villages.head(max(n, 1)).reset_index(drop=True)
    towns = rural["parent_code"].unique()
    towns = towns[: max(2, min(len(towns), n // 5))]
    rural = rural[rural["parent_code"].isin(towns)]
    of_town = rural.groupby("parent_code").cumcount()
    kept = rural[of_town < int(np.ceil(n / len(towns)))]
    community = villages[~villages["is_rural"]].head(1)
    return pd.concat([kept, community]).sort_values("area_code", ignore_index=True)


def _effects(chosen: pd.DataFrame, rng: np.random.Generator, told: Figures) -> pd.DataFrame:
    """Add weights and effects. Effects are standardised, so that small counties keep them."""
    given = told["places"]
    size = np.exp(rng.normal(0, given["village_size_spread"], len(chosen)))
    rural = chosen["is_rural"].to_numpy()
    urban_share = _urban_share(rural, given)
    for kind, share in ((rural, 1 - urban_share), (~rural, urban_share)):
        if kind.any():
            size[kind] *= share / size[kind].sum()
    towns = chosen.groupby("parent_code")[["lon", "lat"]].mean()
    flat = kilometres(towns["lon"].to_numpy(), towns["lat"].to_numpy(), towns["lat"].mean())
    away = np.sqrt(((flat - flat[0]) ** 2).sum(axis=1))
    km = dict(zip(towns.index, away, strict=True))
    mix = given["remoteness_share"]
    luck = _standard(rng.normal(size=len(towns)))
    town = -np.sqrt(mix) * _standard(away) + np.sqrt(1 - mix) * luck
    by_town = dict(zip(towns.index, given["town_spread"] * _standard(town), strict=True))
    village = given["village_spread"] * _standard(rng.normal(size=len(chosen)))
    return pd.DataFrame(
        {
            "village_code": chosen["area_code"],
            "village_name": chosen["area_name"],
            "town_code": chosen["parent_code"],
            "lon": chosen["lon"],
            "lat": chosen["lat"],
            "is_rural": rural,
            "weight": size / size.sum(),
            "town_effect": chosen["parent_code"].map(by_town),
            "village_effect": village,
            "km_to_seat": chosen["parent_code"].map(km),
            "water_effect": rng.normal(0, 1.1, len(chosen)),
            "minority_share": _minority(size / size.sum(), rng, told["people"]),
        }
    )


def _urban_share(is_rural: np.ndarray, given: Figures) -> float:
    """Return the share of people in communities: cited, or by how many of them there are."""
    if "urban_share" in given:
        return float(given["urban_share"])
    n = given["people_a_community"] * (~is_rural).sum()
    return float(n / (n + is_rural.sum()))


def _minority(weight: np.ndarray, rng: np.random.Generator, given: Figures) -> np.ndarray:
    """Return each village's share of ethnic minorities; their mean is the county's figure."""
    share = expit(
        logit(given["minority_share"]) + rng.normal(0, given["minority_spread"], len(weight))
    )
    for _ in range(20):  # Villages are unlike in size.
        miss = logit(given["minority_share"]) - logit(np.average(share, weights=weight))
        share = expit(logit(share) + miss)
    return share


def _standard(values: np.ndarray) -> np.ndarray:
    wide = values.std()
    return (values - values.mean()) / wide if wide > 0 else np.zeros_like(values)


def _as_delivered(areas: pd.DataFrame) -> pd.DataFrame:
    return areas.assign(is_position_synthetic=areas["lon"].notna()).sort_values(
        "area_code", ignore_index=True
    )
