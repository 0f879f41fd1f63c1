"""No question reads a file, writes, attaches, installs, or sees what is hidden: each way tried."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lakehouse.conf import settings
from lakehouse.errors import BangfuError, PrivacyError, UsageError
from lakehouse.query.guard import TABLE_FUNCTIONS, read_question
from lakehouse.query.query import Limits, Query, _engine
from lakehouse.query.tables import Cut, offered, open_table, shown_columns
from lakehouse.registry import registry
from tests.lakehouse import asked

REFUSED, PRIVATE = UsageError.exit_code, PrivacyError.exit_code


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    asked.make(home / "lake")
    for table in ("bronze.cdr", "vault.identity"):
        asked.write(home / "lake", table, [{}])
    (home / "secret.csv").write_text(f"a,b\n{asked.SECRET},1\n")
    (home / "secret.json").write_text(f'[{{"a": "{asked.SECRET}"}}]')
    (home / "secret.sql").write_text(f"SELECT '{asked.SECRET}'")
    shutil.copy(next((home / "lake/silver/person").glob("*.parquet")), home / "secret.parquet")
    with duckdb.connect(str(home / "secret.db")) as engine:
        engine.execute(f"CREATE TABLE t AS SELECT '{asked.SECRET}' AS a")
    return home


def files(folder: Path) -> set[tuple[str, int, int]]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != "ops.db")
    return {(str(p.relative_to(folder)), p.stat().st_size, p.stat().st_mtime_ns) for p in found}


@pytest.fixture
def home(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The lake, its folder being the working folder; whatever a test does, no file may change."""
    monkeypatch.setenv("BANGFU_HOME", str(made))
    monkeypatch.setenv("SECRET", asked.SECRET)
    monkeypatch.setenv("HOME", str(made))
    monkeypatch.chdir(made)
    before = files(made)
    yield made
    assert files(made) == before


