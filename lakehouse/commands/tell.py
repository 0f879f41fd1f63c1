"""Commands that tell people outside the lake: report."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from lakehouse.commands import AsJson, DryRun, as_of_option, print_json, say
from lakehouse.errors import UsageError

AreaCode = Annotated[
    str,
    typer.Option(
        "--area",
        metavar="CODE",
        help="Province, city, county or town: 2 to 12 digits; zeros at the end say nothing.",
    ),
]
# Gold may not have been made yet for the last day delivered: here the default is what it holds.
AnswerDate = Annotated[
    date | None,
    as_of_option("The valid date; by default the newest that gold holds."),
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="FILE.html", help="Where to write; by default among the lake's pages."),
]


def report(
    area: AreaCode,
    as_of: AnswerDate = None,
    out: Out = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print it to PDF too (Chromium).")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write one area's report (报告): a page in Chinese that stands alone, offline.

    Map, reasons, poverty with its errors, what was set aside, what changed, the model, sources.
    No figure that too few people stand behind, nor one that follows by subtraction.

    Examples: `bangfu report --area 211223`, `bangfu report --area 211223101 --pdf --out town.html`
    """
    from jobs.pages import report as pages
    from jobs.pages.figures import read
    from jobs.pages.pdf import browser, print_pdf
    from lakehouse.conf import settings
    from lakehouse.ops import Ops

    if out and (out.is_dir() or out.suffix == ".pdf"):
        raise UsageError(f"--out {out}: name the page to write, such as report.html.")
    conf = settings()
    if pdf:
        browser()
    figures = read(conf.lake, area, as_of)
    page = out or pages.path_of(conf, figures)
    printed = page.with_suffix(".pdf") if pdf else None
    told: dict[str, Any] = {
        "area": figures.area.digits,
        "name": figures.area.full_name(),
        "as_of": figures.as_of,
        "compared_with": figures.before,
        "page": str(page),
        "pdf": str(printed) if printed else None,
    }
    if not dry_run:
        try:
            pages.write(conf, Ops(conf), figures, page)
        except OSError as error:
            raise UsageError(f"{page} cannot be written: {error.strerror}.") from None
        if printed:
            print_pdf(page, printed)
    if as_json:
        print_json(told | {"written": not dry_run})
        return
    say(f"{'Would write' if dry_run else 'Written'}: {told['name']} as of {told['as_of']}.")
    for path in (page, printed):
        if path:
            print(path)
