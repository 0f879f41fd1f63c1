"""A million rows landed by a mapping of a user's own, against the same rows by a feed of the house.

Both files hold a list of households, one as the house's feed `roster` has it, one under other
heads, in another encoding, with other ways to write codes, areas and dates. The mapping makes a
table of its own. Each side is measured twice, the first to warm up.
"""

import os
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lakehouse.feed import feed
from lakehouse.pack import pack
from lakehouse.parse import ID_CHECK, ID_WEIGHTS
from lakehouse.run import House

PEOPLE = 50_000
MAPPING = """
    title = "名册（另一来源）"
    source = "elsewhere"
    owner = "poverty office"
    purpose = "identification"
    extent = "full"
    format = "csv"
    key = ["card_id"]

    [columns]
    card_id      = { head = "card", type = "identity", kind = "card", meaning = "Card." }
    head_id      = { head = "id", type = "identity", kind = "person", meaning = "Head." }
    village_code = { head = "town", type = "area", digits = 9, meaning = "Town." }
    scheme       = { head = "kind", type = "code", map = { a = "registered_poor" }, meaning = "Scheme." }
    valid_from   = { head = "from", type = "date", formats = ["yyyyMMdd"], meaning = "First day." }
    valid_to     = { head = "to", type = "date", formats = ["yyyyMMdd"], optional = true, meaning = "Last day." }
    roster_status = { head = "now", type = "code", codes = "ROSTER_STATUS", map = { "1" = "on", "2" = "exited" }, meaning = "Status." }
"""  # noqa: E501


def write_mapping(folder: Path) -> None:
    """Write the mapping and use its folder, before anything reads the feeds."""
    folder.mkdir(parents=True)
    (folder / "list_elsewhere.toml").write_text(textwrap.dedent(MAPPING), encoding="utf-8")
    os.environ["BANGFU_FEEDS"] = str(folder)


def measure(
    house: House, rows: int, folder: Path, cost: Callable[[Callable[[], object]], Any]
) -> Iterator[dict[str, object]]:
    """Yield a row for each side and try: CPU seconds to land, and its ratio to the house's feed."""
    for attempt, seed in (("first", 1), ("second", 2)):
        listed = households(rows, seed)
        ours, theirs = folder / f"ours{seed}.csv", folder / f"theirs{seed}.csv"
        as_the_house_has_it(listed).to_csv(ours, index=False, encoding="gb18030")
        as_another_has_it(listed).to_csv(theirs, index=False, encoding="utf-8")
        declared = _landed(house, "roster", ours, f"2015-{seed:02d}", cost)
        mapped = _landed(house, "list_elsewhere", theirs, f"2015-{seed:02d}", cost)
        for name, one in (("roster", declared), ("list_elsewhere", mapped)):
            yield {"feed": name, "rows": rows, "run": attempt, "cpu": one.cpu,
                   "seconds": one.seconds, "ratio": round(one.cpu / declared.cpu, 2)}  # fmt: skip


def _landed(house: House, name: str, file: Path, period: str, cost: Callable[..., Any]) -> Any:
    def land() -> None:
        pack([file], feed(name), period, house.conf.landing)
        [one] = house.landing.land_all(name)
        if one.state != "landed" or one.quarantined:
            raise RuntimeError(f"{name}: {one.state} {one.reason} {one.detail}")

    return cost(land)


def households(n: int, seed: int) -> pd.DataFrame:
    """Return the list as the house thinks of it: `n` rows, heads out of PEOPLE people."""
    draw = np.random.default_rng(seed)
    firsts = [f"211223{1930 + k % 80}0101{k % 1000:03d}" for k in range(PEOPLE)]
    digits = np.array([[int(c) for c in first] for first in firsts])
    checks = (digits * np.array(ID_WEIGHTS)).sum(axis=1) % 11
    people = np.array([first + ID_CHECK[c] for first, c in zip(firsts, checks, strict=True)])
    return pd.DataFrame(
        {
            "card": [f"{seed}{k:09d}" for k in range(n)],
            "person": people[draw.integers(0, PEOPLE, n)],
            "town": [f"2112231{k:02d}" for k in draw.integers(0, 20, n)],
            "since": pd.Timestamp("2014-01-01") + pd.to_timedelta(draw.integers(0, 600, n), "D"),
            "is_on": draw.random(n) < 0.7,
        }
    )


def as_the_house_has_it(listed: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as conf/feeds/roster.toml declares them."""
    return pd.DataFrame(
        {
            "户编号": listed.card,
            "户主证件号码": listed.person,
            "行政村代码": listed.town + "201",
            "识别标准": "建档立卡贫困户（2014—2020）",
            "首次识别时间": listed.since.dt.strftime("%Y-%m-%d"),
            "退出时间": np.where(listed.is_on, "", "2015-10-01"),
            "脱贫标志": np.where(listed.is_on, "在册", "已脱贫"),
        }
    )


def as_another_has_it(listed: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as MAPPING declares them."""
    return pd.DataFrame(
        {
            "id": listed.person,
            "card": listed.card,
            "town": listed.town,
            "kind": "a",
            "from": listed.since.dt.strftime("%Y%m%d"),
            "to": np.where(listed.is_on, "", "20151001"),
            "now": np.where(listed.is_on, "1", "2"),
        }
    )
