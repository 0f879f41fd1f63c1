"""Who is recommended for help, and why: cases written by hand, then an oracle in plain Python."""

import random
from datetime import date, timedelta
from fractions import Fraction

from jobs.gold.household_identification import household_identification
from lakehouse.conf import inherited
from lakehouse.schemas.codes import INCOME_ITEM
from lakehouse.schemas.identification import HouseholdIdentification
from lakehouse.schemas.income import IncomeItem
from lakehouse.schemas.people import Household, HouseholdCard, MemberCard
from lakehouse.schemas.reference import IncomeLine, IncomeRule
from tests.frames import assert_rows, frame

RULE = {
    "as_of": date(2015, 12, 31),
    "scheme": "registered_poor",
    "school_ages": [6, 15],
    "deprivation_weights": {
        "income": "1/5", "housing": "1/5", "schooling": "1/5", "health": "1/5", "water": "1/5",
    },
    "reported_tolerance_share": 0.05,
}  # fmt: skip
NATION, COUNTY = "000000000000", "211223000000"
LINES = """
    area_code    | year | line_cny | source
    000000000000 | 2015 | 2855.3   | nation
    000000000000 | 2014 | 9999.0   | old
    211224000000 | 2015 | 3000.0   | county
    211200000000 | 2015 | 2855.3   | city
"""
# Of grain 40 % are cost; all else counts in full.
COSTS = {item: Fraction(2, 5) if item == "grain" else Fraction(0) for item in INCOME_ITEM}


def rules_of(*versions: tuple[str, str, str, dict[str, Fraction]]) -> str:
    """Return the rule table of (rule, area, first day, costs)."""
    told = ["income_rule | area_code | valid_from | item | cost_share"]
    for rule, area, first_day, costs in versions:
        told += [f"{rule} | {area} | {first_day} | {i} | {float(c)}" for i, c in costs.items()]
    return "\n".join(told)


def items_of(incomes: dict[str, dict[str, float]], villages: dict[str, str]) -> str:
    """Return twelve incomes of each household, 0 where not given."""
    told = ["household_id | village_code | item | amount_cny"]
    for household, amounts in incomes.items():
        told += [f"{household} | {villages[household]} | {item} | {amounts.get(item, 0.0)}"
                 for item in INCOME_ITEM]  # fmt: skip
    return "\n".join(told)


def test_recommendations_and_their_reasons(spark):
    # All in one county, three people: the line of 2855.3 stands for 8565.9 yuan a household.
    incomes = {
        "below": {"wage": 8565.89},
        # Added up as doubles, in whatever order, these come out below the line.
        "at_line": {
            "wage": 436.32,
            "property": 363.31,
            "ecology": 2496.4,
            "dibao": 35.63,
            "other_transfer": 5234.24,
        },
        "cost": {"grain": 14000.0},
        "unsafe": {"wage": 9000.0},
        "drop_out": {"wage": 9000.0},
        "bad_all": {"wage": 300.0},
        "fewer": {"wage": 9000.0},
        "reported": {"wage": 9000.0},
        "near": {"wage": 9000.0},
        "sheets": {"wage": 9000.0},
    }
    village = dict.fromkeys(incomes, "211223101201")
    cards = frame(
        spark,
        HouseholdCard,
        """
        household_id | card_id  | n_members | housing_grade|is_water_safe|reported_net_income_cny
        below        | below    | 3         | A             | true          | null
        at_line      | at_line  | 3         | B             | true          | null
        cost         | cost     | 3         | B             | true          | null
        unsafe       | unsafe   | 3         | C             | true          | null
        drop_out     | drop_out | 3         | B             | true          | null
        bad_all      | bad_all  | 4         | D             | false         | 9000.0
        fewer        | fewer    | 2         | B             | true          | null
        reported     | reported | 3         | B             | true          | 2857.2
        near         | near     | 3         | B             | true          | 2857.3
        sheets       | sheets   | 3         | B             | true          | null
    """,
    )
    # `at_line` has somebody of 5 and of 16 out of school, `drop_out` somebody of 6.
    odd = """
        at_line  | 2010-01-01 | not_in_school | true
        at_line  | 1999-12-31 | not_in_school | true
        drop_out | 2009-12-31 | not_in_school | true
        drop_out | 2000-01-01 | junior        | true
        bad_all  | 2000-01-01 | not_in_school | false
        bad_all  | 1960-01-01 | not_in_school | true
    """
    n_adults = dict.fromkeys(incomes, 3) | {"at_line": 1, "drop_out": 1, "bad_all": 1, "sheets": 2}
    adults = "".join(
        f"{card} | 1960-01-01 | not_in_school | true\n" * n for card, n in n_adults.items()
    )
    members = frame(
        spark, MemberCard, f"card_id | birth_date | school | is_medical_covered {odd}{adults}"
    )
    households = frame(
        spark, Household, "household_id | n_members \n" + "\n".join(f"{h} | 3" for h in incomes)
    )
    made = household_identification(
        cards,
        members,
        frame(spark, IncomeItem, items_of(incomes, village)),
        households,
        frame(spark, IncomeLine, LINES),
        frame(spark, IncomeRule, rules_of(("card", NATION, "2014-01-01", COSTS))),
        **RULE,
    ).cache()
    all_bad = [
        "income_below_line",
        "housing_unsafe",
        "schooling_broken",
        "medical_uncovered",
        "water_unsafe",
        "members_disagree",
        "reported_income_disagrees",
    ]
    assert_rows(
        made,
        HouseholdIdentification,
        """
        household_id | recommendation | reasons
        below        | include   | [income_below_line, guarantees_met]
        at_line      | leave_out | [income_not_below_line, guarantees_met]
        cost         | include   | [income_below_line, guarantees_met]
        unsafe       | check     | [income_not_below_line, housing_unsafe]
        drop_out     | check     | [income_not_below_line, schooling_broken]
        bad_all      | include   | ALL_BAD
        fewer        | check     | [income_not_below_line, guarantees_met, members_disagree]
        reported     | check | [income_not_below_line, guarantees_met, reported_income_disagrees]
        near         | leave_out | [income_not_below_line, guarantees_met]
        sheets       | check     | [income_not_below_line, guarantees_met, members_disagree]
    """.replace("ALL_BAD", f"[{', '.join(all_bad)}]"),
    )
    few = made.where("household_id IN ('at_line', 'cost', 'bad_all')")
    assert_rows(
        few,
        HouseholdIdentification,
        """
        household_id | n_members | gross_income_cny | cost_cny | net_income_cny | deprivation_share
        at_line      | 3         | 8565.9           | 0.0      | 2855.3         | 0.0
        cost         | 3         | 14000.0          | 5600.0   | 2800.0         | 0.2
        bad_all      | 3         | 300.0            | 0.0      | 100.0          | 1.0
    """,
    )
    assert_rows(
        few,
        HouseholdIdentification,
        """
        household_id | line_cny | line_area_code | line_source | income_rule | violations
        at_line      | 2855.3   | 211200000000   | city        | card        | []
        cost         | 2855.3   | 211200000000   | city        | card        | []
        bad_all      | 2855.3   | 211200000000   | city        | card        | []
    """,
    )


