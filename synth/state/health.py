"""Health insurance: who is insured, and what stays and visits cost."""

import numpy as np
import pandas as pd

from synth.state.deaths import deaths
from synth.state.known import DAY, Known, numbered, stacked, to_months
from synth.state.spelling import misspelt

INSURED = ["person_id", "person_name", "insurance_kind", "insured_year", "premium_cny",
           "is_subsidised", "paid_date", "village_code"]  # fmt: skip
SETTLEMENT = ["settlement_id", "person_id", "person_name", "visit_kind", "hospital_level",
              "hospital_name", "admitted_date", "discharged_date", "settled_date", "total_cny",
              "fund_cny", "self_cny", "village_code"]  # fmt: skip
LEVELS = ("town", "county", "city", "province")
# Settlements from elsewhere come some months later, at most so many.
MOST_LATE = 3


def insured(block: Known, month: int) -> pd.DataFrame:
    """Return who is insured for the year of a month. The dead stay until it is heard of them.

    Employees are now and then insured a second time, as villagers.
    """
    told, day = block.state["insured"], block.end(month)
    year = int(str(day)[:4])
    rng = block.stream("insured", year)
    people = block.people
    born = people["birth_date"].to_numpy().astype("datetime64[D]") <= day
    rows = people.assign(village_code=block.village_of, is_poor=_listed(block))
    rows = rows[born & np.asarray(block.life.is_covered)]
    dead = deaths(block)
    unheard = ~(dead["civil_date"].to_numpy().astype("datetime64[D]") <= day)
    rows = stacked(rows, dead[unheard].assign(is_poor=False, work="none"))
    employee = rows["work"].isin(["public", "local_job"]) & (
        rng.random(len(rows)) < rows["work"].map(told["employee"]).fillna(0.0)
    )
    rows["insurance_kind"] = np.where(employee, "employee", "resident")
    twice = rows[employee & (rng.random(len(rows)) < told["twice"])]
    rows = stacked(rows, twice.assign(insurance_kind="resident"))
    resident = (rows["insurance_kind"] == "resident").to_numpy()
    subsidised = resident & rows["is_poor"].to_numpy(bool)
    on = np.datetime64(f"{year - 1}-11-01") + rng.integers(0, 60, len(rows)) * DAY
    return rows.assign(
        person_name=misspelt(rows["person_name"], block.state["names"]["misspelt"], rng),
        insured_year=year,
        premium_cny=np.where(resident, told["premium_cny"] * ~subsidised, told["employee_cny"]),
        is_subsidised=subsidised,
        paid_date=np.maximum(on, rows["birth_date"].to_numpy().astype("datetime64[D]")),
    )[INSURED]


def _listed(block: Known) -> np.ndarray:
    return block.is_listed[block.house]


def settlement(block: Known, month: int) -> pd.DataFrame:
    """Return what was settled in a month: its own stays and visits, and late ones from before."""
    rows = [_treated(block, month - ago) for ago in range(MOST_LATE + 1)]
    begin, end = block.begin(month), block.end(month)
    every = pd.concat(rows, ignore_index=True)
    on = every["settled_date"].to_numpy()
    return every[(on >= begin) & (on <= end)].reset_index(drop=True)[SETTLEMENT]


