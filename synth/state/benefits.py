"""Allowances of civil affairs: who is paid dibao or tekun, and who is paid and should not be."""

import numpy as np
import pandas as pd

from synth.state.deaths import deaths, departed
from synth.state.favour import favoured
from synth.state.known import DAY, NEVER, YEAR, Known, days, numbered, once, stacked
from synth.state.spelling import misspelt
from synth.state.strangers import GHOSTS, long_gone

COLUMNS = ["benefit_id", "benefit_kind", "head_id", "head_name", "person_id", "person_name",
           "village_code", "n_covered", "monthly_cny", "valid_from", "valid_to"]  # fmt: skip
KINDS = ("dibao_rural", "dibao_urban", "tekun")


@once
def payments(block: Known) -> pd.DataFrame:
    """Return every person that an allowance covers: COLUMNS, and what only the truth knows.

    why: due, favoured, died, moved, doubled. left_date: when a ghost died or left. struck_date:
    the day from which nobody is paid for them any more (NaT: never). came_date: when they were
    born or came here.
    """
    covered = _covered(block)
    rows = stacked(covered, _left(block, covered), _long_gone(block, covered))
    rows = stacked(rows, _doubled(block, rows))
    rng = block.stream("benefits", "names")
    names = rows["person_name"].where(rows["why"] == "doubled")
    spelt = misspelt(rows["person_name"], block.state["names"]["misspelt"], rng)
    came = rows["person_id"].map(_came(block)).fillna(rows["born"])
    return rows.assign(person_name=names.fillna(spelt), n_covered=0, came_date=came)


def _came(block: Known) -> pd.Series:
    """Return by ID number since when somebody has been here."""
    number, edges = block.who.everybody["person_id"].to_numpy(), block.who.edges
    return edges["since"].groupby(number[edges["person"]]).min()


def _covered(block: Known) -> pd.DataFrame:
    """Return the members of households that are paid: those who should be, and favoured ones."""
    told, rng = block.state["benefit"], block.stream("benefits")
    homes, people = block.homes, block.people
    yuan = block.life.items["dibao"].to_numpy(float)
    favour = favoured(block)
    favour = favour.loc[favour["via"] == "benefit", "household"].to_numpy()
    favour = favour[yuan[favour] == 0]
    why = np.where(yuan > 0, "due", "")
    why[favour] = "favoured"
    a_person = block.seat.given["lives"]["dibao"]["yuan_a_person"]
    n = homes["n_members"].to_numpy()
    each = np.where(why == "favoured", a_person, yuan / n) / 12
    home = np.flatnonzero(why != "")
    alone = (n == 1) & (homes["n_elderly"] == 1).to_numpy() & (homes["n_able"] == 0).to_numpy()
    kind = np.where(homes["is_rural"], np.where(alone, "tekun", "dibao_rural"), "dibao_urban")
    paid = pd.DataFrame(
        {
            "home": home,
            "benefit_id": numbered(f"B{block.code}", len(home), 5),
            "benefit_kind": kind[home],
            "valid_from": _begun(block, len(home), told, rng),
            "monthly_cny": each[home].round(2),
            "why": why[home],
        }
    )
    heads = block.heads
    members = pd.DataFrame(
        {
            "home": block.house,
            "person_id": people["person_id"],
            "person_name": people["person_name"],
            "village_code": block.village_of,
            "head_id": heads["person_id"].to_numpy()[block.house],
            "head_name": heads["person_name"].to_numpy()[block.house],
            "household_id": block.book_of,
            "born": people["birth_date"],
        }
    )
    rows = members.merge(paid, on="home", how="inner").drop(columns="home")
    return rows.assign(valid_to=NEVER, left_date=NEVER, struck_date=NEVER)


def _begun(block: Known, n: int, told: dict, rng: np.random.Generator) -> np.ndarray:
    """Return first days of payment, each the first of a month, since the scheme began."""
    low = np.datetime64(told["since"], "D")
    return days(low, block.seat.first - 60 * DAY, n, rng).astype("M8[M]").astype("M8[D]")


def _left(block: Known, covered: pd.DataFrame) -> pd.DataFrame:
    """Return those who were covered and died or moved: struck off when it is heard, or never."""
    told, rng = block.state["ghost"], block.stream("benefits", "left")
    gone = departed(block)
    of_paid = covered.drop_duplicates("household_id").set_index("household_id")
    is_paid = gone["household_id"].isin(of_paid.index).to_numpy()
    was = is_paid | (rng.random(len(gone)) < told["alone_covered"])
    left = gone[was].reset_index(drop=True)
    n, died = len(left), (left["reason"] == "died").to_numpy()
    heard = deaths(block).set_index("person_id")["civil_date"].reindex(left["person_id"])
    moved = left["left_date"].to_numpy().astype("datetime64[D]")
    told_on = moved + rng.integers(10, told["moved_days"], n).astype("timedelta64[D]")
    kept = rng.random(n) < np.where(died, told["dead_kept"], told["moved_kept"])
    struck = np.where(died, heard.to_numpy().astype("datetime64[D]"), told_on)
    own = of_paid.reindex(left["household_id"])
    has_own = own["benefit_id"].notna().to_numpy()
    village = block.places.villages.iloc[left["village"].to_numpy(dtype=int)]
    rural = village["is_rural"].to_numpy()
    return pd.DataFrame(
        {
            "person_id": left["person_id"],
            "person_name": left["person_name"],
            "village_code": village["village_code"].to_numpy(),
            "head_id": np.where(has_own, own["head_id"], left["person_id"]),
            "head_name": np.where(has_own, own["head_name"], left["person_name"]),
            "household_id": left["household_id"],
            "born": left["birth_date"],
            "benefit_id": np.where(has_own, own["benefit_id"], numbered(f"B{block.code}L", n, 4)),
            "benefit_kind": np.where(
                has_own, own["benefit_kind"], np.where(rural, "dibao_rural", "dibao_urban")
            ),
            "valid_from": np.where(
                has_own,
                own["valid_from"].to_numpy().astype("datetime64[D]"),
                _begun(block, n, block.state["benefit"], rng),
            ),
            "monthly_cny": own["monthly_cny"].fillna(_usual(block)).to_numpy(float).round(2),
            "why": left["reason"],
            "valid_to": NEVER,
            "left_date": moved,
            "struck_date": np.where(kept, NEVER, struck),
        }
    )


