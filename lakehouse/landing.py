"""Landing: complete deliveries become bronze rows, once, whatever is retried.

Order makes it safe to stop anywhere: rows are staged, appended under the delivery's own
transaction name, and only then is the ledger written. A second try appends nothing, because Delta
knows the transaction. Identities stay as they came: silver gives them tokens.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from lakehouse import delivery as deliveries
from lakehouse.conf import Settings
from lakehouse.delivery import Delivery, Refused, spare_heads
from lakehouse.feed import Feed, feeds
from lakehouse.hold import shrunk
from lakehouse.io import Lake
from lakehouse.lineage.tell import lands
from lakehouse.ops import Ops
from lakehouse.quality import looked_up_first, weigh
from lakehouse.staging import staged

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Landed:
    """What became of one delivery. Rows: read = created + unchanged + quarantined."""

    delivery_id: str
    feed: str
    state: str
    reason: str | None = None
    detail: str | None = None
    read: int = 0
    created: int = 0
    unchanged: int = 0
    quarantined: int = 0


class Landing:
    """Lands the deliveries of one landing root into the lake."""

    def __init__(self, lake: Lake, ops: Ops, conf: Settings) -> None:
        self.lake, self.ops, self.conf = lake, ops, conf

    def land_all(
        self, feed: str | None = None, tell: Callable[[Landed], None] | None = None
    ) -> list[Landed]:
        """Land every pending delivery (of one feed); a refused one does not hold up the others."""
        landed = []
        for delivery in looked_up_first(pending(self.conf, self.ops, feed)):
            one = self.land(delivery)
            landed.append(one)
            if tell:
                tell(one)
        for one in used_again(self.conf, self.ops, feed):
            landed.append(one)
            if tell:
                tell(one)
        return landed

    @lands
    def land(self, delivery: Delivery) -> Landed:
        """Land one delivery, or refuse it with a named reason. Idempotent."""
        started: dict[str, Any] = {"content": None, "supersedes": None, "extent": "?", "bytes": 0}
        try:
            feed = _feed_of(delivery)
            started["extent"] = delivery.manifest().get("extent", feed.extent)
            started["supersedes"] = _superseded(delivery)
            started["content"] = deliveries.check_files(delivery, feed)
            started["bytes"] = sum(file.n_bytes for file in delivery.files())
            twin = self._twin(delivery, str(started["content"]), str(started["extent"]))
            outcome = (
                self._duplicate(delivery, twin)
                if twin
                else self._held(delivery, feed, str(started["extent"]))
                or self._append(delivery, feed)
            )
        except Refused as refused:
            outcome = Landed(
                delivery.delivery_id, delivery.feed, "refused", refused.reason, refused.detail
            )
        self._record(delivery, outcome, started)
        return outcome

    def _twin(self, delivery: Delivery, content: str, extent: str) -> dict[str, Any] | None:
        """Return the landed delivery of the same content, if there is one.

        A register may stand as it stood in another month, or before a correction that was none:
        that lands, or it would count as it was in between. Events happen once.
        """
        landed = [row for row in self.ops.deliveries(delivery.feed) if row["state"] == "landed"]
        gone = {row["supersedes"] for row in landed}
        return next(
            (
                row
                for row in landed
                if row["content"] == content
                and row["delivery_id"] not in {delivery.delivery_id, *gone}
                and (extent != "full" or row["period"] == delivery.period)
            ),
            None,
        )

    def _duplicate(self, delivery: Delivery, twin: dict[str, Any]) -> Landed:
        return Landed(
            delivery.delivery_id,
            delivery.feed,
            "duplicate",
            "same_content",
            f"the same as {twin['delivery_id']}",
            read=twin["n_read"],
            unchanged=twin["n_read"],
        )

    def _held(self, delivery: Delivery, feed: Feed, extent: str) -> Landed | None:
        why = shrunk(self.ops, delivery, feed, extent)
        return Landed(delivery.delivery_id, feed.name, "held", "shrunk", why) if why else None

    def _append(self, delivery: Delivery, feed: Feed) -> Landed:
        with staged(self.lake, self.conf, delivery, feed) as one:
            weighed = weigh(self, delivery, feed, one.rows, one.read.rows)
            if weighed.hold:
                return Landed(delivery.delivery_id, feed.name, "held", "unusual", weighed.hold)
            app_id, part = f"land:{delivery.delivery_id}", {"period": delivery.period}
            self.lake.append_file(feed.table, one.rows, part, one.n_rows, app_id)
            n_bad = self.set_aside(delivery, feed, one.bad(self.lake.spark))
        seen = one.read
        new = dict.fromkeys(spare_heads(seen.heads, feed).values())
        told = [f"new columns, kept in bronze: {', '.join(new)}"] if new else []
        return Landed(
            delivery.delivery_id, feed.name, "landed",
            detail="; ".join([*told, *weighed.news]) or None,
            read=seen.rows, created=seen.rows - n_bad, quarantined=n_bad,
        )  # fmt: skip

    def in_bronze(self, delivery: Delivery, feed: Feed) -> "DataFrame":
        """Return the rows of a delivery that bronze has."""
        return self.lake.read(feed.table.name).where(
            (F.col("period") == delivery.period) & (F.col("delivery_id") == delivery.delivery_id)
        )

    def set_aside(self, delivery: Delivery, feed: Feed, bad: "DataFrame | None") -> int:
        """Keep the lines that are no rows, by reason; return how many there are."""
        counts: dict[str, int] = {}
        kept = None
        if bad is not None:
            counts = {
                row["reason"]: row["n"]
                for row in bad.groupBy("reason").agg(F.count(F.lit(1)).alias("n")).collect()
            }
            kept = bad.select(
                F.lit(delivery.delivery_id).alias("slice"),
                F.lit(delivery.delivery_id).alias("delivery_id"),
                "line",
                F.array("reason").alias("violations"),
                F.col("raw").alias("row"),
            )
        self.lake.write_quarantine(feed.table.name, kept, delivery.delivery_id)
        self.ops.record_reasons(feed.table.name, delivery.delivery_id, counts)
        return sum(counts.values())

    def _record(self, delivery: Delivery, outcome: Landed, started: dict[str, Any]) -> None:
        told = asdict(outcome)
        self.ops.record_delivery(
            **{name: told[name] for name in ("delivery_id", "feed", "state", "reason", "detail")},
            **{f"n_{name}": told[name] for name in ("read", "created", "unchanged", "quarantined")},
            period=delivery.period[:10],
            **started,
            arrived_at=deliveries.arrival(delivery),
            landed_at=datetime.now(UTC),
        )
        if outcome.state == "landed" and started["supersedes"]:
            self.ops.end_delivery(started["supersedes"], "superseded")


def pending(conf: Settings, ops: Ops, feed: str | None = None) -> list[Delivery]:
    """Return complete deliveries (of one feed) that are to land. Needs no Spark.

    Those that the ledger does not have, and those that were held until they were approved.
    """
    approved = {name for name, word in ops.words().items() if word["word"] == "approved"}
    known = {
        row["delivery_id"]
        for row in ops.deliveries()
        if row["state"] != "held" or row["delivery_id"] not in approved
    }
    found = (one for one in deliveries.find(conf.landing) if feed in (None, one.feed))
    # Of two under one name the first lands; the other is for `used_again`.
    first = {one.delivery_id: one for one in reversed(list(found))}
    return [one for name, one in reversed(first.items()) if name not in known]


def used_again(conf: Settings, ops: Ops, feed: str | None = None) -> list[Landed]:
    """Return what lies under the name of a delivery that landed, and is another. Needs no Spark.

    Its sender has changed it since, or two sources took one name. It does not land, and the ledger
    keeps the line of the one that did.
    """
    landed = {row["delivery_id"]: row["content"] for row in ops.deliveries(feed)
              if row["state"] in ("landed", "duplicate")}  # fmt: skip
    return [
        Landed(one.delivery_id, one.feed, "refused", "name_used_again",
               f"{one.source} has other files under this name than those that landed: deliver "
               "them under a new name, and say with `supersedes` what they correct")
        for one in deliveries.find(conf.landing)
        if one.delivery_id in landed and _content(one) != landed[one.delivery_id]
    ]  # fmt: skip


def _content(delivery: Delivery) -> str | None:
    try:
        return deliveries.content_of(delivery)
    except Refused:
        return None


def _feed_of(delivery: Delivery) -> Feed:
    known = feeds()
    if delivery.feed not in known:
        raise Refused("unknown_feed", f"conf/feeds has no {delivery.feed}.toml")
    said = delivery.manifest().get("feed")
    if said != delivery.feed:
        raise Refused("manifest_disagrees", f"the manifest is for the feed {said!r}")
    return known[delivery.feed]


def _superseded(delivery: Delivery) -> str | None:
    named = delivery.manifest().get("supersedes")
    return f"{delivery.feed}/{named}" if named else None
