"""Schools: who is on their rolls, who has left them, and who is on the roll and gone."""

import numpy as np
import pandas as pd

from synth.state.jobs import spelt
from synth.state.known import DAY, NEVER, YEAR, Known, ages, once
from synth.state.sites import facilities

ENROLMENT = ["person_id", "person_name", "school_id", "school_name", "school_year", "stage",
             "grade", "is_boarding", "village_code"]  # fmt: skip
DROPOUT = ["person_id", "person_name", "school_id", "stage", "left_date", "reason",
           "is_back", "back_date", "village_code"]  # fmt: skip
FIRST_AGE = {"primary": 6, "junior": 12, "senior": 16, "vocational": 16}
SCHOOL_OF = {"primary": "primary_school", "junior": "junior_school", "senior": "senior_school",
             "vocational": "vocational_school"}  # fmt: skip


@once
def dropouts(block: Known) -> pd.DataFrame:
    """Return who left school too early: the truth.

    person (row), person_id, left_date, stage, reason, is_told (in the schools' list), is_on_roll
    (still on the roll, for the school is paid by heads).
    """
    told, rng = block.state["dropout"], block.stream("dropouts")
    people = block.people
    who = np.flatnonzero(people["is_dropped_out"].to_numpy(bool))
    n = len(who)
    age = ages(people["birth_date"].iloc[who], block.seat.last)
    ago = rng.integers(20, 700, n) * DAY
    birth = people["birth_date"].to_numpy().astype("datetime64[D]")[who]
    left = np.maximum(block.seat.last - ago, birth + DAY * round(6.5 * YEAR))
    left = np.minimum(left, block.seat.last)
    return pd.DataFrame(
        {
            "person": who,
            "person_id": people["person_id"].to_numpy()[who],
            "left_date": left,
            "stage": np.where(age < 13, "primary", "junior"),
            "reason": rng.choice(
                ["dislike", "illness", "work", "poverty", "other"], n, p=told["reasons"]
            ),
            "is_told": rng.random(n) < told["told"],
            "is_on_roll": rng.random(n) < told["on_roll"],
        }
    )


@once
def pupils(block: Known, month: int) -> pd.DataFrame:
    """Return who is at school, or on the roll, at the end of a month: ENROLMENT.

    The stage of a day is that of the age, up to the one known of the last day; who has left
    since is here until then. Children who live where their parents work are on rolls elsewhere.
    """
    told, day = block.state["enrolment"], block.end(month)
    people = block.people
    age = ages(people["birth_date"], day)
    gone = dropouts(block)
    left = np.full(len(people), NEVER)
    left[gone["person"]] = gone["left_date"].to_numpy().astype("datetime64[D]")
    on_roll = np.zeros(len(people), dtype=bool)
    on_roll[gone["person"]] = gone["is_on_roll"]
    attends = ~people["is_dropped_out"].to_numpy(bool) | on_roll | (left > day)
    stage = _stages(age, people["school"].to_numpy())
    rng = block.stream("enrolment", "elsewhere")
    away = rng.random(len(people)) < told["elsewhere"]
    who = np.flatnonzero((stage != "") & attends & ~away)
    grade = age[who] - pd.Series(stage[who]).map(FIRST_AGE).to_numpy() + 1
    year = int(str(day)[:4]) - (int(str(day)[5:7]) < 9)
    return _enrolled(block, who, stage[who], np.clip(grade, 1, np.where(age[who] < 12, 6, 3)), year)


def _stages(age: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Return the stage at an age, of those who are at a stage now; "" for none.

    Compulsory schooling goes by age, as in `synth.people.population`; what comes after it lasts
    from sixteen to eighteen, for those who are there now or went on to a college.
    """
    later = np.where(np.isin(now, ["senior", "vocational"]), now, "")
    later = np.where(now == "college", "senior", later)
    return np.select(
        [age < 6, age < 12, age < 16, age < 19], ["", "primary", "junior", later], ""
    )  # fmt: skip


def _enrolled(
    block: Known, who: np.ndarray, stage: np.ndarray, grade: np.ndarray, year: int
) -> pd.DataFrame:
    told, rng = block.state["enrolment"], block.stream("enrolment", year)
    school = _schools(block, who, stage)
    boards = pd.Series(stage).map(told["boarding"]).to_numpy(float)
    return pd.DataFrame(
        {
            "person_id": block.people["person_id"].to_numpy()[who],
            "person_name": spelt(block, who, rng),
            "school_id": school["facility_id"].to_numpy(),
            "school_name": school["facility_name"].to_numpy(),
            "school_year": year,
            "stage": stage,
            "grade": grade,
            "is_boarding": rng.random(len(who)) < boards,
            "village_code": block.village_of[who],
        }
    )


def _schools(block: Known, who: np.ndarray, stage: np.ndarray) -> pd.DataFrame:
    """Return the school of each pupil: the town's own, and the county's for the higher stages."""
    schools = facilities(block.seat)
    kind = pd.Series(stage).map(SCHOOL_OF)
    town = pd.Series(block.village_of[who]).str[:9]
    own = schools.assign(town=schools["village_code"].str[:9]).drop_duplicates(
        ["facility_kind", "town"]
    )
    key = pd.MultiIndex.from_frame(own[["facility_kind", "town"]])
    of_town = own.set_index(key)[["facility_id", "facility_name"]]
    of_kind = own.drop_duplicates("facility_kind").set_index("facility_kind")
    found = of_town.reindex(pd.MultiIndex.from_arrays([kind, town])).reset_index(drop=True)
    seat = of_kind.reindex(kind)[["facility_id", "facility_name"]].reset_index(drop=True)
    return found.fillna(seat)


def enrolment(block: Known, month: int) -> pd.DataFrame:
    """Return the rolls of the term."""
    return pupils(block, month)


def dropout(block: Known, month: int) -> pd.DataFrame:
    """Return the schools' list of those who left by the end of a month; some are never told of."""
    told, day = block.state["dropout"], block.end(month)
    rng = block.stream("dropout", "list")
    rows = dropouts(block)
    n = len(rows)
    back = rng.random(n) < told["said_back"]
    on = rows["left_date"].to_numpy() + rng.integers(20, 200, n) * DAY
    said = back & (on <= day)
    school = _schools(block, rows["person"].to_numpy(), rows["stage"].to_numpy())
    rows = rows.assign(
        person_name=spelt(block, rows["person"].to_numpy(), rng),
        school_id=school["facility_id"].to_numpy(),
        is_back=said,
        back_date=np.where(said, on, np.datetime64("NaT")),
        village_code=block.village_of[rows["person"].to_numpy()],
    )
    here = rows["is_told"] & (rows["left_date"].to_numpy() <= day)
    return rows.loc[here, DROPOUT].reset_index(drop=True)
