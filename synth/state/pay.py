"""Who is paid by the state or by pension funds, and what tax is withheld."""

import numpy as np
import pandas as pd

from synth.figures import Figures
from synth.state.cadres import local_cadres, upper_cadres
from synth.state.deaths import deaths
from synth.state.earners import wages
from synth.state.jobs import employment, spelt
from synth.state.known import DAY, NEVER, YEAR, Known, Seat, days, numbered, once, stacked

PAY = ["person_id", "person_name", "unit_name", "unit_kind", "area_code", "monthly_cny",
       "valid_from"]  # fmt: skip
PENSION = ["person_id", "person_name", "pension_kind", "monthly_cny", "since_date",
           "village_code"]  # fmt: skip
TAX = ["tax_id", "person_id", "person_name", "payer_code", "payer_name", "income_kind",
       "income_cny", "tax_cny", "paid_date", "area_code"]  # fmt: skip
PUBLIC_UNITS = ("中心小学", "初级中学", "卫生院", "农业技术推广站", "派出所", "供电所")
RETIRES = DAY * round(60 * YEAR)


# -- the public pay ----------------------------------------------------------------------------


@once
def payroll(block: Known) -> pd.DataFrame:
    """Return who is on the public pay: PAY, and left_date (of the dead who are paid on)."""
    told, rng = block.state["payroll"], block.stream("payroll")
    people, seat = block.people, block.seat
    who = np.flatnonzero((people["work"] == "public").to_numpy() & (wages(block) > 0))
    n = len(who)
    cadres = local_cadres(block)
    office = cadres[cadres["level"] == "town"].set_index("person")["unit_name"]
    town = pd.Series(block.village_of[who]).str[:9] + "000"
    unit = town.map(seat.name_of) + rng.choice(PUBLIC_UNITS, n)
    unit = pd.Series(who).map(office).fillna(unit)
    kind = rng.choice(["institution", "state_firm"], n, p=[0.8, 0.2])
    alive = pd.DataFrame(
        {
            "person_id": people["person_id"].to_numpy()[who],
            "person_name": spelt(block, who, rng),
            "unit_name": unit,
            "unit_kind": np.where(unit.astype(str).str.endswith("政府"), "government", kind),
            "area_code": town,
            "monthly_cny": (wages(block)[who] / 12).round(2),
            "valid_from": days(seat.first - 3000 * DAY, seat.first - DAY, n, rng),
            "left_date": NEVER,
        }
    )
    died = deaths(block)
    age = (_days(died["died_date"]) - _days(died["birth_date"])).astype(int) / YEAR
    kept = (age > 22) & (age < 70) & (rng.random(len(died)) < told["dead_kept"])
    usual = round(float(alive["monthly_cny"].median()), 2) if n else told["usual_cny"]
    return _with_dead(
        alive, died[kept], unit_name=seat.name_of(seat.area_code) + "农业技术推广中心",
        unit_kind="institution", area_code=seat.area_code, monthly_cny=usual,
        valid_from=seat.first - 3000 * DAY,
    )  # fmt: skip


def _days(values: pd.Series) -> np.ndarray:
    return values.to_numpy().astype("datetime64[D]")


def _with_dead(alive: pd.DataFrame, dead: pd.DataFrame, **paid: object) -> pd.DataFrame:
    """Return the rows, and after them those of the dead who are paid on."""
    if dead.empty:
        return alive
    rows = dead.assign(left_date=dead["died_date"], **paid)
    return stacked(alive, rows[[name for name in alive.columns if name in rows]])


def payroll_of_block(block: Known, month: int) -> pd.DataFrame:
    """Return the public pay of a month."""
    rows = payroll(block)
    return rows.loc[_days(rows["valid_from"]) <= block.end(month), PAY].reset_index(drop=True)


def payroll_of_county(seat: Seat, month: int) -> pd.DataFrame:
    """Return the pay of the cadres from above."""
    cadres = upper_cadres(seat)
    cadres = cadres[_days(cadres["since_date"]) <= seat.end(month)].reset_index(drop=True)
    pay = cadres["level"].map(seat.state["payroll"]["upper_cny"]).to_numpy(float)
    return cadres.assign(
        unit_kind="government", monthly_cny=pay, valid_from=cadres["since_date"]
    )[PAY]  # fmt: skip


# -- pensions ----------------------------------------------------------------------------------


