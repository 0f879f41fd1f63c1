"""`bangfu`, the command line. Each command is a thin layer over House; help comes from here.

Answers go to standard output (one JSON object with --json), progress and errors to standard
error. A user's mistake ends with its message and exit code, without a traceback.
"""

import sys
from typing import NoReturn

import typer

from lakehouse.commands import (
    alarms,
    ask,
    backup,
    deliveries,
    feeds,
    fetch,
    leaks,
    lineage,
    look,
    maintain,
    make,
    method,
    method_correspondence,
    method_link,
    migrate,
    quarantine,
    tell,
    vault,
    with_feeds,
    work,
)
from lakehouse.errors import EXIT_CODES, BangfuError, InputMissing, is_disk_full

STOPPED = 130  # Ctrl-C, as shells tell it

app = typer.Typer(
    name="bangfu",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=(
        "Bangfu (帮扶): from deliveries to who needs help, and where help fits.\n\n"
        "Start with [bold]bangfu demo[/], or [bold]bangfu doctor[/] when something is missing."
    ),
    epilog="Exit codes: " + "; ".join(f"{code} {what}" for code, what in EXIT_CODES.items()),
)

for command in (
    *(make.demo, make.synth, feeds.feeds, fetch.fetch, work.land, work.run, work.plan, work.train),
    *(ask.sql, ask.tables),
    *(look.show, look.check, look.history, make.docs, make.doctor),
    *(lineage.lineage, tell.report, alarms.alarms, backup.restore, maintain.maintain),
    leaks.leaks,
):  # fmt: skip
    app.command(no_args_is_help=False)(with_feeds(command))
method.app.command()(method_link.link)
method.app.command()(method_correspondence.correspondence)
app.add_typer(method.app)
app.add_typer(deliveries.app)
app.add_typer(quarantine.app)
app.add_typer(migrate.app)
app.add_typer(backup.app)
app.add_typer(vault.app)


def main() -> NoReturn:
    """Run the command line; turn what a user can mend into a message and an exit code."""
    try:
        app()
    except BangfuError as error:
        print(f"bangfu: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if ended.code == STOPPED:
            print("\nbangfu: stopped. What is done is kept; the same command goes on from there.",
                  file=sys.stderr)  # fmt: skip
        raise
    except Exception as error:
        if not is_disk_full(error):
            raise
        print(
            "bangfu: a disk is full. What was committed is kept, nothing stands half-way. Make "
            "room where the lake, BANGFU_HOME and spark.local.dir lie; the same command goes on "
            "from there.",
            file=sys.stderr,
        )
        sys.exit(InputMissing.exit_code)
    sys.exit(0)
