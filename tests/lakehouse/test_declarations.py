"""A wrong declaration fails on import with the table's name. No Spark here."""

from collections.abc import Callable
from typing import Any

import pytest

from lakehouse.errors import DeclarationError
from lakehouse.job import job
from lakehouse.schemas import codes, fields
from lakehouse.table import Column, Release, Rule, Table

SAYS: dict[str, Any] = {
    "layer": "silver", "key": ("n_id",), "area": "area_code", "purpose": "reference", "owner": "us",
}  # fmt: skip


def declare(says: dict[str, Any], **members: Any) -> type[Table]:
    body = {"n_id": Column("string", "Number."), "area_code": fields.AREA_CODE,
            "__doc__": "One thing."} | members  # fmt: skip
    return type("Thing", (Table,), body, **says)


def test_the_right_declaration_stands() -> None:
    thing = declare(SAYS, is_fine=Rule("n_id <> ''", "Never empty."))
    assert thing.name == "silver.thing"
    assert list(thing.columns) == ["n_id", "area_code"]
    assert (thing.write, thing.partition, thing.release) == ("merge", None, None)


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "misspelt keyword": (lambda: declare(SAYS | {"ownr": "us"}), "Did you mean 'owner'?"),
    "no owner": (lambda: declare({k: v for k, v in SAYS.items() if k != "owner"}), "owner="),
    "no area": (lambda: declare({k: v for k, v in SAYS.items() if k != "area"}), "area="),
    "no purpose": (lambda: declare({k: v for k, v in SAYS.items() if k != "purpose"}), "purpose="),
    "empty owner": (lambda: declare(SAYS | {"owner": ""}), "owner"),
    "key column absent": (lambda: declare(SAYS | {"key": ("m_id",)}), "no column 'm_id'"),
    "area column absent": (lambda: declare(SAYS | {"area": "aera_code"}), "'area_code'?"),
    "partition absent": (lambda: declare(SAYS | {"partition": "day"}), "no column 'day'"),
    "unknown layer": (lambda: declare(SAYS | {"layer": "tin"}), "layer='tin'"),
    "unknown write": (lambda: declare(SAYS | {"write": "upsert"}), "write='upsert'"),
    "no docstring": (lambda: declare(SAYS, __doc__=""), "docstring"),
    "null key": (lambda: declare(SAYS, n_id=Column("string", "x", nullable=True)), "may be null"),
    "unknown type": (lambda: declare(SAYS, age=Column("itn", "Age.")), "'int'?"),
    "bounds on text": (lambda: declare(SAYS, a=Column("string", "A.", least=0)), "bounds"),
    "codes on a date": (lambda: declare(SAYS, a=Column("date", "A.", codes=codes.SEX)), "code"),
    "personal and released": (
        lambda: declare(
            SAYS | {"release": Release(count="n_people", at_least=16)},
            n_people=Column("bigint", "People.", unit="person"),
            person_id=fields.PERSON_ID,
        ),
        "personal column 'person_id'",
    ),
    "released by no column": (
        lambda: declare(SAYS | {"release": Release(count="n_people", at_least=16)}),
        "'n_people'",
    ),
    "two units of one name": (
        lambda: declare(SAYS, night_share=Column("double", "Share.", unit="percent")),
        "one name, one meaning",
    ),
    "two types of one name": (
        lambda: declare(SAYS, n_nights=Column("string", "Nights.", unit="night")),
        "one name, one meaning",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_declaration_names_the_table(wrong: str) -> None:
    import lakehouse.schemas.telecom  # noqa: F401  (declares night_share, n_nights)

    make, told = WRONG[wrong]
    with pytest.raises(DeclarationError) as raised:
        make()
    assert "silver.thing" in str(raised.value) or "tin.thing" in str(raised.value)
    assert told in str(raised.value)


def test_a_job_that_disagrees_with_its_function_fails() -> None:
    thing = declare(SAYS)

    def made(rows: Any, *, least: int) -> Any:
        return rows

    with pytest.raises(DeclarationError, match="takes the frames"):
        job(thing, cells=thing)(made)
    with pytest.raises(DeclarationError, match="no input of it"):
        job(thing, rows=thing, loads="cells")(made)
