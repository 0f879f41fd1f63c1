"""Faults: what goes wrong in real deliveries, put in on purpose and counted.

Row faults touch a few people or cards that no survey and no list needs. Delivery faults come
before the right delivery, which supersedes them, or repeat it. `usual` has each kind at least
once, `harsh` more of each.
"""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lakehouse.feed import Feed
from synth.deliver.files import Delivery, as_written, delivery, encoded
from synth.figures import stream
from synth.people.identity import CHECKS

LEVELS = ("none", "usual", "harsh")
TIMES = {"none": 0, "usual": 1, "harsh": 3}
# One more of each kind of row fault for so many rows.
ROWS_A_FAULT = 20_000
UNDECODABLE = b"\xff\xff"  # Begins no character of GB18030 or UTF-8.

# Faulty deliveries by feed, in the order of arrival; of cdr, one a day from the first day on.
USUAL = {
    "person_register": ["wrong_encoding"],
    "consumption_survey": ["missing_head"],
    "project": ["empty_file"],
    "cdr": ["truncated_parquet"],
    "roster": ["duplicate"],
}
HARSH = {
    "person_register": ["wrong_encoding", "empty_file"],
    "consumption_survey": ["missing_head", "duplicate"],
    "project": ["empty_file", "missing_head"],
    "cdr": ["truncated_parquet", "truncated_parquet"],
    "roster": ["wrong_encoding", "duplicate"],
}
PLAN: dict[str, dict[str, list[str]]] = {"none": {}, "usual": USUAL, "harsh": HARSH}
# Heads that a clerk renamed.
RENAMED = {"consumption_survey": {"weight": "权重"}, "project": {"n_beneficiaries": "受益户"}}


