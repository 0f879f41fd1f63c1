"""What is usual and what has drifted: by hand, and by other ways to the same number."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.stats import chi2_contingency, entropy, median_abs_deviation

from lakehouse.conf import settings
from lakehouse.errors import DeclarationError
from lakehouse.expect import Expect
from lakehouse.feed import feed
from lakehouse.figures import (
    UNSEEN,
    Limits,
    like_days,
    middle,
    psi,
    psi_by_chance,
    usual_count,
    usual_share,
)
from lakehouse.quality import Before, judge

LIMITS = Limits.of(settings())
MILLION = 1_000_000


def test_psi_by_hand() -> None:
    # (.5 - .75) ln(.5 / .75) + (.5 - .25) ln(.5 / .25) = .25 ln 3
    halves, quarters = {"a": 2 * MILLION, "b": 2 * MILLION}, {"a": 3 * MILLION, "b": MILLION}
    assert psi(halves, quarters) == pytest.approx(0.25 * np.log(3), abs=1e-5)
    assert psi(quarters, halves) == pytest.approx(psi(halves, quarters))
    assert psi(halves, {"b": 20, "a": 20}) == pytest.approx(0, abs=1e-12)


def test_psi_is_the_relative_entropy_both_ways() -> None:
    draw = np.random.default_rng(4)
    for size in (2, 7, 56):
        now, before = draw.integers(0, 300, (2, size))
        by_code = [dict(zip(map(str, range(size)), one, strict=True)) for one in (now, before)]
        p, q = ((one + UNSEEN) / (one + UNSEEN).sum() for one in (now, before))
        assert psi(*by_code) == pytest.approx(entropy(p, q) + entropy(q, p))


def test_a_code_that_is_new_is_far_but_not_infinite() -> None:
    before = {"a": 500, "b": 500}
    few, many = (psi({"a": 500, "b": 500, "c": n}, before) for n in (1, 100))
    assert few < LIMITS.psi_warn < many < 2


def test_chance_alone_seldom_reaches_its_bound() -> None:
    """A register of few rows and many codes: its index is high without any drift."""
    draw, shares = np.random.default_rng(1), np.array([0.4, 0.3, 0.1, 0.1, 0.05, 0.05])
    above = []
    for n, m in ((60, 80), (400, 300)):
        pairs = [[dict(enumerate(draw.multinomial(k, shares))) for k in (n, m)] for _ in range(800)]
        named = [[{str(k): v for k, v in one.items()} for one in pair] for pair in pairs]
        above.append(np.mean([psi(*pair) > psi_by_chance(*pair, 0.99) for pair in named]))
    assert max(above) < 0.02
    # Not so high that drift is not seen: an index at the bound is one that chi-squared sees too.
    now, past = {"a": 40, "b": 20}, {"a": 40, "b": 60}
    assert psi(now, past) > psi_by_chance(now, past, 0.99)
    assert chi2_contingency([[40, 20], [40, 60]], correction=False).pvalue < 0.01


def test_the_median_and_its_deviation() -> None:
    values = [10.0, 12.0, 11.0, 13.0, 900.0]
    centre, sd = middle(values)
    assert (centre, sd) == (12, pytest.approx(1.4826))
    assert sd == pytest.approx(median_abs_deviation(values, scale="normal"), rel=1e-4)


def test_what_is_usual() -> None:
    # Never varied: the slack of a fifth. A broken one among them moves nothing.
    assert usual_count([1000.0] * 4, LIMITS) == (800, 1200)
    assert usual_count([1000.0, 1000.0, 3.0, 1000.0, 1000.0], LIMITS) == (800, 1200)
    # It varied by 100 about 1,000: 3.5 * 1.4826 * 100.
    assert usual_count([900.0, 1100.0, 900.0, 1100.0, 1000.0], LIMITS)[1] == pytest.approx(1518.91)
    # 25 rows vary by chance: 3.5 * 5 of them.
    assert usual_count([25.0] * 9, LIMITS) == (7.5, 42.5)
    assert usual_share([0.3] * 5, MILLION, 0.05, LIMITS) == pytest.approx((0.25, 0.35))
    # Of 16 rows, a half is 8 by chance: 3.5 * .125.
    assert usual_share([0.5] * 5, 16, 0.05, LIMITS) == pytest.approx((0.0625, 0.9375))
    assert usual_share([0.0] * 5, 100, 0.0005, LIMITS)[1] == pytest.approx(0.0247, abs=1e-4)


def test_a_weekday_compares_with_its_like() -> None:
    first = date(2015, 11, 2)  # a Monday
    days = [first + timedelta(days=n) for n in range(28)]
    history = [(str(day), 100.0 + day.weekday()) for day in days]
    assert like_days("2015-11-30", history, 4) == [100.0] * 4
    assert like_days("2015-11-30", history, 5) == [100.0, 101, 102, 103, 104] * 4
    assert like_days("2015-12-05", history[:14], 4) == [105.0, 106, 105, 106]
    assert like_days("2015-12-05", history[:6], 4) == [value for _, value in history[:6]]
    assert like_days("2015-12", [("2015-10", 1.0), ("2015-11", 2.0)], 4) == [1, 2]


ROWS = {"rows": 1000.0, "nulls.recipient_cell_id": 200.0, "located.recipient_cell_id": 800.0,
        "distinct.caller_id": 300.0}  # fmt: skip
DAY = "2015-12-31"


def verdicts(now: dict[str, float], codes: dict[str, float] | None = None, **more: object
) -> dict[str, str]:  # fmt: skip
    """Judge a day of calls against thirty that were all like ROWS."""
    days = [str(date(2015, 12, 1) + timedelta(days=n)) for n in range(28)]
    shares = {
        name: n if name.startswith(("rows", "dist")) else n / 1000 for name, n in ROWS.items()
    }
    before = Before(
        {name: [(day, n) for day in days] for name, n in shares.items()}
        | {"unknown.event_kind": [(day, 0.0) for day in days]},
        {"event_kind": {"call": 800, "text": 200}},
    )
    told = judge(replace(feed("cdr"), **more), DAY, ROWS | now,
                 {"event_kind": codes or {"call": 800, "text": 200}}, before, LIMITS)  # type: ignore[arg-type]  # fmt: skip
    return {one.name: one.verdict for one in told if one.verdict not in ("ok", "told")}


def test_what_is_unusual_warns_and_what_is_far_off_holds() -> None:
    assert verdicts({}) == {}
    assert verdicts({"rows": 1060, "nulls.recipient_cell_id": 0}) == {}
    more = {"rows": 1201.0, "located.recipient_cell_id": 950, "distinct.caller_id": 900}
    assert verdicts(more) == {"rows": "warn", "distinct.caller_id": "warn"}
    # A day cut off, a day twice in its file, a column that came empty, cells renumbered.
    assert verdicts({"rows": 499.0, "nulls.recipient_cell_id": 100,
                     "located.recipient_cell_id": 399})["rows"] == "hold"  # fmt: skip
    assert verdicts({"rows": 1801})["rows"] == "hold"
    assert verdicts({"nulls.recipient_cell_id": 1000}) == {"nulls.recipient_cell_id": "hold"}
    assert verdicts({"located.recipient_cell_id": 0}) == {"located.recipient_cell_id": "hold"}
    assert verdicts({}, {"call": 800, "text": 190, "": 10}) == {"unknown.event_kind": "warn"}
    # Everybody writes at New Year: events warn, and the codes of a register hold.
    texts = {"call": 400, "text": 600}
    assert verdicts({}, texts) == {"psi.event_kind": "warn"}
    assert verdicts({}, texts, extent="full") == {"psi.event_kind": "hold"}


def test_a_mapping_says_otherwise() -> None:
    half = {"rows": 400.0, "nulls.recipient_cell_id": 80, "located.recipient_cell_id": 320}
    assert verdicts(half, expect={"rows": Expect("warn")}) == {"rows": "warn"}
    assert verdicts(half, expect={"rows": Expect("off")}) == {}
    fixed = {"located.recipient_cell_id": Expect(least=0.9)}
    assert verdicts({}, expect=fixed) == {"located.recipient_cell_id": "hold"}


def test_few_deliveries_tell_nothing_yet() -> None:
    before = Before({"rows": [("2015-12-01", 1000.0)] * 3}, {})
    told = judge(feed("cdr"), DAY, ROWS | {"rows": 5.0}, {}, before, LIMITS)
    assert {one.verdict for one in told} == {"told"}


def test_a_limit_that_is_no_number_is_named() -> None:
    conf = settings()
    conf.sections["quality"]["mads"] = "many"
    with pytest.raises(DeclarationError, match=r"conf \[quality\] mads: could not convert"):
        Limits.of(conf)
