"""The truth about registers agrees with them: whose, who is a ghost, which line strays."""

import numpy as np
import pandas as pd
import pytest

from synth.state.postings import helpers, teams
from synth.state.registry import TRUTH, truth
from tests.synth.state_county import (
    MONTHS,
    OFTEN,
    delivered,
    gone,
    made,
    often,
    people,
    register,
    truths,
)  # fmt: skip


@pytest.mark.parametrize("table", TRUTH)
def test_there_is_something_to_find(table: str):
    assert len(truths(table)) > 0


def test_names_lent_for_vehicles():
    rows, there = truths("vehicle_owner").set_index("plate"), register("vehicle")
    assert set(rows.index) == set(there["plate"])
    found = there.set_index("plate").loc[rows.index]
    on_paper = found["owner_id"].notna()
    assert (found["owner_id"] == rows["registered_id"])[on_paper].all()
    assert (~on_paper).mean() < 0.1
    assert set(rows["kind"]) == {"own", "borrowed_name", "sold", "production", "scrapped"}
    own = rows["kind"].isin(["own", "production"])
    assert (rows["real_owner_id"] == rows["registered_id"])[own].all()
    lent = rows[rows["kind"] == "borrowed_name"]
    assert len(lent) > 5
    assert (lent["real_owner_id"] != lent["registered_id"]).all()
    assert lent["registered_id"].isin(people()["person_id"]).all()
    cars = rows[rows["kind"] != "production"]
    share = OFTEN["vehicle"]["borrowed"]
    assert len(lent) / len(cars) == pytest.approx(share / (1 + share), abs=0.05)
    assert (found.loc[rows["kind"] == "production", "vehicle_use"] == "production").all()
    # The register hears of some that are gone, months later, and never of the others.
    scrapped = rows["kind"] == "scrapped"
    assert 0.05 < (found.loc[scrapped, "vehicle_status"] == "scrapped").mean() < 0.95
    assert (found["vehicle_status"] == "normal").mean() > 0.5
    assert (found.loc[~scrapped, "vehicle_status"] != "scrapped").all()


def test_other_owners_of_property_and_firms():
    rows, there = truths("property_owner").set_index("property_id"), register("property")
    found = there.set_index("property_id").loc[rows.index]
    paper = found["owner_id"].notna()
    assert (found["owner_id"] == rows["registered_id"])[paper].all()
    assert ((rows["real_owner_id"] == rows["registered_id"]) == (rows["kind"] == "own")).all()
    firms = truths("firm_owner")
    both = firms.merge(register("company"), on=["credit_code", "person_id"])
    assert len(both) == len(firms)
    assert (firms["is_name_lent"] == (firms["real_owner_id"] != firms["person_id"])).all()


def test_ghosts_are_gone_and_paid():
    rows, alive = truths("ghost"), set(people()["person_id"])
    left = gone().set_index("person_id")["left_date"]
    strange = truths("stranger").set_index("person_id")["kind"]
    assert set(rows["kind"]) == {"died", "moved", "doubled"}
    seat, paid = often()[0], [register("benefit", month) for month in range(MONTHS)]
    for ghost in rows[rows["kind"] != "doubled"].itertuples():
        assert ghost.person_id not in alive
        if ghost.person_id in left.index:
            assert left[ghost.person_id] == ghost.left_date
        else:
            assert strange[ghost.person_id] in ("died_before", "long_died", "long_moved")
        months = [
            month for month, of in enumerate(paid)
            if ((of["person_id"] == ghost.person_id) & (of["benefit_id"] == ghost.benefit_id)).any()
        ]  # fmt: skip
        ends = [np.datetime64(seat.end(month)) for month in months]
        assert max(ends) >= np.datetime64(ghost.left_date)
        assert pd.isna(ghost.until) or max(ends) < np.datetime64(ghost.until)
        assert ghost.is_late == pd.notna(ghost.until)
    # Some are struck off when it is heard, some never.
    assert set(rows["is_late"]) == {True, False}
    for ghost in rows[rows["kind"] == "doubled"].itertuples():
        here = paid[-1][paid[-1]["person_id"] == ghost.person_id]
        assert len(here) == 2 and here["benefit_kind"].nunique() == 2
        assert here["person_name"].nunique() >= 1 and ghost.benefit_id in set(here["benefit_id"])