@dataclass
class Faults:
    """Turns a frame into the deliveries of one feed and period, faulty ones among them.

    `may_spoil` tells by feed which rows may be spoilt. `rows` and `deliveries` count what was
    put in: feed -> kind -> count.
    """

    level: str
    seed: int
    unknown_village: str
    retired_villages: list[str]
    may_spoil: dict[str, np.ndarray]
    rows: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    deliveries: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def deliver(
        self, rows: pd.DataFrame, feed: Feed, period: str, arrival: str
    ) -> Iterator[Delivery]:
        """Yield the deliveries of a frame in the order of their arrival on the day `arrival`."""
        written, spoil_lines = self._spoilt(as_written(rows, feed), feed)
        right = delivery(rows, feed, period, "d1", _at(arrival, 0), written)
        right = dataclasses.replace(right, content=spoil_lines(right.content))
        earlier = None
        n = 0
        kinds = self._planned(feed)
        for kind in kinds:
            self.deliveries[feed.name][kind] += 1
            if kind != "duplicate":
                wrong = _WRONG[kind](right, written)
                yield dataclasses.replace(wrong, name=f"d{n + 1}", delivered_at=_at(arrival, n),
                                          supersedes=earlier)  # fmt: skip
                earlier, n = f"{period}/d{n + 1}", n + 1
        right = dataclasses.replace(
            right, name=f"d{n + 1}", delivered_at=_at(arrival, n), supersedes=earlier
        )
        yield right
        if "duplicate" in kinds:
            yield dataclasses.replace(right, name=f"d{n + 2}", delivered_at=_at(arrival, n + 1),
                                      file=f"copy_of_{right.file}", supersedes=None)  # fmt: skip

    def _planned(self, feed: Feed) -> list[str]:
        kinds = PLAN[self.level].get(feed.name, [])
        if feed.every != "day":
            return kinds
        done = sum(self.deliveries[feed.name].values())
        return kinds[done : done + 1]

    def _spoilt(
        self, written: pd.DataFrame, feed: Feed
    ) -> tuple[pd.DataFrame, Callable[[bytes], bytes]]:
        """Return the values with row faults, and what is to be done to the file's lines."""
        n = TIMES[self.level] * (1 + len(written) // ROWS_A_FAULT)
        allowed = np.flatnonzero(self.may_spoil.get(feed.name, []))
        rng = stream(self.seed, "faults", feed.name)
        if feed.name == "household_card" and n:
            return self._spoilt_cards(written, rng.permutation(allowed)[:n]), _as_it_is
        if feed.name != "person_register" or not n:
            return written, _as_it_is
        picked = np.array_split(rng.permutation(allowed)[: 7 * n], 7)
        spoilt = self._spoilt_people(written, picked)
        short, garbled = picked[5], picked[6]
        self.rows[feed.name]["wrong_field_count"] += len(short)
        self.rows[feed.name]["undecodable_line"] += len(garbled)
        return spoilt, lambda content: _spoil_lines(content, short, garbled)

    def _spoilt_people(self, written: pd.DataFrame, picked: list[np.ndarray]) -> pd.DataFrame:
        people, counted = written.copy(), self.rows["person_register"]
        check, day, unknown, retired, doubled = picked[:5]
        numbers = people.loc[check, "person_id"]
        next_check = {str(a): str(b) for a, b in zip(CHECKS, np.roll(CHECKS, 1), strict=True)}
        people.loc[check, "person_id"] = numbers.str[:17] + numbers.str[17].map(next_check)
        people.loc[day, "birth_date"] = "19800230"
        people.loc[unknown, "village_code"] = self.unknown_village
        counted.update(wrong_check_digit=len(check), impossible_date=len(day),
                       unknown_village=len(unknown), doubled_row=len(doubled))  # fmt: skip
        if self.retired_villages:
            people.loc[retired, "village_code"] = np.resize(self.retired_villages, len(retired))
            counted["retired_village"] += len(retired)
        return pd.concat([people, people.loc[doubled]], ignore_index=True)

    def _spoilt_cards(self, written: pd.DataFrame, picked: np.ndarray) -> pd.DataFrame:
        """Write a wage as a person would say it: 3200元."""
        cards = written.copy()
        cards.loc[picked, "wage"] = [f"{int(wage)}元" for wage in cards.loc[picked, "wage"]]
        self.rows["household_card"]["number_with_letters"] += len(picked)
        return cards

    def told(self) -> dict[str, object]:
        """Return what was put in, for truth/faults.json."""
        return {
            "level": self.level,
            "rows": {name: dict(sorted(n.items())) for name, n in sorted(self.rows.items()) if n},
            "deliveries": {
                name: dict(sorted(n.items())) for name, n in sorted(self.deliveries.items()) if n
            },
        }


def _as_it_is(content: bytes) -> bytes:
    return content


def _spoil_lines(content: bytes, short: np.ndarray, garbled: np.ndarray) -> bytes:
    """Cut the last two fields off some lines, and put bytes into others that mean nothing."""
    lines = content.split(b"\n")
    for row in short:
        lines[row + 1] = lines[row + 1].rsplit(b",", 2)[0]
    for row in garbled:
        number, rest = lines[row + 1].split(b",", 1)
        lines[row + 1] = number + b"," + UNDECODABLE + rest
    return b"\n".join(lines)


def _at(arrival: str, n: int) -> str:
    """Return the n-th moment of a day on which a source delivers."""
    return f"{arrival}T{9 + 2 * n:02d}:00:00+08:00"


def _other_encoding(right: Delivery, written: pd.DataFrame) -> Delivery:
    other = dataclasses.replace(right.feed, encoding="utf-8")
    return dataclasses.replace(right, content=encoded(written, other))


def _other_head(right: Delivery, written: pd.DataFrame) -> Delivery:
    return dataclasses.replace(
        right, content=encoded(written, right.feed, RENAMED[right.feed.name])
    )


def _no_bytes(right: Delivery, written: pd.DataFrame) -> Delivery:
    return dataclasses.replace(right, content=b"")


def _cut_off(right: Delivery, written: pd.DataFrame) -> Delivery:
    """Keep two thirds of a file, as a broken transfer does; its manifest was made afterwards."""
    return dataclasses.replace(right, content=right.content[: len(right.content) * 2 // 3])


_WRONG: dict[str, Callable[[Delivery, pd.DataFrame], Delivery]] = {
    "wrong_encoding": _other_encoding,
    "missing_head": _other_head,
    "empty_file": _no_bytes,
    "truncated_parquet": _cut_off,
}
