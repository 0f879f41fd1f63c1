"""silver.cell: the operator's cells, each with the village nearest to its site."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.methods.places import nearest_village
from jobs.methods.reasons import also
from lakehouse.job import job
from lakehouse.schemas.space import Area
from lakehouse.schemas.telecom import Cell


@job(Cell, cells="bronze.cell", areas=Area, loads="cells")
def cell(cells: DataFrame, areas: DataFrame, *, as_of: date) -> DataFrame:
    """Load every cell, and take for its village the nearest one of the same county."""
    is_placed = F.expr("lon IS NOT NULL AND lat IS NOT NULL AND county_code IS NOT NULL")
    nowhere = {
        "county_code:no_village_position": is_placed & F.col("village_code").isNull(),
    }
    return (
        nearest_village(cells, areas, as_of)
        .withColumn("violations", also(nowhere))
        .select(*Cell.columns, "violations")
    )
