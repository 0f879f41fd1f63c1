"""The county as a whole: the same each time, with the figures it was told to have."""

import hashlib
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from lakehouse.errors import InputMissing, UsageError
from synth.figures import figures, income_line
from synth.lives.lives import at_month
from synth.people.identity import MANCHU_SURNAMES, SURNAMES, check_digits
from synth.places.outline import county_outline
from synth.places.places import divisions
from synth.town import Town, carded
from tests.synth.conftest import LONG, Made, made_in, whole
from tests.synth.reading import read_all, right

AS_OF = date(2015, 12, 31)


@pytest.fixture(scope="module")
def all_of_it() -> Town:
    return whole("211223", 40_000)


def _bytes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_arguments_same_bytes(usual: Made, tmp_path: Path):
    again = made_in(tmp_path, faults="usual")
    assert _bytes(again.landing) == _bytes(usual.landing)
    assert _bytes(again.truth) == _bytes(usual.truth)
    other = made_in(tmp_path / "other", faults="usual", seed=8)
    assert _bytes(other.landing) != _bytes(usual.landing)


def test_second_run_leaves_what_is_complete(tmp_path: Path):
    first = made_in(tmp_path)
    before = _bytes(tmp_path)
    unfinished = next(first.landing.glob("police/*/*/d1"))
    (unfinished / "_READY").unlink()
    second = made_in(tmp_path)
    assert second.summary.written == 1
    assert second.summary.left == first.summary.written - 1
    assert _bytes(tmp_path) == before
    with pytest.raises(UsageError, match="seed 7; now it is seed 8"):
        made_in(tmp_path, seed=8)


def test_longer_look_back_keeps_the_days(clean: Made, tmp_path: Path):
    longer = made_in(tmp_path, days=3)
    assert _bytes(clean.landing).items() <= _bytes(longer.landing).items()


def test_what_makes_no_county_is_said(tmp_path: Path):
    for said in ({"area": "2112231"}, {"people": 3}, {"faults": "some"}, {"months": 0}):
        with pytest.raises(UsageError):
            made_in(tmp_path, **said)
    with pytest.raises(InputMissing, match="no line of registered_poor for 211223 in 1999"):
        income_line("211223", date(1999, 1, 1))
    with pytest.raises(InputMissing, match="no rule for 211223 on 2013-12-31"):
        made_in(tmp_path / "early", first=date(2013, 12, 1), months=2)
    assert not any(tmp_path.rglob("*.parquet"))


def test_check_digits_of_the_standard():
    # The two numbers printed as examples in GB 11643-1999.
    first = np.array(["11010519491231002", "44052418800101001"])
    assert list(check_digits(first)) == ["X", "4"]


def test_areas_are_the_divisions_of_the_county(clean: Made):
    rows = right(read_all(clean.landing), "area").rows
    in_force = {row["area_code"] for row in rows if row["valid_to"] is None}
    everything = divisions()
    of_county = everything["area_code"].str.startswith("211223")
    later = {"211223100039", "211223102001"}
    assert in_force == set(everything.loc[of_county, "area_code"]) - later | {
        "210000000000", "211200000000"
    }  # fmt: skip
    assert Counter(row["level"] for row in rows if row["area_code"] in in_force) == {
        "省": 1, "市": 1, "县": 1, "乡镇": 18, "村": 185
    }  # fmt: skip
    ended = [row for row in rows if row["valid_to"]]
    assert {"212123000000", "212100000000"} < {row["area_code"] for row in ended}
    assert all(row["valid_to"] <= "2015" and row["lon"] is None for row in ended)
    assert not {row["area_code"] for row in ended} & set(everything["area_code"])
    placed = [row for row in rows if row["lon"] is not None]
    assert {row["is_position_synthetic"] for row in placed} == {"是"}
    points = np.array([(float(row["lon"]), float(row["lat"])) for row in placed])
    assert shapely.contains_xy(county_outline("211223"), points).all()


def test_the_outline_of_the_county_is_delivered(clean: Made):
    [row] = right(read_all(clean.landing), "boundary").rows
    assert row["area_code"] == "211223"
    assert shapely.from_wkt(row["outline"]).equals_exact(county_outline("211223"), 1e-6)


def test_every_other_county_can_be_made():
    for area in ("210102", "210224", "211382"):
        small = whole(area, 400)
        assert len(small.who.people) == pytest.approx(400, abs=3)
        assert small.county.places.villages["village_code"].str.startswith(area).all()


def test_a_district_without_villages_is_delivered(tmp_path: Path):
    made = made_in(tmp_path, area="210103", people=300, days=1)
    assert made.summary.rows["person_register"] == pytest.approx(300, abs=5)
    assert made.summary.rows["cadre"] > 0
    assert not made.summary.rows.get("consumption_survey", 0)


def test_people_are_made_up(all_of_it: Town):
    people = all_of_it.who.people
    assert people["person_id"].is_unique
    assert (people["person_id"].str[6:14] == people["birth_date"].dt.strftime("%Y%m%d")).all()
    odd = people["person_id"].str[16].astype(int) % 2 == 1
    assert (odd == people["is_male"]).all()
    assert set(people["person_name"].str[0]) <= {*SURNAMES, *MANCHU_SURNAMES}
    # Ranges that no operator had: nobody's real number.
    assert all_of_it.owners["phone"].str.fullmatch("154[0-9]{8}").all()
    assert all_of_it.owners["phone"].is_unique