def _long_gone(block: Known, covered: pd.DataFrame) -> pd.DataFrame:
    """Return who died or moved years ago and is down as a member of a paid household still."""
    told, rng = block.state["ghost"], block.stream("benefits", "long gone")
    of = covered[covered["why"] == "due"].drop_duplicates("benefit_id")
    n_dead, n_moved = (round(told[name] * len(covered)) for name in ("long_dead", "long_moved"))
    chosen = of.iloc[rng.permutation(len(of))[: n_dead + n_moved]]
    who = long_gone(block, chosen["head_name"].str[0].to_numpy(), GHOSTS, rng)
    chosen = chosen.iloc[: len(who)].reset_index(drop=True)
    low, high = (round(years * YEAR) for years in told["long_years"])
    left = block.seat.first - rng.integers(low, high, len(who)) * DAY
    return chosen.assign(
        person_id=who["person_id"],
        person_name=who["person_name"],
        born=who["birth_date"],
        why=np.where(np.arange(len(who)) < n_dead, "died", "moved"),
        valid_from=np.minimum(chosen["valid_from"].to_numpy().astype("datetime64[D]"), left),
        left_date=left,
    )


def _usual(block: Known) -> float:
    return block.seat.given["lives"]["dibao"]["yuan_a_person"] / 12


def _doubled(block: Known, rows: pd.DataFrame) -> pd.DataFrame:
    """Return people who are paid a second time, in another register and under another spelling."""
    told, rng = block.state["ghost"], block.stream("benefits", "doubled")
    here = rows[(rows["why"] == "due") & (rng.random(len(rows)) < told["doubled"])]
    other = np.where(here["benefit_kind"] == "dibao_rural", "dibao_urban", "dibao_rural")
    return here.assign(
        benefit_id=numbered(f"B{block.code}D", len(here), 4),
        benefit_kind=other,
        head_id=here["person_id"],
        head_name=here["person_name"],
        person_name=misspelt(here["person_name"], 1.0, rng),
        why="doubled",
    )


# -- the feed `benefit`, and its truth ---------------------------------------------------------


def benefit(block: Known, month: int) -> pd.DataFrame:
    """Return who is paid for in a month, one row a person covered."""
    rows, day = payments(block), block.end(month)
    struck = rows["struck_date"].to_numpy().astype("datetime64[D]")
    here = (rows["valid_from"].to_numpy().astype("datetime64[D]") <= day) & ~(struck <= day)
    here &= rows["came_date"].to_numpy().astype("datetime64[D]") <= day
    paid = rows[here].reset_index(drop=True)
    n_covered = paid.groupby("benefit_id")["person_id"].transform("size")
    return paid.assign(n_covered=n_covered)[COLUMNS]


@once
def ghosts(block: Known) -> pd.DataFrame:
    """Return the ghosts among those paid for: the truth.

    benefit_id, person_id, kind (died, moved, doubled), left_date (NaT for the doubled), until
    (the day from which they are no longer paid; NaT: to this day), is_late (struck off when it
    was heard of). Only those for whom something was paid at the end of a month delivered.
    """
    rows = payments(block)
    rows = rows[rows["why"].isin(["died", "moved", "doubled"])]
    left = rows["left_date"].to_numpy().astype("datetime64[D]")
    struck = rows["struck_date"].to_numpy().astype("datetime64[D]")
    ends = np.array([block.end(month) for month in range(len(block.seat.month_ends))])
    since = np.where(np.isnat(left), block.seat.first, left)
    paid = (ends[None, :] >= since[:, None]) & ~(struck[:, None] <= ends[None, :])
    begun = rows["valid_from"].to_numpy().astype("datetime64[D]")[:, None] <= ends[None, :]
    seen = (paid & begun).any(axis=1)
    return pd.DataFrame(
        {
            "benefit_id": rows["benefit_id"],
            "person_id": rows["person_id"],
            "kind": rows["why"],
            "left_date": rows["left_date"],
            "until": rows["struck_date"],
            "is_late": ~np.isnat(struck),
        }
    )[seen].reset_index(drop=True)
