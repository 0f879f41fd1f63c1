"""The overview in a real browser: it draws, its script runs, it fits a phone and prints."""

import re
import subprocess
from pathlib import Path

import pytest

from jobs.pages import overview
from lakehouse.ops import Ops
from tests import needs
from tests.pages import county

# Without these a browser asks the network for updates, and this page must need none.
QUIET = [
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
# Told by the page itself once its script has run: how wide its content is.
ASK = "<script>document.title='width '+document.documentElement.scrollWidth</script></body>"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BANGFU_HOME", str(tmp_path_factory.mktemp("home")))
        ops = Ops()
        county.record(ops)
        made = county.make(tmp_path_factory.mktemp("lake"))
        out = tmp_path_factory.mktemp("page") / "overview.html"
        written = overview.write(str(made.root), ops, county.AS_OF, out)
    written.write_text(written.read_text().replace("</body>", ASK))
    return written


def chromium(page: Path, folder: Path, *words: str) -> str:
    browser = needs.program("chromium", "chromium fonts-wqy-microhei")
    done = subprocess.run(
        [browser, *QUIET, f"--user-data-dir={folder / 'profile'}", *words, page.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_it_fits_a_phone_and_its_script_runs(page: Path, tmp_path: Path) -> None:
    dom = chromium(page, tmp_path, "--window-size=500,900", "--dump-dom")
    told = re.search(r"<title>width (\d+)</title>", dom)
    assert told is not None
    assert int(told[1]) <= 500
    assert "<circle" in dom


def test_it_prints(page: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.pdf"
    chromium(page, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={out}")
    assert out.read_bytes().startswith(b"%PDF")
    assert out.stat().st_size > 20_000
