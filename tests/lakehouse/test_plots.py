"""Pictures of runs, quality, quarantine and the plan: what they hold, and that they ask nobody."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakehouse import plots
from lakehouse.cli import app
from lakehouse.errors import InputMissing
from lakehouse.ops import Ops

START = datetime(2016, 1, 5, 2, tzinfo=UTC)


@pytest.fixture
def ops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ops:
    """Two months of a table, the second with a failed check; another table; one delivery."""
    monkeypatch.setenv("BANGFU_HOME", str(tmp_path))
    made = Ops()
    for month, aside in ((date(2015, 11, 30), 5), (date(2015, 12, 31), 20)):
        for table in ("silver.person", "gold.poverty_by_area"):
            run = made.start(table, month, "c1", {})
            counts = {"read": 100, "made": 100, "created": 100 - aside, "quarantined": aside}
            made.finish(run, state="done", counts=counts, seconds=4.5,
                        started_at=START + timedelta(days=month.month))  # fmt: skip
            is_good = (table, aside) != ("silver.person", 20)
            made.record_checks(run, table, [{"expectation": "key", "success": is_good}])
    made.record_reasons("silver.person", "2015-12-31", {"sex:unknown_code": 20})
    made.record_delivery(
        delivery_id="roster/2015-12/d1", feed="roster", period="2015-12", extent="full",
        state="landed", n_read=10, n_created=8, n_unchanged=0, n_quarantined=2,
    )  # fmt: skip
    return made


def figures(html: str) -> list[dict]:
    """Return what Plotly is given on a page: the traces of each figure."""
    found = []
    for at in re.finditer(r"Plotly\.newPlot\(\s*\"[^\"]+\",\s*", html):
        traces, _ = json.JSONDecoder().raw_decode(html, at.end())
        found.append({trace.get("name") or trace["type"]: trace for trace in traces})
    return found


def test_the_history_of_a_table_is_oldest_first_and_adds_up(ops: Ops) -> None:
    html = plots.history("silver.person", ops.runs("silver.person"), [])
    [traces] = figures(html)
    assert traces["created"]["y"] == [95, 80]
    assert traces["set aside"]["y"] == [5, 20]
    assert traces["created"]["x"][0].startswith("2015-11-30")
    assert "Runs: 2, the oldest first; 0 of them failed" in html


def test_a_table_of_deliveries_has_a_bar_a_delivery(ops: Ops) -> None:
    [traces] = figures(plots.history("bronze.roster", [], ops.deliveries("roster")))
    assert (traces["created"]["x"], traces["created"]["y"]) == (["2015-12/d1"], [8])
    assert traces["set aside"]["y"] == [2]


def test_quality_marks_what_does_not_hold(ops: Ops) -> None:
    html = plots.quality(ops.check_history(), ops.runs(limit=100))
    squares, shares = figures(html)
    assert squares["heatmap"]["x"] == ["2015-11-30", "2015-12-31"]
    assert squares["heatmap"]["y"] == ["silver.person", "gold.poverty_by_area"]
    assert squares["heatmap"]["text"] == [["", "✕"], ["", ""]]
    assert squares["heatmap"]["z"][0] == [1.0, 0.0]
    assert shares["silver.person"]["y"] == [0.05, 0.2]
    assert "4 results, 1 of them do not hold" in html


def test_of_two_runs_for_a_date_the_newest_counts(ops: Ops) -> None:
    run = ops.start("silver.person", date(2015, 12, 31), "c2", {})
    ops.finish(run, state="done", counts={"made": 100, "quarantined": 0}, seconds=1)
    ops.record_checks(run, "silver.person", [{"expectation": "key", "success": True}])
    squares = figures(plots.quality(ops.check_history(), ops.runs(limit=100)))[0]
    assert squares["heatmap"]["text"] == [["", ""], ["", ""]]


def test_reasons_are_bars(ops: Ops) -> None:
    [traces] = figures(plots.quarantine(ops.reasons()))
    assert traces["bar"]["x"] == [20]
    assert traces["bar"]["y"] == ["silver.person  sex:unknown_code"]


@pytest.mark.parametrize(
    "words",
    [("history", "silver.person"), ("history",), ("history", "bronze.roster"), ("check",),
     ("check", "person"), ("quarantine",), ("plan", "all", "--as-of", "2015-12-31")],
)  # fmt: skip
def test_every_plot_is_a_page_that_asks_nobody(
    words: tuple[str, ...], ops: Ops, tmp_path: Path
) -> None:
    done = CliRunner().invoke(app, [*words, "--plot", "--out", str(tmp_path / "p.html")])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(tmp_path / "p.html")
    html = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", html)
    assert "@import" not in html and "url(" not in html.split("</style>")[0]


def test_the_plan_says_what_is_stale_by_a_sign(ops: Ops, tmp_path: Path) -> None:
    page = tmp_path / "p.html"
    CliRunner().invoke(app, ["plan", "--as-of", "2015-12-31", "--plot", "--out", str(page)])
    html = page.read_text(encoding="utf-8")
    assert "… cdr_event" in html and "waits for bronze.cdr" in html
    assert "▶ subscriber_day" in html and "after silver.cdr_event" in html


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    for draw in (lambda: plots.history("silver.person", [], []), lambda: plots.timeline([]),
                 lambda: plots.quality([], []), lambda: plots.quarantine([])):  # fmt: skip
        with pytest.raises(InputMissing):
            draw()
