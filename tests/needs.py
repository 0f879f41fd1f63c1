"""What a test needs from the machine: absent, it skips on a laptop and fails where CI=true."""

import shutil

import pytest

from lakehouse.conf import is_ci


def program(name: str, package: str) -> str:
    """Return the path of a program, or skip (fail in CI) saying which package brings it."""
    found = shutil.which(name)
    if found is None:
        told = f"{name} is not installed: `apt-get install {package}` brings it"
        pytest.fail(told) if is_ci() else pytest.skip(told)
    return found
