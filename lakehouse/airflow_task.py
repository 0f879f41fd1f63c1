"""The one Airflow operator: a `bangfu` command in a process of its own.

No Spark session lives in Airflow's processes. What a command's exit code means for a retry is
decided here.
"""

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from lakehouse.errors import EXIT_CODES, InputMissing

# A second try would end the same way; a missing input may have come by then, and a crash may
# have been the machine's.
FINAL = (2, 10, 12, 13)


class Bangfu(BaseOperator):
    """Run `bangfu <command>`; with `as_of`, as of that date.

    The date is a template, so that Airflow shows it with the task. It goes into the events of
    what the task makes: whoever is started by them works as of the same date. A task that
    `may_wait` is skipped, not failed, where an input is not there yet.
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
        if code := self._run([sys.executable, "-m", "lakehouse", *words]):
            raise self._error(code)
        for asset in self.outlets if self.as_of else ():
            context["outlet_events"][asset].extra = {"as_of": self.as_of}

    def on_kill(self) -> None:
        """End the command; its JVM goes with it, since it watches the command's pipe."""
        if self._process:
            self._process.terminate()

    def _run(self, command: list[str]) -> int:
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.log.info("%s", line.rstrip())
        return self._process.wait()

    def _error(self, code: int) -> AirflowException:
        told = f"bangfu {self.command[0]} ended with {code}: {EXIT_CODES.get(code, 'killed')}"
        if self.may_wait and code == InputMissing.exit_code:
            return AirflowSkipException(told)
        return AirflowFailException(told) if code in FINAL else AirflowException(told)
