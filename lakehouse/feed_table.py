"""The tables that a mapping makes: bronze for every feed, silver for one that no job reads."""

from typing import TYPE_CHECKING, Any

from lakehouse.feed import TYPES, UNMAPPED, Feed, Field
from lakehouse.job import Job
from lakehouse.schemas.fields import DAY, DELIVERY_ID, LINE, MONTH
from lakehouse.table import Column, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Where a mapping's tables come from: no module, since another folder has other feeds.
MODULE = "conf.feeds"
SLICES = {"day": DAY, "month": MONTH}


def bronze_table(name: str, raw: dict[str, Any], fields: dict[str, Field]) -> type[Table]:
    """Declare the bronze table of a mapping: the fields of its files as text, and their origin."""
    delivered = {field.name: field for field in fields.values() if field.is_delivered}
    members: dict[str, Any] = {
        field.name: Column(
            "string", field.meaning, nullable=True, personal=field.personal, was=field.was
        )
        for field in delivered.values()
    }
    members[UNMAPPED] = Column(
        "map<string,string>", "What the file has and the mapping does not name, by head.",
        nullable=True,
    )  # fmt: skip
    members["period"] = Column("string", "Day or month that the delivery is about.")
    members["delivery_id"] = DELIVERY_ID
    members["line"] = LINE
    members["arrived_at"] = Column("timestamp", "When the delivery was complete, UTC.")
    return _declared(
        name,
        f"{raw['title']}: every field as text, as it came.",
        members,
        layer="bronze",
        key=("delivery_id", "line"),
        area=raw["area"] if raw.get("area") in delivered else None,
        purpose=raw["purpose"],
        owner=raw["owner"],
        partition="period",
        write="append",
        share_bad=raw.get("share_bad", 0.2),
    )


def silver_table(feed: Feed) -> type[Table]:
    """Declare the silver table of a feed that has no other: its fields, typed.

    A register (full) is merged by the mapping's key, events (delta) replace the day or month that
    their delivery is about. Personal text, such as a name, stays in the restricted zone.
    """
    key = feed.key or ("delivery_id", "line")
    members: dict[str, Any] = {
        field.name: _typed(field, is_key=field.name in key)
        for field in feed.fields.values()
        if not (field.personal and field.type == "text")
    }
    slice_ = feed.every if feed.extent == "delta" else None
    if slice_:
        members[slice_] = SLICES[slice_].means(f"The {slice_} that the delivery is about.")
    members["delivery_id"] = DELIVERY_ID
    members["line"] = LINE
    return _declared(
        feed.name,
        f"{feed.title}: typed by its mapping, which is all that declares it.",
        members,
        layer="silver",
        key=(slice_, *key) if slice_ else key,
        area=feed.area,
        purpose=feed.purpose,
        owner=feed.owner,
        partition=slice_,
        share_bad=feed.share_bad,
    )


def silver_job(feed: Feed, table: type[Table]) -> Job:
    """Return the job that loads a feed's own silver table from its typed view."""

    def load(rows: "DataFrame") -> "DataFrame":
        from pyspark.sql import functions as F

        first = F.concat("period", F.lit("-01")) if table.partition == "month" else F.col("period")
        if table.partition:
            rows = rows.withColumn(table.partition, F.to_date(first))
        return rows.select(*table.columns, "violations")

    return Job(table, {"rows": f"bronze.{feed.name}"}, load, loads="rows")


def _typed(field: Field, *, is_key: bool) -> Column:
    bounds = {"longitude": 180.0, "latitude": 90.0}
    most = bounds.get(field.type)
    return Column(
        TYPES[field.type],
        field.meaning,
        unit="degree" if most else field.unit,
        least=None if most is None else -most,
        most=most,
        codes=field.codes,
        nullable=field.optional and not is_key,
        personal=field.personal,
        was=field.was,
    )


def _declared(name: str, doc: str, members: dict[str, Any], **keywords: Any) -> type[Table]:
    told = {"__doc__": doc, "__module__": MODULE}
    return type("FromMapping", (Table,), members | told, name=name, **keywords)
