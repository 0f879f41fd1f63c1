"""Fit and judge of the model `poverty`, without Spark."""

import numpy as np
import pandas as pd
import pytest

from models.poverty.fit import fit
from models.poverty.judge import by_group, geography, judge
from models.poverty.predict import Formula
from tests.models.households import households

FREE = {"shrink_households": 1e-9}


def effects(formula: Formula) -> dict[tuple[str, str], float]:
    return {(term.column, term.form): term.coefficient for term in formula.terms}


def test_fit_finds_the_effects_that_made_the_rows():
    """households() adds .3 per migrant, takes .25 per elderly, adds .1 from town to town."""
    rows = households(400, seed=1, noise=0)
    made = fit(rows, FREE)
    told = effects(made)
    assert told["n_migrants", "value"] == pytest.approx(0.3, abs=1e-6)
    assert told["n_elderly", "value"] == pytest.approx(-0.25, abs=1e-6)
    assert told["head_age", "value"] == pytest.approx(0, abs=1e-6)
    assert made.places["211223103"] - made.places["211223101"] == pytest.approx(0.2, abs=1e-6)
    assert made.predict(rows) == pytest.approx(rows["consumption_cny"].to_numpy(), rel=1e-6)


def test_a_household_that_stands_for_two_counts_as_two():
    rows = households(60, seed=2).assign(weight=1.0)
    double = rows.assign(weight=np.where(rows.index < 20, 2.0, 1.0))
    repeated = pd.concat([rows, rows[rows.index < 20]], ignore_index=True)
    assert fit(double, FREE).predict(rows) == pytest.approx(
        fit(repeated, FREE).predict(rows), rel=1e-6
    )


def test_without_consumption_nothing_is_learned():
    rows = households(80, seed=3)
    none = rows.assign(consumption_cny=0.0, household_id="h9999").head(5)
    both = pd.concat([rows, none], ignore_index=True)
    assert fit(both, FREE).intercept == fit(rows, FREE).intercept


def test_a_silent_village_is_filled_and_flagged():
    rows = households(400, seed=4)
    is_silent = rows["village_contacts"].isna()
    rows["consumption_cny"] *= np.where(is_silent, 0.5, 1.0)
    made = fit(rows, {"shrink_households": 5})
    flag = effects(made)["village_n_subscribers", "missing"]
    assert flag == pytest.approx(np.log(0.5), abs=0.1)
    # By hand: a silent village is a village of average telephones, and the flag.
    fill = {(term.column, term.form): term.fill for term in made.terms}
    row = rows[is_silent].head(1)
    heard = row.assign(
        village_n_subscribers=np.expm1(fill["village_n_subscribers", "log"]),
        village_active_days=fill["village_active_days", "value"],
        village_contacts=np.expm1(fill["village_contacts", "log"]),
        village_call_s=np.expm1(fill["village_call_s", "log"]),
    )
    assert made.predict(row)[0] == pytest.approx(made.predict(heard)[0] * np.exp(flag))


def test_a_column_that_is_the_same_for_all_has_no_effect():
    rows = households(50, seed=5).assign(has_public_job=False, village_contacts=np.nan)
    told = effects(fit(rows, {"shrink_households": 5}))
    assert told["has_public_job", "value"] == told["village_contacts", "log"] == 0


def test_what_is_saved_scores_alike(tmp_path):
    rows = households(100, seed=6)
    made = fit(rows, {"shrink_households": 5})
    made.save(tmp_path / "model.json")
    again = Formula.load(tmp_path / "model.json")
    assert (again.predict(rows) == made.predict(rows)).all()
    # A town that was not sampled has its county's effect alone.
    elsewhere = rows.head(1).assign(village_code="211223999001")
    known = rows.head(1).assign(village_code="211223101201")
    assert again.predict(elsewhere)[0] * np.exp(again.places["211223101"]) == pytest.approx(
        again.predict(known)[0]
    )


def sampled(text: str) -> pd.DataFrame:
    names, *lines = [
        [cell.strip() for cell in line.split("|")] for line in text.split("\n") if line
    ]
    rows = pd.DataFrame(lines, columns=names).astype({"consumption_cny": float, "weight": float})
    return rows.assign(household_id=[f"h{i}" for i in range(len(rows))])


def test_geography_is_the_mean_of_the_town_drawn_to_its_county():
    fitting = sampled(
        "village_code | consumption_cny | weight\n"
        "211223101201 | 1000            | 1\n"
        "211223101202 | 1000            | 1\n"
        "211223102201 | 4000            | 1\n"
        "210181204201 | 8000            | 1"
    )
    held = sampled(
        "village_code | consumption_cny | weight\n"
        "211223101205 | 1               | 1\n"
        "211223109201 | 1               | 1\n"
        "210281000000 | 1               | 1"
    )
    told = geography(fitting, held, {"shrink_households": 2})
    # By hand, in powers of two over 1000: the county 211223 has 2/3, its town 101 has
    # (0 + 2 x 2/3) / 4 = 1/3; the town 109 was not sampled; a county neither: (0+0+2+3)/4.
    assert told == pytest.approx(1000 * 2 ** np.array([1 / 3, 2 / 3, 5 / 4]))


def test_held_out_consumption_is_unknown_to_geography():
    rows = households(100, seed=7)
    fitting, held = rows[:60], rows[60:]
    told = geography(fitting, held, FREE)
    assert (geography(fitting, held.assign(consumption_cny=1.0), FREE) == told).all()


def test_the_register_beats_geography_and_the_quota_identity_holds():
    rows = households(1000, seed=8).assign(weight=1.0)
    fitting, held = rows[:700], rows[700:].reset_index(drop=True)
    params = {"shrink_households": 5}
    own = judge(held, fit(fitting, params).predict(held), 0.3)
    town = judge(held, geography(fitting, held, params), 0.3)
    assert own["auc"] > town["auc"] + 0.1
    assert own["spearman"] > 0.8
    assert own["inclusion_error"] == own["exclusion_error"] == pytest.approx(1 - own["precision"])


def test_errors_by_group_by_hand():
    """Of 40 households the quota takes ten; women's households are thought twice as rich."""
    truth = np.arange(1, 41) * 100.0
    held = pd.DataFrame(
        {
            "household_id": [f"h{i:02}" for i in range(40)],
            "village_code": "211223101201",
            "consumption_cny": truth,
            "weight": 1.0,
            "is_head_female": [1.0, 0.0] * 19 + [np.nan] * 2,
        }
    )
    guess = truth * np.where(held["is_head_female"] == 1, 2.0, 1.0)
    told = {row["value"]: row for row in by_group(held, guess, 0.25, ("is_head_female",))}
    # Poor are the ten with 100 to 1000: women's with 100, 300 ... 900, men's with 200 ... 1000.
    # The ten lowest guesses are 200 600 1000 1400 of women's (their 900 is thought 1800) and
    # 200 400 600 800 1000 1200 of men's (their 1200 is not poor).
    assert told["true"]["n"] == told["false"]["n"] == 19
    assert told["true"]["exclusion_error"] == pytest.approx(1 / 5)
    assert told["true"]["inclusion_error"] == 0
    assert told["true"]["log_error"] == pytest.approx(np.log(2))
    assert told["false"]["exclusion_error"] == 0
    assert told["false"]["inclusion_error"] == pytest.approx(1 / 6)
    assert told["false"]["log_error"] == pytest.approx(0)
    assert told["unknown"] == {"group": "is_head_female", "value": "unknown", "n": 2}
    assert told["211223101"]["group"] == "town"
