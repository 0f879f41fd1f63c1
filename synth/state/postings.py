"""Postings: teams in villages, and cadres who are paired with households."""

import numpy as np
import pandas as pd

from synth.state.cadres import local_cadres, upper_cadres
from synth.state.known import NEVER, Known, Seat, days, numbered, once, stacked

ROLES = ("first_secretary", "member", "helper")
COLUMNS = ["posting_id", "cadre_id", "cadre_name", "role", "village_code", "household_id",
           "head_id", "valid_from", "valid_to"]  # fmt: skip


@once
def teams(seat: Seat) -> pd.DataFrame:
    """Return the teams of the county's villages, spell after spell: COLUMNS.

    A spell lasts some years; then the other half of the cadres takes over, so that nobody is in
    two villages at once. Cadres come to poorer places first, as these are believed to be.
    """
    told, rng = seat.state["cadres"], seat.stream("teams")
    cadres = upper_cadres(seat)
    village = _villages(seat, rng)
    half = len(cadres) // 2
    order = rng.permutation(len(cadres))
    spell = round(told["team_years"] * 12)
    first = np.datetime64(told["first_teams"], "M")
    rows = []
    for number, begin in enumerate(np.arange(first, seat.last.astype("M8[M]") + 1, spell)):
        side = order[:half] if number % 2 == 0 else order[half : 2 * half]
        members = np.resize(np.roll(side, number), len(village) * told["team"])
        ends = (begin + spell).astype("M8[D]")
        rows.append(
            pd.DataFrame(
                {
                    "cadre": members,
                    "village_code": np.repeat(village, told["team"]),
                    "role": np.tile(["first_secretary"] + ["member"] * (told["team"] - 1),
                                    len(village)),
                    "valid_from": begin.astype("M8[D]"),
                    "valid_to": ends if ends <= seat.last else NEVER,
                }
            )
        )  # fmt: skip
    if not rows:
        return pd.DataFrame(columns=COLUMNS)
    every = stacked(*rows)
    return _named(every, cadres, seat.code).assign(household_id=None, head_id=None)[COLUMNS]


def _villages(seat: Seat, rng: np.random.Generator) -> np.ndarray:
    """Return the villages that get a team, no more than half of the cadres can man."""
    villages = seat.places.villages
    rural = villages[villages["is_rural"]]
    if rural.empty:
        return rural["village_code"].to_numpy()
    effect = (rural["town_effect"] + rural["village_effect"]).to_numpy()
    believed = effect + rng.normal(0, effect.std() + 1e-9, len(rural))
    share = seat.given["places"]["poverty_of_villages"]["share"]
    most = len(upper_cadres(seat)) // 2 // seat.state["cadres"]["team"]
    n = min(most, max(1, round(share * len(rural))))
    return np.sort(rural["village_code"].to_numpy()[np.argsort(believed, kind="stable")[:n]])


@once
def helpers(block: Known) -> pd.DataFrame:
    """Return who is paired with which listed household: COLUMNS, and household (row of homes).

    Nobody has more than the told number; when there are no more cadres a household has none.
    """
    told, rng = block.state["cadres"], block.stream("helpers")
    upper = upper_cadres(block.seat)
    here = upper["helps_village"].isin(block.homes["village_code"].unique())
    mine = upper.loc[here, ["person_id", "person_name"]]
    local = local_cadres(block)
    pool = pd.concat([mine, local[["person_id", "person_name"]]], ignore_index=True)
    cadres = pool.drop_duplicates("person_id", ignore_index=True)
    listed = np.flatnonzero(block.is_listed)
    slots = rng.permutation(np.repeat(np.arange(len(cadres)), told["households_a_helper"]))
    n = min(len(listed), len(slots))
    helped = np.sort(rng.permutation(listed)[:n])
    start = max(np.datetime64(told["first_teams"], "D"), block.seat.first - np.timedelta64(700))
    rows = pd.DataFrame(
        {
            "cadre": slots[:n],
            "household": helped,
            "village_code": block.homes["village_code"].to_numpy()[helped],
            "role": "helper",
            "valid_from": days(start, block.seat.first, n, rng),
            "valid_to": np.full(n, NEVER),
            "household_id": block.homes["household_id"].to_numpy()[helped],
            "head_id": block.heads["person_id"].loc[helped].to_numpy(),
        }
    )
    own = local.set_index("person_id")["person"].map(pd.Series(block.house))
    is_own = cadres["person_id"].map(own).to_numpy()[rows["cadre"]] == rows["household"]
    return _named(rows[~is_own].reset_index(drop=True), cadres, block.code)


def _named(rows: pd.DataFrame, cadres: pd.DataFrame, code: str) -> pd.DataFrame:
    of = cadres.iloc[rows["cadre"]]
    return rows.assign(
        posting_id=numbered(code, len(rows), 6),
        cadre_id=of["person_id"].to_numpy(),
        cadre_name=of["person_name"].to_numpy(),
    )


# -- the feed `posting` ------------------------------------------------------------------------


def posting_of_county(seat: Seat, month: int) -> pd.DataFrame:
    """Return the teams' postings begun by the end of a month; those that ended say when."""
    return _known_by(teams(seat), seat.end(month))


def posting_of_block(block: Known, month: int) -> pd.DataFrame:
    """Return the pairings with households begun by the end of a month."""
    return _known_by(helpers(block), block.end(month))


def _known_by(rows: pd.DataFrame, day: np.datetime64) -> pd.DataFrame:
    begun = rows["valid_from"].to_numpy().astype("datetime64[D]") <= day
    here = rows.loc[begun, COLUMNS].reset_index(drop=True)
    ended = pd.to_datetime(here["valid_to"])
    return here.assign(valid_to=ended.where(ended <= day))
