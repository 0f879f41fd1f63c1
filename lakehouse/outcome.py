"""What one run of one table did, and the identities that account for its rows."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakehouse.errors import ChecksFailed
from lakehouse.job import Job

if TYPE_CHECKING:
    from lakehouse.checks import Split
    from lakehouse.io import Written


@dataclass(frozen=True)
class Outcome:
    """What one run of one table did, and the identity that accounts for its rows.

    Loaded: read = created + updated + unchanged + quarantined (closed counted apart).
    Derived: made = good + quarantined.
    """

    table: str
    state: str  # done, fresh (nothing changed), waiting (an input is not there)
    kind: str  # loaded, derived
    seconds: float = 0.0
    read: int = 0
    made: int = 0
    good: int = 0
    quarantined: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    closed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    why: str = ""

    @property
    def adds_up(self) -> bool:
        if self.kind == "loaded":
            return self.read == self.created + self.updated + self.unchanged + self.quarantined
        return self.made == self.good + self.quarantined


def refuse_lost_rows(job: Job, split: "Split", n_read: int) -> None:
    """Raise ChecksFailed, before anything is written, where a loading job lost or doubled rows."""
    if job.loads and split.made != n_read:
        raise ChecksFailed(
            f"{job.name} was not written: of {n_read} rows read, its job made {split.made}. This "
            f"is a bug in {job.function.__module__}."
        )


def account(job: Job, split: "Split", written: "Written", n_read: int) -> Outcome:
    """Put together what was counted before the write and what the Delta commit counted."""
    if job.output.write == "merge":
        unchanged = split.good - written.created - written.updated + split.repeated
    else:
        unchanged = split.repeated
    return Outcome(
        table=job.name,
        state="done",
        kind=job.kind,
        read=n_read,
        made=split.made,
        # As the Delta commit counts them, where it counts: an independent figure.
        good=split.good if job.output.write == "merge" else written.created,
        quarantined=split.quarantined,
        created=written.created,
        updated=written.updated,
        unchanged=unchanged,
        closed=written.closed,
        reasons=split.reasons,
    )


def fresh(job: Job, last: dict[str, Any] | None) -> Outcome:
    """Return the outcome of a table that nothing has changed for: the counts of its last run."""
    told = {"table": job.name, "kind": job.kind} | ((last or {}).get("counts") or {})
    return Outcome(**(told | {"state": "fresh"}))
