"""The registration survey and the list: who is a candidate, what the cards say, who is on it."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures, cost_shares, stream
from synth.lives.incomes import ITEMS, net_income
from synth.lives.lives import Lives
from synth.people.population import Population
from synth.places.places import Places


@dataclass(frozen=True)
class Cards:
    """Frames with the columns of household_card, member_card and roster.

    `is_candidate` and `is_listed` are per household of `Population.homes`.
    """

    household: pd.DataFrame
    member: pd.DataFrame
    roster: pd.DataFrame
    is_candidate: np.ndarray
    is_listed: np.ndarray


def cards(
    who: Population, places: Places, life: Lives, phones: pd.DataFrame, favoured: np.ndarray,
    as_of: date, seed: int, town: str, given: Figures,
) -> Cards:  # fmt: skip
    """Return the cards of all candidates of a town, and the list that was made from them.

    `favoured` households (bool) are on it whether poor or not.
    """
    rng = stream(seed, "cards", town, as_of.year)
    homes, figures = life.homes, given["cards"]
    is_candidate = _candidates(homes, life.line_cny, rng, figures) | favoured
    chosen = homes[is_candidate]
    card_id = (homes["village_code"] + _number_in_village(homes)).loc[chosen.index]
    heads = who.people.groupby("household").first().loc[chosen.index]
    numbers = phones.groupby("household")["phone"].first().reindex(chosen.index)
    listed = _listed(chosen, favoured[is_candidate], rng, figures)
    household = _household_cards(chosen, life, listed["is_on"], rng, figures, places.area, as_of)
    household = household.assign(
        card_id=card_id, head_id=heads["person_id"], head_name=heads["person_name"], phone=numbers
    )
    everyone = who.people.assign(is_medical_covered=life.is_covered)
    member = _member_cards(everyone[is_candidate[everyone["household"]]], card_id, chosen, rng)
    roster = _roster(listed, chosen, card_id, heads["person_id"], as_of)
    is_listed = np.zeros(len(homes), dtype=bool)
    is_listed[listed.index[listed["is_on"]]] = True
    return Cards(household, member, roster, is_candidate, is_listed)


def _candidates(
    homes: pd.DataFrame, line: float, rng: np.random.Generator, given: Figures
) -> np.ndarray:
    """Return who has a card: most of the poor, and of the others those nearest to the line.

    Villages see sickness and old age, not incomes, so they pass over some of the poor.
    """
    looks_poor = (
        -0.8 * np.log((homes["net_income_cny"].clip(lower=300)) / line)
        + 0.5 * (homes["n_sick"] > 0)
        + 0.3 * (homes["n_able"] == 0)
        + 0.4 * homes["needs_housing"]
        + rng.normal(0, 0.9, len(homes))
    )
    picked = np.zeros(len(homes), dtype=bool)
    for kind, share in (
        (homes["is_poor"], given["covers_poor"]),
        (~homes["is_poor"], given["covers_not_poor"]),
    ):
        pool = np.flatnonzero(kind & homes["is_rural"])
        order = pool[np.argsort(-looks_poor.to_numpy()[pool], kind="stable")]
        picked[order[: round(share * len(pool))]] = True
    return picked


def _number_in_village(homes: pd.DataFrame) -> pd.Series:
    """Return a number for each household, the same in all years."""
    return (homes.groupby("village_code").cumcount() + 1).astype(str).str.zfill(4)


def _listed(
    chosen: pd.DataFrame, favoured: np.ndarray, rng: np.random.Generator, given: Figures
) -> pd.DataFrame:
    """Return per candidate whether it is on the list, was removed, has exited, came late."""
    poor = chosen["is_poor"].to_numpy()
    u = rng.random(len(chosen))
    on = poor & (u < given["list_covers_poor"])
    wrong = round(on.sum() * given["list_not_poor"] / (1 - given["list_not_poor"]))
    # The favoured are the first of those who should not be on it.
    others = rng.permutation(np.flatnonzero(~poor))
    others = others[np.argsort(~favoured[others], kind="stable")]
    wrong = max(wrong, int((favoured & ~poor).sum()))
    off = round(on.sum() * given["removed_share"])
    out = round(on.sum() * given["exited_share"])
    on[others[:wrong]] = True
    is_removed, has_exited = np.zeros_like(on), np.zeros_like(on)
    is_removed[others[wrong : wrong + off]] = True
    has_exited[others[wrong + off : wrong + off + out]] = True
    is_added = on & poor & (rng.random(len(chosen)) < given["added_share"])
    return pd.DataFrame(
        {"is_on": on, "is_removed": is_removed, "has_exited": has_exited, "is_added": is_added},
        index=chosen.index,
    )


def _household_cards(
    chosen: pd.DataFrame, life: Lives, is_on: pd.Series, rng: np.random.Generator,
    given: Figures, area: str, as_of: date,
) -> pd.DataFrame:  # fmt: skip
    """Return what the cards say of income, land, dwelling and causes, with their errors."""
    n = len(chosen)
    said = life.items.loc[chosen.index] * np.exp(
        rng.normal(0, given["item_error"], (n, len(ITEMS)))
    )
    hides = rng.random(n) < given["hides_wage"]
    said["wage"] = said["wage"] * np.where(hides, 0.6, 1.0)
    said = (said / 10).round() * 10
    differs = rng.random(n) < given["members_differ"]
    step = np.where(rng.random(n) < 0.5, 1, -1)
    members = np.where(differs, np.maximum(1, chosen["n_members"] + step), chosen["n_members"])
    stated = net_income(said, pd.Series(members, chosen.index), cost_shares(area, as_of))
    wrong = rng.random(n) < given["misstates_income"]
    stated = stated * np.where(wrong, rng.choice([0.6, 0.75, 1.3], n), 1.0)
    main, other = _causes(chosen, rng)
    dibao = np.where(said["dibao"] > 0, "dibao", "ordinary")
    alone = (chosen["n_members"] == 1) & (chosen["n_elderly"] == 1) & (chosen["n_able"] == 0)
    attribute = np.where(alone & (said["dibao"] > 0), "wubao", dibao)
    return said.assign(
        village_code=chosen["village_code"],
        n_members=members,
        attribute=np.where(is_on, attribute, None),
        main_cause=np.where(is_on, main, None),
        other_cause=np.where(is_on, other, None),
        housing_grade=chosen["housing_grade"],
        is_water_safe=chosen["is_water_safe"],
        land_mu=chosen["land_mu"],
        reported_net_income_cny=stated.round(1),
    )


def _causes(chosen: pd.DataFrame, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return main and other cause (or none), the first that fit a household's life."""
    n = len(chosen)
    fits = {
        "illness": chosen["n_sick"] > chosen["n_disabled"],
        "disability": chosen["n_disabled"] > 0,
        "labour": chosen["n_able"] == 0,
        "schooling": chosen["n_costly_pupils"] > 0,
        "disaster": chosen["has_bad_year"],
        "land": chosen["land_mu"] < 2.0 * chosen["n_members"],
        "water": chosen["needs_water"] & (rng.random(n) < 0.1),
        "skill": chosen["best_years"] <= 6,
        "transport": rng.random(n) < 0.03,
        "motivation": rng.random(n) < 0.02,
        "capital": np.ones(n, dtype=bool),
    }
    names = np.array(list(fits), dtype=object)
    holds = np.column_stack([np.asarray(is_so, dtype=bool) for is_so in fits.values()])
    main = holds.argmax(axis=1)
    holds[np.arange(n), main] = False
    other = np.where(holds.any(axis=1), names[holds.argmax(axis=1)], None)
    return names[main], other


