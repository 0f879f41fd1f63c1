"""The operations store: runs, deliveries, reasons and check results, with history.

SQLite by default, PostgreSQL on a cluster. Counts and names only, never a row value. The Delta
commit with its txnAppId is the truth; the ledger of deliveries can be made again from it.
"""

import json
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lakehouse.conf import Settings, settings
from lakehouse.figures import Figure
from lakehouse.ops_tables import (
    check_table,
    delivery_table,
    figure_table,
    meta,
    migration_table,
    model_event_table,
    reason_table,
    run_table,
    word_table,
)


class Ops:
    """One connection to the operations store. Tables are made on first use."""

    def __init__(self, conf: Settings | None = None) -> None:
        conf = conf or settings()
        url = sa.make_url(conf.get("ops", "url"))
        is_sqlite = url.drivername.startswith("sqlite")
        if is_sqlite and url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        # Writers wait for each other instead of failing at once.
        connect = {"timeout": 60} if is_sqlite else {}
        self.engine = sa.create_engine(url, connect_args=connect)
        self._create()

    def _create(self) -> None:
        """Create the tables that are not there."""
        # Processes that come first all see none: those that are late look again.
        for _ in meta.tables:
            with suppress(sa.exc.DBAPIError):
                return meta.create_all(self.engine)
        meta.create_all(self.engine)

    def start(self, table: str, as_of: date, code: str, inputs: dict[str, Any]) -> str:
        """Record that a run began; return its id."""
        run_id = uuid.uuid4().hex
        self._do(
            run_table.insert().values(
                run_id=run_id, table_name=table, as_of=as_of, state="running",
                code_version=code, inputs=inputs,
                started_at=datetime.now(UTC),
            )
        )  # fmt: skip
        return run_id

    def finish(self, run_id: str, **values: Any) -> None:
        """Record how a run ended (state, counts, delta_version, seconds, error)."""
        self._do(run_table.update().where(run_table.c.run_id == run_id).values(**values))

    def last_done(self, table: str, as_of: date | None = None) -> dict[str, Any] | None:
        """Return the newest successful run of a table, for one date or for any, or None."""
        query = (
            sa.select(run_table)
            .where(run_table.c.table_name == table, run_table.c.state == "done")
            .order_by(run_table.c.started_at.desc())
            .limit(1)
        )
        if as_of:
            query = query.where(run_table.c.as_of == as_of)
        return next(iter(self.rows(query)), None)

    def dates_done(self, table: str, *states: str) -> list[date]:
        """Return the dates that a table was made for, in order; of runs in other states too."""
        columns = run_table.c
        query = sa.select(columns.as_of).distinct().order_by(columns.as_of)
        done = query.where(columns.table_name == table, columns.state.in_(["done", *states]))
        return [row["as_of"] for row in self.rows(done)]

    def runs(self, table: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """Return the newest runs first."""
        query = sa.select(run_table).order_by(run_table.c.started_at.desc()).limit(limit)
        return self.rows(query.where(run_table.c.table_name == table) if table else query)

    def record_delivery(self, **values: Any) -> None:
        """Write or rewrite one line of the ledger."""
        with self.engine.begin() as connection:
            connection.execute(
                delivery_table.delete().where(delivery_table.c.delivery_id == values["delivery_id"])
            )
            connection.execute(delivery_table.insert().values(**values))

    def end_delivery(self, delivery_id: str, state: str) -> None:
        """Set the state of a delivery that was held: rejected, or superseded by a right one."""
        columns = delivery_table.c
        self._do(
            delivery_table.update()
            .where(columns.delivery_id == delivery_id, columns.state == "held")
            .values(state=state)
        )

    def recount(self, delivery_id: str, n_quarantined: int) -> None:
        """Set how many lines of a landed delivery are beside: the others of those read are rows."""
        columns = delivery_table.c
        self._do(
            delivery_table.update()
            .where(columns.delivery_id == delivery_id)
            .values(n_quarantined=n_quarantined, n_created=columns.n_read - n_quarantined)
        )

    def forget_refused(self, delivery_ids: list[str]) -> None:
        """Strike refused deliveries from the ledger, so that they are tried again."""
        columns = delivery_table.c
        self._do(
            delivery_table.delete().where(
                columns.delivery_id.in_(delivery_ids), columns.state == "refused"
            )
        )

    def record_word(self, delivery_id: str, word: str, who: str, why: str) -> None:
        """Keep what a person said of a held delivery: approved or rejected."""
        self._do(
            word_table.insert().values(
                delivery_id=delivery_id, word=word, who=who, why=why, at=datetime.now(UTC)
            )
        )

    def words(self) -> dict[str, dict[str, Any]]:
        """Return the last word on each delivery that was held."""
        query = sa.select(word_table).order_by(word_table.c.id)
        return {row["delivery_id"]: row for row in self.rows(query)}

    def deliveries(self, feed: str | None = None) -> list[dict[str, Any]]:
        """Return the ledger, by feed, period and arrival."""
        columns = delivery_table.c
        query = sa.select(delivery_table).order_by(
            columns.feed, columns.period, columns.arrived_at, columns.delivery_id
        )
        return self.rows(query.where(columns.feed == feed) if feed else query)

    def feeds_in_use(self) -> set[str]:
        """Return the feeds (mappings) of which a delivery has landed."""
        columns = delivery_table.c
        query = sa.select(columns.feed).where(columns.state == "landed").distinct()
        return {row["feed"] for row in self.rows(query)}

    def record_reasons(self, table: str, slice_: str, counts: dict[str, int]) -> None:
        """Replace the counts of quarantined rows by reason, of one table and slice."""
        with self.engine.begin() as connection:
            connection.execute(
                reason_table.delete().where(
                    reason_table.c.table_name == table, reason_table.c.slice == slice_
                )
            )
            for reason, n_rows in sorted(counts.items()):
                connection.execute(
                    reason_table.insert().values(
                        table_name=table, slice=slice_, reason=reason, n_rows=n_rows
                    )
                )

    def reasons(self, table: str | None = None) -> list[dict[str, Any]]:
        """Return counts of quarantined rows by table, slice and reason."""
        columns = reason_table.c
        query = sa.select(columns.table_name, columns.slice, columns.reason, columns.n_rows)
        query = query.order_by(columns.table_name, columns.slice, columns.reason)
        return self.rows(query.where(columns.table_name == table) if table else query)

    def record_figures(
        self, delivery_id: str, feed: str, period: str, figures: Iterable[Figure]
    ) -> None:
        """Replace the figures of one delivery."""
        of = {"delivery_id": delivery_id, "feed": feed, "period": period}
        values = [of | {"figure": one.name, **asdict(one)} for one in figures]
        with self.engine.begin() as connection:
            connection.execute(
                figure_table.delete().where(figure_table.c.delivery_id == delivery_id)
            )
            if values:
                connection.execute(figure_table.insert(), values)

    def figures(self, delivery_ids: list[str]) -> list[dict[str, Any]]:
        """Return every figure of some deliveries."""
        inside = figure_table.c.delivery_id.in_(delivery_ids)
        return self.rows(sa.select(figure_table).where(inside).order_by(figure_table.c.id))

    def record_checks(self, run_id: str, table: str, results: Iterable[dict[str, Any]]) -> None:
        """Keep the results of one suite: name, success, observed value."""
        values = [
            {
                "run_id": run_id,
                "table_name": table,
                "expectation": result["expectation"],
                "success": result["success"],
                "observed": json.dumps(result.get("observed")),
            }
            for result in results
        ]
        if values:
            with self.engine.begin() as connection:
                connection.execute(check_table.insert(), values)

    def checks(self, table: str | None = None) -> list[dict[str, Any]]:
        """Return the check results of the newest run of each table."""
        newest: dict[str, str] = {}
        for run in self.runs(table, limit=10_000):
            if run["state"] in ("done", "failed"):
                newest.setdefault(run["table_name"], run["run_id"])
        columns = check_table.c
        query = (
            sa.select(columns.table_name, columns.expectation, columns.success, columns.observed)
            .where(columns.run_id.in_(newest.values()))
            .order_by(columns.table_name, columns.id)
        )
        return self.rows(query)

    def check_history(self, table: str | None = None) -> list[dict[str, Any]]:
        """Return every check result that is kept, with its run, the oldest first."""
        columns = check_table.c
        query = sa.select(
            columns.run_id, columns.table_name, columns.expectation, columns.success
        ).order_by(columns.id)
        return self.rows(query.where(columns.table_name == table) if table else query)

    def record_model_event(self, model: str, event: str, version: str, **values: Any) -> None:
        """Record a promotion, refusal or rollback (champion_before, figures, why)."""
        row = {"model": model, "event": event, "version": version, "at": datetime.now(UTC)}
        self._do(model_event_table.insert().values(row | values))

    def model_events(self, model: str | None = None) -> list[dict[str, Any]]:
        """Return promotions, refusals and rollbacks, the oldest first."""
        query = sa.select(model_event_table).order_by(model_event_table.c.id)
        return self.rows(query.where(model_event_table.c.model == model) if model else query)

    def record_migration(self, **values: Any) -> None:
        """Write or rewrite the line of one migration of one table."""
        columns = migration_table.c
        with self.engine.begin() as connection:
            connection.execute(
                migration_table.delete().where(columns.migration_id == values["migration_id"])
            )
            connection.execute(migration_table.insert().values(**values))

    def migrations(self, table: str | None = None) -> list[dict[str, Any]]:
        """Return what was migrated, the newest first."""
        query = sa.select(migration_table).order_by(migration_table.c.started_at.desc())
        return self.rows(query.where(migration_table.c.table_name == table) if table else query)

    def rows(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def _do(self, statement: sa.Executable) -> None:
        with self.engine.begin() as connection:
            connection.execute(statement)
