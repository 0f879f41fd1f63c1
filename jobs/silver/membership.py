"""silver.membership: who belongs to which registered household."""

from datetime import date

from pyspark.sql import DataFrame

from jobs.methods.register import checked_register
from lakehouse.job import job
from lakehouse.schemas.people import Membership
from lakehouse.schemas.space import Area


@job(Membership, register="bronze.person_register", areas=Area, loads="register")
def membership(register: DataFrame, areas: DataFrame, *, as_of: date) -> DataFrame:
    """Load the household of every row of the register.

    A row is set aside here whenever its person is, whatever column was wrong: a household is
    made of people that are there.
    """
    return checked_register(register, areas, as_of).select(*Membership.columns, "violations")