FILE_READS = [
    "FROM 'secret.csv'", "FROM \"secret.parquet\"", "FROM './secret.json'", "FROM '/etc/passwd'",
    "SELECT * FROM '{home}/secret.csv'", "FROM 's3://bucket/x.parquet'",
    "FROM 'https://localhost:1/x.csv'", "FROM 'hf://datasets/x/y.csv'", "FROM '*.csv'",
    "FROM read_csv('secret.csv')", "FROM read_csv_auto('secret.csv')",
    "FROM read_parquet('secret.parquet')", "FROM parquet_scan('secret.parquet')",
    "FROM read_json('secret.json')", "FROM read_json_auto('secret.json')",
    "FROM read_ndjson_objects('secret.json')", "FROM read_text('secret.csv')",
    "FROM read_blob('secret.csv')", "FROM read_duckdb('secret.db')", "FROM glob('*')",
    "FROM sniff_csv('secret.csv')", "FROM parquet_metadata('secret.parquet')",
    "FROM parquet_schema('secret.parquet')", "FROM parquet_kv_metadata('secret.parquet')",
    "FROM parquet_file_metadata('secret.parquet')", "FROM delta_scan('lake/silver/person')",
    "FROM iceberg_scan('x')", "FROM sqlite_scan('ops.db', 'run')", "FROM postgres_scan('x')",
    "SELECT * FROM range(1) WHERE EXISTS (FROM read_text('secret.csv'))",
    "SELECT (SELECT content FROM read_text('secret.csv'))",
    "WITH x AS (FROM read_text('secret.csv')) FROM x", "DESCRIBE FROM 'secret.csv'",
    "SUMMARIZE FROM read_csv('secret.csv')", "SUMMARIZE 'secret.csv'", "DESCRIBE 'secret.csv'",
    "EXPLAIN FROM 'secret.csv'", "EXPLAIN ANALYZE FROM read_text('secret.csv')",
    "SELECT 1 UNION ALL SELECT size FROM read_text('secret.csv')",
    "SELECT * FROM area, LATERAL (FROM read_text('secret.csv'))",
    "PIVOT 'secret.csv' ON a IN ('x') USING count(*)", "UNPIVOT 'secret.csv' ON a",
    "FROM system.main.read_text('secret.csv')", "FROM main.glob('*')",
    "WITH \"secret.csv\" AS (SELECT 1) SELECT * FROM (WITH y AS (FROM 'secret.csv') FROM y), z",
    "FROM seq_scan('x')", "FROM arrow_scan(1, 2, 3)", "FROM python_arrow_scan(1, 2, 3)",
    "FROM pandas_scan(1)", "FROM which_secret('x', 's3')", "FROM duckdb_secrets()",
    "TABLE 'secret.csv'", "FROM 'secret.db'.t", "SELECT * FROM secret.csv",
    "FROM/**/'secret.csv'", "FROM\u00a0'secret.csv'", "FROM ＇secret.csv＇", "FROM U&'secret.csv'",
    "FROM e'secret\\x2ecsv'", "FROM $$secret.csv$$",
]  # fmt: skip
WRITES = [
    "COPY area TO 'out.csv'", "COPY (SELECT 1) TO 'out.parquet' (FORMAT parquet)",
    "COPY (SELECT 1) TO '/dev/stdout'", "COPY area FROM 'secret.csv'",
    "COPY FROM DATABASE a TO b", "WITH x AS (COPY (SELECT 1) TO 'out.csv') SELECT 1",
    "EXPLAIN ANALYZE COPY area TO 'out.csv'", "EXPLAIN COPY area TO 'out.csv'",
    "EXPORT DATABASE 'out'", "IMPORT DATABASE 'out'", "ATTACH 'out.db'", "ATTACH ':memory:' AS m",
    "ATTACH 'secret.db' AS s (READ_ONLY)", "DETACH memory", "INSTALL httpfs",
    "FORCE INSTALL delta", "LOAD delta", "LOAD 'x.duckdb_extension'", "UPDATE EXTENSIONS",
    "CREATE TABLE t AS SELECT 1", "CREATE TEMP TABLE t (a INT)",
    "CREATE OR REPLACE VIEW gold.poverty_by_area AS SELECT 1", "CREATE MACRO m() AS 1",
    "CREATE MACRO m() AS TABLE FROM read_text('secret.csv')", "CREATE SECRET s (TYPE s3)",
    "CREATE PERSISTENT SECRET s (TYPE s3)", "CREATE SCHEMA s", "CREATE SEQUENCE s",
    "CREATE TYPE t AS ENUM ('a')", "INSERT INTO area VALUES (1)", "UPDATE area SET level = 'x'",
    "DELETE FROM area", "TRUNCATE area", "DROP VIEW gold.poverty_by_area",
    "DROP SCHEMA gold CASCADE", "ALTER VIEW area RENAME TO x", "COMMENT ON VIEW area IS 'x'",
    "MERGE INTO area USING area ON true WHEN MATCHED THEN DELETE",
    "WITH x AS (INSERT INTO area VALUES (1) RETURNING *) FROM x",
    "WITH x AS (DELETE FROM area RETURNING *) FROM x",
    "WITH x AS (UPDATE area SET level = 'x' RETURNING *) FROM x",
    "EXPLAIN ANALYZE INSERT INTO area VALUES (1)", "EXPLAIN ANALYZE CREATE TABLE t (a INT)",
    "VACUUM", "CHECKPOINT", "FORCE CHECKPOINT", "ANALYZE", "BEGIN", "COMMIT", "ROLLBACK",
]  # fmt: skip
SETTINGS = [
    "SET enable_external_access = true", "SET GLOBAL threads = 1", "SET memory_limit = '99GB'",
    "SET lock_configuration = false", "RESET lock_configuration", "RESET memory_limit",
    "SET VARIABLE x = 1", "SET search_path = 'main'", "USE main", "SET SESSION threads = 1",
    "PRAGMA database_list", "PRAGMA enable_profiling", "PRAGMA version", "PRAGMA show_tables",
    "PRAGMA import_database('out')", "CALL duckdb_settings()", "CALL pragma_version()",
    "CALL enable_logging()", "PREPARE p AS SELECT 1", "EXECUTE p", "DEALLOCATE p",
    "EXPLAIN SET threads = 1", "EXPLAIN ANALYZE SET threads = 1", "EXPLAIN PRAGMA database_list",
    "EXPLAIN ANALYZE CALL enable_logging()", "SHOW TABLES", "SHOW ALL TABLES", "SHOW DATABASES",
    "SHOW area", "SHOW threads", "FROM (SHOW TABLES)", "FROM (SHOW ALL TABLES)",
]  # fmt: skip
PEEKS = [
    "SELECT getenv('SECRET')", "SELECT current_setting('temp_directory')",
    "SELECT getvariable('x')", "SELECT current_query()", "SELECT write_log('x')",
    "SELECT main.current_setting('threads')", "SELECT 'threads'.current_setting()",
    "FROM duckdb_settings()", "FROM duckdb_settings", "FROM duckdb_views()", "FROM duckdb_views",
    "FROM duckdb_tables()", "FROM duckdb_columns()", "FROM duckdb_databases()",
    "FROM duckdb_extensions()", "FROM duckdb_functions()", "FROM duckdb_logs",
    "FROM duckdb_temporary_files()", "FROM pragma_database_list()",
    "FROM pragma_table_info('silver.person')", "FROM pragma_show('silver.person')",
    "FROM pragma_user_agent()", "FROM information_schema.tables",
    "FROM information_schema.columns", "FROM pg_catalog.pg_views", "FROM pg_views",
    "FROM pg_catalog.pg_class", "FROM sqlite_master", "FROM sqlite_schema",
    "SELECT pg_get_viewdef(1)", "FROM query('SELECT 1')", "FROM query_table('silver.person')",
    "FROM query_table(['silver.person', 'area'])", "FROM histogram('person', sex)",
    "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT json_serialize_plan('FROM silver__person')", "SELECT error('x')",
    "SELECT nextval('s')", "SELECT sleep_ms(1)", "FROM test_all_types()", "FROM duckdb_memory()",
    "WITH duckdb_settings AS (FROM duckdb_settings) FROM duckdb_settings",
    "SELECT * FROM (WITH pg_views AS (SELECT 1) FROM pg_views), pg_views",
    "WITH a AS (FROM duckdb_views), duckdb_views AS (SELECT 1) FROM a",
    "WITH RECURSIVE a AS (FROM pg_views UNION ALL FROM a) FROM a", "FROM silver__person",
    "FROM temp.silver__person", "FROM temp.main.silver__person", "FROM memory.silver.person",
    "FROM \"silver__person\"", "SELECT * FROM \"silver.person\".x", "FROM outside", "FROM made",
    "FROM asked", "FROM frame",
]  # fmt: skip
SEVERAL = [
    "SELECT 1; SELECT 2", "SELECT 1; COPY area TO 'out.csv'", "; COPY area TO 'out.csv'",
    "SELECT 1 /* ; */; ATTACH 'out.db'", "SELECT 1 -- \n; ATTACH 'out.db'", "/* */", "", ";",
    "EXPLAIN SELECT 1; COPY area TO 'out.csv'",
    "EXPLAIN /* /* */ SELECT 1 -- */ COPY area TO 'x'", "EXPLAIN (FORMAT json) SELECT 1",
    "SELECT 1\0; ATTACH 'out.db'", "SELECT 1；ATTACH 'out.db'",
    "SELECT '\\'; COPY area TO 'out.csv' --'", "SELECT $$ ; $$; VACUUM",
]  # fmt: skip
HIDDEN = [
    "FROM bronze.cdr", "FROM cdr", "SELECT * FROM Bronze.\"CDR\"", "FROM vault.identity",
    "FROM identity", "FROM quarantine.silver_person", "FROM ops.run", "FROM landing.x",
    "SELECT (SELECT count(*) FROM bronze.cdr)", "WITH x AS (FROM cdr) FROM x",
    "DESCRIBE bronze.cdr", "SUMMARIZE vault.identity", "EXPLAIN FROM vault.identity",
    "PIVOT cdr ON a IN ('x') USING sum(b)", "SELECT person_id FROM silver.person",
    "SELECT 1 FROM person WHERE sex = 'male'", "SELECT count(DISTINCT person_id) FROM person",
    "SELECT p.person_id FROM (FROM person) p",
]  # fmt: skip


