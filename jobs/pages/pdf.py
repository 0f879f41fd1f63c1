"""A page printed to PDF by a browser of this machine."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from lakehouse.errors import InputMissing

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PACKAGES = "chromium fonts-wqy-microhei"
OTHER_FONT = "fonts-noto-cjk"
LONGEST_S = 180
# Headless, and with none of the requests that a browser makes on its own account.
QUIET = (
    *("--headless=new", "--disable-gpu", "--no-first-run", "--no-default-browser-check"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--disable-default-apps", "--metrics-recording-only"),
)


def browser() -> str:
    """Return the path of a browser that prints. Raises InputMissing naming the packages."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise InputMissing(
            f"--pdf needs Chromium and a Chinese font: `apt-get install {PACKAGES}` (or "
            f"{OTHER_FONT} for the font). The HTML page prints from any browser as well."
        )
    return found


def has_chinese_font() -> bool:
    """Tell whether fontconfig knows a font with Chinese letters; True where it cannot be asked."""
    asked = shutil.which("fc-list")
    if asked is None:
        return True
    done = subprocess.run([asked, ":lang=zh", "family"], capture_output=True, text=True)
    return done.returncode != 0 or bool(done.stdout.strip())


def print_pdf(page: Path, out: Path) -> Path:
    """Print a page to PDF and return its path. Raises InputMissing where that does not work."""
    program = browser()
    if not has_chinese_font():
        raise InputMissing(
            "--pdf: no font here has Chinese letters, so they would print as boxes. "
            f"`apt-get install fonts-wqy-microhei` (or {OTHER_FONT}) brings one."
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        # Chromium's sandbox does not start for root, as in containers; the page is our own.
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [program, *QUIET, *sandbox, f"--user-data-dir={profile}",
                   "--no-pdf-header-footer", f"--print-to-pdf={out.absolute()}",
                   page.absolute().as_uri()]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            raise InputMissing(f"{program} did not print {page} within {LONGEST_S} s.") from None
    if done.returncode or not out.is_file():
        raise InputMissing(f"{program} could not print {page} (exit code {done.returncode}).")
    return out