@once
def pensioners(block: Known) -> pd.DataFrame:
    """Return who draws an employee's pension: PENSION, left_date and struck_date of the dead.

    A household's transfers beyond the basic pension are those of its retired. The dead are paid
    until it is heard of them; some are paid for good.
    """
    told, rng = block.state["pension"], block.stream("pension")
    people, homes = block.people, block.homes
    old = (people["age"] >= 60).to_numpy()
    n_old = np.bincount(block.house, old, len(homes))
    basic = block.seat.given["lives"]["pension"]["yuan"] * n_old
    beyond = block.life.items["other_transfer"].to_numpy(float) - basic
    each = np.divide(beyond, n_old, out=np.zeros(len(homes)), where=n_old > 0)
    retired = ~homes["is_rural"].to_numpy(bool) & (each > told["least_cny"])
    who = np.flatnonzero(old & retired[block.house])
    alive = pd.DataFrame(
        {
            "person_id": people["person_id"].to_numpy()[who],
            "person_name": spelt(block, who, rng),
            "pension_kind": np.where(rng.random(len(who)) < 0.7, "enterprise", "public"),
            "monthly_cny": (each[block.house[who]] / 12).round(2),
            "since_date": _days(people["birth_date"])[who] + RETIRES,
            "village_code": block.village_of[who],
            "left_date": NEVER,
            "struck_date": NEVER,
        }
    )
    died = deaths(block)
    since = _days(died["birth_date"]) + RETIRES
    died = died[
        ~died["is_rural"].to_numpy(bool)
        & (since < died["died_date"].to_numpy())
        & (rng.random(len(died)) < told["of_the_dead"])
    ]
    kept = rng.random(len(died)) < told["dead_kept"]
    usual = round(float(alive["monthly_cny"].median()), 2) if len(alive) else told["usual_cny"]
    return _with_dead(
        alive, died, pension_kind="enterprise", monthly_cny=usual,
        since_date=_days(died["birth_date"]) + RETIRES,
        struck_date=np.where(kept, NEVER, _days(died["civil_date"])),
    )  # fmt: skip


def pension(block: Known, month: int) -> pd.DataFrame:
    """Return the pensions paid in a month."""
    rows, day = pensioners(block), block.end(month)
    here = (_days(rows["since_date"]) <= day) & ~(_days(rows["struck_date"]) <= day)
    return rows.loc[here, PENSION].reset_index(drop=True)


@once
def paid_dead(block: Known) -> pd.DataFrame:
    """Return the dead who are paid on: the truth. register, person_id, died_date, until.

    Only those who were paid at the end of a month delivered.
    """
    pay, retired = payroll(block), pensioners(block)
    found = [
        pay.assign(register="public_payroll", until=NEVER),
        retired.assign(register="pension", until=retired["struck_date"]),
    ]
    rows = stacked(*(one[one["left_date"].notna()] for one in found))
    rows = rows.rename(columns={"left_date": "died_date"})
    ends = np.array([block.end(month) for month in range(len(block.seat.month_ends))])
    died, until = (_days(rows[name])[:, None] for name in ("died_date", "until"))
    seen = ((died <= ends) & ~(until <= ends)).any(axis=1)
    return rows.loc[seen, ["register", "person_id", "died_date", "until"]].reset_index(drop=True)


# -- tax ---------------------------------------------------------------------------------------


def tax(block: Known, month: int) -> pd.DataFrame:
    """Return the income tax withheld in a month: of contracts here and of the public pay."""
    told, day = block.state["tax"], block.end(month)
    stamp = str(day)[:7]
    rng = block.stream("tax", stamp)
    jobs = employment(block, month)
    jobs = jobs[jobs["employer_code"].notna()]
    jobs = jobs.rename(columns={"employer_code": "payer_code", "employer_name": "payer_name"})
    paid = payroll_of_block(block, month)
    paid = paid.assign(payer_code=None, wage_cny=paid["monthly_cny"], payer_name=paid["unit_name"])
    columns = ["person_id", "person_name", "payer_code", "payer_name", "wage_cny"]
    rows = stacked(jobs[columns], paid[columns].astype(object))
    rows = rows[rng.random(len(rows)) >= told["not_told"]].reset_index(drop=True)
    wage = rows["wage_cny"].to_numpy(float)
    return rows.assign(
        tax_id=numbered(f"T{block.code}{stamp.replace('-', '')}", len(rows), 6),
        income_kind="wage",
        income_cny=wage,
        tax_cny=income_tax(wage, day, told).round(2),
        paid_date=day - rng.integers(1, 16, len(rows)) * DAY,
        area_code=block.seat.area_code,
    )[TAX]


def income_tax(wage: np.ndarray, day: np.datetime64, told: Figures) -> np.ndarray:
    """Return the tax on a month's wage by the brackets in force on a day; none before them."""
    laws = [law for law in told["laws"] if np.datetime64(law["since"], "D") <= day]
    if not laws:
        return np.zeros(len(wage))
    law = laws[-1]
    top = np.array([*law["up_to"], np.inf])
    low = np.array([0.0, *law["up_to"]])
    base = np.maximum(wage - law["free"], 0)
    return (np.clip(base[:, None], low, top) - low) @ np.array(law["rates"])
