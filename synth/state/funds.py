"""Money of projects: the ledger line by line, and which lines stray.

From the county's special account to the town's, and from there to who does the work. Some
lines go elsewhere: the register says to whom, and the truth which they are.
"""

import numpy as np
import pandas as pd

from synth.figures import Figures
from synth.state.favour import cadre_kin
from synth.state.firms import firms, own_firms
from synth.state.known import DAY, Known, in_month, numbered, once, stacked
from synth.state.projects import COLUMNS as PROJECT

FUND = ["line_id", "project_id", "village_code", "paid_date", "booked_date", "purpose",
        "from_account", "from_name", "to_account", "to_name", "payee_code", "payee_person_id",
        "amount_cny"]  # fmt: skip
TRUTH = ["line_id", "project_id", "kind"]
# The trades that may do each kind of project, and what it is paid for.
TRADES = {
    "planting": ("seeds", "materials"), "breeding": ("breeding", "materials"),
    "processing": ("machinery", "equipment"), "workshop": ("construction", "works"),
    "road": ("construction", "works"), "water": ("construction", "works"),
    "school": ("construction", "works"), "clinic": ("construction", "works"),
}  # fmt: skip
PAYEE = {"to_account": "account", "to_name": "company_name", "payee_code": "credit_code"}
# Trades that no project needs.
OTHER_TRADES = ("catering", "transport", "services")


@once
def ledger(block: Known) -> pd.DataFrame:
    """Return all lines of the block's projects, by day: FUND, and kind (the truth; "" is none).

    A project's payments sum to no more than its budget, go to a firm of its trade and end a year
    after it began, but for strays.
    """
    library = block.projects if block.projects is not None else pd.DataFrame(columns=PROJECT)
    begun = library[library["project_status"] != "planned"].reset_index(drop=True)
    rng = block.stream("fund")
    payments = _payments(block, begun, rng)
    lines = [_allocations(block, begun, rng), payments]
    lines += [*_round_trips(block, payments), _over(block, begun, payments, rng)]
    every = stacked(*lines)
    late = rng.integers(0, block.state["fund"]["booked_days"], len(every)) * DAY
    every = every.assign(booked_date=every["paid_date"].to_numpy() + late)
    every = every[every["booked_date"].to_numpy() <= block.seat.last]
    every = every.sort_values(["booked_date", "project_id", "amount_cny"], ignore_index=True)
    return every.assign(line_id=numbered(f"K{block.code}", len(every), 6))


def _accounts(block: Known, projects: pd.DataFrame) -> pd.DataFrame:
    """Return project, village, and the town's account that pays for it."""
    town = projects["village_code"].str[:9] + "000"
    return pd.DataFrame(
        {
            "project_id": projects["project_id"],
            "village_code": projects["village_code"],
            "town_account": "0000" + town,
            "town_name": town.map(block.seat.name_of) + "财政所",
        }
    )


def _allocations(block: Known, projects: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return what the county sends down: seven tenths first, the rest when half is done."""
    of = _accounts(block, projects)
    start = projects["started_date"].to_numpy().astype("datetime64[D]")
    n, budget = len(projects), projects["budget_cny"].to_numpy(float)
    first, second = (budget * 0.7).round(0), budget - (budget * 0.7).round(0)
    on = (start + rng.integers(-40, 20, n) * DAY, start + rng.integers(90, 200, n) * DAY)
    rows = [
        of.assign(
            paid_date=day,
            purpose="allocation",
            from_account=f"0000{block.seat.area_code}",
            from_name=block.seat.name_of(block.seat.area_code) + "财政局扶贫专户",
            to_account=of["town_account"],
            to_name=of["town_name"],
            payee_code=None,
            payee_person_id=None,
            amount_cny=yuan,
            kind="",
        )
        for day, yuan in zip(on, (first, second), strict=True)
    ]
    return pd.concat(rows, ignore_index=True).drop(columns=["town_account", "town_name"])


def _payments(block: Known, projects: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return what towns pay: two to four parts of nearly the budget, to one firm of the trade."""
    told = block.state["fund"]
    n = len(projects)
    parts = rng.integers(2, 5, n)
    row = np.repeat(np.arange(n), parts)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(parts) - parts, parts)
    weight = rng.gamma(4.0, 1.0, len(row))
    share = weight / np.bincount(row, weight, n)[row] if n else weight
    spent = projects["budget_cny"].to_numpy(float) * rng.uniform(0.92, 1.0, n)
    start = projects["started_date"].to_numpy().astype("datetime64[D]")
    step = 300 // np.maximum(parts[row], 1)
    on = start[row] + (10 + nth * step + rng.integers(0, 40, len(row))) * DAY
    firm = _fitting(block, projects, rng)
    rows = _accounts(block, projects).iloc[row].reset_index(drop=True)
    rows = rows.assign(
        paid_date=on,
        purpose=projects["project_kind"].map({kind: what for kind, (_, what) in TRADES.items()})
        .to_numpy()[row],
        from_account=rows["town_account"],
        from_name=rows["town_name"],
        to_account=firm["account"].to_numpy()[row],
        to_name=firm["company_name"].to_numpy()[row],
        payee_code=firm["credit_code"].to_numpy()[row],
        payee_person_id=None,
        amount_cny=(spent[row] * share).round(2),
        kind="",
    )  # fmt: skip
    return _strayed(block, rows.drop(columns=["town_account", "town_name"]), rng, told)


