"""Days of calls, messages and data: nobody in two places at once, nobody in two calls at once."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lakehouse.errors import InputMissing
from lakehouse.feed import feed
from synth.operator import calls, network, sessions
from synth.operator.cells import NO_CELL
from synth.operator.contacts import contacts
from synth.operator.whereabouts import plan
from tests.synth.operator_county import OperatorCounty, operator_county

# Two working days, with the night between them, and a Sunday. The New Year of 2015: February 19.
DAYS = [date(2015, 3, 25), date(2015, 3, 26), date(2015, 3, 29)]
NEW_YEAR = date(2015, 2, 19)
A_MONTH = 240
FASTEST_KM_H = 120


@pytest.fixture(scope="module")
def made() -> OperatorCounty:
    return operator_county(people=4_000, first=date(2015, 1, 1), months=3, near="210281",
                           cells_for=40_000, changes=12)  # fmt: skip


@pytest.fixture(scope="module")
def sides(made: OperatorCounty) -> pd.DataFrame:
    """One row per event and party of the county: number, user's row, moment, end, cell."""
    rows = [_sides(made, day) for day in DAYS]
    return pd.concat(rows, ignore_index=True)


def _events(made: OperatorCounty, day: date) -> calls.Events:
    return calls.joined([*calls.events(made.net, day, made.told.seed, made.given, A_MONTH)])


def _sides(made: OperatorCounty, day: date) -> pd.DataFrame:
    some, n = _events(made, day), len(made.net)
    made_sides = [
        pd.DataFrame({"number": who, "cell": cell, "second": some.second, "lasts": some.duration_s,
                      "is_call": ~some.is_text})
        for who, cell in ((some.caller, some.caller_cell), (some.recipient, some.recipient_cell))
    ]  # fmt: skip
    for each in sessions.sessions(made.net, day, made.told.seed, made.given):
        made_sides.append(
            pd.DataFrame({"number": each.number, "cell": each.cell, "second": each.second,
                          "lasts": each.duration_s, "is_call": False})
        )  # fmt: skip
    rows = pd.concat(made_sides)
    rows = rows[rows["number"] < n]
    rows["at"] = rows["second"] + (day - DAYS[0]).days * 86_400
    rows["user"] = made.net.who["carrier"][rows["number"]]
    return rows


