"""The report in a real browser: it draws, its script runs, it asks nobody, it prints."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jobs.pages import pdf, report
from jobs.pages.figures import read
from lakehouse.conf import settings
from lakehouse.ops import Ops
from tests import needs
from tests.pages import county

# What Chromium asks on its own account has no page behind it.
ITS_OWN = "not an origin"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BANGFU_HOME", str(tmp_path_factory.mktemp("home")))
        conf = settings()
        county.record(Ops(conf))
        made = county.make(tmp_path_factory.mktemp("lake"))
        figures = read(str(made.root), "211223")
        return report.write(
            conf, Ops(conf), figures, tmp_path_factory.mktemp("page") / "report.html"
        )


def chromium(page: Path, folder: Path, *words: str) -> str:
    browser = needs.program("chromium", pdf.PACKAGES)
    done = subprocess.run(
        [browser, *pdf.QUIET, "--no-sandbox", f"--user-data-dir={folder / 'profile'}", *words,
         page.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def asked(page: Path, folder: Path) -> list[str]:
    """Return the addresses that a page makes a browser ask for, from the browser's own log."""
    log = folder / "net.json"
    offline = "--host-resolver-rules=MAP * ~NOTFOUND"
    chromium(page, folder, offline, f"--log-net-log={log}", "--virtual-time-budget=2000",
             "--dump-dom")  # fmt: skip
    told: dict[str, Any] = json.loads(log.read_text())
    starts = told["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    found = [event["params"] for event in told["events"]
             if event["type"] == starts and "url" in event.get("params", {})]  # fmt: skip
    return [one["url"] for one in found if one.get("initiator") != ITS_OWN]


def test_it_asks_nobody(page: Path, tmp_path: Path) -> None:
    assert asked(page, tmp_path) == []


def test_a_page_that_asks_would_be_noticed(page: Path, tmp_path: Path) -> None:
    """Hold the test before against a page with one picture from elsewhere."""
    other = tmp_path / "other.html"
    picture = '<img src="https://example.invalid/a.png"></body>'
    other.write_text(page.read_text().replace("</body>", picture))
    assert asked(other, tmp_path) == ["https://example.invalid/a.png"]


# A window of a headless Chromium is 500 pixels wide at least; a frame may be less.
@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_no_wider_than_its_window(page: Path, tmp_path: Path, width: int) -> None:
    framed = tmp_path / "framed.html"
    inner = tmp_path / "inner.html"
    tell = "<script>parent.postMessage(document.documentElement.scrollWidth,'*')</script></body>"
    inner.write_text(page.read_text().replace("</body>", tell))
    framed.write_text(
        "<script>onmessage=told=>document.title='width '+told.data</script>"
        f'<iframe src="{inner.as_uri()}" width="{width}" height="900" style="border:0"></iframe>'
    )
    size = f"--window-size={width + 100},1000"
    dom = chromium(framed, tmp_path, size, "--virtual-time-budget=2000", "--dump-dom")
    told = re.search(r"<title>width (\d+)</title>", dom)
    assert told is not None and int(told[1]) <= width


def test_its_script_runs(page: Path, tmp_path: Path) -> None:
    other = tmp_path / "focus.html"
    focus = "<script>document.querySelector('.mark').focus()</script></body>"
    other.write_text(page.read_text().replace("</body>", focus))
    dom = chromium(other, tmp_path, "--dump-dom")
    assert re.search(r'<div class="tip" style="[^"]*">合成', dom), "the tip of the village in focus"


def test_it_prints(page: Path, tmp_path: Path) -> None:
    needs.program("chromium", pdf.PACKAGES)
    out = pdf.print_pdf(page, tmp_path / "deep" / "page.pdf")
    assert out.read_bytes().startswith(b"%PDF") and out.stat().st_size > 20_000


def test_map_and_legend_print_on_one_page(page: Path, tmp_path: Path) -> None:
    needs.program("chromium", pdf.PACKAGES)
    reader = needs.program("pdftotext", "poppler-utils")
    out = pdf.print_pdf(page, tmp_path / "page.pdf")
    text = subprocess.run([reader, str(out), "-"], capture_output=True, text=True).stdout
    pages = [re.sub(r"\s", "", one) for one in text.split("\f")]
    for legend, of_map in (("协调度D的等级与村数", "10公里"), ("建议纳入户占登记户", "10公里")):
        [one] = [each for each in pages if legend in each]
        assert of_map in one and "村和乡镇的位置为合成" in one
