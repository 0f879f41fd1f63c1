"""silver.person: who is on the household register."""

from datetime import date

from pyspark.sql import DataFrame

from jobs.methods.register import checked_register
from lakehouse.job import job
from lakehouse.schemas.people import Person
from lakehouse.schemas.space import Area


@job(Person, register="bronze.person_register", areas=Area, loads="register")
def person(register: DataFrame, areas: DataFrame, *, as_of: date) -> DataFrame:
    """Load the person of every row of the register."""
    return checked_register(register, areas, as_of).select(*Person.columns, "violations")