def _member_cards(
    people: pd.DataFrame, card_id: pd.Series, chosen: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the member sheets. Who works away does so for three months or more of the year."""
    skilled = (
        people["is_able"]
        & (people["education"].isin(["senior", "college"]))
        & (rng.random(len(people)) < 0.6)
    )
    labour = np.select(
        [skilled, people["is_able"], (people["age"] >= 16) & (people["health"] != "healthy")],
        ["skilled", "ordinary", "lost"],
        "none",
    )
    away = np.where(people["work"] == "migrant", rng.integers(6, 13, len(people)), 0)
    short = (people["work"] == "farming") & (people["age"] < 60) & (rng.random(len(people)) < 0.12)
    return pd.DataFrame(
        {
            "card_id": people["household"].map(card_id),
            "person_id": people["person_id"],
            "person_name": people["person_name"],
            "village_code": people["household"].map(chosen["village_code"]),
            "birth_date": people["birth_date"],
            "health": people["health"],
            "labour": labour,
            "school": people["school"],
            "is_medical_covered": people["is_medical_covered"],
            "months_away": np.where(short, rng.integers(1, 4, len(people)), away),
        }
    )


def _roster(
    listed: pd.DataFrame, chosen: pd.DataFrame, card_id: pd.Series, head_id: pd.Series, as_of: date
) -> pd.DataFrame:
    """Return the list: made at the end of last year, re-checked in October, exits in December."""
    rows = listed[listed[["is_on", "is_removed", "has_exited"]].any(axis=1)]
    first, check = pd.Timestamp(as_of.year - 1, 12, 31), pd.Timestamp(as_of.year, 10, 31)
    exit_day = pd.Timestamp(as_of.year, 12, 15)
    ended = np.select(
        [rows["is_removed"], rows["has_exited"]], [np.datetime64(check), np.datetime64(exit_day)],
        np.datetime64("NaT"),
    )  # fmt: skip
    return pd.DataFrame(
        {
            "card_id": card_id.loc[rows.index],
            "head_id": head_id.loc[rows.index],
            "village_code": chosen.loc[rows.index, "village_code"],
            "scheme": "registered_poor",
            "valid_from": np.where(rows["is_added"], np.datetime64(check), np.datetime64(first)),
            "valid_to": ended,
            "roster_status": np.select(
                [rows["is_removed"], rows["has_exited"]], ["removed", "exited"], "on"
            ),
        }
    )


def roster_on(roster: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return the list as it stood on a day: what ended later is still on it."""
    at = pd.Timestamp(day)
    known = roster[pd.to_datetime(roster["valid_from"]) <= at]
    ended = pd.to_datetime(known["valid_to"]) <= at
    return known.assign(
        valid_to=pd.to_datetime(known["valid_to"]).where(ended),
        roster_status=np.where(ended, known["roster_status"], "on"),
    )