def test_people_have_the_county_figures(all_of_it: Town):
    people, homes = all_of_it.who.people, all_of_it.life.homes
    assert len(people) == pytest.approx(40_000, rel=0.002)
    assert homes["household_id"].is_unique
    assert (people["relation"] == "head").sum() == len(homes)
    told = figures("211223")["people"]
    assert len(people) / len(homes) == pytest.approx(told["household_size"], abs=0.1)
    # 2020 census, 西丰: 52.55 % minority, 8.48 years of schooling of people of 6 and over.
    assert (people["ethnicity"] != "han").mean() == pytest.approx(0.5255, abs=0.02)
    assert people.loc[people["age"] >= 6, "years"].mean() == pytest.approx(8.48, abs=0.3)
    working = people["work"].isin(["farming", "local_job", "migrant", "public"])
    farming = (people["work"] == "farming")[working].mean()
    # 2020 census, 西丰: 67.6 % of the employed.
    assert farming == pytest.approx(0.676, abs=0.03)


def test_poverty_is_at_its_figure(all_of_it: Town):
    homes = all_of_it.life.homes
    rural = homes[homes["is_rural"]]
    # 39,958 of about 350,000 on the register.
    for poor in ("is_poor", "is_poor_by_consumption"):
        share = np.average(rural[poor], weights=rural["n_members"])
        assert share == pytest.approx(0.114, abs=0.012)
    both = np.corrcoef(np.log(homes["net_income_cny"] + 500), np.log(homes["consumption_cny"]))
    assert 0.7 < both[0, 1] < 0.95


def test_cards_and_list_err_as_told(all_of_it: Town):
    homes = all_of_it.life.homes[all_of_it.life.homes["is_rural"]]
    is_candidate = all_of_it.listed.is_candidate[homes.index]
    is_listed = all_of_it.listed.is_listed[homes.index]
    assert is_candidate[homes["is_poor"]].mean() == pytest.approx(0.80, abs=0.01)
    assert is_candidate[~homes["is_poor"]].mean() == pytest.approx(0.15, abs=0.01)
    assert (~homes["is_poor"])[is_listed].mean() == pytest.approx(0.15, abs=0.01)
    assert not (is_listed & ~is_candidate).any()
    assert not all_of_it.listed.is_candidate[~all_of_it.life.homes["is_rural"]].any()


def test_survey_stands_for_all_rural_households(all_of_it: Town):
    survey, homes = all_of_it.survey, all_of_it.life.homes
    rural = homes[homes["is_rural"]]
    towns = rural["village_code"].str[:9].value_counts()
    weights = survey.groupby(survey["stratum"].str[:9])["weight"].sum()
    pd.testing.assert_series_equal(
        weights.sort_index(), towns.sort_index().astype(float), check_names=False
    )
    assert (survey.groupby("stratum")["psu"].nunique() >= 2).all()
    assert survey["head_id"].is_unique
    sized = survey["weight"] * survey["n_members"]
    estimate = np.average(survey["consumption_cny"] < all_of_it.life.line_cny, weights=sized)
    truth = np.average(rural["is_poor_by_consumption"], weights=rural["n_members"])
    assert estimate == pytest.approx(truth, abs=0.03)


def test_models_find_what_they_should(all_of_it: Town):
    """Geography alone tells some, the register more: the bands of Togo's field survey and ours.

    Togo: geography .67-.70, proxy means .85, by consumption (Aiken et al. 2022).
    """
    homes, town = all_of_it.life.homes, all_of_it.life.homes["village_code"].str[:9]
    features = _register_features(all_of_it)
    asked = all_of_it.survey["household"].to_numpy()
    others = np.setdiff1d(homes.index[homes["is_rural"]], asked)
    log = np.log(all_of_it.survey["consumption_cny"].to_numpy())
    by_town = pd.Series(log).groupby(town[asked].to_numpy()).mean()
    means, spreads = features.loc[asked].mean(), features.loc[asked].std()
    scaled = (features - means) / spreads
    model = Ridge(3.0).fit(scaled.loc[asked], log)
    poor = homes.loc[others, "is_poor_by_consumption"]
    assert 0.62 < roc_auc_score(poor, -town[others].map(by_town)) < 0.72
    assert 0.79 < roc_auc_score(poor, -model.predict(scaled.loc[others])) < 0.88


def _register_features(all_of_it: Town) -> pd.DataFrame:
    people, homes = all_of_it.who.people, all_of_it.life.homes
    n = homes["n_members"]
    of = people["household"]
    works = people["work"].isin(["farming", "local_job", "migrant", "public"])
    return pd.DataFrame(
        {
            "log_members": np.log(n),
            "dependency": (homes["n_children"] + homes["n_elderly"]) / n,
            "elderly": homes["n_elderly"],
            "students": (people["work"] == "student").groupby(of).sum(),
            "workers": works.groupby(of).sum() / n,
            "migrants": (people["work"] == "migrant").groupby(of).sum() / n,
            "head_age": homes["head_age"],
            "head_old": (homes["head_age"] - 55).clip(lower=0),
            "public": homes["n_public"] > 0,
            "best_years": homes["best_years"],
            "years": people["years"].where(people["age"] >= 16).groupby(of).mean(),
        }
    ).fillna(0).astype(float)  # fmt: skip


def test_a_card_is_of_one_household_in_all_years(towns: list[Town]):
    n_both = 0
    for one in towns:
        then, day = at_month(one.life, 11), LONG.month_ends[11]
        before = carded(one.county, one.block, one.who, then, one.owners, one.known, day)
        both = before.household.merge(one.listed.household, on="card_id")
        assert (both["head_id_x"] == both["head_id_y"]).all()
        assert len(both) == len(before.household.merge(one.listed.household, on="head_id"))
        n_both += len(both)
    assert n_both > 50