def test_no_ghost_is_missing_from_the_truth():
    paid, ghosts = register("benefit"), truths("ghost")
    of = pd.MultiIndex.from_frame(ghosts[["benefit_id", "person_id"]])
    alive = set(people()["person_id"])
    found = pd.MultiIndex.from_frame(paid[["benefit_id", "person_id"]])
    assert (found.isin(of) | paid["person_id"].isin(alive)).all()
    twice = paid["person_id"].duplicated(keep=False)
    assert set(paid.loc[twice, "person_id"]) == set(
        ghosts.loc[ghosts["kind"] == "doubled", "person_id"]
    ) & set(paid["person_id"])


def test_the_dead_who_are_paid():
    rows = truths("paid_dead")
    assert set(rows["register"]) == {"public_payroll", "pension"}
    dead = truths("death").set_index("person_id")["died_date"]
    for one in rows.itertuples():
        assert dead[one.person_id] == one.died_date
        if pd.isna(one.until):
            assert (register(one.register)["person_id"] == one.person_id).any()


def test_who_conceals_is_known_nowhere():
    rows = truths("concealed_income")
    for name in ("employment", "tax"):
        assert not set(rows["person_id"]) & set(delivered(name)["person_id"]), name
    works = people().set_index("person_id")["work"].loc[rows["person_id"]]
    assert works.isin(["local_job", "migrant"]).all()
    assert (rows["hidden_cny"] > 0).all()


def test_favoured_are_kin_of_cadres_and_not_poor():
    rows = truths("favoured")
    assert set(rows["via"]) == {"benefit", "list"}
    kin = truths("cadre_kin")
    link = ["cadre_id", "relative_id", "relation"]
    assert pd.MultiIndex.from_frame(rows[link]).isin(pd.MultiIndex.from_frame(kin[link])).all()
    everybody = people()
    assert not everybody.loc[everybody["household_id"].isin(rows["household_id"]), "is_poor"].any()
    home = everybody.set_index("person_id")["household_id"]
    assert (home[rows["relative_id"]].to_numpy() == rows["household_id"]).all()
    cadres = register("cadre")["person_id"]
    assert not set(home.reindex(cadres).dropna()) & set(rows["household_id"])
    paid = set(register("benefit")["person_id"])
    by_benefit = rows.loc[rows["via"] == "benefit", "household_id"]
    members = everybody.loc[everybody["household_id"].isin(by_benefit), "person_id"]
    assert set(members) <= paid


def test_kin_who_are_not_declared():
    kin, said = truths("cadre_kin"), register("declared_relative")
    pairs = set(said[["cadre_id", "relative_id"]].dropna().itertuples(index=False, name=None))
    true = kin[["cadre_id", "relative_id"]].itertuples(index=False, name=None)
    told = np.array([pair in pairs for pair in true])
    assert not told[~kin["is_declared"]].any()
    assert 0.7 < told[kin["is_declared"]].mean() < 1  # Some by name alone.
    assert 0.05 < (~kin["is_declared"]).mean() < 0.4
    links = {frozenset(pair) for pair in truths("kin")[["person_id", "other_id"]].to_numpy()}
    local = kin[kin["cadre_id"].isin(people()["person_id"])]
    assert all(frozenset(pair) in links for pair in local[["cadre_id", "relative_id"]].to_numpy())


def test_lines_of_the_ledger_stray_as_told():
    lines = delivered("fund").merge(
        truths("fund_line")[["line_id", "kind"]], on="line_id", how="left"
    )
    assert len(truths("fund_line")) == lines["kind"].notna().sum()
    lines["kind"] = lines["kind"].fillna("")
    library = pd.concat([one.projects for one in often()[1]]).set_index("project_id")
    right = lines[lines["kind"] == ""]
    budget = library["budget_cny"]
    down = right[right["purpose"] == "allocation"].groupby("project_id")["amount_cny"].sum()
    assert (down <= budget.loc[down.index] + 0.01).all()
    spent = lines[lines["purpose"] != "allocation"]
    over = set(lines.loc[lines["kind"] == "over_budget", "project_id"])
    back = spent["purpose"] == "other"
    total = spent[~back].groupby("project_id")["amount_cny"].sum()
    fine = total.drop(index=[one for one in over if one in total.index])
    assert (fine <= budget.loc[fine.index] + 0.01).all()
    trade = register("company").drop_duplicates("credit_code").set_index("credit_code")["trade"]
    outside = lines[lines["kind"].isin(["outside_payee", "diverted"])]
    assert trade.loc[outside["payee_code"]].isin(["catering", "transport", "services"]).all()
    paid = right[right["payee_code"].notna()]
    assert (~trade.loc[paid["payee_code"]].isin(["catering", "transport", "services"])).all()
    assert set(lines.loc[lines["kind"] == "diverted", "purpose"]) <= {"office", "reception"}
    start = library["started_date"].loc[paid["project_id"]].to_numpy().astype("datetime64[D]")
    on = paid["paid_date"].to_numpy().astype("datetime64[D]")
    assert ((on - start).astype(int) <= 366).all()