def refusal(sql: str, **options: Any) -> BangfuError:
    with pytest.raises(BangfuError) as raised:
        Query(**options).rows(sql.replace("{home}", os.environ["BANGFU_HOME"]))
    assert asked.SECRET not in str(raised.value)
    return raised.value


@pytest.mark.parametrize("sql", [*FILE_READS, *WRITES, *SETTINGS, *PEEKS, *SEVERAL])
def test_it_is_refused(sql: str, home: Path) -> None:
    assert refusal(sql).exit_code == REFUSED


@pytest.mark.parametrize("sql", HIDDEN)
def test_it_is_private(sql: str, home: Path) -> None:
    assert refusal(sql).exit_code == PRIVATE


def test_no_variable_of_the_program_is_a_table(home: Path) -> None:
    import pandas as pd

    outside = pd.DataFrame({"a": [asked.SECRET]})
    assert refusal("FROM outside").exit_code == REFUSED
    assert len(outside) == 1


def test_no_offered_table_has_a_personal_column(home: Path, tmp_path: Path) -> None:
    for table in offered(registry()):
        asked.write(tmp_path, table, [{}])
        shown = set(open_table(str(tmp_path), table, Cut()).rows.schema.names)
        assert shown == {column.name for column in shown_columns(table)}
        assert not shown & {name for name, column in table.columns.items() if column.personal}