def _treated(block: Known, month: int) -> pd.DataFrame:
    """Return what ended in a month, with the day on which it is settled."""
    told, people = block.state["settlement"], block.people
    begin, end = block.begin(month), block.end(month)
    rng = block.stream("settlement", str(begin)[:7])
    rate = people["health"].map(told["stays_a_year"]).to_numpy(float) / 12
    visit = people["health"].map(told["visits_a_year"]).to_numpy(float) / 12
    born = people["birth_date"].to_numpy().astype("datetime64[D]") <= begin
    stays = np.flatnonzero(born & (rng.random(len(people)) < rate))
    visits = np.flatnonzero(born & (rng.random(len(people)) < visit))
    ill = block.shocks_of("illness")
    ill = ill[(ill["month"] == month) & (ill["person"] >= 0)]
    who = np.concatenate([stays, visits, ill["person"].to_numpy(dtype=int)])
    n = len(who)
    is_stay = np.ones(n, dtype=bool)
    is_stay[len(stays) : len(stays) + len(visits)] = False
    near = rng.choice(LEVELS[:2], n, p=[0.7, 0.3])
    level = np.where(is_stay, rng.choice(LEVELS, n, p=told["stay_levels"]), near)
    grave = np.arange(n) >= len(stays) + len(visits)
    level = np.where(grave, rng.choice(LEVELS[1:], n, p=[0.4, 0.35, 0.25]), level)
    discharged = begin + rng.integers(0, int((end - begin).astype(int)) + 1, n) * DAY
    length = np.where(is_stay, 2 + rng.poisson(7, n), 0)
    money = _paid(block, who, level, is_stay, rng)
    # What a shock cost the household is what it paid itself.
    cost = np.full(n, np.nan)
    cost[grave] = ill["cost_cny"].to_numpy(float)
    money = _as_it_cost(money, cost)
    late = np.isin(level, ["city", "province"]) & (rng.random(n) < told["late"])
    lag = np.where(late, rng.integers(20, 31 * MOST_LATE - 3, n), 0) * DAY
    settled = discharged + lag
    settled = np.where(to_months(settled) > to_months(begin + 31 * MOST_LATE * DAY), end, settled)
    stamp = str(begin)[:7].replace("-", "")
    return pd.DataFrame(
        {
            "settlement_id": numbered(f"J{block.code}{stamp}", n, 6),
            "person_id": people["person_id"].to_numpy()[who],
            "person_name": misspelt(
                people["person_name"].iloc[who], block.state["names"]["misspelt"], rng
            ).to_numpy(),
            "visit_kind": np.where(is_stay, "stay", "visit"),
            "hospital_level": level,
            "hospital_name": _hospitals(block, who, level),
            "admitted_date": discharged - length * DAY,
            "discharged_date": discharged,
            "settled_date": settled,
            **money,
            "village_code": block.village_of[who],
        }
    )


def _paid(
    block: Known, who: np.ndarray, level: np.ndarray, is_stay: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return total, fund and self-paid yuan: the fund pays a share beyond a threshold."""
    told = block.state["settlement"]
    table = {name: told[name] for name in ("stay_cny", "fund_share", "threshold_cny")}
    at = {name: pd.Series(level).map(row).to_numpy(float) for name, row in table.items()}
    spread = np.exp(rng.normal(0, 0.8, len(who)))
    total = (np.where(is_stay, at["stay_cny"], told["visit_cny"]) * spread).round(2)
    beyond = np.maximum(total - np.where(is_stay, at["threshold_cny"], 0), 0)
    share = np.where(is_stay, at["fund_share"], told["visit_share"])
    fund = (beyond * share * np.asarray(block.life.is_covered)[who]).round(2)
    return {"total_cny": total, "fund_cny": fund, "self_cny": (total - fund).round(2)}


def _as_it_cost(money: dict[str, np.ndarray], cost: np.ndarray) -> dict[str, np.ndarray]:
    """Return the amounts in the same proportion, the self-paid part being `cost` where told."""
    known = ~np.isnan(cost) & (money["self_cny"] > 0)
    scale = np.where(known, cost / np.maximum(money["self_cny"], 0.01), 1.0)
    own = np.where(known, cost, money["self_cny"]).round(2)
    fund = (money["fund_cny"] * scale).round(2)
    return {"total_cny": (own + fund).round(2), "fund_cny": fund, "self_cny": own}


def _hospitals(block: Known, who: np.ndarray, level: np.ndarray) -> np.ndarray:
    seat = block.seat
    town = pd.Series(block.village_of[who]).str[:9] + "000"
    province, city = (seat.name_of(seat.area[:d].ljust(12, "0")) for d in (2, 4))
    names = {"county": seat.name_of(seat.area_code) + "人民医院", "city": f"{city}中心医院",
             "province": f"{province}人民医院"}  # fmt: skip
    own = town.map(seat.name_of) + "卫生院"
    return pd.Series(level).map(names).fillna(own).to_numpy()
