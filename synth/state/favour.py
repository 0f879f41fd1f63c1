"""Cadres' kin: who they are, whom cadres declare, and who is favoured though not poor."""

import numpy as np
import pandas as pd

from synth.people.identity import SURNAMES
from synth.state.cadres import local_cadres, upper_cadres
from synth.state.kin import OLDER, relatives
from synth.state.known import YEAR, Known, days, once
from synth.state.spelling import misspelt

CLOSE = ("spouse", "parent", "child", "sibling")
COLUMNS = ["cadre_id", "cadre_name", "relative_id", "relative_name", "relation", "village_code",
           "declared_date"]  # fmt: skip


@once
def cadre_kin(block: Known) -> pd.DataFrame:
    """Return the cadres' close kin in the block, one row a link; the truth about them.

    cadre_id, cadre_name, level, relative (row of people), relative_id, relation (what the
    relative is to the cadre), household (row), is_own_household, is_declared.
    """
    told, rng = block.state["kin"], block.stream("cadre kin")
    local = local_cadres(block).set_index("person")
    links = relatives(block)
    links = links[links["person"].isin(local.index) & links["relation"].isin(CLOSE)]
    of = local.loc[links["person"]]
    near = links.assign(
        cadre_id=of["person_id"].to_numpy(),
        cadre_name=of["person_name"].to_numpy(),
        level=of["level"].to_numpy(),
        is_own_household=block.house[links["person"]] == block.house[links["relative"]],
    )
    every = pd.concat([near, _of_upper(block)], ignore_index=True).drop(columns="person")
    share = every["relation"].map(told["declared"]).to_numpy(float)
    return every.assign(
        relative_id=block.people["person_id"].to_numpy()[every["relative"]],
        household=block.house[every["relative"]],
        is_declared=rng.random(len(every)) < share,
    ).drop_duplicates(["cadre_id", "relative_id"], ignore_index=True)


def _of_upper(block: Known) -> pd.DataFrame:
    """Return kin of cadres from above who come from one of these villages: a parent or brother.

    A man of the cadre's surname and village whose age fits; no two cadres share one.
    """
    cadres = upper_cadres(block.seat)
    cadres = cadres[cadres["home_village"].isin(np.unique(block.village_of))]
    people = block.people
    men = (people["relation"] == "head") & people["is_male"]
    them = pd.DataFrame(
        {
            "relative": np.flatnonzero(men),
            "home_village": block.village_of[men],
            "surname": people.loc[men, "person_name"].str[0].to_numpy(),
            "lived": people.loc[men, "birth_date"].to_numpy().astype("datetime64[D]"),
        }
    )
    both = cadres.merge(them, on=["home_village", "surname"])
    born = both["birth_date"].to_numpy().astype("datetime64[D]")
    older = (born - both["lived"].to_numpy().astype("datetime64[D]")).astype(int) / YEAR
    is_parent = (older >= OLDER["parent"][0] + 2) & (older <= OLDER["parent"][1] - 5)
    near = np.abs(older) <= block.state["kin"]["brothers_years"]
    both = both.assign(relation=np.where(is_parent, "parent", "sibling"))[is_parent | near]
    both = both.drop_duplicates("relative").drop_duplicates("person_id")
    both = both.rename(columns={"person_id": "cadre_id", "person_name": "cadre_name"})
    columns = ["cadre_id", "cadre_name", "level", "relative", "relation"]
    return both[columns].assign(person=-1, is_own_household=False)


@once
def favoured(block: Known) -> pd.DataFrame:
    """Return the households of cadres' kin that are helped though not poor: the truth.

    household (row), cadre_id, relative_id, relation, via: benefit (paid the allowance) or list
    (to be on the list; who makes it sees to that). A cadre's own household is not among them.
    """
    told, rng = block.state["favoured"], block.stream("favoured")
    kin, homes = cadre_kin(block), block.homes
    near = kin[~kin["is_own_household"]].drop_duplicates("household")
    own = block.house[local_cadres(block)["person"]]
    better = ~homes["is_poor"].to_numpy() & homes["is_rural"].to_numpy()
    may = near[better[near["household"]] & ~near["household"].isin(own)]
    chosen = may[rng.random(len(may)) < told["share"]].sort_values("household", ignore_index=True)
    via = np.where(rng.random(len(chosen)) < told["by_benefit"], "benefit", "list")
    return chosen[["household", "cadre_id", "relative_id", "relation"]].assign(via=via)


# -- the feed `declared_relative` --------------------------------------------------------------


def declared_relative(block: Known, month: int) -> pd.DataFrame:
    """Return what cadres declare of their kin; now and then a name without a number.

    Some declare relatives who live elsewhere: these are on no register here.
    """
    told, rng = block.state["kin"], block.stream("declared")
    kin = cadre_kin(block)
    said = kin[kin["is_declared"]]
    names = block.people["person_name"].iloc[said["relative"]].reset_index(drop=True)
    said = said.reset_index(drop=True)
    here = pd.DataFrame(
        {
            "cadre_id": said["cadre_id"],
            "cadre_name": said["cadre_name"],
            "relative_id": said["relative_id"].where(rng.random(len(said)) >= told["no_number"]),
            "relative_name": misspelt(names, block.state["names"]["misspelt"], rng),
            "relation": said["relation"],
            "village_code": block.village_of[said["relative"]],
        }
    )
    cadres = local_cadres(block)
    far = cadres[rng.random(len(cadres)) < told["elsewhere"]]
    away = pd.DataFrame(
        {
            "cadre_id": far["person_id"],
            "cadre_name": far["person_name"],
            "relative_id": None,
            "relative_name": np.char.add(
                rng.choice(SURNAMES, len(far)), rng.choice(list("明华军丽"), len(far))
            ),
            "relation": "sibling",
            "village_code": None,
        }
    )
    every = pd.concat([here, away.astype(object)], ignore_index=True)
    on = days(block.seat.first - np.timedelta64(900), block.seat.first, len(every), rng)
    return every.assign(declared_date=on)[COLUMNS]
