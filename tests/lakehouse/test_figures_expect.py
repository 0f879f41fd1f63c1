"""[expect] of a mapping: what can be said, and every slip of the pen with its nearest word."""

from pathlib import Path

import pytest

from lakehouse.errors import DeclarationError
from lakehouse.expect import Expect, check_registers, expected
from lakehouse.feed import feed
from lakehouse.unlisted import may_be_shown

TYPES = {"cell_id": "text", "caller_id": "identity", "kind": "code"}
FILE = Path("mine.toml")


def read(said: object) -> dict[str, Expect]:
    return expected(FILE, {"expect": said}, TYPES)


def test_what_can_be_said() -> None:
    assert read({"rows": {"severity": "warn", "least": 10}}) == {"rows": Expect("warn", 10)}
    assert read({"psi": {"severity": "off"}, "nulls": {"cell_id": {"most": 0.4}}}) == {
        "psi": Expect("off"),
        "nulls.cell_id": Expect(most=0.4),
    }
    assert feed("cdr").expect["located.caller_cell_id"].into == ("cell", "cell_id")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"row": {}}, "expect.row: 'row' is unknown.* Did you mean 'rows'"),
        ({"rows": {"severty": "off"}}, "Did you mean 'severity'"),
        ({"rows": {"severity": "hld"}}, "Did you mean 'hold'"),
        ({"rows": {"most": "many"}}, "expect.rows.most is 'many'; write a number"),
        ({"nulls": {"cell": {"most": 1}}}, "Did you mean 'cell_id'"),
        ({"nulls": {"most": 1}}, "expect.nulls: 'most' is unknown"),
        ({"psi": {"cell_id": {"most": 1}}}, "'cell_id' is unknown; known are kind"),
        ({"rows": 5}, "expect.rows is written as"),
        ({"located": {"cell_id": {"in": "cell"}}}, "names a register and its column"),
    ],
)
def test_a_slip_is_named(said: object, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        read(said)


def test_a_register_that_is_none() -> None:
    mine = {"mine": {"located.cell_id": Expect(into=("cel", "cell_id"))}}
    with pytest.raises(DeclarationError, match=r"mine\.toml.*Did you mean 'cell'"):
        check_registers(mine, {"cell": ["cell_id"]})


def test_only_what_can_be_nothing_but_a_code_is_shown() -> None:
    assert may_be_shown("其他社保", 16, 16)
    assert not may_be_shown("其他社保", 15, 16)
    assert not may_be_shown("211223196005", 900, 16)
    assert not may_be_shown("辽宁省铁岭市西丰县振兴镇大兴村", 900, 16)
