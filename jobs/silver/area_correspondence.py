"""silver.area_correspondence: what each division was called on any day."""

from collections.abc import Iterator

import pandas as pd
from pyspark.sql import DataFrame

from jobs.methods.places import area_at, level_of
from jobs.methods.succession import Division, timelines
from lakehouse.job import job
from lakehouse.schemas.space import Area, AreaCorrespondence

SPANS = "area_code string, since date, until date, code_then string, basis string, reason string"


@job(AreaCorrespondence, areas=Area)
def area_correspondence(areas: DataFrame) -> DataFrame:
    """Follow every code through the changes of the tree, province by province."""
    told = areas.select(
        area_at("province", "area_code").alias("province"),
        *("area_code", "area_name", "level", "valid_from", "valid_to", "successor_code"),
    )
    return (
        told.groupBy("province")
        .applyInPandas(_spans, SPANS)
        .withColumn("level_then", level_of("code_then"))
        .select(*AreaCorrespondence.columns)
    )


def _spans(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the spans of one province's codes: a tree of some twenty thousand divisions."""
    found = (
        (code, span.since, span.until, span.code, span.basis, span.reason)
        for code, span in timelines(_divisions(rows))
    )
    names = ["area_code", "since", "until", "code_then", "basis", "reason"]
    return pd.DataFrame(found, columns=names, dtype=object)


def _divisions(rows: pd.DataFrame) -> Iterator[Division]:
    for row in rows.itertuples():
        yield Division(
            row.area_code, row.area_name, row.level, row.valid_from, row.valid_to or None,
            row.successor_code or None,
        )  # fmt: skip
