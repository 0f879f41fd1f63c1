"""Images and compose file, as far as they can be checked without an engine."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lakehouse.conf import ROOT

DOCKER = ROOT / "docker"
COMPOSE = DOCKER / "compose.yaml"
TEXT = COMPOSE.read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def checked(*words: str | Path) -> None:
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_is_one() -> None:
    """By the compose specification's own schema; and what it asks of a reader is in the example."""
    checked(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)
    asked = set(re.findall(r"\$\{(\w+)", TEXT))
    given = re.findall(r"^(\w+)=", (DOCKER / "example.env").read_text(encoding="utf-8"), re.M)
    assert asked == set(given)
    assert not re.search(r"(?i)(password|secret|key):\s*[a-z0-9]", TEXT), "a secret is written down"


def test_the_image_is_one() -> None:
    checked(BIN / "hadolint", DOCKER / "Dockerfile")
    lines = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    for copied in re.findall(r"^COPY (?:--chown=\S+ )?((?:[\w./]+ )+)", lines, re.M):
        for one in copied.split()[:-1] or copied.split():
            assert (ROOT / one).exists(), one


@pytest.mark.parametrize("script", ["spark.sh", "databases.sh"])
def test_scripts_are_shell(script: str) -> None:
    checked("sh", "-n", DOCKER / script)


def test_services_fit_together() -> None:
    """What a service waits for is there, healthy or finished; volumes are declared."""
    told = yaml.safe_load(TEXT)
    for name, one in told["services"].items():
        for other, how in one.get("depends_on", {}).items():
            is_checked = "healthcheck" in told["services"][other]
            assert (how["condition"] == "service_healthy") == is_checked, (name, other)
        for volume in one.get("volumes", []):
            source = volume.split(":")[0]
            assert source in told["volumes"] or (DOCKER / source).exists(), (name, source)
        for port in one.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is open to everybody"
