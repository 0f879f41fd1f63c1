"""What is known of one county: shares that its people and households are drawn to have.

Of a census table by path (synth/people/census_table.py), or of single figures that
conf/synth_people.toml cites for the county, its city or its province.
"""

from dataclasses import dataclass

import numpy as np

from lakehouse.conf import conf_dir, read_toml
from lakehouse.errors import InputMissing, nearest
from synth.figures import Figures, plain

# First years of the age groups, and what the last may be called.
AGES = np.array([0, 1, *range(5, 90, 5)])
AGE_LABELS = ("0", "1-4", *(f"{least}-{least + 4}" for least in AGES[2:-1]), "85+")
SEXES = {"male": "男", "female": "女"}
# Illiterate people, and marriages, are told of those grown; old people of 65 and over.
GROWN_FROM, OLD_FROM = 15, 65


@dataclass(frozen=True)
class Margin:
    """Shares of one whole: `labels` and `shares`, which sum to one; `of_what` names the whole."""

    name: str
    of_what: str
    labels: tuple[str, ...]
    shares: np.ndarray

    def __getitem__(self, label: str) -> float:
        return float(self.shares[self.labels.index(label)])

    def by_sex(self) -> np.ndarray:
        """Return shares within each sex, [male or female, category] for labels `sex category`.

        The sexes of a long form are a sample's: how many men there are is told by sex_age.
        """
        table = self.shares.reshape(2, -1)
        return table / table.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Margins:
    """What is known of one county: persons a family household, and its margins by name.

    `collective_share` is of people: those who live in dormitories, barracks and homes, whom the
    margins of people hold and those of households do not. `left_out` names the margins that the
    source does not have. `people` is None where only shares are cited.
    """

    area: str
    source: str
    people: int | None
    household_size: float
    collective_share: float
    tables: dict[str, Margin]
    left_out: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Margin:
        if name not in self.tables:
            raise InputMissing(
                f"{self.source} has no {name} of {self.area}.{nearest(name, list(self.tables))}"
            )
        return self.tables[name]

    def __contains__(self, name: str) -> bool:
        return name in self.tables


def age_group(age: np.ndarray) -> np.ndarray:
    """Return the number of each age's group of the census: 0, 1-4, 5-9, … 85 and over."""
    return np.searchsorted(AGES, age, side="right") - 1


# Cited share -> margin, what it is a share of, its label and the other one.
SINGLE = {
    "one_person_share": ("household_size", "household", "one", "two or more"),
    "minority_share": ("minority", "person", "yes", "no"),
    "urban_share": ("urban", "person", "yes", "no"),
    "farm_share": ("industry", "employed person", "farming", "other"),
    "tap_water_share": ("tap_water", "household", "yes", "no"),
    "kitchen_share": ("kitchen", "household", "yes", "no"),
    "toilet_share": ("toilet", "household", "yes", "no"),
    "bath_share": ("bath", "household", "yes", "no"),
    "car_share": ("car", "household", "yes", "no"),
}
# Cited shares by label -> margin and what they are shares of.
MANY = {"dwelling_shares": ("dwelling", "household")}


def cited(area: str) -> Margins:
    """Return what conf/synth_people.toml cites under [census.CODE], the nearest area's first.

    Raises InputMissing where not even the size of a household is cited.
    """
    path = conf_dir() / "synth_people.toml"
    of_area = read_toml(path)["census"]
    known: Figures = {}
    for code in (area[:2], area[:4], area[:6]):
        known |= plain(of_area.get(code, {}))
    if "household_size" not in known:
        raise InputMissing(
            f"No census table is given for {area}, and {path} cites no household_size under"
            f" [census.{area[:2]}], [census.{area[:4]}] or [census.{area[:6]}]."
        )
    found = {}
    for key, (name, of_what, label, other) in SINGLE.items():
        if key in known:
            shares = np.array([known[key], 1 - known[key]])
            found[name] = Margin(name, of_what, (label, other), shares)
    for key, (name, of_what) in MANY.items():
        if key in known:
            shares = np.array([*known[key].values()])
            found[name] = Margin(name, of_what, tuple(known[key]), shares / shares.sum())
    if "old_share" in known:
        young = [known["child_share"]] if "child_share" in known else []
        labels = ("0-14", "15-64", "65+") if young else ("0-64", "65+")
        shares = [*young, 1 - known["old_share"] - sum(young), known["old_share"]]
        found["age"] = Margin("age", "person", labels, np.array(shares))
    return Margins(area, path.name, None, known["household_size"], 0.0, found)
