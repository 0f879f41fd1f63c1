"""One test over every declaration, job, feed and parameter. No Spark session."""

import re

import pytest

from lakehouse.registry import registry
from lakehouse.schemas import codes
from lakehouse.table import Table

REGISTRY = registry()
TABLES = list(REGISTRY.tables.values())
SUFFIXES = {"_cny": "yuan", "_m": "metre", "_km": "kilometre", "_s": "second", "_share": "share"}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_names_and_units_agree(table: type[Table]) -> None:
    for column in table.columns.values():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name), column.name
        if table.layer == "bronze":
            continue
        for suffix, unit in SUFFIXES.items():
            if column.name.endswith(suffix):
                assert column.unit == unit, f"{table.name}.{column.name}"
        if column.name.startswith("n_"):
            assert column.unit, f"{table.name}.{column.name} counts what?"
        if column.name.startswith(("is_", "has_")):
            assert column.type == "boolean", f"{table.name}.{column.name}"
        if column.name.endswith("_date"):
            assert column.type == "date", f"{table.name}.{column.name}"
        if column.name.endswith("_at"):
            assert column.type == "timestamp", f"{table.name}.{column.name}"
        assert column.meaning.endswith("."), f"{table.name}.{column.name}"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_link_has_a_target_and_every_purpose_is_known(table: type[Table]) -> None:
    assert table.purpose in codes.PURPOSES
    for column in table.columns.values():
        if column.link:
            assert column.link in REGISTRY.tables, f"{table.name}.{column.name}"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_has_a_job_or_a_source(table: type[Table]) -> None:
    layer, bare = table.name.split(".")
    if table.name in REGISTRY.histories:
        assert REGISTRY.histories[table.name] == table.name.removesuffix("_history")
        assert REGISTRY.inputs(table.name) == [REGISTRY.histories[table.name]]
    elif layer in ("silver", "gold"):
        module = REGISTRY.jobs[table.name].function.__module__
        if table.__module__ == "conf.feeds":  # made by its mapping
            assert (layer, module) == ("silver", "lakehouse.feed_table")
            assert bare in REGISTRY.feeds
        else:
            assert module == f"jobs.{layer}.{bare}"  # one file per table, named as the table
    elif layer == "bronze":
        assert bare in REGISTRY.feeds
    elif layer == "conf":
        from lakehouse.reference import read_rows

        assert read_rows(table)
        assert {"source", "confirmed"} <= set(table.columns)


def test_every_parameter_has_a_value_and_a_source() -> None:
    for job in REGISTRY.jobs.values():
        job.parameter_values()
    from lakehouse.conf import method_parameters

    for table, parameters in method_parameters().items():
        assert table in REGISTRY.tables or table.startswith("model.")
        assert all(parameter["source"] for parameter in parameters.values())


def test_inputs_come_before_outputs() -> None:
    order = REGISTRY.order()
    for name in order:
        for parent in REGISTRY.inputs(name):
            if parent in REGISTRY.jobs:
                assert order.index(parent) < order.index(name)


def test_nothing_personal_is_released_and_tokens_are_personal() -> None:
    for table in TABLES:
        for column in table.columns.values():
            if column.name in ("person_id", "household_id", "subscriber_id", "head_person_id"):
                assert column.personal, f"{table.name}.{column.name}"
