"""Files of one's own as a delivery: put where landing looks, with the manifest that it checks."""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakehouse.delivery import MANIFEST, READY, Delivery, Refused, period_form, sha256
from lakehouse.errors import InputMissing, UsageError
from lakehouse.feed import Feed
from lakehouse.stream import count_rows


def pack(files: list[Path], feed: Feed, period: str, landing: Path) -> Delivery:
    """Copy files into landing as one delivery of a feed, complete with manifest and flag.

    It is named after its content: the same files packed twice are one delivery. Raises
    InputMissing where a file is not there, UsageError for a period of another form.
    """
    form = period_form(feed)
    try:
        datetime.strptime(period, form)
    except ValueError:
        example = "2015-12-31" if feed.every == "day" else "2015-12"
        raise UsageError(
            f"--period {period!r}: {feed.name} is delivered by {feed.every}: write {example}."
        ) from None
    if twice := {file.name for file in files if [f.name for f in files].count(file.name) > 1}:
        raise UsageError(f"Two files are called {sorted(twice)[0]}: a delivery has one of a name.")
    told = [_told(file, feed) for file in files]
    content = "\n".join(sorted(one["sha256"] for one in told))
    name = hashlib.sha256(content.encode()).hexdigest()[:12]
    folder = landing / feed.source / feed.name / period / name
    delivery = Delivery(folder, feed.source, feed.name, period, name)
    if not (folder / READY).exists():
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, folder / file.name)
        (folder / MANIFEST).write_text(_manifest(feed, period, told), encoding="utf-8")
        (folder / READY).touch()
    return delivery


def _told(file: Path, feed: Feed) -> dict[str, Any]:
    """Return what a manifest tells of a file. A file that cannot be counted is told as empty."""
    if not file.is_file():
        raise InputMissing(f"{file} is not there, or no file.")
    try:
        rows = count_rows(file, feed)
    except Refused:
        # Landing says what is wrong with it, and keeps that in the ledger.
        rows = 0
    size = file.stat().st_size
    return {"name": file.name, "bytes": size, "sha256": sha256(file), "rows": rows}


def _manifest(feed: Feed, period: str, told: list[dict[str, Any]]) -> str:
    return json.dumps(
        {
            "feed": feed.name,
            "period": period,
            "extent": feed.extent,
            "delivered_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "supersedes": None,
            "files": told,
        },
        ensure_ascii=False,
        indent=1,
    )
