"""A table of a real PostgreSQL, fetched by time, by key and whole."""

import json
import shutil
from datetime import date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.conf import conf_dir
from lakehouse.delivery import Delivery, check_files, find
from lakehouse.errors import DeclarationError, InputMissing, UsageError
from lakehouse.feed import feed
from lakehouse.formats import rows_of
from lakehouse.sources import table
from lakehouse.sources.declared import Source
from lakehouse.sources.fetch import fetch
from lakehouse.unpack import LIMITS

ZONE = "Asia/Shanghai"
DAY = "2015-12-05"


@pytest.fixture
def jobs(database: str, monkeypatch: pytest.MonkeyPatch):
    """The table public.job with 25 rows of two days, and a way to add more."""
    monkeypatch.setenv("JOBS_DB", database)
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS job"))
        connection.execute(
            sa.text("CREATE TABLE job (id bigint, wage numeric(9,2), told_at timestamp, note text)")
        )

    def add(*ids: int, day: int = 5) -> None:
        with engine.begin() as connection:
            for one in ids:
                connection.execute(
                    sa.text("INSERT INTO job VALUES (:id, :wage, :at, :note)"),
                    {"id": one, "wage": one * 10 if one % 2 else None, "note": "第\"一\"\n行",
                     "at": datetime(2015, 12, day, one % 24, 30)},
                )  # fmt: skip

    add(*range(1, 16))
    add(*range(16, 26), day=6)
    yield add
    engine.dispose()


def source(form: str = "jsonl", **said: object) -> Source:
    told = {"by": "told_at", "batch": 4, "url": "${JOBS_DB}", "table": "job"} | said
    return Source("jobs", "table", feed=f"job_{form}", **told)  # type: ignore[arg-type]


def texts(delivery: Delivery) -> list[dict[str, str | None]]:
    """Return the rows of a delivery, after holding its files against the manifest."""
    of = feed(delivery.feed)
    check_files(delivery, of)
    [file] = delivery.files()
    path = delivery.folder / file.name
    if of.format == "parquet":
        names = {spec.head[0]: name for name, spec in of.fields.items()}
        rows = [
            {names[head]: value for head, value in row.items()}
            for row in pq.read_table(path).to_pylist()
        ]
    else:
        rows = [row for _, row, _, _ in rows_of(path, of, LIMITS) if row]
    assert len(rows) == file.rows
    return rows


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_the_rows_of_a_day(jobs, mapped: Path, form: str):
    made = fetch(source(form), DAY, mapped, ZONE)
    assert made is not None
    rows = texts(made)
    assert sorted(int(row["job_id"] or 0) for row in rows) == list(range(1, 16))
    assert {row["told_at"] for row in rows} >= {"2015-12-05 01:30:00"}
    one = {row["job_id"]: row for row in rows}
    assert (one["3"]["wage"], one["4"]["wage"], one["3"]["note"]) == ("30.00", None, '第"一"\n行')
    assert made.manifest()["extent"] == "delta"
    # Once: the second call has nothing to do.
    assert fetch(source(form), DAY, mapped, ZONE) is None
    assert len(list(find(mapped))) == 1
    # A day without rows has no delivery.
    assert fetch(source(form), "2015-12-07", mapped, ZONE) is None


def test_by_key_only_what_came_since(jobs, mapped: Path):
    by_key = source(by="id", new="key")
    first = fetch(by_key, DAY, mapped, ZONE)
    assert first is not None
    assert [row["job_id"] for row in texts(first)] == [str(n) for n in range(1, 26)]
    assert first.manifest()["mark"] == "25"
    assert fetch(by_key, "2015-12-06", mapped, ZONE) is None
    jobs(100, 30, 9)
    second = fetch(by_key, "2015-12-06", mapped, ZONE)
    assert second is not None
    # Numbers are compared as numbers: 9 came too late to be seen, 100 is after 25.
    assert [row["job_id"] for row in texts(second)] == ["30", "100"]
    jobs(101)
    third = fetch(by_key, "2015-12-06", mapped, ZONE)
    assert third is not None
    assert [row["job_id"] for row in texts(third)] == ["101"]


