"""How a lake stands: what each table would be made from, which are stale, what has not landed.

Nothing here starts Spark: the operations store, file names and manifests say it all.
"""

import hashlib
from datetime import date
from functools import cached_property
from typing import Any

from lakehouse import bronze
from lakehouse.backup.restore import refuse_half_restored
from lakehouse.conf import Settings, settings
from lakehouse.delivery import Delivery
from lakehouse.feed import family
from lakehouse.inputs import version_for
from lakehouse.io import newest_version, table_path
from lakehouse.job import Job
from lakehouse.landing import pending
from lakehouse.ops import Ops
from lakehouse.outcome import Outcome
from lakehouse.reference import conf_hash
from lakehouse.registry import Registry, registry
from lakehouse.stale import WAITS, awaited, differs, missing, not_in_use, waits, widened
from lakehouse.versions import champion_version


class Overview:
    """One lake as it stands, with its operations store and all declarations."""

    def __init__(self, conf: Settings | None = None) -> None:
        self.conf = conf or settings()
        refuse_half_restored(self.conf.home)
        self.ops = Ops(self.conf)

    @cached_property
    def registry(self) -> Registry:
        return registry()

    def inputs_now(self, job: Job, as_of: date) -> dict[str, Any]:
        """Return what identifies the inputs of a job now: versions, deliveries, hashes.

        A missing input is None. Needs no Spark.
        """
        now = {name: self._input_now(job, name, as_of) for name in self.registry.inputs(job.name)}
        if job.model:
            now[f"model.{job.model}"] = champion_version(self.conf, job.model)
        return now

    def _input_now(self, job: Job, name: str, as_of: date) -> Any:
        layer = name.split(".")[0]
        if layer == "conf":
            return conf_hash(self.registry.tables[name])
        if layer == "bronze":
            parts = bronze.in_force(self, job, name, as_of)
            return [row["delivery_id"] for part in parts for row in part.deliveries] or None
        return version_for(self.conf, self.ops, self.registry.tables[name], as_of)

    def code_version(self, name: str) -> str:
        """Return a hash of what decides a table's rows: its job, and the mappings of its feeds."""
        job = self.registry.jobs[name]
        read = [
            one.split(".")[1] for one in self.registry.inputs(name) if one.startswith("bronze.")
        ]
        told = [one.fingerprint for feed in read for one in family(feed, self.registry.feeds)]
        return hashlib.sha256("\n".join([job.code_version(), *told]).encode()).hexdigest()[:16]

    def why_stale(self, name: str, as_of: date, since: date | None = None) -> str | None:
        """Say why a table must be made again for a date, or None where it is fresh."""
        job = widened(self.registry.jobs[name], as_of, since)
        now = self.inputs_now(job, as_of)
        if gone := missing(now):
            return f"{WAITS} {', '.join(gone)}"
        last = self.ops.last_done(name, as_of)
        if last is None:
            return "never made for this date"
        newest = self.ops.last_done(name)
        if job.output.write == "merge" and newest and newest["as_of"] != as_of:
            # A merged table has one state: another date's run has overwritten this one's.
            return f"it holds the state as of {newest['as_of']}"
        if newest_version(table_path(self.conf.lake, name)) is None:
            return "its files are gone"
        if last["code_version"] != self.code_version(name):
            return "its code, parameters, declaration or mapping changed"
        for table, version in now.items():
            if differs(last["inputs"].get(table), version):
                return f"{table} changed"
        return None

    def plan(self, what: list[str], as_of: date, since: date | None = None) -> list[dict[str, Any]]:
        """Return the tables that `what` names in order, each fresh or stale, and why.

        A table whose inputs will be made again first is stale too. Needs no Spark.
        """
        steps, again = [], set[str]()
        for name in dict.fromkeys(one for word in what for one in self.registry.select(word)):
            why = self.why_stale(name, as_of, since)
            before = [table for table in self.registry.inputs(name) if table in again]
            if before and (why is None or awaited(why) <= again):
                why = f"after {', '.join(before)}"
            if why:
                again.add(name)
            steps.append(
                {
                    "table": name,
                    "state": "stale" if why else "fresh",
                    "why": why or "",
                    "reads": self.registry.inputs(name),
                }
            )
        return steps

    def not_in_use(self, outcomes: list[Outcome]) -> list[str]:
        """Return the tables that wait only for feeds which have never delivered. Needs no Spark."""
        waiting = {one.table: awaited(one.why) for one in outcomes if one.state == "waiting"}
        return sorted(not_in_use(waiting, self._feeds_in_use()))

    def idle(self, as_of: date) -> set[str]:
        """Return all tables that wait, for a date, only for feeds which have never delivered."""
        whys = {name: self.why_stale(name, as_of) for name in self.registry.order()}
        waiting = {name: awaited(why) for name, why in whys.items() if why and waits(why)}
        return not_in_use(waiting, self._feeds_in_use())

    def _feeds_in_use(self) -> set[str]:
        there = self.ops.feeds_in_use()
        return {one.onto or one.name for one in self.registry.feeds.values() if one.name in there}

    def pending(self, feed: str | None = None) -> list[Delivery]:
        """Return complete deliveries (of one feed) that have not landed. Needs no Spark."""
        return pending(self.conf, self.ops, feed)
