"""Each method's page tells the truth: its example runs as printed, what it names is there."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.commands.method import app as methods
from lakehouse.conf import ROOT
from lakehouse.registry import registry

FOLDER = ROOT / "docs" / "methods"
PAGES = sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "README")
FILE = re.compile(r"^`([\w.-]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = re.compile(r"^```sh\n(.*?)^```\n\n```(json|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def lines(text: str) -> list[str]:
    """Return the lines of a printed table, without what a printer pads them with."""
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def near(told: object) -> object:
    """Return the same with every number compared to 12 digits."""
    if isinstance(told, float):
        return pytest.approx(told, rel=1e-12)
    if isinstance(told, list):
        return [near(one) for one in told]
    return {k: near(v) for k, v in told.items()} if isinstance(told, dict) else told


@pytest.mark.parametrize("name", PAGES)
def test_example_runs_as_printed(spark, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = page(name)
    for file, content in FILE.findall(text):
        Path(file).write_text(content, encoding="utf-8")
    examples = RUN.findall(text)
    assert examples
    for command, kind, printed in examples:
        program, *words = shlex.split(command.replace("\\\n", " "))
        assert (program, words[:2]) == ("bangfu", ["method", name])
        done = CliRunner().invoke(app, words)
        assert done.exception is None, (command, done.exception)
        if kind == "json":
            assert json.loads(done.stdout) == near(json.loads(printed))
        else:
            assert lines(done.stdout) == lines(printed)


@pytest.mark.parametrize("name", PAGES)
def test_tables_jobs_and_code_that_a_page_names_are_there(name):
    text = page(name)
    tables = re.findall(r"`((?:conf|bronze|silver|gold)\.\w+)`", text)
    files = re.findall(r"`(jobs/[\w/]+\.py)`", text)
    assert set(tables) <= set(registry().tables)
    assert [file for file in files if not (ROOT / file).is_file()] == []
    # A table that uses the method is made by a job that imports it.
    used = [file for file in files if file.startswith("jobs/methods/")]
    modules = [file.removesuffix(".py").replace("/", ".") for file in used]
    assert modules
    for table in tables:
        job = registry().jobs[table].function.__module__
        source = (ROOT / f"{job.replace('.', '/')}.py").read_text(encoding="utf-8")
        assert f"{job.replace('.', '/')}.py" in files
        assert any(f"from {module} import" in source for module in modules), (table, modules)


def test_every_method_has_a_page_that_the_index_names():
    commands = {
        command.name or command.callback.__name__ for command in methods.registered_commands
    }
    assert commands <= set(PAGES)
    index = page("README")
    assert [name for name in PAGES if f"({name}.md)" not in index] == []


@pytest.mark.parametrize("name", PAGES)
def test_page_names_every_option(name):
    helped = CliRunner().invoke(app, ["method", name, "--help"], env={"COLUMNS": "200"}).output
    options = set(re.findall(r"--[a-z][\w-]+", helped)) - {"--help"}
    assert [option for option in sorted(options) if f"`{option}" not in page(name)] == []
