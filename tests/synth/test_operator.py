"""Subscribers, their numbers, bills and handsets: as many and as unlike as the figures say."""

import hmac
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import spearmanr

from lakehouse.errors import UsageError
from lakehouse.mapping import read_feed
from synth.figures import figures
from synth.operator import columns, numbers, overlap
from synth.operator.behaviour import quantile
from synth.operator.bills import bills, recharges
from synth.operator.handsets import catalogue
from synth.operator.register import register, truth
from synth.operator.sessions import month_mb
from synth.operator.subscribers import first_count, identity_tokens, operator_key
from synth.plan import Block, blocks
from synth.town import prepared, town
from tests.synth.operator_county import OperatorCounty, operator_county
from tests.synth.phone_signal import measured

END = date(2015, 12, 31)


@pytest.fixture(scope="module")
def made() -> OperatorCounty:
    return operator_county(people=12_000)


def test_numbers_are_one_to_one_and_show_no_order():
    counts = np.arange(300_000) + 41_000_000
    bytes_ = numbers.digits(counts, "154", seed=3)
    texts = numbers.as_text(bytes_)
    assert len(set(texts)) == len(counts)
    assert all(len(text) == 11 and text.startswith("154") for text in texts[:1000])
    assert (numbers.counts_of(bytes_, "154", seed=3) == counts).all()
    # Neighbours, such as a household's, are as far apart as any two.
    values = texts.astype(np.int64)
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.01
    assert len(np.unique(np.diff(values))) > 0.99 * (len(values) - 1)
    assert (numbers.digits(counts[:100], "154", seed=4) != bytes_[:100]).any()
    with pytest.raises(UsageError, match="has 1,000,000 numbers"):
        numbers.digits(np.array([1_000_000]), "10600", seed=3)


def test_blocks_have_room_for_their_numbers():
    """Thirty million people in towns of any size: counts never meet, and fit eight digits."""
    people = np.random.default_rng(1).integers(1, 60_000, size=1_000)
    before = np.cumsum(people) - people
    firsts = [
        first_count(Block("", "", np.arange(0), int(n), i, 0, 1, int(sum_)))
        for i, (n, sum_) in enumerate(zip(people, before, strict=True))
    ]
    assert (np.diff(firsts) >= people[:-1] * 1.25).all()
    assert firsts[-1] < 10**8


def test_text_from_bytes():
    texts = columns.fixed(np.array([list(b"154"), list(b"002")], dtype=np.uint8))
    assert texts.to_pylist() == ["154", "002"]
    at = columns.moments(END, np.array([0, 0, 59, 3_600, 86_399], dtype=np.int32))
    assert at.to_pylist() == [
        "2015-12-31 00:00:00", "2015-12-31 00:00:00", "2015-12-31 00:00:59",
        "2015-12-31 01:00:00", "2015-12-31 23:59:59",
    ]  # fmt: skip
    which, places = columns.used(np.array([7, 3, 7]), 9)
    assert (which[places] == [7, 3, 7]).all()
    assert len(which) == 2
    assert len(columns.moments(END, np.zeros(0, dtype=np.int32))) == 0


def test_what_overlaps_falls_away():
    rng = np.random.default_rng(2)
    start = np.sort(rng.integers(0, 40_000, 3_000)).astype(np.int64)
    end = start + rng.integers(1, 900, 3_000)
    # Parties beyond 16 bits as well.
    pool = np.array([3, 9, 65_536, 70_001, 131_072, 200_000])
    parties = pool[rng.integers(0, len(pool), (3_000, 2))]
    until = np.zeros(200_001, dtype=np.int32)
    kept = np.concatenate(
        [overlap.free(parties[part], start[part], end[part], until)
         for part in (slice(0, 1_700), slice(1_700, 3_000))]
    )  # fmt: skip
    assert 0 < kept.sum() < 3_000
    for party in pool:
        mine = kept & (parties == party).any(axis=1)
        assert (end[mine][:-1] <= start[mine][1:]).all()
    # What began in an earlier piece still keeps busy, to the second at which it ends.
    until = np.zeros(3, dtype=np.int32)
    for start_s, end_s, expected in ((10, 100, True), (99, 120, False), (120, 130, True)):
        one = np.array([[0, 1]])
        assert overlap.free(one, np.array([start_s]), np.array([end_s]), until)[0] == expected
    # The first that anybody does is never in the way of anything.
    assert kept[0] == (parties[0, 0] != parties[0, 1])
    assert (overlap.by_second(start[::-1].copy()) == np.argsort(start[::-1], kind="stable")).all()


def test_subscribers_are_people_of_their_households(made: OperatorCounty):
    for _, frame in made.frames:
        assert (frame.loc[frame["carrier"], "user"].to_numpy() == frame["user"]).all()
    owners = made.owners
    assert owners["phone"].is_unique
    assert owners["count"].is_monotonic_increasing
    n_numbers = owners.groupby(["household", "user"]).size()
    assert n_numbers.max() == 2
    assert (n_numbers == 2).mean() == pytest.approx(0.05, abs=0.015)
    # Children's numbers are on a grown-up's paper; nobody shares a number with its user.
    children = owners[owners["age"] < 16]
    assert (children["person"] != children["user"]).mean() > 0.6
    shared = owners[owners["shared_with"] >= 0]
    assert 0.03 < len(shared) / len(owners) < 0.15
    assert (shared["shared_with"] != shared["user"]).all()
    assert 0.5 < len(owners) / made.homes["n_members"].sum() < 0.8


