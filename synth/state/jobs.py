"""Work as the labour office knows it: contracts, vacancies, courses."""

import numpy as np
import pandas as pd

from synth.state.earners import concealed, wages
from synth.state.firms import firms
from synth.state.known import DAY, NEVER, Known, Seat, days, numbered, once
from synth.state.spelling import misspelt

# Where people of the county go to work, by division code of the province.
FAR = {"110000000000": "北京市", "120000000000": "天津市", "130000000000": "河北省",
       "220000000000": "吉林省", "370000000000": "山东省", "320000000000": "江苏省"}  # fmt: skip
CONTRACT = ["contract_id", "person_id", "person_name", "employer_code", "employer_name", "trade",
            "work_area_code", "wage_cny", "valid_from", "valid_to", "is_insured"]  # fmt: skip
TRAINING = ["training_id", "person_id", "person_name", "course", "organiser", "started_date",
            "ended_date", "has_passed", "village_code"]  # fmt: skip
# What firms of a trade look for.
SKILL_OF = {
    "construction": "building", "seeds": "planting", "breeding": "breeding", "food": "cooking",
    "clothing": "sewing", "machinery": "machining", "trade": "selling", "transport": "driving",
    "catering": "cooking", "services": "caring",
}  # fmt: skip
COURSES = ("planting", "breeding", "sewing", "cooking", "building", "driving", "selling", "caring",
           "machining")  # fmt: skip


# -- contracts ---------------------------------------------------------------------------------


@once
def contracts(block: Known) -> pd.DataFrame:
    """Return the contracts that offices know of: CONTRACT and person (row).

    Those who work away are mostly known elsewhere, and who works off the books nowhere. A lost
    job ends its contract; some employers tell months later.
    """
    told, rng = block.state["employment"], block.stream("contracts")
    people, seat = block.people, block.seat
    share = people["work"].map(told["known"]).fillna(0.0).to_numpy(float)
    knows = (wages(block) > 0) & (rng.random(len(people)) < share)
    knows[concealed(block)["person"]] = False
    who = np.flatnonzero(knows)
    n = len(who)
    employer = firms(seat).iloc[rng.integers(len(firms(seat)), size=n)].reset_index(drop=True)
    away = (people["work"].iloc[who] == "migrant").to_numpy()
    begun = days(seat.first - 1500 * DAY, seat.last, n, rng)
    grown = people["birth_date"].to_numpy().astype("datetime64[D]")[who] + 5844 * DAY
    return pd.DataFrame(
        {
            "contract_id": numbered(f"H{block.code}", n, 6),
            "person_id": people["person_id"].to_numpy()[who],
            "person_name": spelt(block, who, rng),
            "employer_code": employer["credit_code"].where(~away),
            "employer_name": np.where(away, "外地用工单位", employer["company_name"]),
            "trade": employer["trade"],
            "work_area_code": np.where(away, rng.choice(list(FAR), n), seat.area_code),
            "wage_cny": (wages(block)[who] / 12).round(0),
            "valid_from": np.maximum(begun, grown),
            "valid_to": _ends(block, who, rng),
            "is_insured": rng.random(n) < told["insured"],
            "person": who,
        }
    )


