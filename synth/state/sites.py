"""Facilities of a county, and the disasters that struck its villages.

Boundaries, villages and their points are the feed `area`.
"""

import numpy as np
import pandas as pd
import shapely

from synth.places.outline import county_outline
from synth.state.known import DAY, Known, Seat, days, in_month, numbered, once

FACILITY = ["facility_id", "facility_kind", "facility_name", "village_code", "lon", "lat",
            "capacity", "opened_date", "closed_date"]  # fmt: skip
DISASTER = ["event_id", "disaster_kind", "village_code", "occurred_date", "reported_date",
            "severity", "n_households", "loss_cny"]  # fmt: skip
METRES_A_DEGREE = 111_195.0


@once
def facilities(seat: Seat) -> pd.DataFrame:
    """Return schools, clinics, markets and roads' ends: FACILITY.

    Every town has a primary and a junior school, a clinic and a market; the county's seat the
    senior and the vocational school and the hospital. Villages have a clinic's room and a made
    road, most of them; few have a teaching point. They stand in made-up places around a village's
    middle.
    """
    told, rng = seat.state["facility"], seat.stream("facilities")
    villages = seat.places.villages
    middle = villages[~villages["town_code"].duplicated()]
    top = villages.iloc[:1]
    each: list[tuple[pd.DataFrame, str, str, float]] = [
        (top, "senior_school", "高级中学", 1600), (top, "vocational_school", "职业技术学校", 900),
        (top, "hospital", "人民医院", 350), (middle, "primary_school", "中心小学", 480),
        (middle, "junior_school", "初级中学", 520), (middle, "clinic", "卫生院", 30),
        (middle, "market", "集贸市场", 120),
    ]  # fmt: skip
    rural = villages[villages["is_rural"]]
    for kind, name, share, size in (
        ("teaching_point", "教学点", told["teaching_point"], 35),
        ("clinic_room", "卫生室", told["clinic_room"], 3),
        ("road", "通村公路", told["road"], 1),
    ):
        each.append((rural[rng.random(len(rural)) < share], kind, name, size))
    rows = pd.concat([_placed(seat, *one, rng) for one in each], ignore_index=True)
    return rows.assign(facility_id=numbered(f"S{seat.code}", len(rows), 5))[FACILITY]


def _placed(
    seat: Seat, at: pd.DataFrame, kind: str, name: str, size: float, rng: np.random.Generator
) -> pd.DataFrame:
    n = len(at)
    away = rng.normal(0, seat.state["facility"]["off_m"], (2, n)) / METRES_A_DEGREE
    is_of_village = kind in ("teaching_point", "clinic_room", "road")
    whose = at["village_code" if is_of_village else "town_code"].map(seat.name_of)
    opened = days(np.datetime64("1975-09-01"), seat.last, n, rng)
    closes = rng.random(n) < (seat.state["facility"]["closed"] if is_of_village else 0)
    closed = opened + rng.integers(1000, 12_000, n) * DAY
    return pd.DataFrame(
        {
            "facility_kind": kind,
            "facility_name": whose.to_numpy() + name,
            "village_code": at["village_code"].to_numpy(),
            "lon": (at["lon"].to_numpy() + away[0] / np.cos(np.radians(at["lat"]))).round(6),
            "lat": (at["lat"].to_numpy() + away[1]).round(6),
            "capacity": np.maximum(1, size * np.exp(rng.normal(0, 0.3, n))).round().astype(int),
            "opened_date": opened,
            "closed_date": np.where(closes & (closed < seat.last), closed, np.datetime64("NaT")),
        }
    )


def facility(seat: Seat, month: int) -> pd.DataFrame:
    """Return the facilities opened by the end of a month; the closed ones say when."""
    rows, day = facilities(seat), seat.end(month)
    here = rows[rows["opened_date"].to_numpy() <= day].reset_index(drop=True)
    return here.assign(closed_date=here["closed_date"].where(here["closed_date"] <= day))


def boundary(seat: Seat, month: int) -> pd.DataFrame:
    """Return the outline of the county, its real one: one row."""
    outline = shapely.to_wkt(county_outline(seat.area), rounding_precision=6)
    return pd.DataFrame(
        {
            "area_code": [seat.area_code],
            "area_name": [seat.name_of(seat.area_code)],
            "outline": [outline],
            "drawn_date": [np.datetime64(seat.given["places"]["valid_from"], "D")],
        }
    )


# -- disasters ---------------------------------------------------------------------------------


@once
def disasters(block: Known) -> pd.DataFrame:
    """Return what struck the block's villages: DISASTER, is_reported (the truth).

    The events are those that took households' harvests; without them each village with lost
    harvests had one in summer. Small ones are not always reported, and some days late.
    """
    told, rng = block.state["disaster"], block.stream("disasters")
    events = _events(block, rng)
    n = len(events)
    homes = block.homes
    hit = homes["has_bad_year"].to_numpy(bool) & (homes["n_farming"] > 0).to_numpy()
    by_village = pd.Series(hit).groupby(homes["village_code"].to_numpy()).sum()
    farming = (homes["n_farming"] > 0).groupby(homes["village_code"]).sum()
    share = events["share_lost"].to_numpy(float)
    code = events["village_code"]
    last_year = str(block.seat.last)[:4]
    counted = np.where(
        events["year"].astype(str) == last_year, code.map(by_village).fillna(0),
        (code.map(farming).fillna(0) * told["households"]).round(),
    ).astype(int)  # fmt: skip
    text = events["year"].astype(str) + "-" + events["month"].astype(str).str.zfill(2)
    first = text.to_numpy().astype("datetime64[M]").astype("datetime64[D]")
    on = first + rng.integers(0, 28, n) * DAY
    return pd.DataFrame(
        {
            "event_id": numbered(f"Z{block.code}", n, 4),
            "disaster_kind": events["kind"],
            "village_code": code,
            "occurred_date": on,
            "reported_date": on + rng.integers(0, told["late_days"], n) * DAY,
            "severity": np.select([share < 0.5, share < 0.7], ["light", "middle"], "heavy"),
            "n_households": counted,
            "loss_cny": (counted * share * told["loss_cny"] / 100).round() * 100,
            "is_reported": (rng.random(n) >= told["unreported"]) & (counted > 0),
        }
    )


def _events(block: Known, rng: np.random.Generator) -> pd.DataFrame:
    """Return village_code, year, month, kind, share_lost of each event."""
    villages, homes = block.places.villages, block.homes
    mine = np.unique(homes["village_code"].to_numpy().astype(str))
    known = block.seat.disasters
    if len(known):
        code = villages["village_code"].to_numpy()[known["village"].to_numpy(dtype=int)]
        every = known.assign(village_code=code)
        return every[every["village_code"].isin(mine)].reset_index(drop=True)
    struck = homes.loc[homes["has_bad_year"], "village_code"].unique()
    n = len(struck)
    return pd.DataFrame(
        {
            "village_code": np.sort(struck.astype(str)).astype(object),
            "year": int(str(block.seat.last)[:4]),
            "month": rng.choice([6, 7, 8], n),
            "kind": rng.choice(["hail", "flood", "drought"], n),
            "share_lost": rng.uniform(0.4, 0.9, n),
        }
    )


def disaster(block: Known, month: int) -> pd.DataFrame:
    """Return the events reported in a month; the first delivery has those before it as well."""
    rows = disasters(block)
    return in_month(block, rows[rows["is_reported"]], "reported_date", month)[DISASTER]
