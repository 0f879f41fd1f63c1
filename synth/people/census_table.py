"""The margins of a county from its row of a census table, whose heads conf/census.toml names."""

import csv
import gzip
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

import numpy as np

from lakehouse.conf import conf_dir, read_toml
from lakehouse.errors import ChecksFailed, InputMissing, UsageError
from synth.figures import Figures
from synth.people.census import AGE_LABELS, AGES, GROWN_FROM, SEXES, Margin, Margins, cited
from synth.people.id_areas import codes_of

# Parts of a whole may miss it by this much: tables have people of unknown age.
SLACK = 0.01
UNITS = re.compile(r"\((?:人|户|年|岁|间|台|%|‰|人/户|户/人|间/户|平方米/人|女=100)\)")
ENCODINGS = ("utf-8-sig", "gb18030")
# Heads so much alike are taken for slips; so many counties are offered for one not there.
LIKE, OFFERED = 0.8, 8


def margins(area: str, table: Path | None) -> Margins:
    """Return what is known of a county, from a census table or from cited figures."""
    return from_table(table, area) if table else cited(area)


def from_table(path: Path, area: str) -> Margins:
    """Return the margins of a county's row.

    A county whose code has changed is found under its other codes. Margins of which the table
    has no column at all are left out. Raises InputMissing where some of a margin's columns are
    missing or hold no number, UsageError for a county that is not in the table, ChecksFailed for
    parts that do not add up.
    """
    told = read_toml(conf_dir() / "census.toml")
    row = _row_of(area, *_read(Path(path)), told, Path(path))
    people = _people(row, told)
    total, all_people = float(people.shares.sum()), row.number([told["people"]])
    if total <= 0 or abs(total - all_people) > SLACK * all_people:
        raise ChecksFailed(
            f"{row.where}: people by sex and age are {total:,.0f}, all are {all_people:,.0f}."
            " Mend the row in a copy of the table."
        )
    found = {"sex_age": Margin("sex_age", "person", people.labels, people.shares / total)}
    made = {name: _margin(name, plan, row) for name, plan in told["margin"].items()}
    made["illiterate"] = _illiterate(told["illiterate"], row, people)
    found |= {name: margin for name, margin in made.items() if margin}
    homes, at_home = row.number([told["households"]]), row.number([told["household_people"]])
    if not 0 < homes <= at_home:
        raise ChecksFailed(f"{row.where}: {at_home:,.0f} people in {homes:,.0f} households.")
    left_out = tuple(name for name, margin in made.items() if not margin)
    alone = max(0.0, 1 - at_home / all_people)
    return Margins(area, str(path), int(total), at_home / homes, alone, found, left_out)


@dataclass(frozen=True)
class Row:
    """One county's row: its cells, the column of each plain head, and where it is."""

    cells: list[str]
    heads: dict[str, int]
    path: Path
    area: str

    @property
    def where(self) -> str:
        """Return what to name in an error."""
        return f"{self.path}, {self.area}"

    def has(self, columns: list[str]) -> bool:
        """Return whether the table has any of some columns."""
        return any(_column(names, self.heads) is not None for names in columns)

    def not_misspelt(self, cells: Iterable[list[str]]) -> None:
        """Raise InputMissing where a head is much like that of a column that is not there."""
        for names in chain.from_iterable(cells):
            for name in names.removesuffix("?").split("|"):
                if get_close_matches(plain(name), self.heads, 1, LIKE):
                    _needed(names, self.heads, self.path)

    def number(self, columns: list[str]) -> float:
        """Return the sum of some columns. A blank is nought."""
        total = 0.0
        for names in columns:
            if names.endswith("?") and not self.has([names]):
                continue
            text = self.cells[_needed(names, self.heads, self.path)].strip().replace(",", "")
            try:
                total += float(text or 0)
            except ValueError:
                what = names.split("|")[0]
                raise InputMissing(f"{self.where}: {what} is {text!r}, no number.") from None
        return total


def _read(path: Path) -> tuple[dict[str, int], list[list[str]]]:
    """Return the number of each column by its plain head, and the rows."""
    if not path.is_file():
        raise InputMissing(f"The census table {path} is not there.")
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    for encoding in ENCODINGS:
        try:
            lines = list(csv.reader(io.StringIO(raw.decode(encoding))))
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InputMissing(f"The census table {path} is neither UTF-8 nor GB 18030 text.")
    if len(lines) < 2:
        raise InputMissing(f"The census table {path} has no rows.")
    heads = {plain(head): number for number, head in enumerate(lines[0])}
    return heads, [line + [""] * (len(lines[0]) - len(line)) for line in lines[1:]]