def _ends(block: Known, who: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the last day of a contract, as it was told: where the job was lost, some days on."""
    lost = block.shocks_of("job").drop_duplicates("person").set_index("person")["month"]
    month = lost.reindex(who).to_numpy(float)
    first = block.seat.first.astype("datetime64[M]")
    day = (first + np.nan_to_num(month).astype(int)).astype("datetime64[D]")
    late = rng.integers(0, block.state["employment"]["late_days"], len(who)) * DAY
    return np.where(np.isnan(month), NEVER, day + late)


def spelt(block: Known, who: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return names of people as a department's clerks spell them."""
    names = block.people["person_name"].iloc[who]
    return misspelt(names, block.state["names"]["misspelt"], rng).to_numpy()


def employment(block: Known, month: int) -> pd.DataFrame:
    """Return the contracts in force at the end of a month."""
    rows, day = contracts(block), block.end(month)
    ended = rows["valid_to"].to_numpy().astype("datetime64[D]")
    here = (rows["valid_from"].to_numpy() <= day) & ~(ended <= day)
    return rows.loc[here, CONTRACT].assign(valid_to=NEVER).reset_index(drop=True)


# -- vacancies ---------------------------------------------------------------------------------


def vacancy(seat: Seat, month: int) -> pd.DataFrame:
    """Return what the county's firms look for in a month; some of it is filled and still there."""
    told, begin = seat.state["vacancy"], seat.begin(month)
    rng = seat.stream("vacancy", str(begin)[:7])
    rural = seat.places.villages[seat.places.villages["is_rural"]]
    n = max(told["least"], round(told["a_village"] * len(rural)))
    firm = firms(seat).iloc[rng.integers(len(firms(seat)), size=n)].reset_index(drop=True)
    skill = firm["trade"].map(SKILL_OF).to_numpy()
    plain = rng.random(n) < told["unskilled"]
    away = rng.random(n) < told["away"]
    towns = rural["town_code"].unique() if len(rural) else np.array([seat.area_code])
    place = np.where(rng.random(n) < 0.5, seat.area_code, rng.choice(towns, n))
    wage = told["wage_cny"] * np.exp(rng.normal(0, 0.25, n)) * np.where(plain, 1.0, 1.3)
    on = begin - rng.integers(0, told["old_days"], n) * DAY
    return pd.DataFrame(
        {
            "vacancy_id": numbered(f"V{seat.code}{str(begin)[:7].replace('-', '')}", n, 5),
            "employer_code": firm["credit_code"].where(~away),
            "employer_name": np.where(away, "外地用工单位", firm["company_name"]),
            "trade": firm["trade"],
            "wanted_skill": np.where(plain, "none", skill),
            "least_education": rng.choice(
                ["none", "junior", "senior", "college"], n, p=[0.45, 0.35, 0.15, 0.05]
            ),
            "wage_cny": (wage * np.where(away, 1.4, 1.0) / 50).round() * 50,
            "n_wanted": 1 + rng.poisson(3, n),
            "work_area_code": np.where(away, rng.choice(list(FAR), n), place),
            "published_date": on,
            "valid_to": on + rng.integers(20, 120, n) * DAY,
        }
    )


# -- courses -----------------------------------------------------------------------------------


def training(block: Known, month: int) -> pd.DataFrame:
    """Return who ended a course in a month: the listed sooner; some are down who never came.

    (`attended` is the truth: see courses.)
    """
    return courses(block, month)[TRAINING]


@once
def courses(block: Known, month: int) -> pd.DataFrame:
    """Return the courses that ended in a month: TRAINING, and has_attended (the truth)."""
    told, people = block.state["training"], block.people
    begin, end = block.begin(month), block.end(month)
    rng = block.stream("training", str(begin)[:7])
    grown = ((people["age"] >= 18) & (people["age"] <= 58) & people["is_able"]).to_numpy()
    rural = block.homes["is_rural"].to_numpy()[block.house]
    rate = np.where(block.is_listed[block.house], told["listed_a_year"], told["others_a_year"]) / 12
    who = np.flatnonzero(grown & rural & (rng.random(len(people)) < rate))
    n = len(who)
    ended = begin + rng.integers(0, int((end - begin).astype(int)) + 1, n) * DAY
    came = rng.random(n) >= told["absent"]
    return pd.DataFrame(
        {
            "training_id": numbered(f"P{block.code}{str(begin)[:7].replace('-', '')}", n, 4),
            "person_id": people["person_id"].to_numpy()[who],
            "person_name": spelt(block, who, rng),
            "course": rng.choice(COURSES, n, p=told["courses"]),
            "organiser": block.seat.name_of(block.seat.area_code) + "人力资源和社会保障局",
            "started_date": ended - rng.integers(3, 30, n) * DAY,
            "ended_date": ended,
            "has_passed": ~came | (rng.random(n) < told["passes"]),
            "village_code": block.village_of[who],
            "has_attended": came,
        }
    )
