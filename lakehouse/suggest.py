"""A mapping proposed for a file never seen (映射建议): onto a feed that is known, or of its own.

What is proposed is a valid mapping with its evidence as comments; a person reads it and mends it.
"""

import json
import re
from difflib import get_close_matches
from pathlib import Path

from lakehouse.errors import UsageError
from lakehouse.feed import ABOUT_THE_ROW, Feed
from lakehouse.mapping import NAME
from lakehouse.sniff import Guess, Seen, guess, look

# A file is taken for a known feed when it has so many of the heads that this needs.
ALIKE = 0.7
# Columns that bronze has of its own, and silver of events.
TAKEN = {*ABOUT_THE_ROW, "arrived_at", "day", "month"}
# Heads so much alike may be one.
NEAR = 0.6


def suggest(path: Path, name: str, known: dict[str, Feed]) -> str:
    """Return the text of a mapping for a file. Raises InputMissing, UsageError for a wrong name."""
    if not NAME.match(name):
        raise UsageError(f"--name {name!r}: small letters, digits and _, a letter first.")
    seen = look(path)
    best = max(
        (one for one in known.values() if one.onto is None),
        key=lambda one: _alike(one, seen), default=None,
    )  # fmt: skip
    begins = [
        f"# {path.name}: {seen.rows:,} rows, {len(seen.columns)} columns. Read it, mend it, then:",
        f"#   bangfu land {path.name} --feed {name} --period … --feeds <this folder>",
    ]
    made = _onto(best, seen) if best and _alike(best, seen) >= ALIKE else _own(name, seen, known)
    return "\n".join([*begins, *made]) + "\n"


def _alike(feed: Feed, seen: Seen) -> float:
    """Return which share of the heads that a feed needs a file has."""
    needed = [field for field in feed.delivered.values() if not field.optional]
    found = sum(any(head in seen.columns for head in field.head) for field in needed)
    return found / len(needed) if needed else 0.0


def _written(seen: Seen) -> list[str]:
    """Return how the file is written, as words of a mapping."""
    lines = [f"format = {_toml(seen.format)}"]
    if seen.encoding != "utf-8" and seen.format != "parquet":
        lines.append(f"encoding = {_toml(seen.encoding)}")
    if seen.format == "csv" and seen.separator != ",":
        lines.append(f"separator = {_toml(seen.separator)}")
    return lines


# -- onto a known feed ---------------------------------------------------------------------


def _onto(feed: Feed, seen: Seen) -> list[str]:
    heads = list(seen.columns)
    lines, missing, taken = [], [], set()
    for field in feed.delivered.values():
        head = next((one for one in field.head if one in heads), None)
        if head:
            taken.add(head)
            lines.append(f"{field.name} = {{ head = {_toml(head)} }}")
        elif not field.optional:
            missing.append(field)
    spare = [head for head in heads if head not in taken]
    for field in missing:
        near = get_close_matches(field.head[0], spare, n=1, cutoff=NEAR)
        if near:
            spare.remove(near[0])
            lines.append(f"{field.name} = {{ head = {_toml(near[0])} }}  # {field.head[0]}?")
        else:
            lines.append(f"# {field.name} = {{ head = … }}  # needed: {field.meaning}")
    lines += [f"# kept in bronze without a column: {head}" for head in spare]
    told = f"# Onto {feed.name} ({feed.title}): what a column holds is said there."
    return [told, f'onto = "{feed.name}"', *_written(seen), "", "[columns]", *lines]


# -- of its own ----------------------------------------------------------------------------


def _own(name: str, seen: Seen, known: dict[str, Feed]) -> list[str]:
    guesses = {head: guess(head, texts) for head, texts in seen.columns.items()}
    names = _names(list(seen.columns), known)
    key = _key(seen, guesses)
    area = next((h for h, one in guesses.items()
                 if one.words == {"type": "area"}), None)  # fmt: skip
    lines = [
        f"title = {_toml(name)}",
        'source = "…"  # who delivers it',
        'owner = "…"  # who answers for it',
        'purpose = "statistics"  # or identification, planning, reference, linking',
        'extent = "full"  # or delta: each delivery has only what happened',
        'every = "month"  # or day',
        *_written(seen),
    ]
    lines += [f'key = ["{names[key]}"]  # no two rows have the same'] if key else []
    lines += [f'area = "{names[area]}"'] if area else []
    return [*lines, "", "[columns]", *(_column(names[h], h, one) for h, one in guesses.items())]


def _names(heads: list[str], known: dict[str, Feed]) -> dict[str, str]:
    """Return a name for each head: that of a column known under it, else one made of the head."""
    usual = {
        head: field.name
        for feed in known.values()
        for field in feed.delivered.values()
        for head in field.head
    }
    made: dict[str, str] = {}
    for n, head in enumerate(heads, start=1):
        plain = re.sub(r"\W+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", head)).strip("_").lower()
        name = usual.get(head) or (plain if NAME.match(plain) else f"column_{n}")
        is_free = name not in made.values() and name not in TAKEN
        made[head] = name if is_free else f"{name}_{n}"
    return made


def _key(seen: Seen, guesses: dict[str, Guess]) -> str | None:
    """Return the first column that names a row: an identity, an area, a number or plain text."""
    for head, texts in seen.columns.items():
        kind = guesses[head].words["type"]
        names_rows = None not in texts and len(set(texts)) == len(texts) > 1
        if kind in ("identity", "area", "integer", "text") and names_rows:
            return head
    return None


def _column(name: str, head: str, one: Guess) -> str:
    words = {"head": head} | one.words | {"meaning": head}
    told = ", ".join(f"{word} = {_toml(value)}" for word, value in words.items())
    return f"{name} = {{ {told} }}  # {one.why}"


def _toml(value: object) -> str:
    """Return a text, a truth value, a number or a list of texts as TOML writes it."""
    return json.dumps(value, ensure_ascii=False)