def test_the_whole_table(jobs, mapped: Path):
    made = fetch(source(by=""), DAY, mapped, ZONE)
    assert made is not None
    assert len(texts(made)) == 25
    assert made.manifest()["extent"] == "full"


def test_a_source_that_dies_in_the_middle_leaves_nothing(
    jobs, mapped: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = table.rows_of

    def dying(*args):
        yield next(whole(*args))
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(table, "rows_of", dying)
        with pytest.raises(ConnectionResetError):
            fetch(source(), DAY, mapped, ZONE)
    assert not [path for path in mapped.rglob("*") if path.is_file()]
    made = fetch(source(), DAY, mapped, ZONE)
    assert made is not None
    assert len(texts(made)) == 15


def test_what_is_wrong_is_said(jobs, mapped: Path, monkeypatch: pytest.MonkeyPatch):
    for said, error, word in (
        ({"table": "jobs"}, InputMissing, "Did you mean 'job'"),
        ({"by": "told"}, DeclarationError, "Did you mean 'told_at'"),
        ({"form": "csv"}, DeclarationError, "written as jsonl or parquet"),
        ({"url": "${NO_SUCH}"}, InputMissing, "set 'NO_SUCH'"),
        ({"url": "postgresql+psycopg://a:secret@127.0.0.1:1/x"}, InputMissing, "does not answer"),
    ):
        with pytest.raises(error, match=word) as told:
            fetch(source(**said), DAY, mapped, ZONE)
        assert "secret" not in str(told.value)
    with pytest.raises(UsageError, match="by day: write 2015-12-31"):
        fetch(source(), "2015-12", mapped, ZONE)


def test_days_and_moments_of_the_zone(database: str, mapped: Path, monkeypatch):
    """A column of moments is cut at the local midnight, one of days by the day."""
    monkeypatch.setenv("JOBS_DB", database)
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS job"))
        connection.execute(sa.text("CREATE TABLE job (id int, told_at timestamptz, on_day date)"))
        for n, at in enumerate(("2015-12-04 15:59:59+00", "2015-12-04 16:00:00+00",
                                "2015-12-05 15:59:59+00", "2015-12-05 16:00:00+00")):  # fmt: skip
            connection.execute(
                sa.text("INSERT INTO job VALUES (:n, :at, :day)"),
                {"n": n, "at": at, "day": date(2015, 12, 3 + n)},
            )
    engine.dispose()
    of_day = {
        by: [row["id"] for batch in table.rows_of(
            source(by=by), date(2015, 12, 5), date(2015, 12, 5), ZONE, None) for row in batch]
        for by in ("told_at", "on_day")
    }  # fmt: skip
    assert of_day == {"told_at": [1, 2], "on_day": [2]}
    assert json.dumps(of_day)


def test_the_command(jobs, mapped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Declared, fetched, found once, and told what is missing."""
    conf = tmp_path / "conf"
    shutil.copytree(conf_dir(), conf)
    (conf / "sources.toml").write_text(
        '[jobs]\nkind = "table"\nfeed = "job_jsonl"\nurl = "${JOBS_DB}"\ntable = "job"\n'
        'by = "told_at"\n', encoding="utf-8",
    )  # fmt: skip
    monkeypatch.setenv("BANGFU_CONF", str(conf))
    monkeypatch.setenv("BANGFU__LAKE__LANDING", str(mapped))

    def bangfu(*words: str) -> object:
        done = CliRunner().invoke(app, ["fetch", *words, "--json"])
        if done.exception:
            raise done.exception
        return json.loads(done.stdout)

    assert bangfu() == [{"source": "jobs", "feed": "job_jsonl", "kind": "table"}]
    told = bangfu("jobs", "--period", DAY)
    [there] = [one.delivery_id for one in find(mapped)]
    assert told == [{"source": "jobs", "delivery_id": there, "rows": 15}]
    assert bangfu("jobs", "--period", DAY) == []
    with pytest.raises(UsageError, match="--period is needed"):
        bangfu("jobs")
    with pytest.raises(InputMissing, match="Did you mean 'jobs'"):
        bangfu("job", "--period", DAY)
