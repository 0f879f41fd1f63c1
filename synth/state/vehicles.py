"""Vehicles: whose they are on paper, and whose they are."""

import numpy as np
import pandas as pd

from synth.state.kin import relatives
from synth.state.known import DAY, NEVER, YEAR, Known, ages, numbered, once
from synth.state.spelling import misspelt
from synth.state.strangers import outsiders

COLUMNS = ["plate", "vehicle_kind", "vehicle_use", "price_class", "owner_id", "owner_name",
           "registered_date", "vehicle_status", "scrapped_date", "county_code"]  # fmt: skip
# Plates begin with a character that no province has.
PLATE = "虚"
TRUTH = ["plate", "registered_id", "real_owner_id", "kind", "since_date"]


@once
def vehicles(block: Known) -> pd.DataFrame:
    """Return every vehicle: COLUMNS, entered_date (of its end), and TRUTH.

    kind: own; borrowed_name (another's, bought in this one's name); sold (another's since);
    production (a truck or farm vehicle that the household works with); scrapped (gone; the
    register hears of it late or never).
    """
    rng = block.stream("vehicles")
    owner, kind = _owners(block, rng)
    n, people = len(owner), block.people
    grown = people["birth_date"].to_numpy().astype("datetime64[D]")[owner] + DAY * round(19 * YEAR)
    low = np.minimum(np.maximum(block.seat.first - DAY * 4000, grown), block.seat.last - DAY)
    registered = low + (rng.random(n) * (block.seat.last - low).astype(int)).astype(int) * DAY
    number = people["person_id"].to_numpy()[owner]
    since, real = _real_owners(block, owner, kind, registered, rng)
    told = block.state["vehicle"]
    late = np.where(
        rng.random(n) < told["scrap_unheard"], NEVER, since + rng.integers(60, 900, n) * DAY
    )
    works = kind == "production"
    unlike = rng.random(n) < told["no_number"]
    return pd.DataFrame(
        {
            "plate": numbered(f"{PLATE}{block.code}", n, 5),
            "vehicle_kind": np.where(works, _works(block, owner, rng), _cars(n, rng)),
            "vehicle_use": np.where(works, "production", "private"),
            "price_class": _prices(block, owner, kind, rng),
            "owner_id": np.where(unlike, None, number),
            "owner_name": misspelt(
                people["person_name"].iloc[owner], block.state["names"]["misspelt"], rng
            ).to_numpy(),
            "registered_date": registered,
            "scrapped_date": np.where(kind == "scrapped", since, NEVER),
            "entered_date": np.where(kind == "scrapped", late, NEVER),
            "county_code": block.seat.area_code,
            "registered_id": number,
            "real_owner_id": real,
            "kind": kind,
            "since_date": since,
        }

    )  # fmt: skip


def _owners(block: Known, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return who is registered as the owner (rows of people), and of what kind each vehicle is.

    Who has a car is told by `homes`; some who have none had one. Names are borrowed of those who
    have none, the poor among them.
    """
    told, people, homes = block.state["vehicle"], block.people, block.homes
    age = people["age"].to_numpy()
    drives = people["is_able"].to_numpy() & (age >= 20) & (age <= 62)
    liking = np.where(drives, 1 + 3 * people["is_male"].to_numpy(), 0) * rng.random(len(people))
    # Where nobody drives, it is the eldest's.
    driver = pd.Series(liking + 1e-9 * age).groupby(block.house).idxmax().to_numpy()
    has_driver = drives[driver]
    log = np.log(homes["consumption_cny"].to_numpy(float) / block.life.line_cny)
    has_car = homes["has_car"].to_numpy(bool)
    had = rng.permutation(np.flatnonzero(has_driver & ~has_car))
    gone = told["sold"] + told["scrapped"]
    had = np.sort(had[: round(gone / (1 - gone) * has_car.sum())])
    farms = has_driver & (homes["n_farming"] > 0).to_numpy()
    works = farms & (rng.random(len(homes)) < told["production"])
    lends = has_driver & ~has_car & (log < np.median(log))
    lends[had] = False
    n_lent = round(told["borrowed"] * (has_car.sum() + len(had)))
    lent = np.sort(rng.permutation(np.flatnonzero(lends))[:n_lent])
    ended = np.where(rng.random(len(had)) * gone < told["sold"], "sold", "scrapped")
    owner = np.concatenate([driver[has_car], driver[had], driver[lent], driver[works]])
    kind = np.concatenate(
        [
            np.full(int(has_car.sum()), "own"),
            ended,
            np.full(len(lent), "borrowed_name"),
            np.full(int(works.sum()), "production"),
        ]
    )
    return owner, kind


def _real_owners(
    block: Known, owner: np.ndarray, kind: np.ndarray, registered: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return since when it is as it is, and whose it is: kin's, a stranger's, nobody's."""
    n, last = len(owner), block.seat.last
    later = registered + (rng.random(n) * (last - registered).astype(int)).astype(int) * DAY
    since = np.where(np.isin(kind, ["sold", "scrapped"]), later, registered)
    number = block.people["person_id"].to_numpy()
    grown = ages(block.people["birth_date"], last) >= 22
    links = relatives(block)
    links = links[
        (block.house[links["person"]] != block.house[links["relative"]])
        & grown[links["relative"]]
        & links["relation"].isin(["sibling", "child", "parent"])
    ]
    kin = links.drop_duplicates("person").set_index("person")["relative"].reindex(owner).to_numpy()
    near = ~np.isnan(kin)
    far = rng.choice(outsiders(block.seat)["person_id"].to_numpy(), n)
    theirs = np.where(near, number[np.nan_to_num(kin).astype(int)], far)
    real = np.select(
        [kind == "borrowed_name", kind == "sold", kind == "scrapped"],
        [theirs, far, np.full(n, None)], number[owner],
    )  # fmt: skip
    return since, real


def _cars(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(["car", "minibus"], n, p=[0.8, 0.2])


def _works(block: Known, owner: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(["farm", "light_truck", "heavy_truck"], len(owner), p=[0.6, 0.32, 0.08])


def _prices(
    block: Known, owner: np.ndarray, kind: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return price classes, in 10,000 yuan. What is bought in another's name is dearer."""
    spent = block.homes["consumption_cny"].to_numpy(float)[block.house[owner]]
    log = np.log(spent / block.life.line_cny) + rng.normal(0, 0.6, len(owner))
    log = log + 0.9 * (kind == "borrowed_name") - 0.7 * (kind == "scrapped")
    return np.select([log < 0.6, log < 1.5, log < 2.1], ["to_5", "to_10", "to_20"], "over_20")


def vehicle(block: Known, month: int) -> pd.DataFrame:
    """Return the register at the end of a month. The end of a vehicle is entered late, or never."""
    rows, day = vehicles(block), block.end(month)
    here = rows[rows["registered_date"].to_numpy() <= day].reset_index(drop=True)
    entered = here["entered_date"].to_numpy().astype("datetime64[D]") <= day
    overdue = day - here["registered_date"].to_numpy() > 3600 * DAY
    status = np.select([entered, overdue], ["scrapped", "overdue"], "normal")
    ended = here["scrapped_date"].where(entered)
    return here.assign(vehicle_status=status, scrapped_date=ended)[COLUMNS]


def vehicle_truth(block: Known) -> pd.DataFrame:
    """Return whose each vehicle is: TRUTH, of those registered by the last day."""
    return vehicles(block)[TRUTH]
