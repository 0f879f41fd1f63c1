"""The questions of docs/query.md and its notebook, run on a small county."""

import re
import shlex
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from lakehouse.cli import main
from lakehouse.conf import ROOT
from tests.pages import county

TEXT = (ROOT / "docs/query.md").read_text(encoding="utf-8")
NOTEBOOK = ROOT / "docs/query.ipynb"
# A page of its own: the word before it stands for the column it sums.
EXPECTED = ["乡镇", "村数", "lagging.csv", "coupling.html", "四人及以上"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    made = county.make(home / "lake")
    areas = [row | {"valid_from": "2000-01-01"} for row in made.rows["silver.area"]]
    county.write(home / "lake", "silver.area", areas)
    return home


def questions() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    return [shlex.split(block.replace("\\\n", " ")) for block in blocks]


def test_the_text_asks_five_questions() -> None:
    assert len(questions()) == len(EXPECTED) == 5
    assert all(words[:2] == ["bangfu", "sql"] for words in questions())


@pytest.mark.parametrize("number", range(5))
def test_a_question_of_the_text_is_answered(
    number: int, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:  # fmt: skip
    monkeypatch.setenv("BANGFU_HOME", str(made))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", questions()[number])
    with pytest.raises(SystemExit) as ended:
        main()
    out, error = (one.decode() for one in capsysbinary.readouterr())
    assert ended.value.code in (0, None), error
    assert EXPECTED[number] in out + error
    written = list(tmp_path.iterdir())
    if written:
        assert [path.name for path in written] == [EXPECTED[number]]
        assert re.match(r"[1-9]\d* rows", error)
    else:
        assert re.search(r"^[1-9]\d* rows", out, re.MULTILINE)


def test_the_limits_of_the_text_are_those_of_conf() -> None:
    from lakehouse.conf import settings
    from lakehouse.query import Limits

    limits = Limits.of(settings())
    told = {"seconds": f"{limits.seconds:g}", "memory": limits.memory,
            "rows": f"{limits.rows:,}", "threads": str(limits.threads)}  # fmt: skip
    for name, value in told.items():
        assert re.search(rf"`{name}` \| {value}\b", TEXT), name


def test_the_notebook_runs_and_holds_no_output(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BANGFU_HOME", str(made))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": tmp_path}}).execute()
    told = {kind for cell in code for output in cell.outputs for kind in output.get("data", {})}
    assert {"text/html", "application/vnd.plotly.v1+json"} <= told
    shown = str([output for cell in code for output in cell.outputs])
    assert "合成1镇" in shown and "net_income" in shown
