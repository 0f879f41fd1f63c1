"""Cadres: those of villages and towns are people of the block, those above come from outside."""

import numpy as np
import pandas as pd

from synth.state.known import Known, Seat, days, once
from synth.state.strangers import CADRES, made_up

LEVELS = ("province", "city", "county", "town", "village")
SKILLS = ("planting", "breeding", "market", "building", "teaching", "medicine", "law", "finance",
          "administration")  # fmt: skip
EDUCATIONS = ("junior", "senior", "college")
# Who sends cadres, and what each is good at.
UNITS = {
    "扶贫开发办公室": "administration", "农业局": "planting", "畜牧兽医局": "breeding",
    "教育局": "teaching", "卫生和计划生育局": "medicine", "水利局": "building",
    "交通运输局": "building", "民政局": "administration", "财政局": "finance",
    "人力资源和社会保障局": "administration", "林业局": "planting", "司法局": "law",
    "供销合作社联合社": "market", "商务局": "market", "农村信用合作联社": "finance",
}  # fmt: skip
POSTS = ("科员", "副科长", "科长", "副局长")
VILLAGE_POSTS = ("党支部书记", "村委会主任", "会计", "妇联主任", "委员")
TOWN_POSTS = ("镇长", "副镇长", "党委委员", "科员")
COLUMNS = ["person_id", "person_name", "birth_date", "level", "unit_name", "area_code", "post",
           "is_party_member", "education", "main_skill", "other_skill", "since_date"]  # fmt: skip


@once
def upper_cadres(seat: Seat) -> pd.DataFrame:
    """Return the cadres of province, city and county: COLUMNS, and surname.

    `helps_village` is where they help households, `home_village` where they come from (None for
    most).
    """
    told, rng = seat.state["cadres"], seat.stream("cadres")
    villages = seat.places.villages
    rural = villages[villages["is_rural"]]
    # A district of a city may have no village: its communities are helped.
    helped = (rural if len(rural) else villages)["village_code"]
    few = max(told["upper_least"], round(told["upper_of_people"] * seat.people))
    n = min(round(told["upper_a_village"] * len(rural)), few) + 6
    who = made_up(seat, n, (25, 58), CADRES, rng)
    level = rng.choice(["province", "city", "county"], n, p=told["above"])
    digits = np.select([level == "province", level == "city"], [2, 4], 6)
    area = np.array([seat.area[:d].ljust(12, "0") for d in digits], dtype=object)
    unit = rng.choice(list(UNITS), n)
    main = pd.Series(unit).map(UNITS).to_numpy()
    has_home = rng.random(n) < told["kin_in_county"]
    return who.assign(
        level=level,
        unit_name=[seat.name_of(code) + name for code, name in zip(area, unit, strict=True)],
        area_code=area,
        post=rng.choice(POSTS, n, p=[0.55, 0.2, 0.15, 0.1]),
        is_party_member=rng.random(n) < told["party"]["upper"],
        education=np.where(rng.random(n) < 0.92, "college", "senior"),
        main_skill=main,
        other_skill=_other_skill(main, rng),
        since_date=days(seat.first - np.timedelta64(3650, "D"), seat.first, n, rng),
        surname=who["person_name"].str[0],
        helps_village=rng.choice(helped, n),
        home_village=np.where(has_home, rng.choice(helped, n), None),
    )


@once
def local_cadres(block: Known) -> pd.DataFrame:
    """Return the cadres of the block's villages and towns: COLUMNS and person (row of people)."""
    picked = pd.concat([_of_villages(block), _of_towns(block)])
    picked = picked.sort_values("person", ignore_index=True)
    rng, told = block.stream("cadres", "more"), block.state["cadres"]
    people = block.people.iloc[picked["person"]].reset_index(drop=True)
    n = len(picked)
    party = picked["level"].map(told["party"]).to_numpy(float)
    main = rng.choice(SKILLS, n, p=_shares())
    start = np.datetime64(block.seat.first, "D")
    since = days(start - np.timedelta64(3650, "D"), start - np.timedelta64(30, "D"), n, rng)
    reached = people["education"].to_numpy()
    return picked.assign(
        person_id=people["person_id"],
        person_name=people["person_name"],
        birth_date=people["birth_date"],
        is_party_member=(rng.random(n) < party) | (picked["post"] == VILLAGE_POSTS[0]),
        education=np.where(np.isin(reached, EDUCATIONS), reached, EDUCATIONS[0]),
        main_skill=main,
        other_skill=_other_skill(main, rng),
        since_date=since,
    )


