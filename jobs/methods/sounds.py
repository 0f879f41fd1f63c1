"""How Chinese text sounds: names are heard, and written with another character of the same sound.

丽 and 莉, 伟 and 炜; 囯 and 国 are variants, which sound alike too. Readings are those of pypinyin
(the most frequent one of a character), without tones.
"""

from collections.abc import Callable
from functools import cache

import pyarrow as pa
from pypinyin import lazy_pinyin
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

# CJK Unified Ideographs: what names are registered with, but for the rarest.
FIRST, LAST = 0x4E00, 0x9FFF


@cache
def readings() -> dict[int, str]:
    """Return the code of each character -> its syllable, with a space after it."""
    told = {code: lazy_pinyin(chr(code))[0] for code in range(FIRST, LAST + 1)}
    return {code: f"{said} " for code, said in told.items() if said != chr(code)}


def sound(text: Column) -> Column:
    """Return text with a syllable for each Chinese character, and other characters as they are."""
    return _sound()(text)


@cache
def _sound() -> Callable[[Column], Column]:
    # Sent along: workers need not read the dictionary, which takes a third of a second.
    table = readings()

    @F.arrow_udf(StringType())
    def said(values: pa.Array) -> pa.Array:
        texts = (value and value.translate(table) for value in values.to_pylist())
        return pa.array(texts, pa.string())

    return said