def _km(made: OperatorCounty, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Great-circle distance of cells, by their delivered positions."""
    rows = pd.concat([made.masts, made.elsewhere])
    lon, lat = np.radians(rows[["lon", "lat"]].to_numpy()).T
    half = (
        np.sin((lat[one] - lat[other]) / 2) ** 2
        + np.cos(lat[one]) * np.cos(lat[other]) * np.sin((lon[one] - lon[other]) / 2) ** 2
    )
    return 2 * 6371.0088 * np.arcsin(np.sqrt(half))


def test_nobody_is_in_two_places_at_once(made: OperatorCounty, sides: pd.DataFrame):
    """Between two sights of a person, on whatever number or net, there is time for the way."""
    seen = sides[sides["cell"] != NO_CELL].sort_values(["user", "at"], kind="stable")
    same = seen["user"].to_numpy()[1:] == seen["user"].to_numpy()[:-1]
    cell, at = seen["cell"].to_numpy().astype(int), seen["at"].to_numpy()
    km = _km(made, cell[1:], cell[:-1])[same]
    hours = (at[1:] - at[:-1])[same] / 3600
    assert (km <= FASTEST_KM_H * hours + 1e-9).all()
    # The test has something to see: people who move, some of them far, some of them overnight.
    assert (km > 5).sum() > 500
    assert (km > 25).sum() > 20
    where = seen.groupby("user")["cell"].nunique()
    assert (where > 1).mean() > 0.3


@pytest.mark.parametrize(
    "first", [date(2015, 2, 9), date(2015, 2, 27), date(2015, 3, 25), "a cell closes"]
)
def test_nights_and_journeys_take_time(made: OperatorCounty, first: date | str):
    """Looked at every five minutes of five days, and about midnight, when much may change."""
    if isinstance(first, str):
        first = made.masts["valid_to"].max().date() - timedelta(2)
    cells, times = [], []
    for n in range(5):
        where = plan(made.net, first + timedelta(n), made.told.seed, made.given)
        for second in [*range(0, 86_400, 300), 86_399]:
            number = np.arange(len(made.net))
            cell, is_settled = where.locate(number, np.full(len(number), second))
            cells.append(np.where(is_settled, cell, NO_CELL))
            times.append(n * 86_400 + second)
    number, at = np.nonzero(np.array(cells).T != NO_CELL)
    cell, hour = np.array(cells).T[number, at].astype(int), np.array(times)[at] / 3600
    same = number[1:] == number[:-1]
    km = _km(made, cell[1:], cell[:-1])[same]
    over = km - FASTEST_KM_H * (hour[1:] - hour[:-1])[same]
    assert (over <= 0).all()
    assert (km > 100).sum() > 20


def test_nobody_talks_twice_at_once(sides: pd.DataFrame):
    talking = sides[sides["is_call"]].sort_values(["user", "at"], kind="stable")
    ends = (talking["at"] + talking["lasts"]).to_numpy()
    same = talking["user"].to_numpy()[1:] == talking["user"].to_numpy()[:-1]
    assert (ends[:-1] <= talking["at"].to_numpy()[1:])[same].all()
    assert same.sum() > 5_000


def test_a_key_names_one_record(made: OperatorCounty):
    some = _events(made, DAYS[0])
    keys = np.stack([some.second, some.caller, some.recipient, some.is_text], axis=1)
    assert len(np.unique(keys, axis=0)) == len(some)
    assert (np.diff(some.second) >= 0).all()
    assert (some.caller != some.recipient).all()


def test_as_many_records_as_asked_for(made: OperatorCounty):
    for a_month in (60, 180):
        week = [
            sum(map(len, calls.events(made.net, DAYS[0] + timedelta(n), 3, made.given, a_month)))
            for n in range(7)
        ]
        served = np.mean([made.net.is_served(DAYS[0] + timedelta(n)).mean() for n in range(7)])
        told = np.mean(week) * 365.2425 / 12 / (len(made.net) * served)
        # The county is poorer than the province, for which the mean is set.
        assert 0.75 * a_month < told < 1.1 * a_month


def test_no_event_is_an_empty_day(made: OperatorCounty):
    [empty] = calls.day_part(made.net, DAYS[0], 3, made.given, 0)
    assert len(empty) == 0
    assert calls.table(made.net, DAYS[0], _events(made, DAYS[0]), 3, made.given).schema.equals(
        empty.schema
    )


def test_out_of_service_is_silent(made: OperatorCounty):
    some = _events(made, DAYS[1])
    speaks = np.zeros(made.net.groups["abroad"].stop, dtype=bool)
    speaks[some.caller] = speaks[some.recipient] = True
    is_served = made.net.is_served(DAYS[1])
    assert (~is_served).sum() > 20
    assert not speaks[: len(made.net)][~is_served].any()
    assert speaks[: len(made.net)][is_served].mean() > 0.9


def test_work_elsewhere_is_seen_elsewhere_but_not_at_new_year(made: OperatorCounty):
    owners, n_own = made.owners, made.net.cover.n_own
    away = owners["is_away"].to_numpy() & np.array([each.all() for each in owners["away"]])

    def places_of(day: date) -> np.ndarray:
        some = _events(made, day)
        cell = np.concatenate([some.caller_cell, some.recipient_cell])
        who = np.concatenate([some.caller, some.recipient])
        mine = who < len(away)
        return cell[mine][away[who[mine]]]

    usual, new_year = places_of(DAYS[0]), places_of(NEW_YEAR)
    assert away.sum() > 50
    assert not (usual < n_own).any()
    assert 0.2 < (usual == NO_CELL).mean() < 0.8
    assert (new_year < n_own).mean() > 0.8
    with pytest.raises(InputMissing, match="new_year has no day for 2031"):
        _events(made, date(2031, 1, 1))


def test_cells_open_close_and_move(made: OperatorCounty):
    masts = made.masts
    again = masts[masts["cell_id"].duplicated(keep=False)].groupby("cell_id")
    assert again.ngroups > 1
    for _, versions in again:
        for before, after in pairwise(versions.itertuples()):
            assert before.valid_to == after.valid_from
            assert (before.lon, before.lat) != (after.lon, after.lat)
    year = pd.Timestamp("2014-04-01")
    assert (masts["valid_from"] > year).sum() > again.ngroups
    assert (masts["valid_to"] > year).sum() > again.ngroups
    assert masts["radius_km"].between(0.4, 15).all()
    for day in DAYS:
        used = np.unique(_events(made, day).caller_cell)
        used = used[used != NO_CELL]
        assert made.net.cover.in_service(day)[used].all()


def test_on_disk_as_in_memory(made: OperatorCounty, tmp_path: Path):
    told = made.told
    for block, frame in made.frames:
        network.write_block(tmp_path, block.number, frame, told)
    # A block without a number, of some very small town, changes nothing.
    network.write_block(tmp_path, 999, made.frames[0][1].iloc[:0], told)
    order = [*(block.number for block, _ in made.frames), 999]
    network.join(tmp_path, order, made.masts, made.places, told, made.given, made.elsewhere)
    net = network.opened(tmp_path)
    for name in set(net.who.dtype.names) - {"household"}:
        assert (net.who[name] == made.net.who[name]).all(), name
    assert (net.contact == made.net.contact).all()
    assert {path.name for path in tmp_path.iterdir()} == {
        "who.npy", "starts.npy", "contact.npy", "small.npz"
    }  # fmt: skip
    paths = [tmp_path / f"{n}.parquet" for n in range(2)]
    for path, one in zip(paths, (net, made.net), strict=True):
        _write(path, calls.day_part(one, DAYS[0], told.seed, made.given, A_MONTH))
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with pytest.raises(InputMissing, match="no network"):
        network.opened(tmp_path / "nowhere")
    with pytest.raises(InputMissing, match="block-0000005"):
        network.join(tmp_path, [5], made.masts, made.places, told, made.given)


def _write(path: Path, tables: object) -> None:
    writer = None
    for table in tables:
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def test_a_delivered_day_reads_as_the_mapping_says(made: OperatorCounty, tmp_path: Path):
    path = tmp_path / "day.parquet"
    _write(path, calls.day_part(made.net, DAYS[0], made.told.seed, made.given, A_MONTH))
    rows, some = pq.read_table(path).to_pandas(), _events(made, DAYS[0])
    assert {spec.head[0] for spec in feed("cdr").fields.values()} | {"scope"} == set(rows.columns)
    own = made.owners["phone"].to_numpy()
    is_own = some.caller < len(own)
    assert (rows["caller"].to_numpy()[is_own] == own[some.caller[is_own]]).all()
    assert rows.loc[~is_own, "caller"].str.match("142|10600|00999").all()
    assert rows["caller"].str.fullmatch("[0-9]{11}").all()
    at = pd.to_datetime(rows["started_at"], format="%Y-%m-%d %H:%M:%S")
    assert ((at - pd.Timestamp(DAYS[0])).dt.total_seconds() == some.second).all()
    assert (rows["duration_s"].isna() == (rows["kind"] == "text")).all()
    known = set(made.masts["cell_id"]) | set(made.elsewhere["cell_id"])
    assert set(rows["caller_cell"].dropna()) <= known
    assert (rows["scope"] == "other").mean() > 0.005
    assert set(rows["scope"]) == {"domestic", "international", "other"}


def test_contacts_are_kin_neighbours_and_alike(made: OperatorCounty):
    net = made.net
    owner = np.repeat(np.arange(len(net)), np.diff(net.starts.astype(np.int64)))
    own = net.contact < len(net)
    assert (net.contact != owner).all()
    assert (~own).mean() == pytest.approx(made.given["phones"]["off_net"], abs=0.02)
    a, b = owner[own], net.contact[own]
    village = net.who["village"]
    assert (village[a] == village[b]).mean() > 0.5
    assert np.corrcoef(net.who["wealth"][a], net.who["wealth"][b])[0, 1] > 0.3
    kin = net.who["household"][a] == net.who["household"][b]
    first = np.isin(np.flatnonzero(own)[kin], net.starts[:-1])
    assert first.mean() > 0.15
    starts, again = contacts(net.who, net.cover.town, net.groups["other"],
                             np.random.default_rng(1), made.given["phones"])  # fmt: skip
    assert len(again) == starts[-1]