def test_tokens_are_those_of_the_key(made: OperatorCounty):
    key = operator_key(made.told.seed)
    owners = made.owners
    assert owners["identity_token"].str.fullmatch("[0-9a-f]{32}").all()
    token = hmac.new(key, b"11010519491231002X", "sha256").hexdigest()[:32]
    assert identity_tokens(np.array(["11010519491231002X"]), made.told.seed)[0] == token
    # One paper, one token, one answer to the question of consent.
    for _, frame in made.frames:
        assert (frame.groupby("person")["identity_token"].nunique() == 1).all()
        assert (frame.groupby("person")["has_consent"].nunique() == 1).all()


def test_bills_and_data_have_their_quantiles(made: OperatorCounty):
    """Users in Sichuan 2019: ARPU p10/50/90 5.1/35.0/129.5 yuan, data p50/p90 1,672/17,031 MB."""
    z = np.random.default_rng(1).normal(size=200_000)
    told = np.quantile(quantile(z, 5.1, 35.0, 129.5), [0.1, 0.5, 0.9])
    assert told == pytest.approx([5.1, 35.0, 129.5], rel=0.02)
    billed = bills(made.owners, END, 3, "all", made.given)
    assert billed["charge_cny"].quantile([0.1, 0.5, 0.9]).to_numpy() == pytest.approx(
        [5.1, 35.0, 129.5], rel=0.12
    )
    net = made.net
    mb = month_mb(net, END, 3, made.given["phones"])[net.who["is_smartphone"]]
    assert np.quantile(mb, [0.5, 0.9]) == pytest.approx([1672, 17031], rel=0.15)
    paid = recharges(made.owners, billed, END, 3, "all", made.given)
    assert paid["amount_cny"].sum() == pytest.approx(billed["charge_cny"].sum(), rel=0.03)
    assert not paid.duplicated(["subscriber_id", "recharged_at"]).any()
    assert paid["recharged_at"].is_monotonic_increasing
    assert set(paid["recharged_at"].dt.strftime("%Y-%m")) == {"2015-12"}


def test_register_tells_states_as_they_are(made: OperatorCounty):
    listed = register(made.owners, END, "211223").set_index("subscriber_id")
    owners = made.owners.set_index("phone").loc[listed.index]
    assert set(listed["status"]) == {"active", "suspended", "closed"}
    is_served = made.net.is_served(END)
    active = listed["status"] == "active"
    assert (is_served == made.owners["phone"].isin(listed.index[active])).all()
    assert listed.loc[listed["status"] == "closed", "closed_on"].notna().all()
    assert (owners["activated_on"] <= pd.Timestamp(END)).all()
    models = catalogue(made.told.seed, made.given["phones"])
    assert models["tac"].is_unique
    assert models["tac"].str.fullmatch("00[0-9]{6}").all()
    kinds = models.set_index("tac")["is_smartphone"]
    assert (listed["tac"].map(kinds) == listed["is_smartphone"]).all()


def test_truth_names_the_user(made: OperatorCounty):
    block, frame = made.frames[0]
    county = prepared(made.told, made.places, 12_000, made.given)
    [first, *_] = blocks({"211223": made.places.villages}, {"211223": 12_000})
    who = town(county, first).who
    codes = made.places.villages["village_code"].to_numpy()
    rows = truth(frame, who, codes, made.told)
    assert first.name == block.name
    assert len(rows) == len(frame)
    assert (rows["away_in"].dropna() == "2015-12").all()
    assert (rows["away_in"].notna() == rows["is_away"]).all()
    assert set(rows["user_id"]) <= set(who.people["person_id"])
    of = who.people.set_index("person_id")["household"]
    number = who.homes["household_id"].to_numpy()
    assert (number[rows["user_id"].map(of)] == rows["household_id"]).all()


@pytest.mark.parametrize(
    ("what", "most"),
    [("activity", 0.5), ("n_contacts", 0.5), ("mb", 0.5), ("charge_z", 0.5), ("topup_cny", 0.5),
     ("abroad", 1.1), ("is_smartphone", 0.5)],
)  # fmt: skip
def test_behaviour_follows_wealth_loosely(made: OperatorCounty, what: str, most: float):
    """Better-off fifths do more, step by step or nearly; yet one tells little of the other."""
    owners = made.owners
    fifth = owners.groupby(pd.qcut(owners["wealth"], 5, labels=False))[what].mean()
    assert fifth.iloc[-1] > fifth.iloc[0]
    assert spearmanr(fifth.index, fifth).statistic >= 0.7
    assert 0.03 < spearmanr(owners["wealth"], owners[what]).statistic < most


def test_telephones_alone_tell_as_much_as_in_the_field(made: OperatorCounty):
    """Togo: an area under the curve of .72 for the poorest 29 % by consumption."""
    found, ties = measured(made, days=14, a_month=60)
    assert 0.66 < found < 0.78
    # No single indicator gives it away.
    assert ties["with consumption"].abs().max() < 0.45


@pytest.mark.parametrize("name", ["subscriber", "handset", "bill", "recharge", "data_session"])
def test_mappings_can_be_read(name: str):
    feed = read_feed(Path("conf/feeds") / f"{name}.toml", {})
    assert feed.source == "operator"
    assert set(feed.key) <= set(feed.fields)


def test_figures_are_all_used_names():
    told = figures("211223")["phones"]
    assert len(told["hours"]) == 24
    assert {each.year for each in told["new_year"]} == set(range(2010, 2031))
    assert isinstance(pa.array(told["new_year"]), pa.Date32Array)
