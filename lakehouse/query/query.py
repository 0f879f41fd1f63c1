"""Questions in SQL over gold and silver, that only read: what `bangfu sql` and notebooks call.

    from lakehouse.query import Query
    Query(as_of="2015-12-31").frame("SELECT * FROM gold.poverty_by_area")

Every question has an engine of its own: DuckDB in memory, over Arrow data sets that hold what may
be seen and no more. The engine reaches no file and no network, and its settings are locked. A
question has limits of time, memory and rows.
"""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from lakehouse.conf import Settings, settings
from lakehouse.errors import DeclarationError, UsageError
from lakehouse.query.errors import Stopped, is_on_text, told
from lakehouse.query.guard import read_question
from lakehouse.query.tables import (
    OFFERED,
    Cut,
    Opened,
    area_prefix,
    check_area,
    find,
    notes,
    open_table,
)
from lakehouse.registry import registry

if TYPE_CHECKING:
    import pandas as pd

BATCH = 10_000
LOCKED: Final[dict[str, str | bool | int | float | list[str]]] = {
    "enable_external_access": False,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    # A variable of the calling program is no table.
    "python_enable_replacements": False,
    # Memory is the limit: nothing spills to a disk.
    "temp_directory": "",
    "max_temp_directory_size": "0KB",
}


@dataclass(frozen=True)
class Limits:
    """What one question may take; defaults in conf, section [sql]."""

    seconds: float
    memory: str
    rows: int
    threads: int

    @classmethod
    def of(cls, conf: Settings, **given: Any) -> "Limits":
        """Return the limits of the settings, those given before them. Raises by what is wrong."""
        try:
            made = cls(
                float(conf.get("sql", "seconds")),
                conf.get("sql", "memory"),
                int(conf.get("sql", "rows")),
                int(conf.get("sql", "threads")),
            )
        except ValueError as error:
            raise DeclarationError(f"conf section [sql]: {error}.") from None
        made = replace(made, **{name: value for name, value in given.items() if value is not None})
        for name in (field.name for field in fields(cls) if field.name != "memory"):
            if getattr(made, name) <= 0:
                raise UsageError(f"The limit {name} is {getattr(made, name)}: it is above 0.")
        if not re.fullmatch(r"[0-9.]+ *[KMGT]i?B", made.memory):
            raise UsageError(f"The limit memory is {made.memory!r}: write it as 500MB or 2GB.")
        return made


class Answer:
    """The rows of one question, batch by batch. Numbers are plain: no decimals, names unique."""

    def __init__(self, reader: pa.RecordBatchReader, limit: int, guarded: Callable[..., Any]):
        self._reader, self._limit, self._guarded = reader, limit, guarded
        self.schema = plain(reader.schema)
        self.n_rows = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows. Raises UsageError where there are more than the limit allows."""
        while True:
            batch = self._guarded(lambda: next(self._reader, None))
            if batch is None:
                return
            self.n_rows += batch.num_rows
            if self.n_rows > self._limit:
                raise Stopped("rows", f"gives more than {self._limit:,} rows", "--max-rows")
            if batch.num_rows:
                yield _cast(batch, self.schema)

    def table(self) -> pa.Table:
        """Return all rows at once; the limit of rows bounds them."""
        return pa.Table.from_batches(self.batches(), self.schema)


class Query:
    """The tables of a lake as questions see them: cut to an area, a date, a time of knowledge."""

    def __init__(
        self,
        conf: Settings | None = None,
        *,
        as_of: date | str | None = None,
        known_at: datetime | date | str | None = None,
        area: str | None = None,
        limits: Limits | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.conf = conf or settings()
        self.limits = limits or Limits.of(self.conf)
        self.known = registry()
        self.tell = tell or _say
        as_of = _day(as_of) if isinstance(as_of, str) else as_of
        # An empty area is a mistake, never all areas.
        prefix = None if area is None else area_prefix(area)
        self.cut = Cut(as_of, moment(known_at, self.conf.zone), prefix)
        if self.cut.area:
            check_area(self.conf.lake, self.known, self.cut.area)

    @contextmanager
    def answer(self, sql: str) -> Iterator[Answer]:
        """Ask, and give the answer while its engine is open. Raises UsageError, PrivacyError."""
        with closing(_engine(self.limits)) as engine, ThreadPoolExecutor(1) as worker:
            asked = read_question(engine, sql)
            tables = {find(self.known, one, self.cut, sql) for one in asked.named}
            by_name = sorted(tables, key=attrgetter("name"))
            opened = [open_table(self.conf.lake, table, self.cut) for table in by_name]
            for note in notes(self.conf, opened, self.cut):
                self.tell(note)
            for one in opened:
                _offer(engine, one)
            engine.execute("SET lock_configuration = true")
            clock = _Clock(engine, self.limits.seconds)

            def guarded(call: Callable[[], Any]) -> Any:
                try:
                    return _waited(engine, worker.submit(call))
                except (duckdb.Error, pa.ArrowException, OSError) as error:
                    raise told(error, asked.text, opened, clock.is_over, self.limits) from None

            with clock:
                reader = guarded(lambda: _start(engine, asked.text))
                try:
                    yield Answer(reader, self.limits.rows, guarded)
                finally:
                    # What is left unread must not go on being made.
                    engine.interrupt()
                    reader.close()

    def table(self, sql: str) -> pa.Table:
        """Return the answer as an Arrow table."""
        with self.answer(sql) as answer:
            return answer.table()

    def frame(self, sql: str) -> "pd.DataFrame":
        """Return the answer as a pandas frame, dates as datetime64."""
        return self.table(sql).to_pandas(date_as_object=False)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the answer as one dictionary a row."""
        return self.table(sql).to_pylist()


