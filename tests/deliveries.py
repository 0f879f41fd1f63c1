"""Deliveries written by hand, for tests of landing: the contract of docs/deliveries.md."""

import hashlib
import json
from pathlib import Path
from typing import Any

HEADS = "公民身份号码,姓名,户号,与户主关系,性别,出生日期,民族,文化程度,职业,户口性质,住址区划代码"
GOOD = [
    "21122319600501001X,甲,H1,户主,男,19600501,汉族,初中,务农,农业,211223101201",
    "211223196203040028,乙,H1,配偶,女,19620304,汉族,小学,务农,农业,211223101201",
    "211223198501010034,丙,H2,户主,男,19850101,满族,高中,外出务工,农业,211223101201",
]


def deliver(
    landing: Path,
    feed: str,
    period: str,
    content: bytes,
    *,
    name: str = "d1",
    file: str = "data.csv",
    rows: int,
    source: str = "test",
    day: int = 1,
    manifest: dict[str, Any] | None = None,
) -> Path:
    """Write one delivery of one file; `manifest` overrides keys of the manifest."""
    folder = landing / source / feed / period / name
    folder.mkdir(parents=True)
    (folder / file).write_bytes(content)
    told = {
        "feed": feed,
        "period": period,
        "extent": "full",
        "delivered_at": f"2016-01-{day:02d}T09:00:00+08:00",
        "supersedes": None,
        "files": [
            {
                "name": file,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "rows": rows,
            }
        ],
    } | (manifest or {})
    (folder / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "_READY").touch()
    return folder


def csv_bytes(lines: list[str], heads: str = HEADS, encoding: str = "gb18030") -> bytes:
    return ("\n".join([heads, *lines]) + "\n").encode(encoding)


def id_number(first_17: str) -> str:
    """Return an ID number with its check character, by the standard's own table."""
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    total = sum(int(digit) * weight for digit, weight in zip(first_17, weights, strict=True))
    return first_17 + "10X98765432"[total % 11]
