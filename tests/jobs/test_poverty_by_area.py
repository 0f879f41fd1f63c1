import random
from collections import defaultdict
from datetime import date

import numpy as np
import pytest

from jobs.gold.poverty_by_area import poverty_by_area
from lakehouse.schemas.identification import PovertyByArea
from lakehouse.schemas.income import SurveyHousehold
from lakehouse.schemas.reference import IncomeLine
from tests.frames import assert_rows, frame

AS_OF = date(2015, 12, 31)
LINES = """
    area_code    | year | scheme          | line_cny
    000000000000 | 2015 | registered_poor | 2000.0
    211224000000 | 2015 | registered_poor | 4000.0
    000000000000 | 2014 | registered_poor | 1.0
    211223000000 | 2015 | other           | 1.0
"""


def test_poverty_of_people_up_the_tree_by_the_line_of_each_area(spark):
    # 20 people with 1000 (half the line below it), 10 at the line, 10 with less than nothing;
    # 40 of another county with 3000, below its own line only.
    sampled = frame(
        spark,
        SurveyHousehold,
        """
        survey_year | village_code | weight | n_members | net_income_cny | consumption_cny
        2015        | 211223101201 | 10.0   | 2         | 1000.0         | 2000.0
        2015        | 211223101201 | 5.0    | 2         | 2000.0         | 1500.0
        2015        | 211223102201 | 2.5    | 4         | -500.0         | 2000.0
        2015        | 211224101201 | 40.0   | 1         | 3000.0         | 5000.0
        2014        | 211223101201 | 10.0   | 2         | 0.0            | 0.0
    """,
    )
    lines = frame(spark, IncomeLine, LINES)
    made = poverty_by_area(sampled, lines, as_of=AS_OF, scheme="registered_poor").cache()
    by_income = made.where("concept = 'net_income'")
    assert_rows(
        by_income,
        PovertyByArea,
        """
        area_code    | level    | line_cny | line_area_code | n_sampled | n_people | violations
        211223101201 | village  | 2000.0   | 000000000000   | 2         | 30.0     | []
        211223102201 | village  | 2000.0   | 000000000000   | 1         | 10.0     | []
        211224101201 | village  | 4000.0   | 211224000000   | 1         | 40.0     | []
        211223101000 | town     | 2000.0   | 000000000000   | 2         | 30.0     | []
        211223102000 | town     | 2000.0   | 000000000000   | 1         | 10.0     | []
        211224101000 | town     | 4000.0   | 211224000000   | 1         | 40.0     | []
        211223000000 | county   | 2000.0   | 000000000000   | 3         | 40.0     | []
        211224000000 | county   | 4000.0   | 211224000000   | 1         | 40.0     | []
        211200000000 | city     | 2000.0   | 000000000000   | 4         | 80.0     | []
        210000000000 | province | 2000.0   | 000000000000   | 4         | 80.0     | []
    """,
    )
    assert_rows(
        by_income.where("level != 'town'"),
        PovertyByArea,
        """
        area_code    | headcount_ratio | poverty_gap  | squared_gap
        211223101201 | 0.6666666667    | 0.3333333333 | 0.1666666667
        211223102201 | 1.0             | 1.0          | 1.0
        211224101201 | 1.0             | 0.25         | 0.0625
        211223000000 | 0.75            | 0.5          | 0.375
        211224000000 | 1.0             | 0.25         | 0.0625
        211200000000 | 0.375           | 0.25         | 0.1875
        210000000000 | 0.375           | 0.25         | 0.1875
    """,
    )
    by_consumption = made.where("concept = 'consumption' AND level IN ('county', 'city')")
    assert_rows(
        by_consumption,
        PovertyByArea,
        """
        area_code    | headcount_ratio | poverty_gap | squared_gap | n_sampled | n_people
        211223000000 | 0.25            | 0.0625      | 0.015625    | 3         | 40.0
        211224000000 | 0.0             | 0.0         | 0.0         | 1         | 40.0
        211200000000 | 0.125           | 0.03125     | 0.0078125   | 4         | 80.0
    """,
    )


