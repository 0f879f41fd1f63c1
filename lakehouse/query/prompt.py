"""The prompt of `bangfu sql`: questions one after the other, until `.quit`."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from sqlite3 import complete_statement

from lakehouse.errors import BangfuError, nearest

HELP = """SELECT …;          ask; a question ends with ;
.tables [PATTERN]  the tables that may be asked
.describe TABLE    the columns of one table
.help              this
.quit              leave (Ctrl-D does as well); Ctrl-C clears the line or stops a question"""
WORDS = (".tables", ".describe", ".help", ".quit", ".exit")


class Prompt:
    """Reads questions and hands them on; a mistake is told and ends nothing."""

    def __init__(self, ask: Callable[[str], None], tables: Callable[[str | None], None]) -> None:
        self.ask, self.tables = ask, tables

    def run(self, history: Path) -> None:
        """Read until `.quit` or the end of input; lines are kept in a history of the user's own."""
        keep = _line_editing(history)
        print("Ask in SQL, end with ; — .help tells more.", file=sys.stderr)
        text = ""
        while True:
            try:
                line = input("   ...> " if text else "bangfu> ")
            except KeyboardInterrupt:
                print("", file=sys.stderr)
                text = ""
                continue
            except EOFError:
                print("", file=sys.stderr)
                break
            if not text and line.strip().startswith("."):
                if not self._dot(line.strip()):
                    break
                continue
            text = f"{text}\n{line}".strip()
            if complete_statement(text):
                self._try(lambda asked=text: self.ask(asked))  # type: ignore[misc]
                text = ""
        keep()

    def _dot(self, line: str) -> bool:
        """Do what a line with a dot says; return False where it says to leave."""
        word, _, rest = re.sub(r"\s+", " ", line.rstrip(";")).partition(" ")
        match word:
            case ".quit" | ".exit":
                return False
            case ".tables":
                self._try(lambda: self.tables(rest or None))
            case ".describe" if rest:
                self._try(lambda: self.tables(rest))
            case ".help":
                print(HELP)
            case _:
                known = f"{nearest(word, list(WORDS))} .help tells what there is."
                print(f"{line!r} is unknown here.{known}", file=sys.stderr)
        return True

    def _try(self, do: Callable[[], None]) -> None:
        try:
            do()
        except BangfuError as error:
            print(error, file=sys.stderr)
        except KeyboardInterrupt:
            print("Stopped.", file=sys.stderr)


def _line_editing(history: Path) -> Callable[[], None]:
    """Turn on history and editing where this system has readline; return what keeps the history."""
    try:
        import readline
    except ImportError:
        return lambda: None
    if history.exists():
        readline.read_history_file(history)
    readline.set_history_length(1000)

    def keep() -> None:
        if history.parent.is_dir():
            history.touch(mode=0o600)
            readline.write_history_file(history)

    return keep