def test_money_goes_round_by_a_relatives_firm():
    lines = delivered("fund")
    trips = lines[lines["line_id"].isin(_of_kind("fund_line", "round_trip"))]
    back = trips[trips["payee_person_id"].notna()]
    assert len(back)
    firms = truths("firm_owner").set_index("credit_code")["person_id"]
    kin = truths("cadre_kin")
    for leg in back.itertuples():
        first = trips[(trips["to_account"] == leg.from_account)
                      & (trips["project_id"] == leg.project_id)]  # fmt: skip
        assert (first["amount_cny"] > leg.amount_cny).any()
        owner = firms[first["payee_code"].iloc[0]]
        mine = kin[(kin["cadre_id"] == leg.payee_person_id) & (kin["relative_id"] == owner)]
        assert len(mine)


def test_goods_stray_as_told():
    rows = truths("material_line")
    assert set(rows["kind"]) == {"kin", "not_received"}
    lines = delivered("material").set_index("line_id").loc[rows["line_id"]]
    assert (lines["household_id"].to_numpy() == rows["household_id"]).all()
    near = truths("cadre_kin")["household_id"]
    assert rows.loc[rows["kind"] == "kin", "household_id"].isin(near).all()
    served = truths("project_household")
    lost = rows[rows["kind"] == "not_received"].merge(served, on=["project_id", "household_id"])
    assert len(lost) == (rows["kind"] == "not_received").sum()


def _of_kind(table: str, kind: str) -> pd.Series:
    rows = truths(table)
    return rows.loc[rows["kind"] == kind, "line_id"]


def test_teams_and_helpers_keep_the_rules():
    seat, towns = often()
    rows = teams(seat)
    size = rows.groupby(["village_code", "valid_from"])["role"].agg(["size", "nunique"])
    assert (size["size"] >= 3).all() and (size["nunique"] == 2).all()
    at_once = rows.groupby(["valid_from", "cadre_id"]).size()
    assert (at_once == 1).all()
    for one in towns:
        pairs = helpers(one)
        assert pairs.groupby("cadre_id").size().max() <= 5
        assert pairs["household_id"].is_unique
        assert one.is_listed[pairs["household"]].all()
        own = one.people.set_index("person_id")["household"].reindex(pairs["cadre_id"])
        assert (own.to_numpy() != pairs["household"]).all()


def test_rates_of_nothing_make_nothing():
    none = {
        "favoured": {"share": 0.0}, "concealed": {"share": 0.0},
        "ghost": {"doubled": 0.0, "long_dead": 0.0, "long_moved": 0.0, "dead_kept": 0.0,
                  "moved_kept": 0.0},
        "vehicle": {"borrowed": 0.0, "sold": 0.0, "scrapped": 0.0},
        "property": {"sold": 0.0, "lent": 0.0}, "firms": {"lent_name": 0.0},
        "payroll": {"dead_kept": 0.0}, "pension": {"dead_kept": 0.0},
        "housing": {"misgraded": 0.0}, "training": {"absent": 0.0},
        "material": {"to_kin": 0.0, "not_received": 0.0},
        "fund": {"outside_payee": 0.0, "late": 0.0, "diverted": 0.0, "round_trip": 0.0,
                 "over_budget": 0.0},
    }  # fmt: skip
    one = made(none)[1][1]
    for table in ("favoured", "concealed_income", "housing_misgraded", "training_absent",
                  "fund_line", "material_line"):  # fmt: skip
        assert truth(one, table).empty, table
    # What is left are those who are struck off when it is heard.
    assert truth(one, "ghost")["is_late"].all()
    assert truth(one, "paid_dead")["until"].notna().all()
    assert set(truth(one, "vehicle_owner")["kind"]) == {"own", "production"}
    assert set(truth(one, "property_owner")["kind"]) <= {"own"}
    assert not truth(one, "firm_owner")["is_name_lent"].any()