class _Clock:
    """Interrupts an engine when its time is over."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._engine = engine
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        self.is_over = False

    def _ring(self) -> None:
        self.is_over = True
        self._engine.interrupt()

    def __enter__(self) -> "_Clock":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def _engine(limits: Limits) -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect(
        config=LOCKED | {"memory_limit": limits.memory, "threads": limits.threads}
    )
    engine.execute("SET TimeZone = 'UTC'")
    for layer in OFFERED:
        engine.execute(f"CREATE SCHEMA {layer}")
    # The bare name of a table does as well.
    engine.execute(f"SET search_path = '{','.join(OFFERED)}'")
    return engine


def _start(engine: duckdb.DuckDBPyConnection, text: str) -> pa.RecordBatchReader:
    """Begin to answer, rows being made as they are read; execute() would hold them all."""
    try:
        return engine.sql(text).to_arrow_reader(BATCH)
    except duckdb.Error as error:
        if is_on_text(str(error)):
            engine.execute(text)  # fails in the same way, and tells the place
        raise


def _waited(engine: duckdb.DuckDBPyConnection, work: "Future[Any]") -> Any:
    """Wait for work of another thread, so that Ctrl-C is heard at once and stops the engine."""
    try:
        return work.result()
    except KeyboardInterrupt:
        engine.interrupt()
        wait([work])
        raise


def _offer(engine: duckdb.DuckDBPyConnection, opened: Opened) -> None:
    inner = opened.table.name.replace(".", "__")
    engine.register(inner, opened.rows)
    columns = ", ".join(f'"{name}"' for name in opened.columns)
    # Names are of declarations, which hold no SQL.
    engine.execute(f'CREATE VIEW {opened.table.name} AS SELECT {columns} FROM "{inner}"')  # nosec B608


def plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema with unique names, and int64 and double in place of decimals."""
    made: dict[str, pa.DataType] = {}
    for field in schema:
        name, again = field.name, 1
        while name in made:
            again += 1
            name = f"{field.name}_{again}"
        kind = field.type
        if pa.types.is_decimal(kind):  # DuckDB sums whole numbers as 38 digits
            kind = pa.float64() if kind.scale else pa.int64()
        made[name] = kind
    return pa.schema(list(made.items()))


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = []
    for column, field in zip(batch.columns, schema, strict=True):
        try:
            columns.append(column.cast(field.type))
        except pa.ArrowInvalid:
            raise UsageError(
                f"{field.name} holds a whole number of more than 18 digits: cast it to DOUBLE."
            ) from None
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def moment(given: datetime | date | str | None, zone: str) -> datetime | None:
    """Return a time of knowledge in UTC: a day means its end, both in the house's zone."""
    if isinstance(given, str):
        text = given.strip()
        try:
            is_day = len(text) <= len("2015-12-31")
            given = date.fromisoformat(text) if is_day else datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(
                f"{text!r} is no time: write it as 2016-01-15 or '2016-01-15 08:00'."
            ) from None
    if given is None:
        return None
    if not isinstance(given, datetime):
        given = datetime.combine(given + timedelta(days=1), time()) - timedelta(microseconds=1)
    if given.tzinfo is None:
        given = given.replace(tzinfo=ZoneInfo(zone))
    return given.astimezone(UTC)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date: write it as 2015-12-31.") from None


def _say(text: str) -> None:
    from lakehouse.commands import say

    say(text)