def test_an_area_without_a_line_is_set_aside(spark):
    sampled = frame(spark, SurveyHousehold, "village_code \n 211223101201 \n 330101101201")
    lines = frame(spark, IncomeLine, "area_code \n 211200000000")
    made = poverty_by_area(sampled, lines, as_of=AS_OF, scheme="registered_poor")
    counties = made.where("level = 'county' AND concept = 'net_income'")
    assert_rows(
        counties,
        PovertyByArea,
        """
        area_code    | line_cny | headcount_ratio | violations
        211223000000 | 2855.0   | 0.0             | []
        330101000000 | null     | null            | [line_cny:no_line]
    """,
    )


LINE = 2000.0
LEVELS = {"village", "town", "county", "city", "province"}


def sample() -> list[dict]:
    """Two counties: three towns of two or more villages, and one town of a single village."""
    rng = random.Random(11)
    villages = {"211223101": 2, "211223102": 4, "211223103": 3, "211224101": 1}
    return [
        {"village_code": f"{town}{201 + number}", "stratum": f"{town}000",
         "psu": f"{town}{201 + number}", "weight": rng.uniform(1, 9),
         "n_members": rng.randint(1, 6), "net_income_cny": rng.gauss(2300, 900),
         "consumption_cny": rng.uniform(500, 6000)}
        for town, n in villages.items() for number in range(n) for _ in range(rng.randint(3, 9))
    ]  # fmt: skip


def naive(rows: list[dict], area: str, value: str) -> dict:
    """Return the measures of one area with their errors, by the definition, PSU by PSU."""
    digits = next(n for n in (2, 4, 6, 9, 12) if area[n:].strip("0") == "")
    ours = [row for row in rows if row["village_code"][:digits] == area[:digits]]
    people = np.array([row["weight"] * row["n_members"] for row in ours])
    short = 1 - np.maximum([row[value] for row in ours], 0) / LINE
    psus = {(row["stratum"], row["psu"]) for row in ours}
    strata = {stratum for stratum, _ in psus}
    told = {"n_psu": len(psus), "n_strata": len(strata), "n_sampled": len(ours)}
    for power, name in enumerate(("headcount_ratio", "poverty_gap", "squared_gap")):
        y = np.where(short > 0, np.maximum(short, 0) ** power, 0)
        told[name] = mean = np.average(y, weights=people)
        totals = defaultdict(lambda: defaultdict(float))
        for row, u in zip(ours, people * (y - mean) / people.sum(), strict=True):
            totals[row["stratum"]][row["psu"]] += u
        variance = sum(
            len(u) * np.var(list(u.values()), ddof=1) if len(u) > 1 else np.nan
            for u in totals.values()
        )
        told[f"{name}_error"] = None if np.isnan(variance) else variance**0.5
    return told


def test_errors_agree_with_the_definition_on_random_data(spark):
    rows = sample()
    names = list(rows[0])
    text = "\n".join(
        [" | ".join(names), *(" | ".join(str(row[name]) for name in names) for row in rows)]
    )
    made = poverty_by_area(
        frame(spark, SurveyHousehold, text),
        frame(spark, IncomeLine, f"area_code | line_cny \n 000000000000 | {LINE}"),
        as_of=AS_OF, scheme="registered_poor",
    ).collect()  # fmt: skip
    assert {row["level"] for row in made} == LEVELS
    for row in made:
        value = {"net_income": "net_income_cny", "consumption": "consumption_cny"}[row["concept"]]
        wanted = naive(rows, row["area_code"], value)
        for name, expected in wanted.items():
            assert row[name] == (None if expected is None else pytest.approx(expected)), name
    known = {row["area_code"] for row in made if row["headcount_ratio_error"] is not None}
    # No village has an error; nor has what the town of one village lies in.
    assert known == {"211223101000", "211223102000", "211223103000", "211223000000"}
