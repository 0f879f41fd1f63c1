"""40,000 people drawn from the real census of a county have its shares: ../shared/data."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synth.lives.facilities import FACILITIES
from synth.people.census import AGES, age_group
from synth.people.census_table import margins
from synth.people.pool import pool
from synth.people.shares import LEVELS, MARITAL
from synth.places.places import places
from synth.plan import Told, blocks
from synth.town import Town, given_of, prepared, town

CENSUS = Path(__file__).resolve().parents[3] / "shared" / "data" / "census2020_liaoning_county.csv"
pytestmark = pytest.mark.skipif(not CENSUS.exists(), reason=f"{CENSUS.name} is not there")
TOLD = Told(people=40_000, census=CENSUS, seed=2)


@pytest.fixture(scope="module", params=["211223", "211224"])
def made(request: pytest.FixtureRequest) -> list[Town]:
    area = str(request.param)
    given = given_of(TOLD, area)
    where = places(area, TOLD.people, TOLD.last, TOLD.seed, given)
    county = prepared(TOLD, where, TOLD.people, given)
    return [town(county, one) for one in blocks({area: where.villages}, {area: TOLD.people})]


def near(got: np.ndarray, wanted: np.ndarray) -> None:
    """Hold shares to .5 percentage points, and a margin to 1 % of total variation."""
    assert np.abs(got - wanted).max() < 0.005
    assert np.abs(got - wanted).sum() / 2 < 0.01


def _eve(made: list[Town]) -> tuple[pd.DataFrame, pd.DataFrame]:
    eve = TOLD.first - timedelta(days=1)
    found = [one.who.at(eve) for one in made]
    homes, people = [], []
    n = 0
    for these, those in found:
        homes.append(these)
        people.append(those.assign(household=those["household"] + n))
        n += len(these)
    return pd.concat(homes, ignore_index=True), pd.concat(people, ignore_index=True)


def test_sexes_and_ages(made: list[Town]):
    _, people = _eve(made)
    assert len(people) == TOLD.people
    group = age_group(people["age"].to_numpy()) + len(AGES) * ~people["is_male"].to_numpy()
    got = np.bincount(group, minlength=2 * len(AGES)) / len(people)
    near(got, margins(made[0].county.places.area, CENSUS)["sex_age"].shares)


def test_households(made: list[Town]):
    homes, people = _eve(made)
    known = margins(made[0].county.places.area, CENSUS)
    family = ~homes["is_collective"].to_numpy()
    size = np.bincount(people["household"], minlength=len(homes))[family]
    assert size.mean() == pytest.approx(known.household_size, abs=0.01)
    near(np.array([(size == 1).mean()]), known["household_size"].shares[:1])
    old = np.bincount(people["household"], people["age"] >= 65, len(homes))[family].astype(int)
    got = np.bincount(np.minimum(old, 3), minlength=4) / family.sum()
    wanted = {label: known["old_members"][label] for label in known["old_members"].labels}
    order = ["none", "one", "two", "three or more"]
    near(got, np.array([wanted[label] for label in order]))


def test_schooling_and_minorities(made: list[Town]):
    people = pd.concat([one.who.people for one in made])
    area = made[0].county.places.area
    known = margins(area, CENSUS)
    ours = dict(zip(LEVELS, ["illiterate", "preschool", "primary", "junior", "senior", "college",
                             "college"], strict=True))  # fmt: skip
    told = known["schooling"]
    wanted = pd.Series(told.shares, [label.split(" ")[1] for label in told.labels])
    wanted = wanted.groupby(wanted.index.map(ours)).sum().sort_index()
    of_age = people[people["age"] >= 6]
    got = of_age["education"].value_counts(normalize=True).reindex(wanted.index).fillna(0)
    near(got.to_numpy(), wanted.to_numpy())
    near(np.array([(people["ethnicity"] != "han").mean()]),
         known["minority"].shares[:1])  # fmt: skip


def test_farming(made: list[Town]):
    people = pd.concat([one.who.people for one in made])
    works = people["work"].isin(["farming", "local_job", "migrant", "public"])
    known = margins(made[0].county.places.area, CENSUS)
    near(np.array([(people["work"] == "farming")[works].mean()]), known["industry"].shares[:1])


def test_generations(made: list[Town]):
    """As the households were dealt: who is whose child is told by relations, not by age."""
    county = made[0].county
    rows = np.concatenate(county.dealt)
    rows = rows[~pool().is_collective[rows]]
    got = np.bincount(np.minimum(pool().n_generations[rows], 4) - 1, minlength=4) / len(rows)
    known = margins(county.places.area, CENSUS)["generations"]
    near(got, np.array([known[label] for label in ("one", "two", "three", "four or more")]))


def test_marriage_and_reading(made: list[Town]):
    """Within each sex: of a long form's people, how many are men is the sample's."""
    people = pd.concat([one.who.people for one in made])
    grown = people[people["age"] >= 15]
    known = margins(made[0].county.places.area, CENSUS)
    for is_male, wanted in zip((True, False), known["marital"].by_sex(), strict=True):
        of_sex = grown.loc[grown["is_male"] == is_male, "marital"]
        near(of_sex.value_counts(normalize=True).reindex(MARITAL).to_numpy(), wanted)
    told = known["illiterate"]
    unread = told["male illiterate"] + told["female illiterate"]
    near(np.array([grown["is_illiterate"].mean()]), np.array([unread]))


def test_industries(made: list[Town]):
    people = pd.concat([one.who.people for one in made])
    known = margins(made[0].county.places.area, CENSUS)["industry"]
    got = people["industry"].dropna().value_counts(normalize=True).reindex(known.labels)
    near(got.to_numpy(), known.shares)


def test_dwellings(made: list[Town]):
    homes = pd.concat([one.life.homes for one in made])
    homes = homes[~homes["is_collective"]]
    known = margins(made[0].county.places.area, CENSUS)
    for name in FACILITIES:
        near(np.array([homes[f"has_{name}"].mean()]), known[name].shares[:1])
    wanted = known["dwelling"]
    got = homes["tenure"].value_counts(normalize=True).reindex(wanted.labels)
    near(got.to_numpy(), wanted.shares)
