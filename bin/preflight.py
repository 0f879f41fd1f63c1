"""Say what is missing before anything is installed, and bring uv. Needs Python only."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

JAVA = (
    "Java 17 is needed and was not found.\n"
    "  Debian, Ubuntu: apt-get install openjdk-17-jre-headless\n"
    "  macOS:          brew install openjdk@17\n"
    "  elsewhere:      Temurin 17 from adoptium.net; set JAVA_HOME to it"
)


def java_version() -> int:
    """Return the major version of the Java that Spark would start, 0 where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not java or not Path(java).exists():
        return 0
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    parts = said.split('"')[1].split(".") if '"' in said else ["0"]
    return int(parts[1] if parts[0] == "1" else parts[0])


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
    version = java_version()
    if version < 17:
        print(JAVA if version == 0 else f"Java {version} is too old. {JAVA}", file=sys.stderr)
        return 11
    if not shutil.which("uv") and not bring_uv(Path(".uv")):
        print("uv is missing and pip could not bring it (no pip, or no way to the package index).\n"
              "  Debian, Ubuntu: apt-get install python3-venv; or install uv by hand", file=sys.stderr)
        return 11
    return 0


if __name__ == "__main__":
    sys.exit(main())
