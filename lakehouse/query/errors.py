"""What the engine's errors become: a message with the place and the nearest word, no row value."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lakehouse.errors import BangfuError, InputMissing, PrivacyError, UsageError, nearest
from lakehouse.query.guard import pointed
from lakehouse.query.tables import Opened, shown_columns

if TYPE_CHECKING:
    from lakehouse.query.query import Limits

# Raised on a text alone, before any row is read: their messages hold no value of a row.
ON_TEXT = ("Parser Error", "Syntax Error", "Binder Error", "Catalog Error", "Not implemented Error",
           "Permission Error")  # fmt: skip
GONE = re.compile(r"No such file|Object at location")
MISSING_COLUMN = re.compile(
    r'Referenced column "([^"]+)"|does not have a column named "([^"]+)"|[Cc]olumn "([^"]+)"'
)


class Stopped(UsageError):
    """A question went over one of its limits; the message names it and how to raise it."""

    def __init__(self, limit: str, what: str, option: str) -> None:
        super().__init__(
            f"Stopped: the question {what}, which is the limit of {limit}. Ask for less, or raise "
            f"it with {option} (for all questions: conf section [sql], {limit})."
        )
        self.limit = limit


def told(
    error: Exception, sql: str, opened: Sequence[Opened], is_over: bool, limits: "Limits"
) -> BangfuError:
    """Return what to tell of an engine's error."""
    text = str(error)
    if "INTERRUPT" in text or is_over:
        return Stopped("seconds", f"took more than {limits.seconds:g} s", "--seconds")
    if "Out of Memory" in text:
        return Stopped("memory", f"needs more than {limits.memory}", "--memory")
    if is_on_text(text):
        return _on_text(text, sql, opened)
    if GONE.search(text):
        names = ", ".join(one.table.name for one in opened)
        return InputMissing(
            f"Files of {names} are gone: that version was cleaned up (vacuum), or is being written."
        )
    return UsageError(masked(text, sql))


def is_on_text(text: str) -> bool:
    """Tell whether an error is about the text alone."""
    return text.partition(":")[0].strip() in ON_TEXT


def _on_text(text: str, sql: str, opened: Sequence[Opened]) -> BangfuError:
    message, place = _parted(text)
    found = MISSING_COLUMN.search(message)
    missing = next(filter(None, found.groups()), "") if found else ""
    if missing and not place:
        before, word, _ = sql.partition(missing)
        place = pointed(sql, len(before.encode()), len(missing.encode())) if word else ""
    for one in opened:
        for column in one.table.columns.values():
            if column.personal and re.search(rf'[".]{column.name}"', message, re.IGNORECASE):
                return PrivacyError(
                    f"{one.table.name}.{column.name} is personal, and personal columns are not "
                    f"offered here ({column.meaning.rstrip('.')}).{place}"
                )
    known = [column.name for one in opened for column in shown_columns(one.table)]
    if missing and missing not in known:
        tables = " ".join(f"`bangfu tables {one.table.name}`" for one in opened)
        hint = nearest(missing, known) or (tables and f" Columns: {tables}.")
        message = message.split("\nCandidate bindings", 1)[0] + hint
    return UsageError(message + place)


def _parted(text: str) -> tuple[str, str]:
    """Split a message from the line and caret that follow it."""
    message, mark, place = text.partition("\n\nLINE ")
    return message.strip(), mark + place.rstrip()


def masked(text: str, sql: str) -> str:
    """Return the first line of a message without the values in it, but for the text's own.

    From the first quote to the last, whatever quotes a value itself may hold.
    """
    message, place = _parted(text)
    own = set(re.findall(r"[\w.:-]+", sql))
    message = re.sub(r"(['\"]).*\1", lambda it: it[0] if it[0] in sql else "●", message, flags=re.S)
    message = re.sub(r"(?<![A-Za-z0-9_])-?\d[\d.:\-]*", lambda it: it[0] if it[0] in own else "●",
                     message.split("\n", 1)[0])  # fmt: skip
    return message + place
