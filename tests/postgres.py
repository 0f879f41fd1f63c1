"""A PostgreSQL of the test run's own: made, started on loopback, stopped."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lakehouse.conf import is_ci

HOW = "PostgreSQL is not here: apt-get install postgresql"


def _program(name: str) -> str:
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None
    )
    if found is None:
        if is_ci():
            pytest.fail(HOW)
        pytest.skip(HOW)
    return found


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Give the address of a database that lives as long as the block."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    # The server refuses to be root's.
    as_whom: dict[str, Any] = {"user": "postgres"} if os.geteuid() == 0 else {}
    data = folder / "data"
    data.mkdir()
    if as_whom:
        for path in (folder, data):
            shutil.chown(path, "postgres")
        for above in folder.parents:
            if above.stat().st_uid == 0 and above != Path("/") and "pytest" in above.name:
                above.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"check": True, "capture_output": True, "cwd": "/", **as_whom}
    subprocess.run([initdb, "-D", data, "-U", "bangfu", "-A", "trust", "-E", "UTF8"], **quiet)
    options = f"-h 127.0.0.1 -p {port} -k {data} -F"
    log = ["-l", data / "log"]
    subprocess.run([pg_ctl, "-D", data, *log, "-w", "-o", options, "start"], **quiet)
    try:
        yield f"postgresql+psycopg://bangfu@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([pg_ctl, "-D", data, "-m", "immediate", "-t", "300", "stop"], **quiet)
