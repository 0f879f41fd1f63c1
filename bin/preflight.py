"""Say what is missing before anything is installed, and bring uv. Needs Python only."""

import shutil
import subprocess
import sys
from pathlib import Path

def bring_uv(folder: Path) -> bool:
    """Install uv into `folder`/bin, by a virtual environment or by plain pip."""
    if (folder / "bin" / "uv").exists():
        return True
    ways = (
        [[sys.executable, "-m", "venv", str(folder)], [str(folder / "bin" / "pip"), "install", "-q", "uv"]],
        [[sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), "uv"]],
    )
    for way in ways:
        try:
            if all(subprocess.run(step, stderr=subprocess.DEVNULL).returncode == 0 for step in way):
                return (folder / "bin" / "uv").exists()
        except OSError:
            continue
        finally:
            if not (folder / "bin" / "uv").exists():
                shutil.rmtree(folder, ignore_errors=True)
    return False


def main() -> int:
    """Return 0 where Python, Java and uv will do, else 11 after saying what to do."""
    if not (3, 11) <= sys.version_info[:2] < (3, 13):
        print(f"Python 3.11 or 3.12 is needed; this is {sys.version.split()[0]}.\n"
              "  Say which: make demo PYTHON=python3.11", file=sys.stderr)  # fmt: skip
        return 11
    # Only now: these are written for a Python of today. They need nothing that is installed.
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from lakehouse.errors import InputMissing
    from lakehouse.spark import require_java

    try:
        require_java()
    except InputMissing as missing:
        print(missing, file=sys.stderr)
        return missing.exit_code
    if not shutil.which("uv") and not bring_uv(Path(".uv")):
        print("uv is missing and pip could not bring it (no pip, or no way to the package index).\n"
              "  Debian, Ubuntu: apt-get install python3-venv; or install uv by hand", file=sys.stderr)
        return 11
    return 0


if __name__ == "__main__":
    sys.exit(main())