def test_what_cannot_be_judged_is_set_aside(spark):
    villages = {
        "good": "210101101201",
        "no_register": "210101101201",
        "no_items": "210101101201",
        "eleven": "210101101201",
        "no_share": "211224101201",
        "no_sheet": "210101101201",
        "no_line": "220101101201",
    }
    places = "\n".join(f"{h} | {h} | 3 | {village}" for h, village in villages.items())
    cards = "household_id | card_id | n_members | village_code \n" + places
    sheets = "\n".join(f"{h} | 1960-01-01 \n {h} | 1960-01-01" for h in villages if h != "no_sheet")
    households = "\n".join(f"{h} | 2" for h in villages if h != "no_register")
    incomes = {h: {"wage": 9000.0} for h in villages if h != "no_items"}
    items = frame(spark, IncomeItem, items_of(incomes, villages)).where(
        "household_id != 'eleven' OR item != 'grain'"
    )
    lines = frame(
        spark,
        IncomeLine,
        """
        area_code    | year | scheme
        210000000000 | 2015 | registered_poor
        000000000000 | 2014 | registered_poor
        000000000000 | 2015 | other
    """,
    )
    few_costs = {"wage": Fraction(0)}
    rules = rules_of(
        ("old", NATION, "2013-01-01", COSTS),
        ("b_new", NATION, "2014-01-01", COSTS),
        ("a_new", NATION, "2014-01-01", COSTS),
        ("future", NATION, "2016-01-01", COSTS),
        ("part", "211224000000", "2014-01-01", few_costs),
    )
    cards = frame(spark, HouseholdCard, cards)
    made = household_identification(
        cards,
        frame(spark, MemberCard, f"card_id | birth_date \n{sheets}"),
        items,
        frame(spark, Household, f"household_id | n_members \n{households}"),
        lines,
        frame(spark, IncomeRule, rules),
        **RULE,
    )
    assert_rows(
        made,
        HouseholdIdentification,
        """
        household_id | income_rule | line_area_code | violations
        good         | a_new       | 210000000000   | []
        no_register  | a_new       | 210000000000   | [household_id:not_on_register]
        no_items     | null        | 210000000000   | [gross_income_cny:missing_item]
        eleven       | a_new       | 210000000000   | [gross_income_cny:missing_item]
        no_share     | part        | 210000000000   | [cost_cny:no_cost_share]
        no_sheet     | a_new       | 210000000000   | [is_schooling_kept:no_member_sheet]
        no_line      | a_new       | null           | [line_cny:no_line]
    """,
    )
    nothing = household_identification(
        cards.where("household_id = 'good'"),
        frame(spark, MemberCard, "card_id | birth_date \n good | 1960-01-01"),
        items,
        frame(spark, Household, "household_id | n_members \n good | 2"),
        lines.where("false"),
        frame(spark, IncomeRule, rules_of(("future", NATION, "2016-01-01", COSTS))),
        **RULE,
    )
    assert_rows(
        nothing,
        HouseholdIdentification,
        """
        household_id | recommendation | violations
        good         | null           | [income_rule:no_rule, line_cny:no_line]
    """,
    )


