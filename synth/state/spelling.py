"""How names come to differ between registers: another character of the same sound."""

import numpy as np
import pandas as pd

# Characters that clerks mistake for one another, by sound or shape.
ALIKE = {
    "伟": "玮", "强": "墙", "军": "君", "明": "鸣", "国": "囯", "建": "健", "华": "桦", "志": "治",
    "文": "闻", "德": "得", "永": "咏", "福": "富", "海": "亥", "龙": "隆", "成": "诚", "云": "芸",
    "山": "珊", "林": "琳", "春": "椿", "生": "升", "贵": "桂", "宝": "保", "玉": "钰", "庆": "磬",
    "东": "冬", "学": "雪", "立": "力", "清": "青", "亮": "谅", "涛": "韬", "鹏": "朋", "飞": "非",
    "宇": "雨", "芳": "方", "丽": "莉", "秀": "绣", "英": "瑛", "兰": "岚", "梅": "玫", "花": "华",
    "凤": "风", "霞": "遐", "艳": "燕", "红": "宏", "娟": "鹃", "敏": "闽", "静": "净", "淑": "叔",
    "珍": "真", "莲": "连", "萍": "平", "香": "湘", "荣": "蓉", "玲": "铃", "慧": "惠", "琴": "芹",
    "雪": "学", "月": "悦", "洁": "杰", "婷": "廷", "欣": "新", "于": "余", "姜": "江", "付": "傅",
    "傅": "付", "肖": "萧", "魏": "卫", "阎": "闫", "章": "张", "徐": "许",
}  # fmt: skip
_SPELT = str.maketrans(ALIKE)


def misspelt(names: pd.Series, share: float, rng: np.random.Generator) -> pd.Series:
    """Return the names, a share of them written with a character of the same sound.

    The last character that has a like one changes; a name without any stays as it is.
    """
    wrong = rng.random(len(names)) < share
    changed = names[wrong].map(_another)
    out = names.copy()
    out[wrong] = changed
    return out


def _another(name: str) -> str:
    for place in range(len(name) - 1, -1, -1):
        if name[place] in ALIKE:
            return name[:place] + name[place].translate(_SPELT) + name[place + 1 :]
    return name
