"""silver.roster_entry: who is on the list of the poverty office, and since when."""

from datetime import date

from pyspark.sql import DataFrame

from jobs.methods.places import check_village
from jobs.methods.register import link_head
from lakehouse.job import job
from lakehouse.schemas.people import Membership, RosterEntry
from lakehouse.schemas.space import Area


@job(RosterEntry, roster="bronze.roster", membership=Membership, areas=Area, loads="roster")
def roster_entry(
    roster: DataFrame, membership: DataFrame, areas: DataFrame, *, as_of: date
) -> DataFrame:
    """Load every stay on the list under the registered household of the head that it names."""
    return link_head(check_village(roster, areas, as_of), membership).select(
        *RosterEntry.columns, "violations"
    )
