"""`bangfu demo` killed half-way goes on where it stopped; then the README's commands run on it."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "lakehouse"]
# A small county: compiling generated code would cost more than running it.
LIGHT = {
    "BANGFU__SPARK__spark.sql.codegen.wholeStage": "false",
    "BANGFU__SPARK__spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "BANGFU__SPARK__spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "BANGFU__SPARK__spark.sql.shuffle.partitions": "1",
}
SMALL = ["demo", "--people", "600", "--days", "2", "--json"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def told(home: Path) -> dict[str, Any]:
    """Kill the demo (kill -9) once tables are being made, then run it to its end."""
    env = os.environ | LIGHT | {"BANGFU_HOME": str(home)}
    first = subprocess.Popen(
        [*COMMAND, *SMALL], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=env,
        start_new_session=True,
    )  # fmt: skip
    assert first.stderr is not None
    for line in first.stderr:
        if line.strip().startswith("silver.cell:"):
            break
    os.killpg(first.pid, signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    second = subprocess.run([*COMMAND, *SMALL], capture_output=True, text=True, env=env)
    assert second.returncode == 0, second.stderr[-3000:]
    # What was made before the kill is not made again.
    assert "silver.area: nothing changed" in second.stderr
    return json.loads(second.stdout[second.stdout.index("{\n") :])


def test_it_ends_with_every_row_accounted_for(told: dict[str, Any]) -> None:
    steps = {step["step"]: step for step in told["steps"]}
    assert all(step["adds_up"] for step in steps.values())
    assert {"bronze.person_register", "silver.person", "gold.need_capacity_coupling"} <= set(steps)
    assert steps["silver.person"]["read"] > 550


def test_it_is_held_against_the_truth(told: dict[str, Any]) -> None:
    truth = told["truth"]
    assert 0 <= truth["exclusion_error"] <= 1
    assert truth["estimated_rural_headcount_ratio"] == pytest.approx(
        truth["true_rural_headcount_ratio"], abs=0.15
    )
    assert told["model"]["version"] == "1"
    assert told["used"]["cpu_seconds"] > 1


def test_nothing_was_made_twice(told: dict[str, Any], home: Path) -> None:
    from lakehouse.conf import settings
    from lakehouse.ops import Ops

    assert told
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BANGFU_HOME", str(home))
        runs = Ops(settings()).runs(limit=1000)
    done = [(run["table_name"], run["as_of"]) for run in runs if run["state"] == "done"]
    assert len(done) == len(set(done))
    assert ("gold.need_capacity_coupling", date(2015, 12, 31)) in done


def test_the_page_stands_alone(told: dict[str, Any], home: Path) -> None:
    page = Path(told["page"])
    assert page == home / "docs" / "report-211223-2015-12-31.html"
    text = page.read_text(encoding="utf-8")
    assert "耦合协调" in text and "贫困预测（poverty），第 1 版" in text
    assert not re.search(r"""(?:src|href)=["']https?://""", text)


def readme_commands() -> list[str]:
    text = (ROOT / "README.md").read_text() + (ROOT / "docs" / "lineage.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines() if line.strip()]
    assert {line for line in lines if line.startswith("make ")} == {"make demo", "make test"}
    return [line for line in lines if not line.startswith("make ")]


@pytest.mark.parametrize("line", readme_commands())
def test_a_command_of_the_readme_runs(
    line: str, told: dict[str, Any], home: Path, tmp_path: Path
) -> None:
    program, *words = shlex.split(line)
    assert program in (".venv/bin/bangfu", "bangfu")
    assert told["page"]
    # What a command writes beside the lake goes to the test's own folder.
    aside = ("site", ".bangfu/")
    words = [str(tmp_path / word) if word.startswith(aside) else word for word in words]
    done = subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True,
        env=os.environ | LIGHT | {"BANGFU_HOME": str(home)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
