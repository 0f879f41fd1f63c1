"""Ages in completed years (周岁)."""

from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.methods.columns import ColumnOrName, column


def age_on(day: date, birth_date: ColumnOrName) -> Column:
    """Return completed years on a day; who was born on 29 February turns on 1 March."""
    born = column(birth_date)
    had_no_birthday = F.date_format(born, "MMdd") > f"{day:%m%d}"
    return F.lit(day.year) - F.year(born) - had_no_birthday.cast("int")
