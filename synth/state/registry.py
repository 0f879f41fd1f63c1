"""Who makes which delivery of the departments, how often, and the truth about each.

Rows of a month are those of the county's own maker, then those of each block, in their order.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from synth.state import (
    benefits,
    cadres,
    deaths,
    disability,
    dwellings,
    earners,
    estates,
    farms,
    favour,
    firms,
    funds,
    health,
    jobs,
    kin,
    markets,
    materials,
    pay,
    postings,
    schools,
    sites,
    strangers,
    vehicles,
)  # fmt: skip
from synth.state.known import Known, Seat, stacked

OfBlock = Callable[[Known, int], pd.DataFrame]
OfCounty = Callable[[Seat, int], pd.DataFrame]
# Months in which registers come that are not delivered monthly.
DUE = {"month": range(1, 13), "term": (3, 9), "year": (12,), "once": ()}


@dataclass(frozen=True)
class Maker:
    """One feed: how often it comes, who makes its rows, and whether its files are packed (gzip).

    every: month; term (March and September); year (December); once. What does not come monthly
    comes with the first month as well, so that a short run has it.
    """

    feed: str
    every: str
    block: OfBlock | None = None
    county: OfCounty | None = None
    packed: bool = False

    def months(self, seat: Seat) -> list[int]:
        """Return the months in which it is delivered."""
        due = DUE[self.every]
        return [n for n, end in enumerate(seat.month_ends) if n == 0 or end.month in due]


STATE = {
    maker.feed: maker
    for maker in (
        # civil affairs, disabled persons' federation
        Maker("benefit", "month", benefits.benefit),
        Maker("death", "month", deaths.death),
        Maker("disability", "term", disability.disability),
        # health insurance
        Maker("settlement", "month", health.settlement, packed=True),
        Maker("insured", "year", health.insured, packed=True),
        # education
        Maker("enrolment", "term", schools.enrolment),
        Maker("dropout", "term", schools.dropout),
        # housing, water
        Maker("housing_grade", "year", dwellings.housing_grade),
        Maker("water_source", "year", dwellings.water_source),
        # registers that answers are checked against
        Maker("vehicle", "month", vehicles.vehicle),
        Maker("property", "month", estates.property_register),
        Maker("company", "month", firms.company_of_block, firms.company_of_county),
        Maker("public_payroll", "month", pay.payroll_of_block, pay.payroll_of_county),
        Maker("pension", "month", pay.pension),
        Maker("tax", "month", pay.tax, packed=True),
        # human resources
        Maker("employment", "month", jobs.employment),
        Maker("vacancy", "month", county=jobs.vacancy),
        Maker("training", "month", jobs.training),
        # agriculture, commerce
        Maker("land", "year", farms.land),
        Maker("production", "year", farms.production),
        Maker("ecommerce_sales", "month", markets.ecommerce_sales),
        Maker("crop_price", "month", county=markets.crop_price),
        # money
        Maker("fund", "month", funds.fund),
        Maker("material", "month", materials.material),
        # organisation
        Maker("cadre", "month", cadres.cadre_of_block, cadres.cadre_of_county),
        Maker("posting", "month", postings.posting_of_block, postings.posting_of_county),
        Maker("declared_relative", "year", favour.declared_relative),
        # space
        Maker("boundary", "once", county=sites.boundary),
        Maker("facility", "year", county=sites.facility),
        Maker("disaster", "month", sites.disaster),
    )
}


# -- the truth ---------------------------------------------------------------------------------


def _numbered(block: Known, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with household and person as raw numbers in place of rows."""
    made = rows.copy()
    if "household" in made:
        made["household"] = block.homes["household_id"].to_numpy()[made["household"].astype(int)]
        made = made.rename(columns={"household": "household_id"})
    return made.drop(columns=[name for name in ("person", "relative") if name in made])


def _kin(block: Known) -> pd.DataFrame:
    number = block.people["person_id"].to_numpy()
    links = kin.kin(block)
    return pd.DataFrame(
        {
            "person_id": number[links["person"]],
            "other_id": number[links["other"]],
            "kind": links["kind"],
        }
    )


def _firms(block: Known) -> pd.DataFrame:
    rows = firms.own_firms(block)
    columns = ["credit_code", "person_id", "real_owner_id", "closed_date"]
    return rows[columns].assign(is_name_lent=rows["person_id"] != rows["real_owner_id"])


def _cards(block: Known) -> pd.DataFrame:
    rows = disability.cards_of_disabled(block)
    return rows[["disability_card", "holder_id", "is_true", "died_date"]]


def _grades(block: Known) -> pd.DataFrame:
    rows = dwellings.appraisals(block)
    wrong = rows["housing_grade"] != rows["true_grade"]
    return rows.loc[wrong, ["household_id", "housing_grade", "true_grade"]]


def _courses(block: Known) -> pd.DataFrame:
    months = STATE["training"].months(block.seat)
    rows = pd.concat([jobs.courses(block, month) for month in months], ignore_index=True)
    return rows.loc[~rows["has_attended"], ["training_id", "person_id"]]


def _disasters(block: Known) -> pd.DataFrame:
    return sites.disasters(block)[[*sites.DISASTER, "is_reported"]]


def _strangers(block: Known) -> pd.DataFrame:
    ghosts, before = benefits.ghosts(block), deaths.departed(block)
    ghosts = ghosts.assign(kind="long_" + ghosts["kind"])
    rows = stacked(before.assign(kind="died_before"), ghosts)
    mine = set(block.people["person_id"]) | set(block.gone["person_id"])
    rows = rows[~rows["person_id"].isin(mine)].drop_duplicates("person_id")
    return rows[["person_id", "kind"]]


Truth = Callable[[Known], pd.DataFrame]

# Tables of truth/: what no register says. Numbers are the raw ones of the registers.
TRUTH: dict[str, Truth] = {
    "kin": _kin,
    "cadre_kin": favour.cadre_kin,
    "favoured": favour.favoured,
    "concealed_income": earners.concealed,
    "ghost": benefits.ghosts,
    "paid_dead": pay.paid_dead,
    "death": deaths.deaths,
    "vehicle_owner": vehicles.vehicle_truth,
    "property_owner": estates.property_truth,
    "firm_owner": _firms,
    "disability_card": _cards,
    "housing_misgraded": _grades,
    "dropout": schools.dropouts,
    "training_absent": _courses,
    "fund_line": funds.fund_truth,
    "material_line": materials.material_truth,
    "project_household": materials.beneficiaries,
    "disaster": _disasters,
    "stranger": _strangers,
}


def strangers_of_county(seat: Seat) -> pd.DataFrame:
    """Return the county's part of the table `stranger`: person_id, kind (cadre, outside).

    These are people whom registers name and the population does not have.
    """
    found = [
        cadres.upper_cadres(seat).assign(kind="cadre"),
        strangers.outsiders(seat).assign(kind="outside"),
    ]
    return pd.concat(found, ignore_index=True)[["person_id", "kind"]]


def truth(block: Known, table: str) -> pd.DataFrame:
    """Return one table of the truth about a block, under raw numbers."""
    return _numbered(block, TRUTH[table](block)).reset_index(drop=True)