def plain(head: str) -> str:
    """Return a head without blanks, units and punctuation; 1-4 and 1~4 become 1到4."""
    text = unicodedata.normalize("NFKC", head).replace("內", "内").replace(" ", "")
    text = UNITS.sub("", text)
    text = re.sub(r"(\d)[-–—~至](\d)", r"\1到\2", text)
    return re.sub(r"[^\w]|_", "", text)


def _column(names: str, heads: dict[str, int]) -> int | None:
    """Return the column that has one of the names, parted by "|"."""
    known = (plain(name) for name in names.removesuffix("?").split("|"))
    return next((heads[name] for name in known if name in heads), None)


def _row_of(
    area: str, heads: dict[str, int], rows: list[list[str]], told: Figures, path: Path
) -> Row:
    """Return the row of a county under any code that it ever had, its own first."""
    at, named = (_needed(told[what], heads, path) for what in ("code", "name"))
    by_code = {row[at].strip()[:6].ljust(6, "0"): row for row in rows if row[at].strip()}
    six = area.ljust(6, "0")
    for code in [six, *codes_of(six)]:
        if code in by_code:
            return Row(by_code[code], heads, path, area)
    names = {code: row[named].strip() for code, row in by_code.items()}
    near = [code for code in names if code[:4] == six[:4]] or get_close_matches(six, names, n=3)
    offered = ", ".join(f"{code} {names[code]}" for code in near[:OFFERED])
    raise UsageError(f"{path} has no row for {area}. Near it: {offered or 'nothing'}.")


def _needed(names: str, heads: dict[str, int], path: Path) -> int:
    column = _column(names, heads)
    if column is None:
        wanted = names.removesuffix("?").split("|")
        near = [hit for name in wanted for hit in get_close_matches(plain(name), heads, n=1)]
        raise InputMissing(
            f"The census table {path} has no column {' or '.join(wanted)}."
            + (f" The nearest is {near[0]!r}." if near else "")
            + " Enter its head in conf/census.toml."
        )
    return column


def _margin(name: str, plan: Figures, row: Row) -> Margin | None:
    """Return one margin, or None where the table has none of its columns or all are blank."""
    sexes = SEXES.items() if plan.get("by_sex") else [("", "")]
    columns = {
        f"{sex} {label}".strip(): [names.replace("{sex}", sign) for names in parts]
        for sex, sign in sexes
        for label, parts in plan["cells"].items()
    }
    if "percent" in plan:
        if not row.has([plan["percent"]]):
            return None
        share = row.number([plan["percent"]]) / 100
        return Margin(name, plan["of_what"], ("yes", plan["rest"]), np.array([share, 1 - share]))
    if not any(row.has(parts) for parts in columns.values()):
        row.not_misspelt(columns.values())
        return None
    counts = {label: row.number(parts) for label, parts in columns.items()}
    if "rest" in plan:
        counts[plan["rest"]] = row.number([plan["of"]]) - sum(counts.values())
    if min(counts.values()) < 0:
        raise ChecksFailed(f"{row.where}: the parts of {name} are more than {plan['of']}.")
    total = sum(counts.values())
    shares = np.array([*counts.values()]) / total if total else None
    return Margin(name, plan["of_what"], tuple(counts), shares) if total else None


def _people(row: Row, told: Figures) -> Margin:
    """Return people (not shares) by sex and age group."""
    years = ["0岁", "1到4岁", *(f"{least}到{least + 4}岁" for least in AGES[2:-1])]
    counts = {}
    for sex, sign in SEXES.items():
        for label, age in zip(AGE_LABELS, [*years, "85岁以上|85岁及以上"], strict=True):
            names = [
                form.replace("{sex}", sign).replace("{age}", one)
                for one in age.split("|")
                for form in told["sex_age"].split("|")
            ]
            counts[f"{sex} {label}"] = row.number(["|".join(names)])
    return Margin("sex_age", "person", tuple(counts), np.array([*counts.values()]))


def _illiterate(plan: Figures, row: Row, people: Margin) -> Margin | None:
    """Return who of each sex's people of 15 and over cannot read, of all of that age."""
    if not any(row.has(parts) for parts in plan["cells"].values()):
        return None
    grown = people.shares.reshape(2, -1)[:, AGES >= GROWN_FROM].sum(axis=1)
    unread = np.array([row.number(parts) for parts in plan["cells"].values()])
    labels = tuple(f"{sex} {what}" for sex in SEXES for what in ("illiterate", "literate"))
    counts = np.stack([unread, grown - unread], axis=1).ravel()
    return Margin("illiterate", plan["of_what"], labels, counts / counts.sum())
