"""What knocks when a delivery is complete: a trigger that looks, and deletes nothing.

It runs in Airflow's triggerer. A delivery is new while the ledger does not have it, or the tables
made of it were not tried for its date since it landed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from lakehouse.conf import settings
from lakehouse.due import waiting
from lakehouse.landing import pending
from lakehouse.ops import Ops
from lakehouse.registry import registry


class Deliveries(BaseEventTrigger):
    """Fire when something new waits among the deliveries of some feeds.

    Once for each set, when it has stood still for one look: what comes together starts one run.
    What still waits after `again_s` is told of again, for a paused DAG hears nothing.
    """

    def __init__(
        self,
        *,
        feeds: Sequence[str],
        dated_by: Sequence[Sequence[str]],
        every_s: float,
        again_s: float,
    ) -> None:
        super().__init__()
        self.feeds = list(feeds)
        self.dated_by = [list(pair) for pair in dated_by]
        self.every_s, self.again_s = every_s, again_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what the triggerer makes this trigger from.

        Lists, not tuples: they come back from the database as they went, and Airflow drops a
        trigger whose arguments do not.
        """
        names = ("feeds", "dated_by", "every_s", "again_s")
        return "lakehouse.watch.Deliveries", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look for ever. An event tells how many things wait, never what is in them."""
        told: set[str] = set()
        before: set[str] = set()
        told_at = time.monotonic()
        while True:
            found = await self._look(before)
            is_again = bool(found) and time.monotonic() - told_at > self.again_s
            if found == before and (found - told or is_again):
                told_at = time.monotonic()
                yield TriggerEvent({"waiting": len(found)})
            if found == before:
                told = found
            before = found
            await asyncio.sleep(self.every_s)

    async def _look(self, before: set[str]) -> set[str]:
        try:
            return await asyncio.to_thread(self.waiting)
        except Exception:
            # A store that does not answer now may in a moment; a dead trigger would knock no more.
            self.log.exception(
                "Landing cannot be looked at; the next look is in %s s", self.every_s
            )
            return before

    def waiting(self) -> set[str]:
        """Name what waits: complete deliveries, and dates that landed ones tell of."""
        conf = settings()
        ops = Ops(conf)
        come = {one.delivery_id for one in pending(conf, ops) if one.feed in self.feeds}
        return come | waiting(ops, registry(), [(came, made) for came, made in self.dated_by])
