"""How Chinese text sounds: names are heard, and written with another character of the same sound.

丽 and 莉, 伟 and 炜; 囯 and 国 are variants, which sound alike too. Readings are those of pypinyin
(the most frequent one of a character), without tones.
"""

from functools import cache

from pypinyin import lazy_pinyin
from pyspark.sql import Column
from pyspark.sql import functions as F

# CJK Unified Ideographs: what names are registered with, but for the rarest.
FIRST, LAST = 0x4E00, 0x9FFF
# One sign for each syllable, where no text has any: plane 15 is for private use.
SIGNS = 0xF0000


@cache
def readings() -> tuple[str, str]:
    """Return all characters that are read, and the sign of the syllable of each, in one order."""
    told = {chr(code): lazy_pinyin(chr(code))[0] for code in range(FIRST, LAST + 1)}
    said = {one: syllable for one, syllable in told.items() if syllable != one}
    sign = {syllable: chr(SIGNS + n) for n, syllable in enumerate(sorted(set(said.values())))}
    return "".join(said), "".join(sign[syllable] for syllable in said.values())


def sound(text: Column) -> Column:
    """Return text with a sign for the syllable of each Chinese character, others as they are.

    Two texts sound the same where these are equal. Spark itself translates: no Python a row.
    """
    return F.translate(text, *readings())