def test_random_households_are_judged_as_by_plain_python(spark):
    chance = random.Random(20151231)
    lines = {NATION: 2855, "210000000000": 2900, "211200000000": 2950.5, COUNTY: 3000}
    shares = {
        NATION: {item: Fraction(chance.randrange(0, 60), 100) for item in INCOME_ITEM},
        "211200000000": {item: Fraction(chance.randrange(0, 60), 100) for item in INCOME_ITEM},
    }
    households = [_random_household(chance, n) for n in range(120)]
    cards = "\n".join(
        " | ".join([h["id"], h["id"], h["village"], str(h["n"]), h["grade"], h["water"], h["said"]])
        for h in households
    )
    sheets = "\n".join(
        f"{h['id']} | {born} | {school} | {covered}"
        for h in households
        for born, school, covered in h["people"]
    )
    made = household_identification(
        frame(spark, HouseholdCard, "household_id | card_id | village_code | n_members | "
              f"housing_grade | is_water_safe | reported_net_income_cny \n{cards}"),
        frame(spark, MemberCard, f"card_id | birth_date | school | is_medical_covered \n{sheets}"),
        frame(spark, IncomeItem, items_of(
            {h["id"]: h["income"] for h in households}, {h["id"]: h["village"] for h in households}
        )),
        frame(spark, Household, "household_id | n_members \n"
              + "\n".join(f"{h['id']} | {len(h['people'])}" for h in households)),
        frame(spark, IncomeLine, "area_code | line_cny \n"
              + "\n".join(f"{area} | {float(line)}" for area, line in lines.items())),
        frame(spark, IncomeRule, rules_of(
            *((area, area, "2014-01-01", costs) for area, costs in shares.items())
        )),
        **RULE,
    )  # fmt: skip
    expected = "\n".join(_judge(h, lines, shares) for h in households)
    # The draws reach every answer.
    assert all(f"| {answer} |" in expected for answer in ("include", "check", "leave_out"))
    assert_rows(
        made,
        HouseholdIdentification,
        "household_id | net_income_cny | line_area_code | income_rule | deprivation_share | "
        f"recommendation | reasons \n{expected}",
    )


def _random_household(chance: random.Random, number: int) -> dict:
    people = [
        (
            str(date(1940, 1, 1) + timedelta(days=chance.randrange(27_000))),
            "primary" if chance.random() < 0.8 else "not_in_school",
            str(chance.random() < 0.95).lower(),
        )
        for _ in range(chance.randrange(1, 7))
    ]
    income = {item: chance.randrange(0, 300_000) / 100 for item in INCOME_ITEM}
    return {
        "id": f"h{number}",
        "village": chance.choice(["211223101201", "211224101201", "210101101201", "330101101201"]),
        "people": people,
        "n": len(people) if chance.random() < 0.9 else len(people) + 1,
        "grade": chance.choice("AAABBBCD"),
        "water": str(chance.random() < 0.9).lower(),
        "said": chance.choice(["null", "null", "null", str(chance.randrange(2000, 4000) / 1)]),
        "income": income,
    }


def _judge(h: dict, lines: dict, shares: dict) -> str:
    """Judge one household without Spark, in fractions."""
    heritage = [(code + "0" * 12)[:12] for code in inherited(h["village"])]
    line_area = next(area for area in heritage if area in lines)
    rule_area = next(area for area in heritage if area in shares)
    net = sum(
        Fraction(str(amount)) * (1 - shares[rule_area][item])
        for item, amount in h["income"].items()
    ) / len(h["people"])
    line = Fraction(str(lines[line_area]))
    ages = [
        2015 - int(born[:4]) - (born[5:] > "12-31") for born, school, _ in h["people"]
        if school == "not_in_school"
    ]  # fmt: skip
    broken = {
        "housing_unsafe": h["grade"] in "CD",
        "schooling_broken": any(6 <= age <= 15 for age in ages),
        "medical_uncovered": any(covered == "false" for _, _, covered in h["people"]),
        "water_unsafe": h["water"] == "false",
    }
    off = h["said"] != "null" and abs(Fraction(h["said"]) - net) > Fraction(5, 100) * line
    disagree = h["n"] != len(h["people"])
    below = net < line
    reasons = ["income_below_line" if below else "income_not_below_line"]
    reasons += [reason for reason, holds in broken.items() if holds]
    reasons += [] if any(broken.values()) else ["guarantees_met"]
    reasons += ["members_disagree"] if disagree else []
    reasons += ["reported_income_disagrees"] if off else []
    doubtful = any(broken.values()) or disagree or off
    answer = "include" if below else "check" if doubtful else "leave_out"
    deprived = (below + sum(broken.values())) / 5
    return (
        f"{h['id']} | {float(net)} | {line_area} | {rule_area} | {deprived} | {answer} | "
        f"[{', '.join(reasons)}]"
    )