def _of_villages(block: Known) -> pd.DataFrame:
    """Pick the committee of each rural village: grown, able, schooled, mostly men."""
    people, told, rng = block.people, block.state["cadres"], block.stream("cadres", "villages")
    rural = block.homes["is_rural"].to_numpy()[block.house]
    age = people["age"].to_numpy()
    works = people["work"].isin(["farming", "local_job"]).to_numpy()
    may = rural & works & people["is_able"].to_numpy() & (age >= 28) & (age <= 62)
    liking = told["by_year_of_schooling"] * people["years"].to_numpy()
    liking = liking + np.log(np.where(people["is_male"], told["men_to_women"], 1.0))
    order = pd.DataFrame(
        {
            "person": np.flatnonzero(may),
            "village": block.village_of[may],
            "key": (liking + rng.gumbel(size=len(people)))[may],
        }
    ).sort_values(["village", "key"], ascending=[True, False])
    nth = order.groupby("village").cumcount().to_numpy()
    villages, code = np.unique(order["village"].to_numpy().astype(str), return_inverse=True)
    low, high = told["of_village"]
    picked = order[nth < rng.integers(low, high + 1, len(villages))[code]]
    post = np.array(VILLAGE_POSTS)[np.minimum(picked.groupby("village").cumcount(), 4)]
    names = picked["village"].map(block.seat.name_of)
    return pd.DataFrame(
        {
            "person": picked["person"].to_numpy(),
            "level": "village",
            "unit_name": names.to_numpy(),
            "area_code": picked["village"].to_numpy(),
            "post": post,
        }
    )


def _of_towns(block: Known) -> pd.DataFrame:
    """Pick a share of those on the public pay: the town's government."""
    people, told, rng = block.people, block.state["cadres"], block.stream("cadres", "towns")
    public = (people["work"] == "public").to_numpy() & (people["years"] >= 9).to_numpy()
    picked = np.flatnonzero(public & (rng.random(len(people)) < told["of_public"]))
    town = pd.Series(block.village_of[picked]).str[:9] + "000"
    return pd.DataFrame(
        {
            "person": picked,
            "level": "town",
            "unit_name": town.map(block.seat.name_of).to_numpy() + "人民政府",
            "area_code": town.to_numpy(),
            "post": rng.choice(TOWN_POSTS, len(picked), p=[0.03, 0.1, 0.12, 0.75]),
        }
    )


def _shares() -> list[float]:
    """Return how often a local cadre is good at what: those of villages know farming."""
    share = np.array([5, 4, 1.5, 1.5, 1, 0.5, 0.5, 1, 3])
    return list(share / share.sum())


def _other_skill(main: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    other = rng.choice(SKILLS, len(main))
    return np.where((other == main) | (rng.random(len(main)) < 0.5), None, other)


# -- the feed `cadre` --------------------------------------------------------------------------


def cadre_of_block(block: Known, month: int) -> pd.DataFrame:
    """Return the cadres of villages and towns in office at the end of a month."""
    return _in_office(local_cadres(block), block.end(month))


def cadre_of_county(seat: Seat, month: int) -> pd.DataFrame:
    """Return the cadres above the towns in office at the end of a month."""
    return _in_office(upper_cadres(seat), seat.end(month))


def _in_office(cadres: pd.DataFrame, day: np.datetime64) -> pd.DataFrame:
    begun = cadres["since_date"].to_numpy().astype("datetime64[D]") <= day
    return cadres.loc[begun, COLUMNS].reset_index(drop=True)
