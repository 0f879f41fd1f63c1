"""Make data/divisions_liaoning_2023.csv.gz from an unpacked china-division package.

Use: python -m synth.extract FOLDER, the folder that holds dist/villages.csv.
"""

import csv
import gzip
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from lakehouse.errors import InputMissing, UsageError

PROVINCE = "21"
MADE = Path(__file__).parent / "data" / "divisions_liaoning_2023.csv.gz"
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
    """Write the extract and return its rows. The same package gives the same bytes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("area_code", "area_name", "level", "parent_code"))
    rows = list(divisions(package / "dist"))
    writer.writerows(rows)
    made.parent.mkdir(exist_ok=True)
    made.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))
    return len(rows)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise UsageError("python -m synth.extract FOLDER: name the unpacked package.")
    print(f"{extract(Path(sys.argv[1])):,} divisions -> {MADE}")
