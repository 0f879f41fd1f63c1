"""What the tests of sources share: a real database, and mappings of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import postgres

MAPPING = """
title = "就业登记"
source = "labour"
owner = "labour"
purpose = "statistics"
extent = "delta"
every = "day"
format = "FORMAT"
[columns]
job_id = { head = "id", type = "integer", meaning = "Number." }
wage = { head = "wage", type = "decimal", meaning = "Wage.", optional = true }
told_at = { head = "told_at", type = "timestamp", formats = ["yyyy-MM-dd HH:mm:ss"], meaning = "." }
note = { head = "note", type = "text", meaning = "Note.", optional = true }
"""


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture
def mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Mappings `job_jsonl`, `job_parquet`, `job_csv`, and a landing folder, which is returned."""
    folder = tmp_path / "feeds"
    folder.mkdir()
    for form in ("jsonl", "parquet", "csv"):
        text = MAPPING.replace("FORMAT", form)
        (folder / f"job_{form}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("BANGFU_FEEDS", str(folder))
    return tmp_path / "landing"
