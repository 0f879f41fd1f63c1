"""Telephones: who has one, and the operator's cells."""

from datetime import date

import numpy as np
import pandas as pd

from synth.figures import Figures, stream
from synth.lives.lives import Lives
from synth.people.identity import phone_numbers
from synth.people.population import Population
from synth.places.places import Places

IN_SERVICE_SINCE = pd.Timestamp("2010-01-01")
# Degrees that a mast may stand off its village: some 200 m.
OFF = 0.002


def subscribers(who: Population, life: Lives, seed: int, given: Figures) -> pd.DataFrame:
    """Return the people with a number: phone, person, household, village, is_away, age, wealth.

    `wealth` is consumption on a standard scale; the better off more often have a number. People
    who work away are out of the county's network.
    """
    rng = stream(seed, "subscribers")
    people, by_age = who.people, given["phones"]["by_age"]
    ages = np.array(sorted(int(age) for age in by_age))
    shares = np.array([0.0, *(by_age[str(age)] for age in ages)])
    log = np.log(life.homes["consumption_cny"])
    wealth = ((log - log.mean()) / log.std()).to_numpy()[people["household"]]
    share = shares[np.digitize(people["age"], ages)] * (1 + 0.15 * wealth)
    owns = rng.random(len(people)) < share.clip(0, 0.97)
    owners = people[owns].drop(columns="person").reset_index(names="person")
    return pd.DataFrame(
        {
            "phone": phone_numbers(given["phones"]["prefix"], len(owners), rng),
            "person": owners["person"],
            "household": owners["household"],
            "village": owners["village"],
            "is_away": owners["work"] == "migrant",
            "age": owners["age"],
            "wealth": wealth[owns],
        }
    )


def cells(places: Places, people: int, as_of: date, seed: int, given: Figures) -> pd.DataFrame:
    """Return the cells, with the columns of the feed and `village`, the one that they stand in.

    Masts stand in the largest village of each town, then in the largest of the rest; where there
    are more cells than villages, some masts carry two. One cell is out of service.
    """
    rng = stream(seed, "cells")
    figures, villages = given["phones"], places.villages
    wanted = int(
        np.clip(people // figures["people_a_cell"], figures["least_cells"], figures["most_cells"])
    )
    largest = villages.sort_values("weight", ascending=False, kind="stable")
    first = ~largest["town_code"].duplicated()
    sites = np.concatenate([largest.index[first], largest.index[~first]])[:wanted]
    village = np.concatenate([np.resize(sites, wanted), sites[:1]])
    mast = np.concatenate([np.resize(np.arange(len(sites)), wanted), [0]])
    off = rng.uniform(-OFF, OFF, (len(sites), 2))[mast]
    closed = np.arange(len(village)) == wanted
    county = places.area.ljust(12, "0")
    return pd.DataFrame(
        {
            "cell_id": [f"{places.area}-{number + 1:05d}" for number in range(len(village))],
            "site_id": [f"{places.area}-M{number + 1:04d}" for number in mast],
            "lon": (villages["lon"].to_numpy()[village] + off[:, 0]).round(6),
            "lat": (villages["lat"].to_numpy()[village] + off[:, 1]).round(6),
            "county_code": county,
            "valid_from": IN_SERVICE_SINCE,
            "valid_to": np.where(
                closed, np.datetime64(as_of, "ns") - np.timedelta64(200, "D"), np.datetime64("NaT")
            ),
            "village": village,
        }
    )
