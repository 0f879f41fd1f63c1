"""A made-up row of a census table, in the heads of two years, and where the real tables are."""

import csv
from pathlib import Path

import pytest

from lakehouse.conf import ROOT

SHARED = ROOT.parent / "shared" / "data"
AGES = ["0", "1-4", *(f"{least}-{least + 4}" for least in range(5, 85, 5)), "85+"]
MEN = [300, 1500, *range(2000, 3600, 100), 400]
WOMEN = [280, 1400, *range(1900, 3500, 100), 600]


def real_census(year: int) -> Path:
    path = SHARED / f"census{year}_liaoning_county.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not here: the census tables are not part of the project.")
    return path


def row_of_2020() -> dict[str, str]:
    """Return heads and numbers as the table of 2020 has them; two households in five of one."""
    ages = [age.replace("-", "到") + "岁" for age in AGES[:-1]] + ["85岁以上"]
    row = {"区划代码": "211223", "省": "辽宁省", "市": "铁岭市", "区县": "西丰县"}
    row |= {"人口数_合计": str(sum(MEN) + sum(WOMEN)), "少数民族人口比重（%）": "52.5"}
    row |= {"家庭户数": "40000", "家庭户人口数": "90000", "一人户数": "16000", "一代户数": "24000",
            "二代户数": "12000", "三代户数": "3900", "四代以上户数": "100"}  # fmt: skip
    row |= {f"男_{age}": str(n) for age, n in zip(ages, MEN, strict=True)}
    row |= {f"女_{age}": str(n) for age, n in zip(ages, WOMEN, strict=True)}
    row |= {"有一个老人": "8,000", "有二个老人": "5000", "有三个及以上老人": "100"}
    row |= {"15岁及以上文盲人口_男": "1000", "15岁及以上文盲人口_女": "2000"}
    row |= {"家庭户户数_长表": "4000", "住房內有管道自来水": "3000"}
    row |= {"农林牧渔业": "600", "采矿业": "10", "制造业": "90", "电力热力燃气及水生产和供应业": "",
            "建筑业": "100", "批发和零售业": "50", "交通运输仓储和邮政业": "20", "教育": "40",
            "住宿和餐饮业": "10", "信息传输软件和信息技术服务业": "10", "金融业": "10",
            "房地产业": "5", "租赁和商务服务业": "5", "居民服务修理和其服务业": "10",
            "科学研究和技术服务业": "", "水利环境和公共设施管理业": "5", "卫生和社会工作": "10",
            "文化体育和娱乐业": "5", "公共管理社会保障和社会组织": "20"}  # fmt: skip
    return row


def row_of_2010() -> dict[str, str]:
    """Return some of the same in the heads of 2010."""
    row = {"地区": "  西丰县", "区划代码": "211223", "合计": str(sum(MEN) + sum(WOMEN))}
    row |= {"户数": "40000", "人口数": "90000", "一人户": "16000", "一代户": "24000",
            "二代户": "12000", "三代户": "3900", "四代以上户": "100"}  # fmt: skip
    ages = [f"{age}岁" for age in AGES[:-1]] + ["85岁及以上"]
    row |= {f"{age}（男）": str(n) for age, n in zip(ages, MEN, strict=True)}
    row |= {f"{age}（女)": str(n) for age, n in zip(ages, WOMEN, strict=True)}
    many = "有65岁及以上老年人口的户数（户）-有"
    row |= {f"{many}一个老人": "8000", f"{many}二个老人": "5000", f"{many}三个及以上老人": "100"}
    row |= {"长表数据-家庭户": "4000", "住房内有无管道自来水-有": "3000"}
    return row


def written(path: Path, *rows: dict[str, str], encoding: str = "utf-8-sig") -> Path:
    with path.open("w", encoding=encoding, newline="") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path
