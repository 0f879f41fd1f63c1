"""Deliveries weighed as a whole, codes that nobody knew, and what then needs a person."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from lakehouse.alarms import alarms
from lakehouse.cli import app
from lakehouse.commands import parse_date
from lakehouse.errors import ChecksFailed, UsageError
from lakehouse.gate_figures import draw, validate
from lakehouse.hold import decide
from lakehouse.landing import Landed
from lakehouse.quality import newest_figures
from tests.deliveries import deliver

if TYPE_CHECKING:
    from lakehouse.run import House

ABOUT = """
    title = "走访"
    source = "county"
    owner = "county"
    purpose = "statistics"
    format = "csv"
"""
VISIT = f"""{ABOUT}
    extent = "delta"
    every = "day"
    area = "town"
    share_bad = 0.9
    [expect]
    located.post = {{ in = "way_post.post" }}
    [columns]
    phone = {{ head = "phone", type = "identity", kind = "phone", meaning = "Who called." }}
    kind = {{ head = "kind", type = "code", map = {{ "问" = "ask", "办" = "do" }}, meaning = "." }}
    town = {{ head = "town", type = "area", digits = 6, meaning = "Where." }}
    post = {{ head = "post", type = "text", optional = true, meaning = "Post." }}
"""
POST = f"""{ABOUT}
    extent = "full"
    key = ["post"]
    [columns]
    post = {{ head = "post", type = "text", meaning = "Post." }}
"""
NEW = "新岗"


def visits(n: int, *, new: int = 0) -> bytes:
    """Return n visits, half of them asking, at posts of which one in ten is in no register.

    The last `new` have a code in no list: 20 of one county, 10 and 7 of others; 7 have one of
    their own each.
    """
    rows = [f"1380000{k:04d},{'问办'[k % 2]},211223,p{k % 10}" for k in range(n - new)]
    for k in range(new):
        county = "211223" if k < 20 else "211224" if k < 30 else "211281"
        rows.append(f"1390000{k:04d},{NEW if k % 5 else f'x{k}'},{county},p1")
    return "\n".join(["phone,kind,town,post", *rows]).encode()


@pytest.fixture
def county(house: "House", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "House":
    """A house with a feed of visits and the register of posts; two days are a history."""
    for name, text in (("visit", VISIT), ("way_post", POST)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("BANGFU_FEEDS", str(tmp_path))
    monkeypatch.setenv("BANGFU__QUALITY__ENOUGH", "2")
    return type(house)(spark=house.spark)


def land(house: "House", day: int, content: bytes) -> list[Landed]:
    rows = content.count(b"\n")
    deliver(house.conf.landing, "visit", f"2015-12-{day:02d}", content, rows=rows, day=day,
            manifest={"extent": "delta"})  # fmt: skip
    return house.landing.land_all()


def bangfu(*words: str) -> Any:
    done = CliRunner().invoke(app, [*words, "--json"])
    if done.exception:
        raise done.exception
    return json.loads(done.stdout)


def test_from_a_day_cut_short_to_codes_that_nobody_knew(county: "House") -> None:
    house = county
    posts = "\n".join(["post", *(f"p{k}" for k in range(9))]).encode()
    deliver(house.conf.landing, "way_post", "2015-12", posts, rows=9)
    # The register lands before what is looked up in it.
    assert [one.feed for one in land(house, 1, visits(41))] == ["way_post", "visit"]
    assert [one.detail for one in land(house, 2, visits(40))] == [None]
    kept = {row["figure"]: row["value"] for row in newest_figures(house.ops, "visit")}
    assert kept["rows"] == kept["distinct.phone"] == 40
    assert (kept["located.post"], kept["nulls.post"], kept["unknown.kind"]) == (0.9, 0, 0)

    # Cut short: held, told, an alarm; it lands by a person's word, and stays an alarm for days.
    [held] = land(house, 3, visits(15))
    assert (held.state, held.reason) == ("held", "unusual")
    assert "rows is 15, usually 18.2 to 62.8" in str(held.detail)
    assert house.lake.read("bronze.visit").count() == 81
    with pytest.raises(ChecksFailed, match=r"visit/2015-12-03/d1 is held"):
        bangfu("check", "bronze.visit")
    assert [one["kind"] for one in bangfu("alarms")] == ["held"]
    decide(house.ops, "visit/2015-12-03/d1", "approved", "me", "a holiday")
    assert [one.state for one in house.landing.land_all()] == ["landed"]
    assert [one["kind"] for one in bangfu("alarms")] == ["figure"]

    # A code list that was widened: told when it lands, set aside by value with counts.
    [landed] = land(house, 4, visits(60, new=37))
    assert landed.state == "landed"
    assert "unknown.kind is 0.617" in str(landed.detail)
    assert "kind: 37 rows have codes that are not in its list" in str(landed.detail)
    house.run("visit", parse_date("2015-12-04"))
    told = bangfu("quarantine", "explain", "silver.visit", "kind:unknown_code")
    assert told["rows"] == 37
    assert told["values"] == [{"value": NEW, "rows": 29}, {"value": "(others)", "rows": 8}]

    the_room(house)
    the_pages(house)


def the_room(house: "House") -> None:
    """Rows set aside by reason, delivery, county, age; and an alarm when they stay too long."""

    def by(word: str) -> list[tuple[str, int]]:
        return [(row[word], row["rows"]) for row in bangfu("quarantine", "--by", word)]

    assert by("reason") == [("kind:unknown_code", 37)]
    assert by("delivery") == [("visit/2015-12-04/d1", 37)]
    # The smallest county is folded, and the next with it, or it would follow by subtraction.
    assert by("area") == [("211223", 20), ("2 others, together", 17)]
    assert by("age") == [("93 days and more", 37)]
    with pytest.raises(UsageError, match="Did you mean 'area'"):
        by("aera")
    of_rows = [one for one in alarms(house, parse_date("2016-02-05")) if one.kind == "quarantine"]
    [(what, since)] = [(one.what, str(one.since)) for one in of_rows]
    assert (what, since) == ("silver.visit", "2016-01-04")
    at_once = alarms(house, parse_date("2016-02-04"))
    assert "quarantine" not in {one.kind for one in at_once}
    with pytest.raises(ChecksFailed, match="alarms are open"):
        bangfu("alarms", "--fail", "--as-of", "2016-02-05")


def the_pages(house: "House") -> None:
    """Data Docs and the history hold figures, the same verdicts, and no value of a row."""
    rows = newest_figures(house.ops, "visit")
    judged = {row["figure"]: row["verdict"] == "ok" for row in rows if row["verdict"] != "told"}
    assert validate(house.gate, "visit", rows) == judged
    assert judged["rows"] and not judged["unknown.kind"]
    index = draw(house.gate, house.ops)
    linked = index.read_text(encoding="utf-8")
    assert "Deliveries of bronze.visit" in linked and "silver.visit" in linked
    pages = "".join(page.read_text(encoding="utf-8") for page in index.parent.rglob("*.html"))
    plot = Path(house.conf.home / "plot.html")
    done = CliRunner().invoke(app, ["check", "bronze.visit", "--plot", "--out", str(plot)])
    assert done.exit_code == 0, done.output
    escaped = json.dumps(NEW).strip('"')
    for text in (pages, plot.read_text(encoding="utf-8")):
        assert "post" in text and "visit" in text
        assert not [word for word in (NEW, escaped, "1390000") if word in text]