def test_a_column_that_is_not_declared_is_not_shown(home: Path, tmp_path: Path) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    rows = pa.table({"project_id": ["j1"], "phone_number": ["1"]})
    write_deltalake(str(tmp_path / "silver/project"), rows)
    opened = open_table(str(tmp_path), registry().tables["silver.project"], Cut())
    assert opened.rows.schema.names == ["project_id"]


# -- one area -----------------------------------------------------------------------------------

AREA = "211223101000"
SIDESTEPS = [
    "FROM silver__person", "FROM temp.main.silver__person", "FROM query_table('silver.person')",
    "FROM query('FROM silver.person')", "FROM duckdb_views()", "FROM subscriber_day",
    "FROM information_schema.views", "FROM pragma_table_info('person')",
    "SELECT * FROM person AT (VERSION => 0)",
]  # fmt: skip


@pytest.mark.parametrize("sql", SIDESTEPS)
def test_an_area_is_not_sidestepped(sql: str, home: Path) -> None:
    assert refusal(sql, area=AREA).exit_code in (REFUSED, PRIVATE)


@pytest.mark.parametrize("sql", [
    "FROM person", "FROM person WHERE true OR village_code = '211223100201'", "SUMMARIZE person",
    "DESCRIBE person", "EXPLAIN FROM person", "EXPLAIN ANALYZE FROM person",
    "FROM area UNION ALL BY NAME FROM person",
    "SELECT min(village_code), max(village_code) FROM person",
    "SELECT a.* FROM area a FULL JOIN person p ON false", "FROM person TABLESAMPLE 100%",
    "WITH person AS (FROM silver.person) FROM person",
    "SELECT * FROM area a, LATERAL (FROM person)", "SELECT list(area_code) FROM area",
])  # fmt: skip
def test_only_the_area_is_seen(sql: str, home: Path) -> None:
    told = str(Query(area=AREA).rows(sql))
    for code in asked.AREAS:
        assert code.startswith(AREA[:9]) or code not in told


# -- the second line: the engine itself, were a question to pass the first -------------------------


@pytest.fixture
def engine(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    made = _engine(Limits.of(settings()))
    made.execute("SET lock_configuration = true")
    yield made
    made.close()


@pytest.mark.parametrize("sql", [
    "FROM 'secret.csv'", "FROM read_csv('secret.csv')", "FROM read_text('/etc/passwd')",
    "FROM read_blob('secret.csv')", "FROM read_parquet('secret.parquet')", "FROM glob('*')",
    "FROM sniff_csv('secret.csv')", "FROM read_duckdb('secret.db')",
    "FROM read_json('secret.json')", "COPY (SELECT 1) TO 'out.csv'",
    "COPY (SELECT 1) TO 'out.parquet'", "ATTACH 'out.db'",
    "WITH x AS (COPY (SELECT 1) TO 'out.csv') FROM x", "ATTACH 'secret.db' AS s (READ_ONLY)",
    "INSTALL httpfs", "LOAD httpfs", "LOAD 'x.duckdb_extension'", "EXPORT DATABASE 'out'",
    "IMPORT DATABASE 'out'", "FROM 'https://localhost:1/x.csv'",
    "FROM delta_scan('lake/silver/person')", "SET enable_external_access = true",
    "SET lock_configuration = false", "SET threads = 1", "RESET memory_limit",
    "SET temp_directory = 'out'", "PRAGMA enable_profiling='json'",
    "SET python_enable_replacements = true", "SET allowed_directories = ['/']",
    "SET log_query_path = 'out'", "SET profile_output = 'out'", "SELECT getenv('SECRET')",
    "CREATE PERSISTENT SECRET s (TYPE s3)",
    "CALL enable_logging(storage = 'file', storage_path = 'out')", "FROM outside",
])  # fmt: skip
def test_the_engine_refuses_as_well(sql: str, engine: duckdb.DuckDBPyConnection) -> None:
    outside = [asked.SECRET]
    with pytest.raises(duckdb.Error):
        engine.sql(sql).fetchall()
        engine.execute(sql).fetchall()
    assert outside


def test_every_table_function_that_is_allowed_stays_in_memory(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    allowed = {"range", "generate_series", "unnest", "repeat", "json_each", "json_tree"}
    assert allowed == TABLE_FUNCTIONS
    known = {row[0] for row in engine.execute(
        "SELECT function_name FROM duckdb_functions() WHERE function_type LIKE 'table%'"
    ).fetchall()}  # fmt: skip
    for name in known - TABLE_FUNCTIONS:
        with pytest.raises(UsageError):
            read_question(engine, f"SELECT * FROM {name}('a')")
