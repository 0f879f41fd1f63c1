"""Deliveries that wait for a person's word: a register that shrank too far overnight (人工核准)."""

from lakehouse.bronze import deliveries_in_force
from lakehouse.delivery import Delivery
from lakehouse.errors import UsageError, nearest
from lakehouse.feed import Feed
from lakehouse.ops import Ops

# Registers of fewer rows come and go by chance.
HOLD_FROM = 20


def shrunk(ops: Ops, delivery: Delivery, feed: Feed, extent: str) -> str | None:
    """Return why a delivery is to be held, or None where it may land.

    A full register is held against the one in force for its period, or before: what it replaces.
    """
    if extent != "full":
        return None
    before = deliveries_in_force(ops, feed, None, delivery.period)
    n_before = before[-1]["n_read"] if before else 0
    told = sum(file.rows for file in delivery.files())
    if n_before < HOLD_FROM or told >= feed.hold_below * n_before:
        return None
    word = ops.words().get(delivery.delivery_id)
    if word and word["word"] == "approved":
        return None
    return (
        f"{told:,} rows after {n_before:,} in {before[-1]['delivery_id']}; if that is so: "
        f"bangfu deliveries approve {delivery.delivery_id} --why …"
    )


def decide(ops: Ops, delivery_id: str, word: str, who: str, why: str) -> None:
    """Record a person's word on a held delivery: approved (it lands with the next run) or rejected.

    Raises UsageError for a delivery that is not held, or a word without a reason.
    """
    if not why.strip():
        raise UsageError("--why is empty: say why, in a few words.")
    known = {row["delivery_id"]: row["state"] for row in ops.deliveries()}
    held = [name for name, state in known.items() if state == "held"]
    if delivery_id not in held:
        state = f"is {known[delivery_id]}, not held" if delivery_id in known else "is not known"
        raise UsageError(f"{delivery_id} {state}.{nearest(delivery_id, held)}")
    ops.record_word(delivery_id, word, who, why)
    if word == "rejected":
        ops.end_delivery(delivery_id, "rejected")
