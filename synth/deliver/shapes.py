"""Faults of whole deliveries: each makes of one clean delivery a chain of one or two.

A wrong one comes first and the right one supersedes it; or the only one has a flaw that can be
read over; or the right one comes once more, or late.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lakehouse.feed import Feed
from synth.deliver.expect import Expected, of_repeat
from synth.deliver.formats import OTHER_ENCODING, RUNNING, Layout, Style
from synth.deliver.kinds import TEXT_FILES

# Share of its rows that a shrunk register has lost.
LOST = 1 / 3
LATE_DAYS = 3
# What a truncated file is refused under, by format.
TRUNCATED = {"xlsx": "unreadable_workbook", "parquet": "truncated_parquet"}


@dataclass(frozen=True)
class Shape:
    """One delivery of a chain. Without a kind it is the right one.

    rows      all, none, fewer (a third lost), shifted (one column a row further down)
    ending    what happens to the file: emptied, cut, cut_line (within its last line), cut_later
              (after its manifest was made)
    is_copy   the file of the one before, under another name
    lands     its rows are read, so that its row faults matter
    supersedes whether it replaces the one before; days is how much later it comes
    """

    style: Style
    kind: str | None = None
    rows: str = "all"
    column: str | None = None
    ending: str | None = None
    is_copy: bool = False
    lands: bool = True
    supersedes: bool = False
    days: int = 0
    expected: Expected | None = None
    what: str = ""


@dataclass(frozen=True)
class DeliveryKind:
    """A kind of fault of a whole delivery: what it does, which feeds can have it, its chain."""

    does: str
    possible: Callable[[Feed], bool]
    chain: Callable[["Case"], list[Shape]]


@dataclass(frozen=True)
class Case:
    """The delivery that a chain is made of. `heads` is what clerks call heads otherwise.

    has_before: an earlier period of the feed is delivered, too.
    """

    feed: Feed
    kind: str
    style: Style
    rng: np.random.Generator
    heads: dict[str, str]
    has_before: bool = False

    def flawed(self, style: Style, outcome: str, what: str, reason: str | None = None) -> Shape:
        """Return the only delivery, which has a flaw."""
        return Shape(style, self.kind, expected=Expected(outcome, reason), what=what)

    def refused(self, reason: str, what: str, *, style: Style | None = None, rows: str = "all",
                ending: str | None = None) -> list[Shape]:  # fmt: skip
        """Return a delivery that cannot land, and the right one."""
        wrong = Shape(style or self.style, self.kind, rows, ending=ending, lands=False,
                      expected=Expected("refused", reason), what=what)  # fmt: skip
        return [wrong, Shape(self.style, supersedes=True)]


def chain_of(case: Case | None, style: Style) -> list[Shape]:
    """Return the deliveries that are made of a clean one, in the order of their arrival."""
    return KINDS[case.kind].chain(case) if case else [Shape(style)]


# -- heads ---------------------------------------------------------------------------------


def _renamed(case: Case) -> list[Shape]:
    needed = [field for field in case.feed.delivered.values() if not field.optional]
    known = {head for field in case.feed.delivered.values() for head in field.head}
    field = needed[case.rng.integers(len(needed))]
    old = field.head[0]
    new = case.heads.get(old, "")
    if not new or new in known:
        new = old.upper() if old.isascii() and old.upper() not in known else f"*{old}"
    style = replace(case.style, layout=_with_head(case.style.layout, field.name, new))
    return case.refused("missing_head", f"{old} is headed {new}", style=style)


def _alias(case: Case) -> list[Shape]:
    fields = [field for field in case.feed.delivered.values() if len(field.head) > 1]
    field = fields[case.rng.integers(len(fields))]
    new = field.head[case.rng.integers(1, len(field.head))]
    style = replace(case.style, layout=_with_head(case.style.layout, field.name, new))
    return [case.flawed(style, "repaired", f"{field.head[0]} is headed {new}")]


def _with_head(layout: Layout, column: str, head: str) -> Layout:
    return [(head if name == column else old, name) for old, name in layout]


def _moved(case: Case) -> list[Shape]:
    layout = list(case.style.layout)
    at = int(case.rng.integers(len(layout)))
    to = (at + int(case.rng.integers(1, len(layout)))) % len(layout)
    one = layout.pop(at)
    layout.insert(to, one)
    style = replace(case.style, layout=layout)
    return [case.flawed(style, "repaired", f"{one[0]} is column {to + 1}, not {at + 1}")]


def _added(case: Case) -> list[Shape]:
    head = RUNNING if not case.style.layout[0][0].isascii() else "row_no"
    style = replace(case.style, layout=[(head, None), *case.style.layout])
    return [case.flawed(style, "repaired", f"a column {head} more")]


# -- bytes ---------------------------------------------------------------------------------


def _reencoded(case: Case) -> list[Shape]:
    other = OTHER_ENCODING[case.feed.encoding]
    style = replace(case.style, encoding=other)
    return case.refused("wrong_encoding", f"the whole file is {other}", style=style)


def _marked(case: Case) -> list[Shape]:
    style = replace(case.style, bom=True)
    return [case.flawed(style, "repaired", "the file begins with a byte order mark")]


def _emptied(case: Case) -> list[Shape]:
    return case.refused("empty_file", "the file has no bytes", ending="emptied", rows="none")


def _no_rows(case: Case) -> list[Shape]:
    return case.refused("no_rows", "the file has a head only", rows="none")


def _cut(case: Case) -> list[Shape]:
    reason = "truncated_gzip" if case.style.packed else TRUNCATED.get(case.feed.format, "")
    return case.refused(reason, "the file ends after two thirds", ending="cut")


def _cut_line(case: Case) -> list[Shape]:
    if case.style.packed:
        return _cut(case)
    one = case.flawed(
        case.style, "quarantined", "the last line ends in its middle", "wrong_field_count"
    )
    return [replace(one, ending="cut_line")]


def _cut_later(case: Case) -> list[Shape]:
    return case.refused(
        "file_changed", "two thirds of the file came over, not what the manifest says",
        ending="cut_later",
    )  # fmt: skip


# -- times ---------------------------------------------------------------------------------


def _again(case: Case) -> list[Shape]:
    expected = Expected("repaired", "same_content")
    copy = Shape(case.style, case.kind, is_copy=True, lands=False, expected=expected,
                 what="the same file under another name")  # fmt: skip
    return [Shape(case.style), copy]


def _exported_again(case: Case) -> list[Shape]:
    other = Shape(replace(case.style, again=True), case.kind, expected=of_repeat(case.feed),
                  what="the same rows in other bytes")  # fmt: skip
    return [Shape(case.style), other]


def _late(case: Case) -> list[Shape]:
    one = case.flawed(case.style, "reported", f"{LATE_DAYS} days late")
    return [replace(one, days=LATE_DAYS)]


def _shrunk(case: Case) -> list[Shape]:
    # Without one before it, nothing tells that there were more.
    expected = Expected("held", "shrunk") if case.has_before else Expected("undetectable")
    wrong = Shape(case.style, case.kind, "fewer", lands=not case.has_before, expected=expected,
                  what="a third of the rows is missing")  # fmt: skip
    return [wrong, Shape(case.style, supersedes=True, days=1)]


def _corrected(case: Case) -> list[Shape]:
    column = _shiftable(case.feed)
    wrong = Shape(case.style, case.kind, "shifted", column, expected=Expected("repaired"),
                  what=f"{column} stands one row too low; superseded")  # fmt: skip
    return [wrong, Shape(case.style, supersedes=True, days=1)]


def _shiftable(feed: Feed) -> str | None:
    """Return the column that a clerk shifts against the others: an amount, a day, a code, text."""
    for kind in ("decimal", "date", "integer", "code", "text"):
        names = [name for name, field in feed.delivered.items() if field.type == kind]
        if names:
            return names[-1]
    return None


# -- which feeds ---------------------------------------------------------------------------


def _any(feed: Feed) -> bool:
    return True


def _is_text(feed: Feed) -> bool:
    return feed.format in TEXT_FILES and feed.encoding in OTHER_ENCODING


def _has_our_heads(feed: Feed) -> bool:
    heads = "".join(field.head[0] for field in feed.delivered.values())
    return _is_text(feed) and not heads.isascii()


def _has_needed(feed: Feed) -> bool:
    return any(not field.optional for field in feed.delivered.values())


def _is_register(feed: Feed) -> bool:
    return feed.extent == "full" and feed.every == "month"


KINDS: dict[str, DeliveryKind] = {
    "wrong_encoding": DeliveryKind("the whole file in UTF-8 for GB18030, or the reverse",
                                   _has_our_heads, _reencoded),
    "bom": DeliveryKind("a byte order mark before the heads", _is_text, _marked),
    "missing_head": DeliveryKind(
        "a head that a clerk renamed", _has_needed, _renamed),
    "other_head": DeliveryKind(
        "a head by another name that the mapping knows",
        lambda feed: any(len(field.head) > 1 for field in feed.delivered.values()), _alias),
    "moved_columns": DeliveryKind(
        "a column in another place", lambda feed: len(feed.delivered) > 1, _moved),
    "added_column": DeliveryKind("a column more, with a running number", _any, _added),
    "empty_file": DeliveryKind("a file without bytes", _any, _emptied),
    "no_rows": DeliveryKind("a file with a head only", _any, _no_rows),
    "truncated_file": DeliveryKind("two thirds of a workbook, of Parquet or of gzip",
                                   lambda feed: feed.format in TRUNCATED, _cut),
    "truncated_line": DeliveryKind(
        "a text file that ends within its last line",
        lambda feed: _is_text(feed) and feed.purpose != "reference" and len(feed.delivered) > 1,
        _cut_line),
    "file_changed": DeliveryKind("two thirds of a file, against its manifest", _any, _cut_later),
    "duplicate": DeliveryKind("the same file delivered twice", _any, _again),
    "exported_again": DeliveryKind("the same rows delivered twice, in other bytes",
                                   lambda feed: feed.extent == "delta", _exported_again),
    "late": DeliveryKind("three days late", lambda feed: feed.every == "day", _late),
    "shrunk": DeliveryKind("a register that has lost a third of its rows overnight, and the whole "
                           "one a day later", _is_register, _shrunk),
    "corrected": DeliveryKind("one column stands a row too low; a correction supersedes it",
                              lambda feed: _shiftable(feed) is not None, _corrected),
}  # fmt: skip
