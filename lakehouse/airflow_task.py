"""The operators: a `bangfu` command in a process of its own, a source asked, the dates of a run.

No Spark session lives in Airflow's processes. What a command's exit code means for a retry is
decided here.
"""

import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from lakehouse.due import dates, due
from lakehouse.errors import EXIT_CODES, InputMissing

# A second try would end the same way; a missing input may have come by then, and a crash may
# have been the machine's.
FINAL = (2, 10, 12, 13)
SPEAKS = "bangfu: "  # How the command line begins what a user can mend (lakehouse/cli.py).


class Bangfu(BaseOperator):
    """Run `bangfu <command>`; with `as_of`, as of that date.

    The date is a template, so that Airflow shows it with the task. It goes into the events of
    what the task makes, for people to read. A task that `may_wait` is skipped, not failed, where
    an input is not there yet.
    """

    template_fields: Sequence[str] = ("command", "as_of")
    ui_color = "#e8f3ec"

    def __init__(
        self,
        *,
        command: Sequence[str],
        as_of: str | None = None,
        may_wait: bool = False,
        **keywords: Any,
    ) -> None:
        super().__init__(**keywords)
        self.command = list(command)
        self.as_of = as_of
        self.may_wait = may_wait
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Any) -> None:
        """Run the command, its output in the task's log. Fails for good where a retry is vain."""
        words = [*self.command, *(("--as-of", self.as_of) if self.as_of else ())]
        self.log.info("bangfu %s", " ".join(words))
        code, said = self._run([sys.executable, "-m", "lakehouse", *words])
        if code:
            raise self._error(code, said)
        for asset in self.outlets if self.as_of else ():
            context["outlet_events"][asset].extra = {"as_of": self.as_of}

    def on_kill(self) -> None:
        """End the command; its JVM goes with it, since it watches the command's pipe."""
        if self._process:
            self._process.terminate()

    def _run(self, command: list[str]) -> tuple[int, str]:
        """Run a command; return its exit code and its own words for a failure."""
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            self.log.info("%s", line.rstrip())
            if line.startswith(SPEAKS):
                said = line.removeprefix(SPEAKS).strip()
        return self._process.wait(), said

    def _error(self, code: int, said: str) -> AirflowException:
        meaning = EXIT_CODES.get(code, f"killed by signal {-code}" if code < 0 else "killed")
        told = f"bangfu {self.command[0]} ended with {code}: {meaning}" + (f". {said}" * bool(said))
        if self.may_wait and code == InputMissing.exit_code:
            return AirflowSkipException(told)
        return AirflowFailException(told) if code in FINAL else AirflowException(told)


class Fetch(Bangfu):
    """Ask one source for the period of the run's date. A run that a delivery started asks none."""

    template_fields: Sequence[str] = ("command", "as_of", "source")

    def __init__(self, *, source: str, every: str, zone: str, **keywords: Any) -> None:
        super().__init__(command=["fetch"], **keywords)
        self.source, self.every, self.zone = source, every, zone

    def execute(self, context: Any) -> None:
        """Run `bangfu fetch SOURCE --period …`: once a period, however often it is called."""
        run = context["dag_run"]
        if run.run_type == "asset_triggered":
            raise AirflowSkipException(
                "A delivery started this run: sources are asked by the clock."
            )
        [day] = _dates(context, self.zone, [])
        period = day.isoformat() if self.every == "day" else f"{day:%Y-%m}"
        self.command = ["fetch", self.source, "--period", period]
        super().execute(context)


class Dates(BaseOperator):
    """Say which dates the run makes: settled once, so that a retry makes the same ones."""

    ui_color = "#f3efe0"

    def __init__(
        self,
        *,
        dated_by: Sequence[tuple[str, str]],
        makes_its_day: bool,
        zone: str,
        **keywords: Any,
    ) -> None:
        super().__init__(**keywords)
        self.dated_by = [(came, made) for came, made in dated_by]
        self.makes_its_day, self.zone = makes_its_day, zone

    def execute(self, context: Any) -> list[str]:
        """Return the dates as ISO text, the oldest first. Needs no Spark."""
        from lakehouse.ops import Ops
        from lakehouse.registry import registry

        found = due(Ops(), registry(), self.dated_by)
        told = [one.isoformat() for one in _dates(context, self.zone, found, self.makes_its_day)]
        self.log.info("This run makes %s.", ", ".join(told) or "nothing: nothing has come yet")
        return told


def _dates(context: Any, zone: str, found: list[date], makes_its_day: bool = True) -> list[date]:
    run = context["dag_run"]
    given = (context.get("params") or {}).get("as_of")
    return dates(given, run.logical_date, run.run_type, run.run_after, zone, found, makes_its_day)
