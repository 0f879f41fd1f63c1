"""Firms: those of the county that employ and are paid, and those of the block's own people."""

import numpy as np
import pandas as pd

from synth.state.known import NEVER, Known, Seat, days, numbered, once
from synth.state.strangers import outsiders

# Trades, the words of a firm's name, and how common each is.
TRADES = {
    "construction": ("建筑工程", 12), "seeds": ("农业生产资料", 8), "breeding": ("畜牧养殖", 8),
    "food": ("农产品加工", 8), "clothing": ("服装", 5), "machinery": ("机械制造", 5),
    "trade": ("商贸", 14), "transport": ("运输", 6), "catering": ("餐饮", 8),
    "services": ("物业服务", 6),
}  # fmt: skip
# Made-up credit codes begin with a letter that registration offices do not use.
CREDIT = "Z9"
WORDS = list("兴盛隆昌恒顺鑫泰丰源永和宏达利康安泰")
COLUMNS = ["credit_code", "company_name", "company_kind", "trade", "role", "person_id",
           "person_name", "capital_cny", "share", "founded_date", "company_status",
           "closed_date"]  # fmt: skip


@once
def firms(seat: Seat) -> pd.DataFrame:
    """Return the county's firms that employ and build: COLUMNS, account. Owners live elsewhere."""
    told, rng = seat.state["firms"], seat.stream("firms")
    n = max(told["least"], round(told["a_village"] * len(seat.places.villages)))
    trade = np.concatenate([list(TRADES), _trades(n, rng)])[: max(n, len(TRADES))]
    n = len(trade)
    owner = outsiders(seat).iloc[rng.integers(len(outsiders(seat)), size=n)]
    name = _names(seat.name_of(seat.area_code), trade, "有限公司", rng)
    capital = np.exp(rng.normal(np.log(told["capital_cny"]), 1.0, n)).round(-4) + 10000
    made = _registered(seat, seat.code, name, trade, capital, rng)
    return made.assign(
        company_kind="limited",
        role="legal_person",
        person_id=owner["person_id"].to_numpy(),
        person_name=owner["person_name"].to_numpy(),
        share=1.0,
        account=numbered("0000" + seat.code, n, 6),
    )


@once
def own_firms(block: Known) -> pd.DataFrame:
    """Return what people of the block own or stand for: COLUMNS, account, person, real_owner_id.

    `person` is the row of who is registered, `real_owner_id` whose it is: another's where only a
    name was lent. A firm that closed stays in the register until its end is entered.
    """
    told, rng = block.state["firms"], block.stream("firms")
    people, homes = block.people, block.homes
    log = np.log(homes["consumption_cny"].to_numpy(float) / block.life.line_cny)
    grown = (people["age"] >= 22) & (people["age"] <= 60) & people["is_able"]
    chance = told["of_grown"] * np.exp(told["by_log_consumption"] * (log - log.mean()))
    owner = np.flatnonzero(grown & (rng.random(len(people)) < chance[block.house]))
    lent = np.flatnonzero(grown & (rng.random(len(people)) < told["lent_name"]))
    lent = np.setdiff1d(lent, owner)
    who = np.concatenate([owner, lent])
    n, rural = len(who), homes["is_rural"].to_numpy()[block.house[who]]
    kind = np.where(rng.random(n) < 0.7, "sole_trader", "limited")
    kind = np.where(rural & (rng.random(n) < told["cooperative"]), "cooperative", kind)
    trade = np.where(kind == "cooperative", rng.choice(["seeds", "breeding"], n), _trades(n, rng))
    ending = pd.Series(kind).map(
        {"sole_trader": "店", "limited": "有限公司", "cooperative": "农民专业合作社"}
    )
    town = pd.Series(block.village_of[who]).str[:9] + "000"
    capital = np.exp(rng.normal(np.log(told["own_capital_cny"]), 0.9, n)).round(-3) + 1000
    made = _registered(
        block.seat, block.code, _names(town.map(block.seat.name_of), trade, ending, rng), trade,
        capital, rng,
    )  # fmt: skip
    told_id = people["person_id"].to_numpy()[who]
    far = outsiders(block.seat)["person_id"].to_numpy()
    partner = (kind == "limited") & (rng.random(n) < told["partner"])
    return made.assign(
        company_kind=kind,
        role=np.where(partner, "shareholder", "legal_person"),
        person_id=told_id,
        person_name=people["person_name"].to_numpy()[who],
        share=np.where(partner, rng.choice([0.2, 0.3, 0.49], n), 1.0),
        account=numbered("0000" + block.code, n, 6),
        person=who,
        real_owner_id=np.where(np.arange(n) < len(owner), told_id, rng.choice(far, n)),
    )


def _trades(n: int, rng: np.random.Generator) -> np.ndarray:
    share = np.array([weight for _, weight in TRADES.values()], dtype=float)
    return rng.choice(list(TRADES), n, p=share / share.sum())


def _names(
    place: pd.Series | str, trade: np.ndarray, ending: pd.Series | str, rng: np.random.Generator
) -> np.ndarray:
    n = len(trade)
    words = np.char.add(rng.choice(WORDS, n), rng.choice(WORDS, n)).astype(object)
    kinds = pd.Series(trade).map({name: word for name, (word, _) in TRADES.items()}).to_numpy()
    where = place.to_numpy() if isinstance(place, pd.Series) else place
    return where + words + kinds + (ending.to_numpy() if isinstance(ending, pd.Series) else ending)


def _registered(
    seat: Seat, code: str, name: np.ndarray, trade: np.ndarray, capital: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Return the register's columns about the firm. A closed one is entered months later."""
    told, n = seat.state["firms"], len(name)
    founded = days(seat.first - np.timedelta64(4000, "D"), seat.last, n, rng)
    closes = rng.random(n) < told["closed"]
    closed = founded + rng.integers(200, 2500, n).astype("timedelta64[D]")
    late = rng.integers(30, told["late_days"], n).astype("timedelta64[D]")
    closed = np.where(closes & (closed <= seat.last), closed, NEVER)
    return pd.DataFrame(
        {
            "credit_code": numbered(CREDIT + code, n, 7),
            "company_name": name,
            "trade": trade,
            "capital_cny": capital,
            "founded_date": founded,
            "closed_date": closed,
            "entered_date": closed + late,
        }
    )


# -- the feed `company` ------------------------------------------------------------------------


def company_of_block(block: Known, month: int) -> pd.DataFrame:
    """Return the firms of the block's people as registered at the end of a month."""
    return _in_register(own_firms(block), block.end(month))


def company_of_county(seat: Seat, month: int) -> pd.DataFrame:
    """Return the county's firms as registered at the end of a month."""
    return _in_register(firms(seat), seat.end(month))


def _in_register(firms: pd.DataFrame, day: np.datetime64) -> pd.DataFrame:
    here = firms[firms["founded_date"].to_numpy() <= day].reset_index(drop=True)
    ended = here["entered_date"].to_numpy() <= day
    return here.assign(
        company_status=np.where(ended, "closed", "open"),
        closed_date=here["closed_date"].where(ended),
    )[COLUMNS]