def _fitting(block: Known, projects: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return a firm of the county for each project, of the trade that it needs."""
    all_firms = firms(block.seat)
    trade = projects["project_kind"].map({kind: trade for kind, (trade, _) in TRADES.items()})
    drawn = np.zeros(len(projects), dtype=int)
    for name in trade.unique():
        pool = np.flatnonzero((all_firms["trade"] == name).to_numpy())
        need = (trade == name).to_numpy()
        drawn[need] = rng.choice(pool, int(need.sum()))
    return all_firms.iloc[drawn]


def _strayed(
    block: Known, rows: pd.DataFrame, rng: np.random.Generator, told: Figures
) -> pd.DataFrame:
    """Turn a share of the payments into ones that go outside, come late, or pay for an office."""
    u, n = rng.random(len(rows)), len(rows)
    kinds = ["outside_payee", "late", "diverted", "round_trip"]
    cuts = np.cumsum([told[kind] for kind in kinds])
    kind = np.select([u < cut for cut in cuts], kinds, "")
    pool, near = firms(block.seat), _relatives_firms(block)
    if near.empty:
        kind = np.where(kind == "round_trip", "outside_payee", kind)
    other = _drawn(pool[pool["trade"].isin(OTHER_TRADES)], n, rng)
    kin = other if near.empty else _drawn(near, n, rng)
    for where, firm in (("outside_payee", other), ("diverted", other), ("round_trip", kin)):
        for ours, theirs in PAYEE.items():
            rows[ours] = np.where(kind == where, firm[theirs], rows[ours])
    purpose = np.where(kind == "diverted", rng.choice(["office", "reception"], n), rows["purpose"])
    wait = np.where(kind == "late", rng.integers(*told["late_days"], n), 0) * DAY
    return rows.assign(kind=kind, purpose=purpose, paid_date=rows["paid_date"].to_numpy() + wait)


def _drawn(pool: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    return pool.iloc[rng.integers(len(pool), size=n)].reset_index(drop=True)


@once
def _relatives_firms(block: Known) -> pd.DataFrame:
    """Return the block's firms whose owner on paper is close kin of a cadre: firm, cadre_id."""
    kin = cadre_kin(block).drop_duplicates("relative").set_index("relative")["cadre_id"]
    mine = own_firms(block)
    near = mine[mine["person"].isin(kin.index) & mine["closed_date"].isna()]
    return near.assign(cadre_id=near["person"].map(kin)).reset_index(drop=True)


def _round_trips(block: Known, payments: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the second leg: most of it comes back, from the relative's firm to the cadre."""
    first = payments[payments["kind"] == "round_trip"].reset_index(drop=True)
    if first.empty:
        return []
    near = _relatives_firms(block).set_index("credit_code")
    cadre = near["cadre_id"].reindex(first["payee_code"]).to_numpy()
    names = cadre_kin(block).drop_duplicates("cadre_id").set_index("cadre_id")["cadre_name"]
    codes = {one: number for number, one in enumerate(names.index)}
    rng = block.stream("fund", "back")
    return [
        first.assign(
            from_account=first["to_account"],
            from_name=first["to_name"],
            to_account=[f"0000P{block.code}{codes[one]:05d}" for one in cadre],
            to_name=names.reindex(cadre).to_numpy(),
            payee_code=None,
            payee_person_id=cadre,
            purpose="other",
            paid_date=first["paid_date"].to_numpy() + rng.integers(3, 40, len(first)) * DAY,
            amount_cny=(first["amount_cny"] * rng.uniform(0.6, 0.9, len(first))).round(2),
        )
    ]


def _over(
    block: Known, projects: pd.DataFrame, payments: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Return payments on top of what the budget allows, to the firm that did the work.

    They are booked when all others of the project have been.
    """
    told = block.state["fund"]
    chosen = projects[rng.random(len(projects)) < told["over_budget"]]
    right = payments[payments["kind"] == ""]
    last = right.sort_values("paid_date", kind="stable").groupby("project_id").tail(1)
    rows = last[last["project_id"].isin(chosen["project_id"])].reset_index(drop=True)
    of = rows["project_id"]
    budget = chosen.set_index("project_id")["budget_cny"].reindex(of).to_numpy(float)
    spent = payments.groupby("project_id")["amount_cny"].sum().reindex(of).to_numpy()
    ended = payments.groupby("project_id")["paid_date"].max().reindex(of).to_numpy()
    ended = ended + told["booked_days"] * DAY
    extra = np.maximum(budget - spent, 0) + budget * rng.uniform(0.08, 0.30, len(rows))
    return rows.assign(
        amount_cny=extra.round(2),
        paid_date=ended + rng.integers(5, 60, len(rows)) * DAY,
        kind="over_budget",
    )  # fmt: skip


def fund(block: Known, month: int) -> pd.DataFrame:
    """Return the lines booked in a month; the first delivery has those from before as well."""
    return in_month(block, ledger(block), "booked_date", month)[FUND]


def fund_truth(block: Known) -> pd.DataFrame:
    """Return the lines that stray, and how: TRUTH."""
    rows = ledger(block)
    return rows.loc[rows["kind"] != "", TRUTH].reset_index(drop=True)
